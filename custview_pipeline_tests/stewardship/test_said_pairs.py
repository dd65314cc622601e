"""Tests of ``custview_pipeline.stewardship.said_pairs``: what decisions say of pairs, and whom locks keep together and apart."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.contracts.stewardship_tables import REVIEW_DECISIONS
from custview_pipeline.stewardship.said_pairs import anchors, holding_pairs, is_about_nobody, locks
from custview_pipeline_tests.stewardship.stated import decision, decisions


def pairs(*rows):
    """Return the pairs that hold as {(left, right): is_match}."""
    return {(left, right): is_match for left, right, is_match in holding_pairs(decisions(*rows)).rows()}


def locked(*rows):
    """Return the records of each lock."""
    found = locks(decisions(*rows)).group_by("lock", maintain_order=True).agg("record_id")
    return sorted(map(sorted, found["record_id"].to_list()))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], {}),
        ([("match", 1, 2)], {(1, 2): True}),
        ([("not_a_match", 2, 1)], {(1, 2): False}),
        ([("unsure", 1, 2)], {}),
        ([("split_off", 2, 1, 3)], {(1, 2): False, (2, 3): False}),
        ([("lock", 1, 2, 3)], {(1, 2): True, (1, 3): True, (2, 3): True}),
        ([("lock", 1)], {}),
        ([("override", 9, 1, 2)], {(1, 9): True}),
        ([("pin", 1, 1, 2)], {}),
        ([("match", 1, 2), ("split_off", 2, 1)], {(1, 2): False}),
        ([("split_off", 2, 1), ("match", 1, 2)], {(1, 2): True}),
        ([("not_a_match", 1, 2), ("lock", 1, 2)], {(1, 2): True}),
        ([("lock", 1, 2), ("not_a_match", 1, 2)], {(1, 2): False}),
        ([decision("a", "lock", 1, 2), decision("b", "not_a_match", 1, 2, at=9, origin="sample")], {(1, 2): True}),
        ([("match", 1, 3), ("lock", 1, 2)], {(1, 2): True, (1, 3): False}),
        ([("lock", 1, 2), ("match", 1, 3)], {(1, 2): True, (1, 3): True}),
        ([("lock", 1, 2), ("lock", 1, 3)], {(1, 2): False, (1, 3): True}),
        ([("override", 9, 1, 2), ("lock", 1, 2)], {(1, 2): True, (1, 9): True}),
        ([("override", 9, 1, 2), ("split_off", 9, 1, 2)], {(1, 9): False, (2, 9): False}),
        ([("override", 9, 1, 2), ("not_a_match", 9, 1)], {(1, 9): False, (2, 9): True}),
    ],
)
def test_what_was_said_last_of_a_pair_holds(rows, expected):
    assert pairs(*rows) == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("match", 1, 2)], []),
        ([("lock", 1, 2)], [[1, 2]]),
        ([("lock", 1, 2), ("lock", 3, 4)], [[1, 2], [3, 4]]),
        ([("lock", 1, 2), ("lock", 1, 2, 3)], [[1, 2, 3]]),
        ([("lock", 1, 2), ("lock", 1, 3)], [[1, 3], [2]]),
        ([("lock", 1, 2), ("match", 2, 3)], [[1, 2, 3]]),
        ([("match", 2, 3), ("lock", 1, 2)], [[1, 2]]),
        ([("match", 3, 4), ("lock", 1, 2), ("match", 2, 3)], [[1, 2, 3, 4]]),
        ([("lock", 1, 2), ("lock", 3, 4), ("match", 2, 3)], [[1, 2, 3, 4]]),
        ([("lock", 1, 2), ("match", 2, 3), ("lock", 3, 4)], [[1, 2], [3, 4]]),
        ([("lock", 1, 2), ("match", 2, 3), ("not_a_match", 2, 3)], [[1, 2]]),
        ([("lock", 1, 2), decision("s", "match", 2, 3, at=9, origin="sample")], [[1, 2]]),
        ([("override", 9, 1, 2), ("lock", 1, 2)], [[1, 2, 9]]),
    ],
    ids=[
        "no lock", "a lock", "two locks", "a lock that grew", "the newer of two locks", "let in since", "matched before",
        "let in with its own", "two locks made one", "matched before the other lock", "let in and put out",
        "an answer to a sample lets nobody in", "a value that was entered before",
    ],
)  # fmt: skip
def test_who_is_locked_up_together(rows, expected):
    assert locked(*rows) == expected


@pytest.mark.parametrize(
    ("rows", "anchor"),
    [
        ([("override", 9, 1, 2, 3)], [1]),
        ([("override", 9, 3, 1, 2)], [3]),
        ([("override", 9)], []),
        ([("override", 9, 1, 2, 3), ("split_off", 1, 2, 3, 9)], [2]),
        ([("override", 9, 1, 2, 3), ("split_off", 3, 1, 2, 9)], [1]),
        ([("split_off", 1, 2, 3), ("override", 9, 1, 2, 3)], [2]),
        ([("override", 9, 1, 2), ("not_a_match", 1, 2)], [1]),
        ([("override", 9, 1, 2, 3), ("not_a_match", 1, 2)], [3]),
        ([("override", 9, 1, 2, 3), ("not_a_match", 1, 2), ("match", 1, 2)], [1]),
        ([("override", 9, 1, 2, 3), ("not_a_match", 1, 2), ("lock", 1, 2)], [1]),
        ([("override", 9, 1, 2), ("split_off", 9, 1, 2)], []),
        ([("override", 9, 1, 2), decision("s", "not_a_match", 1, 9, at=9, origin="sample")], [1]),
    ],
    ids=[
        "the first", "in the order given", "none left", "the first was split off", "another was split off", "split off before",
        "two parted, nobody else", "two parted, a third", "parted and tied again", "parted and locked", "itself split off",
        "an answer to a sample parts nobody",
    ],
)  # fmt: skip
def test_a_value_entered_is_tied_to_one_record(rows, anchor):
    assert anchors(decisions(*rows))["anchor"].to_list() == anchor


def test_a_value_entered_glues_no_records_of_its_customer():
    tied = [pair for pair, is_match in pairs(("override", 9, 1, 2, 3), ("override", 8, 1, 2, 3, 9)).items() if is_match]

    assert tied == [(1, 8), (1, 9)]


KINDS = st.sampled_from(["match", "not_a_match", "split_off", "lock", "override"])
ROWS = st.lists(st.tuples(KINDS, st.lists(st.integers(1, 6), min_size=2, max_size=4, unique=True)), max_size=8)


@settings(max_examples=60)
@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_means_nothing(given_rows, random):
    rows = [(kind, *(records if kind in {"lock", "split_off", "override"} else records[:2])) for kind, records in given_rows]
    stored = decisions(*rows)
    shuffled = stored[random.sample(range(stored.height), stored.height)]

    assert holding_pairs(stored).equals(holding_pairs(shuffled))
    assert locks(stored).equals(locks(shuffled))
    held = dict(locks(stored).rows())
    for left, right, is_match in holding_pairs(stored).rows():
        assert left < right
        assert not is_match or held.get(left) == held.get(right), "nobody of a lock matches one outside"


def test_what_is_left_without_records_is_about_nobody():
    rows = decisions(decision("a", "lock"), decision("b", "split_off", 1), ("match", 1, 2), ("override", 9), ("lock", 1))

    assert rows.filter(is_about_nobody())["decision_id"].to_list() == ["a", "b"]
    assert REVIEW_DECISIONS.empty().filter(is_about_nobody()).is_empty()
    assert holding_pairs(REVIEW_DECISIONS.empty()).schema == {"left_id": pl.Int64, "right_id": pl.Int64, "is_match": pl.Boolean}
