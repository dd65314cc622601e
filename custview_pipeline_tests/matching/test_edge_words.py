"""Tests of ``custview_pipeline.matching.edge_words``."""

import math
import re
from dataclasses import replace

import polars as pl
import pytest

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.matching.comparisons import COMPARISONS
from custview_pipeline.matching.edge_words import describe_edges, pattern_evidence, say_bits
from custview_pipeline.matching.model import MatchModel
from custview_pipeline_tests.factories import edges

FIRST_THREE = COMPARISONS[EntityType.PERSON][:3]


def even(levels, first):
    """Return level probabilities: the first as given, the rest shared evenly."""
    return (0.0, first, *[(1 - first) / (levels - 1)] * (levels - 1))


def tables(*firsts):
    return tuple(even(len(comparison.labels), first) for comparison, first in zip(FIRST_THREE, firsts, strict=True))


MODEL = MatchModel(
    EntityType.PERSON,
    FIRST_THREE,
    match=tables(0.8, 0.8, 0.8),
    household=tables(0.05, 0.8, 0.1),
    unrelated=tables(0.05, 0.05, 0.1),
    shares=(0.25, 0.25, 0.5),
    record_count=1000,
    calibration=0.5,
)
SAME_GIVEN, SAME_FAMILY, MIDDLE_DIFFERS = 1, 1 << 4, 3 << 8


def described(*rows):
    return describe_edges(edges(*rows), {MODEL.version: MODEL})["explanation"].to_list()


def edge(pattern, weight, **more):
    return {"left_id": 1, "right_id": 2, "pattern": pattern, "weight": weight, "model_version": MODEL.version, **more}


def test_a_pattern_is_weighed_against_what_is_likelier_otherwise():
    alone = pattern_evidence(MODEL, SAME_GIVEN)
    both = pattern_evidence(MODEL, SAME_GIVEN | SAME_FAMILY)

    assert alone.alternative == "unrelated"
    assert alone.starting_bits == pytest.approx(-1 + 0.5)
    assert [(level.comparison, level.level, level.meaning) for level in alone.levels] == [("given_name", 1, "same given name")]
    assert alone.bits == pytest.approx(-0.5 + 4)
    assert both.alternative == "household"
    assert [level.bits for level in both.levels] == pytest.approx([4, 0])
    assert both.starting_bits == pytest.approx(0.5)


def test_silence_alone_leaves_the_starting_odds():
    silent = pattern_evidence(MODEL, 0)
    assert silent.levels == ()
    assert silent.bits == silent.starting_bits


def test_an_impossible_level_counts_as_the_rarest():
    given = ((0.0, 1.0, *[0.0] * (len(FIRST_THREE[0].labels) - 1)), *MODEL.match[1:])
    (level,) = pattern_evidence(replace(MODEL, match=given), 2).levels
    assert -40 < level.bits < 0


def test_an_edge_says_the_weight_of_each_comparison_and_what_the_rarity_of_the_values_adds():
    (said,) = described(edge(SAME_GIVEN | MIDDLE_DIFFERS, 4.5))
    assert said == "starting odds -0.5, same given name +4.0, middle names differ -2.2, rarity of the values +3.2"
    assert sum(float(bits) for bits in re.findall(r"[+-]\d+\.\d", said)) == pytest.approx(4.5, abs=0.21)


def test_a_rule_that_decided_is_named_first_and_nothing_is_said_of_no_rarity():
    (said,) = described(edge(SAME_GIVEN, 3.5, rule="never across generations", decision="NO_MATCH"))
    assert said == "decided by never across generations, starting odds -0.5, same given name +4.0"


def test_common_values_take_evidence_away():
    assert described(edge(SAME_GIVEN, 1.5)) == ["starting odds -0.5, same given name +4.0, rarity of the values -2.0"]


def test_edges_keep_their_order_and_columns():
    found = edges(*(edge(pattern, 1.0) | {"left_id": pattern} for pattern in (SAME_FAMILY, SAME_GIVEN, SAME_FAMILY)))
    told = describe_edges(found, {MODEL.version: MODEL})
    assert told.drop("explanation").equals(found)
    assert told["explanation"].str.contains("family").to_list() == [True, False, True]


def test_an_edge_of_a_model_that_is_not_known_has_only_what_decided_it():
    assert described(edge(1, 2.0, model_version="other"), edge(1, 2.0, model_version="other", rule="same number")) == [
        "", "decided by same number",
    ]  # fmt: skip


def test_no_edge_is_no_explanation():
    told = describe_edges(edges(), {MODEL.version: MODEL})
    assert told.is_empty()
    assert told.schema["explanation"] == pl.String


@pytest.mark.parametrize(
    ("bits", "said"), [(7.24, "+7.2"), (-0.44, "-0.4"), (-0.01, "+0.0"), (0.0, "+0.0"), (math.inf, "+inf"), (-12.0, "-12.0")]
)
def test_bits_are_said_with_their_sign(bits, said):
    assert say_bits(bits) == said


def test_no_value_is_in_what_the_levels_mean():
    labels = {label for entity_type in EntityType for comparison in COMPARISONS[entity_type] for label in comparison.labels}
    assert all(re.fullmatch(r"[a-zA-Z ,-]+", label) for label in labels)
