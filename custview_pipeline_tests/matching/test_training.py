"""Tests of ``custview_pipeline.matching.training``."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.matching.comparisons import COMPARISONS
from custview_pipeline.matching.model import HOUSEHOLD_SAME_GIVEN
from custview_pipeline.matching.patterns import LEVEL_BITS, PatternCounts
from custview_pipeline.matching.priors import packaged_model
from custview_pipeline_tests.matching.counted_patterns import (
    FAMILY,
    GIVEN,
    NAME_AND_BIRTH,
    NAMESAKE,
    PERSON,
    RELATIVE,
    SAME,
    STRANGER,
    TYPO,
    answered,
    counted,
    learned,
    packed,
    weights,
)

ENTERPRISE = COMPARISONS[EntityType.ENTERPRISE]
IDENTIFIER = next(comparison for comparison in PERSON if comparison.name == "identifier")
CASES = {
    "typical": learned(),
    "everyone alike": learned(counted((SAME, 5000)), counted((SAME, 100_000))),
    "nothing compared": learned(counted(), counted()),
    "all silent": learned(counted(((0, 0, 0), 50)), counted(((0, 0, 0), 50))),
    "two records": learned(counted((SAME, 1)), counted((SAME, 1)), records=2),
    "one record": learned(counted(), counted(), records=1),
    "one comparison": learned(counted(((1,), 20)), counted(((8,), 500)), comparisons=(GIVEN,)),
    "answers only": learned(counted(), counted(), labelled=answered((SAME, True, 3), (RELATIVE, False, 3))),
    "every comparison": learned(counted(), counted(), comparisons=PERSON),
    "enterprises": learned(counted(), counted(), comparisons=ENTERPRISE, entity_type=EntityType.ENTERPRISE),
}


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def model(request):
    return request.param


def test_the_levels_of_each_class_have_probabilities_that_add_up_to_one(model):
    for rows in (model.match, model.household, model.unrelated):
        for comparison, row in zip(model.comparisons, rows, strict=True):
            assert row[0] == 0.0, "silence has no probability"
            assert len(row) == 1 + len(comparison.labels)
            assert sum(row) == pytest.approx(1.0)
            assert all(0.0 < probability <= 1.0 for probability in row[1:])


def test_the_shares_of_the_classes_add_up_to_one(model):
    assert sum(model.shares) == pytest.approx(1.0)
    assert all(0.0 < share < 1.0 for share in model.shares)


def test_the_same_counts_give_the_same_model():
    assert learned() == learned()
    assert learned().version == learned().version


def test_more_agreement_is_more_evidence():
    same, typo, other = weights(learned(), SAME, TYPO, STRANGER)

    assert same > typo > 0 > other


def test_members_of_one_household_are_no_match():
    assert weights(learned(), RELATIVE)[0] < 0


def test_silence_is_no_evidence():
    with_birth, without = weights(learned(), (1, 1, 6), (1, 1, 0))

    assert with_birth < without


def test_what_is_common_among_strangers_says_less():
    common = learned(strangers=counted((STRANGER, 5000), (NAMESAKE, 5000)))
    rare = learned(strangers=counted((STRANGER, 9990), (NAMESAKE, 10)))

    assert weights(rare, (1, 0, 0)) > weights(common, (1, 0, 0))


def test_given_names_of_a_household_are_those_of_strangers_but_for_those_that_run_in_the_family():
    model = learned()

    assert model.household[0][1] == pytest.approx(HOUSEHOLD_SAME_GIVEN + (1 - HOUSEHOLD_SAME_GIVEN) * model.unrelated[0][1])


def test_with_nothing_to_learn_from_a_model_is_the_packaged_one():
    model, packaged = learned(counted(), counted()), packaged_model(EntityType.PERSON, NAME_AND_BIRTH)

    for rows, known in (
        (model.match, packaged.match),
        (model.household, packaged.household),
        (model.unrelated, packaged.unrelated),
    ):
        assert [pytest.approx(row) for row in rows] == list(known)


def test_the_packaged_model_fades_with_the_number_of_records():
    def moved(times: int) -> float:
        found = learned(
            counted((SAME, 40 * times), ((1, 2, 1), 60 * times)), counted((STRANGER, 500 * times)), records=100 * times
        )
        return found.match[1][2]  # the share of typos in family names: 0.6 here, hardly any in the packaged model

    assert moved(1) < moved(10) < moved(1000) < 0.61
    assert moved(1000) == pytest.approx(0.6, abs=0.01)


def test_what_national_ids_disagree_in_is_told_by_strangers():
    def bits(strangers: PatternCounts) -> list[float]:
        model = learned(counted(), strangers, comparisons=(IDENTIFIER,))
        return [np.log2(model.match[0][level] / model.unrelated[0][level]) for level in (3, 4)]

    only_national = bits(counted(((4,), 100_000)))
    only_others = bits(counted(((3,), 100_000)))

    assert all(each < -2 for each in [*only_national, *only_others]), "a disagreement never speaks for one customer"


LEVELS = st.tuples(*(st.integers(0, len(comparison.labels)) for comparison in NAME_AND_BIRTH))
COUNTS = st.dictionaries(LEVELS, st.integers(1, 5000), max_size=12)


@settings(max_examples=40, deadline=None)
@given(COUNTS, COUNTS, st.randoms(use_true_random=False))
def test_the_order_in_which_patterns_were_counted_does_not_matter(candidates, strangers, chance):
    shuffled = list(candidates.items())
    chance.shuffle(shuffled)
    one = learned(counted(*candidates.items()), counted(*strangers.items()))
    other = learned(counted(*shuffled), counted(*strangers.items()))

    assert one == other


def straightforward(model, rows):
    """Return the posteriors of three classes by the book, one pattern after the other."""
    found = []
    for levels in rows:
        joint = [
            share * np.prod([row[level] for row, level in zip(table, levels, strict=True) if level])
            for table, share in zip((model.match, model.household, model.unrelated), model.shares, strict=True)
        ]
        found.append(np.log2(joint[0] / (joint[1] + joint[2])))
    return found


@settings(max_examples=40, deadline=None)
@given(st.lists(LEVELS, min_size=1, max_size=8))
def test_a_weight_is_the_product_of_the_probabilities_by_the_book(rows):
    assert weights(CASES["typical"], *rows) == pytest.approx(straightforward(CASES["typical"], rows))


def test_answers_move_the_model_towards_them():
    """Strangers to the model: people who changed their family name, and whose birth date has a typo."""
    married = (1, 6, 3)
    said = answered((married, True, 30))
    before, after = learned(), learned(labelled=said)

    assert weights(after, married)[0] > weights(before, married)[0] + 1
    assert after.decision_count == 30
    assert after.version != before.version


def test_pairs_that_are_no_match_refine_the_household_and_not_the_strangers():
    before, after = learned(), learned(labelled=answered((RELATIVE, False, 40)))

    assert after.household[1][1] > before.household[1][1]
    for rows in zip(after.unrelated, before.unrelated, strict=True):
        assert rows[0] == pytest.approx(rows[1], abs=1e-3)


def test_an_answered_pair_is_no_candidate_any_more():
    """One pair, once as a candidate and once as an answer, that it is no match: it must not teach what a match is."""
    odd = (3, 4, 5)
    alone = learned(counted((SAME, 400), (odd, 1)), labelled=answered((odd, False, 1)))
    without = learned(counted((SAME, 400)), labelled=answered((odd, False, 1)))

    assert [pytest.approx(row) for row in alone.match] == list(without.match)


def test_few_answers_calibrate_nothing_and_many_do():
    few = answered((SAME, True, 10), (RELATIVE, False, 5))
    many = answered((SAME, True, 20), (NAMESAKE, True, 20), (RELATIVE, False, 20))

    assert learned(labelled=few).calibration == 0.0
    assert learned(labelled=many).calibration > 0.5


def test_a_pattern_is_split_in_halves_wherever_the_middle_is():
    for count in range(1, len(PERSON) + 1):
        comparisons = PERSON[:count]
        levels = [min(2, len(comparison.labels)) for comparison in comparisons]
        model = learned(counted((levels, 10_000)), counted(), comparisons=comparisons, records=1000)
        for place, level in enumerate(levels):
            assert max(model.match[place]) == model.match[place][level], (count, place)


@pytest.mark.slow
def test_two_hundred_thousand_patterns_are_learned_in_two_seconds():
    chance = np.random.default_rng(5)
    levels = np.stack([chance.integers(0, len(comparison.labels) + 1, 205_000) for comparison in PERSON], axis=1)
    found = np.unique((levels << (LEVEL_BITS * np.arange(len(PERSON)))).sum(axis=1))[:200_000]
    candidates = PatternCounts(found, chance.integers(1, 50, len(found)).astype(np.float64))
    before = time.process_time()
    learned(candidates, counted((tuple(len(c.labels) for c in PERSON), 100_000)), comparisons=PERSON, records=1_000_000)

    assert len(found) == 200_000
    assert time.process_time() - before < 2.0


def test_family_names_have_the_levels_that_the_tests_speak_of():
    assert (GIVEN.outcomes[0], GIVEN.outcomes[7], FAMILY.outcomes[1]) == ("same", "differs", "one_edit")
    assert packed(SAME) == 0x111
