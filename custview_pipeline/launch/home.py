"""The Dagster instance of a project: its folder, and how it is opened."""

import os
from importlib.resources import files
from pathlib import Path
from typing import Final

import dagster as dg
from dagster._core.instance.ref import InstanceRef  # the way to an instance with a folder of its own; not exported

HOME: Final = Path(".custview") / "dagster"


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
