"""The flows of the main job on a small world, whole or killed before a chosen step of a commit."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

import pytest

from custview_pipeline.adapters.delta_lake import Commit, DeltaLake
from custview_pipeline.adapters.key_files import FileKeyProvider, KeyDirectory
from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.flows.assess import assess
from custview_pipeline.flows.deliver import Intake, deliver
from custview_pipeline.flows.link import link
from custview_pipeline.flows.publish import publish
from custview_pipeline.flows.renew_index import bring_up_to_date
from custview_pipeline.flows.renewal import Renewal
from custview_pipeline.flows.rotation import RotationReport, rotate
from custview_pipeline.flows.survive import survive
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import Purpose

# Children are forked from a server that has imported this module and run nothing of it, so each starts at once.
_METHOD: Final = "forkserver" if sys.platform == "linux" else "spawn"

# Everything that a commit does, in the order of the file system: writing a part, and giving a finished file its name.
_STEPS: Final = (
    (
        Commit,
        (
            "add_keys",
            "add_index",
            "append",
            "replace",
            "remove",
            "compact",
            "compact_index",
            "compact_keys",
            "begin_index",
            "switch_index",
            "reencrypt_index",
            "reseal_keys",
        ),
    ),
    (DeltaLake, ("replace_manifest",)),
    (Path, ("replace", "unlink")),
)


def open_keys(folder: Path) -> Keyring:
    """Return the keyring of a key directory, made at the first use."""
    return Keyring.open(FileKeyProvider(folder), KeyDirectory(folder))


def run_flows(directory: Path, keyring: Keyring, *, run_id: str = "run") -> DeltaLake:
    """Pass a project through every flow of the main job, in this process, and return its lake."""
    project = load_project(directory)
    lake = DeltaLake(project.lake, keyring)
    for contract in project.contracts:
        files = SourceFiles(project.directory, contract)
        with lake.writer() as writer:
            intake = Intake(contract, files, project.region, keyring.airlock_keys(), 1, run_id, Unwatched())
            assert deliver(intake, writer).refusal is None
    _, id_key = keyring.current(Purpose.ID)
    with lake.writer() as writer:
        bring_up_to_date(writer, Renewal(keyring, project.contracts, project.region, 1, run_id, Unwatched()))
        link(writer, project.rulebook, id_key, run_id=run_id, progress=Unwatched())
    with lake.writer() as writer:
        survive(writer, project.contracts, project.rulebook, run_id=run_id, progress=Unwatched())
    with lake.writer() as writer:
        publish(writer, run_id=run_id)
    with lake.writer() as writer:
        assess(writer, project.contracts, project.rulebook, run_id=run_id)
    return lake


def before_each_step(act: Callable[[str], None]) -> Callable[[], None]:
    """Call ``act`` with the name of every step of a commit before it is taken; return what undoes that."""
    originals: list[tuple[type, str, Any]] = []

    def watch(owner: type, name: str) -> None:
        original = getattr(owner, name)
        originals.append((owner, name, original))

        def watched(self: Any, *arguments: Any, **named: Any) -> Any:
            what = f"{owner.__name__}.{name}"
            act(f"{what} {arguments[0]}" if arguments and isinstance(arguments[0], str) else what)
            return original(self, *arguments, **named)

        setattr(owner, name, watched)

    for owner, names in _STEPS:
        for name in names:
            watch(owner, name)

    def undo() -> None:
        for owner, name, original in originals:
            setattr(owner, name, original)

    return undo


def steps_of(run: Callable[[], object]) -> list[str]:
    """Return the names of the steps that commits take while ``run`` runs, in order."""
    steps: list[str] = []
    undo = before_each_step(steps.append)
    try:
        run()
    finally:
        undo()
    return steps


def die_before(step: int, watch: Callable[[Callable[[str], None]], object] = before_each_step) -> None:
    """Make this process end as ``kill -9`` ends it, before the step of that number, counted from 0; ``watch`` tells of each."""
    left = [step]

    def count(_: str) -> None:
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1

    watch(count)


def rotate_key(directory: Path, keyring: Keyring, *, purpose: Purpose, records_a_turn: int = 20) -> RotationReport:
    """Rotate a key of a project, or bring its rotation to its end, in this process."""
    project = load_project(directory)
    lake = DeltaLake(project.lake, keyring)
    return rotate(
        lake,
        keyring,
        project.contracts,
        project.region,
        purpose,
        run_id="rotation",
        progress=Unwatched(),
        records_a_turn=records_a_turn,
    )


def start_doomed(directory: Path, keys: Path, step: int, run: Callable[[Path, Keyring], object] = run_flows) -> BaseProcess:
    """Start something on a project, by default the flows, in a process that is killed before a step."""
    context = multiprocessing.get_context(_METHOD)
    if _METHOD == "forkserver":
        context.set_forkserver_preload([__name__])
    process = context.Process(target=_run_doomed, args=(directory, keys, step, run))
    process.start()
    return process


def _run_doomed(directory: Path, keys: Path, step: int, run: Callable[[Path, Keyring], object]) -> None:
    keyring = open_keys(keys)
    die_before(step)
    run(directory, keyring)


def sampled(cases: Iterable[object]) -> list[Any]:
    """Return the cases of a fault test as parameters: CI runs the first of them, the whole is for ``make faults``."""
    first, *others = cases
    return [first, *(pytest.param(case, marks=pytest.mark.thorough) for case in others)]
