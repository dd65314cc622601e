"""Tests of ``custview_pipeline.stewardship.conflicts``: what contradicts what stands, by itself or through others."""

import pytest

from custview_pipeline.contracts.stewardship_tables import REVIEW_DECISIONS
from custview_pipeline.stewardship.conflicts import weigh_decisions
from custview_pipeline_tests.stewardship.stated import decision, decisions


def weighed(standing, *given, supersede=False):
    """Weigh decisions called n1, n2, ... against those that stand, d1, d2, ..."""
    new = [decision(f"n{number}", row[0], *row[1:], at=100 + number) for number, row in enumerate(given, 1)]
    return weigh_decisions(decisions(*standing), decisions(*new), supersede=supersede)


@pytest.mark.parametrize(
    ("standing", "new", "against", "is_direct"),
    [
        ([("match", 1, 2)], ("not_a_match", 2, 1), ("d1",), True),
        ([("not_a_match", 1, 2)], ("match", 1, 2), ("d1",), True),
        ([("lock", 1, 2, 3)], ("split_off", 2, 1, 3), ("d1",), True),
        ([("lock", 1, 2, 3)], ("not_a_match", 1, 3), ("d1",), True),
        ([("split_off", 2, 1, 3)], ("match", 2, 3), ("d1",), True),
        ([("split_off", 2, 1, 3)], ("lock", 1, 2, 3), ("d1",), True),
        ([("not_a_match", 1, 2)], ("lock", 1, 2, 3), ("d1",), True),
        ([("match", 1, 2), ("match", 2, 3)], ("split_off", 2, 1, 3), ("d1", "d2"), True),
        ([("match", 1, 2), ("match", 2, 3)], ("not_a_match", 1, 3), ("d1", "d2"), False),
        ([("match", 1, 2), ("not_a_match", 1, 3)], ("match", 2, 3), ("d1", "d2"), False),
        ([("match", 1, 2), ("match", 3, 4), ("not_a_match", 1, 4)], ("match", 2, 3), ("d1", "d2", "d3"), False),
        ([("lock", 1, 2), ("match", 2, 3)], ("not_a_match", 1, 3), ("d1", "d2"), False),
        ([("match", 3, 4), ("not_a_match", 1, 4)], ("lock", 1, 3), ("d1", "d2"), False),
        ([("match", 1, 2), ("match", 5, 6), ("not_a_match", 1, 3)], ("match", 2, 3), ("d1", "d3"), False),
        ([("match", 1, 2), ("match", 1, 3), ("match", 2, 3)], ("not_a_match", 1, 2), ("d1", "d2", "d3"), False),
    ],
)  # fmt: skip
def test_a_decision_that_contradicts_others_is_named_with_them(standing, new, against, is_direct):
    (conflict,) = weighed(standing, new).conflicts

    assert (conflict.place, conflict.decision_ids, conflict.is_direct) == (0, against, is_direct)


@pytest.mark.parametrize(
    ("standing", "new"),
    [
        ([], ("match", 1, 2)),
        ([("match", 1, 2)], ("match", 2, 1)),
        ([("match", 1, 2)], ("match", 2, 3)),
        ([("match", 1, 2)], ("not_a_match", 1, 3)),
        ([("not_a_match", 1, 2), ("not_a_match", 2, 3)], ("match", 1, 3)),
        ([("match", 1, 2)], ("lock", 1, 2)),
        ([("lock", 1, 2)], ("match", 2, 3)),
        ([("lock", 1, 2)], ("lock", 1, 2, 3)),
        ([("match", 1, 2)], ("unsure", 1, 2)),
        ([("not_a_match", 1, 2)], ("pin", 1, 1, 2)),
        ([("not_a_match", 1, 2)], ("override", 9, 1, 2)),
        ([decision("s", "match", 1, 2, origin="sample")], ("not_a_match", 1, 2)),
        ([("not_a_match", 1, 2), ("match", 1, 2)], ("match", 1, 2)),
        ([("override", 9, 1, 2, 3)], ("not_a_match", 1, 2)),
        ([("override", 9, 1, 2, 3)], ("split_off", 1, 2, 3, 9)),
    ],
)
def test_what_contradicts_nothing_is_let_pass(standing, new):
    assert weighed(standing, new) == ((), ())


@pytest.mark.parametrize(
    ("standing", "new", "superseded"),
    [
        ([("match", 1, 2)], ("not_a_match", 1, 2), ("d1",)),
        ([("lock", 1, 2, 3)], ("split_off", 2, 1, 3), ("d1",)),
        ([("match", 1, 2), ("match", 2, 3)], ("split_off", 2, 1, 3), ("d1", "d2")),
        ([("not_a_match", 1, 2), ("split_off", 3, 1, 2)], ("lock", 1, 2, 3), ("d1", "d2")),
        ([("match", 1, 2), ("lock", 1, 2)], ("not_a_match", 1, 2), ("d1", "d2")),
    ],
)
def test_what_says_the_opposite_by_itself_is_superseded(standing, new, superseded):
    found = weighed(standing, new, supersede=True)

    assert (found.conflicts, tuple(sorted(found.superseded))) == ((), superseded)


def test_what_several_say_together_is_not_superseded():
    found = weighed([("match", 1, 2), ("match", 2, 3)], ("not_a_match", 1, 3), supersede=True)

    assert found.superseded == ()
    assert [conflict.is_direct for conflict in found.conflicts] == [False]


@pytest.mark.parametrize("supersede", [False, True])
def test_decisions_of_one_batch_never_contradict_one_another(supersede):
    found = weighed([("match", 1, 2)], ("match", 2, 3), ("not_a_match", 1, 3), supersede=supersede)

    (conflict,) = found.conflicts
    assert (conflict.place, conflict.decision_ids, conflict.given_places) == (1, ("d1",), (0,))


def test_what_was_superseded_counts_no_more_for_the_next_one():
    found = weighed([("match", 1, 2)], ("not_a_match", 1, 2), ("match", 1, 3), ("match", 2, 4), supersede=True)

    assert found == ((), ("d1",))


def test_answers_to_a_sample_contradict_nobody():
    standing = decisions(("match", 1, 2))
    given = decisions(decision("n1", "not_a_match", 1, 2, origin="sample"))

    assert weigh_decisions(standing, given) == ((), ())
    assert weigh_decisions(REVIEW_DECISIONS.empty(), REVIEW_DECISIONS.empty()) == ((), ())
