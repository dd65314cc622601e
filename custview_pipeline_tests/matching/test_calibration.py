"""Tests of ``custview_pipeline.matching.calibration``."""

import numpy as np
import pytest

from custview_pipeline.matching.calibration import LEAST_ANSWERS, calibrate


def answers(shift: float, count: int = 4000, seed: int = 3):
    """Return weights and answers where half of the pairs are one customer at weight ``shift``."""
    chance = np.random.default_rng(seed)
    weights = chance.uniform(-8, 8, count)
    return weights, chance.random(count) < 1 / (1 + 2.0 ** (shift - weights))


@pytest.mark.parametrize("shift", [-2.0, -0.5, 0.0, 1.0, 3.0])
def test_half_of_the_pairs_at_weight_zero_are_one_customer(shift):
    assert calibrate(*answers(shift)) == pytest.approx(-shift, abs=0.3)


def test_the_order_of_answers_does_not_matter():
    weights, is_match = answers(1.0, 200)
    order = np.random.default_rng(1).permutation(len(weights))

    assert calibrate(weights[order], is_match[order]) == pytest.approx(calibrate(weights, is_match))


def test_few_answers_move_little():
    """Twenty answers that part cleanly at five bits: any shift between would do, and none at all is the likeliest."""
    weights = np.array([4.0] * 10 + [6.0] * 10)
    is_match = np.array([False] * 10 + [True] * 10)

    assert -5.0 < calibrate(weights, is_match) < -1.0


@pytest.mark.parametrize(
    ("matches", "others"),
    [(0, 0), (LEAST_ANSWERS, 0), (0, LEAST_ANSWERS), (LEAST_ANSWERS, 4), (4, LEAST_ANSWERS), (9, 10)],
)
def test_too_few_answers_or_too_few_of_a_kind_move_nothing(matches, others):
    weights, is_match = np.full(matches + others, 3.0), np.array([True] * matches + [False] * others, np.bool_)

    assert calibrate(weights, is_match) == 0.0


def test_answers_that_contradict_the_weights_move_nothing():
    weights, is_match = answers(0.0)

    assert calibrate(weights, ~is_match) == 0.0


def test_no_single_pair_has_much_of_a_say():
    weights, is_match = answers(0.0, 60)
    with_an_outlier = calibrate(np.append(weights, 500.0), np.append(is_match, False))

    assert np.isfinite(with_an_outlier)
    assert abs(with_an_outlier - calibrate(weights, is_match)) < 1.5
