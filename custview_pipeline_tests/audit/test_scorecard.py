"""Tests of ``custview_pipeline.audit.scorecard``."""

import polars as pl
import pytest

from custview_pipeline.audit.scorecard import (
    SCORES,
    against_targets,
    score_completeness,
    score_conformity,
    score_timeliness,
    score_uniqueness,
)
from custview_pipeline_tests.factories import crosswalk, cuid

TARGETS = {"completeness": 0.9, "conformity": 0.95, "uniqueness": 0.98, "timeliness": 0.9}


def target_of(_source_system, _attribute, dimension):
    return TARGETS[dimension]


def claims(*rows):
    schema = {"source_system": pl.String, "attribute": pl.String, "record_id": pl.Int64, "is_valid": pl.Boolean}
    default = {"source_system": "crm", "attribute": "email", "is_valid": True}
    return pl.DataFrame([{**default, **row} for row in rows], schema=schema)


def expected(count, source_system="crm", attribute="email"):
    return pl.DataFrame({"source_system": [source_system], "attribute": [attribute], "record_count": [count]})


def sources(*rows):
    schema = {"source_system": pl.String, "age_hours": pl.Float64, "freshness_hours": pl.Float64}
    return pl.DataFrame(list(rows), schema=schema, orient="row")


def counts(scores):
    assert scores.schema == SCORES
    return scores.select("judged_count", "failed_count").rows()


@pytest.mark.parametrize(
    ("record_count", "rows", "judged_and_failed"),
    [
        (4, [{"record_id": 1}, {"record_id": 2}], (4, 2)),
        (4, [{"record_id": 1}, {"record_id": 1}], (4, 3)),
        (4, [], (4, 4)),
        (4, [{"record_id": 1, "source_system": "web"}], (4, 4)),
        (0, [], (0, 0)),
        (1, [{"record_id": 1}, {"record_id": 2}], (1, 0)),
    ],
    ids=[
        "half",
        "two values of one record",
        "nothing given",
        "given by another source",
        "no records",
        "given by more than could",
    ],
)
def test_completeness_counts_records_without_the_attribute(record_count, rows, judged_and_failed):
    assert counts(score_completeness(expected(record_count), claims(*rows))) == [judged_and_failed]


def test_conformity_counts_values_that_break_their_standard():
    found = score_conformity(claims({"record_id": 1}, {"record_id": 1, "is_valid": False}, {"record_id": 2}))

    assert counts(found) == [(3, 1)]


def test_uniqueness_counts_records_beyond_the_first_of_a_customer():
    owners = [("crm", 1), ("crm", 1), ("crm", 1), ("crm", 2), ("web", 1)]
    rows = [{"record_id": n, "source_system": source, "cuid": cuid(number)} for n, (source, number) in enumerate(owners)]
    found = score_uniqueness(crosswalk(*rows)).sort("source_system")

    assert counts(found) == [(4, 2), (1, 0)]
    assert found["attribute"].to_list() == ["record", "record"]


@pytest.mark.parametrize(
    ("age", "promised", "expected_counts"),
    [(5.0, 24.0, [(1, 0)]), (24.0, 24.0, [(1, 0)]), (25.0, 24.0, [(1, 1)]), (None, 24.0, [(1, 1)]), (5.0, None, [])],
    ids=["fresh", "just in time", "late", "never delivered", "nothing promised"],
)
def test_timeliness_holds_a_source_to_its_promise(age, promised, expected_counts):
    assert counts(score_timeliness(sources(("crm", age, promised)))) == expected_counts


@pytest.mark.parametrize(
    ("judged", "failed", "score", "is_on_target"),
    [(10, 1, 0.9, True), (10, 2, 0.8, False), (0, 0, 1.0, True), (3, 3, 0.0, False)],
)
def test_a_score_is_the_share_that_passed(judged, failed, score, is_on_target):
    row = pl.DataFrame([("crm", "email", "completeness", judged, failed)], schema=SCORES, orient="row")
    found = against_targets(row, target_of).row(0, named=True)

    assert found["score"] == pytest.approx(score)
    assert found["target"] == 0.9
    assert found["is_on_target"] is is_on_target


def test_scores_come_in_order():
    rows = [("web", "email", "conformity", 1, 0), ("crm", "phone", "conformity", 1, 0), ("crm", "email", "conformity", 1, 0)]
    found = against_targets(pl.DataFrame(rows, schema=SCORES, orient="row"), target_of)

    assert found.select("source_system", "attribute").rows() == [("crm", "email"), ("crm", "phone"), ("web", "email")]


def test_an_empty_lake_has_no_scores():
    nothing = [score_conformity(claims()), score_uniqueness(crosswalk()), score_timeliness(sources())]

    assert against_targets(pl.concat(nothing), target_of).is_empty()
