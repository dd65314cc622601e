"""The records of values that stewards entered: what is left of them when their decision is taken back."""

from datetime import datetime
from typing import Final

import polars as pl

from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.versions import newest

_OPEN: Final = [name for name in PROTECTED_RECORDS.types if name != "payload_sealed"]


def tombstones_of(snapshot: Snapshot, record_ids: pl.Series, now: datetime) -> pl.DataFrame:
    """Return the rows of protected_records by which some records are gone; none of those that are gone already.

    Args:
        snapshot: The lake.
        record_ids: The records, Int64.
        now: From when on they are gone, UTC.
    """
    if record_ids.is_empty():
        return PROTECTED_RECORDS.empty()
    stored = snapshot.read(PROTECTED_RECORDS.name, _OPEN, where=pl.col("record_id").is_in(record_ids.implode()))
    return (
        newest(stored, ["record_id"])
        .filter(~pl.col("is_deleted"))
        .with_columns(
            version=pl.col("version") + 1,
            payload_sealed=pl.lit(None, pl.Binary),
            is_deleted=pl.lit(value=True),
            valid_from_at=pl.lit(now, PROTECTED_RECORDS.types["valid_from_at"]),
        )
        .select(PROTECTED_RECORDS.types.names())
    )
