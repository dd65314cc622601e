"""Tests of ``custview_pipeline.matching.agglomeration``, against a plain reading of one component."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.matching import agglomeration
from custview_pipeline.matching.agglomeration import BEST_SHARE, agglomerate

APART = float("-inf")


def plainly(weight, threshold):
    """Join the parts with the most evidence across them until none is enough; the first of equals, by their smallest records."""
    parts = [{record} for record in range(len(weight))]
    while True:
        across = {
            (one, other): evidence([weight[i][j] for i, j in product(parts[one], parts[other])])
            for one, other in combinations(range(len(parts)), 2)
        }
        most = max(across.values(), default=APART)
        if most <= threshold:
            return [min(next(part for part in parts if record in part)) for record in range(len(weight))]
        one, other = next(pair for pair, each in across.items() if each == most)
        parts[one] |= parts.pop(other)


def evidence(weights):
    return (1 - BEST_SHARE) * sum(weights) / len(weights) + BEST_SHARE * max(weights)


def square(size, weights):
    """Return a symmetric square of the weights of all pairs, in the order of ``combinations``."""
    made = np.full((size, size), APART)
    for (i, j), weight in zip(combinations(range(size), 2), weights, strict=True):
        made[i, j] = made[j, i] = weight
    return made


@st.composite
def components(draw):
    """Draw some components of one size: weights in steps of 1/64 bit, as scoring makes them, with must-links and cannot-links."""
    size = draw(st.integers(2, 7))
    step = draw(st.sampled_from([64, 64 * 4]))  # coarse ones have many ties
    bits = st.integers(-12 * 64 // step, 24 * 64 // step).map(lambda steps: steps * step / 64)
    weight = st.one_of(bits, bits, bits, st.sampled_from([APART, 1e6]))
    count = size * (size - 1) // 2
    return [square(size, draw(st.lists(weight, min_size=count, max_size=count))) for _ in range(draw(st.integers(1, 4)))]


@settings(max_examples=50)
@given(components(), st.integers(-8, 8))
def test_many_components_at_once_are_joined_as_one_by_one(squares, threshold):
    found = agglomerate(np.stack(squares), threshold)

    assert found.tolist() == [plainly(each.tolist(), threshold) for each in squares]


def test_large_components_are_worked_on_in_portions(monkeypatch):
    squares = np.random.default_rng(4).integers(-12, 24, (9, 5, 5)).astype(np.float64)
    squares += squares.transpose(0, 2, 1)
    whole = agglomerate(squares, 1.0)
    monkeypatch.setattr(agglomeration, "_CELLS_AT_ONCE", 60)

    assert agglomerate(squares, 1.0).tolist() == whole.tolist()


@pytest.mark.parametrize(
    ("size", "weights", "expected"),
    [
        (2, [3.0], [0, 0]),
        (2, [0.5], [0, 1]),
        (3, [2.0, -12.0, 2.0], [0, 0, 2]),
        (3, [9.0, -2.0, 9.0], [0, 0, 0]),
        (3, [24.0, APART, 24.0], [0, 0, 2]),
        (3, [-12.0, 1e6, -12.0], [0, 1, 0]),
        (4, [-12.0, -12.0, 5.0, 5.0, -12.0, -12.0], [0, 1, 1, 0]),
    ],
    ids=["agreement", "at the threshold", "a chain", "strong chain", "apart", "must", "two couples"],
)
def test_parts_join_by_the_evidence_across_them(size, weights, expected):
    assert agglomerate(square(size, weights)[None], 0.5)[0].tolist() == expected


def test_no_components_are_no_parts():
    assert agglomerate(np.empty((0, 3, 3)), 0.5).shape == (0, 3)


@settings(max_examples=50)
@given(components())
def test_what_is_given_is_not_changed(squares):
    weights = np.stack(squares)
    before = weights.copy()
    agglomerate(weights, 0.5)

    assert np.array_equal(weights, before)
