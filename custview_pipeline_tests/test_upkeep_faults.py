"""A refresh or a compaction that is killed, meets a full disk, or is copied in the middle ends as one that nobody disturbed."""

import errno
import json
import multiprocessing
import random
import resource
import shutil
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl
import pytest

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.key_backup_files import make_backup, read_backup, restore_backup
from custview_pipeline.adapters.key_files import FileKeyProvider
from custview_pipeline.adapters.lake_files import MANIFEST_FILE
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.flows.current import current_crosswalk, current_edges, current_index, current_records, current_tasks
from custview_pipeline.flows.export import export_golden
from custview_pipeline.flows.publish import current_core
from custview_pipeline.flows.upkeep import compact, vacuum
from custview_pipeline.kernel.errors import CustviewError
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline_tests.interrupted import before_each_step, open_keys, run_flows, sampled, start_doomed, steps_of
from custview_pipeline_tests.worlds import COLUMNS, Row, SourceSpec, World, make_world, people

FEW: Final = {name: COLUMNS[name] for name in ("ref", "name", "mail", "mobile", "street", "born", "letters")}
SPECS: Final = (SourceSpec("crm", columns=FEW, max_refused_share=0.5), SourceSpec("shop", "jsonl", columns=FEW))
DERIVED: Final = frozenset({"match_edges", "review_tasks", "match_groups", "customer_core"})  # a compaction leaves rows out
BY_RUN: Final = frozenset({"match_runs", "quality_scores", "audit_findings"})  # a run that is done again writes its own
NEVER: Final = 1_000_000  # the number of a step that nothing comes to
RANDOM_KILLS: Final = 50
PARTS: Final = 24  # into which long tests are cut; CI takes the first
PASSPHRASE: Final = "four random words here"


class State(NamedTuple):
    """What a lake holds, without moments, versions of derived rows and ids of runs: comparable with that of another one."""

    rows: dict[str, int]
    crosswalk: pl.DataFrame
    edges: pl.DataFrame
    tasks: pl.DataFrame
    core: pl.DataFrame
    index_rows: dict[str, int]
    golden: str

    def differs_from(self, other: "State") -> list[str]:
        """Return the names of what differs."""
        return [
            name
            for name, mine, theirs in zip(self._fields, self, other, strict=True)
            if not (mine.equals(theirs) if isinstance(mine, pl.DataFrame) else mine == theirs)
        ]


def _state(world: World) -> State:
    keyring = open_keys(world.keys)
    snapshot = DeltaLake(world.lake, keyring).snapshot()
    records = current_records(snapshot)
    return State(
        {table: snapshot.read(table).height for table in CONTRACTS if table not in DERIVED | BY_RUN},
        current_crosswalk(snapshot),
        current_edges(snapshot).drop("version"),
        current_tasks(snapshot).drop("version", "run_id"),
        current_core(snapshot).drop("version", "valid_from_at"),
        {part: current_index(snapshot, part, records).height for part in ("tokens", "claims")},
        export_golden(snapshot, keyring, in_full=GOLDEN_ATTRIBUTES).write_csv(),
    )


def _strays(world: World) -> set[str]:
    """Return files of the lake that were never finished, and segments that no manifest names."""
    manifest = DeltaLake(world.lake, open_keys(world.keys)).snapshot().manifest
    segments = {path.name for folder in ("keys", "index") for path in (world.lake / folder).glob("*")}
    unfinished = {path.name for path in world.lake.rglob("*") if "#" in path.name or path.suffix in {".part", ".tmp"}}
    return (segments - manifest.segment_names()) | unfinished


def keep_up(directory: Path, keyring: Keyring) -> None:
    """Compact the lake of a project and remove every former file."""
    with DeltaLake(directory / ".custview" / "lake", keyring).writer() as writer:
        compact(writer, run_id="compaction")
        vacuum(writer, keep_days=0)


def run_and_keep_up(directory: Path, keyring: Keyring) -> None:
    """Pass a project through every flow, and compact its lake."""
    run_flows(directory, keyring, run_id="night")
    keep_up(directory, keyring)


def _rows(source: str, number: int) -> list[Row]:
    """Return the n-th delivery: records that are new, changed, gone, moved and refused."""
    rows = people(24 + 2 * number, of=source, first=number)
    if number:
        rows[3] |= {"name": f"Cordelia Fairburn{'e' * number}"}
        rows[4] |= {"mail": rows[5]["mail"], "mobile": rows[5]["mobile"]}
    return [*rows[:20], *rows[21:], rows[0] | {"ref": None}] if source == "crm" else rows[number:]


def _deliver(world: World, number: int) -> None:
    for source in world.sources:
        world.deliver(source, _rows(source, number))


def _copy(world: World, root: Path) -> World:
    shutil.copytree(world.root, root)
    return World(root, world.sources)


class Disturbed(NamedTuple):
    """A world after three runs and before a new delivery, and what the next run and the one after that make of it."""

    world: World
    after: State
    later: State


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Disturbed:
    world = make_world(tmp_path_factory.mktemp("settled") / "world", *SPECS)
    for number in range(3):
        _deliver(world, number)
        run_flows(world.directory, open_keys(world.keys), run_id=f"run-{number}")
    _deliver(world, 3)
    undisturbed = _copy(world, world.root.parent / "undisturbed")
    run_flows(undisturbed.directory, open_keys(undisturbed.keys), run_id="undisturbed")
    after = _state(undisturbed)
    _deliver(undisturbed, 4)
    run_flows(undisturbed.directory, open_keys(undisturbed.keys), run_id="later")
    return Disturbed(world, after, _state(undisturbed))


def _assert_ends_well(settled: Disturbed, world: World, what: object) -> None:
    """Run again, and once more over another delivery, and hold both states against those of the world nobody disturbed."""
    keyring = open_keys(world.keys)
    run_flows(world.directory, keyring, run_id="again")
    assert _state(world).differs_from(settled.after) == [], what
    keep_up(world.directory, keyring)
    assert _state(world).differs_from(settled.after) == [], (what, "compacted")
    assert _strays(world) == set(), what
    _deliver(world, 4)
    run_flows(world.directory, open_keys(world.keys), run_id="later")
    assert _state(world).differs_from(settled.later) == [], (what, "the delivery after it")


def _kill_before(world: World, step: int, run: Callable[[Path, Keyring], object]) -> None:
    process = start_doomed(world.directory, world.keys, step, run)
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    process.close()


@pytest.mark.slow
def test_a_lake_that_is_compacted_between_refreshes_ends_as_one_that_never_was(settled, tmp_path):
    world = _copy(settled.world, tmp_path / "world")
    keep_up(world.directory, open_keys(world.keys))
    _assert_ends_well(settled, world, "compacted before")


@pytest.mark.faults
def test_a_compaction_takes_every_kind_of_step(settled, tmp_path):
    world = _copy(settled.world, tmp_path / "world")
    steps = steps_of(lambda: keep_up(world.directory, open_keys(world.keys)))
    kinds = {step.split()[0] for step in steps}
    assert kinds >= {
        "Commit.compact", "Commit.compact_index", "Commit.compact_keys", "Commit.replace", "DeltaLake.replace_manifest",
        "Path.replace", "Path.unlink",
    }  # fmt: skip
    assert steps.count("DeltaLake.replace_manifest") == 2


@pytest.mark.faults
@pytest.mark.parametrize("part", sampled(range(PARTS)))
@pytest.mark.thorough
def test_a_compaction_and_vacuum_killed_before_any_step_changes_nothing_and_is_done_again(settled, tmp_path, part):
    counted = _copy(settled.world, tmp_path / "counted")
    run_flows(counted.directory, open_keys(counted.keys), run_id="night")
    undisturbed = _copy(counted, tmp_path / "undisturbed")
    steps = steps_of(lambda: keep_up(undisturbed.directory, open_keys(undisturbed.keys)))
    for step in range(part, len(steps), PARTS):
        world = _copy(counted, tmp_path / f"world_{step}")
        _kill_before(world, step, keep_up)
        assert _state(world).differs_from(settled.after) == [], (step, steps[step], "readable before it is done again")
        _assert_ends_well(settled, world, (step, steps[step]))
        shutil.rmtree(world.root)


@pytest.mark.faults
@pytest.mark.parametrize("part", sampled(range(5)))
@pytest.mark.thorough
def test_refreshes_killed_at_random_moments_end_as_if_nobody_had_disturbed_them(settled, tmp_path, part):
    chance = random.Random(part)  # noqa: S311 -- no secret
    for kill in range(RANDOM_KILLS // 5):
        world = _copy(settled.world, tmp_path / f"world_{kill}")
        process = start_doomed(world.directory, world.keys, NEVER, run_and_keep_up)
        seconds = chance.uniform(0.05, 4.0)
        killer = threading.Timer(seconds, process.kill)
        killer.start()
        process.join(120)
        killer.join()
        _assert_ends_well(settled, world, (part, kill, seconds))
        shutil.rmtree(world.root)


def _meet_full_disk(directory: Path, keys: Path, step: int, told: Connection) -> None:
    """Run in a process for which no file grows any more from a step on, and tell how it ended."""
    keyring = open_keys(keys)
    left = [step]

    def fill(_: str) -> None:
        if left[0] == 0:
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        left[0] -= 1

    before_each_step(fill)
    try:
        run_and_keep_up(directory, keyring)
    except CustviewError as error:
        told.send((type(error).__name__, str(error)))
    except BaseException as error:  # noqa: BLE001 -- whatever it is, the test has to hear of it
        told.send(("no error of this package", type(error).__name__))
    else:
        told.send(("ended well", ""))


def _fill_disk_before(world: World, step: int) -> tuple[str, str]:
    context = multiprocessing.get_context("spawn")
    heard, told = context.Pipe(duplex=False)
    process = context.Process(target=_meet_full_disk, args=(world.directory, world.keys, step, told))
    process.start()
    told.close()
    kind, text = heard.recv()
    process.join(120)
    return kind, text


@pytest.mark.faults
@pytest.mark.parametrize("part", sampled(range(6)))
@pytest.mark.thorough
def test_a_disk_that_is_full_from_any_step_on_is_a_clear_error_and_the_next_run_is_fine(settled, tmp_path, part):
    counted = _copy(settled.world, tmp_path / "counted")
    steps = steps_of(lambda: run_and_keep_up(counted.directory, open_keys(counted.keys)))
    for step in range(part * len(steps) // 36, len(steps), len(steps) // 6):
        world = _copy(settled.world, tmp_path / f"world_{step}")
        kind, text = _fill_disk_before(world, step)
        if kind != "ended well":  # what is left to be done may only remove files
            assert kind in {"LakeError", "LakeDamaged", "KeyUnavailable"}, (step, steps[step], kind, text)
            assert "cannot be written" in text or "cannot be stored" in text, (step, steps[step], text)
        assert _state(world).rows, "the last good state is readable"
        _assert_ends_well(settled, world, (step, steps[step]))
        shutil.rmtree(world.root)


def _copy_while_running(world: World, target: Path, first: int, second: int) -> None:
    """Run the flows, and copy the lake meanwhile: its manifest before one step, everything else before a later one."""
    count = [0]

    def copy_some(_: str) -> None:
        if count[0] == first:
            target.mkdir()
            shutil.copy(world.lake / MANIFEST_FILE, target)
        if count[0] == second:
            shutil.copytree(world.lake, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns(MANIFEST_FILE, "writer.*"))
        count[0] += 1

    undo = before_each_step(copy_some)
    try:
        run_flows(world.directory, open_keys(world.keys), run_id="night")
    finally:
        undo()


def _restored(world: World, lake: Path, root: Path) -> World:
    """Put a copy of the lake and a backup of the keys in a new place, beside the project of a world."""
    provider = FileKeyProvider(world.keys)
    make_backup(world.keys, provider, world.root / "keys.cvkb", PASSPHRASE, lake=world.lake)
    place = World(root, world.sources)
    shutil.copytree(world.directory, place.directory, ignore=shutil.ignore_patterns(".custview"))
    place.lake.parent.mkdir(parents=True)
    shutil.move(lake, place.lake)
    restore_backup(place.keys, FileKeyProvider(place.keys), read_backup(world.root / "keys.cvkb"), PASSPHRASE)
    return place


@pytest.mark.faults
@pytest.mark.parametrize("part", sampled(range(4)))
@pytest.mark.thorough
def test_a_lake_copied_manifest_first_while_a_run_writes_is_restored_with_a_key_backup(settled, tmp_path, part):
    counted = _copy(settled.world, tmp_path / "counted")
    steps = steps_of(lambda: run_flows(counted.directory, open_keys(counted.keys)))
    chance = random.Random(part)  # noqa: S311 -- no secret
    for attempt in range(3):
        first, second = sorted(chance.sample(range(len(steps)), 2))
        world = _copy(settled.world, tmp_path / f"world_{attempt}")
        _copy_while_running(world, tmp_path / f"copy_{attempt}", first, second)
        named = json.loads((tmp_path / f"copy_{attempt}" / MANIFEST_FILE).read_text(encoding="utf-8"))
        place = _restored(world, tmp_path / f"copy_{attempt}", tmp_path / f"restored_{attempt}")
        snapshot = DeltaLake(place.lake, open_keys(place.keys)).snapshot()
        assert snapshot.manifest.sequence == named["sequence"]
        assert {table: snapshot.read(table).height for table in CONTRACTS}["protected_records"] > 0
        _assert_ends_well(settled, place, (first, second))


@pytest.mark.faults
@pytest.mark.thorough
def test_a_lake_copied_manifest_last_while_a_run_writes_is_none(settled, tmp_path):
    world = _copy(settled.world, tmp_path / "world")
    copied = tmp_path / "copy"
    shutil.copytree(world.lake, copied)
    run_flows(world.directory, open_keys(world.keys), run_id="night")
    shutil.copy(world.lake / MANIFEST_FILE, copied)
    with pytest.raises(CustviewError, match="which the manifest names"):
        DeltaLake(copied, open_keys(world.keys)).snapshot().read("protected_records")


@pytest.mark.faults
def test_leftovers_of_killed_writers_are_swept(settled, tmp_path):
    world = _copy(settled.world, tmp_path / "world")
    folder = world.lake / "tables" / "crosswalk"
    for path in (
        world.lake / "writer.json", world.lake / ".manifest.json.0123456789abcdef.part", folder / "part-0-c000.zstd.parquet#1",
        folder / "_delta_log" / "_commit_0.json.tmp", world.lake / "index" / ".tokens-00000001-k1-00.parquet.00.part",
    ):  # fmt: skip
        path.write_bytes(b"half")
    _assert_ends_well(settled, world, "leftovers")
    assert not (world.lake / "writer.json").exists()


def test_a_file_that_may_not_grow_is_an_error_and_no_signal(tmp_path):
    """The test of a full disk rests on this."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(OSError, match="too large") as refused:
            (tmp_path / "file").write_bytes(b"x")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert refused.value.errno == errno.EFBIG
