"""Persons' names that are plain enough to be read many at once."""

import polars as pl

from custview_pipeline.standardisation.names.plain_chinese_names import read_plain_chinese_names
from custview_pipeline.standardisation.names.plain_column_names import read_plain_column_names
from custview_pipeline.standardisation.names.plain_latin_names import read_plain_latin_names


def read_plain_names(distinct: pl.DataFrame) -> pl.DataFrame:
    """Return ``code``, ``position`` and ``names.PERSON`` of the names of a few ordinary words or Chinese characters.

    Args:
        distinct: ``code``, the columns of ``NameCells`` by attribute, and ``country``, a row a name.
    """
    words, characters = read_plain_latin_names(distinct), read_plain_chinese_names(distinct)
    left = distinct.join(words.select("code"), on="code", how="anti", maintain_order="left")
    return pl.concat([words, read_plain_column_names(left), characters], how="vertical_relaxed")
