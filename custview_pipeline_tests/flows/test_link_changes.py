"""Linking what changed, run after run: ids, counts and keys stay right, whatever the model and the decisions are."""

from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.matching_tables import CUID_HISTORY, MATCH_EDGES, MATCH_RUNS
from custview_pipeline.flows.current import current_crosswalk, current_edges, current_records, current_tasks
from custview_pipeline.flows.customer_history import Standing, resolve
from custview_pipeline.flows.decisions import add_decisions
from custview_pipeline.flows.link_rows import last_run
from custview_pipeline.flows.models import StoredModel, put_to_use
from custview_pipeline.matching.comparisons import COMPARISONS
from custview_pipeline.matching.priors import packaged_model
from custview_pipeline_tests.factories import LATER, NOW, cuid, cuid_history
from custview_pipeline_tests.flows.sealed_lake import Record, remove, take_in
from custview_pipeline_tests.matching.people import population

PEOPLE = population(3)[:60]
ADA = {"given": "ada", "family": "winterbourne", "birth_date": "1961-04-17", "phones": ["2025550143"], "email": "ada@example.org"}
OTTO = {"given": "otto", "family": "keating", "birth_date": "1980-11-02", "phones": ["2025559876"], "email": "otto@example.org"}
ZELDA = {"given": "zelda", "family": "quimby", "birth_date": "1990-01-09", "phones": ["2025551111"], "email": "zq@example.org"}
YANNICK = {
    "given": "yannick",
    "family": "foxworth",
    "birth_date": "1975-06-30",
    "phones": ["2025552222"],
    "email": "yf@example.org",
}


def record(number, facts, version=1):
    return Record(number, facts, {"name": f"{facts['given']} {facts['family']}"}, version=version)


@pytest.fixture
def linked(empty_house):
    """Return a house of some people and four records of one, linked once."""
    crowd = (record(1000 + number, facts) for number, facts in enumerate(PEOPLE, 1))
    take_in(empty_house.lake, empty_house.keyring, *crowd, *(record(number, ADA) for number in (10, 11, 12, 13)))
    empty_house.run("run-1")
    return empty_house


def refreshed(house, run_id, *records):
    """Deliver records and refresh."""
    take_in(house.lake, house.keyring, *records)
    return house.run(run_id)


def owner(house, number):
    return dict(current_crosswalk(house.lake.snapshot()).select("record_id", "cuid").iter_rows())[number]


def test_an_id_that_came_back_is_not_given_to_another_customer(linked):
    """Both records of a customer merge into another one; one leaves and takes the id along; so the other one needs its own."""
    refreshed(linked, "run-2", record(20, OTTO), record(21, OTTO))
    first = owner(linked, 20)
    refreshed(linked, "run-3", record(20, ADA, 2), record(21, ADA, 2))
    assert owner(linked, 20) == owner(linked, 21) == owner(linked, 10) != first
    refreshed(linked, "run-4", record(20, ZELDA, 3))
    assert owner(linked, 20) == first
    refreshed(linked, "run-5", record(21, YANNICK, 3))

    assert owner(linked, 21) not in {first, owner(linked, 10)}
    events = linked.lake.snapshot().read(CUID_HISTORY.name).filter(pl.col("cuid") == first).sort("happened_at")["event"].to_list()
    assert events == ["created", "merged_into", "reactivated"]


def test_a_model_of_a_type_that_the_lake_does_not_hold_stands_in_nobodys_way(linked):
    model = packaged_model(EntityType.ENTERPRISE, COMPARISONS[EntityType.ENTERPRISE])
    stored = StoredModel(replace(model, is_imported=True), None, "import", NOW, None)
    with linked.lake.writer() as writer:
        put_to_use(writer, [stored], run_id="import", now=datetime.now(UTC))
    assert linked.run("run-2").linkage.is_whole

    report = refreshed(linked, "run-3", record(20, OTTO)).linkage

    assert (report.is_whole, report.record_count) == (False, len(PEOPLE) + 5)


@pytest.mark.parametrize("decision", ["match", "not_a_match"])
def test_what_a_steward_decided_is_counted_once_however_often_others_come(linked, decision):
    pairs = (
        current_edges(linked.lake.snapshot()).filter(pl.col("decision") != "NO_MATCH").select("left_id", "right_id").rows()[:4]
    )
    said = [
        {"left_id": left, "right_id": right, "decision": decision, "decided_by": "ada", "decided_at": NOW, "origin": "steward"}
        for left, right in pairs
    ]
    with linked.lake.writer() as writer:
        add_decisions(writer, pl.DataFrame(said).with_columns(reason=pl.lit(None, pl.String)), "decision")
    for turn in range(3):
        refreshed(linked, f"run-{turn + 2}", record(30 + turn, {**OTTO, "family": PEOPLE[turn]["family"]}))

        snapshot = linked.lake.snapshot()
        assert not snapshot.read(MATCH_EDGES.name).select(MATCH_EDGES.key).is_duplicated().any()
        assert counted(snapshot) == told(snapshot)


def test_what_a_run_says_there_is_there_is(linked):
    refreshed(linked, "run-2", record(20, OTTO), record(21, OTTO), record(10, YANNICK, 2))
    remove(linked.lake, 1001, version=2)
    linked.run("run-3")

    snapshot = linked.lake.snapshot()
    assert snapshot.read(MATCH_RUNS.name).sort("happened_at")["scope"].to_list() == ["whole", "change", "change"]
    assert counted(snapshot) == told(snapshot)


def counted(snapshot):
    """Return the records, customers, matches, possible matches and open tasks that there are."""
    decisions = current_edges(snapshot)["decision"]
    return (
        current_records(snapshot).height,
        current_crosswalk(snapshot)["cuid"].n_unique(),
        (decisions == "MATCH").sum(),
        (decisions == "POSSIBLE_MATCH").sum(),
        current_tasks(snapshot).height,
    )


def told(snapshot):
    """Return the same as the last run told it."""
    last = last_run(snapshot)
    return tuple(last[name] for name in ("record_count", "customer_count", "match_count", "possible_match_count", "review_count"))


def test_a_broken_promise_stays_broken_until_it_is_mended(linked):
    stray = current_crosswalk(linked.lake.snapshot()).head(1).with_columns(record_id=pl.lit(99, pl.Int64))
    rows = linked.lake.snapshot().read("crosswalk").head(1).with_columns(record_id=stray["record_id"])
    with linked.lake.writer() as writer, writer.commit("stray") as commit:
        commit.append("crosswalk", rows)

    for turn in (2, 3):
        report = refreshed(linked, f"run-{turn}", record(20 + turn, OTTO)).assessment
        assert any(promise.broken_count for promise in report.promises), turn


def test_a_history_that_goes_in_a_circle_ends(empty_house):
    story = (
        {"cuid": cuid(1), "happened_at": NOW},
        {"cuid": cuid(2), "happened_at": NOW},
        {"cuid": cuid(1), "event": "merged_into", "other_cuid": cuid(2), "happened_at": LATER},
        {"cuid": cuid(2), "event": "merged_into", "other_cuid": cuid(1), "happened_at": LATER},
    )
    with empty_house.lake.writer() as writer, writer.commit("run-1") as commit:
        commit.append(CUID_HISTORY.name, cuid_history(*story))

    assert resolve(empty_house.lake.snapshot(), cuid(1)).standing is Standing.MERGED
