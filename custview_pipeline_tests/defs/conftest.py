"""Small projects with two sources, run through Dagster on an instance of their own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.definitions import build_definitions
from custview_pipeline.launch import open_instance
from custview_pipeline_tests.worlds import SourceSpec, World, make_world, people

CRM, SHOP = SourceSpec("crm"), SourceSpec("shop", file_format="jsonl")


@dataclass(frozen=True)
class Ran:
    """A run of the job, as its instance recorded it."""

    run: dg.DagsterRun
    events: list[dg.DagsterEvent]

    @property
    def materialised(self) -> set[str]:
        """Return the keys of assets that the run materialised."""
        return {event.asset_key.to_user_string() for event in self.events if event.is_step_materialization and event.asset_key}

    @property
    def checks(self) -> dict[tuple[str, str], dg.AssetCheckEvaluation]:
        """Return the results of checks by asset and name."""
        found = [
            event.asset_check_evaluation_data
            for event in self.events
            if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION
        ]
        return {(result.asset_key.to_user_string(), result.check_name): result for result in found}

    @property
    def failures(self) -> list[str]:
        """Return what the failed steps say."""
        failed = [event.step_failure_data for event in self.events if event.is_step_failure]
        return [step.user_failure_data.description or "" for step in failed if step.user_failure_data]


def run_job(
    world: World, *, keys: Sequence[dg.AssetKey] | None = None, tags: dict[str, str] | None = None, **environment: str
) -> Ran:
    """Run the job in this process, on the project's own instance, whole or for some assets; it waits for no file to settle."""
    with surroundings(world, environment), open_instance(world.directory) as instance, pytest.MonkeyPatch.context() as patch:
        patch.setattr("custview_pipeline.defs.intake.SETTLE_SECONDS", 0.0)
        job = build_definitions(load_project(world.directory)).resolve_job_def("refresh")
        done = job.execute_in_process(instance=instance, raise_on_error=False, asset_selection=keys, tags=tags)
        run = instance.get_run_by_id(done.run_id)
        assert run is not None
        return Ran(run, done.all_events)


@contextmanager
def surroundings(world: World, environment: dict[str, str]) -> Iterator[None]:
    """Give this process the environment of a world for a while."""
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in {**world.environment, **environment}.items():
            if value is None:
                patch.delenv(variable, raising=False)
            else:
                patch.setenv(variable, value)
        yield


def new_world(root: Path) -> World:
    """Return a project whose two sources know 30 and 20 of the same persons; one row of the first has no name."""
    world = make_world(root, CRM, SHOP)
    (nameless,) = people(1, of="crm", first=30)
    world.deliver("crm", [*people(30, of="crm"), nameless | {"name": None}])
    world.deliver("shop", people(20, of="shop", first=10))
    return world


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a project that has not run."""
    return new_world(tmp_path)


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Ran]:
    """Return a project that ran once, and its run; tests leave both as they are."""
    world = new_world(tmp_path_factory.mktemp("world"))
    return world, run_job(world)
