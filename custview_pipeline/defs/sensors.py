"""Sensors: what wakes the pipeline. One a source asks whether a successful run has seen what the source holds now."""

import hashlib
import time
from pathlib import Path
from typing import Final

import dagster as dg
import polars as pl
from dagster._core.storage.tags import RUN_KEY_TAG  # what the daemon notes of a request; not exported

from custview_pipeline.adapters.alert_channels import Alert
from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.adapters.sources import open_source
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.source_server import DatabaseTable, RowsOfProgram
from custview_pipeline.defs.alerts import tell
from custview_pipeline.defs.intake import (
    ASKED_TAG,
    FINGERPRINT_TAG,
    HELD_TAG,
    SETTLE_SECONDS,
    files_key,
    held_mark,
    intake_keys,
    terms_of,
)
from custview_pipeline.defs.jobs import DOWNSTREAM, REFRESH, WRITER_TAG, keys_from
from custview_pipeline.defs.metadata import observation
from custview_pipeline.defs.reaper import GONE_TAG
from custview_pipeline.defs.resources import ProjectResource
from custview_pipeline.defs.tries import Memo, read_memo, write_memo
from custview_pipeline.flows.holding import Standing, current_held
from custview_pipeline.kernel.errors import CustviewError, DeliveryRefused, ProjectInvalid
from custview_pipeline.kernel.ports import Source
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.protection.record_identity import keyed_fingerprint

# Seconds between two looks. Files are looked at without reading them; a table is asked for a digest, a program for all it has.
INTERVAL: Final = 30
_INTERVALS: Final = {DatabaseTable: 300, RowsOfProgram: 1800}
SOURCE_TAG: Final = "custview/source"
_GAVE_UP: Final = "custview/gave_up/"  # key of what was told of a source, beside the cursors: a failed tick keeps none
_FOR_A_PERSON: Final = {
    Standing.HELD.value: "the delivery waits for a person: custview deliveries list",
    Standing.REJECTED.value: "a person rejected the delivery; other files, or custview deliveries approve, go on",
}
_FOLLOWERS: Final = 20  # runs after the one that took a source in, of which one should have gone to the end
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
        minimum_interval_seconds=_INTERVALS.get(type(contract.origin), INTERVAL),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Refreshes the customer view when {contract.title} changes.",
    )
    def changed(context: dg.SensorEvaluationContext, project: ProjectResource) -> Tick:
        return evaluate(context, contract, project)

    return changed


def evaluate(context: dg.SensorEvaluationContext, contract: SourceContract, project: ProjectResource) -> Tick:
    """Ask for a run where the source holds what no successful run has seen: a few tries for one content, ever further apart.

    The cursor is only a cache, of the fingerprint of files that look the same and of the tries made.

    Raises:
        DeliveryRefused: The tries are used up; told once, by an alert too. A failed tick is what an operator sees.
    """
    source, before = contract.source_system, read_memo(context.cursor)
    try:
        with silenced(f"looking at {source}"):
            opened = open_source(Path(project.directory), contract)
            look = _look(opened)
            if isinstance(opened, SourceFiles) and not opened.is_settled(SETTLE_SECONDS):
                return dg.SkipReason(f"{source}: the files are still being written")
            if _is_run_in_flight(context.instance):
                return dg.SkipReason(f"{source}: a run is at work")
            is_known = bool(look) and look == before.look
            fingerprint = before.fingerprint if is_known else _fingerprint(opened, project)
    except CustviewError as error:
        return _missed(context, source, before.missed(time.time()), str(error), project)
    if before.is_miss_told:
        context.log.info("%s: it can be looked at again", source)
    memo = before.seen_as(look, fingerprint, terms_of(contract))
    with silenced(f"deciding on {source}"):
        tick = _decide(context, contract, memo, project)
    is_same = (look, fingerprint) == (before.look, before.fingerprint)
    return tick if is_same else _with_observation(tick, source, opened, fingerprint)


def _missed(context: dg.SensorEvaluationContext, source: str, memo: Memo, why: str, project: ProjectResource) -> Tick:
    """Skip the tick; say once, by an alert, that a source could not be looked at for a while."""
    try:
        name = project.project.name
    except ProjectInvalid as error:  # no fault of the source
        return dg.SkipReason(str(error))
    if memo.is_miss_due(time.time()):
        reason = f"it could not be looked at {memo.misses} times, and is looked at again and again: {why}"
        tell(context, Alert(name, "gave up", f"{source}_changed", source, reason))
        memo = memo._replace(is_miss_told=True)
    return _skipped(why, memo)


def _decide(
    context: dg.SensorEvaluationContext, contract: SourceContract, memo: Memo, project: ProjectResource
) -> dg.SensorResult:
    source, now = contract.source_system, time.time()
    if _is_taken_in(context.instance, source, memo.fingerprint):
        return _skipped(f"{source}: nothing new", Memo(memo.look, memo.fingerprint, memo.terms))
    if why := _for_a_person(context, source, memo, project):
        return _skipped(f"{source}: {why}", memo)
    if _was_killed(context.instance, source, memo):
        memo = memo.untried()
    if memo.is_given_up:
        return _give_up(context, source, memo, project)
    if (wait := memo.waits(now)) > 0:
        return _skipped(f"{source}: the run failed; try {memo.tries + 1} in {wait:.0f} s", memo)
    try:
        project.project  # noqa: B018 -- looking at it reads it; a run that cannot would cost a try
    except ProjectInvalid as error:
        return _skipped(str(error), memo)
    if memo.tries == 0:
        context.instance.daemon_cursor_storage.set_cursor_values({f"{_GAVE_UP}{source}": ""})
    tried = memo.tried(now)
    return dg.SensorResult(run_requests=[_request(contract, tried)], cursor=write_memo(tried))


def _for_a_person(context: dg.SensorEvaluationContext, source: str, memo: Memo, project: ProjectResource) -> str | None:
    """Return why only a person can go on, where a run held this content back under these terms; the lake is asked only then."""
    held_back = dg.RunsFilter(tags={f"{HELD_TAG}{source}": held_mark(memo.fingerprint, memo.terms)})
    if not context.instance.get_runs(held_back, limit=1):
        return None
    held = current_held(project.lake().snapshot()).filter(pl.col("source_system") == source)
    return next((why for status, why in _FOR_A_PERSON.items() if status in held["status"].to_list()), None)


def _was_killed(instance: dg.DagsterInstance, source: str, memo: Memo) -> bool:
    """Return whether the last try says nothing of the delivery, for its process was killed."""
    if not memo.tries:
        return False
    return bool(instance.get_runs(dg.RunsFilter(tags={RUN_KEY_TAG: _run_key(source, memo), **GONE_TAG}), limit=1))


def _skipped(reason: str, memo: Memo) -> dg.SensorResult:
    return dg.SensorResult(skip_reason=reason, cursor=write_memo(memo))


def _give_up(context: dg.SensorEvaluationContext, source: str, memo: Memo, project: ProjectResource) -> dg.SensorResult:
    """Say once that no further try is made: by an alert and a failed tick; later ticks are skipped and say so."""
    key, content = f"{_GAVE_UP}{source}", f"{memo.fingerprint}:{memo.terms}"
    advice = "mend the files or the contract; or mend what the runs failed of, and start the job"
    reason = f"gave up after {memo.tries} failed runs: {advice} backfill_{source}"
    told = context.instance.daemon_cursor_storage
    if told.get_cursor_values({key}).get(key) == content:
        return _skipped(f"{source}: {reason}", memo)
    tell(context, Alert(project.project.name, "gave up", f"{source}_changed", source, reason))
    told.set_cursor_values({key: content})
    raise DeliveryRefused(f"{source}: {reason}")


def _look(opened: Source) -> str:
    """Return what changes when a file is added, touched or gone, without reading any; empty where there are no files to look at.

    Raises:
        SourceUnreadable: There should be files, and there is none.
    """
    if not isinstance(opened, SourceFiles):
        return ""
    opened.files()
    return _digest(opened.stat_mark())


def _digest(of: object) -> str:
    return hashlib.sha256(repr(of).encode()).hexdigest()[:16]


def _fingerprint(opened: Source, project: ProjectResource) -> str:
    """Return the keyed fingerprint, for the cursor and the tags of runs are for all eyes.

    Raises:
        SourceUnreadable: There is nothing to read, or it cannot be read.
        ProtectionError: The key cannot be had.
    """
    return keyed_fingerprint(project.keyring.airlock_keys().id_key, opened.fingerprint())


def _with_observation(tick: dg.SensorResult, source: str, opened: Source, fingerprint: str) -> dg.SensorResult:
    """Return a tick that tells the catalogue of the source: files, bytes, last change; the fingerprint is its version."""
    marks = opened.stat_mark() if isinstance(opened, SourceFiles) else ()
    changed = max((changed / 1e9 for _, changed, _ in marks), default=None)
    counts = {"file_count": len(marks), "byte_count": sum(size for _, _, size in marks)} if marks else {}
    return tick._replace(asset_events=[observation(files_key(source), counts, version=fingerprint, changed_at=changed)])


def _request(contract: SourceContract, tried: Memo) -> dg.RunRequest:
    """Return the request for a whole source and all that follows.

    A program that gives changes alone shows the run less than all that the sensor sees: the run is told what the sensor saw.
    """
    source = contract.source_system
    is_partial = isinstance(contract.origin, RowsOfProgram) and contract.extract == "changes"
    asked = {f"{ASKED_TAG}{source}": tried.fingerprint} if is_partial else {}
    return dg.RunRequest(run_key=_run_key(source, tried), asset_selection=keys_from(source), tags={SOURCE_TAG: source, **asked})


def _run_key(source: str, tried: Memo) -> str:
    """Return the key of the last try; it is new for each, for Dagster never forgets one."""
    return f"{source}:{tried.fingerprint[:16]}:{tried.tries}:{tried.tried_at:.0f}"


def _is_run_in_flight(instance: dg.DagsterInstance) -> bool:
    return bool(instance.get_runs(dg.RunsFilter(statuses=_IN_FLIGHT, tags={WRITER_TAG: "lake"}), limit=1))


def _is_taken_in(instance: dg.DagsterInstance, source: str, fingerprint: str) -> bool:
    """Return whether the last run that took the source in found this content, and succeeded, as did all that follows from it.

    An earlier run with this content does not count: the files may have changed since, and been put back.
    """
    last = instance.get_latest_materialization_event(intake_keys(source)[-1])
    run = instance.get_run_by_id(last.run_id) if last else None
    if run is None or run.status is not dg.DagsterRunStatus.SUCCESS:
        return False
    if run.tags.get(f"{FINGERPRINT_TAG}{source}") != fingerprint:
        return False
    is_to_the_end = run.asset_selection is None or DOWNSTREAM[-1] in run.asset_selection
    return is_to_the_end or (last is not None and _is_followed(instance, last.timestamp))


def _is_followed(instance: dg.DagsterInstance, moment: float) -> bool:
    """Return whether a run went to the end after a moment, and succeeded: by night the sources have runs of their own."""
    later = dg.AssetRecordsFilter(DOWNSTREAM[-1], after_timestamp=moment)
    runs = (instance.get_run_by_id(record.run_id) for record in instance.fetch_materializations(later, _FOLLOWERS).records)
    return any(run is not None and run.status is dg.DagsterRunStatus.SUCCESS for run in runs)
