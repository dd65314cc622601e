"""Takes in one source: survey, changes, airlock, gate, commit. Stores nothing where the gate stays shut."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NamedTuple

import polars as pl

from custview_pipeline.contracts.audit_tables import AUDIT_FINDINGS, QUALITY_SCORES
from custview_pipeline.contracts.intake_tables import DELIVERIES, HELD_DELIVERIES, PROTECTED_RECORDS
from custview_pipeline.contracts.rulebook import QualityTargets
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.flows.admitted import AdmissionStore, refused_of, store_refused
from custview_pipeline.flows.airlock import Admission, Airlock, admit
from custview_pipeline.flows.delivery_marks import Marks, marks_of
from custview_pipeline.flows.examine import WORKED_ON, Before, Reading, count_reasons, judge_delivery, pending_rows, read_delivery
from custview_pipeline.flows.generations import generations_to_write
from custview_pipeline.flows.holding import Files, Holding, Standing, hold, holding_of
from custview_pipeline.flows.known_records import known_records, quarantined_rows, readable
from custview_pipeline.flows.read_as import read_as
from custview_pipeline.flows.score import DeliveryScores, JudgedDelivery, delivery_scores, last_delivered_at
from custview_pipeline.flows.suppress import NO_MARKS
from custview_pipeline.flows.survey import Delivered
from custview_pipeline.flows.tombstones import tombstones
from custview_pipeline.flows.workers import work_through
from custview_pipeline.ingestion.changes import RowStatus
from custview_pipeline.kernel.errors import SourceUnreadable
from custview_pipeline.kernel.ports import LakeWriter, Progress, Snapshot, Source
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.protection.keyring import AirlockKeys
from custview_pipeline.standardisation.standardise import rule_set_version
from custview_pipeline.validation.gate import reason_to_hold
from custview_pipeline.validation.tally import Tally
from custview_pipeline.validation.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one delivery.

    Attributes:
        is_unchanged: It was taken in before, under the same contract and rules, or a person rejected it; nothing was done.
        is_rejected: A person rejected it, and may still approve it: its files do not count as taken in.
        refusal: Why it was refused or held, in one line; None where it was stored.
        held: It waits for a person, for it would delete a large share of what is known.
        late_count: Rows older than what is known of their record, left out.
        superseded_count: Rows of which the delivery holds a newer one, left out.
        warned_count: Rows accepted with a warning, of those new or changed.
        suppressed_count: Rows of records that were erased before: left out, or taken in where the contract lets them.
        reasons: Refused rows by rule.
    """

    source_system: str
    delivery_id: str = ""
    is_unchanged: bool = False
    is_rejected: bool = False
    refusal: str | None = None
    held: bool = False
    row_count: int = 0
    new_count: int = 0
    changed_count: int = 0
    unchanged_count: int = 0
    deleted_count: int = 0
    warned_count: int = 0
    refused_count: int = 0
    suppressed_count: int = 0
    late_count: int = 0
    superseded_count: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True)
class Intake:
    """What taking in a source needs.

    Attributes:
        contract: Its contract.
        source: Its files or tables.
        region: Default country of the project.
        keys: Keys of the airlock.
        workers: Processes to use at most.
        run_id: The run.
        progress: Who is told.
        targets: Scores to aim at where the contract names none; the rulebook's.
        suppressed: Suppression marks of all records that were ever erased.
        is_whole: Whether every row is compared with what is known, though the files are those that were taken in last.
    """

    contract: SourceContract
    source: Source
    region: str
    keys: AirlockKeys
    workers: int
    run_id: str
    progress: Progress
    targets: QualityTargets = field(default_factory=QualityTargets)
    suppressed: pl.Series = field(default_factory=lambda: NO_MARKS)
    is_whole: bool = False


class _Taking(NamedTuple):
    """A delivery that was read and is believed."""

    marks: Marks
    holding: Holding
    reading: Reading


def deliver(intake: Intake, lake: LakeWriter) -> Delivery:
    """Take in what a source holds now.

    Raises:
        SourceUnreadable: The source is not as its contract says; nothing was stored.
        CustviewError: Anything else that stops it; the last good state stays.
    """
    with intake.source.reading():
        return _deliver(intake, lake)


def _deliver(intake: Intake, lake: LakeWriter) -> Delivery:
    contract, snapshot = intake.contract, lake.snapshot()
    delivered = Delivered(contract, intake.source, intake.region)
    marks = marks_of(delivered, intake.keys.id_key, snapshot)
    holding = holding_of(snapshot, Files(contract.source_system, marks.keyed))
    if holding.standing is Standing.REJECTED:
        return Delivery(contract.source_system, is_unchanged=True, is_rejected=True)
    known = _known_where_due(intake, marks, snapshot)
    if known is None:
        _note(lake, holding.superseded(intake.run_id), intake.run_id)
        return Delivery(contract.source_system, is_unchanged=True)
    before = Before(known, intake.suppressed)
    reading = read_delivery(delivered, intake.keys.id_key, intake.progress, before, is_redone=marks.is_redone)
    why = reason_to_hold(contract, **reading.deletions)
    if why is not None and holding.standing is not Standing.APPROVED:
        _refuse_changed_files(intake, marks)
        _note(lake, hold(holding, reading, run_id=intake.run_id), intake.run_id)
        return _held(contract, reading, f"{why}; {_what_to_do(contract, holding.files)}")
    return _take_in(intake, lake, snapshot, _Taking(marks, holding, reading))


def _known_where_due(intake: Intake, marks: Marks, snapshot: Snapshot) -> pl.DataFrame | None:
    """Return what is known of the source; None where these very files were taken in and all that came of them can be opened."""
    is_settled = marks.is_as_before and not intake.is_whole
    if is_settled and marks.are_keys_as_before:
        return None
    known = known_records(snapshot, intake.contract.source_system)
    if marks.are_keys_as_before:
        return known
    opened = readable(snapshot, known)
    return None if is_settled and not opened["content_digest"].has_nulls() else opened


def _take_in(intake: Intake, lake: LakeWriter, snapshot: Snapshot, taking: _Taking) -> Delivery:
    """Judge the rows and store what is new, unless the gate stays shut."""
    contract, (marks, holding, reading), now = intake.contract, taking, datetime.now(UTC)
    delivery_id = hashlib.sha256(f"{marks.stage} {marks.mark} {intake.run_id}".encode()).hexdigest()[:16]
    airlock = Airlock(contract, intake.region, intake.keys, delivery_id, now, generations_to_write(snapshot, intake.keys))
    quarantined = quarantined_rows(snapshot, contract.source_system)
    closed = holding.taken_in(intake.run_id)
    with silenced(f"{contract.source_system}: storing the delivery"), lake.commit(intake.run_id) as commit:
        store = AdmissionStore(commit, snapshot, reading.changes.with_known_times)
        _pass_airlock(intake, airlock, reading, quarantined, store)
        _refuse_changed_files(intake, marks)
        tally = Tally.total(admission.tally for admission in store.admissions)
        delivery = _summarise(intake, delivery_id, reading, store.admissions, tally)
        is_unchanged = marks.is_as_before and _is_nothing_new(reading, store.admissions)
        if delivery.refusal is None and not is_unchanged:
            store.flush(tombstones(snapshot, reading.changes.deleted, reading.surveyed.deleted_keys, airlock))
            store_refused(commit, snapshot, store.admissions, quarantined)
            if closed.height:
                commit.append(HELD_DELIVERIES.name, closed)
            commit.append(DELIVERIES.name, delivery_row(delivery, airlock, marks.keyed, run_id=intake.run_id))
            scored = _score(intake, delivery, store.admissions, tally, snapshot, now)
            commit.append(QUALITY_SCORES.name, scored.scores)
            commit.append(AUDIT_FINDINGS.name, scored.findings)
            commit.consume(marks.stage, marks.mark)
        else:
            commit.abandon()
    if delivery.refusal is not None or not is_unchanged:
        return delivery
    _note(lake, closed, intake.run_id)
    return replace(delivery, delivery_id="", is_unchanged=True)


def _refuse_changed_files(intake: Intake, marks: Marks) -> None:
    if intake.source.fingerprint() != marks.fingerprint:
        raise SourceUnreadable(
            f"{intake.contract.source_system}: the files changed while they were read; run again when they are complete"
        )


def _note(lake: LakeWriter, rows: pl.DataFrame, run_id: str) -> None:
    """Store rows of held_deliveries, where there are any."""
    if not rows.is_empty():
        with lake.commit(run_id) as commit:
            commit.append(HELD_DELIVERIES.name, rows)


def _held(contract: SourceContract, reading: Reading, why: str) -> Delivery:
    changes = reading.changes
    return Delivery(
        contract.source_system,
        refusal=why,
        held=True,
        row_count=changes.rows.height,
        deleted_count=changes.deleted_count,
        late_count=changes.count(RowStatus.LATE),
    )


def _what_to_do(contract: SourceContract, files: Files) -> str:
    return (
        f"nothing of it was stored: see {contract.path_pattern} and {contract.file}, then custview deliveries approve (or "
        f"reject) {files.held_id} --reason TEXT"
    )


def _is_nothing_new(reading: Reading, admissions: list[Admission]) -> bool:
    is_any_stored = any(admission.protected.height or admission.quarantined.height for admission in admissions)
    return reading.changes.deleted.is_empty() and not is_any_stored


def _score(
    intake: Intake, delivery: Delivery, admissions: list[Admission], tally: Tally, snapshot: Snapshot, now: datetime
) -> DeliveryScores:
    """Score what the delivery brought against the targets of contract and rulebook."""
    modified = [admission.protected.select("updated_at") for admission in admissions]
    judged = JudgedDelivery(
        contract=intake.contract,
        delivery_id=delivery.delivery_id,
        tally=tally,
        verdicts=delivery.verdicts,
        updated_at=pl.concat([PROTECTED_RECORDS.empty().select("updated_at"), *modified])["updated_at"],
        last_delivered_at=last_delivered_at(snapshot, intake.contract.source_system),
    )
    return delivery_scores(judged, intake.targets, run_id=intake.run_id, now=now)


def _pass_airlock(intake: Intake, airlock: Airlock, reading: Reading, quarantined: pl.DataFrame, store: AdmissionStore) -> None:
    """Read the delivery again and admit the rows that need work."""
    rows = reading.changes.count(*WORKED_ON)
    if rows == 0:
        return
    done, stage = 0, f"{intake.contract.source_system} protected"
    batches = pending_rows(intake.contract, intake.source, reading, quarantined)
    for admission in work_through(admit, airlock, batches, rows=rows, workers=intake.workers):
        store.add(admission)
        done += admission.tally.rows
        intake.progress.step(stage, "rows standardised, validated and sealed", done)


def _summarise(intake: Intake, delivery_id: str, reading: Reading, admissions: list[Admission], tally: Tally) -> Delivery:
    """Count what became of the delivery and ask the gate."""
    changes = reading.changes
    reasons = count_reasons(refused_of(admissions))
    judged = judge_delivery(intake.contract, reading, tally, reasons, refused_count=tally.refused)
    new = sum(int((admission.protected["version"] == 1).sum()) for admission in admissions)
    return Delivery(
        source_system=intake.contract.source_system,
        delivery_id=delivery_id,
        refusal=judged.refusal,
        row_count=changes.rows.height,
        new_count=new,
        changed_count=tally.rows - tally.refused - new,
        unchanged_count=changes.count(RowStatus.UNCHANGED, RowStatus.REPEATED),
        deleted_count=changes.deleted_count,
        warned_count=tally.warned,
        refused_count=tally.refused,
        suppressed_count=changes.returning_count,
        late_count=changes.count(RowStatus.LATE),
        superseded_count=changes.count(RowStatus.SUPERSEDED),
        reasons=dict(reasons),
        verdicts=judged.verdicts,
    )


def delivery_row(delivery: Delivery, airlock: Airlock, fingerprint: str, *, run_id: str, origin: str = "source") -> pl.DataFrame:
    """Return the row of ``deliveries``."""
    row = {
        "delivery_id": delivery.delivery_id,
        "source_system": delivery.source_system,
        "origin": origin,
        "fingerprint": fingerprint,
        "contract_version": airlock.contract.version,
        "rule_set_version": rule_set_version(),
        "read_as": read_as(airlock.contract, airlock.region),
        "row_count": delivery.row_count,
        "new_count": delivery.new_count,
        "changed_count": delivery.changed_count,
        "unchanged_count": delivery.unchanged_count,
        "deleted_count": delivery.deleted_count,
        "warned_count": delivery.warned_count,
        "refused_count": delivery.refused_count,
        "suppressed_count": delivery.suppressed_count,
        "late_count": delivery.late_count,
        "superseded_count": delivery.superseded_count,
        "run_id": run_id,
        "delivered_at": airlock.now,
    }
    return pl.DataFrame([row], schema=DELIVERIES.types)
