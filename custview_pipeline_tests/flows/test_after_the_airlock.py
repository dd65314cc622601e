"""Tests of ``link``, ``survive``, ``publish`` and ``assess``: from a filled lake to views and scores, run after run."""

import polars as pl
import pytest

from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.contracts.rulebook import Matching, Rulebook, parse_rulebook
from custview_pipeline.flows.current import current_crosswalk, current_index, current_records, mark_of
from custview_pipeline.flows.publish import current_core
from custview_pipeline.kernel.errors import Redacted
from custview_pipeline_tests.flows.conftest import ADA, FIRST_DELIVERY
from custview_pipeline_tests.flows.sealed_lake import Record, remove, take_in

ADA_AGAIN = Record(1, ADA, {"name": "Ada Winterbourne", "phone": "+12025559999", "country": "US"}, version=2)


def owners(house):
    return dict(current_crosswalk(house.lake.snapshot()).select("record_id", "cuid").rows())


def test_a_first_run_makes_customers_golden_records_and_a_view(finished):
    house, reports = finished
    known = owners(house)

    assert known[1] == known[2] != known[3]
    assert reports.linkage.record_count == len(FIRST_DELIVERY)
    assert reports.linkage.customer_count == reports.survival.golden_count == reports.publication.core_count == 5
    assert reports.linkage.largest_customer == 2
    assert not any(report.is_unchanged for report in (reports.linkage, reports.survival, reports.publication))


def test_every_promise_between_the_tables_is_kept(finished):
    _, reports = finished

    assert {promise.name: promise.broken_count for promise in reports.assessment.promises if promise.broken_count} == {}


def test_golden_records_point_to_the_most_trusted_valid_value(finished):
    house, _ = finished
    golden = house.lake.snapshot().read("golden_records").filter(pl.col("cuid") == owners(house)[1]).row(0, named=True)

    assert (golden["name"]["record_id"], golden["name"]["trust_score"]) == (1, 0.9)
    assert golden["email"]["record_id"] == 2
    assert golden["country"]["value"] == "US"
    assert (golden["record_count"], golden["source_count"]) == (2, 2)


def test_an_invalid_open_value_is_not_shown(finished):
    house, _ = finished
    core = house.lake.snapshot().read("customer_core")

    assert core.filter(pl.col("cuid") == owners(house)[3])["country"].to_list() == ["GB"]
    assert "email" in core.filter(pl.col("cuid") == owners(house)[3])["known_attributes"].to_list()[0]


@pytest.mark.parametrize("table", CONTRACTS)
def test_what_is_stored_keeps_its_contract_and_its_key(finished, table):
    frame = finished[0].lake.snapshot().read(table)

    CONTRACTS[table].assert_holds(frame)
    assert not frame.select(CONTRACTS[table].key).is_duplicated().any()


def test_a_second_run_of_the_same_input_changes_nothing_but_the_audit(once_run):
    before = once_run.lake.snapshot()
    again = once_run.run("run-2")
    after = once_run.lake.snapshot()

    assert all(report.is_unchanged for report in (again.linkage, again.survival, again.publication))
    changed = {table for table in CONTRACTS if before.table_version(table) != after.table_version(table)}
    assert changed <= {"quality_scores", "audit_findings"}


def test_reports_of_an_unchanged_run_count_what_is_stored(once_run, finished):
    first, again = finished[1].linkage, once_run.run("run-2").linkage

    for name in ("record_count", "customer_count", "largest_customer", "match_count", "possible_match_count", "review_count"):
        assert getattr(again, name) == getattr(first, name), name
    assert again.model_versions == tuple(sorted(first.model_versions))


def test_a_changed_record_makes_a_new_version_of_its_customer_only(once_run):
    cuid = owners(once_run)[1]
    take_in(once_run.lake, once_run.keyring, ADA_AGAIN)
    reports = once_run.run("run-2")

    assert reports.linkage.moved_count == 0
    assert reports.survival.changed_count == 1
    newest = once_run.lake.snapshot().read("golden_records").filter(pl.col("version") == 2).row(0, named=True)
    assert (newest["cuid"], newest["phone"]["record_version"]) == (cuid, 2)


def test_a_deleted_record_leaves_its_customer_and_an_empty_customer_ends(once_run):
    cuid = owners(once_run)[3]
    remove(once_run.lake, 3, version=2)
    reports = once_run.run("run-2")

    assert 3 not in owners(once_run)
    assert reports.linkage.moved_count == 1
    assert reports.survival.golden_count == 4
    assert reports.publication.core_count == 4
    assert cuid not in current_core(once_run.lake.snapshot())["cuid"].to_list()
    assert not [promise for promise in reports.assessment.promises if promise.broken_count]


def test_another_threshold_matches_again_and_another_trust_elects_again(once_run):
    stricter = once_run.run("run-2", rulebook=Rulebook(matching=Matching(match_weight=60.0)))
    assert not stricter.linkage.is_unchanged
    assert stricter.linkage.customer_count == 6

    trusting = Rulebook(matching=Matching(match_weight=60.0), trust={"web": {"default": 1.0}})
    again = once_run.run("run-3", rulebook=trusting)
    assert again.linkage.is_unchanged
    assert not again.survival.is_unchanged
    assert again.survival.changed_count == 1, "of the one customer that the web shop knows"


def test_another_strategy_elects_another_value(house):
    house.run("run-1", rulebook=parse_rulebook("survivorship: {attributes: {name: [most_recent]}}", file="rulebook.yaml"))
    golden = house.lake.snapshot().read("golden_records").filter(pl.col("cuid") == owners(house)[1])

    assert golden["name"].struct.field("record_id").to_list() == [2]


def test_an_empty_lake_passes_through_every_flow(empty_house):
    reports = empty_house.run()

    assert (reports.linkage.record_count, reports.linkage.largest_customer) == (0, 0)
    assert reports.survival.golden_count == reports.publication.core_count == 0
    assert not [promise for promise in reports.assessment.promises if promise.broken_count]


def test_scores_are_measured_against_their_targets_and_findings_name_the_owner(finished):
    house, reports = finished
    findings = house.lake.snapshot().read("audit_findings")
    late = findings.filter(pl.col("dimension") == "timeliness").row(0, named=True)

    assert 0 < reports.assessment.overall_score < 1
    assert late["finding_id"] == "crm.record.timeliness"
    assert (late["owner"], late["severity"], late["actual"]) == ("data-office", "error", 0.0)
    assert findings.height == len(reports.assessment.below_target)
    gaps = [target - score for *_, score, target in reports.assessment.below_target]
    assert gaps == sorted(gaps, reverse=True)


def test_a_source_that_promised_and_never_delivered_is_late(empty_house):
    take_in(empty_house.lake, empty_house.keyring, *FIRST_DELIVERY, is_delivered=False)
    reports = empty_house.run()

    assert ("crm", "record", "timeliness", 0.0, 0.9) in reports.assessment.below_target


def test_conformity_counts_the_invalid_address(finished):
    scores = finished[0].lake.snapshot().read("quality_scores")
    row = scores.filter(
        (pl.col("source_system") == "crm") & (pl.col("attribute") == "email") & (pl.col("dimension") == "conformity")
    ).row(0, named=True)

    assert (row["judged_count"], row["failed_count"]) == (1, 1)


STEPS = {
    "matching": ("link_change.match", "match_edges"),
    "survivorship": ("survive.hold_elections", "golden_records"),
    "building the core view": ("publish.build_core", "customer_core"),
    "the audit": ("assess.score_conformity", "quality_scores"),
}


def test_a_failing_stage_quotes_nothing_stores_nothing_and_can_be_run_again(house, monkeypatch):
    def fail(*_args, **_named):
        raise ValueError("could not convert Wilhelmina")

    for doing, (step, table) in STEPS.items():
        with monkeypatch.context() as patched:
            patched.setattr(f"custview_pipeline.flows.{step}", fail)
            with pytest.raises(Redacted, match=f"{doing} failed: ValueError") as failed:
                house.run()
        assert "Wilhelmina" not in str(failed.value)
        assert house.lake.snapshot().table_version(table) is None

    assert house.run("run-2").assessment.score_count > 0


def test_only_what_holds_now_is_current(house):
    take_in(house.lake, house.keyring, ADA_AGAIN)
    remove(house.lake, 3, version=2)
    snapshot = house.lake.snapshot()
    records = current_records(snapshot)

    assert dict(records.select("record_id", "version").rows())[1] == 2
    assert 3 not in records["record_id"]
    claims = current_index(snapshot, "claims", records)
    assert claims.filter(pl.col("record_id") == 1)["version"].unique().to_list() == [2]
    assert claims.filter(pl.col("record_id") == 3).is_empty()


def test_a_mark_changes_with_tables_and_settings(house):
    before = mark_of(house.lake.snapshot(), "protected_records", settings="a")

    assert mark_of(house.lake.snapshot(), "protected_records", settings="a") == before
    assert mark_of(house.lake.snapshot(), "protected_records", settings="b") != before
    take_in(house.lake, house.keyring, ADA_AGAIN)
    assert mark_of(house.lake.snapshot(), "protected_records", settings="a") != before


def test_stored_evidence_is_rounded_to_half_a_bit(finished):
    weights = finished[0].lake.snapshot().read("match_edges")["weight"]

    assert (weights * 2 == (weights * 2).round()).all()
