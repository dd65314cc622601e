"""The change feed: written beside the golden records, read by consumers from a cursor on."""

from datetime import datetime
from typing import Final

import polars as pl

from custview_pipeline.contracts.attribute_names import NAMES
from custview_pipeline.contracts.golden_tables import CHANGE_FEED
from custview_pipeline.contracts.matching_tables import CUID_HISTORY
from custview_pipeline.kernel.errors import UnknownCursor
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.survivorship.changes import number_changes

_EXPLAINING: Final = ("merged_into", "split_from", "retired")


def last_sequence(snapshot: Snapshot) -> int:
    """Return the last sequence number of the change feed; 0 where nothing was told yet."""
    last = snapshot.read(CHANGE_FEED.name, ["sequence"])["sequence"].max()
    return last if isinstance(last, int) else 0


def explaining_history(snapshot: Snapshot) -> pl.DataFrame:
    """Return cuid, event, other_cuid, happened_at of the merges, splits and ends of customers."""
    names = ["cuid", "event", "other_cuid", "happened_at"]
    return snapshot.read(CUID_HISTORY.name, names, where=pl.col("event").is_in(_EXPLAINING))


def read_changes(snapshot: Snapshot, *, after: int | None, limit: int | None) -> pl.DataFrame:
    """Return rows of change_feed in their order.

    Args:
        snapshot: The lake.
        after: The cursor: the last sequence number that was read; None for all that is kept.
        limit: Most rows to return; all by default.

    Raises:
        UnknownCursor: Changes after the cursor are not kept any more.
    """
    rows = snapshot.read(CHANGE_FEED.name, where=pl.col("sequence") > (after or 0)).sort("sequence")
    first = rows["sequence"].min()
    if isinstance(first, int) and after is not None and first > after + 1:
        raise UnknownCursor(
            f"changes {after + 1} to {first - 1} are not kept any more: read the customers anew, then go on after {first - 1}"
        )
    return rows if limit is None else rows.head(limit)


def erased_changes(snapshot: Snapshot, ended: pl.Series, cleared: pl.DataFrame, *, run_id: str, now: datetime) -> pl.DataFrame:
    """Return the rows of change_feed of an erasure; they name customers, and nothing of what they were.

    Args:
        snapshot: The lake.
        ended: Customers that end with it.
        cleared: cuid, golden_version, changed_attributes of the customers that go on without some of their values.
        run_id: The run that carries it out.
        now: When, UTC.
    """
    erased = (
        ended.alias("cuid")
        .sort()
        .to_frame()
        .with_columns(golden_version=pl.lit(None, pl.Int32), event=pl.lit("erased"), changed_attributes=pl.lit([], NAMES))
    )
    updated = cleared.sort("cuid").with_columns(event=pl.lit("updated"))
    # The version stays the same, so the change is not the one that made it, which consumers have seen.
    named = pl.concat_str("cuid", pl.col("golden_version").cast(pl.String), pl.lit(f"cleared-{run_id}"), separator="-")
    rows = pl.concat(
        [
            erased.with_columns(change_id=pl.concat_str("cuid", "event", separator="-")),
            updated.with_columns(change_id=named).select(*erased.columns, "change_id"),
        ]
    )
    unknown = rows.with_columns(other_cuid=pl.lit(None, pl.String))
    return number_changes(unknown, after=last_sequence(snapshot), run_id=run_id, now=now)
