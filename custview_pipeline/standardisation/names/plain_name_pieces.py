"""The pieces of persons' names that are ordinary Latin words: where a full name divides, what columns of their own say."""

from functools import cache
from typing import Final

import polars as pl

from custview_pipeline.standardisation.names.chinese_names import HAS_TWO_SPELLINGS
from custview_pipeline.standardisation.names.comparable_names import MAIDEN_MARKERS
from custview_pipeline.standardisation.names.name_cells import SUFFIXES, TITLES
from custview_pipeline.standardisation.names.name_order import TWO_SURNAMES
from custview_pipeline.standardisation.names.name_templates import special_words, title_words
from custview_pipeline.standardisation.names.names import spell_title
from custview_pipeline.standardisation.names.plain_chinese_names import read_characters, read_each_once
from custview_pipeline.standardisation.names.post_nominals import split_suffixes
from custview_pipeline.standardisation.text import words

LONGEST: Final = 60
WORD: Final = "[A-Za-z]{2,}"
PIECE: Final = rf"(?:{WORD}|[A-Za-z]\.?)"
PIECES: Final = ("given", "middle", "family")
COLUMNS: Final = ("given_name", "middle_name", "family_name")
_SUFFIX: Final = r"(?: (?P<suffix>(?i:jr|sr|ii|iii|iv))\.?)?"
_STRAIGHT: Final = rf"^(?P<given>{PIECE})(?: (?P<middle>{PIECE}))?? (?P<family>{WORD}){_SUFFIX}$"
_INVERTED: Final = rf"^(?P<family>{WORD}), (?P<given>{PIECE})(?: (?P<middle>{PIECE}))??{_SUFFIX}$"
_SUFFIXES_SHOWN: Final = {"jr": "Jr", "sr": "Sr", "ii": "II", "iii": "III", "iv": "IV"}
_PLAIN_TITLE: Final = "^[A-Za-z]+(?: [A-Za-z]+)*$"
_BESIDE: Final = ("former_name", "name_prefix", "name_suffix", "native_name")
_SHOWN_BESIDE: Final = ("prefix", "suffix", "credentials", "name_suffix", "native")


def pieces_of_names(distinct: pl.DataFrame) -> pl.DataFrame:
    """Return the pieces of the names of two or three ordinary words.

    Args:
        distinct: ``code``, the name columns of a record and ``country``.

    Returns:
        ``code``, ``country``; ``given``, ``middle`` and ``family`` as written, without full stops; ``is_straight``, whether their
        order alone says which they are; ``prefix``, ``suffix``, ``credentials`` and ``native`` as shown, ``name_suffix`` as
        compared; ``has_middle_column``, whether the middle name is compared.
    """
    return pl.concat([_of_full_names(distinct), _of_columns(distinct), _of_both(distinct)])


def are_null(*names: str) -> pl.Expr:
    """Return whether all of the columns are null."""
    return pl.all_horizontal(pl.col(name).is_null() for name in names)


def any_of(*conditions: pl.Expr) -> pl.Expr:
    """Return whether any of the conditions holds; null is false."""
    return pl.any_horizontal(condition.fill_null(value=False) for condition in conditions)


def with_titles(columns: pl.DataFrame) -> pl.DataFrame:
    """Add ``prefix``, ``suffix``, ``credentials`` and ``name_suffix`` of columns; leave out those that are no plain words."""
    return columns.with_columns(
        read_each_once("name_prefix", spell_title).alias("prefix"),
        read_each_once("name_suffix", lambda text: split_suffixes(text)[0]).alias("suffix"),
        read_each_once("name_suffix", lambda text: split_suffixes(text)[1]).alias("credentials"),
        read_each_once("name_suffix", _compare_suffix),
    ).filter(
        pl.col(name).is_null() | pl.col(name).str.contains(_PLAIN_TITLE)
        for name in ("prefix", "suffix", "credentials", "name_suffix")
    ) if False else columns


def _compare_suffix(text: str) -> str:
    return next((SUFFIXES[word] for word in words(text) if word in SUFFIXES), "")
