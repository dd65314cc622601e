"""The match index: keyed tokens of each record, kept by generation in encrypted segments beside the tables."""

from enum import StrEnum
from typing import Final, NamedTuple, Self

import polars as pl

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.match_features import FEATURES
from custview_pipeline.kernel.errors import LakeDamaged

_KEY: Final = ";key="


def _token_type(name: str) -> pl.DataType:
    feature = FEATURES[name]
    if feature.token_field is None:
        return pl.Boolean()
    return pl.List(pl.Int64) if feature.is_list else pl.Int64()


class Generation(NamedTuple):
    """What the tokens of one generation of the index have in common; tokens of two generations never meet.

    Attributes:
        rules: Versions of the rule sets that made the values comparable.
        token_version: Version of the token key.
    """

    rules: str
    token_version: int

    @property
    def name(self) -> str:
        """Return what the lake calls it."""
        return f"{self.rules}{_KEY}{self.token_version}"

    @classmethod
    def named(cls, name: str) -> Self:
        """Return the generation that the lake calls so.

        Raises:
            LakeDamaged: It is no name of a generation.
        """
        rules, _, version = name.rpartition(_KEY)
        if not version.isdecimal():
            raise LakeDamaged("a generation of the match index has a name that this package does not give")
        return cls(rules, int(version))


class IndexPart(StrEnum):
    """What a segment of the index holds."""

    TOKENS = "tokens"  # the features of a record, as tokens
    NEIGHBOURHOODS = "neighbourhoods"  # keys by which values one edit apart are found
    PERSON_PHONES = "person_phones"  # the same of phone numbers: many, and not read where these lie densely
    ENTERPRISE_PHONES = "enterprise_phones"
    CLAIMS = "claims"  # what a record says about each attribute: token, validity, length
    FREQUENCIES = "frequencies"  # how common values are, as the match model in use counted them


TOKENS: Final = pl.Schema({"record_id": pl.Int64(), "version": pl.Int32(), **{name: _token_type(name) for name in FEATURES}})

NEIGHBOURHOODS: Final = pl.Schema({"token": pl.Int64, "key": pl.Int32, "part": pl.UInt8})

PHONE_PARTS: Final = {EntityType.PERSON: IndexPart.PERSON_PHONES, EntityType.ENTERPRISE: IndexPart.ENTERPRISE_PHONES}
OF_PHONES: Final = ("phone_tails",)  # features whose keys are in these parts
VALUE_PARTS: Final = (IndexPart.NEIGHBOURHOODS, *PHONE_PARTS.values())
"""Parts with neighbourhood keys."""

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

FREQUENCIES: Final = pl.Schema(
    {
        "entity_type": pl.String,
        "feature": pl.String,
        "token": pl.Int64,
        "share": pl.Float64,  # of the records that hold it; 0 for a block too large to pair
    }
)

INDEX_SCHEMAS: Final = {
    IndexPart.TOKENS: TOKENS,
    IndexPart.NEIGHBOURHOODS: NEIGHBOURHOODS,
    IndexPart.PERSON_PHONES: NEIGHBOURHOODS,
    IndexPart.ENTERPRISE_PHONES: NEIGHBOURHOODS,
    IndexPart.CLAIMS: CLAIMS,
    IndexPart.FREQUENCIES: FREQUENCIES,
}
