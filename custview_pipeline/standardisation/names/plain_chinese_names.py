"""Persons' names of two to four Chinese characters, many at once: the answers of ``read_person_name``, by whole columns."""

from collections.abc import Callable
from functools import cache
from typing import Final

import polars as pl

from custview_pipeline.standardisation.names.chinese_names import COMPOUND_SURNAMES, given_reading, surname_reading
from custview_pipeline.standardisation.names.comparable_names import OTHER_HAN_READINGS
from custview_pipeline.standardisation.names.name_cells import HONORIFICS
from custview_pipeline.standardisation.names.names import PERSON
from custview_pipeline.standardisation.reading import read_each_once

_CHARACTER: Final = "[\u4e00-\u9fff]"
_WHOLE: Final = f"^{_CHARACTER}{{2,4}}$"
_SURNAME: Final = f"^{_CHARACTER}{{1,2}}$"
_GIVEN: Final = f"^{_CHARACTER}{{1,3}}$"
_ENDS_WITH_HONORIFIC: Final = f"(?:{'|'.join(HONORIFICS)})$"
_NO_PIECES: Final = ("middle_name", "former_name", "name_prefix", "name_suffix")


def read_plain_chinese_names(distinct: pl.DataFrame) -> pl.DataFrame:
    """Return the readings (``code``, ``position``, ``PERSON``) of the names that are a few Chinese characters and nothing else.

    Args:
        distinct: ``code``, the name columns of a record and ``country``.
    """
    alone = distinct.filter(pl.all_horizontal(pl.col(name).is_null() for name in _NO_PIECES))
    return _readings(pl.concat([read_characters(_of_one_cell(alone)), _read(_of_two_cells(alone))]))


def read_characters(names: pl.DataFrame) -> pl.DataFrame:
    """Return the pinyin of names of two to four Chinese characters.

    Args:
        names: ``code``, ``value`` and ``country``.

    Returns:
        ``code``, ``value`` and, in Latin letters, ``family`` and ``given``; names in other characters, and those that are read
        otherwise in their country, are left out.
    """
    name, head = pl.col("value"), pl.col("value").str.slice(0, 2)
    longer = "^(?:" + "|".join(sorted(surname for surname in COMPOUND_SURNAMES if len(surname) > len("欧阳"))) + ")"
    cells = names.filter(name.str.contains(_WHOLE), _is_read_in_chinese()).filter(
        ~name.str.contains(longer), ~name.str.contains(_ENDS_WITH_HONORIFIC)
    )
    length = pl.when(head.is_in(_compound())).then(2).otherwise(1)
    return _read(cells.select("code", "value", family=name.str.slice(0, length), given=name.str.slice(length)))


def _is_read_in_chinese() -> pl.Expr:
    return ~pl.col("country").is_in(sorted(OTHER_HAN_READINGS)).fill_null(value=False)


def _of_one_cell(alone: pl.DataFrame) -> pl.DataFrame:
    """Return the names that stand in the column of full or of native names; of these, columns may repeat the characters."""
    is_repeated = pl.all_horizontal(
        pl.col(name).str.contains(f"^{_CHARACTER}+$").fill_null(value=True) for name in ("given_name", "family_name")
    )
    has_columns = pl.col("given_name").is_not_null() | pl.col("family_name").is_not_null()
    return alone.filter(
        ~has_columns | (is_repeated & pl.col("full_name").is_null() & pl.col("native_name").is_not_null()),
        pl.col("full_name").is_null() | pl.col("native_name").is_null(),
    ).select("code", "country", value=pl.coalesce("full_name", "native_name"))


def _of_two_cells(alone: pl.DataFrame) -> pl.DataFrame:
    """Return surname and given name of the names that stand in columns of their own."""
    family, given = pl.col("family_name"), pl.col("given_name")
    cells = alone.filter(
        pl.col("full_name").is_null(),
        pl.col("native_name").is_null(),
        family.str.contains(_SURNAME),
        given.str.contains(_GIVEN),
        ~given.str.contains(_ENDS_WITH_HONORIFIC),
        _is_read_in_chinese(),
    )
    return cells.select("code", value=family + " " + given, family=family, given=given)


@cache
def _compound() -> pl.Series:
    return pl.Series(sorted(surname for surname in COMPOUND_SURNAMES if len(surname) == len("欧阳")), dtype=pl.String).implode()


def _read(names: pl.DataFrame) -> pl.DataFrame:
    """Put the pinyin in the place of the characters of ``family`` and ``given``."""
    return names.with_columns(family=read_column("family", surname_reading), given=read_column("given", given_reading))


def _readings(names: pl.DataFrame) -> pl.DataFrame:
    family, given = pl.col("family"), pl.col("given")
    native = pl.col("value").str.replace_all(" ", "", literal=True)
    is_one = given.is_null() | (given == family)
    return (
        names.filter(family.is_not_null())
        .select(
            "code",
            "value",
            given="given",
            family="family",
            position=pl.lit(0),
            comparable=native,
            parts=pl.concat_str(pl.lit('{"native": "'), "value", pl.lit('"}')),
            part_count=pl.lit(1),
            native_name=native,
            name_words=pl.when(is_one)
            .then(family)
            .otherwise(pl.concat_str(pl.min_horizontal(family, given), pl.max_horizontal(family, given), separator=" ")),
            **dict.fromkeys(("rule", "middle", "name_suffix"), pl.lit(None, pl.String)),
        )
        .select("code", "position", *PERSON)
    )


def read_column(name: str, reading: Callable[[str], str | None]) -> pl.Expr:
    """Return what the texts of a column come to, each different one read once; null where there is nothing."""
    return pl.col(name).map_batches(lambda texts: read_each_once(texts, reading).replace("", None), return_dtype=pl.String)
