"""The match index: keyed tokens of each record, kept in encrypted segments beside the tables."""

from enum import StrEnum
from typing import Final

import polars as pl

from custview_pipeline.contracts.match_features import FEATURES


def _token_type(name: str) -> pl.DataType:
    feature = FEATURES[name]
    if feature.token_field is None:
        return pl.Boolean()
    return pl.List(pl.Int64) if feature.is_list else pl.Int64()


class IndexPart(StrEnum):
    """What a segment of the index holds."""

    TOKENS = "tokens"  # the features of a record, as tokens
    NEIGHBOURHOODS = "neighbourhoods"  # keys by which values one edit apart are found
    CLAIMS = "claims"  # what a record says about each attribute: token, validity, length


TOKENS: Final = pl.Schema(
    {"record_id": pl.Int64(), "version": pl.Int32(), "generation": pl.String(), **{name: _token_type(name) for name in FEATURES}}
)

NEIGHBOURHOODS: Final = pl.Schema({"token": pl.Int64, "key": pl.Int32, "part": pl.UInt8})

CLAIMS: Final = pl.Schema(
    {
        "record_id": pl.Int64,
        "version": pl.Int32,
        "attribute": pl.String,  # a golden attribute
        "slot": pl.Int16,
        "token": pl.Int64,  # of the comparable value: equal tokens are votes for one value
        "is_valid": pl.Boolean,
        "length": pl.Int32,  # characters of the value
        "part_count": pl.Int16,  # filled parts of a group
        "open_value": pl.String,  # the value itself, of open attributes only
    }
)

INDEX_SCHEMAS: Final = {
    IndexPart.TOKENS: TOKENS,
    IndexPart.NEIGHBOURHOODS: NEIGHBOURHOODS,
    IndexPart.CLAIMS: CLAIMS,
}
