"""``survive`` under decisions of stewards and as time passes: who is elected anew, and who gets a new version."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from custview_pipeline.contracts.rulebook import parse_rulebook
from custview_pipeline.flows import survive as surviving
from custview_pipeline.flows.decisions import add_decisions, withdraw_decisions
from custview_pipeline.flows.erasure_scope import without_values_of
from custview_pipeline.flows.survive import survive
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline_tests.factories import (
    NOW,
    crosswalk,
    cuid,
    golden_records,
    index_claims,
    pointer,
    protected_records,
    source_contract,
)
from custview_pipeline_tests.flows.memory_lake import MemoryLake

SOURCES = (source_contract("crm", "email", trust=0.9), source_contract("web", "email", trust=0.4))
COUNT = 3  # customers, each with a record of crm and one of web


@pytest.fixture
def lake():
    """Return a lake where records of crm (11, 12, 13) and web (21, 22, 23) tell different addresses of customers 1, 2, 3."""
    lake = MemoryLake()
    numbers = [(10 * place + number, source, number) for place, source in ((1, "crm"), (2, "web")) for number in (1, 2, 3)]
    lake.append(
        "protected_records", protected_records(*({"record_id": each, "source_system": source} for each, source, _ in numbers))
    )
    lake.append(
        "crosswalk",
        crosswalk(*({"record_id": each, "source_system": source, "cuid": cuid(owner)} for each, source, owner in numbers)),
    )
    lake.claims.append(index_claims(*({"record_id": each, "token": each} for each, _, _ in numbers)))
    return lake


@pytest.fixture
def at(monkeypatch):
    """Return a function that sets what day it is for survivorship."""

    def at_day(days):
        class Clock(datetime):
            @classmethod
            def now(cls, tz=None):
                return (NOW + timedelta(days)).astimezone(tz)

        monkeypatch.setattr(surviving, "datetime", Clock)

    at_day(0)
    return at_day


def run(lake, written="{}", *, is_whole=False):
    rulebook = parse_rulebook(f"survivorship: {written}", file="rulebook.yaml")
    return survive(lake, SOURCES, rulebook, run_id="run-1", progress=Unwatched(), is_whole=is_whole)


def decide(lake, record_id, *, days=0, **cells):
    """Pin the e-mail address of a customer to one of its records; return the id of the decision."""
    said = {"decision": "pin", "record_id": record_id, "attribute": "email", "decided_by": "ada", "origin": "steward", **cells}
    known = set(lake.read("review_decisions")["decision_id"])
    add_decisions(lake, pl.DataFrame([{**said, "decided_at": NOW + timedelta(days)}]), "run-1")
    (decision_id,) = set(lake.read("review_decisions")["decision_id"]) - known
    return decision_id


def won(lake, number):
    """Return record and reason of each version of the e-mail address of a customer."""
    rows = lake.read("golden_lineage").filter((pl.col("cuid") == cuid(number)) & (pl.col("rank") == 1))
    return rows.sort("version").select("record_id", "reason").rows()


def test_a_decision_touches_its_customer_and_nobody_else(lake):
    run(lake)
    decide(lake, 22)
    report = run(lake)

    assert (report.is_whole, report.candidate_count, report.changed_count) == (False, 2, 1)
    assert won(lake, 2) == [(12, "most_trusted"), (22, "pinned")]
    assert won(lake, 1) == [(11, "most_trusted")]


def test_a_decision_that_is_withdrawn_touches_its_customer_again(lake):
    run(lake)
    decision_id = decide(lake, 22)
    run(lake)
    withdraw_decisions(lake, [decision_id], datetime.now(UTC), "run-1", "ada")
    report = run(lake)

    assert (report.is_whole, report.candidate_count) == (False, 2)
    assert won(lake, 2) == [(12, "most_trusted"), (22, "pinned"), (12, "most_trusted")]


def test_a_decision_that_is_there_already_counts_in_the_first_run(lake):
    decide(lake, 22)
    run(lake)

    assert won(lake, 2) == [(22, "pinned")]


def test_a_later_decision_takes_the_place_of_an_earlier_one(lake):
    decide(lake, 22)
    run(lake)
    decide(lake, 12, days=1)
    run(lake)

    assert won(lake, 2) == [(22, "pinned"), (12, "pinned")]


def test_a_decision_about_a_pair_touches_no_value(lake):
    run(lake)
    said = {"left_id": 12, "right_id": 22, "decision": "match", "decided_by": "ada", "decided_at": NOW, "origin": "steward"}
    add_decisions(lake, pl.DataFrame([said]), "run-1")
    report = run(lake)

    assert (report.is_whole, report.candidate_count, report.changed_count) == (False, 0, 0)


def test_a_decision_goes_with_its_record_to_another_customer(lake):
    decide(lake, 22)
    run(lake)
    lake.append("crosswalk", crosswalk({"record_id": 22, "version": 2, "source_system": "web", "cuid": cuid(3)}))
    run(lake)

    assert won(lake, 2) == [(22, "pinned"), (12, "only_candidate")]
    assert won(lake, 3) == [(13, "most_trusted"), (22, "pinned")]


def test_a_decision_outlives_a_whole_run(lake):
    decide(lake, 22)
    run(lake)

    assert run(lake, is_whole=True).changed_count == 0
    assert won(lake, 2) == [(22, "pinned")]


HALF_LIFE = "{default: {half_life_days: 100}}"


@pytest.mark.parametrize("written", [HALF_LIFE, "{default: {half_life_days: 100}, attributes: {email: [most_recent]}}"])
def test_that_time_has_passed_makes_no_new_version(lake, at, written):
    run(lake, written)
    for day in (1, 2, 500):
        at(day)
        assert run(lake, written).is_unchanged
        assert run(lake, written, is_whole=True).changed_count == 0


def test_a_customer_that_is_touched_shows_its_trust_as_of_today(lake, at):
    run(lake, HALF_LIFE)
    at(100)
    decide(lake, 12, attribute="phone")
    run(lake, HALF_LIFE, is_whole=True)
    lake.append("protected_records", protected_records({"record_id": 12, "version": 2, "updated_at": NOW}))
    lake.claims.append(index_claims({"record_id": 12, "version": 2, "token": 12}))
    run(lake, HALF_LIFE)
    golden = lake.read("golden_records").sort("version")
    trust = golden.select("cuid", "version", trust=pl.col("email").struct.field("trust_score"))

    assert trust.filter(pl.col("cuid") == cuid(2)).select("version", "trust").rows() == [(1, 0.9), (2, 0.45)]
    assert trust.filter(pl.col("cuid") == cuid(1)).select("version", "trust").rows() == [(1, 0.9)]


def test_a_winner_that_grows_too_old_is_replaced_by_the_next_whole_run_once(lake, at):
    conditions = "most_trusted: {only_from: [crm], newer_than_days: 30}, earliest: {only_from: [web]}"
    written = f"{{attributes: {{email: [{conditions}]}}}}"
    at(29)
    run(lake, written)
    at(30)
    assert run(lake, written).is_unchanged, "nobody was touched"
    changed = [run(lake, written, is_whole=True).changed_count]
    at(31)
    changed.append(run(lake, written, is_whole=True).changed_count)

    assert changed == [COUNT, 0]
    assert won(lake, 1) == [(11, "within_condition"), (21, "within_condition")]


def test_another_half_life_elects_everybody_anew(lake):
    run(lake, HALF_LIFE)
    report = run(lake, HALF_LIFE.replace("100", "50"))

    assert (report.is_whole, report.changed_count) == (True, COUNT)


def test_erasing_a_record_takes_out_its_values_and_the_sums_that_it_is_a_part_of():
    summed, kept_beside, of_it = pointer(1, value="7", kept_count=2), pointer(1, value="3", kept_count=2), pointer(2, value="4")
    golden = golden_records(
        {"cuid": cuid(1), "version": 1, "loyalty_points": summed, "email": pointer(1), "candidates_digest": 5},
        {"cuid": cuid(1), "version": 2, "loyalty_points": summed, "candidates_digest": 5},
        {"cuid": cuid(2), "loyalty_points": kept_beside, "candidates_digest": 5},
        {"cuid": cuid(3), "loyalty_points": of_it, "candidates_digest": 5},
    )
    sums = pl.DataFrame(
        {"cuid": [cuid(1)], "version": [1], "attribute": ["loyalty_points"]}, schema_overrides={"version": pl.Int32}
    )
    left = without_values_of(golden, pl.Series([2], dtype=pl.Int64), sums)

    assert left["loyalty_points"].struct.field("value").to_list() == [None, "7", "3", None]
    assert left["candidates_digest"].to_list() == [0, 5, 5, 0]
    assert left.drop("loyalty_points", "candidates_digest").equals(golden.drop("loyalty_points", "candidates_digest"))
    assert left.schema == golden.schema
