"""Runs whose process is gone: found, failed, so that the next in the queue begins."""

from typing import Final

import dagster as dg
from dagster._core.events import JobFailureData, RunFailureReason  # how a run is failed from outside; not exported

from custview_pipeline.defs.processes import Worker

GONE: Final = "the process of the run is gone: killed, or its machine was stopped"
GONE_TAG: Final = {"custview/gone": "true"}  # such a failure says nothing of the delivery
_AT_WORK: Final = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


@dg.sensor(
    name="runs_without_process",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Fails runs whose process is gone; a run that was killed would keep all others waiting.",
)
def runs_without_process(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Fail what is gone, each time the daemon asks."""
    count = fail_runs_without_process(context.instance)
    return dg.SkipReason(f"{count} runs failed whose process is gone" if count else "every run has its process")


def fail_runs_without_process(instance: dg.DagsterInstance) -> int:
    """Fail every run at work whose process is gone, and return how many there were.

    A run of another host cannot be told from here and is left to ``run_monitoring.max_runtime_seconds``; so is one without tags
    of a process, which is on its way from the queue to a process, to ``start_timeout_seconds``.
    """
    suspects = [run.run_id for run in instance.get_runs(dg.RunsFilter(statuses=_AT_WORK)) if _is_gone(run)]
    # Asked again now that their processes can write nothing any more: one may have ended well a moment ago.
    gone = [run for run in map(instance.get_run_by_id, suspects) if run is not None and run.status in _AT_WORK]
    for run in gone:
        if run.status is dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, GONE)
        else:
            instance.add_run_tags(run.run_id, GONE_TAG)
            instance.report_run_failed(run, GONE, JobFailureData(None, RunFailureReason.UNEXPECTED_TERMINATION))
    return len(gone)


def _is_gone(run: dg.DagsterRun) -> bool:
    worker = Worker.of(run.tags)
    return worker is not None and worker.is_of_this_host and not worker.is_alive
