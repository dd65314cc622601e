"""Tests of ``custview_pipeline.matching.strongest_path``."""

import itertools
import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.matching.strongest_path import part_sizes, path_between, strongest_tree


def pairs_of(*rows):
    schema = {"left_id": pl.Int64, "right_id": pl.Int64, "weight": pl.Float64}
    return pl.DataFrame(list(rows), schema=schema, orient="row")


CHAIN = pairs_of((1, 2, 9.0), (2, 3, 4.0), (3, 4, 7.5), (1, 3, -2.0), (1, 4, -6.0), (2, 4, 3.9))
some_weights = st.lists(st.sampled_from([-math.inf, -3.0, 0.0, 0.5, 2.0, 8.0, math.inf]), min_size=15, max_size=15)


def test_the_tree_has_the_strongest_way_and_its_weakest_link_last():
    assert strongest_tree(CHAIN).rows() == [(1, 2, 9.0), (3, 4, 7.5), (2, 3, 4.0)]


def test_of_equal_weights_the_smaller_record_ids_go_first():
    assert strongest_tree(pairs_of((2, 3, 1.0), (1, 3, 1.0), (1, 2, 1.0))).rows() == [(1, 2, 1.0), (1, 3, 1.0)]


def test_a_pair_of_no_weight_is_a_pair_and_further_columns_stay():
    found = strongest_tree(pairs_of((-5, 8, 0.0)).with_columns(rule=pl.lit("model")))
    assert found.rows() == [(-5, 8, 0.0, "model")]


def test_parts_that_no_pair_joins_have_a_tree_each():
    assert strongest_tree(pairs_of((1, 2, 3.0), (8, 9, 5.0))).rows() == [(8, 9, 5.0), (1, 2, 3.0)]


def test_no_pair_is_no_tree():
    assert strongest_tree(pairs_of()).is_empty()


@pytest.mark.parametrize(
    ("left", "right", "path"),
    [
        (1, 4, [1, 2, 3, 4]),
        (4, 1, [4, 3, 2, 1]),
        (2, 3, [2, 3]),
        (2, 2, [2]),
        (1, 77, []),
    ],
)
def test_the_way_between_two_records_leads_along_the_tree(left, right, path):
    assert path_between(strongest_tree(CHAIN), left, right) == path


@pytest.mark.parametrize(
    ("rows", "sizes"),
    [
        ([(1, 2, 3.0)], [1, 1]),
        ([(1, 2, 9.0), (3, 4, 7.5), (2, 3, 4.0)], [2, 2]),
        ([(1, 2, 9.0), (2, 3, 7.5), (3, 4, 4.0)], [3, 1]),
    ],
)
def test_without_its_weakest_link_a_tree_falls_into_two_parts(rows, sizes):
    assert part_sizes(pairs_of(*rows)) == sizes


@given(some_weights, st.randoms(use_true_random=False))
def test_the_tree_is_the_same_for_any_order_and_no_way_has_a_stronger_weakest_link(weights, chance):
    all_pairs = list(itertools.combinations(range(1, 7), 2))
    rows = [(*pair, weight) for pair, weight in zip(all_pairs, weights, strict=True)]
    tree = strongest_tree(pairs_of(*rows))
    shuffled = chance.sample(rows, len(rows))

    assert strongest_tree(pairs_of(*shuffled)).equals(tree)
    assert tree.height == 5
    assert tree["weight"].is_sorted(descending=True)
    bottleneck = widest_paths(rows)
    held = {frozenset((left, right)): weight for left, right, weight in tree.rows()}
    for one, other in all_pairs:
        path = path_between(tree, one, other)
        assert min(held[frozenset(step)] for step in itertools.pairwise(path)) == bottleneck[one, other]


def widest_paths(rows):
    """Return the best weakest link between any two records, found by trying every record as a stop (Floyd and Warshall)."""
    best = {side: weight for left, right, weight in rows for side in ((left, right), (right, left))}
    for stop, one, other in itertools.permutations(range(1, 7), 3):
        best[one, other] = max(best[one, other], min(best[one, stop], best[stop, other]))
    return best
