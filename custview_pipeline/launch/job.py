"""The main job in this process, recorded on the project's instance; its failures alert as those of the daemon do."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import dagster as dg

from custview_pipeline.adapters.alert_channels import Alert, alert_channels, send
from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.project_keys import open_keyring
from custview_pipeline.contracts.project import Project
from custview_pipeline.definitions import build_definitions
from custview_pipeline.defs.alerts import ALERTED, INTERRUPTED, StepFailure, alert_of, step_failures
from custview_pipeline.defs.jobs import REFRESH, WRITER_TAG, keys_from
from custview_pipeline.defs.processes import Worker
from custview_pipeline.defs.stages import BY_COMMAND, WHOLE
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import CustviewError
from custview_pipeline.kernel.ports import Progress
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.launch.home import HOME, open_instance

_TOLD: Final = frozenset({"Failure", "DagsterAssetCheckFailedError"})  # by the stage, or by whoever judged the check
_QUIET: Final = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def refresh(project: Project, progress: Progress, *, source: str | None = None, is_whole: bool = False) -> bool:
    """Run the main job in this process and record it on the project's instance.

    Args:
        project: The project.
        progress: Who is told how it is going.
        source: The one source to take in; all of them by default. What follows from the sources is done either way.
        is_whole: Work on everything, and not on what changed since the last run alone.

    Returns:
        Whether it succeeded and no blocking check failed.

    Raises:
        CustviewError: A setting, the keys, the lake or Dagster's storage is at fault; nothing was begun.
    """
    alert_channels()
    settings.worker_count()
    with _alerting(project, progress):
        DeltaLake(
            project.lake, open_keyring(project.name, project.lake)
        )  # what every stage would stumble over is told once, before them
        with silenced(f"opening {_storage_of(project)}"):
            instance = open_instance(project.directory)
        with silenced("running the job"), instance:
            job = build_definitions(project, progress).resolve_job_def(REFRESH.name)
            tags = {WRITER_TAG: "lake", **BY_COMMAND, **Worker.here().tags, **(WHOLE if is_whole else {})}
            selection = keys_from(source) if source else None
            outcome = job.execute_in_process(
                instance=instance, raise_on_error=False, run_config=_QUIET, tags=tags, asset_selection=selection
            )
            if not outcome.success:
                instance.add_run_tags(outcome.run_id, ALERTED)  # before it does: a webhook may be slow, and the daemon look
            run = instance.get_run_by_id(outcome.run_id) or outcome.dagster_run  # with the tags that its steps gave it
    if not outcome.success:
        _tell_failures(project, run, outcome.all_events, progress)
    return outcome.success


@contextmanager
def _alerting(project: Project, progress: Progress) -> Iterator[None]:
    """Let an error pass that keeps the job from beginning, and alert of it."""
    try:
        yield
    except CustviewError as error:
        _send(Alert(project.name, "run failed", REFRESH.name, "before any step", str(error)), progress)
        raise


def _storage_of(project: Project) -> str:
    is_postgres = settings.read(settings.POSTGRES_URL) is not None
    return f"Dagster's storage ({f'the database of {settings.POSTGRES_URL}' if is_postgres else project.directory / HOME})"


def _tell_failures(project: Project, run: dg.DagsterRun, events: Sequence[dg.DagsterEvent], progress: Progress) -> None:
    """Name on the terminal what no stage told of there, and alert; not of a run that a person interrupted."""
    nowhere = StepFailure(REFRESH.name, "unknown", "failed outside of any step; see the run in Dagster's UI")
    failures = step_failures(events) or [nowhere]
    for failure in failures:
        if failure.kind == INTERRUPTED:
            progress.failed(failure.step, "interrupted")
        elif failure.kind not in _TOLD:
            progress.failed(failure.step, failure.reason)
    if all(failure.kind != INTERRUPTED for failure in failures):
        _send(alert_of(project.name, run, failures), progress)


def _send(alert: Alert, progress: Progress) -> None:
    for failure in send(alert):
        progress.failed("alert", failure)
