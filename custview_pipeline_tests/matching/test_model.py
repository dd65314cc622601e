"""Tests of ``custview_pipeline.matching.model``."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.matching_tables import MATCH_MODEL
from custview_pipeline.kernel.errors import UnknownModel
from custview_pipeline.matching.comparisons import COMPARISONS, describe_pattern
from custview_pipeline.matching.model import MatchModel, repack
from custview_pipeline.matching.patterns import LEVEL_BITS, unpack
from custview_pipeline_tests.matching.counted_patterns import (
    FAMILY,
    NAME_AND_BIRTH,
    PERSON,
    counted,
    learned,
    packed,
    patterns,
    weights,
)


def test_the_columns_of_a_model_are_those_of_its_table_but_for_its_history():
    columns = learned().to_frame().columns

    assert columns == MATCH_MODEL.types.names()[: len(columns)]
    assert MATCH_MODEL.types.names()[len(columns) :] == ["base", "trained_by_run", "trained_at", "activated_at"]


@pytest.mark.parametrize("entity_type", EntityType)
def test_a_model_comes_back_from_its_rows_as_it_was(entity_type):
    model = replace(
        learned(counted(), counted(), comparisons=COMPARISONS[entity_type], entity_type=entity_type),
        calibration=-1 / 3,
        decision_count=7,
        is_imported=True,
    )

    again = MatchModel.from_frame(model.to_frame().sample(fraction=1, shuffle=True, seed=1))

    assert again == model
    assert again.version == model.version


@pytest.mark.parametrize(
    "change",
    [
        pl.when(pl.col("comparison") == "birth_date").then(pl.lit("shoe_size")).otherwise("comparison").alias("comparison"),
        pl.when(pl.col("comparison") == "birth_date").then(pl.col("level") + 1).otherwise("level").alias("level"),
    ],
    ids=["comparison", "level"],
)
def test_a_model_that_compares_what_this_package_does_not_is_refused(change):
    with pytest.raises(UnknownModel, match=r"compares (birth_date|shoe_size) in a way that this package does not"):
        MatchModel.from_frame(learned().to_frame().with_columns(change))


@pytest.mark.parametrize(
    "change",
    [
        {"shares": (0.1, 0.1, 0.8)},
        {"entity_type": EntityType.ENTERPRISE},
        {"comparisons": (FAMILY, PERSON[0], PERSON[4])},
        {"match": tuple((*row[:-1], row[-1] / 2) for row in learned().match)},
        {"household": tuple((*row[:-1], row[-1] / 2) for row in learned().household)},
        {"unrelated": tuple((*row[:-1], row[-1] / 2) for row in learned().unrelated)},
        {"calibration": 0.25},
    ],
    ids=["shares", "entity type", "comparisons", "match", "household", "unrelated", "calibration"],
)
def test_the_version_changes_with_whatever_decides_a_score(change):
    assert replace(learned(), **change).version != learned().version


@pytest.mark.parametrize("change", [{"record_count": 7}, {"decision_count": 7}, {"is_imported": True}])
def test_the_version_does_not_change_with_what_decides_no_score(change):
    assert replace(learned(), **change).version == learned().version


def test_calibration_is_added_to_every_weight():
    rows = [(1, 1, 1), (8, 6, 6), (0, 0, 0)]

    moved = np.array(weights(replace(learned(), calibration=1.5), *rows)) - weights(learned(), *rows)

    assert moved == pytest.approx([1.5, 1.5, 1.5])


def test_with_nothing_compared_the_weight_is_that_of_the_shares():
    model = learned()
    match, household, unrelated = model.shares

    assert weights(model, (0, 0, 0)) == pytest.approx([np.log2(match / (household + unrelated))])


def test_patterns_come_apart_again():
    levels = [(1, 0, 15), (8, 6, 6), (0, 0, 0)]

    assert unpack(patterns(*levels), 3).tolist() == [list(row) for row in levels]


@pytest.mark.parametrize(
    ("to", "levels"),
    [
        (NAME_AND_BIRTH, (1, 2, 3)),
        ((PERSON[4],), (3,)),
        ((PERSON[0], PERSON[2], PERSON[4]), (1, 0, 3)),
        ((PERSON[6],), (0,)),
    ],
)
def test_a_pattern_is_read_by_the_names_of_its_comparisons(to, levels):
    assert repack(patterns((1, 2, 3)), NAME_AND_BIRTH, to).tolist() == [packed(levels)]


def test_a_pattern_can_be_told_in_words():
    assert describe_pattern(packed((1, 0, 5)), NAME_AND_BIRTH) == ["same given name", "same birth year only"]


@pytest.mark.parametrize("entity_type", EntityType)
def test_every_level_has_a_label_and_a_short_name(entity_type):
    for comparison in COMPARISONS[entity_type]:
        assert len(comparison.labels) == len(comparison.outcomes) < 1 << LEVEL_BITS
        assert all(1 <= level <= len(comparison.labels) for level, _ in comparison.frequency)
    assert len(COMPARISONS[entity_type]) * LEVEL_BITS < 63


def test_the_table_tells_each_level_in_words():
    frame = learned().to_frame()

    assert frame.filter(pl.col("comparison") == "family_name")["meaning"].to_list() == list(FAMILY.labels)
    assert frame["trained_on_count"].unique().to_list() == [1000]
