"""What was handed to stewards in a steward pack: which pairs, and what was known of each when it was shown."""

from typing import Final

import pandera.polars as pa
import polars as pl

from custview_pipeline.contracts.base import UTC_TIME, TableContract, open_column, table

PACK_ID_PATTERN: Final = r"^P[0-9A-HJKMNP-TV-Z]{10}$"  # ten characters of Crockford's base32

STEWARD_PACKS: Final[TableContract] = table(
    "steward_packs",
    "A pair of records that a steward pack shows; its answer comes back bound to the pack, while the evidence is the same.",
    key=("pack_id", "item_id"),
    rooms=("stewardship", "stewardship"),
    pack_id=open_column(pl.String, "Id of the pack", pa.Check.str_matches(PACK_ID_PATTERN)),
    item_id=open_column(pl.String, "Id of the item in the review queue"),
    left_id=open_column(pl.Int64, "The smaller record id"),
    right_id=open_column(pl.Int64, "The larger record id"),
    evidence=open_column(pl.String, "Keyed digest of what was known of the pair: versions of its records, levels, what decided"),
    exported_by=open_column(pl.String, "Who made the pack"),
    exported_at=open_column(UTC_TIME, "When"),
)
