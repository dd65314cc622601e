"""A batch of records in the airlock, after standardisation: readable, so it lives in memory only."""

from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.base import UTC_TIME
from custview_pipeline.contracts.match_features import FEATURES

RECORDS: Final = pl.Schema(
    {
        "row": pl.UInt32(),  # position in the batch
        "entity_type": pl.String(),  # EntityType
        "country": pl.String(),  # ISO 3166 alpha-2: the record's, else the project's region
        "updated_at": UTC_TIME,
        "created_at": UTC_TIME,
    }
)

VALUES: Final = pl.Schema(
    {
        "row": pl.UInt32,
        "attribute": pl.String,  # a golden attribute
        "slot": pl.UInt8,  # 0, 1, ... tells two phones of a record apart
        "value": pl.String,  # as shown to a person who may see it
        "parts": pl.String,  # JSON object of the parts of a group; null elsewhere
        "comparable": pl.String,  # equal where two values mean the same; votes are counted over its token
        "is_valid": pl.Boolean,  # keeps its field standard
        "part_count": pl.UInt8,  # parts that are filled; 1 where there are none
    }
)

ISSUES: Final = pl.Schema(
    {
        "row": pl.UInt32,
        "attribute": pl.String,  # an attribute of the dictionary
        "rule": pl.String,  # snake_case, e.g. "not_a_phone_number"
        "dimension": pl.String,  # accuracy, completeness, conformity, consistency, coverage, timeliness, uniqueness
        "severity": pl.String,  # "warning": the value is marked invalid | "error": the row is refused
    }
)


def _feature_type(name: str) -> pl.DataType:
    feature = FEATURES[name]
    if feature.token_field is None:
        return pl.Boolean()
    return pl.List(pl.String) if feature.is_list else pl.String()


FEATURE_TEXTS: Final = pl.Schema({"row": pl.UInt32(), **{name: _feature_type(name) for name in FEATURES}})


class StandardisedBatch(NamedTuple):
    """One batch after standardisation; all four frames have exactly the columns of their schema.

    Attributes:
        records: One row a record, in the order of ``row`` (schema ``RECORDS``).
        values: One row a value (``VALUES``), in the order of row, attribute, slot.
        features: One row a record (``FEATURE_TEXTS``), in the order of ``row``; lists are never null, duplicates removed, sorted,
            but for parts of further addresses: see ``Feature``.
        issues: One row a broken field standard (``ISSUES``).
    """

    records: pl.DataFrame
    values: pl.DataFrame
    features: pl.DataFrame
    issues: pl.DataFrame
