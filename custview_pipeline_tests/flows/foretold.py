"""Records of many duplicates, and what a run really did to their lake, told by other means than those of the package."""

from datetime import timedelta
from typing import Any, NamedTuple

import polars as pl

from custview_pipeline.contracts.golden_tables import GOLDEN_RECORDS
from custview_pipeline.contracts.matching_tables import CROSSWALK, CUID_HISTORY
from custview_pipeline.flows.current import current_tasks
from custview_pipeline.flows.link_rows import last_run
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.versions import newest
from custview_pipeline_tests.factories import NOW
from custview_pipeline_tests.flows.sealed_lake import Record
from custview_pipeline_tests.matching.people import population

COUNTED = ("record_count", "customer_count", "largest_customer", "match_count", "possible_match_count", "review_count")
ATTRIBUTES = ("name", "email", "country", "phone")


def _values(number: int, facts: dict[str, Any]) -> dict[str, str]:
    """Return what a record says: people of one customer spell their name alike or not, and live here or there."""
    phone = {"phone": f"+1{facts['phones'][0]}"} if facts["phones"] else {}
    email = {"email": facts["email"]} if facts["email"] else {"email": f"other{number}@example.net"}
    return {"name": f"{facts['given']} {facts['family']}", "country": "US" if number % 3 else "GB", **phone, **email}


def _record(number: int, facts: dict[str, Any]) -> Record:
    cells = {"updated_at": NOW - timedelta(days=(number * 37) % 400)}
    invalid = ["email"] if number % 7 == 0 else []
    return Record(number, facts, _values(number, facts), "web" if number % 2 else "crm", invalid=invalid, cells=cells)


def _people() -> list[dict[str, Any]]:
    """Return two records of each of some people, and of every third a third one of which less is known."""
    crowd = population(3)
    thin = [{**facts, "email": None, "phones": [], "birth_date": None} for facts in crowd[::6]]
    return [*crowd, *thin]


RECORDS = tuple(_record(number, facts) for number, facts in enumerate(_people(), 1))
SAID = {(record.record_id, attribute): value for record in RECORDS for attribute, value in record.values.items()}


class Happened(NamedTuple):
    """What a run did."""

    counts: dict[str, int]
    events: set[tuple[str, str, str | None]]
    moves: set[tuple[int, str | None, str | None]]
    opened: set[tuple[int, int]]
    closed: set[tuple[int, int]]
    values: set[tuple[str, str, str]]
    version_count: int


def happened(before: Snapshot, after: Snapshot, run_id: str) -> Happened:
    """Return what a run did between two states of a lake."""
    events = after.read(CUID_HISTORY.name).filter(pl.col("run_id") == run_id)
    owners = [_owners(state) for state in (before, after)]
    tasks = [set(current_tasks(state).select("left_id", "right_id").iter_rows()) for state in (before, after)]
    run = last_run(after) or {}
    return Happened(
        counts={name: run[name] for name in COUNTED},
        events=set(events.select("cuid", "event", "other_cuid").iter_rows()),
        moves={
            (record, owners[0].get(record), owners[1].get(record))
            for record in owners[0].keys() | owners[1].keys()
            if owners[0].get(record) != owners[1].get(record)
        },
        opened=tasks[1] - tasks[0],
        closed=tasks[0] - tasks[1],
        values=set(_value_changes(_golden(before), _golden(after))),
        version_count=after.read(GOLDEN_RECORDS.name).filter(pl.col("run_id") == run_id).height,
    )


def _owners(state: Snapshot) -> dict[int, str]:
    held = newest(state.read(CROSSWALK.name), ["record_id"]).drop_nulls("cuid")
    return dict(held.select("record_id", "cuid").iter_rows())


def _golden(state: Snapshot) -> dict[str, dict[str, Any]]:
    active = newest(state.read(GOLDEN_RECORDS.name), ["cuid"]).filter("is_active")
    return {row["cuid"]: {name: row[name] for name in ATTRIBUTES} for row in active.iter_rows(named=True)}


def _value_changes(before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Return cuid, attribute and change of the values of customers that go on, by what the records said to begin with."""
    told = []
    for cuid in before.keys() & after.keys():
        for attribute in ATTRIBUTES:
            was, becomes = before[cuid][attribute], after[cuid][attribute]
            told += [(cuid, attribute, change) for change in _changes(attribute, was, becomes)]
    return told


def _changes(attribute: str, was: dict[str, Any] | None, becomes: dict[str, Any] | None) -> list[str]:
    contested = [bool(side and side["is_contested"]) for side in (was, becomes)]
    changes = [name for name, flags in (("contested", [False, True]), ("settled", [True, False])) if contested == flags]
    if was is None or becomes is None:
        return changes if was is becomes else [*changes, "gained" if was is None else "lost"]
    if SAID[was["record_id"], attribute] != SAID[becomes["record_id"], attribute]:
        changes.append("another")
    elif was["record_id"] != becomes["record_id"]:
        changes.append("same_elsewhere")
    return [*changes, "kept"] if was["kept_count"] != becomes["kept_count"] else changes
