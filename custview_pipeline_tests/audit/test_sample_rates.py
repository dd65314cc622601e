"""Tests of ``custview_pipeline.audit.sample_rates``: intervals that hold what they promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.audit.blind_sample import STRATA, allocate
from custview_pipeline.audit.sample_rates import StratumAnswers, jeffreys, rates_of, wilson

# pairs and share of errors by kind: of a lake that is matched well, and of others.
USUAL = {
    "joined, high": (40_000, 0.002),
    "joined, just above": (6_000, 0.04),
    "joined, below": (900, 0.2),
    "joined, no evidence of its own": (700, 0.3),
    "apart, above": (300, 0.4),
    "apart, review": (1_500, 0.15),
    "apart, near miss": (30_000, 0.004),
}
POOR = {name: (size, min(1.0, 5 * errors)) for name, (size, errors) in USUAL.items()}
EVEN = {name: (size, 0.5) for name, (size, _) in USUAL.items()}
GOOD = {name: (size, errors / 4) for name, (size, errors) in USUAL.items()}
COUNTS = st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 5))


def answers(stratum, errors, judged, *, pairs=1_000, unsure=0):
    """Build the answers of a stratum of which matching has so many wrong."""
    right = judged - errors
    same, different = (right, errors) if STRATA[stratum].is_joined else (errors, right)
    return StratumAnswers(stratum, pairs, same, different, unsure)


def true_rates(population):
    joined = {name: own for name, own in population.items() if STRATA[name].is_joined}
    pairs = sum(size for size, _ in joined.values())
    false = sum(size * errors for size, errors in joined.values()) / pairs
    missed = sum(size * errors for name, (size, errors) in population.items() if name not in joined)
    return false, missed / (missed + pairs * (1 - false))


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(0, 10, 0.0, 0.27753), (1, 10, 0.01788, 0.40415), (5, 10, 0.23659, 0.76341), (10, 10, 0.72247, 1.0), (0, 1, 0.0, 0.79345)],
)
def test_a_kind_alone_has_the_interval_of_wilson(count, of, low, high):
    assert wilson(count, of) == pytest.approx((count / of, low, high), abs=1e-5)


@pytest.mark.parametrize(("count", "of"), [(0, 1), (0, 50), (3, 50), (25, 50), (50, 50)])
def test_the_interval_of_jeffreys_leaves_a_fortieth_of_its_distribution_on_either_side(count, of):
    from scipy.special import betainc

    value, low, high = jeffreys(count, of)
    assert low <= value <= high
    for limit, tail in ((low, 0.025), (high, 0.975)):
        if 0 < limit < 1:
            assert betainc(count + 0.5, of - count + 0.5, limit) == pytest.approx(tail)


def test_rates_are_those_of_the_population_and_not_of_the_sample():
    found = rates_of(
        [
            answers("joined, high", 0, 10, pairs=9_000),
            answers("joined, below", 5, 10, pairs=1_000),
            answers("apart, review", 1, 4, pairs=2_000),
        ]
    )
    assert found.false_merges.value == pytest.approx(0.05)
    assert found.missed_merges.value == pytest.approx(500 / (500 + 9_500))
    assert (found.joined_pairs, found.apart_pairs, found.uncovered_pairs) == (10_000, 2_000, 0)


@pytest.mark.parametrize("judged", [1, 5, 50, 500])
def test_a_sample_in_which_all_is_right_still_leaves_room_for_errors(judged):
    found = rates_of([answers(name, 0, judged) for name in STRATA])
    for rate in (found.false_merges, found.missed_merges):
        assert rate.value == rate.low == 0.0
        assert rate.high > 0.25 / (judged + 1)


def test_a_sample_in_which_all_is_wrong_still_leaves_room_for_right_ones():
    found = rates_of([answers(name, 50, 50) for name in STRATA])
    assert found.false_merges.value == found.false_merges.high == 1.0
    assert found.false_merges.low < 0.99
    assert found.missed_merges.value == found.missed_merges.high == 1.0


def test_answers_that_are_not_sure_change_no_rate_but_are_not_hidden():
    sure = [answers("joined, high", 1, 20), answers("apart, review", 3, 20)]
    unsure = [answers("joined, high", 1, 20, unsure=9), answers("apart, review", 3, 20, unsure=1)]
    assert rates_of(sure).false_merges == rates_of(unsure).false_merges
    assert rates_of(sure).missed_merges == rates_of(unsure).missed_merges
    assert [own.unsure_count for own in rates_of(unsure).strata] == [9, 1]


def test_kinds_of_which_every_answer_is_unsure_are_not_covered():
    found = rates_of([answers("joined, high", 0, 10, pairs=100), answers("joined, below", 0, 0, pairs=77, unsure=4)])
    assert (found.joined_pairs, found.uncovered_pairs) == (100, 77)


@pytest.mark.parametrize(
    ("strata", "is_false_told", "is_missed_told"),
    [
        ([], False, False),
        ([answers("apart, review", 0, 5)], False, False),
        ([answers("joined, high", 1, 5)], True, False),
        ([answers("joined, high", 5, 5), answers("apart, review", 0, 5)], True, False),
        ([answers("joined, high", 5, 5), answers("apart, review", 2, 5)], True, True),
        ([answers("joined, high", 0, 0, unsure=3), answers("apart, review", 2, 5)], False, False),
    ],
    ids=[
        "nothing",
        "none joined",
        "none apart",
        "none is one customer",
        "all that is one customer is apart",
        "none joined is sure",
    ],
)
def test_what_no_answer_is_about_is_not_told(strata, is_false_told, is_missed_told):
    found = rates_of(strata)
    assert (found.false_merges is not None, found.missed_merges is not None) == (is_false_told, is_missed_told)


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(list(STRATA)), COUNTS, min_size=1), st.integers(1, 10**9))
def test_every_rate_lies_in_its_interval_which_is_never_of_no_width(counts, pairs):
    found = rates_of([StratumAnswers(name, pairs, *own) for name, own in counts.items()])
    for rate in filter(None, (found.false_merges, found.missed_merges)):
        assert -1e-9 <= rate.low <= rate.value <= rate.high <= 1 + 1e-9
        assert rate.high - rate.low > 1e-3


@pytest.mark.parametrize(
    ("population", "drawn"), [(USUAL, 100), (USUAL, 400), (POOR, 200), (EVEN, 200), (GOOD, 200)],
    ids=["usual", "usual, more pairs", "poor", "even", "good"],
)  # fmt: skip
def test_of_many_samples_of_a_known_population_about_95_in_100_cover_the_truth(population, drawn):
    generator, rounds, truth = np.random.default_rng(7), 300, true_rates(population)
    shares, covered = allocate({name: size for name, (size, _) in population.items()}, drawn), np.zeros(2)
    for _ in range(rounds):
        strata = []
        for name, (size, errors) in population.items():
            wrong = round(size * errors)
            found = int(generator.hypergeometric(wrong, size - wrong, shares[name]))
            strata.append(answers(name, found, shares[name], pairs=size))
        rates = rates_of(strata)
        covered += [
            rate.low <= true <= rate.high for rate, true in zip((rates.false_merges, rates.missed_merges), truth, strict=True)
        ]
    assert (covered / rounds >= 0.92).all(), covered / rounds
    assert (covered / rounds <= 0.99).all(), covered / rounds
