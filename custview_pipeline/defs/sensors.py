"""Sensors: what wakes the pipeline. One a source asks whether a successful run has seen what the source holds now."""

import json
from pathlib import Path
from typing import Any, Final

import dagster as dg

from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.defs.intake import FINGERPRINT_TAG, intake_keys
from custview_pipeline.defs.jobs import DOWNSTREAM, REFRESH, WRITER_TAG
from custview_pipeline.defs.resources import ProjectResource
from custview_pipeline.kernel.errors import CustviewError

CURSOR_VERSION: Final = 1
SETTLE_SECONDS: Final = 10.0  # a file younger than this may still be written
MOST_TRIES: Final = 3
_IN_FLIGHT: Final = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]

Tick = dg.SensorResult | dg.SkipReason


def sensor_of(contract: SourceContract) -> dg.SensorDefinition:
    """Return the sensor of one source."""

    @dg.sensor(
        name=f"{contract.source_system}_changed",
        job=REFRESH,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Refreshes the customer view when the files of {contract.title} change.",
    )
    def changed(context: dg.SensorEvaluationContext, project: ProjectResource) -> Tick:
        try:
            return evaluate(context, contract, Path(project.directory))
        except CustviewError as error:
            return dg.SkipReason(str(error))

    return changed


def evaluate(context: dg.SensorEvaluationContext, contract: SourceContract, directory: Path) -> Tick:
    """Ask for a run where the source holds what no successful run has seen; three tries for one content.

    The cursor is only a cache, of the fingerprint of files that look the same and of the tries made.
    """
    source, files = contract.source_system, SourceFiles(directory, contract)
    if not files.is_settled(SETTLE_SECONDS):
        return dg.SkipReason(f"{source}: the files are still being written")
    if _runs(context, _IN_FLIGHT, {WRITER_TAG: "lake"}):
        return dg.SkipReason(f"{source}: a run is at work")
    memo, look = read_memo(context.cursor), files.stat_mark()
    fingerprint = memo["fingerprint"] if memo.get("look") == look else files.fingerprint()
    tries = memo.get("tries", 0) if memo.get("fingerprint") == fingerprint else 0
    if _runs(context, [dg.DagsterRunStatus.SUCCESS], {f"{FINGERPRINT_TAG}{source}": fingerprint}):
        return _result(look, fingerprint, 0, skip=f"{source}: nothing new")
    if tries >= MOST_TRIES:
        return _result(look, fingerprint, tries, skip=f"{source}: gave up after {tries} failed runs; mend the files or the contract")
    request = dg.RunRequest(
        run_key=f"{source}:{fingerprint[:16]}:{look}:{tries + 1}",
        asset_selection=[*intake_keys(source), *DOWNSTREAM],
        tags={"custview/source": source},
    )
    return _result(look, fingerprint, tries + 1, request=request)


def read_memo(cursor: str | None) -> dict[str, Any]:
    """Return what the last tick noted; nothing where the cursor is of another version, for cursors outlive code."""
    try:
        memo = json.loads(cursor or "{}")
    except ValueError:
        return {}
    return memo if isinstance(memo, dict) and memo.get("version") == CURSOR_VERSION else {}


def _runs(context: dg.SensorEvaluationContext, statuses: list[dg.DagsterRunStatus], tags: dict[str, str]) -> bool:
    return bool(context.instance.get_runs(dg.RunsFilter(statuses=statuses, tags=tags), limit=1))


def _result(
    look: str, fingerprint: str, tries: int, *, skip: str | None = None, request: dg.RunRequest | None = None
) -> dg.SensorResult:
    cursor = json.dumps({"version": CURSOR_VERSION, "look": look, "fingerprint": fingerprint, "tries": tries})
    return dg.SensorResult(run_requests=[request] if request else [], skip_reason=skip, cursor=cursor)
