"""Tests of ``custview_pipeline.flows.rescore_edges``."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.matching_tables import MATCH_EDGES
from custview_pipeline.flows.models import new_rows
from custview_pipeline.flows.rescore_edges import count_decisions
from custview_pipeline.matching.comparisons import COMPARISONS
from custview_pipeline.matching.priors import packaged_model
from custview_pipeline_tests.factories import LATER
from custview_pipeline_tests.factories import edges as stored_edges

MODEL = packaged_model(EntityType.PERSON, COMPARISONS[EntityType.PERSON])
FIRM = packaged_model(EntityType.ENTERPRISE, COMPARISONS[EntityType.ENTERPRISE])
STRICTER = replace(MODEL, calibration=-2.0)


def lake(*edges):
    """Return a snapshot of edges (weight, rule, model)."""
    rows = [
        {"left_id": place, "right_id": 1000, "pattern": 0x11, "weight": weight, "rule": rule, "model_version": model.version}
        for place, (weight, rule, model) in enumerate(edges)
    ]
    models = new_rows([MODEL, FIRM], {}, run_id="run-1", now=LATER)
    return SimpleNamespace(read=lambda table, *_, **__: stored_edges(*rows) if table == MATCH_EDGES.name else models)


def counted(one, other, *edges):
    return count_decisions(lake(*edges), one, other, match_weight=0.5, review_weight=-1.0).rows()


def test_the_model_that_scored_decides_as_it_did():
    edges = [(0.5, "model", MODEL), (0.75, "model", MODEL), (-1.0, "model", MODEL)]

    assert counted(MODEL, MODEL, *edges) == [("POSSIBLE_MATCH", "POSSIBLE_MATCH", 2), ("MATCH", "MATCH", 1)]


def test_pairs_are_counted_that_another_model_decides_otherwise():
    edges = [(9.0, "model", MODEL), (9.0, "model", MODEL), (2.0, "model", MODEL), (-1.0, "model", MODEL)]

    assert counted(MODEL, STRICTER, *edges) == [
        ("MATCH", "MATCH", 2), ("MATCH", "POSSIBLE_MATCH", 1), ("POSSIBLE_MATCH", "NO_MATCH", 1),
    ]  # fmt: skip


@pytest.mark.parametrize("edge", [(9.0, "steward decision", MODEL), (9.0, "model", FIRM), (9.0, "model", STRICTER)])
def test_pairs_of_rules_of_other_types_and_of_unknown_models_are_left_out(edge):
    assert counted(MODEL, STRICTER, edge) == []


def test_how_rare_a_value_is_stays_as_it_was():
    """Agreement on a given name has a term frequency: what strangers share on average does not matter then."""
    rows = [list(row) for row in MODEL.unrelated]
    rows[0][1] *= 64
    commoner = replace(MODEL, unrelated=tuple(tuple(row) for row in rows))

    assert counted(MODEL, commoner, (1.0, "model", MODEL)) == [("MATCH", "MATCH", 1)]
