"""What waits for a steward: review tasks, contested values and held deliveries, less what was decided since they were found."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Final

import polars as pl

from custview_pipeline.contracts.golden_tables import CUSTOMER_CORE
from custview_pipeline.contracts.matching_tables import CROSSWALK, MATCH_RUNS
from custview_pipeline.contracts.stewardship_tables import REVIEW_ASSIGNMENTS, UNSURE
from custview_pipeline.flows.current import newest_tasks
from custview_pipeline.flows.decisions import current_decisions, decided_pairs, locked_records, pinned_values
from custview_pipeline.flows.holding import Standing, current_held
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.kernel.versions import newest
from custview_pipeline.stewardship.queue import (
    QUEUE_COLUMNS,
    WAITING,
    ItemStatus,
    customer_items,
    delivery_items,
    pair_items,
    parse_item_id,
    rank_items,
    value_items,
)

_PAIR: Final = ["left_id", "right_id"]
_CORE: Final = (
    "cuid", "version", "is_active", "record_count", "known_attributes", "contested_attributes", "valid_from_at",
)  # fmt: skip
_IS_DONE, _IS_OPEN = pl.lit(ItemStatus.DONE.value), pl.lit(ItemStatus.OPEN.value)


def review_queue(snapshot: Snapshot, *, is_all: bool = False) -> pl.DataFrame:
    """Return what asks for a person, the largest effect first.

    A pair is done where a standing decision answers it, also before a run has linked by that. One that somebody was unsure about
    waits no longer, until a run finds other evidence.

    Args:
        snapshot: The lake.
        is_all: Whether to return what is done or unsure too, as far as the lake still tells of it.

    Returns:
        ``stewardship.queue.ITEMS``.
    """
    with silenced("reading the review queue"):
        tasks = _tasks(snapshot)
        core = newest(snapshot.read(CUSTOMER_CORE.name, list(_CORE)), ["cuid"]).filter("is_active")
        customers = core.select(
            "cuid", pl.col("record_count").cast(pl.Int64), value_count=pl.col("known_attributes").list.len().cast(pl.Int64)
        )
        items = (
            pair_items(tasks, customers),
            customer_items(tasks, customers),
            value_items(_contested(snapshot, core)),
            delivery_items(_held(snapshot)),
        )
        queue = rank_items(pl.concat(items), snapshot.read(REVIEW_ASSIGNMENTS.name))
        return queue if is_all else queue.filter(pl.col("status").is_in(WAITING))


def find_items(snapshot: Snapshot, written: Collection[str]) -> pl.DataFrame:
    """Return the items that somebody names, done or not, in the order they are named.

    Args:
        snapshot: The lake.
        written: Their ids as people type them.

    Returns:
        ``QUEUE_COLUMNS``, a row for each, each once.

    Raises:
        ProjectInvalid: One is no item id, or the queue has no such item. What was written is not repeated.
    """
    parsed = [parse_item_id(each) for each in written]
    wanted = list(dict.fromkeys(each for each in parsed if each is not None))
    if None in parsed:
        place = f" {parsed.index(None) + 1}" if len(parsed) > 1 else ""
        raise ProjectInvalid(
            f"item{place} is not understood: ids are M, C, V or D and ten characters, as custview review list shows"
        )
    order = pl.DataFrame({"item_id": wanted}, schema={"item_id": pl.String})
    found = order.join(review_queue(snapshot, is_all=True), on="item_id", how="inner", maintain_order="left")
    if missing := [each for each in wanted if each not in found["item_id"]]:
        raise ProjectInvalid(f"the queue has no item {missing[0]}: what it asked was settled, or a run found other evidence")
    return found.select(QUEUE_COLUMNS)


def assignment_rows(items: pl.DataFrame, *, to: str | None, due_on: date | None, by: str, now: datetime) -> pl.DataFrame:
    """Return rows of review_assignments that give items to somebody, or back to the queue.

    Args:
        items: ``QUEUE_COLUMNS`` of the items.
        to: Who is to decide; None gives them back.
        due_on: Until when.
        by: Who says so.
        now: The moment, UTC.

    Raises:
        ProjectInvalid: One of the items is done.
    """
    if done := items.filter(pl.col("status") == ItemStatus.DONE.value)["item_id"].to_list():
        raise ProjectInvalid(f"item {done[0]} is done: there is nothing left to decide")
    status = ItemStatus.OPEN if to is None else ItemStatus.ASSIGNED
    said = {"assigned_to": to, "due_on": due_on, "status": status.value, "assigned_by": by, "assigned_at": now}
    return pl.DataFrame([{"item_id": item} | said for item in items["item_id"]], schema=REVIEW_ASSIGNMENTS.types)


def _tasks(snapshot: Snapshot) -> pl.DataFrame:
    """Return the newest row of each review task with found_at and ``status``, as ``pair_items`` takes them."""
    runs = snapshot.read(MATCH_RUNS.name, ["run_id", "happened_at"]).rename({"happened_at": "found_at"})
    tasks = newest_tasks(snapshot).join(runs, on="run_id", how="left", maintain_order="left")
    sure = decided_pairs(snapshot).select(*_PAIR, is_decided=pl.lit(value=True))
    unsure = current_decisions(snapshot).filter(pl.col("decision") == UNSURE).select(*_PAIR, unsure_at="decided_at")
    locks = locked_records(snapshot).unique("record_id")
    for side in _PAIR:
        tasks = tasks.join(locks.rename({"record_id": side, "lock": f"{side}_lock"}), on=side, how="left", maintain_order="left")
    said = tasks.join(sure, on=_PAIR, how="left", maintain_order="left").join(unsure, on=_PAIR, how="left", maintain_order="left")
    is_locked = pl.col("left_id_lock").ne_missing(pl.col("right_id_lock"))
    is_done = ~pl.col("is_open") | pl.col("is_decided").is_not_null() | is_locked
    is_unsure = (pl.col("unsure_at") >= pl.col("found_at")).fill_null(pl.col("unsure_at").is_not_null())
    status = pl.when(is_done).then(_IS_DONE).when(is_unsure).then(pl.lit(ItemStatus.UNSURE.value)).otherwise(_IS_OPEN)
    return said.select(*_PAIR, "kind", "left_cuid", "right_cuid", "weight", "found_at", status=status)


def _contested(snapshot: Snapshot, core: pl.DataFrame) -> pl.DataFrame:
    """Return the contested values as ``value_items`` takes them."""
    contested = core.select(
        "cuid", pl.col("record_count").cast(pl.Int64), found_at="valid_from_at", attribute="contested_attributes"
    )
    asked = contested.explode("attribute").drop_nulls("attribute")
    decided = _decided_values(snapshot).with_columns(is_decided=pl.lit(value=True))
    status = pl.when("is_decided").then(_IS_DONE).otherwise(_IS_OPEN)
    return asked.join(decided, on=["cuid", "attribute"], how="left", maintain_order="left").with_columns(status=status)


def _decided_values(snapshot: Snapshot) -> pl.DataFrame:
    """Return cuid, attribute of the values that somebody pinned or entered."""
    pinned = pinned_values(snapshot).select("record_id", "attribute")
    if pinned.is_empty():
        return pl.DataFrame(schema={"cuid": pl.String, "attribute": pl.String})
    is_theirs = pl.col("record_id").is_in(pinned["record_id"].implode())
    owners = newest(snapshot.read(CROSSWALK.name, ["record_id", "version", "cuid"], where=is_theirs), ["record_id"])
    return pinned.join(owners.drop_nulls("cuid"), on="record_id", how="inner").select("cuid", "attribute").unique()


def _held(snapshot: Snapshot) -> pl.DataFrame:
    """Return the deliveries that were held as ``delivery_items`` takes them."""
    is_waiting = pl.col("status") == Standing.HELD.value
    return current_held(snapshot).select(
        "held_id",
        "source_system",
        record_count="deleted_count",
        found_at="held_at",
        status=pl.when(is_waiting).then(_IS_OPEN).otherwise(_IS_DONE),
    )
