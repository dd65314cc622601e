"""Tests of ``custview_pipeline.flows.deciding``: batches stored whole or refused, at once or from the inbox, exactly once."""

import json
from datetime import date, timedelta
from itertools import combinations

import polars as pl
import pytest
from pydantic import ValidationError

from custview_pipeline.adapters.decision_inbox import DecisionInbox
from custview_pipeline.contracts.decision_batch import DecisionBatch, StatedDecision
from custview_pipeline.contracts.stewardship_tables import REVIEW_ASSIGNMENTS, REVIEW_DECISIONS
from custview_pipeline.flows.deciding import check_batch, conflict_words, conflicts_of, store_batch, take_in_pending
from custview_pipeline.flows.decision_evidence import evidence_now
from custview_pipeline.flows.decision_rows import Stated
from custview_pipeline.flows.decisions import as_decisions, standing_answers, stored_decisions
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline_tests.factories import LATER, NOW
from custview_pipeline_tests.flows.conftest import ADA
from custview_pipeline_tests.flows.sealed_lake import Record
from custview_pipeline_tests.flows.sealed_lake import take_in as take_in_records
from custview_pipeline_tests.stewardship.stated import decision, decisions

CHANGED = Record(1, ADA, {"name": "Ada Summers"}, version=2)


def batch(*rows, supersede=False, withdrawals=(), minutes=0):
    """Return a batch of decisions given as in ``stated.decisions``; ids follow from what is said."""
    made = as_decisions(decisions(*(decision(None, kind, *records, at=minutes) for kind, *records in rows)))
    stated = DecisionBatch.of(made, said_by="ada", said_at=NOW + timedelta(minutes=minutes), supersede=supersede)
    return stated.model_copy(update={"withdrawals": tuple(withdrawals)})


def assignment(item_id="M0000000001", to="otto"):
    row = {
        "item_id": item_id, "assigned_to": to, "due_on": date(2026, 12, 1), "status": "assigned", "assigned_by": "ada",
        "assigned_at": LATER,
    }  # fmt: skip
    return pl.DataFrame([row], schema=REVIEW_ASSIGNMENTS.types)


@pytest.fixture
def place(once_run):
    return once_run


@pytest.fixture
def inbox(place):
    return DecisionInbox(place.lake.root)


def store(place, given):
    with place.lake.writer() as writer:
        return store_batch(writer, given, run_id="decision")


def take_in(place, inbox):
    with place.lake.writer() as writer:
        return take_in_pending(writer, inbox, run_id="decision")


def standing(place):
    """Return the kinds of the decisions that hold, oldest first."""
    return standing_answers(place.lake.snapshot()).sort("decided_at")["decision"].to_list()


def version(place):
    return place.lake.snapshot().manifest.sequence


def test_a_batch_is_stored_in_one_commit_and_only_once(place):
    given, before = batch(("match", 1, 3), ("unsure", 2, 60)), version(place)

    stored = store(place, given)
    assert (len(stored.decision_ids), version(place)) == (2, before + 1)
    assert store(place, given).decision_ids == ()
    assert version(place) == before + 1
    REVIEW_DECISIONS.assert_holds(place.lake.snapshot().read(REVIEW_DECISIONS.name))


def test_what_contradicts_is_refused_with_the_other_one_named_and_nothing_is_stored(place):
    (other,) = store(place, batch(("match", 1, 3))).decision_ids
    before, given = version(place), batch(("match", 60, 61), ("not_a_match", 1, 3), minutes=1)

    with pytest.raises(ProjectInvalid, match=f"contradicts the standing decision {other}.*nothing was stored"):
        store(place, given)
    with pytest.raises(ProjectInvalid, match=other):
        check_batch(place.lake.snapshot(), given)
    assert (standing(place), version(place)) == (["match"], before)


def test_superseding_withdraws_the_other_in_the_same_commit(place):
    (other,) = store(place, batch(("match", 1, 3))).decision_ids
    before = version(place)

    stored = store(place, batch(("not_a_match", 1, 3), supersede=True, minutes=1))

    assert (stored.superseded_ids, version(place)) == ((other,), before + 1)
    assert standing(place) == ["not_a_match"]
    gone = stored_decisions(place.lake.snapshot()).filter(pl.col("decision_id") == other)
    assert gone.select("withdrawn_by", "withdrawn_at").row(0) == ("ada", NOW + timedelta(minutes=1))


def test_what_several_say_together_is_refused_even_so(place):
    store(place, batch(("match", 1, 3), ("match", 3, 60)))

    with pytest.raises(ProjectInvalid, match="say together"):
        store(place, batch(("not_a_match", 1, 60), supersede=True, minutes=1))


def test_decisions_of_one_batch_that_contradict_one_another_are_refused(place):
    given = batch(("match", 1, 3), ("match", 3, 60), ("not_a_match", 1, 60))

    (conflict,) = conflicts_of(place.lake.snapshot(), given.decision_rows())
    assert (conflict.place, conflict.given_places) == (2, (0, 1))
    assert "handed in with it" in conflict_words(conflict)
    with pytest.raises(ProjectInvalid, match="handed in with it"):
        store(place, given)
    assert standing(place) == []


def test_a_decision_may_take_the_place_of_one_that_the_batch_withdraws(place):
    (other,) = store(place, batch(("match", 1, 3))).decision_ids

    stored = store(place, batch(("not_a_match", 1, 3), withdrawals=[other], minutes=1))

    assert (stored.withdrawn_count, standing(place)) == (1, ["not_a_match"])


@pytest.mark.parametrize("withdrawn", ["0123456789abcdef", "withdrawn"])
def test_withdrawing_what_does_not_hold_is_told(place, withdrawn):
    if withdrawn == "withdrawn":
        (withdrawn,) = store(place, batch(("match", 1, 3))).decision_ids
        store(place, batch(withdrawals=[withdrawn], minutes=1))

    with pytest.raises(ProjectInvalid, match="no decision that holds"):
        check_batch(place.lake.snapshot(), batch(withdrawals=[withdrawn], minutes=2))
    assert store(place, batch(withdrawals=[withdrawn], minutes=2)).withdrawn_count == 0


def test_decisions_about_records_that_are_gone_from_the_lake_are_left_out(place):
    stored = store(place, batch(("match", 1, 4711), ("lock", 1, 2, 4711), ("split_off", 3, 4712), ("lock", 4713)))

    assert (len(stored.decision_ids), stored.gone_count) == (1, 3)
    assert standing_answers(place.lake.snapshot())["member_ids"].to_list() == [[1, 2]]


def test_a_batch_survives_its_file(inbox):
    rows = as_decisions(
        Stated("ada", NOW, "other", "seen").row("pin", record_id=-(2**63), member_ids=[1, 2**63 - 1], attribute="email", slot=2)
    )
    given = DecisionBatch.of(rows, said_by="ada", said_at=NOW).model_copy(
        update={"assignments": DecisionBatch.of_assignments(assignment(), said_by="ada", said_at=NOW).assignments}
    )
    name = inbox.put(given)

    assert inbox.read(name) == given
    assert inbox.read(name).decision_rows().equals(rows)
    assert inbox.read(name).assignment_rows().equals(assignment())


def test_what_waits_is_taken_in_oldest_first_and_then_is_gone(place, inbox):
    inbox.put(batch(("not_a_match", 1, 3), supersede=True, minutes=5))
    inbox.put(batch(("match", 1, 3), minutes=1))

    assert take_in(place, inbox) == 2
    assert (standing(place), inbox.waiting(), inbox.refusals()) == (["not_a_match"], (), ())
    assert take_in(place, inbox) == 0


def with_evidence(*rows, evidence, skips_stale=False):
    """Return a batch of which the first decision was made on some evidence."""
    given = batch(*rows)
    first = given.decisions[0].model_copy(update={"evidence": evidence})
    return given.model_copy(update={"decisions": (first, *given.decisions[1:]), "skips_stale": skips_stale})


def test_a_decision_whose_evidence_changed_while_it_waited_is_refused_with_all_that_came_with_it(place, inbox):
    rows = (("match", 1, 3), ("match", 2, 62))
    (evidence,) = evidence_now(place.lake.snapshot(), batch(rows[0]).decision_rows())
    kept = inbox.put(with_evidence(*rows, evidence=evidence))
    take_in_records(place.lake, place.keyring, CHANGED)

    assert take_in(place, inbox) == 0
    (refusal,) = inbox.refusals()
    assert (refusal.name, refusal.why.startswith("the records of a decision of a pack")) == (kept, True)
    assert standing(place) == []


def test_where_stale_ones_may_be_left_out_the_others_count_and_it_is_told(place, inbox):
    rows = (("match", 1, 3), ("match", 2, 62))
    (evidence,) = evidence_now(place.lake.snapshot(), batch(rows[0]).decision_rows())
    inbox.put(with_evidence(*rows, evidence=evidence, skips_stale=True))
    take_in_records(place.lake, place.keyring, CHANGED)

    assert take_in(place, inbox) == 1
    (refusal,) = inbox.refusals()
    assert refusal.why == "1 left out: their records changed since; the others were stored"
    assert standing_answers(place.lake.snapshot()).select("left_id", "right_id").rows() == [(2, 62)]


def test_a_decision_whose_evidence_is_the_same_is_stored_and_never_stale_afterwards(place):
    given = batch(("match", 1, 3))
    (evidence,) = evidence_now(place.lake.snapshot(), given.decision_rows())
    given = with_evidence(("match", 1, 3), evidence=evidence)

    assert len(store(place, given).decision_ids) == 1
    take_in_records(place.lake, place.keyring, CHANGED)
    assert store(place, given).decision_ids == ()


SUBJECTS = {
    "match": {"left_id", "right_id"},
    "not_a_match": {"left_id", "right_id"},
    "unsure": {"left_id", "right_id"},
    "split_off": {"record_id", "member_ids"},
    "lock": {"member_ids"},
    "pin": {"record_id", "member_ids", "attribute"},
    "override": set(),
    "perhaps": set(),
}
FACTS = {"left_id": 1, "right_id": 3, "record_id": 1, "member_ids": (2, 3), "attribute": "email"}
SAID = {"decision_id": "ab", "decided_by": "ada", "decided_at": NOW, "origin": "steward"}


@pytest.mark.parametrize("kind", SUBJECTS)
@pytest.mark.parametrize("names", [(), *combinations(FACTS, 1), *combinations(FACTS, 2), *combinations(FACTS, 3), tuple(FACTS)])
def test_a_decision_is_about_what_its_kind_is_about_and_nothing_else(kind, names):
    stated = SAID | {"decision": kind} | {name: FACTS[name] for name in names}

    if names and set(names) == SUBJECTS[kind]:
        assert StatedDecision(**stated).decision == kind
    else:
        with pytest.raises(ValidationError):
            StatedDecision(**stated)


@pytest.mark.parametrize(
    "odd",
    [
        {"decision": "match", "left_id": 1, "right_id": 1},
        {"decision": "match", "left_id": 3, "right_id": 1},
        {"decision": "lock", "member_ids": ()},
        {"decision": "split_off", "record_id": 1, "member_ids": (1, 2)},
        {"decision": "lock", "member_ids": (1, 2), "slot": 0},
        {"decision": "pin", "record_id": 1, "member_ids": (1, 2), "attribute": ""},
    ],
)
def test_a_decision_that_cannot_be_meant_waits_in_no_inbox(place, inbox, odd):
    name = inbox.put(batch(("match", 2, 62)))
    text = json.dumps({"said_by": "x", "said_at": NOW.isoformat(), "decisions": [SAID | {"decided_at": NOW.isoformat()} | odd]})
    (place.lake.root / "decisions" / name).write_text(text)

    assert take_in(place, inbox) == 0
    assert len(inbox.refusals()) == 1
    assert standing(place) == []


def test_an_assignment_is_stored_once(place):
    given = DecisionBatch.of_assignments(assignment(), said_by="ada", said_at=LATER)

    assert [store(place, given).assigned_count for _ in range(2)] == [1, 0]
    assert place.lake.snapshot().read(REVIEW_ASSIGNMENTS.name).equals(assignment())


def test_what_contradicts_a_decision_that_came_first_is_refused_and_the_rest_goes_on(place, inbox):
    refused = inbox.put(batch(("not_a_match", 1, 3), ("match", 60, 61), minutes=2))
    inbox.put(batch(("match", 2, 62), minutes=3))
    store(place, batch(("match", 1, 3)))

    assert take_in(place, inbox) == 1

    assert standing(place) == ["match", "match"]
    (refusal,) = inbox.refusals()
    assert (refusal.name, refusal.said_by, refusal.said_at) == (refused, "ada", NOW + timedelta(minutes=2))
    assert "contradicts the standing decision" in refusal.why


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"said_by": "ada"}', b'{"said_by": 1, "said_at": "x"}'])
def test_a_file_that_holds_no_batch_stops_nobody(place, inbox, content):
    name = inbox.put(batch(("match", 1, 3)))
    (place.lake.root / "decisions" / name).write_bytes(content)
    inbox.put(batch(("match", 2, 62), minutes=1))

    assert take_in(place, inbox) == 1
    assert [refusal.name for refusal in inbox.refusals()] == [name]


def test_a_batch_with_a_word_that_no_decision_has_is_refused(place, inbox):
    odd = batch(("match", 1, 3))
    odd = odd.model_copy(update={"decisions": (odd.decisions[0].model_copy(update={"decision": "perhaps"}),)})
    inbox.put(odd)

    assert take_in(place, inbox) == 0
    assert len(inbox.refusals()) == 1
