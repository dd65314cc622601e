"""Every kind of decision holds through refresh, rebuild, erasure of a member and rotation, and is undone when it is withdrawn."""

from collections.abc import Callable
from typing import NamedTuple

import polars as pl
import pytest

from custview_pipeline.contracts.decision_batch import DecisionBatch
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.contracts.stewardship_tables import REVIEW_DECISIONS
from custview_pipeline.flows import rotation
from custview_pipeline.flows.deciding import take_in_pending
from custview_pipeline.flows.decision_rows import about_pair, lock, pin, split_off
from custview_pipeline.flows.decisions import answered_pairs, decided_pairs, standing_answers
from custview_pipeline.flows.weighing import scales_of, weigh_pairs
from custview_pipeline.protection.wrapped_keys import Purpose
from custview_pipeline_tests.flows.decided_desk import ADA, Decided, of

NEW_EMAIL = "ada.new@example.org"


class Case(NamedTuple):
    """A decision: makes it and returns its id, and tells whether what it says is so."""

    decide: Callable[[Decided], str]
    holds: Callable[[Decided], bool]


def pair(decision, left, right):
    def decide(place):
        (decision_id,) = place.decide(about_pair(decision, place.member(left), place.member(right), place.stated())).decision_ids
        return decision_id

    return decide


def of_snapshot(make):
    def decide(place):
        (decision_id,) = place.decide(make(place, place.lake.snapshot())).decision_ids
        return decision_id

    return decide


CASES = {
    "match": Case(pair("match", "a1", "o1"), lambda place: place.are_one("a1", "a2", "o1", "o2")),
    "not_a_match": Case(pair("not_a_match", "a1", "a2"), lambda place: not place.are_one("a1", "a2")),
    "split_off": Case(
        of_snapshot(lambda place, snapshot: split_off(snapshot, place.member("a2"), place.stated())),
        lambda place: not place.are_one("a1", "a2"),
    ),
    "lock": Case(
        of_snapshot(lambda place, snapshot: lock(snapshot, place.cuid("a1"), place.stated())),
        lambda place: place.are_one("a1", "a2") and not place.are_one("a1", "a9"),
    ),
    "pin": Case(
        of_snapshot(lambda place, snapshot: pin(snapshot, place.cuid("a1"), "email", (place.member("a2"), None), place.stated())),
        lambda place: place.winner("a1", "email") == "a2",
    ),
    "override": Case(
        lambda place: place.enter("a1", "email", NEW_EMAIL),
        lambda place: place.winner("a1", "email") not in {None, "a1", "a2", "a3", "a9"},
    ),
}
EVENTS = {
    "refresh": lambda place: place.deliver(of(ADA, "a9")),
    "rebuild": lambda place: (place.deliver(of(ADA, "a9")), place.run(is_whole=True)),
    "erasure of a member": lambda place: (place.deliver(of(ADA, "a9")), place.erase_record("a3")),
    "rotation of the token key": lambda place: (place.deliver(of(ADA, "a9")), place.rotate(Purpose.TOKEN)),
}


@pytest.fixture(scope="module")
def settled(tmp_path_factory):
    return Decided.settled(tmp_path_factory.mktemp("decided") / "desk")


@pytest.fixture
def place(settled, tmp_path, monkeypatch):
    monkeypatch.setattr(rotation, "_PAUSE_SECONDS", 0)
    return settled.copied(tmp_path / "desk")


def test_possible_matches_that_link_each_other_make_one_customer(place):
    """Two answers are accepted whose records then link each other: nobody is left behind, and neither answer is undone."""
    given = [("match", "a1", "s0"), ("match", "s1", "o1"), ("match", "s0", "s1")]
    ids = [pair(kind, left, right)(place) for kind, left, right in given]
    place.run()

    assert place.are_one("a1", "a2", "a3", "s0", "s1", "o1", "o2")
    assert standing_answers(place.lake.snapshot()).height == 3
    place.withdraw(ids[2])
    place.run()
    assert (place.are_one("a1", "s0"), place.are_one("s1", "o1"), place.are_one("a1", "o1")) == (True, True, False)


@pytest.mark.slow
@pytest.mark.thorough
def test_a_record_that_was_erased_is_in_no_decision_any_more(place):
    snapshot = place.lake.snapshot()
    pair("match", "a2", "s0")(place)
    place.decide(lock(snapshot, place.cuid("o1"), place.stated()))
    place.decide(split_off(snapshot, place.member("a3"), place.stated()))
    place.decide(pin(snapshot, place.cuid("a1"), "email", (place.member("a2"), None), place.stated()))
    members = {key: place.member(key).record_id for key in ("a1", "a2", "a3", "o1", "o2")}
    place.erase_record("a2")
    place.erase_record("o1")

    left = standing_answers(place.lake.snapshot()).sort("decision").select("decision", "record_id", "member_ids")
    assert left.rows() == [("lock", None, [members["o2"]]), ("split_off", members["a3"], [members["a1"]])]
    place.erase_record("a1")
    place.erase_record("o2")
    assert place.lake.snapshot().read(REVIEW_DECISIONS.name).is_empty()


def test_of_a_decision_that_an_erased_record_was_in_the_reason_goes(place):
    for customer in ("a1", "o1"):
        said = place.stated(reason_code="other", reason=f"{customer} is the one")
        place.decide(lock(place.lake.snapshot(), place.cuid(customer), said))
    place.erase_record("a2")

    left = standing_answers(place.lake.snapshot()).sort("reason", nulls_last=True)
    assert left.select("reason", "reason_code").rows() == [("o1 is the one", "other"), (None, "other")]


def test_what_waits_about_a_record_that_is_erased_meanwhile_is_never_stored(place):
    said = [
        about_pair("match", place.member("a2"), place.member("s0"), place.stated()),
        lock(place.lake.snapshot(), place.cuid("a1"), place.stated()),
    ]
    place.inbox.put(DecisionBatch.of(pl.concat(said), said_by="ada", said_at=place.stated().decided_at))
    erased = place.member("a2").record_id
    place.erase_record("a2")
    with place.lake.writer() as writer:
        assert take_in_pending(writer, place.inbox, run_id="decision") == 1

    stored = place.lake.snapshot().read(REVIEW_DECISIONS.name)
    assert stored["decision"].to_list() == ["lock"]
    assert erased not in stored["member_ids"][0].to_list()
    assert place.inbox.waiting() == ()


@pytest.mark.slow
@pytest.mark.thorough
def test_what_a_lock_keeps_out_is_explained_by_the_steward_and_teaches_no_model(place):
    place.deliver(of(ADA, "a9"))
    place.decide(split_off(place.lake.snapshot(), place.member("a9"), place.stated()))
    place.run()
    place.decide(lock(place.lake.snapshot(), place.cuid("a1"), place.stated()))
    place.run()
    place.deliver(of(ADA, "a8"))
    snapshot = place.lake.snapshot()
    locked, outside = place.member("a1"), place.member("a8")
    pairs = pl.DataFrame({"left_id": [locked.record_id], "right_id": [outside.record_id]})
    weighed = weigh_pairs(scales_of(snapshot, Rulebook(), [place.desk.contract]), [locked, outside], pairs).pairs

    assert weighed.select("decision", "rule").row(0) == ("NO_MATCH", "steward decision")
    assert weighed["weight"][0] > 0
    assert decided_pairs(snapshot).height == 6
    assert set(answered_pairs(snapshot)["is_match"]) == {False}


def test_without_decisions_nothing_of_it_is_so(place):
    place.deliver(of(ADA, "a9"))

    assert {kind: case.holds(place) for kind, case in CASES.items()} == dict.fromkeys(CASES, False)


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("kind", CASES)
def test_a_decision_holds_and_is_undone(place, kind, event):
    case = CASES[kind]
    decision_id = case.decide(place)
    EVENTS[event](place)
    assert case.holds(place)

    assert place.withdraw(decision_id).withdrawn_count == 1
    place.run()

    assert not case.holds(place)
