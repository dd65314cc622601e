"""Whatever library fails, over whatever value: no trace of it in the terminal, the log, Dagster's storage or a file."""

import os
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

import dagster as dg
import pytest

from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.defs.resources import ProjectResource
from custview_pipeline.defs.sensors import evaluate
from custview_pipeline.launch import open_instance
from custview_pipeline_tests import failing
from custview_pipeline_tests.canaries import Planter, text_cells, watched
from custview_pipeline_tests.defs.conftest import surroundings
from custview_pipeline_tests.errors_of_libraries import LIBRARIES, error_of, fail
from custview_pipeline_tests.failing import EVERY, STAGES, fail_at_a_stage, source_of
from custview_pipeline_tests.planted import Finds, Search
from custview_pipeline_tests.postgres_servers import start_postgres
from custview_pipeline_tests.watched import Watcher
from custview_pipeline_tests.worlds import Outcome, SourceSpec, World, finish, make_world, people

pytestmark = pytest.mark.slow

PACKAGE: Final = str(Path(__file__).parents[1])
PATIENCE: Final = 240.0  # seconds; how long something may take on a machine that others use too


class Failed(NamedTuple):
    """A world in which commands failed over planted values.

    Attributes:
        texts: The values.
        said: What each command said.
        watcher: What was seen of its processes and files.
    """

    world: World
    texts: list[str]
    said: dict[str, Outcome]
    watcher: Watcher | None = None

    @property
    def search(self) -> Search:
        """Return the search for all that was planted."""
        return Search.for_texts([*self.texts, "Canary"])

    def finds(self) -> dict[str, Finds]:
        """Search everything that the commands wrote or said."""
        search = self.search
        pieces = [(f"said: {name}", f"{said.out}{said.err}".encode()) for name, said in self.said.items()]
        if self.watcher:
            pieces += [(f"process {number}", said) for number, said in self.watcher.processes.items()]
            pieces += [(f"short-lived file {name}", content) for name, content in self.watcher.files.items()]
        folders = search.in_folder(self.world.root, leaving_out=[self.world.directory / "data"])
        return folders | search.in_pieces(pieces)


def plant(root: Path) -> tuple[World, Planter]:
    """Return a world with a source for each library, each with planted rows."""
    planter = Planter()
    world = make_world(root, *(SourceSpec(source_of(library)) for library in LIBRARIES))
    for source in world.sources:
        world.deliver(source, [planter.person() | {"ref": f"{source}-{number}"} for number in range(2)])
    return world, planter


@pytest.fixture(scope="module")
def airlocks(tmp_path_factory: pytest.TempPathFactory) -> Failed:
    """Return a run in which the airlock of each source failed by another library."""
    world, planter = plant(tmp_path_factory.mktemp("airlocks"))
    outcome, watcher = watched(world, "-m", failing.__name__, "run", "--project", world.directory, PYTHONPATH=PACKAGE)
    return Failed(world, planter.texts, {"run": outcome}, watcher)


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_run_names_the_kind_of_error_and_where_it_was(airlocks, library):
    kind, source = type(error_of(library, "Wilhelmina Quenneville")).__name__, source_of(library)
    told = [line for line in airlocks.said["run"].err.splitlines() if line.startswith(f"failed {source}_delivery: ")]
    assert len(told) == 1
    assert f"{source}: the airlock failed: {kind} at custview_pipeline/flows/examine.py:" in told[0]


def test_a_run_in_which_every_library_fails_in_the_airlock_leaks_nothing(airlocks):
    assert airlocks.said["run"].code == 1
    assert airlocks.finds() == {}


def test_the_events_of_that_run_were_there_to_be_searched(airlocks):
    assert events(airlocks.world, "event LIKE '%the airlock failed%'") >= len(LIBRARIES)


def test_nor_where_dagster_keeps_its_runs_in_postgresql(tmp_path_factory):
    world, planter = make_world(tmp_path_factory.mktemp("postgres_errors") / "world", SourceSpec(EVERY)), Planter()
    world.deliver(EVERY, [planter.person() | {"ref": f"{EVERY}-{number}"} for number in range(3)])
    with start_postgres(tmp_path_factory.mktemp("runtime"), tmp_path_factory.mktemp("postgres") / "data") as database:
        command = ("-m", failing.__name__, "run", "--project", world.directory)
        outcome, watcher = watched(world, *command, PYTHONPATH=PACKAGE, CUSTVIEW_POSTGRES_URL=database.url)
        cells = "\n".join(text_cells(database.url))
        failed = Failed(world, planter.texts, {"run": outcome}, watcher)
        assert outcome.code == 1
        assert f"{EVERY}: the airlock failed" in cells, "Dagster keeps its runs elsewhere"
        assert failed.finds() == {}
        assert failed.search.in_text(cells) == set()
        assert failed.search.in_folder(database.folder) == {}


@pytest.fixture
def settled(tmp_path: Path) -> World:
    """Return a world that ran once."""
    world = make_world(tmp_path, SourceSpec("crm"))
    world.deliver("crm", people(12, of="crm"))
    assert world.refresh().code == 0
    return world


def test_a_run_in_which_a_library_fails_at_any_later_stage_leaks_nothing(settled):
    planter, said = Planter(), {}
    for number, stage in enumerate(STAGES):
        settled.deliver("crm", people(13 + number, of="crm"))
        with pytest.MonkeyPatch.context() as patch:
            fail_at_a_stage(patch, stage, f"{planter.word()} {planter.word()}")
            said[stage] = settled.refresh()
        assert said[stage].code == 1
        assert f"{stage} failed: " in said[stage].err
    assert Failed(settled, planter.texts, said).finds() == {}
    assert settled.refresh().code == 0


def skipped_because_of(library: str, world: World, instance: dg.DagsterInstance) -> str:
    """Return why a sensor skips whose look at the files fails by a library."""
    with pytest.MonkeyPatch.context() as patch, surroundings(world, {}):
        patch.setattr("custview_pipeline.defs.sensors._fingerprint", lambda *_: fail(library, "Canary Wilhelmina"))
        contract = load_project(world.directory).contract_of("crm")
        result = evaluate(dg.build_sensor_context(instance=instance), contract, ProjectResource(directory=str(world.directory)))
    assert isinstance(result, dg.SensorResult)
    assert not result.run_requests
    assert "Canary" not in str(result.cursor)
    return str(result.skip_reason.skip_message)


def test_a_sensor_whose_look_at_the_files_fails_skips_and_names_the_kind(tmp_path):
    world = make_world(tmp_path, SourceSpec("crm"))
    world.deliver("crm", people(1, of="crm"))
    os.utime(world.file("crm"), (0, 0))
    with open_instance(world.directory) as instance:
        for library in LIBRARIES:
            said = skipped_because_of(library, world, instance)
            assert said.startswith("looking at crm failed: ")
            assert type(error_of(library, "any value")).__name__ in said
            assert "Canary" not in said


SABOTAGE: Final = f"from {failing.__name__} import fail_in_the_airlock\nfail_in_the_airlock()\n"


@pytest.mark.thorough
def test_under_the_ui_and_its_daemon_a_run_in_which_every_library_fails_leaks_nothing(tmp_path_factory):
    root = tmp_path_factory.mktemp("up")  # short: Dagster's sockets are in its temporary folder
    world, planter = make_world(root / "world", SourceSpec(EVERY)), Planter()
    world.deliver(EVERY, [planter.person() | {"ref": f"{EVERY}-{number}"} for number in range(3)])
    os.utime(world.file(EVERY), (0, 0))
    (root / "site").mkdir()
    (root / "site" / "sitecustomize.py").write_text(SABOTAGE, encoding="utf-8")  # every process of Python runs it first
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ("-m", "custview_pipeline", "up", "--project", world.directory, "--port", str(port))
    server = world.start(*command, PYTHONPATH=os.pathsep.join([str(root / "site"), PACKAGE]))
    watcher = Watcher(server, world.root / "tmp", world.root / "work")
    watcher.start()
    said: list[Outcome] = []
    reader = threading.Thread(target=lambda: said.append(finish(server, seconds=2 * PATIENCE)))  # a full pipe would stop it
    reader.start()
    try:
        until("a run that a sensor started fails", lambda: events(world, "dagster_event_type = 'PIPELINE_FAILURE'"))
    finally:
        server.send_signal(signal.SIGINT)
        reader.join()
        watcher.join()
    assert f"Failure: {EVERY}: the airlock failed: " in said[0].err
    assert Failed(world, planter.texts, {"up": said[0]}, watcher).finds() == {}


def until(what: str, happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(1)


def events(world: World, condition: str) -> int:
    """Return how many events of Dagster's storage in SQLite meet a condition."""
    found = 0
    for path in (world.directory / ".custview" / "dagster").rglob("*.db"):
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'event_logs'").fetchone():
                found += database.execute(f"SELECT count(*) FROM event_logs WHERE {condition}").fetchone()[0]
    return found
