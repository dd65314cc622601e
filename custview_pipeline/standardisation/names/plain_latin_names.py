"""Persons' names of ordinary Latin words, many at once: the answers of ``read_person_name``, by whole columns."""

from functools import cache
from typing import Final

import polars as pl

from custview_pipeline.standardisation.codes.countries import CHINESE_WRITING
from custview_pipeline.standardisation.names.chinese_names import CHINESE_SURNAMES, HAS_TWO_SPELLINGS, syllables
from custview_pipeline.standardisation.names.name_cells import ROMANISED_SURNAMES, ROMANISED_SYLLABLE
from custview_pipeline.standardisation.names.names import PERSON
from custview_pipeline.standardisation.names.plain_name_pieces import (
    PIECES,
    any_of,
    may_have_two_surnames,
    pieces_of_names,
)
from custview_pipeline.standardisation.text import as_json

# Spelled anew: a word in small letters, one of four or more capitals, every word of a name all in capitals.
_IN_ONE_CASE: Final = r"(?-u:\b)(?:[a-z]+|[A-Z]{4,})(?-u:\b)|^[A-Z ]+$"
_ALL_CAPITALS_WHEN_SHOWN: Final = "^(?:(?:[A-Z]{1,3}|[a-z])(?: |$))+$"
_SHORT_CAPITALS: Final = 3
_SMALL: Final = tuple(f"{name}_small" for name in PIECES)


def read_plain_latin_names(distinct: pl.DataFrame) -> pl.DataFrame:
    """Return the readings (``code``, ``position``, ``PERSON``) of the names that are ordinary words, with titles or without.

    Args:
        distinct: ``code``, the name columns of a record and ``country``.
    """
    return _readings(_spelled(_oriented(pieces_of_names(distinct))))


@cache
def _pinyin() -> str:
    return f"^(?:{'|'.join(sorted(syllables()))})+$"


def _oriented(pieces: pl.DataFrame) -> pl.DataFrame:
    """Tell Chinese names of two words in Latin letters; those of more, and those told by capitals, are left out."""
    small = pieces.with_columns(pl.col(name).str.to_lowercase().alias(f"{name}_small") for name in PIECES)
    given, middle, family = map(pl.col, _SMALL)
    surnames = pl.Series(sorted(CHINESE_SURNAMES), dtype=pl.String).implode()
    small = small.filter(~any_of(pl.col("is_straight") & may_have_two_surnames(), _may_be_romanised()))
    may_be = family.is_in(surnames) | given.is_in(surnames)
    others, chinese = small.filter(~may_be).with_columns(has_family_first=False), small.filter(may_be)
    is_middle = middle.str.contains(_pinyin()).fill_null(value=True)
    writes = pl.col("country").is_in(sorted(CHINESE_WRITING))
    chinese = chinese.with_columns(
        turned=given.is_in(surnames) & family.str.contains(_pinyin()) & is_middle & pl.col("is_straight"),
        plain=family.is_in(surnames) & given.str.contains(_pinyin()) & is_middle,
    )
    is_any = pl.col("turned") | pl.col("plain")
    is_by_capitals = pl.col("turned") & ~writes & (pl.col("given") == pl.col("given").str.to_uppercase())
    has_two_spellings = is_any & writes & (given.str.contains(HAS_TWO_SPELLINGS) | family.str.contains(HAS_TWO_SPELLINGS))
    sure = chinese.filter(
        ~((is_any & (middle.is_not_null() | pl.col("suffix").is_not_null())) | is_by_capitals | has_two_spellings)
    )
    turns = pl.col("turned") & writes
    sure = sure.with_columns(
        *(pl.when(turns).then(f"family{end}").otherwise(f"given{end}").alias(f"given{end}") for end in ("", "_small")),
        *(pl.when(turns).then(f"given{end}").otherwise(f"family{end}").alias(f"family{end}") for end in ("", "_small")),
        has_family_first=writes & is_any,
    )
    return pl.concat([others, sure.select(others.columns)])


def _may_be_romanised() -> pl.Expr:
    surnames = pl.Series(sorted(ROMANISED_SURNAMES), dtype=pl.String).implode()
    is_syllable = pl.col("middle_small").str.contains(f"^{ROMANISED_SYLLABLE}$")
    return is_syllable & (pl.col("family_small").is_in(surnames) | pl.col("given_small").is_in(surnames))


def _spelled(pieces: pl.DataFrame) -> pl.DataFrame:
    """Capitalise words whose letters say nothing; leave out the names that take more: Mc, Mac."""
    whole = pl.concat_str(*PIECES, separator=" ", ignore_nulls=True)
    is_one_case = whole.str.contains(_IN_ONE_CASE)
    rest = pieces.filter(is_one_case).filter(
        ~any_of(*(small.str.starts_with("m") & small.str.contains("^ma?c") for small in map(pl.col, _SMALL)))
    )
    is_uniform = (whole == whole.str.to_uppercase()) | (whole == whole.str.to_lowercase())
    # Shown, "A b CC" is all capitals, which are then spelled anew.
    rest = rest.with_columns(is_uniform=is_uniform).filter(pl.col("is_uniform") | ~whole.str.contains(_ALL_CAPITALS_WHEN_SHOWN))
    rest = rest.with_columns(_capitalised(name) for name in PIECES).drop("is_uniform")
    return pl.concat([pieces.filter(~is_one_case), rest])


def _capitalised(name: str) -> pl.Expr:
    word, small = pl.col(name), pl.col(f"{name}_small")
    is_capitals = (word == word.str.to_uppercase()) & (pl.col("is_uniform") | (word.str.len_bytes() > _SHORT_CAPITALS))
    capitalised = small.str.slice(0, 1).str.to_uppercase() + small.str.slice(1)
    return pl.when((word == small) | is_capitals).then(capitalised).otherwise(word).alias(name)


def _readings(pieces: pl.DataFrame) -> pl.DataFrame:
    names = [pl.col(name) for name in PIECES]
    straight, turned = (pl.concat_str(order, separator=" ", ignore_nulls=True) for order in (names, [names[2], *names[:2]]))
    order = pl.when("has_family_first").then(turned).otherwise(straight)
    value = pl.concat_str("prefix", order, "suffix", "credentials", separator=" ", ignore_nulls=True)
    shown = ("credentials", "family", "given", "middle", "native", "prefix", "suffix")
    return pieces.select(
        "code",
        position=pl.lit(0),
        value=value,
        comparable=value.str.to_lowercase(),
        rule=pl.lit(None, pl.String),
        parts=as_json(*shown),
        part_count=pl.sum_horizontal(pl.col(name).is_not_null() for name in shown),
        given="given_small",
        middle=pl.when("has_middle_column").then("middle_small"),
        family="family_small",
        name_suffix="name_suffix",
        native_name="native",
        name_words=_in_order(*_SMALL),
    ).select("code", "position", *PERSON)


def _in_order(*names: str) -> pl.Expr:
    """Return the different words among three, those of one letter left out, in the order of the alphabet."""
    words = [pl.when(pl.col(name).str.len_bytes() > 1).then(name) for name in names]
    first, last = pl.min_horizontal(words), pl.max_horizontal(words)
    between = pl.coalesce(pl.when((word != first) & (word != last)).then(word) for word in words)
    return pl.concat_str(first, between, pl.when(last != first).then(last), separator=" ", ignore_nulls=True)
