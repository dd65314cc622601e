"""Tests of ``custview_pipeline.cli.upkeep``."""

from typing import Final

import pytest
import typer
from typer.testing import CliRunner

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.cli.upkeep import compact
from custview_pipeline.contracts.manifest import WriterLock
from custview_pipeline_tests.interrupted import open_keys, run_flows
from custview_pipeline_tests.worlds import COLUMNS, Outcome, SourceSpec, World, make_world, people

FEW: Final = {name: COLUMNS[name] for name in ("ref", "name", "mail")}
APP: Final = typer.Typer()
APP.command()(compact)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = make_world(tmp_path_factory.mktemp("kept") / "world", SourceSpec("crm", columns=FEW))
    for number in range(2):
        world.deliver("crm", people(12, of="crm", first=number))
        run_flows(world.directory, open_keys(world.keys), run_id=f"run-{number}")
    return world


def run(world: World, *arguments: str, **environment: str) -> Outcome:
    given = ["--project", str(world.directory), *arguments]
    result = CliRunner().invoke(APP, given, env={**world.environment, **environment})
    return Outcome(result.exit_code, result.stdout, result.stderr)


def lake_of(world: World) -> DeltaLake:
    return DeltaLake(world.lake, open_keys(world.keys))


def test_the_command_says_what_was_compacted_and_removed(world):
    first, again, at_once = run(world), run(world), run(world, "--keep-days", "0")
    assert [outcome.code for outcome in (first, again, at_once)] == [0, 0, 0], first
    assert "of the match index" in first.out
    assert first.out.startswith("compacted ")
    assert "removed 0 files, 0.0 MiB" in first.out
    assert "compacted 0 tables, 0 segments of the match index, 0 of the key table; left out 0 rows" in again.out
    assert "removed 0 files" not in at_once.out


def test_a_table_that_waits_is_named_with_the_stages_it_waits_for(world):
    world.deliver("crm", people(12, of="crm", first=9))
    with lake_of(world).writer() as writer, writer.commit("half a run") as commit:
        commit.consume("matching", "protected_records=0 rest")
    assert "protected_records waits: matching must work on its newest rows first (custview run)" in run(world).out


def test_without_anything_stored_it_is_one_error(tmp_path):
    outcome = run(make_world(tmp_path / "world", SourceSpec("crm", columns=FEW)))
    assert outcome.code == 1
    assert "nothing is stored yet" in outcome.err


def test_a_lake_is_taken_back_to_the_lock_on_its_file_when_asked(world):
    lake = lake_of(world)
    manifest = lake.snapshot().manifest
    lake.replace_manifest(manifest.model_copy(update={"writer_lock": WriterLock.POSTGRESQL}))
    refused = run(world)
    assert (refused.code, "--without-postgres" in refused.err) == (1, True), refused
    both = run(world, "--without-postgres", CUSTVIEW_POSTGRES_URL="postgresql://nobody@127.0.0.1:9/none")
    assert (both.code, "CUSTVIEW_POSTGRES_URL is set" in both.err) == (2, True), both
    assert run(world, "--without-postgres").code == 0
    assert lake.snapshot().manifest.writer_lock is WriterLock.FILE
