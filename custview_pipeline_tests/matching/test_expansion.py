"""Tests of ``custview_pipeline.matching.expansion``, against plain loops."""

from itertools import combinations as pairs_of
from itertools import groupby, product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.matching.expansion import combinations, pairs_within, runs

GROUPS = st.lists(st.lists(st.integers(0, 99), max_size=6), max_size=8)
LENGTHS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=8)


@settings(max_examples=50)
@given(st.lists(st.integers(-3, 3)).map(sorted))
def test_runs_are_the_groups_of_equal_neighbours(values):
    starts, lengths = runs(np.array(values, np.int64))

    expected = [len(list(group)) for _, group in groupby(values)]
    assert lengths.tolist() == expected
    assert starts.tolist() == [sum(expected[:place]) for place in range(len(expected))]


@settings(max_examples=50)
@given(GROUPS)
def test_pairs_within_are_all_pairs_of_each_group(groups):
    rows = np.array([row for group in groups for row in group], np.int64)
    lengths = np.array([len(group) for group in groups], np.int64)

    left, right = pairs_within(rows, np.cumsum(lengths) - lengths, lengths)

    expected = [pair for group in groups for pair in pairs_of(group, 2)]
    assert sorted(zip(left.tolist(), right.tolist(), strict=True)) == sorted(expected)


@settings(max_examples=50)
@given(GROUPS)
def test_groups_may_lie_anywhere_in_the_rows(groups):
    """Groups that a rule leaves out are still among its rows."""
    kept = groups[::2]
    rows = np.array([row for group in groups for row in group], np.int64)
    lengths = np.array([len(group) for group in groups], np.int64)
    starts = np.cumsum(lengths) - lengths

    left, right = pairs_within(rows, starts[::2], lengths[::2])

    expected = [pair for group in kept for pair in pairs_of(group, 2)]
    assert sorted(zip(left.tolist(), right.tolist(), strict=True)) == sorted(expected)


@settings(max_examples=50)
@given(LENGTHS)
def test_combinations_are_the_product_of_each_pair_of_lists(lengths):
    one, other = (np.array([pair[side] for pair in lengths], np.uint8) for side in (0, 1))

    found = zip(*(column.tolist() for column in combinations(one, other)), strict=True)

    assert list(found) == [
        (pair, left, right) for pair, (n, m) in enumerate(lengths) for left, right in product(range(n), range(m))
    ]
