"""The records of values that stewards entered: whom they may be tied to, and what is left of them when they are taken back."""

from datetime import datetime
from typing import Final

import polars as pl

from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS
from custview_pipeline.contracts.matching_tables import CROSSWALK
from custview_pipeline.contracts.steward_source import STEWARD_SYSTEM
from custview_pipeline.contracts.stewardship_tables import OVERRIDE
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.versions import newest

_OF_ANCHOR: Final = ["record_id", "version", "source_system", "is_deleted", "valid_from_at"]
_OPEN: Final = [name for name in PROTECTED_RECORDS.types if name != "payload_sealed"]


def in_order_of_anchor(snapshot: Snapshot, standing: pl.DataFrame) -> pl.DataFrame:
    """Return decisions as they stand; of the values entered with the records that may be their anchor, the best one first.

    These are the records of the customer that are still held, the delivered ones first. Who has not changed since then goes
    before others, and of those the one whose change is older: who leaves a customer does so with a change, and the value is to
    stay. Next goes who was under the CUID of the customer from the first: who joined it later may leave it again.

    Args:
        snapshot: The lake.
        standing: Rows of review_decisions that were not withdrawn.
    """
    is_entered = pl.col("decision") == OVERRIDE
    members = standing.filter(is_entered).select("decision_id", "decided_at", record_id="member_ids")
    members = members.explode("record_id").drop_nulls()
    if members.is_empty():
        return standing
    wanted = pl.col("record_id").is_in(members["record_id"].unique().implode())
    stored = snapshot.read(PROTECTED_RECORDS.name, _OF_ANCHOR, where=wanted)
    held = newest(stored, ["record_id"]).filter(~pl.col("is_deleted"))
    able = _with_joined(snapshot, members.join(held, on="record_id", how="inner"))
    is_steward = pl.col("source_system") == STEWARD_SYSTEM
    ordered = able.sort(is_steward, pl.max_horizontal("valid_from_at", "decided_at"), "has_joined", "record_id")
    found = ordered.group_by("decision_id", maintain_order=True).agg(able="record_id")
    told = standing.join(found, on="decision_id", how="left", maintain_order="left")
    return told.with_columns(member_ids=pl.when(is_entered).then("able").otherwise("member_ids")).drop("able")


def _with_joined(snapshot: Snapshot, members: pl.DataFrame) -> pl.DataFrame:
    """Add ``has_joined``: whether a record was of another customer before it was of the one that the value was entered for."""
    wanted = pl.col("record_id").is_in(members["record_id"].unique().implode())
    moves = snapshot.read(CROSSWALK.name, ["record_id", "version", "cuid", "valid_from_at"], where=wanted)
    known = members.select("decision_id", "decided_at", "record_id").join(moves, on="record_id", how="inner")
    before = known.filter(pl.col("valid_from_at") <= pl.col("decided_at")).sort("version").drop_nulls("cuid")
    told = before.group_by("decision_id", "record_id").agg(has_joined=pl.col("cuid").first() != pl.col("cuid").last())
    return members.join(told, on=["decision_id", "record_id"], how="left").with_columns(
        pl.col("has_joined").fill_null(value=False)
    )


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
