"""What a killed ``custview up`` leaves is ended, and nothing else."""

import os
import subprocess
import sys

import psutil
import pytest

from custview_pipeline.defs.processes import Worker
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.launch.leftovers import end_leftovers, forget_server, note_server

# The child says that it is up: before that its environment may not be there to be read.
CHILD = "print('up', flush=True); input()"
LEADER = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {CHILD!r}]); input()"


@pytest.fixture
def server(tmp_path):
    """Return a process with a child, in a session of its own, that serves the project whose home is given."""
    environment = {**os.environ, "DAGSTER_HOME": str(tmp_path)}
    command = [sys.executable, "-c", LEADER]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout.readline() == b"up\n"
        yield process
        for left in [*psutil.Process(process.pid).children(), process] if psutil.pid_exists(process.pid) else []:
            left.kill()


@pytest.fixture
def orphaned(monkeypatch):
    """Let this process note itself as one that has gone."""
    here = Worker.here()
    monkeypatch.setattr(
        "custview_pipeline.launch.leftovers.Worker.here",
        lambda pid=None: here if pid is None else Worker(here.host, pid, 0.0),
    )
    monkeypatch.setattr(Worker, "is_alive", property(lambda worker: worker.pid != here.pid))


def test_where_nothing_was_served_nothing_is_ended(tmp_path):
    assert end_leftovers(tmp_path) == 0


@pytest.mark.usefixtures("orphaned")
def test_the_whole_session_of_a_server_without_keeper_is_ended(tmp_path, server):
    leader = psutil.Process(server.pid)
    family = [leader, *leader.children()]
    note_server(tmp_path, server.pid)
    assert end_leftovers(tmp_path) == 2
    assert psutil.wait_procs(family, timeout=10)[1] == []
    assert end_leftovers(tmp_path) == 0


@pytest.mark.usefixtures("orphaned")
def test_a_session_of_another_project_is_left_alone(tmp_path, server):
    other = tmp_path / "other"
    other.mkdir()
    note_server(other, server.pid)
    assert end_leftovers(other) == 0
    assert server.poll() is None


def test_a_server_whose_keeper_lives_is_not_ended_but_told_of(tmp_path, server):
    note_server(tmp_path, server.pid)
    with pytest.raises(ProjectInvalid, match=r"^custview up serves this project already"):
        end_leftovers(tmp_path)
    assert server.poll() is None
    forget_server(tmp_path)
    assert end_leftovers(tmp_path) == 0


@pytest.mark.parametrize("noted", ["", "{", "[]", "{}", '{"keeper": {}, "server": {}}', '{"keeper": 1, "server": 2}'])
def test_a_note_that_cannot_be_read_is_none(tmp_path, noted):
    (tmp_path / "serving.json").write_text(noted)
    assert end_leftovers(tmp_path) == 0
