"""Tests of ``custview_pipeline.flows.waiting_decisions``: the lake as it will be says what the lake says once it is."""

import pytest

from custview_pipeline.adapters.decision_inbox import DecisionInbox
from custview_pipeline.flows.deciding import check_batch, take_in_pending
from custview_pipeline.flows.decisions import standing_answers, stored_decisions
from custview_pipeline.flows.waiting_decisions import with_waiting
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline_tests.flows.test_deciding import batch

MATCH, NOT = ("match", 1, 3), ("not_a_match", 1, 3)
(MATCH_ID,) = (each.decision_id for each in batch(MATCH).decisions)

WAITING = {
    "two that go together": [batch(MATCH), batch(("match", 2, 62), minutes=1)],
    "one that contradicts the one before": [batch(MATCH), batch(NOT, ("match", 2, 62), minutes=1)],
    "one that contradicts what was refused": [batch(MATCH), batch(NOT, ("match", 2, 62), minutes=1), batch(("match", 2, 62))],
    "one that supersedes the one before": [batch(MATCH), batch(NOT, minutes=1, supersede=True)],
    "one that takes back the one before": [batch(MATCH), batch(withdrawals=[MATCH_ID], minutes=1)],
    "one in the place of one that is taken back": [
        batch(MATCH),
        batch(withdrawals=[MATCH_ID], minutes=1),
        batch(NOT, minutes=2),
    ],
    "one about a record that is gone": [batch(("match", 1, 4711))],
    "the same twice": [batch(MATCH), batch(MATCH)],
}


@pytest.mark.parametrize("batches", WAITING.values(), ids=WAITING)
def test_what_waits_counts_as_it_will_once_it_is_taken_in(once_run, batches):
    inbox, snapshot = DecisionInbox(once_run.lake.root), once_run.lake.snapshot()
    supposed = with_waiting(snapshot, batches)
    for each in batches:
        inbox.put(each)
        with once_run.lake.writer() as writer:
            take_in_pending(writer, inbox, run_id="decision")
    stored = once_run.lake.snapshot()

    for read in (standing_answers, stored_decisions):
        assert read(supposed).equals(read(stored))
    taken_meanwhile = with_waiting(stored, batches)
    assert standing_answers(taken_meanwhile).equals(standing_answers(stored))
    assert standing_answers(snapshot).is_empty()


def test_what_waits_can_be_taken_back_and_contradicted_like_what_stands(once_run):
    supposed = with_waiting(once_run.lake.snapshot(), [batch(MATCH)])

    check_batch(supposed, batch(withdrawals=[MATCH_ID], minutes=1))
    check_batch(supposed, batch(NOT, minutes=1, supersede=True))
    with pytest.raises(ProjectInvalid, match=f"contradicts the standing decision {MATCH_ID}"):
        check_batch(supposed, batch(NOT, minutes=1))
    taken_back = with_waiting(once_run.lake.snapshot(), [batch(MATCH), batch(withdrawals=[MATCH_ID], minutes=1)])
    check_batch(taken_back, batch(NOT, minutes=2))
    with pytest.raises(ProjectInvalid, match="no decision that holds"):
        check_batch(taken_back, batch(withdrawals=[MATCH_ID], minutes=2))
