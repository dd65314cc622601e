"""The pieces of persons' names that are ordinary Latin words: where a full name divides, what columns of their own say."""

from functools import cache
from typing import Final

import polars as pl

from custview_pipeline.standardisation.names.chinese_names import CHINESE_SURNAMES, HAS_TWO_SPELLINGS
from custview_pipeline.standardisation.names.comparable_names import MAIDEN_MARKERS
from custview_pipeline.standardisation.names.name_cells import SUFFIXES, TITLES
from custview_pipeline.standardisation.names.name_order import TWO_SURNAMES
from custview_pipeline.standardisation.names.name_templates import special_words, title_words
from custview_pipeline.standardisation.names.names import spell_title
from custview_pipeline.standardisation.names.plain_chinese_names import read_characters, read_column
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
_BESIDE_NAMES: Final = ("prefix", "suffix", "credentials", "name_suffix", "native")


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
    """Add ``prefix``, ``suffix``, ``credentials`` and ``name_suffix``; leave out the names whose titles are no plain words."""
    shown = columns.with_columns(
        prefix=read_column("name_prefix", spell_title),
        suffix=read_column("name_suffix", lambda text: split_suffixes(text)[0]),
        credentials=read_column("name_suffix", lambda text: split_suffixes(text)[1]),
        name_suffix=read_column("name_suffix", _compare_suffix),
    )
    return shown.filter(
        pl.col(name).str.contains(_PLAIN_TITLE).fill_null(value=True) for name in ("prefix", "suffix", "credentials")
    )


def _compare_suffix(text: str) -> str | None:
    return next((SUFFIXES[word] for word in words(text) if word in SUFFIXES), None)


def _of_full_names(distinct: pl.DataFrame) -> pl.DataFrame:
    """Return the pieces of the full names that nameparser tells apart by their places alone."""
    full = distinct.filter(are_null(*_BESIDE, *COLUMNS), pl.col("full_name").str.len_bytes() <= LONGEST)
    is_inverted = pl.col("full_name").str.contains(",", literal=True)
    straight, inverted = _divided(full.filter(~is_inverted), _STRAIGHT), _divided(full.filter(is_inverted), _INVERTED)
    given, middle = pl.col("given").str.to_lowercase(), pl.col("middle").str.to_lowercase()
    is_number = given.is_in(["i", "v"]) | middle.is_in(["i", "v"])  # so nameparser, behind a comma and a name
    inverted = inverted.filter(~any_of(is_number, middle.is_in(_special())))
    pieces = pl.concat([_ordinary(straight).with_columns(is_straight=True), _ordinary(inverted).with_columns(is_straight=False)])
    shown = pl.col("suffix").replace_strict(_SUFFIXES_SHOWN, default=None, return_dtype=pl.String)
    return _completed(pieces.with_columns(name_suffix="suffix", suffix=shown, has_middle_column=pl.lit(value=True)))


def _divided(full: pl.DataFrame, pattern: str) -> pl.DataFrame:
    found = full.with_columns(pl.col("full_name").str.extract_groups(pattern).alias("found")).unnest("found")
    return found.select(
        *("code", "country", "given_name", "family_name"),
        *(pl.col("given", "middle").str.strip_suffix("."), "family", pl.col("suffix").str.to_lowercase()),
    ).drop_nulls("family")


def _ordinary(pieces: pl.DataFrame) -> pl.DataFrame:
    given, middle, family = (pl.col(piece).str.to_lowercase() for piece in PIECES)
    return pieces.filter(~any_of(given.is_in(_special()), middle.is_in(_no_surname()), family.is_in(_no_surname())))


def _completed(pieces: pl.DataFrame) -> pl.DataFrame:
    """Add what the name does not have, and order the columns."""
    missing = [pl.lit(None, pl.String).alias(name) for name in _BESIDE_NAMES if name not in pieces.columns]
    return pieces.with_columns(missing).select("code", "country", *PIECES, "is_straight", *_BESIDE_NAMES, "has_middle_column")


def _of_columns(distinct: pl.DataFrame) -> pl.DataFrame:
    """Return the pieces of names that stand in columns of their own, one word each."""
    columns = distinct.filter(
        are_null("full_name", "former_name"),
        pl.col("given_name").str.contains(f"^{PIECE}$"),
        pl.col("middle_name").str.contains(f"^{PIECE}$").fill_null(value=True),
        pl.col("family_name").str.contains(f"^{WORD}$"),
        pl.sum_horizontal(pl.col(name).str.len_bytes() for name in COLUMNS) <= LONGEST,
    ).filter(~any_of(*(pl.col(name).str.to_lowercase().is_in(_titles()) for name in COLUMNS)))
    names = [pl.col(name).str.strip_suffix(".").alias(piece) for piece, name in zip(PIECES, COLUMNS, strict=True)]
    flags = {"is_straight": pl.lit(value=False), "has_middle_column": pl.lit(value=True)}
    return _completed(_with_native(with_titles(columns)).with_columns(*names, **flags, native="native_name"))


def _with_native(columns: pl.DataFrame) -> pl.DataFrame:
    """Leave out the names whose Chinese characters are read otherwise than their Latin letters are written."""
    characters = columns.select("code", "country", value="native_name").drop_nulls("value")
    if characters.is_empty():
        return columns
    read = read_characters(characters).select("code", read_family="family", read_given="given")
    read_alike = (pl.col("family_name").str.to_lowercase() == pl.col("read_family")) & (
        pl.col("given_name").str.to_lowercase() == pl.col("read_given")
    )
    return columns.join(read, on="code", how="left", maintain_order="left").filter(
        pl.col("native_name").is_null() | (read_alike.fill_null(value=False) & pl.col("middle_name").is_null())
    )


def _of_both(distinct: pl.DataFrame) -> pl.DataFrame:
    """Return the pieces of full names beside columns that hold the same given name and family name."""
    full = distinct.filter(
        are_null(*_BESIDE, "middle_name"),
        pl.all_horizontal(pl.col(name).is_not_null() for name in ("full_name", "given_name", "family_name")),
        pl.col("full_name").str.len_bytes() <= LONGEST,
    )
    given, middle, family = (pl.col(piece) for piece in PIECES)
    alike = _ordinary(_divided(full, _STRAIGHT)).filter(
        given == pl.col("given_name").str.strip_suffix("."),
        family == pl.col("family_name"),
        pl.col("suffix").is_null(),
        ~any_of(middle.str.to_lowercase().is_in(sorted(MAIDEN_MARKERS)), may_have_two_surnames()),
        # Three words of which the first is a Chinese surname may be a family name and two syllables.
        ~any_of(middle.is_not_null() & given.str.to_lowercase().is_in(sorted(CHINESE_SURNAMES))),
        ~any_of(
            middle.is_not_null()
            & pl.any_horizontal(pl.col(name).str.to_lowercase().str.contains(HAS_TWO_SPELLINGS) for name in ("given", "family"))
        ),
    )
    return _completed(alike.with_columns(is_straight=pl.lit(value=False), has_middle_column=pl.lit(value=False)))


def may_have_two_surnames() -> pl.Expr:
    """Return whether a middle name may be the first of two surnames."""
    return (pl.col("middle").str.len_bytes() > 1) & pl.col("country").is_in(sorted(TWO_SURNAMES))


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
