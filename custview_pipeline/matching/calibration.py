"""What the answers of stewards say about the weights of a model: how many bits off the even chance they are."""

from typing import Final

import numpy as np
from scipy.special import expit

from custview_pipeline.matching.patterns import Bools, Floats

LEAST_ANSWERS: Final = 20  # fewer say less than the model does
LEAST_OF_EACH_KIND: Final = 5
_MOST_BITS: Final = 12.0  # a pair further off than this would have a say that no single answer deserves
_SHIFT_SPREAD: Final = 2.0  # bits: standard deviation of the shift, before any answer; its middle is 0
_SLOPE_SPREAD: Final = 0.5  # the same of the slope, whose middle is 1: the weights mean what they say
_LEAST_SLOPE: Final = 0.1  # answers that hardly follow the weights say nothing of where the even chance is
_ROUNDS: Final = 50
_CLOSE_ENOUGH: Final = 1e-10
_LONGEST_STEP: Final = 1.0  # a full step of Newton's from afar would overshoot


def calibrate(weights: Floats, is_match: Bools) -> float:
    """Return the bits to add to every weight, so that at weight 0 half of the pairs are one customer; 0.0 where that is unknown.

    Logistic regression of the answers on the weight, by Newton's method, under normal priors that pull to no change at all
    (A. Gelman et al., A weakly informative default prior distribution for logistic regression, Annals of Applied Statistics 2,
    2008, for why: few answers that happen to part cleanly would otherwise give any shift).

    Args:
        weights: Bits of evidence of each pair that was answered.
        is_match: The answers.
    """
    if len(weights) < LEAST_ANSWERS or min(is_match.sum(), (~is_match).sum()) < LEAST_OF_EACH_KIND:
        return 0.0
    bits = np.clip(weights, -_MOST_BITS, _MOST_BITS) * np.log(2)
    design = np.stack([np.ones(len(bits)), bits], axis=1)
    middle, precision = np.array([0.0, 1.0]), np.diag([1 / (_SHIFT_SPREAD * np.log(2)) ** 2, 1 / _SLOPE_SPREAD**2])
    fitted = middle.copy()
    for _ in range(_ROUNDS):
        chance = expit(design @ fitted)
        slope = design.T @ (is_match - chance) - precision @ (fitted - middle)
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design + precision
        step = np.clip(np.linalg.solve(curvature, slope), -_LONGEST_STEP, _LONGEST_STEP)
        fitted += step
        if np.abs(step).max() < _CLOSE_ENOUGH:
            break
    shift, trust = fitted
    return float(np.clip(shift / trust / np.log(2), -_MOST_BITS, _MOST_BITS)) if trust > _LEAST_SLOPE else 0.0
