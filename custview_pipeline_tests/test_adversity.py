"""A key that is wrong, missing or open to others, a clock set back, a full disk, two first runs: a clear error, nothing lost."""

import json
import multiprocessing
import resource
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.project_keys import LAKE_FILE
from custview_pipeline.flows.airlock import QUARANTINE_PLACE, QUARANTINE_VERSION, RECORD_PLACE
from custview_pipeline.kernel.errors import CustviewError
from custview_pipeline.protection.vault import Rows, Sealed
from custview_pipeline_tests.interrupted import open_keys, run_flows
from custview_pipeline_tests.worlds import COLUMNS, Outcome, SourceSpec, World, finish, make_world, people

FEW: Final = {name: COLUMNS[name] for name in ("ref", "name", "mail", "mobile", "street", "born", "letters")}
CRM: Final = SourceSpec("crm", columns=FEW, max_refused_share=0.5)
OTHER_KEY: Final = "YW5vdGhlciByb290IGtleSBvZiAzMiBieXRlcyEhISE="


def world_with(root: Path, count: int) -> World:
    """Return a world with so many rows to deliver, and one to refuse."""
    world = make_world(root, CRM)
    deliver(world, count)
    return world


def deliver(world: World, count: int) -> None:
    world.deliver("crm", [*people(count, of="crm"), people(1, of="crm")[0] | {"ref": None}])


def copy(world: World, root: Path) -> World:
    shutil.copytree(world.root, root)
    return World(root, world.sources)


def sealed_rows(world: World) -> tuple[int, int]:
    """Open every sealed row of a lake, and return how many records and how many refused rows there are.

    Raises:
        UnsealFailed: One does not open.
    """
    keyring = open_keys(world.keys)
    snapshot = DeltaLake(world.lake, keyring).snapshot()
    counts = []
    for place, column, key in ((RECORD_PLACE, "payload_sealed", "record_id"), (QUARANTINE_PLACE, "row_sealed", "quarantine_id")):
        stored = snapshot.read(place.table)
        versions = (
            stored["version"]
            if "version" in stored.columns
            else pl.repeat(QUARANTINE_VERSION, stored.height, dtype=pl.Int32, eager=True)
        )
        rows = Rows(stored[key], versions)
        opened = keyring.vault().unseal(place, rows, Sealed(stored[column], snapshot.materials(*rows)))
        assert opened.null_count() == 0, "a row was sealed, and its key material is missing"
        counts.append(stored.height)
    return counts[0], counts[1]


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return a world that ran once, with a new delivery at hand; tests work on copies."""
    world = world_with(tmp_path_factory.mktemp("settled") / "world", 12)
    assert world.refresh().code == 0
    deliver(world, 15)
    return world


def everything_in(folder: Path) -> dict[str, bytes]:
    """Return every file by its name, but for the note where the lake of the keys is: in a copied world it is written anew."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != LAKE_FILE)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def swap_keys(world: World) -> Callable[[], object]:
    """Put the keys of another project in the place of a world's own; return what puts these back."""
    own = world.keys.rename(world.root / "own_keys")
    open_keys(world.keys)

    def back() -> None:
        shutil.rmtree(world.keys)
        own.rename(world.keys)

    return back


def hide(name: str) -> Callable[[World], Callable[[], object]]:
    """Return what takes a file, or all, of the key directory away; that returns what puts it back."""

    def take(world: World) -> Callable[[], object]:
        path = world.keys / name
        hidden = path.rename(world.root / "hidden")
        return lambda: hidden.rename(path)

    return take


def open_to_others(world: World) -> Callable[[], object]:
    (world.keys / "root.key").chmod(0o644)
    return lambda: (world.keys / "root.key").chmod(0o600)


def cut_off(world: World) -> Callable[[], object]:
    path = world.keys / "root.key"
    content = path.read_bytes()
    path.write_bytes(content[:-8])
    return lambda: path.write_bytes(content)


def set_clock_back(world: World) -> Callable[[], object]:
    """Date the last commit into the future: to the lake it is the same."""
    path = world.lake / "manifest.json"
    before = path.read_text(encoding="utf-8")
    manifest = json.loads(before) | {"committed_at": (datetime.now(UTC) + timedelta(days=2)).isoformat()}
    path.write_text(json.dumps(manifest), encoding="utf-8")
    return lambda: path.write_text(before, encoding="utf-8")


ADVERSITIES: Final[dict[str, tuple[Callable[[World], Callable[[], object]], str]]] = {
    "the keys of another project": (swap_keys, "was made under another key; point CUSTVIEW_KEYS at the keys it was made with"),
    "no root key": (hide("root.key"), "root.key"),
    "no wrapped keys": (hide("keyring.json"), "none were made anew"),
    "no keys at all": (hide("."), "none were made anew"),
    "a root key that others can read": (open_to_others, "root.key: others can read it: chmod 600"),
    "a root key that was cut off": (cut_off, "not a root key: it must hold 32 bytes as base64"),
    "a clock that was set back": (set_clock_back, "the clock of this machine is behind"),
}
SAMPLE: Final = {"the keys of another project", "no wrapped keys", "a clock that was set back"}
THOROUGH: Final = [pytest.mark.slow, pytest.mark.thorough]


@pytest.mark.parametrize("adversity", [name if name in SAMPLE else pytest.param(name, marks=THOROUGH) for name in ADVERSITIES])
def test_it_is_told_in_one_line_changes_nothing_and_is_over_when_it_is_mended(settled, tmp_path, adversity):
    happen, told = ADVERSITIES[adversity]
    world = copy(settled, tmp_path / "world")
    mend = happen(world)
    lake, keys = everything_in(world.lake), everything_in(world.keys)
    outcome = world.refresh()
    assert_refused(outcome, told)
    assert everything_in(world.lake).keys() - lake.keys() <= {"writer.lock"}
    assert {name: content for name, content in everything_in(world.lake).items() if name in lake} == lake
    assert {name: content for name, content in everything_in(world.keys).items() if not name.endswith(".lock")} == {
        name: content for name, content in keys.items() if not name.endswith(".lock")
    }
    mend()
    assert sealed_rows(world) == (12, 1)
    assert world.refresh().code == 0
    assert sealed_rows(world) == (15, 1)


def assert_refused(outcome: Outcome, told: str) -> None:
    assert outcome.code == 1, outcome
    lines = [line for line in outcome.err.splitlines() if told in line]
    assert lines, outcome.err
    assert "Traceback" not in outcome.err + outcome.out


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, "CUSTVIEW_ROOT_KEY: not set"),
        ({"CUSTVIEW_ROOT_KEY": "short"}, "CUSTVIEW_ROOT_KEY: not a root key"),
        ({"CUSTVIEW_ROOT_KEY": OTHER_KEY}, "wrapped under another root key"),
    ],
    ids=["missing", "malformed", "another"],
)
def test_a_root_key_of_the_environment_that_does_not_fit_is_refused_and_not_quoted(settled, tmp_path, environment, told):
    world = copy(settled, tmp_path / "world")
    before = everything_in(world.lake)
    outcome = world.refresh(CUSTVIEW_KEY_PROVIDER="environment", **environment)
    assert_refused(outcome, told)
    assert not any(key in outcome.out + outcome.err for key in environment.values())
    assert everything_in(world.lake) == before


def test_what_is_stored_can_be_read_while_the_clock_is_wrong(settled, tmp_path):
    world = copy(settled, tmp_path / "world")
    set_clock_back(world)
    assert len(world.export("crosswalk").splitlines()) == 1 + 12


# The system gives an error for a file that grows beyond a limit as it does for a disk that is full: while the bytes are written.
_LIMITS: Final = (200, 1_000, 2_500, 5_000, 8_000, 12_000, 20_000, 40_000)


def run_on_full_disk(directory: Path, keys: Path, limit: int, told: Connection) -> None:
    """Pass a project through every flow while no file can be longer than a limit; tell how it ended."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        run_flows(directory, open_keys(keys), run_id="full")
    except CustviewError as error:
        told.send((type(error).__name__, str(error)))
    except BaseException as error:  # noqa: BLE001 -- whatever else it is, the test must hear of it
        told.send((f"not one of ours: {type(error).__name__}", str(error)))
    else:
        told.send(("", ""))


def outcome_on_full_disk(world: World, limit: int) -> tuple[str, str]:
    context = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
    heard, told = context.Pipe(duplex=False)
    process = context.Process(target=run_on_full_disk, args=(world.directory, world.keys, limit, told))
    process.start()
    told.close()
    outcome: tuple[str, str] = heard.recv()
    process.join(120)
    assert process.exitcode == 0
    return outcome


def assert_told_of_full_disk(world: World, limit: int, *, known: tuple[int, int]) -> bool:
    """Run on a full disk, and return whether it failed; then all that was there opens, and a run with room takes in the rest."""
    kind, said = outcome_on_full_disk(world, limit)
    assert not kind.startswith("not one of ours"), (kind, said)
    assert "\n" not in said
    assert not any(word in said for word in ("Abernathy", "example.org", "555"))
    if (world.lake / "manifest.json").exists():
        assert sealed_rows(world)[0] >= known[0]
    run_flows(world.directory, open_keys(world.keys), run_id="again")
    assert sealed_rows(world) == (15, 1)
    return kind != ""


@pytest.mark.slow
@pytest.mark.thorough
def test_a_disk_that_is_full_in_the_middle_of_a_delivery_loses_nothing_and_seals_nothing_by_half(settled, tmp_path):
    failed = [assert_told_of_full_disk(copy(settled, tmp_path / f"{limit}"), limit, known=(12, 1)) for limit in _LIMITS]
    assert failed[0], "the smallest limit stopped nothing"
    assert sum(failed) >= 4


def with_keys(world: World) -> World:
    open_keys(world.keys)
    return world


@pytest.mark.slow
@pytest.mark.thorough
def test_a_disk_that_is_full_at_the_first_run_leaves_nothing_that_the_next_stumbles_over(tmp_path):
    no_keys = world_with(tmp_path / "no_keys", 15)
    assert assert_told_of_full_disk(no_keys, _LIMITS[0], known=(0, 0)), "keys were made"
    worlds = {limit: with_keys(world_with(tmp_path / f"{limit}", 15)) for limit in _LIMITS}
    failed = [assert_told_of_full_disk(world, limit, known=(0, 0)) for limit, world in worlds.items()]
    assert sum(failed) >= 4


def test_a_full_disk_under_the_command_is_told_in_one_line(settled, tmp_path, monkeypatch):
    world = copy(settled, tmp_path / "world")

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("custview_pipeline.adapters.private_files.os.fsync", full)
        outcome = world.refresh()
    assert_refused(outcome, "cannot be written")
    assert sealed_rows(world) == (12, 1)
    assert world.refresh().code == 0
    assert sealed_rows(world) == (15, 1)


@pytest.mark.slow
def test_two_processes_that_start_the_first_run_at_once_make_one_set_of_keys_and_one_lake(tmp_path):
    world = world_with(tmp_path / "world", 15)
    command = ("-m", "custview_pipeline", "run", "--project", world.directory)
    outcomes = [finish(process) for process in [world.start(*command), world.start(*command)]]
    assert [outcome.code for outcome in outcomes] == [0, 0], outcomes
    assert sealed_rows(world) == (15, 1)
    assert len(world.export("crosswalk").splitlines()) == 1 + 15
    assert world.refresh().code == 0
