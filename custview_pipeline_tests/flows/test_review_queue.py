"""Tests of ``custview_pipeline.flows.review_queue``."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from custview_pipeline.contracts.decision_batch import DecisionBatch
from custview_pipeline.contracts.golden_tables import CUSTOMER_CORE
from custview_pipeline.contracts.intake_tables import HELD_DELIVERIES, PROTECTED_RECORDS
from custview_pipeline.contracts.matching_tables import MATCH_RUNS, REVIEW_TASKS
from custview_pipeline.contracts.stewardship_tables import REVIEW_ASSIGNMENTS
from custview_pipeline.flows.decisions import as_decisions
from custview_pipeline.flows.review_queue import assignment_rows, find_items, review_queue
from custview_pipeline.flows.waiting_decisions import with_waiting
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline_tests.factories import LATER, NOW, crosswalk, cuid, table
from custview_pipeline_tests.flows.memory_lake import MemoryLake

FIRST, SECOND = "run-1", "run-2"
MUCH_LATER = LATER + timedelta(days=1)
PAIR, WITHIN = (1, 2), (4, 7)


def runs():
    default = {"scope": "whole", "happened_at": NOW, **dict.fromkeys(_COUNTS, 0), "continuity": None}
    return table(MATCH_RUNS.types, default, ({"run_id": FIRST}, {"run_id": SECOND, "happened_at": LATER}))


_COUNTS = [name for name in MATCH_RUNS.types if name.endswith("_count") or name == "largest_customer"]


def task(pair, **cells):
    default = {
        "version": 1, "is_open": True, "kind": "possible_match", "left_cuid": cuid(pair[0] % 3), "right_cuid": cuid(pair[1] % 3),
        "weight": 0.0, "run_id": FIRST,
    }  # fmt: skip
    return table(REVIEW_TASKS.types, default, ({"left_id": pair[0], "right_id": pair[1], **cells},))


def core(number, **cells):
    default = {
        "version": 1, "is_active": True, "entity_type": "person", "country": None, "record_count": 2, "source_count": 1,
        "source_systems": ["crm"], "known_attributes": ["name", "email"], "contested_attributes": [], "trust_score": 0.5,
        "consent": None, "updated_at": NOW, "valid_from_at": NOW,
    }  # fmt: skip
    return table(CUSTOMER_CORE.types, default, ({"cuid": cuid(number), **cells},))


def held(**cells):
    default = {
        "held_id": "h1", "version": 1, "source_system": "crm", "fingerprint": "f", "row_count": 60, "known_count": 100,
        "deleted_count": 40, "status": "held", "held_at": NOW, "decided_by": None, "decided_at": None, "reason": None,
        "run_id": FIRST,
    }  # fmt: skip
    return table(HELD_DELIVERIES.types, default, (cells,))


def decided(decision, *, at=LATER, **about):
    row = {"decision": decision, "decided_by": "ada", "decided_at": at, "origin": "steward", **about}
    schema = {"decided_at": pl.Datetime("us", "UTC"), "member_ids": pl.List(pl.Int64), "slot": pl.Int16}
    return as_decisions(pl.DataFrame([row], schema_overrides={name: schema[name] for name in schema if name in row}))


def about_pair(decision, pair=PAIR, **said):
    return decided(decision, left_id=pair[0], right_id=pair[1], **said)


@pytest.fixture
def lake():
    """Return a lake with one item of each kind."""
    lake = MemoryLake()
    lake.append(MATCH_RUNS.name, runs())
    lake.append(REVIEW_TASKS.name, task(PAIR))
    lake.append(REVIEW_TASKS.name, task(WITHIN, kind="contradicted_customer", weight=-11.0))
    lake.append("crosswalk", crosswalk(*({"record_id": number, "cuid": cuid(number % 3)} for number in range(9))))
    lake.append(CUSTOMER_CORE.name, core(1, contested_attributes=["email"]))
    lake.append(CUSTOMER_CORE.name, core(2))
    lake.append(HELD_DELIVERIES.name, held())
    return lake


def waiting(lake):
    return sorted(review_queue(lake)["kind"].to_list())


def status(lake, kind):
    return review_queue(lake, is_all=True).filter(pl.col("kind") == kind)["status"].to_list()


def test_each_kind_of_question_is_in_the_queue_the_largest_effect_first(lake):
    queue = review_queue(lake)
    assert queue["kind"].to_list() == ["delivery", "pair", "customer", "value"]
    assert queue["effect"].is_sorted(descending=True)
    assert queue["found_at"].to_list() == [NOW] * 4


def test_a_lake_in_which_nothing_is_asked_has_an_empty_queue():
    assert review_queue(MemoryLake()).is_empty()


@pytest.mark.parametrize("decision", ["match", "not_a_match"])
def test_a_pair_that_a_steward_decided_waits_no_longer_before_any_run(lake, decision):
    lake.append("review_decisions", about_pair(decision))
    assert "pair" not in waiting(lake)
    assert status(lake, "pair") == ["done"]


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (about_pair("match", WITHIN), "customer"),
        (decided("split_off", record_id=4, member_ids=[1, 7]), "customer"),
        (decided("lock", member_ids=[1, 4, 7]), "customer"),
        (decided("lock", member_ids=[1, 4, 7]), "pair"),
        (decided("pin", record_id=4, attribute="email", member_ids=[1, 4, 7]), "value"),
        (decided("override", record_id=1, attribute="email", member_ids=[1, 4, 7]), "value"),
    ],
    ids=["its pair is one", "one of it is split off", "it is locked", "one of two is locked", "a value is pinned", "entered"],
)
def test_what_is_decided_otherwise_waits_no_longer_either(lake, row, kind):
    lake.append("review_decisions", row)
    assert status(lake, kind) == ["done"]


def test_a_pin_of_another_value_or_customer_settles_nothing(lake):
    lake.append("review_decisions", decided("pin", record_id=4, attribute="phone", member_ids=[4]))
    lake.append("review_decisions", decided("pin", record_id=5, attribute="email", member_ids=[5]))
    assert "value" in waiting(lake)


def test_what_was_withdrawn_is_asked_again(lake):
    row = about_pair("match")
    lake.append("review_decisions", row)
    lake.append("review_decisions", row.with_columns(withdrawn_at=pl.lit(MUCH_LATER).cast(pl.Datetime("us", "UTC"))))
    assert "pair" in waiting(lake)


def test_who_was_unsure_is_asked_again_when_a_run_finds_other_evidence(lake):
    lake.append("review_decisions", about_pair("unsure", at=NOW + timedelta(hours=1)))
    assert status(lake, "pair") == ["unsure"]
    assert "pair" not in waiting(lake)
    lake.append(REVIEW_TASKS.name, task(PAIR, version=2, weight=0.5, run_id=SECOND))
    assert status(lake, "pair") == ["open"]


def test_who_was_unsure_is_not_asked_again_where_nobody_knows_when_the_evidence_was_found(lake):
    lake.append(REVIEW_TASKS.name, task((5, 6), left_cuid=cuid(2), right_cuid=cuid(0), run_id="unknown"))
    lake.append("review_decisions", about_pair("unsure", (5, 6)))
    assert status(lake, "pair") == ["open", "unsure"]


def test_one_who_is_sure_goes_before_one_who_is_not_whoever_came_first(lake):
    lake.append("review_decisions", about_pair("match", at=LATER))
    lake.append("review_decisions", about_pair("unsure", at=MUCH_LATER))
    assert status(lake, "pair") == ["done"]


def test_a_task_that_a_run_closed_is_done(lake):
    lake.append(REVIEW_TASKS.name, task(PAIR, version=2, is_open=False, run_id=SECOND))
    assert status(lake, "pair") == ["done"]


@pytest.mark.parametrize("standing", ["approved", "rejected", "taken_in", "superseded"])
def test_a_delivery_that_was_decided_on_is_done(lake, standing):
    lake.append(HELD_DELIVERIES.name, held(version=2, status=standing, decided_by="ada", decided_at=LATER, reason="seen"))
    assert status(lake, "delivery") == ["done"]


def test_a_value_that_is_contested_no_more_and_a_customer_that_ended_are_not_asked_about(lake):
    lake.append(CUSTOMER_CORE.name, core(1, version=2))
    assert status(lake, "value") == []
    lake.append(CUSTOMER_CORE.name, core(1, version=3, is_active=False, contested_attributes=["email"]))
    assert status(lake, "value") == []


def test_items_are_found_as_they_are_named_in_that_order_and_each_once(lake):
    ids = review_queue(lake)["item_id"].to_list()
    named = [ids[2].lower(), ids[0], f"{ids[2][:4]}-{ids[2][4:]}"]
    assert find_items(lake, named)["item_id"].to_list() == [ids[2], ids[0]]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (["Ada Winterbourne"], "item is not understood: ids are M, C, V or D and ten characters, as custview review list shows"),
        (["M0000000000", "4711"], "item 2 is not understood"),
        (["M0000000000"], "the queue has no item M0000000000: what it asked was settled, or a run found other evidence"),
    ],
)
def test_an_item_that_is_not_there_is_refused_and_what_is_no_id_is_not_repeated(lake, written, said):
    with pytest.raises(ProjectInvalid, match=f"^{said}") as raised:
        find_items(lake, written)
    assert "Winterbourne" not in str(raised.value)


def test_what_waits_for_a_run_to_end_counts_as_said(lake):
    lake.append(PROTECTED_RECORDS.name, records(*PAIR))
    batch = DecisionBatch.of(about_pair("match"), said_by="ada", said_at=LATER)
    rows = assignment_rows(find_items(lake, [item_of(lake, "value")]), to="ada", due_on=date(2026, 4, 1), by="grace", now=LATER)
    assigned = DecisionBatch.of_assignments(rows, said_by="grace", said_at=LATER)
    supposed = with_waiting(lake, [batch, assigned])
    assert status(supposed, "pair") == ["done"]
    assert status(supposed, "value") == ["assigned"]
    lake.append("review_decisions", about_pair("match"))  # a run took it in meanwhile
    assert status(with_waiting(lake, [batch]), "pair") == ["done"]


def records(*record_ids):
    default = dict.fromkeys(PROTECTED_RECORDS.types) | {
        "version": 1, "is_deleted": False, "source_system": "crm", "source_key": "4711", "entity_type": "person",
        "content_digest": 0, "delivery_id": "d", "valid_from_at": NOW,
    }  # fmt: skip
    return table(PROTECTED_RECORDS.types, default, tuple({"record_id": each} for each in record_ids))


def item_of(lake, kind):
    return review_queue(lake).filter(pl.col("kind") == kind)["item_id"][0]


def test_an_assignment_keeps_its_contract_and_can_be_taken_back(lake):
    found = find_items(lake, [item_of(lake, "pair"), item_of(lake, "delivery")])
    now = datetime(2026, 3, 5, tzinfo=UTC)
    given = assignment_rows(found, to="ada", due_on=date(2026, 3, 9), by="grace", now=now)
    REVIEW_ASSIGNMENTS.assert_holds(given)
    lake.append(REVIEW_ASSIGNMENTS.name, given)
    assert status(lake, "pair") == status(lake, "delivery") == ["assigned"]
    back = assignment_rows(found, to=None, due_on=None, by="grace", now=now + timedelta(minutes=1))
    REVIEW_ASSIGNMENTS.assert_holds(back)
    lake.append(REVIEW_ASSIGNMENTS.name, back)
    assert status(lake, "pair") == status(lake, "delivery") == ["open"]


def test_what_is_done_is_assigned_to_nobody(lake):
    lake.append("review_decisions", about_pair("match"))
    queue = review_queue(lake, is_all=True).filter(pl.col("kind") == "pair")
    with pytest.raises(ProjectInvalid, match=r"^item M\w{10} is done: there is nothing left to decide$"):
        assignment_rows(queue, to="ada", due_on=None, by="grace", now=LATER)
