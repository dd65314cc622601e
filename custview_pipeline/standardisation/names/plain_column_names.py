"""Persons' names in columns that hold more than a word each, or with a former name, many at once.

What is spelled or divided into words is done once for each distinct cell, by the functions that do it for one name.
"""

from typing import Final

import polars as pl

from custview_pipeline.standardisation.names.chinese_names import CHINESE_SURNAMES
from custview_pipeline.standardisation.names.comparable_names import WORDS_BESIDE_NAMES
from custview_pipeline.standardisation.names.name_cells import ROMANISED_SURNAMES, SUFFIXES, TITLES
from custview_pipeline.standardisation.names.names import PERSON, spell_part
from custview_pipeline.standardisation.names.plain_chinese_names import read_column
from custview_pipeline.standardisation.names.plain_name_pieces import (
    COLUMNS,
    LONGEST,
    PIECES,
    are_null,
    with_titles,
)
from custview_pipeline.standardisation.text import as_json, words

_PLAIN: Final = "^[A-Za-z][A-Za-z .'-]*$"
_CELLS: Final = (*COLUMNS, "former_name")
_WORDS: Final = tuple(f"{name}_words" for name in _CELLS)
_SHOWN: Final = ("credentials", "family", "given", "middle", "prefix", "suffix")
_LEFT: Final = rf"\b(?:{'|'.join(sorted({*TITLES, *SUFFIXES, *WORDS_BESIDE_NAMES}))})\b"


def read_plain_column_names(distinct: pl.DataFrame) -> pl.DataFrame:
    """Return the readings (``code``, ``position``, ``PERSON``) of the names in columns of Latin words that are no Chinese names.

    Args:
        distinct: ``code``, the name columns of a record and ``country``.
    """
    plain = distinct.filter(
        are_null("full_name", "native_name"),
        pl.col("given_name").is_not_null() | (pl.col("family_name").is_not_null() & pl.col("middle_name").is_null()),
        pl.col("former_name").is_null() | pl.col("name_suffix").is_null(),
        *(pl.col(name).str.contains(_PLAIN).fill_null(value=True) for name in _CELLS),
        pl.sum_horizontal(pl.col(name).str.len_bytes() for name in COLUMNS) <= LONGEST,
    )
    read = plain.with_columns(read_column(name, _joined_words).alias(f"{name}_words") for name in _CELLS)
    surnames = sorted(CHINESE_SURNAMES | ROMANISED_SURNAMES)
    ordinary = read.filter(
        ~pl.col("family_name_words").is_in(surnames).fill_null(value=False),
        *(~pl.col(name).str.contains(_LEFT).fill_null(value=False) for name in _WORDS),
    )
    return _readings(_spelled(with_titles(ordinary)))


def _joined_words(text: str) -> str:
    return " ".join(words(text))


def _spelled(names: pl.DataFrame) -> pl.DataFrame:
    """Add ``given``, ``middle`` and ``family`` as shown."""
    whole = pl.concat_str(*COLUMNS, separator=" ", ignore_nulls=True)
    has_no_case = (whole == whole.str.to_uppercase()) | (whole == whole.str.to_lowercase())
    marked = pl.when(has_no_case).then(pl.lit("-")).otherwise(pl.lit("+"))
    cells = names.with_columns((marked + pl.col(name)).alias(piece) for piece, name in zip(PIECES, COLUMNS, strict=True))
    return cells.with_columns(read_column(piece, _spell_marked) for piece in PIECES)


def _spell_marked(text: str) -> str:
    return spell_part(text[1:], has_no_case=text[0] == "-")


def _readings(names: pl.DataFrame) -> pl.DataFrame:
    given, middle, family, former = (pl.col(name) for name in _WORDS)
    titles = {name: pl.col(name).str.to_lowercase() for name in ("prefix", "suffix", "credentials")}
    order = (titles["prefix"], given, middle, family, titles["suffix"], titles["credentials"])
    every = (
        pl.concat_str(given, middle, family, former, separator=" ", ignore_nulls=True).str.split(" ").list.unique().list.sort()
    )
    return names.select(
        "code",
        "name_suffix",
        position=pl.lit(0),
        value=pl.concat_str("prefix", *PIECES, "suffix", "credentials", separator=" ", ignore_nulls=True),
        comparable=pl.concat_str(order, separator=" ", ignore_nulls=True),
        parts=as_json(*_SHOWN),
        part_count=pl.sum_horizontal(pl.col(name).is_not_null() for name in _SHOWN),
        given=given.str.extract("^([^ ]+)"),
        middle=pl.coalesce(middle.str.extract("^([^ ]+)"), given.str.extract("^[^ ]+ ([^ ]+)")),
        family=family,
        name_words=every.list.eval(pl.element().filter(pl.element().str.len_bytes() > 1)).list.join(" "),
        **dict.fromkeys(("rule", "native_name"), pl.lit(None, pl.String)),
    ).select("code", "position", *PERSON)
