"""Sensors: what wakes the pipeline. One a source asks whether a successful run has seen what the source holds now."""

import hashlib
import json
from pathlib import Path
from typing import Final, NamedTuple

import dagster as dg

from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.defs.intake import FINGERPRINT_TAG, intake_keys
from custview_pipeline.defs.jobs import DOWNSTREAM, REFRESH, WRITER_TAG
from custview_pipeline.defs.resources import ProjectResource
from custview_pipeline.kernel.errors import CustviewError, DeliveryRefused
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.protection.record_identity import keyed_fingerprint

CURSOR_VERSION: Final = 3
SETTLE_SECONDS: Final = 10.0  # a file younger than this may still be written
MOST_TRIES: Final = 3
SOURCE_TAG: Final = "custview/source"
_IN_FLIGHT: Final = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]

Tick = dg.SensorResult | dg.SkipReason


class Memo(NamedTuple):
    """What a tick notes for the next.

    Attributes:
        look: Names, times and sizes of the files, digested.
        fingerprint: Of their content, keyed.
        tries: Runs requested for that content.
    """

    look: str = ""
    fingerprint: str = ""
    tries: int = 0


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
        return evaluate(context, contract, project)

    return changed


def evaluate(context: dg.SensorEvaluationContext, contract: SourceContract, project: ProjectResource) -> Tick:
    """Ask for a run where the source holds what no successful run has seen; three tries for one content.

    The cursor is only a cache, of the fingerprint of files that look the same and of the tries made.

    Raises:
        DeliveryRefused: The tries are used up. A failed tick is what an operator sees; a skipped one is not.
    """
    source, files = contract.source_system, SourceFiles(Path(project.directory), contract)
    memo = read_memo(context.cursor)
    try:
        with silenced(f"looking at the files of {source}"):
            look = _look(files)
            if not files.is_settled(SETTLE_SECONDS):
                return dg.SkipReason(f"{source}: the files are still being written")
            if _is_run_in_flight(context.instance):
                return dg.SkipReason(f"{source}: a run is at work")
            fingerprint = memo.fingerprint if memo.look == look else _fingerprint(files, project)
    except CustviewError as error:
        return dg.SkipReason(str(error))
    if _is_taken_in(context.instance, source, fingerprint):
        return dg.SensorResult(skip_reason=f"{source}: nothing new", cursor=write_memo(Memo(look, fingerprint)))
    tries = memo.tries if memo.fingerprint == fingerprint else 0
    if tries >= MOST_TRIES:
        raise DeliveryRefused(f"{source}: gave up after {tries} failed runs; mend the files, or the contract and run the job")
    request = _request(source, fingerprint, look, tries + 1)
    return dg.SensorResult(run_requests=[request], cursor=write_memo(Memo(look, fingerprint, tries + 1)))


def _look(files: SourceFiles) -> str:
    """Return what changes when a file is added, touched or gone, without reading any.

    Raises:
        SourceUnreadable: There is none.
    """
    files.files()
    return hashlib.sha256(repr(files.stat_mark()).encode()).hexdigest()[:16]


def _fingerprint(files: SourceFiles, project: ProjectResource) -> str:
    """Return the keyed fingerprint, for the cursor and the tags of runs are for all eyes.

    Raises:
        SourceUnreadable: There is no file, or one cannot be read.
        ProtectionError: The key cannot be had.
    """
    return keyed_fingerprint(project.keyring.airlock_keys().id_key, files.fingerprint())


def _request(source: str, fingerprint: str, look: str, trial: int) -> dg.RunRequest:
    """Return the request for a whole source and all that follows; its key is new for each try, for Dagster never forgets one."""
    return dg.RunRequest(
        run_key=f"{source}:{fingerprint[:16]}:{look}:{trial}",
        asset_selection=[*intake_keys(source), *DOWNSTREAM],
        tags={SOURCE_TAG: source},
    )


def read_memo(cursor: str | None) -> Memo:
    """Return what the last tick noted; nothing where the cursor is of another version or form, for cursors outlive code."""
    try:
        match json.loads(cursor or "{}"):
            case {"version": int(version), "look": str(look), "fingerprint": str(fingerprint), "tries": int(tries)}:
                return Memo(look, fingerprint, tries) if version == CURSOR_VERSION else Memo()
    except ValueError:
        return Memo()
    return Memo()


def write_memo(memo: Memo) -> str:
    """Return the cursor that ``read_memo`` reads."""
    return json.dumps({"version": CURSOR_VERSION, **memo._asdict()})


def _is_run_in_flight(instance: dg.DagsterInstance) -> bool:
    return bool(instance.get_runs(dg.RunsFilter(statuses=_IN_FLIGHT, tags={WRITER_TAG: "lake"}), limit=1))


def _is_taken_in(instance: dg.DagsterInstance, source: str, fingerprint: str) -> bool:
    """Return whether the last run that took the source in found this content, and succeeded.

    An earlier run with this content does not count: the files may have changed since, and been put back.
    """
    last = instance.get_latest_materialization_event(intake_keys(source)[-1])
    run = instance.get_run_by_id(last.run_id) if last else None
    if run is None or run.status is not dg.DagsterRunStatus.SUCCESS:
        return False
    return run.tags.get(f"{FINGERPRINT_TAG}{source}") == fingerprint
