"""What happened to a customer id, and where it leads now or led at any time."""

from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.matching_tables import CUID_HISTORY
from custview_pipeline.kernel.identifiers import Cuid
from custview_pipeline.kernel.ports import Snapshot


class Standing(StrEnum):
    """What a customer id is at some time."""

    ACTIVE = "active"
    MERGED = "merged"
    RETIRED = "retired"  # its sources hold no record of it any more
    ERASED = "erased"
    UNKNOWN = "unknown"


class Event(NamedTuple):
    """One thing that happened to a customer.

    Attributes:
        event: created, merged_into, split_from, retired, reactivated or erased.
        other_cuid: The customer merged into, split from, or taken out of again.
        run_id: The run that found it.
    """

    happened_at: datetime
    cuid: Cuid
    event: str
    other_cuid: Cuid | None
    run_id: str


class Resolution(NamedTuple):
    """Where a customer id leads.

    Attributes:
        cuid: The id that was asked for.
        leads_to: The customer that it is or was merged into; itself where it was not.
        standing: What ``leads_to`` is; ``MERGED`` does not occur.
        events: What happened on the way: to the id, to the one it was merged into, and so on, by time.
    """

    cuid: Cuid
    leads_to: Cuid
    standing: Standing
    events: tuple[Event, ...]


_STANDING: Final = {
    "created": Standing.ACTIVE,
    "reactivated": Standing.ACTIVE,
    "merged_into": Standing.MERGED,
    "retired": Standing.RETIRED,
    "erased": Standing.ERASED,
}


def resolve(snapshot: Snapshot, cuid: Cuid, as_of: datetime | None = None) -> Resolution:
    """Return where a customer id leads.

    Args:
        snapshot: The lake.
        cuid: The id.
        as_of: The moment that is asked about, UTC; now by default.
    """
    stored = snapshot.read(CUID_HISTORY.name)
    if as_of is not None:
        stored = stored.filter(pl.col("happened_at") <= as_of)
    events, heir, standing = [], cuid, Standing.MERGED
    seen: set[Cuid] = set()
    while standing is Standing.MERGED and heir not in seen:  # a chain ends, unless somebody set back the clock between runs
        seen.add(heir)
        told = _told(stored, heir)
        events += told
        deciding = [event for event in told if event.event in _STANDING]
        standing = _STANDING[deciding[-1].event] if deciding else Standing.UNKNOWN
        if standing is Standing.MERGED and deciding[-1].other_cuid is not None:
            heir = deciding[-1].other_cuid
    return Resolution(cuid, heir, standing, tuple(sorted(events, key=lambda event: event.happened_at)))


def what_became(snapshot: Snapshot, cuid: Cuid) -> str:
    """Return in words what became of a customer without records: merged into which, erased, or never there."""
    found = resolve(snapshot, cuid)
    match found.standing:
        case Standing.UNKNOWN if found.leads_to == cuid:
            return "no customer has this id"
        case Standing.ERASED:
            return f"this customer was erased on {found.events[-1].happened_at:%Y-%m-%d}"
        case Standing.RETIRED:
            return "this customer has no records any more"
        case _:
            return f"this customer was merged into {found.leads_to}"


def _told(stored: pl.DataFrame, cuid: Cuid) -> list[Event]:
    """Return what happened to one customer, by time; what made it a customer comes first of what one run found."""
    order = pl.col("event").replace_strict({"created": 0, "split_from": 1}, default=2)
    rows = stored.filter(pl.col("cuid") == cuid).sort("happened_at", order)
    return [
        Event(at, Cuid(own), event, None if other is None else Cuid(other), run)
        for at, own, event, other, run in rows.select("happened_at", "cuid", "event", "other_cuid", "run_id").iter_rows()
    ]
