"""Tests of ``custview_pipeline.survivorship.elect``."""

from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.survivorship.elect import elect
from custview_pipeline_tests.factories import NOW, claims, cuid

YESTERDAY = NOW - timedelta(days=1)
DEFAULT = ("most_trusted", "most_recent", "most_frequent")


def ranked(*rows, strategies=DEFAULT):
    return elect(claims(*rows), {"email": strategies, "phone": DEFAULT})


def winner(*rows, strategies=DEFAULT):
    return ranked(*rows, strategies=strategies).filter(pl.col("rank") == 1).row(0, named=True)


def reasons(*rows, strategies=DEFAULT):
    return dict(ranked(*rows, strategies=strategies).select("record_id", "reason").rows())


@pytest.mark.parametrize(
    ("strategy", "worse", "better", "lost_because"),
    [
        ("most_trusted", {"trust_score": 0.4}, {"trust_score": 0.6}, "less_trusted"),
        ("most_recent", {"updated_at": YESTERDAY}, {"updated_at": NOW}, "less_recent"),
        ("most_recent", {"updated_at": None}, {"updated_at": YESTERDAY}, "less_recent"),
        ("most_frequent", {"vote_count": 1}, {"vote_count": 2}, "less_frequent"),
        ("most_complete", {"part_count": 2}, {"part_count": 5}, "less_complete"),
        ("longest", {"length": 3}, {"length": 9}, "shorter"),
    ],
)
def test_each_strategy_prefers_the_larger_and_says_so(strategy, worse, better, lost_because):
    for rows, won in (((worse, better), 2), ((better, worse), 1)):
        assert reasons(*rows, strategies=(strategy,)) == {won: strategy, 3 - won: lost_because}
        assert winner(*rows, strategies=(strategy,))["record_id"] == won


def test_the_first_strategy_that_tells_them_apart_decides():
    rows = ({"updated_at": YESTERDAY, "vote_count": 9}, {"updated_at": NOW, "vote_count": 1})

    assert winner(*rows)["record_id"] == 2
    assert winner(*rows, strategies=("most_frequent", "most_recent"))["record_id"] == 1
    assert reasons(*rows) == {1: "less_recent", 2: "most_recent"}


@pytest.mark.parametrize("strategy", ["most_trusted", "most_recent", "most_frequent", "most_complete", "longest"])
def test_a_valid_value_goes_before_an_invalid_one_whatever_the_strategy(strategy):
    invalid = {
        "is_valid": False, "trust_score": 0.9, "updated_at": NOW + timedelta(1), "vote_count": 9, "part_count": 9, "length": 99,
    }  # fmt: skip

    assert reasons(invalid, {}, strategies=(strategy,)) == {1: "invalid", 2: "valid"}


def test_an_invalid_value_survives_where_there_is_no_other():
    assert winner({"is_valid": False})["reason"] == "only_candidate"


def test_a_tie_goes_to_the_smaller_record_and_then_to_the_smaller_slot():
    rows = ({"record_id": 5}, {"record_id": 3, "slot": 1, "token": 8}, {"record_id": 3, "slot": 0, "token": 9})
    found = ranked(*rows)

    assert found.select("record_id", "slot").rows() == [(3, 0), (3, 1), (5, 0)]
    assert found["reason"].to_list() == ["tie_smaller_record_id"] * 3


def test_an_equal_value_agrees_rather_than_loses():
    assert reasons({"token": 7}, {"token": 7, "trust_score": 0.1}) == {1: "confirmed_by_others", 2: "agrees"}


@pytest.mark.parametrize(
    ("rival", "is_contested"),
    [
        ({"trust_score": 0.5}, True),
        ({"trust_score": 0.4}, False),
        ({"trust_score": 0.5, "token": 1}, False),
        ({"trust_score": 0.5, "is_valid": False}, False),
    ],
    ids=["trusted no less", "trusted less", "the same value", "invalid"],
)
def test_a_value_is_contested_where_another_is_trusted_no_less(rival, is_contested):
    won = winner({"trust_score": 0.5, "token": 1, "updated_at": NOW}, {"updated_at": YESTERDAY, **rival})

    assert won["is_contested"] is is_contested


def test_a_more_trusted_value_that_lost_by_another_strategy_contests_the_winner():
    rows = ({"trust_score": 0.4, "updated_at": NOW}, {"trust_score": 0.9, "updated_at": YESTERDAY})

    assert winner(*rows, strategies=("most_recent",))["is_contested"]


def test_customers_and_attributes_are_elected_apart():
    found = ranked({}, {"cuid": cuid(2)}, {"attribute": "phone"}, {"attribute": "phone", "trust_score": 0.9})

    assert found.filter(pl.col("rank") == 1).select("cuid", "attribute", "record_id").rows() == [
        (cuid(1), "email", 1),
        (cuid(1), "phone", 4),
        (cuid(2), "email", 2),
    ]


def test_ranks_count_from_one_without_gaps():
    assert ranked({}, {"trust_score": 0.9}, {"token": 1})["rank"].to_list() == [1, 2, 3]


def test_without_claims_nobody_is_elected():
    found = ranked()

    assert found.is_empty()
    assert {"rank", "reason", "is_contested"} <= set(found.columns)


rivals = st.fixed_dictionaries(
    {
        "attribute": st.sampled_from(["email", "phone"]),
        "token": st.none() | st.integers(1, 3),
        "is_valid": st.booleans(),
        "trust_score": st.sampled_from([0.0, 0.4, 0.5]),
        "updated_at": st.sampled_from([None, YESTERDAY, NOW]),
        "vote_count": st.integers(1, 3),
        "length": st.integers(1, 3),
    }
)


@given(st.lists(rivals, max_size=6), st.randoms(use_true_random=False), st.permutations([*DEFAULT, "longest"]))
def test_the_order_of_rows_does_not_matter(rows, random, strategies):
    frame = claims(*rows)
    shuffled = frame[random.sample(range(frame.height), frame.height)]
    elected = [elect(each, {"email": strategies, "phone": DEFAULT}) for each in (frame, shuffled)]

    assert elected[0].equals(elected[1])
    assert elected[0].filter(pl.col("rank") == 1).height == frame.select("cuid", "attribute").n_unique()
    assert elected[0]["reason"].null_count() == elected[0]["is_contested"].null_count() == 0
