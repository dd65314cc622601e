"""A run that is killed, doubled or repeated ends in the state of one that nobody disturbed."""

import json
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl
import psutil
import pytest

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.demo.world import generate
from custview_pipeline.flows.export import export_crosswalk, export_edges, export_golden
from custview_pipeline_tests.interrupted import open_keys, run_flows, sampled, start_doomed, steps_of
from custview_pipeline_tests.worlds import COLUMNS, Outcome, Row, SourceSpec, World, finish, make_world, people

FEW: Final = {name: COLUMNS[name] for name in ("ref", "name", "mail", "mobile", "street", "born", "letters")}
SPECS: Final = (SourceSpec("crm", columns=FEW, max_refused_share=0.5), SourceSpec("shop", "jsonl", columns=FEW))
SEGMENTS: Final = ("keys", "index")


class State(NamedTuple):
    """What a lake holds, without moments and ids of runs: comparable with that of another lake under the same keys."""

    rows: dict[str, int]
    index_rows: dict[str, int]
    crosswalk: str
    edges: str
    golden: str


def _state(lake: DeltaLake, keys: Path) -> State:
    snapshot, keyring = lake.snapshot(), open_keys(keys)
    return State(
        {table: snapshot.read(table).height for table in CONTRACTS},
        {part: snapshot.read_index(part).height for part in ("tokens", "neighbourhoods", "claims")},
        export_crosswalk(snapshot).write_csv(),
        export_edges(snapshot).write_csv(),
        export_golden(snapshot, keyring, in_full=GOLDEN_ATTRIBUTES).write_csv(),
    )


def _strays(lake: Path) -> set[str]:
    """Return the files of key table and index that no manifest names, and files that were never finished."""
    manifest = json.loads((lake / "manifest.json").read_text(encoding="utf-8"))
    generations = [held["segments"] for held in (manifest["index"], manifest["next_index"]) if held]
    named = {*manifest["key_segments"], *(name for held in generations for names in held.values() for name in names)}
    segments = {path.name for folder in SEGMENTS for path in (lake / folder).glob("*")}
    unfinished = {path.name for path in lake.iterdir() if path.name.startswith(".") or path.suffix == ".part"}
    return (segments - named) | unfinished


def _first_rows(source: str) -> list[Row]:
    return people(24, of=source)


def _second_rows(source: str) -> list[Row]:
    """Return a delivery with records that are new, changed, gone and refused."""
    rows = people(28, of=source)
    rows[3] |= {"name": "Cordelia Fairburn"}
    rows[4] |= {"mail": rows[5]["mail"], "mobile": rows[5]["mobile"]}
    return [*rows[:20], *rows[21:], rows[0] | {"ref": None}] if source == "crm" else rows[2:]


class Disturbed(NamedTuple):
    """A world after one run and with new deliveries before it, and what the next run makes of it when nobody disturbs it."""

    world: World
    steps: list[str]
    state: State


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Disturbed:
    world = make_world(tmp_path_factory.mktemp("settled") / "world", *SPECS)
    keyring = open_keys(world.keys)
    for source in world.sources:
        world.deliver(source, _first_rows(source))
    run_flows(world.directory, keyring, run_id="first")
    for source in world.sources:
        world.deliver(source, _second_rows(source))
    undisturbed = _copy(world, world.root.parent / "undisturbed")
    steps = steps_of(lambda: run_flows(undisturbed.directory, keyring))
    return Disturbed(world, steps, _state(DeltaLake(undisturbed.lake, keyring), world.keys))


def _copy(world: World, root: Path) -> World:
    shutil.copytree(world.root, root)
    return World(root, world.sources)


def test_a_run_takes_every_kind_of_step(settled):
    kinds = {step.split()[0] for step in settled.steps}
    assert kinds - {"Commit.replace"} == {  # matching everything anew replaces; a change appends
        "Commit.add_keys",
        "Commit.add_index",
        "Commit.append",
        "DeltaLake.replace_manifest",
        "Path.replace",
        "Path.unlink",
    }
    assert settled.steps.count("DeltaLake.replace_manifest") == len(SPECS) + 4
    assert settled.steps[0] == "Commit.add_keys"


def _kill_and_run_again(world: World, step: int) -> tuple[State, set[str]]:
    """Kill a run before a step, run again, and return what the lake then holds."""
    before = (world.lake / "manifest.json").read_bytes() if world.lake.exists() else None
    process = start_doomed(world.directory, world.keys, step)
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    process.close()
    if step == 0 and before is not None:
        assert (world.lake / "manifest.json").read_bytes() == before
    lake = run_flows(world.directory, open_keys(world.keys), run_id="again")
    return _state(lake, world.keys), _strays(world.lake)


def _assert_as_undisturbed(settled: Disturbed, root: Path, steps: range | list[int]) -> None:
    for step in steps:
        world = _copy(settled.world, root / f"world_{step}")
        state, strays = _kill_and_run_again(world, step)
        assert state == settled.state, (step, settled.steps[step])
        assert strays == set(), (step, settled.steps[step])
        shutil.rmtree(world.root)


def test_a_run_that_was_killed_in_the_middle_of_a_commit_is_done_again_whole(settled, tmp_path):
    first_manifest, last_crosswalk = map(settled.steps.index, ("DeltaLake.replace_manifest", "Commit.append crosswalk"))
    _assert_as_undisturbed(settled, tmp_path, [first_manifest, last_crosswalk])


@pytest.mark.faults
@pytest.mark.parametrize("part", sampled(range(8)))
def test_a_run_killed_before_any_step_of_any_commit_is_done_again_whole(settled, tmp_path, part):
    _assert_as_undisturbed(settled, tmp_path, range(part, len(settled.steps), 8))


@pytest.mark.faults
@pytest.mark.parametrize("part", sampled(range(4)))
@pytest.mark.thorough
def test_a_first_run_killed_before_any_step_is_done_again_whole(tmp_path, part):
    def fresh(name: str) -> World:
        world = make_world(tmp_path / name, *SPECS)
        shutil.copytree(keys, world.keys)
        for source in world.sources:
            world.deliver(source, _first_rows(source))
        return world

    keys = tmp_path / "keys"
    keyring = open_keys(keys)
    undisturbed = fresh("undisturbed")
    steps = steps_of(lambda: run_flows(undisturbed.directory, keyring))
    expected = _state(DeltaLake(undisturbed.lake, keyring), keys)
    for step in range(part, len(steps), 4):
        state, strays = _kill_and_run_again(fresh(f"world_{step}"), step)
        assert state == expected, (step, steps[step])
        assert strays == set(), (step, steps[step])


@pytest.mark.faults
@pytest.mark.thorough
def test_runs_killed_one_after_another_leave_nothing_behind_that_the_next_stumbles_over(settled, tmp_path):
    world = _copy(settled.world, tmp_path / "world")
    for step in random.Random(7).sample(range(12), 4):  # noqa: S311 -- which steps does not matter
        process = start_doomed(world.directory, world.keys, step)
        process.join(120)
        assert process.exitcode == -signal.SIGKILL
    lake = run_flows(world.directory, open_keys(world.keys), run_id="again")
    assert _state(lake, world.keys) == settled.state
    assert _strays(world.lake) == set()


_DOOMED_COMMAND: Final = """
import sys
from custview_pipeline.cli import main
from custview_pipeline_tests.interrupted import die_before
die_before(int(sys.argv.pop(1)))
main()
"""


@pytest.mark.faults
@pytest.mark.parametrize("share", sampled([0.5, 0.1, 0.75, 0.9]))
@pytest.mark.thorough
def test_a_killed_command_is_done_again_whole_through_dagster(settled, tmp_path, share):
    world = _copy(settled.world, tmp_path / "world")
    step = int(len(settled.steps) * share)
    here = str(Path(__file__).parents[1])
    killed = finish(world.start("-c", _DOOMED_COMMAND, str(step), "run", "--project", world.directory, PYTHONPATH=here))
    assert killed.code == -signal.SIGKILL
    again = world.refresh()
    assert again.code == 0, again
    assert _state(DeltaLake(world.lake, open_keys(world.keys)), world.keys) == settled.state
    assert _strays(world.lake) == set()


@pytest.mark.faults
def test_two_runs_at_once_take_turns(settled, tmp_path):
    world = _copy(settled.world, tmp_path / "world")
    command = ("-m", "custview_pipeline", "run", "--project", world.directory)
    outcomes = [finish(process) for process in [world.start(*command), world.start(*command)]]
    assert [outcome.code for outcome in outcomes] == [0, 0], outcomes
    rest = settled.state.rows.keys() - {"quality_scores", "audit_findings"}
    state = _state(DeltaLake(world.lake, open_keys(world.keys)), world.keys)
    assert {table: state.rows[table] for table in rest} == {table: settled.state.rows[table] for table in rest}
    assert state[1:] == settled.state[1:]
    assert _strays(world.lake) == set()


@pytest.mark.faults
@pytest.mark.thorough
def test_first_runs_at_once_agree_on_one_set_of_keys(tmp_path):
    world = make_world(tmp_path / "world", *SPECS)
    for source in world.sources:
        world.deliver(source, _first_rows(source))
    command = ("-m", "custview_pipeline", "run", "--project", world.directory)
    outcomes = [finish(process) for process in [world.start(*command) for _ in range(3)]]
    assert [outcome.code for outcome in outcomes] == [0, 0, 0], outcomes
    assert world.refresh().code == 0
    assert len(world.export("crosswalk").splitlines()) == 1 + 2 * 24


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return a world large enough for worker processes."""
    world = make_world(tmp_path_factory.mktemp("large") / "world", *SPECS)
    world.deliver("crm", people(60_000, of="crm"))
    world.deliver("shop", _first_rows("shop"))
    return world


def _workers(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [child for child in process.children(recursive=True) if "spawn_main" in " ".join(child.cmdline())]
    except psutil.Error:
        return []


def _wait_for_workers(pid: int) -> list[psutil.Process]:
    """Return the workers of a command once one of them works."""
    parent, until = psutil.Process(pid), time.monotonic() + 120
    while time.monotonic() < until:
        found = _workers(parent)
        if any(worker.cpu_times().user > 1 for worker in found):
            return found
        time.sleep(0.05)
    raise AssertionError("no worker was started")


def _wait_until_ended(workers: list[psutil.Process]) -> list[psutil.Process]:
    """Return the workers that are alive after a while, and end them."""
    until = time.monotonic() + 20
    while (alive := [worker for worker in workers if _is_alive(worker)]) and time.monotonic() < until:
        time.sleep(0.1)
    for worker in alive:
        worker.kill()
    return alive


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE  # dead, and nobody has asked for its exit code
    except psutil.NoSuchProcess:
        return False


def _disturbed_large_run(large: World, root: Path, disturb: Callable[[int, list[psutil.Process]], None]) -> tuple[World, Outcome]:
    world = _copy(large, root)
    processes = {"CUSTVIEW_WORKERS": "2", "CUSTVIEW_ROWS_FOR_WORKERS": "20000"}
    process = world.start("-m", "custview_pipeline", "run", "--project", world.directory, **processes)
    workers = _wait_for_workers(process.pid)
    disturb(process.pid, workers)
    outcome = finish(process)
    assert not _wait_until_ended(workers), "workers outlived their run, keys in memory"
    return world, outcome


@pytest.mark.faults
def test_workers_end_with_the_run_that_was_killed(large, tmp_path):
    _, outcome = _disturbed_large_run(large, tmp_path / "world", lambda pid, _: psutil.Process(pid).kill())
    assert outcome.code == -signal.SIGKILL


@pytest.mark.faults
def test_a_killed_worker_fails_its_source_in_one_line(large, tmp_path):
    world, outcome = _disturbed_large_run(large, tmp_path / "world", lambda _, workers: workers[-1].kill())
    assert outcome.code == 1
    failed = [line for line in outcome.err.splitlines() if line.startswith("failed")]
    assert failed == ["failed crm_delivery: a worker of the airlock was killed, perhaps for want of memory"]
    assert _strays(world.lake) == set()


@pytest.mark.faults
def test_an_interrupted_run_ends_at_once_and_leaves_the_last_state(large, tmp_path):
    world, outcome = _disturbed_large_run(
        large, tmp_path / "world", lambda pid, _: psutil.Process(pid).send_signal(signal.SIGINT)
    )
    assert outcome.code == 1
    assert "failed admit_crm: interrupted" in outcome.err.splitlines()
    assert "Traceback" not in outcome.err
    assert _strays(world.lake) == set()


SHUFFLED: Final[dict[str, Callable[[Path, random.Random], None]]] = {}


def _shuffle_lines(path: Path, chance: random.Random) -> None:
    header, *lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    if path.suffix == ".jsonl":
        header, lines = "", [header, *lines]
    chance.shuffle(lines)
    path.write_text(header + "".join(lines), encoding="utf-8")


def _shuffle_table(path: Path, chance: random.Random) -> None:
    frame = pl.read_parquet(path)
    frame.sample(fraction=1, shuffle=True, seed=chance.randrange(1000)).write_parquet(path)


def _shuffle(directory: Path) -> None:
    chance = random.Random(11)  # noqa: S311 -- any order will do
    for path in sorted(path for path in (directory / "data").rglob("*.*") if path.is_file()):
        (_shuffle_table if path.suffix == ".parquet" else _shuffle_lines)(path, chance)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path, State]]:
    """Yield a demo project, a key directory and what a run makes of them."""
    root = tmp_path_factory.mktemp("repeated")
    generate(root / "project", records=300, seed=5)
    shutil.copytree(root / "project", root / "first")
    lake = run_flows(root / "first", open_keys(root / "keys"))
    return root / "project", root / "keys", _state(lake, root / "keys")


def _run_copy(project: Path, keys: Path, root: Path, change: Callable[[Path], Any]) -> State:
    shutil.copytree(project, root)
    change(root)
    return _state(run_flows(root, open_keys(keys)), keys)


def test_the_same_input_under_the_same_keys_gives_the_same_crosswalk(demo, tmp_path):
    project, keys, state = demo
    again = _run_copy(project, keys, tmp_path / "again", lambda _: None)
    assert again.crosswalk == state.crosswalk
    assert again == state


def test_the_order_of_the_rows_changes_nothing(demo, tmp_path):
    project, keys, state = demo
    shuffled = _run_copy(project, keys, tmp_path / "shuffled", _shuffle)
    assert (tmp_path / "shuffled/data/crm/customers.csv").read_bytes() != (project / "data/crm/customers.csv").read_bytes()
    assert shuffled.crosswalk == state.crosswalk
    assert shuffled == state


@pytest.mark.slow
def test_the_command_gives_the_crosswalk_that_the_flows_give(demo, tmp_path):
    project, keys, state = demo
    world = World(tmp_path, {})
    shutil.copytree(project, world.directory)
    shutil.copytree(keys, world.keys)
    (world.root / "exports").mkdir()
    assert world.refresh().code == 0
    assert world.export("crosswalk").decode() == state.crosswalk
