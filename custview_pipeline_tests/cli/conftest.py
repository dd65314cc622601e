"""A project that ran once, and the command."""

import json

import pytest

from custview_pipeline_tests.permissions import allow
from custview_pipeline_tests.worlds import SourceSpec, World, make_world, people


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return a project whose job ran once; tests only read it."""
    world = make_world(tmp_path_factory.mktemp("cli"), SourceSpec("crm"), SourceSpec("shop", file_format="jsonl"))
    world.deliver("crm", [*people(30, of="crm"), {**people(1, of="crm", first=30)[0], "name": None}])
    world.deliver("shop", people(20, of="shop", first=10))
    allow(world)
    outcome = world.refresh()
    assert outcome.code == 0, outcome
    (world.root / "first_run.json").write_text(json.dumps(outcome._asdict()), encoding="utf-8")
    return world


@pytest.fixture(scope="session")
def first_run(world: World) -> dict[str, str]:
    """Return what the first run printed."""
    said: dict[str, str] = json.loads((world.root / "first_run.json").read_text(encoding="utf-8"))
    return said


@pytest.fixture(scope="session")
def cuid(world: World) -> str:
    """Return the id of a customer whom both sources know."""
    rows = [line.split(",") for line in world.export("crosswalk").decode().splitlines()]
    return next(cuid for source, key, cuid in rows if (source, key) == ("crm", "crm-00010"))
