"""Tests of ``custview_pipeline.audit.delivery_scores`` and ``findings``."""

from datetime import UTC, datetime

import polars as pl
import pytest

from custview_pipeline.audit.delivery_scores import DeliveryFacts, score_delivery
from custview_pipeline.audit.findings import findings_of
from custview_pipeline.audit.scorecard import SCORES, pool_by, score_ages, score_repeats
from custview_pipeline.contracts.audit_tables import AUDIT_FINDINGS, QUALITY_SCORES


def scored(**facts):
    found = score_delivery(DeliveryFacts("crm", **facts))
    assert found.schema == SCORES
    return {tuple(row[1:3]): row[3:] for row in found.iter_rows()}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, {}),
        ({"row_count": 10, "refused_count": 2}, {("record", "conformity"): (10, 2)}),
        (
            {"measured": {("email", "conformity"): 8, ("email", "accuracy"): 0}, "flawed": {("email", "conformity"): 3}},
            {("email", "conformity"): (8, 3)},
        ),
        (
            {"measured": {("email", "uniqueness"): 8}, "repeated": {"email": (100, 7)}},
            {("email", "uniqueness"): (100, 7)},
        ),
        ({"age_hours": 25.0, "freshness_hours": 24.0}, {("record", "timeliness"): (1, 1)}),
        ({"age_hours": 24.0, "freshness_hours": 24.0}, {("record", "timeliness"): (1, 0)}),
        ({"age_hours": None, "freshness_hours": 24.0}, {}),
        ({"age_hours": 99.0, "freshness_hours": None}, {}),
        ({"dated_count": 5, "stale_count": 2}, {("updated_at", "timeliness"): (5, 2)}),
    ],
    ids=[
        "nothing",
        "rows refused",
        "a field",
        "the whole delivery goes before its new rows",
        "late",
        "just in time",
        "the first",
        "nothing promised",
        "old records",
    ],
)
def test_a_delivery_is_scored_by_what_could_be_judged(facts, expected):
    assert scored(**facts) == expected


def test_scores_of_a_dimension_are_pooled_over_what_was_judged():
    facts = DeliveryFacts(
        "crm",
        measured={("a", "conformity"): 90, ("b", "conformity"): 10, ("a", "completeness"): 4},
        flawed={("b", "conformity"): 5},
    )
    assert pool_by(score_delivery(facts), "dimension").rows() == [("completeness", 1.0), ("conformity", pytest.approx(0.95))]
    assert pool_by(SCORES.to_frame(), "dimension").is_empty()


def test_scores_are_pooled_by_whatever_they_carry():
    rows = [("crm", "web", 10, 1), ("crm", "web", 10, 3), ("shop", None, 5, 5), ("shop", None, 0, 0)]
    scores = pl.DataFrame(rows, schema=["source_system", "channel", "judged_count", "failed_count"], orient="row")
    assert pool_by(scores, "channel").rows() == [("web", pytest.approx(0.8)), (None, 0.0)]
    assert pool_by(scores, "source_system", "channel").rows() == [("crm", "web", pytest.approx(0.8)), ("shop", None, 0.0)]


def test_repeats_are_values_beyond_the_first_of_a_source_and_attribute():
    rows = [
        ("crm", "email", 1),
        ("crm", "email", 1),
        ("crm", "email", None),
        ("web", "email", 1),
        ("crm", "phone", 1),
        ("crm", "phone", 1),
    ]
    claims = pl.DataFrame(rows, schema=["source_system", "attribute", "token"], orient="row")
    wanted = pl.DataFrame([("crm", "email"), ("web", "email")], schema=["source_system", "attribute"], orient="row")
    found = score_repeats(claims, wanted).sort("source_system")
    assert found.rows() == [("crm", "email", "uniqueness", 2, 1), ("web", "email", "uniqueness", 1, 0)]


def test_records_older_than_promised_are_counted():
    rows = [("crm", 10.0), ("crm", 30.0), ("crm", None), ("web", 99.0)]
    records = pl.DataFrame(rows, schema={"source_system": pl.String, "age_hours": pl.Float64}, orient="row")
    promised = pl.DataFrame({"source_system": ["crm", "web"], "record_age_hours": [24.0, None]})
    assert score_ages(records, promised).rows() == [("crm", "updated_at", "timeliness", 2, 1)]


@pytest.mark.parametrize(
    ("score", "target", "severity"), [(0.9, 0.9, None), (0.89, 0.9, "warning"), (0.7, 0.95, "error"), (0.0, 0.1, "warning")]
)
def test_a_finding_is_a_score_below_its_target(score, target, severity):
    now = datetime(2026, 1, 31, tzinfo=UTC)
    row = {
        "source_system": "crm", "channel": "web", "owner": "desk", "scope": "delivery", "delivery_id": "d1", "attribute": "email",
        "dimension": "conformity", "judged_count": 100, "failed_count": 1, "score": score, "target": target,
        "is_on_target": score >= target, "run_id": "r1", "measured_at": now,
    }  # fmt: skip
    found = findings_of(pl.DataFrame([row], schema=QUALITY_SCORES.types))
    AUDIT_FINDINGS.assert_holds(found)
    assert found["severity"].to_list() == ([severity] if severity else [])
    assert found.select("finding_id", "scope", "delivery_id", "owner").rows() == (
        [("crm.email.conformity", "delivery", "d1", "desk")] if severity else []
    )
