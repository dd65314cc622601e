"""Customers as they were at a moment: the versions of golden records, crosswalk and source records that held then.

History is in the rows, so nothing is replayed: of each key the newest version counts that held at the moment. What was erased
since is gone from every version.
"""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Final

import polars as pl

from custview_pipeline.contracts.golden_tables import GOLDEN_RECORDS
from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS
from custview_pipeline.contracts.matching_tables import CROSSWALK
from custview_pipeline.flows.current import RECORD_COLUMNS
from custview_pipeline.flows.customer_history import Event, Resolution, Standing, resolve, what_became
from custview_pipeline.kernel.errors import UnknownCustomer
from custview_pipeline.kernel.identifiers import Cuid
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.versions import newest

_BIRTHS: Final = ("created", "split_from")


def held_at(frame: pl.DataFrame, key: Sequence[str], moment: datetime | None) -> pl.DataFrame:
    """Return of each key the row that held at a moment, by key; the newest where none is named.

    Args:
        frame: Rows with ``version`` and ``valid_from_at``.
        key: Names the rows.
        moment: UTC; its own rows count.
    """
    return newest(frame if moment is None else frame.filter(pl.col("valid_from_at") <= moment), key)


def golden_at(snapshot: Snapshot, cuid: Cuid, moment: datetime | None = None) -> pl.DataFrame:
    """Return the golden record of a customer that held at a moment: one row of golden_records.

    Raises:
        UnknownCustomer: There was none; says what was the matter with the id then.
    """
    stored = snapshot.read(GOLDEN_RECORDS.name, where=pl.col("cuid") == cuid)
    golden = held_at(stored, ["cuid"], moment).filter("is_active")
    if golden.is_empty():
        raise UnknownCustomer(what_it_was(snapshot, cuid, moment))
    return golden


def crosswalk_at(snapshot: Snapshot, cuid: Cuid, moment: datetime | None = None) -> pl.DataFrame:
    """Return the rows of crosswalk by which records were of a customer at a moment, by record id."""
    ever = snapshot.read(CROSSWALK.name, ["record_id"], where=pl.col("cuid") == cuid)["record_id"].unique()
    theirs = snapshot.read(CROSSWALK.name, where=pl.col("record_id").is_in(ever.implode()))
    return held_at(theirs, ["record_id"], moment).filter(pl.col("cuid") == cuid)


def records_at(snapshot: Snapshot, record_ids: pl.Series, moment: datetime | None = None) -> pl.DataFrame:
    """Return ``RECORD_COLUMNS``, delivery_id and valid_from_at of some records as they were at a moment, deleted ones too."""
    columns = [*RECORD_COLUMNS, "delivery_id", "valid_from_at"]
    stored = snapshot.read(PROTECTED_RECORDS.name, columns, where=pl.col("record_id").is_in(record_ids.implode()))
    return held_at(stored, ["record_id"], moment)


def erased_count(snapshot: Snapshot, golden: pl.DataFrame) -> int:
    """Return how many of the records that a golden record was made of were erased since.

    The row still tells of how many it was made; an erasure takes what named them out of the crosswalk.

    Args:
        snapshot: The lake.
        golden: One row of golden_records.
    """
    left = crosswalk_at(snapshot, Cuid(golden["cuid"][0]), golden["valid_from_at"][0])
    return max(0, int(golden["record_count"][0]) - left.height)


def what_it_was(snapshot: Snapshot, cuid: Cuid, moment: datetime | None = None) -> str:
    """Return in words why there is no golden record of a customer at a moment; now where none is named."""
    now = resolve(snapshot, cuid)
    if moment is None:
        return what_became(snapshot, cuid)
    if now.standing is Standing.ERASED:
        return f"{_erased(now)}; what it was before is gone"
    then, day = resolve(snapshot, cuid, moment), say_moment(moment)
    if then.leads_to != cuid:
        return f"this customer was merged into {then.leads_to} by {day}"
    match then.standing:
        case Standing.UNKNOWN:
            return _unborn(now, day)
        case Standing.RETIRED:
            return f"this customer had no records on {day}"
        case _:
            return f"no golden record of this customer was made yet on {day}"


def say_moment(moment: datetime) -> str:
    """Return a moment in words; of the end of a day the day."""
    return f"{moment:%Y-%m-%d}" if moment.time() == time.max else f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def birth_of(found: Resolution) -> tuple[Event, ...]:
    """Return what made an id a customer's: that it was created, and out of which customer it was split."""
    return tuple(event for event in found.events if event.cuid == found.cuid and event.event in _BIRTHS)


def _unborn(now: Resolution, day: str) -> str:
    births = birth_of(now)
    if not births:
        return "no customer has this id"
    origin = next((event.other_cuid for event in births if event.event == "split_from"), None)
    out_of = f", split from {origin}" if origin else ""
    return f"no customer had this id on {day}: it came to be on {births[0].happened_at:%Y-%m-%d %H:%M:%S} UTC{out_of}"


def _erased(found: Resolution) -> str:
    day = f"was erased on {found.events[-1].happened_at:%Y-%m-%d}"
    return (
        f"this customer {day}" if found.leads_to == found.cuid else f"this customer was merged into {found.leads_to}, which {day}"
    )
