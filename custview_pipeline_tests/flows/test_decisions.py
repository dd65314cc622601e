"""Tests of ``custview_pipeline.flows.decisions``."""

from datetime import timedelta

import polars as pl
import pytest

from custview_pipeline.flows.decisions import add_decisions, current_decisions, decided_pairs, withdraw_decisions
from custview_pipeline_tests.factories import LATER


def said(*rows):
    """Return answers from (left_id, right_id, decision, minutes after); of a steward, or as a fifth says."""
    return pl.DataFrame(
        [
            {
                "left_id": left,
                "right_id": right,
                "decision": decision,
                "reason": None,
                "decided_by": "ada",
                "decided_at": LATER + timedelta(minutes=minutes),
                "origin": origin,
            }
            for left, right, decision, minutes, origin in ((*row, "steward")[:5] for row in rows)
        ],
        schema_overrides={"reason": pl.String, "decided_at": pl.Datetime("us", "UTC")},
    )


@pytest.fixture
def lake(empty_house):
    with empty_house.lake.writer() as writer:
        yield writer


def answers(lake):
    return current_decisions(lake.snapshot()).select("left_id", "right_id", "decision").rows()


def test_a_lake_without_answers_has_none(lake):
    assert answers(lake) == []
    assert decided_pairs(lake.snapshot()).schema == {"left_id": pl.Int64, "right_id": pl.Int64, "is_match": pl.Boolean}


def test_the_newest_answer_about_a_pair_holds_whichever_way_round_it_was_given(lake):
    assert add_decisions(lake, said((1, 2, "match", 0), (4, 3, "not_a_match", 0), (5, 6, "unsure", 0)), "run-1") == 3
    assert add_decisions(lake, said((2, 1, "not_a_match", 5)), "run-2") == 1

    assert answers(lake) == [(1, 2, "not_a_match"), (3, 4, "not_a_match"), (5, 6, "unsure")]


def test_an_answer_that_is_newer_holds_though_it_is_stored_first(lake):
    add_decisions(lake, said((1, 2, "match", 9), (1, 2, "not_a_match", 5)), "run-1")

    assert answers(lake) == [(1, 2, "match")]


def test_matching_hears_of_the_pairs_that_a_steward_is_sure_of(lake):
    add_decisions(lake, said((1, 2, "match", 0), (3, 4, "not_a_match", 0), (5, 6, "unsure", 0)), "run-1")

    assert decided_pairs(lake.snapshot()).rows() == [(1, 2, True), (3, 4, False)]


@pytest.mark.parametrize(
    ("given", "is_match"),
    [
        (("match", 0, "steward", "not_a_match", 1, "steward"), False),
        (("match", 0, "steward", "unsure", 1, "steward"), True),
        (("match", 0, "steward", "unsure", 1, "sample"), True),
        (("match", 0, "sample", "unsure", 1, "steward"), True),
        (("match", 0, "steward", "not_a_match", 1, "sample"), True),
        (("match", 0, "sample", "not_a_match", 1, "steward"), False),
        (("match", 0, "sample", "not_a_match", 1, "sample"), False),
    ],
    ids=lambda given: " ".join(map(str, given)) if isinstance(given, tuple) else None,
)
def test_who_is_unsure_takes_nothing_back_and_stewards_go_before_samples(lake, given, is_match):
    add_decisions(lake, said((1, 2, *given[:3]), (1, 2, *given[3:])), "run-1")

    assert decided_pairs(lake.snapshot()).rows() == [(1, 2, is_match)]


def test_where_the_answer_of_the_steward_was_withdrawn_that_to_the_sample_holds(lake):
    add_decisions(lake, said((1, 2, "not_a_match", 5, "sample"), (1, 2, "match", 9)), "run-1")
    withdraw_decisions(lake, current_decisions(lake.snapshot())["decision_id"].to_list(), LATER, "run-2", "ada")

    assert decided_pairs(lake.snapshot()).rows() == [(1, 2, False)]


def test_the_same_answer_is_stored_once_however_often_it_is_given(lake):
    given = said((1, 2, "match", 0), (2, 1, "match", 0))

    assert [add_decisions(lake, given, run) for run in ("run-1", "run-2")] == [1, 0]


def test_an_answer_that_was_withdrawn_leaves_the_one_before(lake):
    add_decisions(lake, said((1, 2, "match", 0), (1, 2, "not_a_match", 5)), "run-1")
    newest = current_decisions(lake.snapshot())["decision_id"].to_list()

    assert withdraw_decisions(lake, newest, LATER, "run-2", "ada") == 1
    assert answers(lake) == [(1, 2, "match")]
    assert withdraw_decisions(lake, newest, LATER, "run-3", "ada") == 0


def test_withdrawing_what_nobody_said_changes_nothing(lake):
    assert withdraw_decisions(lake, ["0123456789abcdef"], LATER, "run-1", "ada") == 0
