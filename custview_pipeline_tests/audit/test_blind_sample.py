"""Tests of ``custview_pipeline.audit.blind_sample``: every kind of pair gets its share, and the same seed draws the same."""

from collections import Counter

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.audit.blind_sample import STRATA, Thresholds, allocate, draw
from custview_pipeline.kernel.errors import ProjectInvalid

THRESHOLDS = Thresholds(match_weight=0.5, review_weight=-1.0)
INSIDE = "joined, no evidence of its own"


def pairs(*rows):
    return pl.DataFrame(list(rows), schema={"left_id": pl.Int64, "right_id": pl.Int64, "weight": pl.Float64}, orient="row")


def owners(*groups):
    """Build the crosswalk from the record ids of each customer."""
    rows = [(record_id, f"CU{place}") for place, group in enumerate(groups) for record_id in group]
    return pl.DataFrame(rows, schema={"record_id": pl.Int64, "cuid": pl.String}, orient="row")


def couples(count, weight, *, joined, first):
    """Build so many pairs of records of their own, with one weight, joined or apart: (pairs, groups)."""
    ids = [(first + 2 * place, first + 2 * place + 1) for place in range(count)]
    groups = ids if joined else [(record_id,) for pair in ids for record_id in pair]
    return [(*pair, weight) for pair in ids], groups


def a_lake(sizes):
    """Build a lake with so many pairs by (weight, joined)."""
    edges, groups = [], []
    for number, ((weight, joined), count) in enumerate(sizes.items()):
        own_pairs, own_groups = couples(count, weight, joined=joined, first=number * 100_000)
        edges += own_pairs
        groups += own_groups
    return pairs(*edges), owners(*groups)


@pytest.mark.parametrize(
    ("weight", "joined", "stratum"),
    [
        (20.0, True, "joined, high"),
        (8.5, True, "joined, just above"),
        (0.6, True, "joined, just above"),
        (0.5, True, "joined, below"),
        (-12.0, True, "joined, below"),
        (20.0, False, "apart, above"),
        (0.6, False, "apart, above"),
        (0.5, False, "apart, review"),
        (-1.0, False, "apart, review"),
        (-1.5, False, "apart, near miss"),
        (-9.0, False, "apart, near miss"),
    ],
)
def test_the_kind_of_a_pair_is_told_by_its_weight_and_whether_it_is_joined(weight, joined, stratum):
    found = draw(*a_lake({(weight, joined): 1}), THRESHOLDS, 5, seed=1)
    assert found.select("left_id", "right_id", "stratum", "weight", "pair_count", "sample_count").rows() == [
        (0, 1, stratum, weight, 1, 1)
    ]


def test_a_pair_that_is_apart_and_far_from_the_thresholds_is_never_asked_about():
    assert draw(*a_lake({(-9.5, False): 4}), THRESHOLDS, 5, seed=1).is_empty()


def test_of_a_lake_without_pairs_nothing_is_drawn():
    assert draw(pairs(), owners((1,), (2,)), THRESHOLDS, 5, seed=1).is_empty()


def test_pairs_inside_a_customer_that_have_no_evidence_are_drawn_too():
    found = draw(pairs((1, 2, 3.0), (2, 3, 3.0)), owners((1, 2, 3), (4,)), THRESHOLDS, 9, seed=1)
    assert sorted(found.select("left_id", "right_id", "stratum", "weight", "pair_count").rows()) == [
        (1, 2, "joined, just above", 3.0, 2),
        (1, 3, INSIDE, None, 1),
        (2, 3, "joined, just above", 3.0, 2),
    ]


def test_a_pair_with_a_record_that_is_no_customers_is_left_out():
    found = draw(pairs((1, 2, 3.0), (1, 9, 3.0)), owners((1, 2)), THRESHOLDS, 9, seed=1)
    assert found.select("left_id", "right_id").rows() == [(1, 2)]


def test_all_kinds_get_a_share_and_rare_kinds_a_larger_one_than_they_have_of_all_pairs():
    sizes = {(20.0, True): 900, (3.0, True): 60, (0.0, True): 9, (3.0, False): 6, (0.0, False): 50, (-4.0, False): 700}
    found = draw(*a_lake(sizes), THRESHOLDS, 100, seed=1)
    counts = Counter(found["stratum"])
    assert sum(counts.values()) == found.height == 100
    assert {name: STRATA[name].is_joined for name in counts} == {
        name: own.is_joined for name, own in STRATA.items() if name != INSIDE
    }
    joined = sum(count for name, count in counts.items() if STRATA[name].is_joined)
    assert 45 <= joined <= 55
    assert counts["joined, below"] == 9
    assert counts["apart, review"] > counts["apart, near miss"] / 2
    assert found.select("stratum", "pair_count", "sample_count").unique().sort("stratum").rows() == sorted(
        (stratum, size, counts[stratum])
        for size, stratum in zip(sizes.values(), [name for name in STRATA if name != INSIDE], strict=True)
    )


@given(st.dictionaries(st.sampled_from(list(STRATA)), st.integers(1, 400), min_size=1), st.integers(0, 300))
def test_every_kind_gets_one_pair_at_least_and_no_more_than_it_has(sizes, more):
    shares = allocate(sizes, len(sizes) + more)
    assert set(shares) == set(sizes)
    assert all(1 <= shares[name] <= size for name, size in sizes.items())
    assert sum(shares.values()) == min(len(sizes) + more, sum(sizes.values()))


def test_fewer_pairs_than_kinds_cannot_stand_for_all():
    with pytest.raises(ProjectInvalid, match="at least 2 pairs here"):
        draw(*a_lake({(20.0, True): 5, (0.0, False): 5}), THRESHOLDS, 1, seed=1)


@settings(max_examples=20)
@given(st.integers(0, 5), st.randoms(use_true_random=False))
def test_the_same_seed_draws_the_same_whatever_the_order_of_rows(seed, random):
    edges, groups = a_lake({(20.0, True): 30, (0.0, False): 30})
    groups = pl.concat([groups, owners((900_001, 900_002, 900_003)).with_columns(cuid=pl.lit("CUx"))])
    other_edges, other_groups = (frame[random.sample(range(frame.height), frame.height)] for frame in (edges, groups))
    assert draw(edges, groups, THRESHOLDS, 12, seed).equals(draw(other_edges, other_groups, THRESHOLDS, 12, seed))


def test_another_seed_draws_other_pairs():
    lake = a_lake({(20.0, True): 300})
    drawn = {tuple(draw(*lake, THRESHOLDS, 10, seed)["left_id"].sort()) for seed in range(5)}
    assert len(drawn) == 5


def test_pairs_are_numbered_in_an_order_that_tells_nothing_of_their_kind():
    found = draw(*a_lake({(20.0, True): 200, (0.0, False): 200}), THRESHOLDS, 100, seed=1)
    assert found["pair_number"].to_list() == list(range(1, 101))
    first_half = Counter(found["stratum"].head(50).to_list())
    assert all(first_half[name] >= 10 for name in ("joined, high", "apart, review"))


def test_no_pair_is_drawn_twice():
    groups = [tuple(range(start, start + 6)) for start in range(0, 60, 6)]
    found = draw(pairs((0, 1, 3.0), (6, 7, 3.0)), owners(*groups), THRESHOLDS, 1_000, seed=3)
    assert found.height == found.unique(["left_id", "right_id"]).height == 10 * 15
    assert (found["left_id"] < found["right_id"]).all()


def test_pairs_without_evidence_are_drawn_evenly():
    lake = (pairs((1, 2, 3.0)), owners((1, 2, 3), (4, 5, 6, 7)))
    drawn = Counter()
    for seed in range(200):
        found = draw(*lake, THRESHOLDS, 3, seed).filter(pl.col("stratum") == INSIDE)
        drawn.update(found.select("left_id", "right_id").rows())
    assert len(drawn) == 2 + 6
    expected = sum(drawn.values()) / len(drawn)
    assert all(0.6 * expected < count < 1.4 * expected for count in drawn.values())


def test_a_customer_of_a_hundred_thousand_records_is_sampled_without_listing_its_pairs():
    size = 100_000
    whole = pl.DataFrame({"record_id": pl.int_range(size, eager=True)}).with_columns(cuid=pl.lit("CU1"))
    found = draw(pairs((0, 1, 3.0)), whole, THRESHOLDS, 20, seed=1)
    assert dict(found.select("stratum", "pair_count").unique().rows()) == {
        "joined, just above": 1,
        INSIDE: size * (size - 1) // 2 - 1,
    }
    assert found.height == 20
