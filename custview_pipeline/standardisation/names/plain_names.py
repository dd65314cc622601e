"""Persons' names that are plain enough to be read many at once."""

import polars as pl

from custview_pipeline.standardisation.names.plain_chinese_names import read_plain_chinese_names
from custview_pipeline.standardisation.names.plain_latin_names import read_plain_latin_names


def read_plain_names(distinct: pl.DataFrame) -> pl.DataFrame:
    """Return ``code``, ``position`` and ``names.PERSON`` of the names of a few ordinary words or Chinese characters.

    Args:
        distinct: ``code``, the columns of ``NameCells`` by attribute, and ``country``, a row a name.
    """
    return pl.concat([read_plain_latin_names(distinct), read_plain_chinese_names(distinct)], how="vertical_relaxed")
