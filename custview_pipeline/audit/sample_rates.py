"""False-merge and missed-merge rates from the answers to a blind sample, with 95 % confidence intervals.

A stratum alone has Wilson's score interval (Wilson, 1927, "Probable inference, the law of succession, and statistical inference",
JASA 22), which is sound for few answers and rates near 0, and is never of no width. Over strata the rate is the sum of theirs by
share of the population, and its interval is recovered from theirs: the distances from estimate to limit add up as squares (the
method of variance estimates recovery: Zou and Donner, 2008, "Construction of confidence intervals about effect measures: a
general approach", Statistics in Medicine 27), where those of the strata are Jeffreys's, equal-tailed (Brown, Cai and DasGupta,
2001, "Interval estimation for a binomial proportion", Statistical Science 16; both together Laud, 2017, "Equal-tailed confidence
intervals for comparison of rates", Pharmaceutical Statistics 16). With Wilson's, the total would cover the truth in 91 to 94 of
100 samples of rare errors; with these it does in 93 to 97. A share of two totals has the values for which the same interval of
their difference holds zero, as Fieller (1954) does it for normal ones.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from scipy.special import betaincinv

from custview_pipeline.audit.blind_sample import STRATA

_TAIL: Final = 0.025  # outside of the interval, on either side
_QUANTILE: Final = 1.959963984540054  # of the normal distribution, for the same
_BISECTIONS: Final = 60  # halve the distance to less than any rate is told by


class Estimate(NamedTuple):
    """A number with the 95 % confidence interval around it."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class StratumAnswers:
    """What people answered about the pairs of one stratum.

    Attributes:
        stratum: One of ``audit.blind_sample.STRATA``.
        pair_count: Pairs in it, all together.
        same_count, different_count, unsure_count: Answers.
    """

    stratum: str
    pair_count: int
    same_count: int
    different_count: int
    unsure_count: int

    @property
    def is_joined(self) -> bool:
        """Return whether its pairs were joined when the sample was drawn."""
        return STRATA[self.stratum].is_joined

    @property
    def judged_count(self) -> int:
        """Return the answers that say something."""
        return self.same_count + self.different_count

    @property
    def wrong_count(self) -> int:
        """Return the answers that matching has wrong: joined and different, or apart and the same."""
        return self.different_count if self.is_joined else self.same_count

    @property
    def error_share(self) -> Estimate:
        """Return the share of its pairs that matching has wrong, as its answers alone tell; there is at least one."""
        return wilson(self.wrong_count, self.judged_count)


@dataclass(frozen=True, slots=True)
class SampleRates:
    """What a sample says.

    Attributes:
        strata: The answers by stratum.
        false_merges: Of the pairs of records that are joined, the share that is two customers; None where none was judged.
        missed_merges: Of the pairs that are one customer - joined, or apart and with evidence enough to be in a stratum - the
            share that is apart; None unless of both kinds some were judged, and some found to be one customer.
        joined_pairs, apart_pairs: Pairs that the rates are about.
        uncovered_pairs: Pairs of strata of which nothing was judged: the rates are not about them.
    """

    strata: tuple[StratumAnswers, ...]
    false_merges: Estimate | None
    missed_merges: Estimate | None
    joined_pairs: int
    apart_pairs: int
    uncovered_pairs: int


def wilson(count: int, of: int) -> Estimate:
    """Return a share with Wilson's score interval.

    Args:
        count: Answers of a kind.
        of: All answers, at least one.
    """
    share, square = count / of, _QUANTILE**2
    centre = (count + square / 2) / (of + square)
    width = _QUANTILE / (of + square) * math.sqrt(count * (of - count) / of + square / 4)
    return Estimate(share, max(0.0, centre - width) if count else 0.0, min(1.0, centre + width) if count < of else 1.0)


def jeffreys(count: int, of: int) -> Estimate:
    """Return a share with Jeffreys's interval; it ends at 0 where nothing is of the kind, and at 1 where everything is.

    Args:
        count: Answers of a kind.
        of: All answers, at least one.
    """
    low, high = (float(betaincinv(count + 0.5, of - count + 0.5, tail)) for tail in (_TAIL, 1 - _TAIL))
    return Estimate(count / of, low if count else 0.0, high if count < of else 1.0)


def rates_of(strata: Sequence[StratumAnswers]) -> SampleRates:
    """Estimate both rates; answers that are not sure say nothing, and the rest of their stratum stands for them."""
    judged = [own for own in strata if own.judged_count]
    joined, apart = ([own for own in judged if own.is_joined is side] for side in (True, False))
    joined_pairs, apart_pairs = (sum(own.pair_count for own in side) for side in (joined, apart))
    missed, found = (
        _total([(own.pair_count, jeffreys(own.same_count, own.judged_count)) for own in side]) for side in (apart, joined)
    )
    wrong = [(own.pair_count / joined_pairs, jeffreys(own.different_count, own.judged_count)) for own in joined]
    return SampleRates(
        strata=tuple(strata),
        false_merges=_total(wrong) if joined else None,
        missed_merges=_share(missed, found) if joined and apart and missed.value + found.value else None,
        joined_pairs=joined_pairs,
        apart_pairs=apart_pairs,
        uncovered_pairs=sum(own.pair_count for own in strata) - joined_pairs - apart_pairs,
    )


def _total(parts: Sequence[tuple[float, Estimate]]) -> Estimate:
    """Return the sum of independent estimates, each times a positive factor."""
    value = sum(factor * own.value for factor, own in parts)
    below, above = (
        math.hypot(*(factor * (own.value - limit) for factor, own, limit in sides))
        for sides in (((f, e, e.low) for f, e in parts), ((f, e, e.high) for f, e in parts))
    )
    return Estimate(value, value - below, value + above)


def _share(part: Estimate, rest: Estimate) -> Estimate:
    """Return ``part / (part + rest)`` of two independent totals.

    A share s is in the interval where zero is in that of (1 - s) part - s rest. Its limits are convex and concave in s, positive
    at 0 and negative at 1, so each is zero once.
    """

    def lower(share: float) -> float:
        return (
            (1 - share) * part.value
            - share * rest.value
            - math.hypot((1 - share) * (part.value - part.low), share * (rest.high - rest.value))
        )

    def upper(share: float) -> float:
        return (
            (1 - share) * part.value
            - share * rest.value
            + math.hypot((1 - share) * (part.high - part.value), share * (rest.value - rest.low))
        )

    value = part.value / (part.value + rest.value)
    low = _zero(lower) if part.low > 0 else 0.0
    high = _zero(upper) if rest.low > 0 else 1.0
    return Estimate(value, min(low, value), max(high, value))


def _zero(falling: Callable[[float], float]) -> float:
    """Return where a function that is positive at 0 and negative at 1 is zero."""
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return high
