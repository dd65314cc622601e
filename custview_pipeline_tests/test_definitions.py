"""The code location: what ``workspace.yaml`` makes Dagster load."""

import subprocess
import sys

import dagster as dg
import pytest

from custview_pipeline import definitions
from custview_pipeline.defs.resources import ProjectResource
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.launch import write_home
from custview_pipeline_tests.worlds import SourceSpec, make_world


@pytest.fixture
def directory(tmp_path, monkeypatch):
    monkeypatch.setenv("CUSTVIEW_KEYS", str(tmp_path / "keys"))
    monkeypatch.delenv("CUSTVIEW_PROJECT", raising=False)
    monkeypatch.chdir(tmp_path)
    return make_world(tmp_path / "world", SourceSpec("crm")).directory


def loaded() -> dg.Definitions:
    found = definitions.custview()
    assert isinstance(found, dg.Definitions)
    return found


def test_the_entry_loads_the_project_that_the_environment_names(directory, monkeypatch):
    monkeypatch.setenv("CUSTVIEW_PROJECT", str(directory))
    found = loaded()
    project = found.resources["project"]
    assert isinstance(project, ProjectResource)
    assert project.directory == str(directory)
    assert {spec.key.to_user_string() for spec in found.resolve_all_asset_specs()} > {"crm_files", "crosswalk"}


def test_the_entry_loads_the_working_directory_where_that_is_a_project(directory, monkeypatch):
    monkeypatch.chdir(directory)
    assert "crm_changed" in {sensor.name for sensor in loaded().sensors}


def test_without_any_project_the_demo_is_made_and_loaded(tmp_path, directory):
    assert directory.is_dir()
    assert {sensor.name for sensor in loaded().sensors} > {"billing_changed", "web_shop_changed"}
    assert (tmp_path / ".custview" / "demo" / "custview.yaml").is_file()


def test_an_invalid_project_is_an_error_of_one_line_and_no_definitions(directory, monkeypatch):
    monkeypatch.setenv("CUSTVIEW_PROJECT", str(directory))
    (directory / "custview.yaml").write_text("name: [\n")
    with pytest.raises(ProjectInvalid, match=r"^custview\.yaml:2: not valid YAML"):
        loaded()


@pytest.mark.slow
def test_dagster_validates_the_workspace(directory, monkeypatch):
    monkeypatch.setenv("CUSTVIEW_PROJECT", str(directory))
    monkeypatch.setenv("DAGSTER_HOME", str(write_home(directory)))
    workspace = write_home(directory) / "workspace.yaml"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "dagster", "definitions", "validate", "-w", str(workspace)],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Validation successful for code location custview" in done.stdout + done.stderr
