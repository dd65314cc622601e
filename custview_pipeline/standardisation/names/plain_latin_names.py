"""Persons' names of two or three ordinary Latin words, many at once: the answers of ``read_person_name``, by whole columns."""

from functools import cache
from typing import Final

import polars as pl

from custview_pipeline.standardisation.codes.countries import CHINESE_WRITING
from custview_pipeline.standardisation.names.chinese_names import CHINESE_SURNAMES, HAS_TWO_SPELLINGS, syllables
from custview_pipeline.standardisation.names.name_cells import ROMANISED_SURNAMES, ROMANISED_SYLLABLE, SUFFIXES, TITLES
from custview_pipeline.standardisation.names.name_order import TWO_SURNAMES
from custview_pipeline.standardisation.names.name_templates import special_words, title_words
from custview_pipeline.standardisation.names.names import PERSON

_LONGEST: Final = 60
_WORD: Final = "[A-Za-z]{2,}"
_PIECE: Final = rf"(?:{_WORD}|[A-Za-z]\.?)"
_SUFFIX: Final = r"(?: (?P<suffix>(?i:jr|sr|ii|iii|iv))\.?)?"
_STRAIGHT: Final = rf"^(?P<given>{_PIECE})(?: (?P<middle>{_PIECE}))?? (?P<family>{_WORD}){_SUFFIX}$"
_INVERTED: Final = rf"^(?P<family>{_WORD}), (?P<given>{_PIECE})(?: (?P<middle>{_PIECE}))??{_SUFFIX}$"
_SHOWN: Final = {"jr": "Jr", "sr": "Sr", "ii": "II", "iii": "III", "iv": "IV"}
# Spelled anew: a word in small letters, one of four or more capitals, every word of a name all in capitals.
_IN_ONE_CASE: Final = r"(?-u:\b)(?:[a-z]+|[A-Z]{4,})(?-u:\b)|^[A-Z ]+$"
_ALL_CAPITALS_WHEN_SHOWN: Final = "^(?:(?:[A-Z]{1,3}|[a-z])(?: |$))+$"
_SHORT_CAPITALS: Final = 3
_PIECES: Final = ("given", "middle", "family")
_COLUMNS: Final = ("given_name", "middle_name", "family_name")
_NO_PIECES: Final = ("former_name", "name_prefix", "name_suffix", "native_name")


def read_plain_latin_names(distinct: pl.DataFrame) -> pl.DataFrame:
    """Return the readings (``code``, ``position``, ``PERSON``) of the names that are ordinary words and nothing else.

    Args:
        distinct: ``code``, the name columns of a record and ``country``.
    """
    alone = distinct.filter(_are_null(*_NO_PIECES))
    return _readings(_spelled(_oriented(pl.concat([_of_full_names(alone), _of_columns(alone)]))))


def _are_null(*names: str) -> pl.Expr:
    return pl.all_horizontal(pl.col(name).is_null() for name in names)


def _of_full_names(alone: pl.DataFrame) -> pl.DataFrame:
    """Return the pieces of the full names that nameparser tells apart by their places alone."""
    full = alone.filter(_are_null(*_COLUMNS), pl.col("full_name").str.len_bytes() <= _LONGEST)
    is_inverted = pl.col("full_name").str.contains(",", literal=True)
    straight, inverted = _pieces(full.filter(~is_inverted), _STRAIGHT), _pieces(full.filter(is_inverted), _INVERTED)
    given, middle = pl.col("given").str.to_lowercase(), pl.col("middle").str.to_lowercase()
    is_number = given.is_in(["i", "v"]) | middle.is_in(["i", "v"])  # so nameparser, behind a comma and a name
    inverted = inverted.filter(~_any(is_number, middle.is_in(_special())))
    pieces = pl.concat([straight.with_columns(is_straight=True), inverted.with_columns(is_straight=False)])
    return pieces.filter(
        ~_any(given.is_in(_special()), middle.is_in(_no_surname()), pl.col("family").str.to_lowercase().is_in(_no_surname()))
    )


def _pieces(full: pl.DataFrame, pattern: str) -> pl.DataFrame:
    found = full.select("code", "country", pl.col("full_name").str.extract_groups(pattern).alias("found")).unnest("found")
    return found.select(
        "code", "country", pl.col("given", "middle").str.strip_suffix("."), "family", pl.col("suffix").str.to_lowercase()
    ).drop_nulls("family")


def _any(*conditions: pl.Expr) -> pl.Expr:
    return pl.any_horizontal(condition.fill_null(value=False) for condition in conditions)


def _of_columns(alone: pl.DataFrame) -> pl.DataFrame:
    """Return the pieces of names that stand in columns of their own, one word each."""
    return (
        alone.filter(
            pl.col("full_name").is_null(),
            pl.col("given_name").str.contains(f"^{_PIECE}$"),
            pl.col("middle_name").str.contains(f"^{_PIECE}$").fill_null(value=True),
            pl.col("family_name").str.contains(f"^{_WORD}$"),
            pl.sum_horizontal(pl.col(name).str.len_bytes() for name in _COLUMNS) <= _LONGEST,
        )
        .select(
            "code",
            "country",
            *(pl.col(name).str.strip_suffix(".").alias(piece) for piece, name in zip(_PIECES, _COLUMNS, strict=True)),
            suffix=pl.lit(None, pl.String),
            is_straight=pl.lit(value=False),
        )
        .filter(~_any(*(pl.col(name).str.to_lowercase().is_in(_titles()) for name in _PIECES)))
    )


@cache
def _titles() -> pl.Series:
    return pl.Series(sorted({*TITLES, *SUFFIXES}), dtype=pl.String).implode()


@cache
def _special() -> pl.Series:
    """Return the words that cannot stand first: whatever nameparser knows; initials are no words."""
    words = {word for word in special_words() if len(word) > 1}
    return pl.Series(sorted({*words, *TITLES, *SUFFIXES}), dtype=pl.String).implode()


@cache
def _no_surname() -> pl.Series:
    """Return the words that cannot stand last; titles can: Mary King."""
    words = {word for word in special_words() if len(word) > 1} - title_words()
    return pl.Series(sorted({*words, *TITLES, *SUFFIXES}), dtype=pl.String).implode()


@cache
def _pinyin() -> str:
    return f"^(?:{'|'.join(sorted(syllables()))})+$"


def _oriented(pieces: pl.DataFrame) -> pl.DataFrame:
    """Tell Chinese names of two words in Latin letters; those of more, and those told by capitals, are left out."""
    small = pieces.with_columns(pl.col(name).str.to_lowercase().alias(f"{name}_small") for name in _PIECES)
    given, middle, family = (pl.col(f"{name}_small") for name in _PIECES)
    surnames = pl.Series(sorted(CHINESE_SURNAMES), dtype=pl.String).implode()
    small = small.filter(~_any(_may_have_two_surnames(), _may_be_romanised()))
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


def _may_have_two_surnames() -> pl.Expr:
    return pl.col("is_straight") & (pl.col("middle").str.len_bytes() > 1) & pl.col("country").is_in(sorted(TWO_SURNAMES))


def _may_be_romanised() -> pl.Expr:
    surnames = pl.Series(sorted(ROMANISED_SURNAMES), dtype=pl.String).implode()
    is_syllable = pl.col("middle_small").str.contains(f"^{ROMANISED_SYLLABLE}$")
    return is_syllable & (pl.col("family_small").is_in(surnames) | pl.col("given_small").is_in(surnames))


def _spelled(pieces: pl.DataFrame) -> pl.DataFrame:
    """Capitalise words whose letters say nothing; leave out the names that take more: Mc, Mac."""
    whole = pl.concat_str(*_PIECES, separator=" ", ignore_nulls=True)
    is_one_case = whole.str.contains(_IN_ONE_CASE)
    rest = pieces.filter(is_one_case).filter(
        ~_any(*(pl.col(f"{name}_small").str.starts_with("m") & pl.col(f"{name}_small").str.contains("^ma?c") for name in _PIECES))
    )
    is_uniform = (whole == whole.str.to_uppercase()) | (whole == whole.str.to_lowercase())
    # Shown, "A b CC" is all capitals, which are then spelled anew.
    rest = rest.with_columns(is_uniform=is_uniform).filter(pl.col("is_uniform") | ~whole.str.contains(_ALL_CAPITALS_WHEN_SHOWN))
    rest = rest.with_columns(_capitalised(name) for name in _PIECES).drop("is_uniform")
    return pl.concat([pieces.filter(~is_one_case), rest])


def _capitalised(name: str) -> pl.Expr:
    word, small = pl.col(name), pl.col(f"{name}_small")
    is_capitals = (word == word.str.to_uppercase()) & (pl.col("is_uniform") | (word.str.len_bytes() > _SHORT_CAPITALS))
    capitalised = small.str.slice(0, 1).str.to_uppercase() + small.str.slice(1)
    return pl.when((word == small) | is_capitals).then(capitalised).otherwise(word).alias(name)


def _readings(pieces: pl.DataFrame) -> pl.DataFrame:
    given, middle, family = (pl.col(name) for name in _PIECES)
    suffix = pl.col("suffix").replace_strict(_SHOWN, default=None, return_dtype=pl.String)
    is_turned = pl.col("has_family_first")
    value = (
        pl.when(is_turned)
        .then(pl.concat_str(family, given, middle, suffix, separator=" ", ignore_nulls=True))
        .otherwise(pl.concat_str(given, middle, family, suffix, separator=" ", ignore_nulls=True))
    )
    opening = pl.concat_str(pl.lit('{"family": "'), family, pl.lit('", "given": "'), given)
    parts = pl.concat_str(
        opening, pl.lit('", "middle": "') + middle, pl.lit('", "suffix": "') + suffix, pl.lit('"}'), ignore_nulls=True
    )
    return pieces.select(
        "code",
        position=pl.lit(0),
        value=value,
        comparable=value.str.to_lowercase(),
        rule=pl.lit(None, pl.String),
        parts=parts,
        part_count=2 + middle.is_not_null().cast(pl.UInt8) + suffix.is_not_null().cast(pl.UInt8),
        given="given_small",
        middle="middle_small",
        family="family_small",
        name_suffix="suffix",
        native_name=pl.lit(None, pl.String),
        name_words=_in_order(*(f"{name}_small" for name in _PIECES)),
    ).select("code", "position", *PERSON)


def _in_order(*names: str) -> pl.Expr:
    """Return the different words among three, those of one letter left out, in the order of the alphabet."""
    words = [pl.when(pl.col(name).str.len_bytes() > 1).then(name) for name in names]
    first, last = pl.min_horizontal(words), pl.max_horizontal(words)
    between = pl.coalesce(pl.when((word != first) & (word != last)).then(word) for word in words)
    return pl.concat_str(first, between, pl.when(last != first).then(last), separator=" ", ignore_nulls=True)
