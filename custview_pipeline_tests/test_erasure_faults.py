"""An erasure that is killed at any step is carried out by the next writer, and ends as one that nobody disturbed."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.erasure_ledger import ErasureLedger
from custview_pipeline.adapters.stored_files import StoredFiles
from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.flows.certificate import Certificate, Holdings, certify
from custview_pipeline.flows.current import current_crosswalk
from custview_pipeline.flows.erasure_request import Stated, ask_for, choose_customer
from custview_pipeline.flows.export import export_crosswalk, export_golden
from custview_pipeline.kernel.identifiers import Cuid
from custview_pipeline.protection.wrapped_keys import Purpose
from custview_pipeline_tests.interrupted import open_keys, run_flows, sampled
from custview_pipeline_tests.interrupted_erasure import STEPS, before_each_step, carry_out, kill_before
from custview_pipeline_tests.worlds import COLUMNS, SourceSpec, World, make_world, people

_FEW: Final = {name: COLUMNS[name] for name in ("ref", "name", "mail", "mobile", "street", "born", "letters")}
_SPECS: Final = (SourceSpec("crm", columns=_FEW), SourceSpec("shop", "jsonl", columns=_FEW))


class State(NamedTuple):
    """What a lake holds, without moments, runs and ids that are drawn."""

    rows: dict[str, int]
    crosswalk: str
    golden: str


class Asked(NamedTuple):
    """A world of which a customer is to be erased: its erasure, the steps that it takes, and the state that it ends in."""

    world: World
    erasure_id: str
    steps: list[str]
    state: State


def _certified(world: World, erasure_id: str, *copies: Path) -> Certificate:
    keyring = open_keys(world.keys)
    searched = {folder.name: StoredFiles(folder, keyring) for folder in copies}
    holdings = Holdings(DeltaLake(world.lake, keyring).snapshot(), StoredFiles(world.lake, keyring), searched, keyring)
    return certify(erasure_id, holdings, ErasureLedger(world.keys).lines(), (), now=datetime.now(UTC))


def _state(world: World) -> State:
    keyring = open_keys(world.keys)
    snapshot = DeltaLake(world.lake, keyring).snapshot()
    return State(
        {table: snapshot.read(table).height for table in CONTRACTS},
        export_crosswalk(snapshot).write_csv(),
        export_golden(snapshot, keyring, in_full={"name", "email", "phone"}).write_csv(),
    )


def _copy(world: World, root: Path) -> World:
    shutil.copytree(world.root, root)
    return World(root, world.sources)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    world = make_world(tmp_path_factory.mktemp("asked") / "world", *_SPECS)
    keyring = open_keys(world.keys)
    for source in world.sources:
        world.deliver(source, people(12, of=source))
    snapshot = run_flows(world.directory, keyring).snapshot()
    rows = current_crosswalk(snapshot).filter(source_key="crm-00003")
    chosen = choose_customer(snapshot, Cuid(rows["cuid"][0]))
    assert len(chosen.record_ids) == 2
    entry = ask_for(chosen, keyring.current(Purpose.ID)[1], Stated("ada", "r", None), now=datetime.now(UTC))
    ErasureLedger(world.keys).append(entry)
    undisturbed, steps = _copy(world, world.root.parent / "undisturbed"), []
    undo = before_each_step(steps.append)
    try:
        carry_out(undisturbed.lake, undisturbed.keys)
    finally:
        undo()
    assert _certified(undisturbed, entry.erasure_id).is_proven
    return Asked(world, entry.erasure_id, steps, _state(undisturbed))


def test_an_erasure_takes_every_kind_of_step(asked):
    kinds = {f"{owner.__name__}.{name}" for owner, names in STEPS for name in names}
    assert set(asked.steps) == kinds
    assert asked.steps.count("DeltaLake.replace_manifest") == 2  # the commit, and that its former versions are purged
    assert asked.steps[-1] == "Path.unlink"  # the note of who held the lake goes last


def _assert_as_undisturbed(asked: Asked, root: Path, steps: list[int]) -> None:
    for step in steps:
        world = _copy(asked.world, root / f"world_{step}")
        kill_before(world.lake, world.keys, step)
        carry_out(world.lake, world.keys)
        assert _state(world) == asked.state, (step, asked.steps[step])
        certificate = _certified(world, asked.erasure_id)
        assert certificate.is_proven, (step, asked.steps[step], certificate.places)
        assert certificate.carried_out is not None, (step, asked.steps[step])
        shutil.rmtree(world.root)


def test_a_kill_just_before_and_just_after_it_counts_is_made_good(asked, tmp_path):
    manifest = asked.steps.index("DeltaLake.replace_manifest")
    _assert_as_undisturbed(asked, tmp_path, [manifest, asked.steps.index("Keyring.destroy_shards", manifest)])


@pytest.mark.faults
@pytest.mark.parametrize("part", sampled(range(4)))
@pytest.mark.thorough
def test_a_kill_before_any_step_is_made_good(asked, tmp_path, part):
    _assert_as_undisturbed(asked, tmp_path, list(range(part, len(asked.steps), 4)))


@pytest.mark.faults
@pytest.mark.thorough
def test_a_kill_while_keys_are_destroyed_leaves_no_key_of_before(asked, tmp_path):
    """Whenever it is killed behind the manifest, the next writer destroys the keys before it does anything else."""
    first = asked.steps.index("Keyring.destroy_shards", asked.steps.index("DeltaLake.replace_manifest"))
    for step in range(first, min(first + 12, len(asked.steps))):
        world = _copy(asked.world, tmp_path / f"world_{step}")
        copy = shutil.copytree(world.lake, tmp_path / f"copy_{step}")
        kill_before(world.lake, world.keys, step)
        carry_out(world.lake, world.keys)
        certificate = _certified(world, asked.erasure_id, copy)
        assert [(found.sealed_count, found.opened_count) for found in certificate.copies] == [(2, 0)]
        shutil.rmtree(world.root)
