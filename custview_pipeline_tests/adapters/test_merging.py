"""Tests of ``custview_pipeline.adapters.merging``."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.adapters.merging import DOMINANCE, LARGE_BYTES, small_count, tail

BIG = LARGE_BYTES
SIZES = st.lists(st.integers(1, 2 * LARGE_BYTES), max_size=30)


@pytest.mark.parametrize(
    ("sizes", "merged"),
    [
        ([], 0),
        ([5], 0),
        ([5, 5], 2),
        ([1, 100], 0),
        ([1, 1, 1, 12], 4),
        ([1, 1, 1, 13], 3),
        ([1, 100, 101], 3),
        ([10, 10, BIG], 2),
        ([BIG, BIG], 0),
    ],
)
def test_small_files_are_merged_and_dominant_and_large_ones_left_alone(sizes, merged):
    assert small_count(sizes) == merged


@pytest.mark.parametrize(
    ("sizes", "kept"),
    [
        ([], 0),
        ([5], 1),
        ([5, 5], 0),
        ([100, 1], 2),
        ([100, 1, 1], 1),
        ([12, 1, 1, 1], 0),
        ([100, 1, 1, 60, 1], 0),
        ([1, BIG, 1, 1], 2),
        ([1, 1, BIG], 3),
        ([10_000, 100, 50, 1], 1),
    ],
)
def test_the_newest_segments_are_merged_from_where_the_older_ones_dominate(sizes, kept):
    assert tail(sizes) == kept


@given(SIZES)
def test_after_merging_there_is_nothing_to_merge(sizes):
    kept = tail(sizes)
    merged = [*sizes[:kept], sum(sizes[kept:])] if kept < len(sizes) else sizes
    assert len(sizes) - kept != 1
    assert tail(merged) == len(merged)


@given(SIZES)
def test_what_is_left_alone_is_large_or_dominates_what_comes_after_it(sizes):
    kept = tail(sizes)
    for place in range(kept):
        behind = sum(sizes[place + 1 :])
        assert max(sizes[place:]) >= LARGE_BYTES or sizes[place] > DOMINANCE * behind
