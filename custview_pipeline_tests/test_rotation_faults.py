"""A rotation, or a change of rules, that is killed anywhere goes on where it stood, and ends as one that nobody disturbed."""

import random
import shutil
import signal
import threading
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl
import pytest

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.delta_tables import stored_files
from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.match_index import Generation
from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.contracts.standardised_record import StandardisedBatch
from custview_pipeline.flows import rebuild, renew_index
from custview_pipeline.flows.assess import assess
from custview_pipeline.flows.current import current_index, current_records
from custview_pipeline.flows.export import export_crosswalk, export_edges, export_golden
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import KeyState, Purpose
from custview_pipeline.standardisation import standardise as standardising
from custview_pipeline_tests.interrupted import open_keys, rotate_key, run_flows, sampled, start_doomed, steps_of
from custview_pipeline_tests.worlds import COLUMNS, SourceSpec, World, make_world, people

FEW: Final = {name: COLUMNS[name] for name in ("ref", "name", "mail", "mobile", "street", "born", "letters")}
SPECS: Final = (SourceSpec("crm", columns=FEW, max_refused_share=0.5), SourceSpec("shop", "jsonl", columns=FEW))
ROTATED: Final = (Purpose.VAULT, Purpose.TOKEN, Purpose.INDEX)
KILLS: Final = 20
TURN: Final = 15  # records; small enough for several turns
NEVER: Final = 1_000_000  # the number of a step that no rotation comes to


class State(NamedTuple):
    """What a lake holds, without keys, moments and ids of runs."""

    rows: dict[str, int]
    current_rows: dict[str, int]
    crosswalk: str
    edges: str
    golden: str


def _state(world: World) -> State:
    keyring = open_keys(world.keys)
    snapshot = DeltaLake(world.lake, keyring).snapshot()
    records = current_records(snapshot)
    return State(
        {table: snapshot.read(table).height for table in CONTRACTS if table not in {"quality_scores", "audit_findings"}},
        {part: current_index(snapshot, part, records).height for part in ("tokens", "claims")},
        export_crosswalk(snapshot).write_csv(),
        export_edges(snapshot).write_csv(),
        export_golden(snapshot, keyring, in_full=GOLDEN_ATTRIBUTES).write_csv(),
    )


def _versions_on_disk(world: World, keyring: Keyring) -> dict[Purpose, set[int]]:
    """Return the versions of each key that something lying in the lake is under, whether or not the manifest names it."""
    blobs = [
        pl.read_parquet(file, columns=[column])[column]
        for table, column in (("protected_records", "payload_sealed"), ("quarantined_records", "row_sealed"))
        for file in stored_files(world.lake / "tables" / table)
    ]
    names = DeltaLake(world.lake, keyring).snapshot().index_generations()
    return {
        Purpose.VAULT: {int.from_bytes(blob[2:4]) for blob in pl.concat(blobs).drop_nulls()},
        Purpose.TOKEN: {Generation.named(name).token_version for name in names if name is not None},
        Purpose.INDEX: {int(file.name.split("-k")[1].split("-")[0]) for file in (world.lake / "index").iterdir()},
    }


def _copy(world: World, root: Path) -> World:
    shutil.copytree(world.root, root)
    return World(root, world.sources)


def _rows(source: str) -> list[dict[str, str | None]]:
    """Return a delivery with records that are changed, gone and refused, after one of the first 24 persons."""
    rows = people(28, of=source)
    rows[3] |= {"name": "Cordelia Fairburn"}
    return [*rows[:20], *rows[21:], rows[0] | {"ref": None}] if source == "crm" else rows[2:]


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return a world after two runs, not to be changed."""
    world = make_world(tmp_path_factory.mktemp("settled") / "world", *SPECS)
    for run_id in ("first", "second"):
        for source in world.sources:
            world.deliver(source, people(24, of=source) if run_id == "first" else _rows(source))
        run_flows(world.directory, open_keys(world.keys), run_id=run_id)
    return world


def _turn(purpose: Purpose) -> partial[object]:
    return partial(rotate_key, purpose=purpose, records_a_turn=TURN)


def _assert_rotated(world: World, purpose: Purpose, before: State) -> None:
    """Hold a lake after its rotation against the one before it, then match it anew and hold it against it again."""
    keyring = open_keys(world.keys)
    assert [(key.version, key.state) for key in keyring.versions(purpose)] == [(2, KeyState.CURRENT)]
    assert _versions_on_disk(world, keyring) == {Purpose.VAULT: {1}, Purpose.TOKEN: {1}, Purpose.INDEX: {1}} | {purpose: {2}}
    assert _state(world) == before
    lake = DeltaLake(world.lake, keyring)
    manifest = lake.snapshot().manifest
    deliveries = {stage: mark for stage, mark in manifest.consumed.items() if stage.startswith("delivery")}
    lake.replace_manifest(manifest.model_copy(update={"consumed": deliveries}))
    run_flows(world.directory, keyring, run_id="again")
    after = _state(world)
    assert (after.crosswalk, _decided(after), after.golden) == (before.crosswalk, _decided(before), before.golden)
    assert after.rows["protected_records"] == before.rows["protected_records"]


def _decided(state: State) -> list[tuple[str, ...]]:
    """Return the pairs and decisions; how rare values are is counted anew under another token key, so weights may move."""
    edges = pl.read_csv(state.edges.encode(), infer_schema=False)
    return edges.drop("match_probability", "explanation").rows()


@pytest.mark.parametrize("purpose", ROTATED)
def test_a_rotation_changes_no_customer_even_where_all_is_matched_anew(settled, tmp_path, purpose):
    world = _copy(settled, tmp_path / "world")
    _turn(purpose)(world.directory, open_keys(world.keys))
    _assert_rotated(world, purpose, _state(settled))


def run_under_other_rules(directory: Path, keyring: Keyring) -> DeltaLake:
    """Pass a project through every flow under rules of another version that write names in capitals, in a process of its own."""
    standardising.RULE_SETS["names"] = "99"
    as_before = rebuild.standardise

    def in_capitals(raw: pl.DataFrame, *arguments: Any, **named: Any) -> StandardisedBatch:
        batch = as_before(raw, *arguments, **named)
        capitals = pl.when(pl.col("attribute") == "name").then(pl.col("value").str.to_uppercase()).otherwise("value")
        return batch._replace(values=batch.values.with_columns(value=capitals))

    rebuild.standardise = in_capitals
    renew_index.RECORDS_A_TURN = TURN
    return run_flows(directory, keyring, run_id="renewed")


@pytest.fixture
def other_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take back what ``run_under_other_rules`` changes."""
    monkeypatch.setitem(standardising.RULE_SETS, "names", standardising.RULE_SETS["names"])
    monkeypatch.setattr(rebuild, "standardise", rebuild.standardise)
    monkeypatch.setattr(renew_index, "RECORDS_A_TURN", TURN)


@pytest.mark.usefixtures("other_rules")
def test_a_run_under_other_rules_keeps_customers_and_every_promise(settled, tmp_path):
    world, before = _copy(settled, tmp_path / "world"), _state(settled)
    lake = run_under_other_rules(world.directory, open_keys(world.keys))
    after = _state(world)
    assert (after.crosswalk, _decided(after)) == (before.crosswalk, _decided(before))
    assert after.golden.upper() == before.golden.upper()
    assert after.golden != before.golden
    project = load_project(world.directory)
    with lake.writer() as writer:
        promises = assess(writer, project.contracts, project.rulebook, run_id="judged").promises
    assert [promise.name for promise in promises if promise.broken_count] == []


@pytest.mark.faults
@pytest.mark.thorough
@pytest.mark.usefixtures("other_rules")
def test_a_run_under_other_rules_that_is_killed_anywhere_is_brought_to_its_end(settled, tmp_path):
    undisturbed = _copy(settled, tmp_path / "undisturbed")
    steps = steps_of(lambda: run_under_other_rules(undisturbed.directory, open_keys(undisturbed.keys)))
    expected = _state(undisturbed)
    for step in sorted(random.Random(3).sample(range(len(steps)), KILLS)):  # noqa: S311 -- no secret
        world = _copy(settled, tmp_path / f"world_{step}")
        process = start_doomed(world.directory, world.keys, step, run_under_other_rules)
        process.join(120)
        assert process.exitcode == -signal.SIGKILL
        run_flows(world.directory, open_keys(world.keys), run_id="again")
        assert _state(world) == expected, (step, steps[step])
        shutil.rmtree(world.root)


@pytest.mark.slow
def test_the_main_job_brings_rotations_to_their_end(settled, tmp_path):
    world = _copy(settled, tmp_path / "world")
    keyring = open_keys(world.keys)
    for purpose in ROTATED:
        keyring.add(purpose)
    assert world.refresh().code == 0
    keyring.refresh()
    for purpose in ROTATED:
        assert [(key.version, key.state) for key in keyring.versions(purpose)] == [(2, KeyState.CURRENT)]
    assert _versions_on_disk(world, keyring) == {purpose: {2} for purpose in ROTATED}
    assert _state(world) == _state(settled)


def _kill(world: World, purpose: Purpose, step: int) -> None:
    process = start_doomed(world.directory, world.keys, step, _turn(purpose))
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    process.close()


@pytest.mark.faults
@pytest.mark.parametrize("purpose", sampled(ROTATED))
@pytest.mark.thorough
def test_a_rotation_that_is_killed_anywhere_goes_on_where_it_stood(settled, tmp_path, purpose):
    before = _state(settled)
    undisturbed = _copy(settled, tmp_path / "undisturbed")
    steps = steps_of(lambda: _turn(purpose)(undisturbed.directory, open_keys(undisturbed.keys)))
    while steps[-1] == "Path.unlink":  # the note of who held the lake: all is done by then, and the next turn would begin anew
        steps.pop()
    some = random.Random(3).sample(range(len(steps)), KILLS - 4)  # noqa: S311 -- no secret
    for step in sorted({0, 1, *some, len(steps) - 2, len(steps) - 1}):  # the first and the last ones change the keys
        world = _copy(settled, tmp_path / f"world_{step}")
        _kill(world, purpose, step)
        assert _state(world) == before, (step, steps[step], "readable before it goes on")
        report = _turn(purpose)(world.directory, open_keys(world.keys))
        assert report.is_complete, (step, steps[step])
        _assert_rotated(world, purpose, before)
        shutil.rmtree(world.root)


@pytest.mark.faults
@pytest.mark.thorough
@pytest.mark.parametrize("purpose", ROTATED)
def test_runs_go_on_while_a_rotation_is_killed_again_and_again(settled, tmp_path, purpose):
    before = _state(settled)
    world = _copy(settled, tmp_path / "world")
    for step in (6, 9, 14):
        _kill(world, purpose, step)
        run_flows(world.directory, open_keys(world.keys), run_id=f"between-{step}")
        after = _state(world)
        assert (after.crosswalk, after.golden) == (before.crosswalk, before.golden)
    _turn(purpose)(world.directory, open_keys(world.keys))
    _assert_rotated(world, purpose, _state(world))


@pytest.mark.faults
@pytest.mark.thorough
def test_rotations_killed_at_any_moment_while_runs_and_readers_go_on_lose_nothing(settled, tmp_path):
    loaded, undisturbed = (_copy(settled, tmp_path / name) for name in ("loaded", "undisturbed"))
    chance = random.Random(5)  # noqa: S311 -- no secret
    for kill in range(KILLS):
        process = start_doomed(loaded.directory, loaded.keys, NEVER, _turn(ROTATED[kill % len(ROTATED)]))
        killer = threading.Timer(chance.uniform(0.1, 3.0), process.kill)
        killer.start()
        for world in (loaded, undisturbed):
            world.deliver("crm", people(20 + kill, of="crm", first=kill % 5))
            run_flows(world.directory, open_keys(world.keys), run_id=f"run-{kill}")
        killer.join()
        process.join()
        assert _state(loaded) == _state(undisturbed), kill
    keyring = open_keys(loaded.keys)
    for purpose in ROTATED:
        assert _turn(purpose)(loaded.directory, keyring)
        assert [key.state for key in keyring.versions(purpose)] == [KeyState.CURRENT]
    assert _state(loaded) == _state(undisturbed)
    on_disk = _versions_on_disk(loaded, keyring)
    assert on_disk == {purpose: {keyring.current(purpose)[0]} for purpose in ROTATED}
