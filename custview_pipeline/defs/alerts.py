"""What alerts say of a run that failed: which step, and why, in names and counts; and the sensor that watches for such runs."""

from collections.abc import Iterable
from typing import Final, NamedTuple

import dagster as dg

from custview_pipeline.adapters.alert_channels import Alert, What, send
from custview_pipeline.defs.intake import HELD_TAG
from custview_pipeline.defs.reaper import GONE

# The command line alerts of its runs itself, daemon or not, and notes that it does; one that was killed notes nothing.
ALERTED: Final = {"custview/alerted": "cli"}
INTERRUPTED: Final = "DagsterExecutionInterruptedError"
_STOPPED_BY_CHECK: Final = "DagsterAssetCheckFailedError"
_OUTSIDE: Final = "outside of any step"
_LOOKED_AT: Final = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.ASSET_CHECK_EVALUATION}


class StepFailure(NamedTuple):
    """Why a step of a run failed.

    Attributes:
        step: Its name.
        kind: Name of the type of the error.
        reason: One line that may be shown to anybody.
    """

    step: str
    kind: str
    reason: str


def alert_sensor(project_name: str) -> dg.SensorDefinition:
    """Return the sensor that tells whoever is to be told of failed runs."""

    @dg.run_failure_sensor(
        name="alert_of_failed_runs",
        monitor_all_code_locations=True,  # runs of the command line belong to none
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells of each failed run once: in this log, and by e-mail and webhook where they are set.",
    )
    def alert_of_failed_runs(context: dg.RunFailureSensorContext) -> None:
        run = context.dagster_run
        if ALERTED.items() <= run.tags.items():
            return
        logged = context.instance.all_logs(run.run_id, of_type=_LOOKED_AT)
        failures = step_failures(entry.dagster_event for entry in logged if entry.dagster_event is not None)
        tell(context, alert_of(project_name, run, failures or [_outside(context.failure_event)]))

    return alert_of_failed_runs


def tell(context: dg.RunFailureSensorContext | dg.SensorEvaluationContext | dg.AssetExecutionContext, alert: Alert) -> None:
    """Put an alert into the log, and send it; what cannot be sent is in the log too, and fails nothing."""
    context.log.error(alert.line)
    for failure in send(alert):
        context.log.warning(failure)


def alert_of(project_name: str, run: dg.DagsterRun, failures: Iterable[StepFailure]) -> Alert:
    """Return the alert of a failed run."""
    told = list(failures)
    what: What = "delivery held" if any(tag.startswith(HELD_TAG) for tag in run.tags) else "run failed"
    steps, reasons = (", ".join(failure.step for failure in told), "; ".join(failure.reason for failure in told))
    return Alert(project_name, what, run.job_name, steps, reasons, run.run_id)


def step_failures(events: Iterable[dg.DagsterEvent]) -> list[StepFailure]:
    """Return the steps that failed, of the events of one run."""
    seen = list(events)
    checks = [_check(event) for event in seen if _is_failed_check(event)]
    return [_step_failure(event, checks) for event in seen if event.is_step_failure]


def _step_failure(event: dg.DagsterEvent, checks: list[str]) -> StepFailure:
    failed = event.step_failure_data
    kind = (failed.error.cause or failed.error).cls_name or "unknown error" if failed.error else "unknown error"
    if failed.user_failure_data and failed.user_failure_data.description:  # a stage's own words: names and counts
        reason = failed.user_failure_data.description
    elif kind == _STOPPED_BY_CHECK and checks:
        reason = f"stopped by {'; '.join(checks)}"
    else:
        reason = f"failed with {kind}; the run in Dagster's UI has the place"
    return StepFailure(str(event.step_key), kind, reason)


def _is_failed_check(event: dg.DagsterEvent) -> bool:
    if event.event_type is not dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        return False
    result = event.asset_check_evaluation_data
    return not result.passed and result.severity is dg.AssetCheckSeverity.ERROR


def _check(event: dg.DagsterEvent) -> str:
    result = event.asset_check_evaluation_data
    why = f" ({result.description})" if result.description else ""
    return f"{result.asset_key.to_user_string()} {result.check_name}{why}"


def _outside(event: dg.DagsterEvent) -> StepFailure:
    if event.message == GONE:
        return StepFailure(_OUTSIDE, "gone", GONE)
    failed = event.job_failure_data if event.event_specific_data is not None else None
    error = failed.error if failed else None
    cause = failed.failure_reason.value.lower() if failed and failed.failure_reason else "unknown"
    kind = (error.cls_name if error else None) or cause
    return StepFailure(_OUTSIDE, kind, f"failed with {kind}; the run in Dagster's UI has the place")
