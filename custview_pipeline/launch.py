"""Runs the main job in this process, or serves UI and daemon; both on the project's own Dagster instance."""

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Final

import dagster as dg
import psutil
from dagster._core.instance.ref import InstanceRef  # the way to an instance with a folder of its own; not exported

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.project_keys import open_keyring
from custview_pipeline.contracts.project import Project
from custview_pipeline.definitions import build_definitions
from custview_pipeline.defs.jobs import REFRESH, WRITER_TAG
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.kernel.ports import Progress
from custview_pipeline.kernel.redaction import silenced

HOME: Final = Path(".custview") / "dagster"
_LOOK_SECONDS: Final = 0.5
_SHUTDOWN_SECONDS: Final = 60.0  # Dagster gives each of its services 15 s or more
_LINGER_SECONDS: Final = 10.0
_INTERRUPTED: Final = "DagsterExecutionInterruptedError"
_TOLD: Final = frozenset({"Failure", "DagsterAssetCheckFailedError"})  # by the stage, or by whoever judged the check
_QUIET: Final = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def open_instance(directory: Path) -> dg.DagsterInstance:
    """Return the Dagster instance of a project, the one that its UI shows."""
    home = write_home(directory)
    base = str(home)
    overrides = {
        "storage": {
            "custom": {
                "module": "custview_pipeline.defs.instance",
                "class": "CustviewStorage",
                "config": {"base_dir": base},
            }
        },
        "local_artifact_storage": {
            "module": "dagster._core.storage.root",
            "class": "LocalArtifactStorage",
            "config": {"base_dir": base},
        },
        # What is printed here belongs to the terminal; Dagster would send it through files and two processes more a step.
        "compute_logs": {
            "module": "dagster._core.storage.noop_compute_log_manager",
            "class": "NoOpComputeLogManager",
            "config": {},
        },
    }
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(base, overrides=overrides))


def refresh(project: Project, progress: Progress) -> bool:
    """Run the main job in this process and record it on the project's instance.

    Returns:
        Whether it succeeded and no blocking check failed.

    Raises:
        CustviewError: A setting, the keys, the lake or Dagster's storage is at fault; nothing was begun.
    """
    settings.worker_count()
    DeltaLake(
        project.lake, open_keyring(project.name, project.lake)
    )  # what every stage would stumble over is told once, before them
    with silenced(f"opening {_storage_of(project)}"):
        instance = open_instance(project.directory)
    with silenced("running the job"), instance:
        job = build_definitions(project, progress).resolve_job_def(REFRESH.name)
        tags = {WRITER_TAG: "lake", "custview/started_by": "cli"}
        outcome = job.execute_in_process(instance=instance, raise_on_error=False, run_config=_QUIET, tags=tags)
        _tell_failures(outcome, progress)
        return outcome.success


def _storage_of(project: Project) -> str:
    is_postgres = settings.read(settings.POSTGRES_URL) is not None
    return f"Dagster's storage ({f'the database of {settings.POSTGRES_URL}' if is_postgres else project.directory / HOME})"


def _tell_failures(outcome: dg.ExecuteInProcessResult, progress: Progress) -> None:
    """Name the failures that no stage told of: the type of the error only, for its text may quote values."""
    failures = [event for event in outcome.all_events if event.is_step_failure]
    for event in failures:
        error = event.step_failure_data.error
        kind = (error.cause or error).cls_name if error else None
        if kind == _INTERRUPTED:
            progress.failed(str(event.step_key), "interrupted")
        elif kind not in _TOLD:
            what = kind or "an unknown error"
            progress.failed(str(event.step_key), f"failed with {what}; the run in Dagster's UI has the place")
    if not failures and not outcome.success:
        progress.failed(REFRESH.name, "failed outside of any step; see the run in Dagster's UI")


def serve(directory: Path, *, host: str, port: int) -> int:
    """Run UI and daemon until they end or this process is asked to stop, and leave no process behind.

    Args:
        directory: The project directory.
        host: Address the UI listens on.
        port: Port it listens on.

    Returns:
        0 where it was asked to stop (Ctrl-C, SIGTERM), else the server's exit code.

    Raises:
        ProjectInvalid: The port is taken.
    """
    _refuse_taken(host, port)
    home, asked = write_home(directory), threading.Event()
    command = [sys.executable, "-m", "dagster", "dev", "-w", str(home / "workspace.yaml"), "-h", host, "-p", str(port)]
    # Handlers come first: a shell starts background jobs deaf to SIGINT, and a process that it starts would inherit that.
    before = {number: signal.signal(number, lambda *_: asked.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    # In a session of its own the server hears a Ctrl-C once, from here, and not a second time in the middle of its shutdown.
    server = subprocess.Popen(  # noqa: S603 -- our own interpreter and arguments
        [*command, "--log-level", "warning"], cwd=directory, env=_server_environment(directory, home), start_new_session=True
    )
    try:
        while server.poll() is None and not asked.wait(_LOOK_SECONDS):
            pass
    finally:
        _stop(server)
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0 if asked.is_set() else server.returncode


def _refuse_taken(host: str, port: int) -> None:
    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        raise ProjectInvalid(f"cannot listen on {host}:{port} ({error.strerror}): choose another with --port") from None


def _server_environment(directory: Path, home: Path) -> dict[str, str]:
    """Return the environment of the server, which works in the project's directory: a relative path of keys is made absolute."""
    added = {"DAGSTER_HOME": str(home), settings.PROJECT: str(directory), "PYTHONWARNINGS": "ignore"}
    if keys := settings.read(settings.KEYS):
        added[settings.KEYS] = str(Path(keys).expanduser().absolute())
    return settings.child_environment(added)


def _stop(server: "subprocess.Popen[bytes]") -> None:
    """End a server and whatever it started: ask, insist, kill."""
    if server.poll() is not None:
        return
    family = psutil.Process(server.pid).children(recursive=True)
    server.send_signal(signal.SIGINT)
    try:
        server.wait(_SHUTDOWN_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    _, alive = psutil.wait_procs(family, timeout=_LINGER_SECONDS)
    for end in (psutil.Process.terminate, psutil.Process.kill):
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                end(process)
        _, alive = psutil.wait_procs(alive, timeout=_LINGER_SECONDS)


def write_home(directory: Path) -> Path:
    """Put dagster.yaml and workspace.yaml where Dagster looks for them, and return that folder."""
    home = (directory / HOME).absolute()
    home.mkdir(parents=True, exist_ok=True)
    for name in ("dagster.yaml", "workspace.yaml"):
        # A run that starts at the same time must not find half a file.
        unfinished = home / f".{name}.{os.getpid()}"
        unfinished.write_text(files("custview_pipeline.defs").joinpath(name).read_text(encoding="utf-8"), encoding="utf-8")
        unfinished.replace(home / name)
    return home
