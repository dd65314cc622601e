"""The graph that the UI draws: it is the architecture, so a change of it is a change of this page."""

import re
from datetime import UTC, datetime
from importlib.resources import as_file, files

import dagster as dg
import pytest

from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.audit.integrity import PROMISES
from custview_pipeline.contracts.odcs_quality import DIMENSIONS
from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.definitions import build_definitions
from custview_pipeline.defs.customers import CONTINUITY, DRIFT
from custview_pipeline.defs.intake import ERASED_BEFORE, REFUSED_SHARE, intake_keys
from custview_pipeline.defs.jobs import DOWNSTREAM
from custview_pipeline.defs.stages import is_whole
from custview_pipeline.validation.rules import rules_of

GROUPS = ("ingestion", "validation", "protection", "matching", "survivorship", "views", "audit")
SOURCES = ("billing", "crm", "support", "web_shop")

OF_A_SOURCE = {
    "{}_files": ("ingestion", set()),
    "{}_delivery": ("ingestion", {"{}_files"}),
    "{}_validation": ("validation", {"{}_delivery"}),
    "{}_protected": ("protection", {"{}_validation"}),
}
OF_CUSTOMERS = {
    "match_model": ("matching", {f"{source}_protected" for source in SOURCES}),
    "match_edges": ("matching", {"match_model"}),
    "match_groups": ("matching", {"match_edges"}),
    "match_runs": ("matching", {"match_edges"}),
    "match_volumes": ("matching", {"match_edges"}),
    "crosswalk": ("matching", {"match_groups"}),
    "cuid_history": ("matching", {"crosswalk"}),
    "review_tasks": ("matching", {"match_edges", "crosswalk"}),
    "golden_records": ("survivorship", {"crosswalk"}),
    "golden_lineage": ("survivorship", {"golden_records"}),
    "change_feed": ("survivorship", {"golden_records"}),
    "customer_core": ("views", {"golden_records", "crosswalk"}),
    "quality_scores": ("audit", {"customer_core", "golden_lineage"}),
    "audit_findings": ("audit", {"quality_scores"}),
}
EXPECTED = OF_CUSTOMERS | {
    key.format(source): (group, {dep.format(source) for dep in deps})
    for source in SOURCES
    for key, (group, deps) in OF_A_SOURCE.items()
}
CHECK_NAME = re.compile(rf"({'|'.join(DIMENSIONS)})__[a-z][a-z0-9_]*?__[a-z][a-z0-9_]*")


@pytest.fixture(scope="module")
def project():
    with as_file(files("custview_pipeline.demo") / "project") as directory:
        return load_project(directory)


@pytest.fixture(scope="module")
def definitions(project):
    return build_definitions(project)


@pytest.fixture(scope="module")
def specs(definitions):
    return {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}


@pytest.fixture(scope="module")
def checks(definitions):
    return sorted((key.asset_key.to_user_string(), key.name) for key in definitions.resolve_asset_graph().asset_check_keys)


def test_the_definitions_of_the_demo_load(definitions):
    dg.Definitions.validate_loadable(definitions)


def test_assets_groups_and_dependencies_are_these(specs):
    found = {key: (spec.group_name, {dep.asset_key.to_user_string() for dep in spec.deps}) for key, spec in specs.items()}
    assert found == EXPECTED


def test_groups_stand_in_the_order_of_the_flow(specs):
    for key, spec in specs.items():
        for dep in spec.deps:
            upstream = specs[dep.asset_key.to_user_string()]
            assert GROUPS.index(upstream.group_name) <= GROUPS.index(spec.group_name), key


def test_no_asset_is_an_orphan(specs):
    read = {dep.asset_key.to_user_string() for spec in specs.values() for dep in spec.deps}
    starts = {key for key, spec in specs.items() if not spec.deps}
    assert starts == {f"{source}_files" for source in SOURCES}
    assert set(specs) - read == {"match_runs", "match_volumes", "cuid_history", "review_tasks", "change_feed", "audit_findings"}


@pytest.mark.parametrize("key", sorted(EXPECTED))
def test_every_asset_says_what_a_reviewer_asks(specs, key):
    spec = specs[key]
    assert spec.group_name in GROUPS
    assert len(spec.description) > 20
    assert spec.owners
    assert spec.kinds
    assert spec.metadata["dagster/column_schema"].columns
    assert bool(spec.code_version) is not key.endswith("_files")


@pytest.mark.parametrize("key", sorted(EXPECTED))
def test_every_column_has_a_type_a_meaning_and_a_sensitivity(specs, key):
    for column in specs[key].metadata["dagster/column_schema"].columns:
        assert column.type
        assert column.description
        assert column.tags["sensitivity"]


BY_COMMANDS = {"review_assignments", "review_decisions", "review_samples", "steward_packs"}  # people make them, no run does


def test_assets_are_the_stored_tables(specs):
    said = ("table", "warnings_table", "held_table")
    told = {spec.metadata[name] for spec in specs.values() for name in said if name in spec.metadata}
    assert told | BY_COMMANDS == set(CONTRACTS)


def test_sources_name_their_contract(specs, project):
    for contract in project.contracts:
        for key in (f"{contract.source_system}_{what}" for what in ("files", "delivery", "validation", "protected")):
            assert specs[key].metadata["contract"] == contract.file
            assert specs[key].metadata["contract_version"] == contract.version
            assert specs[key].tags["custview/source"] == contract.source_system
            assert list(specs[key].owners) == [contract.owner]


def test_checks_are_the_rules_of_the_contracts_the_gates_and_the_promises(checks, project):
    of_sources = [
        (f"{contract.source_system}_validation", name)
        for contract in project.contracts
        for name in (*(rule.name for rule in rules_of(contract)), REFUSED_SHARE, ERASED_BEFORE)
    ]
    of_matching = [("match_volumes", DRIFT), ("crosswalk", CONTINUITY)]
    assert checks == sorted([*of_sources, *of_matching, *(("quality_scores", promise) for promise in PROMISES)])


def test_checks_are_named_by_dimension_attribute_and_rule(checks):
    assert [name for _, name in checks if not CHECK_NAME.fullmatch(name)] == []


def test_what_stops_the_line_is_marked_as_blocking(definitions):
    graph = definitions.resolve_asset_graph()
    blocking = {key.name for key in graph.asset_check_keys if graph.get_check_spec(key).blocking}
    assert blocking == {REFUSED_SHARE, *PROMISES}


def test_the_job_takes_everything_in_one_process_and_holds_the_tag_of_the_writer(definitions):
    job = definitions.resolve_job_def("refresh")
    assert job.tags["custview/writer"] == "lake"
    assert job.executor_def.name == "in_process"
    assert {node.name for node in job.nodes} == {
        *(f"admit_{source}" for source in SOURCES),
        "link_records",
        "elect_golden_records",
        "build_customer_core",
        "audit_lake",
    }


def test_whatever_follows_the_sources_is_named_for_the_sensors():
    assert {key.to_user_string() for key in DOWNSTREAM} == set(OF_CUSTOMERS)


def test_a_schedule_starts_a_whole_run_of_each_source_and_then_of_all_that_follows_every_night(definitions):
    schedule = definitions.resolve_schedule_def("nightly_reconciliation")
    assert (schedule.job.name, schedule.cron_schedule) == ("refresh", "30 2 * * *")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    with dg.build_schedule_context(
        repository_def=definitions.get_repository_def(), scheduled_execution_time=datetime(2026, 1, 2, tzinfo=UTC)
    ) as context:
        requests = schedule.evaluate_tick(context).run_requests
    assert all(is_whole(dg.DagsterRun(job_name="refresh", tags=dict(request.tags))) for request in requests)
    *of_sources, last = requests
    assert [set(request.asset_selection) for request in of_sources] == [set(intake_keys(source)) for source in SOURCES]
    assert last.asset_selection == DOWNSTREAM
    assert len({request.run_key for request in requests}) == len(SOURCES) + 1
    assert all(int(request.tags["dagster/priority"]) > int(last.tags["dagster/priority"]) for request in of_sources)


def test_each_source_has_a_job_that_takes_it_in_again_whole(definitions):
    assert not is_whole(dg.DagsterRun(job_name="refresh", tags=definitions.resolve_job_def("refresh").tags))
    for source in SOURCES:
        job = definitions.resolve_job_def(f"backfill_{source}")
        assert {node.name for node in job.nodes} & {f"admit_{other}" for other in SOURCES} == {f"admit_{source}"}
        assert {key.to_user_string() for key in job.asset_layer.executable_asset_keys} >= set(OF_CUSTOMERS)
        assert job.tags["custview/writer"] == "lake"
        assert is_whole(dg.DagsterRun(job_name=job.name, tags=dict(job.tags)))


def test_sensors_watch_each_source_failed_runs_and_runs_without_process(definitions):
    sensors = definitions.sensors
    expected = [*(f"{source}_changed" for source in SOURCES), "alert_of_failed_runs", "runs_without_process"]
    assert sorted(sensor.name for sensor in sensors) == sorted(expected)
    assert all(sensor.default_status is dg.DefaultSensorStatus.RUNNING for sensor in sensors)


def test_a_delivery_is_overdue_when_its_contract_says_so(specs, project):
    for contract in project.contracts:
        policy = specs[f"{contract.source_system}_delivery"].freshness_policy
        hours = policy and policy.fail_window.to_timedelta().total_seconds() / 3600
        assert hours == contract.freshness_hours
    assert any(contract.freshness_hours for contract in project.contracts)
