"""Takes in one source: survey, changes, airlock, gate, commit. Stores nothing where the gate stays shut."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

import polars as pl

from custview_pipeline.contracts.audit_tables import AUDIT_FINDINGS, QUALITY_SCORES
from custview_pipeline.contracts.intake_tables import DELIVERIES, PROTECTED_RECORDS, QUARANTINED_RECORDS, RECORD_ISSUES
from custview_pipeline.contracts.rulebook import QualityTargets
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.flows.airlock import Admission, Airlock, admit
from custview_pipeline.flows.examine import WORKED_ON, Before, Reading, count_reasons, judge_delivery, pending_rows, read_delivery
from custview_pipeline.flows.generations import generations_to_write
from custview_pipeline.flows.index_rows import store_index
from custview_pipeline.flows.quarantine import with_reasons_of_now
from custview_pipeline.flows.read_as import read_as
from custview_pipeline.flows.score import DeliveryScores, JudgedDelivery, delivery_scores, last_delivered_at
from custview_pipeline.flows.suppress import NO_MARKS
from custview_pipeline.flows.workers import work_through
from custview_pipeline.ingestion.changes import KNOWN, Changes, RowStatus
from custview_pipeline.kernel.errors import SourceUnreadable
from custview_pipeline.kernel.ports import Commit, LakeWriter, Progress, Snapshot, Source
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.kernel.versions import newest
from custview_pipeline.protection.keyring import AirlockKeys
from custview_pipeline.protection.record_identity import keyed_fingerprint
from custview_pipeline.standardisation.standardise import rule_set_version
from custview_pipeline.validation.tally import Tally
from custview_pipeline.validation.verdicts import Verdict

STAGE: Final = "delivery"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one delivery.

    Attributes:
        is_unchanged: It was taken in before, under the same contract and rules; nothing was done.
        refusal: Why the gate refused it, in one line; None where it was stored.
        warned_count: Rows accepted with a warning, of those new or changed.
        suppressed_count: Rows of records that were erased before: left out, or taken in where the contract lets them.
        reasons: Refused rows by rule.
    """

    source_system: str
    delivery_id: str = ""
    is_unchanged: bool = False
    refusal: str | None = None
    row_count: int = 0
    new_count: int = 0
    changed_count: int = 0
    unchanged_count: int = 0
    deleted_count: int = 0
    warned_count: int = 0
    refused_count: int = 0
    suppressed_count: int = 0
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


def deliver(intake: Intake, lake: LakeWriter) -> Delivery:
    """Take in what a source holds now.

    Raises:
        SourceUnreadable: The source is not as its contract says; nothing was stored.
        CustviewError: Anything else that stops it; the last good state stays.
    """
    contract, snapshot = intake.contract, lake.snapshot()
    stage = f"{STAGE}/{contract.source_system}"
    fingerprint = intake.source.fingerprint()
    keyed, columns = keyed_fingerprint(intake.keys.id_key, fingerprint), _columns_mark(intake)
    mark, before = f"{keyed} {_reading_mark(contract)} {columns}", snapshot.consumed(stage)
    known = _readable(snapshot, known_records(snapshot, contract.source_system))
    if mark == before and not known["content_digest"].has_nulls():
        return Delivery(contract.source_system, is_unchanged=True)
    is_redone = before is not None and not before.endswith(columns)
    reading = read_delivery(
        contract,
        intake.source,
        intake.keys.id_key,
        intake.progress,
        Before(known, intake.suppressed),
        is_redone=is_redone,
    )
    now = datetime.now(UTC)
    delivery_id = hashlib.sha256(f"{stage} {mark} {intake.run_id}".encode()).hexdigest()[:16]
    airlock = Airlock(contract, intake.region, intake.keys, delivery_id, now, generations_to_write(snapshot, intake.keys))
    held = quarantined_rows(snapshot, contract.source_system)
    admissions = _pass_airlock(intake, airlock, reading, held)
    if intake.source.fingerprint() != fingerprint:
        raise SourceUnreadable(
            f"{contract.source_system}: the files changed while they were read; run again when they are complete"
        )
    tally = Tally.total(admission.tally for admission in admissions)
    delivery = _summarise(intake, delivery_id, reading, admissions, tally)
    if delivery.refusal is None:
        with silenced(f"{contract.source_system}: storing the delivery"), lake.commit(intake.run_id) as commit:
            tombstones = _tombstones(snapshot, reading.changes, airlock)
            store_admitted(commit, snapshot, admissions, tombstones)
            _store_refused(commit, snapshot, admissions, held)
            commit.append(DELIVERIES.name, delivery_row(delivery, airlock, keyed, run_id=intake.run_id))
            scored = _score(intake, delivery, admissions, tally, snapshot, now)
            commit.append(QUALITY_SCORES.name, scored.scores)
            commit.append(AUDIT_FINDINGS.name, scored.findings)
            commit.consume(stage, mark)
    return delivery


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


def _columns_mark(intake: Intake) -> str:
    """Return what changes when rows with the same content say something else.

    Of the contract only the columns are taken, and of these not what they say to people: whom a source belongs to or how far
    it is trusted makes no record another one. Nor do other rules of standardisation or another token key: what these change of
    a record is made from the vault.
    """
    columns = [replace(column, description=None, is_critical=False) for column in intake.contract.columns]
    content = f"{columns!r} {intake.region}"
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _reading_mark(contract: SourceContract) -> str:
    """Return what changes when the same files would be read in another way, or the delivery be judged by other rules."""
    form = (contract.file_format, contract.encoding, contract.delimiter, contract.extract)
    content = f"{form!r} {contract.quality!r} {contract.max_refused_share} {contract.refuses_erased} {rule_set_version()}"
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def known_records(snapshot: Snapshot, source_system: str) -> pl.DataFrame:
    """Return ``KNOWN``, the current version of each record of a source."""
    stored = snapshot.read(PROTECTED_RECORDS.name, ["source_system", *KNOWN.names()])
    return newest(stored.filter(pl.col("source_system") == source_system), ["record_id"]).select(KNOWN.names())


def _readable(snapshot: Snapshot, known: pl.DataFrame) -> pl.DataFrame:
    """Return what is known, without the content of records that nothing opens any more: delivered again, they are sealed anew.

    Such are, in a lake that was restored from a backup, the neighbours in the key table of records that were erased since.
    """
    is_lost = snapshot.materials(known["record_id"], known["version"]).is_null() & ~known["is_deleted"]
    return known.with_columns(content_digest=pl.when(~is_lost).then("content_digest"))


def quarantined_rows(snapshot: Snapshot, source_system: str) -> pl.DataFrame:
    """Return the open columns of the rows of a source that are in quarantine."""
    columns = [name for name in QUARANTINED_RECORDS.types if name != "row_sealed"]
    return snapshot.read(QUARANTINED_RECORDS.name, columns).filter(pl.col("source_system") == source_system)


def _pass_airlock(intake: Intake, airlock: Airlock, reading: Reading, held: pl.DataFrame) -> list[Admission]:
    """Read the delivery again and admit the rows that need work."""
    rows = reading.changes.count(*WORKED_ON)
    if rows == 0:
        return []
    admissions, done = [], 0
    stage = f"{intake.contract.source_system} protected"
    batches = pending_rows(intake.contract, intake.source, reading, held)
    for admission in work_through(admit, airlock, batches, rows=rows, workers=intake.workers):
        admissions.append(admission)
        done += admission.tally.rows
        intake.progress.step(stage, "rows standardised, validated and sealed", done)
    return admissions


def _summarise(intake: Intake, delivery_id: str, reading: Reading, admissions: list[Admission], tally: Tally) -> Delivery:
    """Count what became of the delivery and ask the gate."""
    changes = reading.changes
    reasons = count_reasons(_refused(admissions))
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
        deleted_count=changes.deleted.height,
        warned_count=tally.warned,
        refused_count=tally.refused,
        suppressed_count=changes.returning_count,
        reasons=dict(reasons),
        verdicts=judged.verdicts,
    )


def _refused(admissions: list[Admission]) -> pl.DataFrame:
    schema = {name: QUARANTINED_RECORDS.types[name] for name in ("record_id", "content_digest", "reasons")}
    return pl.concat([pl.DataFrame(schema=schema), *(admission.refused for admission in admissions)])


def _tombstones(snapshot: Snapshot, changes: Changes, airlock: Airlock) -> pl.DataFrame:
    """Return a row of protected_records for each record that is gone; it holds no payload."""
    if changes.deleted.is_empty():
        return PROTECTED_RECORDS.empty()
    stored = newest(snapshot.read(PROTECTED_RECORDS.name, _open_columns()), ["record_id"])
    return (
        stored.drop("version")
        .join(changes.deleted, on="record_id", how="inner")
        .with_columns(
            delivery_id=pl.lit(airlock.delivery_id),
            payload_sealed=pl.lit(None, pl.Binary),
            is_deleted=pl.lit(value=True),
            valid_from_at=pl.lit(airlock.now, PROTECTED_RECORDS.types["valid_from_at"]),
        )
        .select(PROTECTED_RECORDS.types.names())
    )


def _open_columns() -> list[str]:
    return [name for name in PROTECTED_RECORDS.types if name != "payload_sealed"]


def store_admitted(commit: Commit, snapshot: Snapshot, admissions: list[Admission], tombstones: pl.DataFrame) -> None:
    """Store keys, then what they open, then the index.

    Args:
        commit: The commit.
        snapshot: The lake as it was when the commit began.
        admissions: What the batches became.
        tombstones: Rows of protected_records of records that are gone.
    """
    if admissions:
        commit.add_keys(pl.concat([admission.keys for admission in admissions]))
    commit.append(PROTECTED_RECORDS.name, pl.concat([*(admission.protected for admission in admissions), tombstones]))
    if admissions:
        commit.append(RECORD_ISSUES.name, pl.concat([admission.issues for admission in admissions]))
        store_index(commit, snapshot, [admission.indexed for admission in admissions])


def _store_refused(commit: Commit, snapshot: Snapshot, admissions: list[Admission], held: pl.DataFrame) -> None:
    """Store the rows that are not in quarantine yet; of those that are, what they are refused for now."""
    if not admissions:
        return
    added = pl.concat([admission.quarantined for admission in admissions])
    same = ["record_id", "content_digest"]
    now = _refused(admissions).unique(same).rename({"reasons": "reasons_now"})
    judged_anew = held.join(now, on=same, how="inner", nulls_equal=True)
    if judged_anew.filter(pl.col("reasons") != pl.col("reasons_now")).is_empty():
        commit.append(QUARANTINED_RECORDS.name, added)
        return
    renewed = with_reasons_of_now(snapshot.read(QUARANTINED_RECORDS.name), judged_anew)
    commit.replace(QUARANTINED_RECORDS.name, pl.concat([renewed, added]))


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
        "run_id": run_id,
        "delivered_at": airlock.now,
    }
    return pl.DataFrame([row], schema=DELIVERIES.types)
