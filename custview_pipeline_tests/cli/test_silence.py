"""The command itself is silent: errors that no command tells of, and a database that cannot be opened."""

import subprocess
import sys

import dagster as dg
import pytest

from custview_pipeline.kernel.errors import Redacted
from custview_pipeline.launch import write_home
from custview_pipeline_tests.worlds import SourceSpec, make_world, people

BOOM = """
import sys
from custview_pipeline.cli.app import app, main
app.command("boom")(lambda: int("Wilhelmina Quenneville"))
sys.argv = ["custview", "boom"]
main()
"""
PASSWORD = "hunter2butlonger"
URLS = {
    "malformed": f"postgresql+psycopg2://custview:{PASSWORD}@[::1/runs",
    "no database": f"postgresql+psycopg2://custview:{PASSWORD}@127.0.0.1:1/runs",
    "no driver": f"postgresql+nothing://custview:{PASSWORD}@127.0.0.1/runs",
}


def test_an_error_that_no_command_tells_of_is_told_by_kind_and_place():
    done = subprocess.run([sys.executable, "-c", BOOM], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error ValueError at ")
    assert len(done.stderr.splitlines()) == 1
    assert "Wilhelmina" not in done.stderr + done.stdout


@pytest.fixture
def impatient(monkeypatch):
    """Let Dagster ask a database once."""
    monkeypatch.setattr("dagster_postgres.utils.retry_pg_connection_fn.__defaults__", (0, 0.0))


@pytest.mark.parametrize("url", URLS)
@pytest.mark.usefixtures("impatient")
def test_a_database_that_cannot_be_opened_is_told_without_its_password(tmp_path, url):
    world = make_world(tmp_path, SourceSpec("crm"))
    world.deliver("crm", people(1, of="crm"))
    outcome = world.refresh(CUSTVIEW_POSTGRES_URL=URLS[url])
    assert outcome.code == 1
    assert outcome.err.startswith("error opening Dagster's storage, the database of CUSTVIEW_POSTGRES_URL failed: ")
    assert len(outcome.err.splitlines()) == 1
    assert PASSWORD not in outcome.err + outcome.out


@pytest.mark.usefixtures("impatient")
def test_dagsters_own_processes_are_told_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("CUSTVIEW_POSTGRES_URL", URLS["malformed"])
    home = write_home(tmp_path)
    with pytest.raises(Redacted) as failed:
        dg.DagsterInstance.from_config(str(home)).event_log_storage.is_persistent  # noqa: B018 -- looking at it opens it
    assert PASSWORD not in str(failed.value)
