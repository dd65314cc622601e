"""Tests of ``custview_pipeline.matching.sampling``: which pairs a model is learned from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.matching import sampling
from custview_pipeline.matching.sampling import random_pairs, sampled

IDS = st.tuples(st.integers(-(2**62), 2**62), st.integers(-(2**62), 2**62))


def columns(pairs):
    return (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))


@given(st.lists(IDS, min_size=1, max_size=60, unique=True), st.integers(1, 60), st.randoms(use_true_random=False))
def test_the_order_of_pairs_does_not_matter(pairs, most, random):
    shuffled = random.sample(pairs, len(pairs))
    one, other = (sampled(*columns(each), most) for each in (pairs, shuffled))

    kept = [
        {pair for pair, is_chosen in zip(each, found[0], strict=True) if is_chosen}
        for each, found in ((pairs, one), (shuffled, other))
    ]
    assert kept[0] == kept[1]
    assert one[1] == other[1]


def test_few_pairs_are_all_taken():
    chosen, stands_for = sampled(*columns([(1, 2), (3, 4)]), most=2)

    assert (chosen.tolist(), stands_for) == ([True, True], 1.0)


def test_of_many_pairs_about_so_many_are_taken_and_stand_for_the_rest():
    generator = np.random.default_rng(1)
    left, right = (generator.integers(-(2**62), 2**62, 100_000) for _ in range(2))
    chosen, stands_for = sampled(left, right, most=20_000)

    assert 19_000 < chosen.sum() < 21_000
    assert stands_for * chosen.sum() == pytest.approx(100_000)


@pytest.mark.parametrize("records", [0, 1, 2, 5])
def test_of_few_records_strangers_are_learned_from_all_pairs(records):
    i, j = random_pairs(records)

    assert list(zip(i.tolist(), j.tolist(), strict=True)) == [(a, b) for a in range(records) for b in range(a + 1, records)]


def test_of_many_records_pairs_are_drawn_evenly_each_once_and_the_same_every_time(monkeypatch):
    monkeypatch.setattr(sampling, "RANDOM_PAIRS", 20_000)
    i, j = random_pairs(1_000)
    again = random_pairs(1_000)

    assert (i < j).all()
    assert len(set(zip(i.tolist(), j.tolist(), strict=True))) == len(i) > 19_000
    assert 0.9 < np.mean(np.bincount(np.r_[i, j], minlength=1_000)[:500]) / (2 * len(i) / 1_000) < 1.1
    assert (i.tolist(), j.tolist()) == tuple(column.tolist() for column in again)
