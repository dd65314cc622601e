"""The job as Dagster runs it: what is materialised, what checks say, what a failure leaves undone."""

from datetime import timedelta

import dagster as dg
import pytest

from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.definitions import build_definitions
from custview_pipeline.defs import customers as defs_of_customers
from custview_pipeline.defs import intake as defs_of_intake
from custview_pipeline.defs.intake import FINGERPRINT_TAG, REFUSED_SHARE
from custview_pipeline.defs.jobs import DOWNSTREAM
from custview_pipeline.launch import open_instance
from custview_pipeline_tests.defs.conftest import CRM, run_job, surroundings
from custview_pipeline_tests.worlds import make_world, people

INTAKE = ("delivery", "validation", "protected")
NAMELESS = ("crm_validation", "completeness__full_name__required")
TABLES = {key.to_user_string() for key in DOWNSTREAM}


def intake(*sources):
    return {f"{source}_{what}" for source in sources for what in INTAKE}


def test_a_run_materialises_everything(first_run):
    _, ran = first_run
    assert ran.run.status is dg.DagsterRunStatus.SUCCESS
    assert ran.materialised == intake("crm", "shop") | TABLES


def test_a_run_tells_which_content_of_each_source_it_took_in(first_run):
    world, ran = first_run
    project = load_project(world.directory)
    for source in ("crm", "shop"):
        plain = SourceFiles(world.directory, project.contract_of(source)).fingerprint()
        told = ran.run.tags[f"{FINGERPRINT_TAG}{source}"]
        assert len(told) == 32
        assert told not in plain


def test_every_declared_check_has_a_result_with_counts(first_run):
    _, ran = first_run
    of_customers = {"match_volumes", "crosswalk", "quality_scores"}
    assert {asset for asset, _ in ran.checks} == {"crm_validation", "shop_validation", *of_customers}
    assert [name for name, result in ran.checks.items() if not result.passed] == [NAMELESS]
    for result in ran.checks.values():
        numbers = dg.IntMetadataValue | dg.FloatMetadataValue | dg.BoolMetadataValue
        assert all(isinstance(value, numbers) for value in result.metadata.values())


def test_rows_set_aside_warn_and_let_the_delivery_pass(first_run):
    check = first_run[1].checks[NAMELESS]
    assert (check.passed, check.severity, check.metadata["failed_count"].value) == (False, dg.AssetCheckSeverity.WARN, 1)


def test_metadata_are_numbers_flags_and_tables_of_names(first_run):
    _, ran = first_run
    kinds = {
        type(value)
        for event in ran.events
        if event.is_step_materialization
        for value in event.step_materialization_data.materialization.metadata.values()
    }
    assert kinds <= {dg.IntMetadataValue, dg.FloatMetadataValue, dg.BoolMetadataValue, dg.TableMetadataValue}


def test_the_audit_tells_the_scores_of_each_source_by_channel_owner_and_dimension(first_run):
    (metadata,) = [
        event.step_materialization_data.materialization.metadata
        for event in first_run[1].events
        if event.is_step_materialization and event.asset_key == dg.AssetKey("quality_scores")
    ]
    rows = [record.data for record in metadata["by_source"].records]
    assert {row["source_system"] for row in rows} == {"crm", "shop"}
    assert {"completeness", "conformity", "uniqueness"} <= {row["dimension"] for row in rows}
    assert all({"channel", "owner"} <= set(row) and 0 <= row["score"] <= 1 for row in rows)


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.parametrize(("days", "gone"), [(30, 0), (0, 1)])
def test_the_audit_lets_refused_rows_go_when_their_time_is_over(world, monkeypatch, days, gone):
    monkeypatch.setattr("custview_pipeline.flows.quarantine.RETENTION", timedelta(days=days))
    ran = run_job(world)
    (metadata,) = [
        event.step_materialization_data.materialization.metadata
        for event in ran.events
        if event.is_step_materialization and event.asset_key == dg.AssetKey("quality_scores")
    ]
    assert metadata["expired_quarantine_count"].value == gone


def test_row_counts_are_told_where_a_table_has_one(first_run):
    _, ran = first_run
    counts = {
        event.asset_key.to_user_string(): event.step_materialization_data.materialization.metadata["dagster/row_count"].value
        for event in ran.events
        if event.is_step_materialization
        and "dagster/row_count" in event.step_materialization_data.materialization.metadata
        and event.asset_key
    }
    assert (counts["crm_delivery"], counts["shop_delivery"], counts["crosswalk"]) == (31, 20, 50)
    assert counts["golden_records"] == counts["customer_core"] == 30
    assert set(counts) - {"crm_delivery", "shop_delivery"} <= set(CONTRACTS)


def test_a_second_run_of_the_same_files_changes_nothing(first_run):
    world, _ = first_run
    before = world.manifest()["tables"]
    again = run_job(world)
    after = world.manifest()["tables"]
    assert again.run.status is dg.DagsterRunStatus.SUCCESS
    assert again.materialised == intake("crm", "shop") - {"crm_delivery", "shop_delivery"} | TABLES  # nothing was delivered
    assert {name for name in after if after[name] != before[name]} <= {"quality_scores", "audit_findings"}
    told = [
        event.step_materialization_data.materialization.metadata
        for event in again.events
        if event.is_step_materialization and event.asset_key and event.asset_key.to_user_string() in intake("crm", "shop")
    ]
    assert [{name: value.value for name, value in metadata.items()} for metadata in told] == [{"is_unchanged": True}] * 4
    checks = [check for (asset, _), check in again.checks.items() if asset in {"crm_validation", "shop_validation"}]
    assert {check.description for check in checks} == {"unchanged: the delivery was taken in and judged before"}
    assert all(check.passed and not check.metadata for check in checks)


def test_every_stage_of_a_run_hears_whether_it_is_whole(tmp_path, monkeypatch):
    world, heard = make_world(tmp_path, CRM), {}
    world.deliver("crm", people(10, of="crm"))

    def listening(module, name):
        def stage(*arguments, **named):
            heard[name] = named["is_whole"] if "is_whole" in named else arguments[0].is_whole
            return real(*arguments, **named)

        real = getattr(module, name)
        monkeypatch.setattr(module, name, stage)

    listening(defs_of_intake, "deliver")
    for name in ("link", "survive", "publish", "assess"):
        listening(defs_of_customers, name)
    stages = ("deliver", "link", "survive", "publish", "assess")
    for options, is_whole in ((["--whole"], True), ([], False)):
        assert world.run("run", "--project", world.directory, *options).code == 0
        assert heard == dict.fromkeys(stages, is_whole)


def test_one_source_is_taken_in_alone_where_it_is_named(world):
    assert world.run("run", "--project", world.directory, "--source", "shop").code == 0
    assert world.export("crosswalk").count(b"\n") == 21
    wrong = world.run("run", "--project", world.directory, "--source", "shpo")
    assert wrong.code == 2
    assert "no source 'shpo' in this project" in wrong.err


def test_the_upkeep_of_the_lake_is_a_run_that_tells_what_it_removed(first_run):
    world, _ = first_run
    before = world.export("crosswalk")
    with surroundings(world, {}), open_instance(world.directory) as instance:
        job = build_definitions(load_project(world.directory)).resolve_job_def("lake_upkeep")
        run = instance.get_run_by_id(job.execute_in_process(instance=instance, raise_on_error=False).run_id)
    assert run.status is dg.DagsterRunStatus.SUCCESS
    assert run.tags["custview/writer"] == "lake"
    assert int(run.tags["custview/removed_files"]) >= 0
    assert world.export("crosswalk", "after") == before


def test_a_gate_that_stays_shut_fails_the_run_and_materialises_nothing_of_its_source(world):
    broken = [row | {"ref": None} for row in people(15, of="crm")]
    world.deliver("crm", [*broken, *people(15, of="crm")])
    ran = run_job(world)
    assert ran.run.status is dg.DagsterRunStatus.FAILURE
    assert ran.materialised == intake("shop")
    gate = ran.checks["crm_validation", REFUSED_SHARE]
    assert (gate.passed, gate.severity, gate.metadata["refused_count"].value) == (False, dg.AssetCheckSeverity.ERROR, 15)
    assert gate.description.startswith("crm: 15 of 30 rows (50.0%) are refused, more than the 10.0% that the contract allows")
    assert not ran.checks["crm_validation", "completeness__source_key__required"].passed
    assert f"{FINGERPRINT_TAG}crm" not in ran.run.tags


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "crm: the folder of data/crm/*.csv does not exist"),
        ("", "data/crm/rows.csv"),
        ("ref,kind\n1,person\n", "data/crm/rows.csv"),
    ],
    ids=["no folder", "empty file", "wrong header"],
)
def test_a_source_that_cannot_be_read_fails_in_one_line_and_stops_what_follows(tmp_path, content, said):
    world = make_world(tmp_path, CRM)
    if content is not None:
        world.deliver("crm", [])
        world.file("crm").write_text(content)
    ran = run_job(world)
    assert ran.run.status is dg.DagsterRunStatus.FAILURE
    assert ran.materialised == set()
    (failure,) = ran.failures
    assert said in failure
    assert "\n" not in failure
