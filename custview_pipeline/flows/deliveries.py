"""Deliveries as people see them: those that wait for a decision, the decision, and what became of the last ones."""

from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.intake_tables import DELIVERIES, HELD_DELIVERIES
from custview_pipeline.flows.holding import CLOSED, Standing, current_held, restated
from custview_pipeline.kernel.errors import UnknownDelivery
from custview_pipeline.kernel.ports import LakeWriter, Snapshot

_SHOWN: Final = (
    "delivery_id", "source_system", "origin", "delivered_at", "row_count", "new_count", "changed_count", "unchanged_count",
    "deleted_count", "late_count", "superseded_count", "warned_count", "refused_count", "suppressed_count",
)  # fmt: skip


class Decision(NamedTuple):
    """What a person decides of a delivery that waits.

    Attributes:
        is_approved: Whether it is believed.
        decided_by: Who decides.
        reason: Why.
    """

    is_approved: bool
    decided_by: str
    reason: str


class Listed(NamedTuple):
    """What there is to see.

    Attributes:
        held: Rows of ``HELD_DELIVERIES`` as they hold now, of files neither taken in nor superseded; the last one first.
        deliveries: delivery_id, source_system, origin, delivered_at and all counts of the last deliveries, the last one first.
    """

    held: pl.DataFrame
    deliveries: pl.DataFrame


def list_deliveries(snapshot: Snapshot, source_system: str | None, *, limit: int) -> Listed:
    """Return the deliveries that are held or were decided on, and the last that were taken in.

    Args:
        snapshot: The lake.
        source_system: Of this source only; None for all.
        limit: Most deliveries to return; those that are held are all returned.
    """
    is_wanted = pl.lit(value=True) if source_system is None else pl.col("source_system") == source_system
    held = current_held(snapshot).filter(is_wanted, ~pl.col("status").is_in(CLOSED))
    stored = snapshot.read(DELIVERIES.name, list(_SHOWN)).filter(is_wanted)
    return Listed(held, stored.sort("delivered_at", "delivery_id", descending=[True, False]).head(limit))


def decide(lake: LakeWriter, held_id: str, decision: Decision, *, run_id: str) -> pl.DataFrame:
    """Approve or reject a delivery that waits; decided before, it may be decided anew until it is taken in or other files come.

    Args:
        lake: The lake, held for writing.
        held_id: Its id, as the list shows it; case and white space around do not matter.
        decision: What is decided.
        run_id: Names the commit.

    Returns:
        The row of ``HELD_DELIVERIES`` as it holds now.

    Raises:
        UnknownDelivery: None that could be decided has this id.
    """
    snapshot = lake.snapshot()
    named = current_held(snapshot).filter(pl.col("held_id") == held_id.strip().lower())
    if named.is_empty():
        raise UnknownDelivery("no delivery with this id was held: custview deliveries list names them")
    if named["status"][0] == Standing.SUPERSEDED:
        raise UnknownDelivery("other files were delivered since this delivery was held: there is nothing left to decide")
    if named["status"][0] == Standing.TAKEN_IN or _is_taken_in(snapshot, named):
        raise UnknownDelivery("this delivery was taken in since it was held: there is nothing left to decide")
    status = Standing.APPROVED if decision.is_approved else Standing.REJECTED
    decided = restated(named, status, run_id=run_id, decided_by=decision.decided_by, reason=decision.reason)
    with lake.commit(run_id) as commit:
        commit.append(HELD_DELIVERIES.name, decided)
    return decided


def _is_taken_in(snapshot: Snapshot, held: pl.DataFrame) -> bool:
    """Return whether the files were stored since; runs of earlier versions of this package did not note that in the row."""
    taken = snapshot.read(DELIVERIES.name, ["source_system", "fingerprint", "delivered_at"])
    since = taken.join(held, on=["source_system", "fingerprint"], how="inner")
    return bool((since["delivered_at"] >= since["held_at"]).any())
