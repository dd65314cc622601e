"""Scores of a delivery: measured, held against the targets, stored, and taken up by the audit."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from custview_pipeline.contracts.audit_tables import AUDIT_FINDINGS, QUALITY_SCORES
from custview_pipeline.contracts.intake_tables import DELIVERIES
from custview_pipeline.contracts.rulebook import QualityTargets
from custview_pipeline.contracts.source_contract import SourceColumn
from custview_pipeline.flows.score import JudgedDelivery, delivery_scores, last_delivered_at, scores_of_delivery
from custview_pipeline.standardisation.standardise import standardise
from custview_pipeline.validation.entries import DeliveryCount
from custview_pipeline.validation.screen import screen
from custview_pipeline.validation.verdicts import verdicts
from custview_pipeline_tests.flows.sealed_lake import take_in
from custview_pipeline_tests.validation.batches import CANARY, a_contract, an_entry, raw

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
COLUMNS = (
    SourceColumn("mail", "email", is_critical=True),
    SourceColumn("born", "birth_date"),
    SourceColumn("ssn", "national_id", scheme="us.ssn"),
    SourceColumn("badge", "tax_id", scheme="our.badge"),
    SourceColumn("changed", "updated_at"),
)
CRM = a_contract(
    *COLUMNS,
    source_system="crm",
    channel="store",
    owner="desk",
    freshness_hours=24.0,
    record_age_hours=24.0 * 365,
    quality=(an_entry("duplicateValues", "mail", severity="warning"),),
    quality_targets={"completeness": 0.5},
    attribute_targets={"email": {"conformity": 0.2}},
)
ROWS = raw(
    mail=["ada@example.org", "ada@example.org", "nobody at all", None],
    born=["1985-03-12", "1985-02-30", "2985-03-12", None],
    ssn=["536-90-4399", "000-12-3456", None, None],
    badge=["B1234", None, None, None],
    changed=["2026-06-01", "2019-06-01", None, "2026-06-29"],
)


def judged(contract=CRM, rows=ROWS, last=NOW - timedelta(hours=30)):
    batch = standardise(rows, contract, region="US", today=NOW.date())
    screened = screen(rows, batch, contract)
    count = DeliveryCount(contract)
    count.add(rows)
    came_out = verdicts(screened.tally, contract, row_count=rows.height, counted=count.broken())
    accepted = batch.records.filter(screened.is_accepted)["updated_at"]
    return JudgedDelivery(contract, "d1", screened.tally, came_out, accepted, last)


def scored(**changes):
    return delivery_scores(judged(**changes), QualityTargets(), run_id="r1", now=NOW)


def counts(scores: pl.DataFrame) -> dict[tuple[str, str], tuple[int, int]]:
    return {
        tuple(row[:2]): row[2:] for row in scores.select("attribute", "dimension", "judged_count", "failed_count").iter_rows()
    }


def test_a_delivery_is_scored_by_attribute_and_dimension():
    found = counts(scored().scores)
    assert found["record", "conformity"] == (4, 0)
    assert found["record", "timeliness"] == (1, 1)
    assert found["updated_at", "timeliness"] == (3, 1)
    assert found["email", "completeness"] == (4, 1)
    assert found["email", "conformity"] == (3, 1)
    assert found["email", "uniqueness"] == (4, 1)
    assert found["birth_date", "accuracy"] == (3, 2)
    assert found["birth_date", "conformity"] == (3, 0)
    assert found["national_id", "accuracy"] == found["national_id", "conformity"] == (2, 1)
    assert ("tax_id", "accuracy") not in found, "nobody can check a badge"


def test_scores_say_whose_they_are_and_keep_the_contract_of_the_table():
    found = scored()
    QUALITY_SCORES.assert_holds(found.scores)
    AUDIT_FINDINGS.assert_holds(found.findings)
    assert found.scores.select("channel", "owner", "scope", "delivery_id", "run_id").unique().rows() == [
        ("store", "desk", "delivery", "d1", "r1")
    ]
    assert CANARY not in str(
        delivery_scores(judged(rows=ROWS.with_columns(mail=pl.lit(CANARY))), QualityTargets(), run_id="r", now=NOW)
    )


def test_targets_are_the_attributes_then_the_contracts_then_the_rulebooks():
    targets = {(row["attribute"], row["dimension"]): row["target"] for row in scored().scores.iter_rows(named=True)}
    assert targets["email", "conformity"] == 0.2
    assert targets["birth_date", "completeness"] == 0.5
    assert targets["birth_date", "accuracy"] == QualityTargets().accuracy


def test_what_is_below_its_target_is_a_finding_for_the_owner():
    findings = {row["finding_id"]: row for row in scored().findings.iter_rows(named=True)}
    assert findings["crm.birth_date.accuracy"]["severity"] == "error"
    assert findings["crm.record.timeliness"]["owner"] == "desk"
    assert "crm.email.conformity" not in findings


@pytest.mark.parametrize(
    ("changes", "absent"),
    [
        ({"last": None}, ("record", "timeliness")),
        ({"contract": replace(CRM, freshness_hours=None)}, ("record", "timeliness")),
        ({"contract": replace(CRM, record_age_hours=None)}, ("updated_at", "timeliness")),
        ({"rows": ROWS.with_columns(changed=pl.lit(None, pl.String))}, ("updated_at", "timeliness")),
    ],
)
def test_what_nothing_is_promised_of_is_not_scored(changes, absent):
    assert absent not in counts(scored(**changes).scores)


def test_an_empty_delivery_has_the_score_of_its_time_only():
    assert set(counts(scored(rows=ROWS.clear()).scores)) == {("record", "timeliness")}


def store(house, scores, run_id="r1"):
    with house.lake.writer() as writer, writer.commit(run_id) as commit:
        commit.append(QUALITY_SCORES.name, scores.scores)
        commit.append(AUDIT_FINDINGS.name, scores.findings)


def test_stored_scores_are_told_by_dimension(empty_house):
    store(empty_house, scored())
    told = scores_of_delivery(empty_house.lake.snapshot(), "d1")
    assert list(told) == sorted(told)
    assert told["accuracy"] == pytest.approx(1 - 3 / 5)
    assert scores_of_delivery(empty_house.lake.snapshot(), "d2") == {}


def test_a_lake_without_deliveries_has_no_last_one(empty_house):
    assert last_delivered_at(empty_house.lake.snapshot(), "crm") is None
    take_in(empty_house.lake, empty_house.keyring)
    stored = empty_house.lake.snapshot().read(DELIVERIES.name)
    assert (
        last_delivered_at(empty_house.lake.snapshot(), "crm")
        == stored.filter(pl.col("source_system") == "crm")["delivered_at"].max()
    )


def test_the_audit_takes_consistency_and_accuracy_from_the_last_delivery(house):
    older = delivery_scores(judged(), QualityTargets(), run_id="r0", now=NOW - timedelta(days=1))
    store(house, older, "r0")
    better = ROWS.with_columns(born=pl.lit("1985-03-12"))
    store(house, delivery_scores(judged(rows=better), QualityTargets(), run_id="r1", now=NOW))
    house.run("run-2")
    stored = house.lake.snapshot().read(QUALITY_SCORES.name)
    of_records = stored.filter((pl.col("scope") == "records") & (pl.col("run_id") == "run-2"))
    assert counts(of_records)["birth_date", "accuracy"] == (4, 0)
    assert counts(of_records)["national_id", "accuracy"] == (2, 1)
    assert stored.filter(pl.col("scope") == "delivery")["run_id"].unique().sort().to_list() == ["r0", "r1"], "history is kept"
    QUALITY_SCORES.assert_holds(stored)
    assert not stored.select(QUALITY_SCORES.key).is_duplicated().any()


def test_critical_addresses_that_two_records_share_are_scored(house):
    columns = tuple(replace(column, is_critical=column.attribute == "email") for column in house.contracts[1].columns)
    replace(house, contracts=(house.contracts[0], replace(house.contracts[1], columns=columns))).run("run-2")
    found = counts(
        house.lake.snapshot().read(QUALITY_SCORES.name).filter((pl.col("run_id") == "run-2") & (pl.col("source_system") == "web"))
    )
    assert found["email", "uniqueness"] == (1, 0)
