"""Tests of ``custview_pipeline.matching.model``."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.matching_tables import MATCH_MODEL
from custview_pipeline.matching.comparisons import COMPARISONS, LEVEL_BITS, describe_pattern
from custview_pipeline.matching.model import PatternCounts, learn, unpack

PERSON = COMPARISONS[EntityType.PERSON]
GIVEN, FAMILY, _, _, BIRTH, *_ = PERSON
NAME_AND_BIRTH = (GIVEN, FAMILY, BIRTH)


def pack(levels):
    return sum(level << (LEVEL_BITS * place) for place, level in enumerate(levels))


def counted(*patterns):
    """Return pattern counts from (levels, count)."""
    ordered = sorted((pack(levels), count) for levels, count in patterns)
    return PatternCounts(np.array([p for p, _ in ordered], np.int64), np.array([n for _, n in ordered], np.float64))


def learned(candidates=None, strangers=None, *, comparisons=NAME_AND_BIRTH, records=1000, entity_type=EntityType.PERSON):
    candidates = candidates or counted(((1, 1, 1), 400), ((8, 1, 6), 300), ((1, 6, 6), 200), ((8, 6, 1), 100))
    strangers = strangers or counted(((8, 6, 6), 9000), ((1, 6, 6), 500), ((8, 1, 6), 300), ((0, 6, 5), 200))
    return learn(entity_type, comparisons, candidates, strangers, records)


def weights(model, *levels):
    """Return the evidence in bits for one customer, of each row of levels."""
    match, household, unrelated = model.log_likelihoods(np.array([pack(row) for row in levels], np.int64))
    return ((match - np.logaddexp(household, unrelated)) / np.log(2)).tolist()


CASES = {
    "typical": learned(),
    "everyone alike": learned(counted(((1, 1, 1), 5000)), counted(((1, 1, 1), 100_000))),
    "nothing compared": learned(counted(), counted()),
    "all silent": learned(counted(((0, 0, 0), 50)), counted(((0, 0, 0), 50))),
    "two records": learned(counted(((1, 1, 1), 1)), counted(((1, 1, 1), 1)), records=2),
    "every comparison": learned(counted(), counted(), comparisons=PERSON),
    "enterprises": learned(
        counted(), counted(), comparisons=COMPARISONS[EntityType.ENTERPRISE], entity_type=EntityType.ENTERPRISE
    ),
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


def test_the_model_keeps_the_contract_of_its_table(model):
    frame = model.to_frame()

    MATCH_MODEL.assert_holds(frame)
    assert frame.select("comparison", "level").is_duplicated().sum() == 0


def test_the_same_counts_give_the_same_model():
    assert learned() == learned()
    assert learned().version == learned().version


@pytest.mark.parametrize(
    "change",
    [
        {"shares": (0.1, 0.1, 0.8)},
        {"entity_type": EntityType.ENTERPRISE},
        {"comparisons": (FAMILY, GIVEN, BIRTH)},
        {"match": tuple((*row[:-1], row[-1] / 2) for row in learned().match)},
        {"household": tuple((*row[:-1], row[-1] / 2) for row in learned().household)},
        {"unrelated": tuple((*row[:-1], row[-1] / 2) for row in learned().unrelated)},
    ],
    ids=["shares", "entity type", "comparisons", "match", "household", "unrelated"],
)
def test_the_version_changes_with_whatever_decides_a_score(change):
    assert replace(learned(), **change).version != learned().version


def test_more_agreement_is_more_evidence():
    same, typo, other = weights(learned(), (1, 1, 1), (3, 1, 3), (8, 6, 6))

    assert same > typo > 0 > other


def test_members_of_one_household_are_no_match():
    assert weights(learned(), (8, 1, 6))[0] < 0


def test_silence_is_no_evidence():
    with_birth, without = weights(learned(), (1, 1, 6), (1, 1, 0))

    assert with_birth < without


def test_what_is_common_among_strangers_says_less():
    common = learned(strangers=counted(((8, 6, 6), 5000), ((1, 6, 6), 5000)))
    rare = learned(strangers=counted(((8, 6, 6), 9990), ((1, 6, 6), 10)))

    assert weights(rare, (1, 0, 0)) > weights(common, (1, 0, 0))


def test_patterns_come_apart_again():
    levels = [(1, 0, 15), (8, 6, 6), (0, 0, 0)]

    assert unpack(np.array([pack(row) for row in levels], np.int64), 3).tolist() == [list(row) for row in levels]


def test_a_pattern_can_be_told_in_words():
    assert describe_pattern(pack((1, 0, 6)), NAME_AND_BIRTH) == ["same given name", "birth years differ"]


@pytest.mark.parametrize("entity_type", EntityType)
def test_every_level_has_a_label_and_its_priors(entity_type):
    for comparison in COMPARISONS[entity_type]:
        levels = len(comparison.labels)
        assert levels < 1 << LEVEL_BITS
        assert len(comparison.match_prior) == levels
        assert comparison.household_prior is None or len(comparison.household_prior) == levels
        assert all(1 <= level <= levels for level, _ in comparison.frequency)
        assert len(COMPARISONS[entity_type]) * LEVEL_BITS < 63


def test_the_table_tells_each_level_in_words():
    frame = learned().to_frame()

    assert frame.filter(pl.col("comparison") == "family_name")["meaning"].to_list() == list(FAMILY.labels)
    assert frame["trained_on_count"].unique().to_list() == [1000]
