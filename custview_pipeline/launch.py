"""Runs the main job in this process, or serves UI and daemon; both on the project's own Dagster instance."""

import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Final

import dagster as dg
from dagster._core.instance.ref import InstanceRef

from custview_pipeline.contracts.project import Project
from custview_pipeline.definitions import build_definitions
from custview_pipeline.defs.jobs import REFRESH, WRITER_TAG
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.ports import Progress
from custview_pipeline.kernel.redaction import silenced

HOME: Final = Path(".custview") / "dagster"
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
        "compute_logs": {
            "module": "dagster._core.storage.local_compute_log_manager",
            "class": "LocalComputeLogManager",
            "config": {"base_dir": str(home / "compute_logs")},
        },
    }
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(base, overrides=overrides))


def refresh(project: Project, progress: Progress) -> bool:
    """Run the main job in this process and record it on the project's instance.

    Returns:
        Whether it succeeded and no blocking check failed.
    """
    with silenced("running the job"), open_instance(project.directory) as instance:
        job = build_definitions(project, progress).resolve_job_def(REFRESH.name)
        outcome = job.execute_in_process(
            instance=instance, raise_on_error=False, run_config=_QUIET, tags={WRITER_TAG: "lake", "custview/started_by": "cli"}
        )
        for event in outcome.all_events:
            if event.is_step_failure and event.step_key:
                progress.failed(event.step_key, "failed; see the run in Dagster's UI")
        return outcome.success


def serve(directory: Path, *, host: str, port: int) -> int:
    """Run UI and daemon until they end; return their exit code."""
    home = write_home(directory)
    command = [sys.executable, "-m", "dagster", "dev", "-w", str(home / "workspace.yaml"), "-h", host, "-p", str(port)]
    environment = settings.child_environment({"DAGSTER_HOME": str(home), settings.PROJECT: str(directory)})
    with subprocess.Popen(command, cwd=directory, env=environment) as server:  # noqa: S603 -- our own interpreter and arguments
        try:
            return server.wait()
        except KeyboardInterrupt:
            return server.wait()


def write_home(directory: Path) -> Path:
    """Put dagster.yaml and workspace.yaml where Dagster looks for them, and return that folder."""
    home = (directory / HOME).absolute()
    home.mkdir(parents=True, exist_ok=True)
    for name in ("dagster.yaml", "workspace.yaml"):
        (home / name).write_text(files("custview_pipeline.defs").joinpath(name).read_text(encoding="utf-8"), encoding="utf-8")
    return home
