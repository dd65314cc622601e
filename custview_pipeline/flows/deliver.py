"""Takes in one source: survey, changes, airlock, gate, commit. Stores nothing where the gate stays shut."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

import polars as pl

from custview_pipeline.contracts.intake_tables import DELIVERIES, PROTECTED_RECORDS, QUARANTINED_RECORDS
from custview_pipeline.contracts.match_index import IndexPart
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.flows.airlock import Admission, Airlock, Pending
from custview_pipeline.flows.survey import BATCH_ROWS, Survey, headers_of, survey
from custview_pipeline.flows.workers import admit_all
from custview_pipeline.ingestion.changes import KNOWN, Changes, RowStatus, find_changes
from custview_pipeline.kernel.errors import SourceUnreadable
from custview_pipeline.kernel.ports import Commit, LakeWriter, Progress, Snapshot, Source
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.kernel.versions import newest
from custview_pipeline.protection.keyring import AirlockKeys
from custview_pipeline.protection.record_identity import keyed_fingerprint
from custview_pipeline.standardisation.standardise import rule_set_version
from custview_pipeline.validation.gate import reason_to_refuse
from custview_pipeline.validation.rules import rule_of
from custview_pipeline.validation.tally import Tally
from custview_pipeline.validation.verdicts import Verdict, verdicts

STAGE: Final = "delivery"
_WORKED_ON: Final = (RowStatus.NEW, RowStatus.CHANGED, RowStatus.CONFLICTING, RowStatus.KEYLESS)
_TOLD_REASONS: Final = 3
_LIMITS_OF_KEY: Final = {RowStatus.KEYLESS: "required", RowStatus.CONFLICTING: "unique"}


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one delivery.

    Attributes:
        is_unchanged: It was taken in before, under the same contract and rules; nothing was done.
        refusal: Why the gate refused it, in one line; None where it was stored.
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
    refused_count: int = 0
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
    """

    contract: SourceContract
    source: Source
    region: str
    keys: AirlockKeys
    workers: int
    run_id: str
    progress: Progress


def deliver(intake: Intake, lake: LakeWriter) -> Delivery:
    """Take in what a source holds now.

    Raises:
        SourceUnreadable: The source is not as its contract says; nothing was stored.
        CustviewError: Anything else that stops it; the last good state stays.
    """
    contract, snapshot = intake.contract, lake.snapshot()
    stage = f"{STAGE}/{contract.source_system}"
    fingerprint = intake.source.fingerprint()
    keyed, rules = keyed_fingerprint(intake.keys.id_key, fingerprint), _rules_mark(intake)
    mark, before = f"{keyed} {_reading_mark(contract)} {rules}", snapshot.consumed(stage)
    if mark == before:
        return Delivery(contract.source_system, is_unchanged=True)
    is_redone = before is not None and not before.endswith(rules)
    with silenced(f"{contract.source_system}: reading the delivery"):
        surveyed = survey(contract, intake.source, intake.keys.id_key, intake.progress)
        known = _known(snapshot, contract.source_system)
        changes = find_changes(surveyed.rows, known, is_snapshot=contract.extract == "snapshot", is_redone=is_redone)
    now = datetime.now(UTC)
    delivery_id = hashlib.sha256(f"{stage} {mark} {intake.run_id}".encode()).hexdigest()[:16]
    airlock = Airlock(contract, intake.region, intake.keys, delivery_id, now)
    admissions = _pass_airlock(intake, airlock, changes, _broken_rules(contract, changes, surveyed))
    if intake.source.fingerprint() != fingerprint:
        raise SourceUnreadable(
            f"{contract.source_system}: the files changed while they were read; run again when they are complete"
        )
    row_count, tally = changes.rows.height, Tally.total(admission.tally for admission in admissions)
    judged = verdicts(tally, contract, row_count=row_count, counted=surveyed.counted)
    delivery = _summarise(intake, delivery_id, changes, judged, admissions, known_count=int((~known["is_deleted"]).sum()))
    if delivery.refusal is None:
        with silenced(f"{contract.source_system}: storing the delivery"), lake.commit(intake.run_id) as commit:
            _store(commit, admissions, _tombstones(snapshot, changes, airlock))
            commit.append(DELIVERIES.name, _delivery_row(intake, delivery, keyed, now))
            commit.consume(stage, mark)
    return delivery


def _rules_mark(intake: Intake) -> str:
    """Return what changes when rows with the same content would be standardised, judged or sealed in another way.

    Of the contract only the columns are taken, and of these not what they say to people: whom a source belongs to or how far
    it is trusted makes no record another one.
    """
    columns = [replace(column, description=None, is_critical=False) for column in intake.contract.columns]
    content = f"{columns!r} {intake.region} {rule_set_version()} {intake.keys.token_version}"
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _reading_mark(contract: SourceContract) -> str:
    """Return what changes when the same files would be read in another way, or the delivery be judged by other rules."""
    form = (contract.file_format, contract.encoding, contract.delimiter, contract.extract)
    content = f"{form!r} {contract.quality!r} {contract.max_refused_share}"
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _known(snapshot: Snapshot, source_system: str) -> pl.DataFrame:
    """Return the current version of each record of a source."""
    stored = snapshot.read(PROTECTED_RECORDS.name, ["source_system", *KNOWN.names()])
    return newest(stored.filter(pl.col("source_system") == source_system), ["record_id"]).select(KNOWN.names())


def _broken_rules(contract: SourceContract, changes: Changes, surveyed: Survey) -> pl.DataFrame:
    """Return, for each row that the first pass found to be refused, position and broken: the names of the rules it breaks."""
    of_key = {status.value: rule_of(contract, contract.key_column, limit).name for status, limit in _LIMITS_OF_KEY.items()}
    rule = pl.col("status").replace_strict(of_key, default=None, return_dtype=pl.String)
    by_key = changes.rows.with_row_index("position").select("position", rule=rule).drop_nulls("rule")
    return pl.concat([by_key, surveyed.repeated]).group_by("position").agg(broken=pl.col("rule").sort())


def _pass_airlock(intake: Intake, airlock: Airlock, changes: Changes, broken: pl.DataFrame) -> list[Admission]:
    """Read the delivery again and admit the rows that need work."""
    rows = changes.count(*_WORKED_ON)
    if rows == 0:
        return []
    admissions, done = [], 0
    stage = f"{intake.contract.source_system} protected"
    for admission in admit_all(airlock, _pending(intake, changes, broken), rows=rows, workers=intake.workers):
        admissions.append(admission)
        done += admission.protected.height + admission.quarantined.height
        intake.progress.step(stage, "rows standardised, validated and sealed", done)
    return admissions


def _pending(intake: Intake, changes: Changes, broken: pl.DataFrame) -> Iterator[Pending]:
    """Yield the rows of the delivery that need work, with their marks."""
    start = 0
    for batch in intake.source.batches(headers_of(intake.contract), rows=BATCH_ROWS):
        marks = changes.rows.slice(start, batch.frame.height).with_row_index("position", offset=start)
        start += batch.frame.height
        if marks.height != batch.frame.height:
            raise SourceUnreadable(f"{intake.contract.source_system}: {batch.file} grew while it was read")
        wanted = marks["status"].is_in([str(status) for status in _WORKED_ON])
        if wanted.any():
            marked = marks.filter(wanted).join(broken, on="position", how="left", maintain_order="left")
            yield Pending(batch.frame.filter(wanted), marked.drop("position", "status"))


def _summarise(
    intake: Intake,
    delivery_id: str,
    changes: Changes,
    judged: tuple[Verdict, ...],
    admissions: list[Admission],
    *,
    known_count: int,
) -> Delivery:
    """Count what became of the delivery and ask the gate."""
    refused = sum(admission.quarantined.height for admission in admissions)
    read = changes.rows.height
    reasons = _count_reasons(admissions)
    accepted = pl.concat([admission.protected.select("version") for admission in admissions]) if admissions else None
    new = 0 if accepted is None else int((accepted["version"] == 1).sum())
    why = reason_to_refuse(
        judged,
        intake.contract,
        refused_count=refused,
        row_count=read,
        deleted_count=changes.deleted.height,
        known_count=known_count,
    )
    return Delivery(
        source_system=intake.contract.source_system,
        delivery_id=delivery_id,
        refusal=why and _with_places(why, intake.contract, judged, reasons),
        row_count=read,
        new_count=new,
        changed_count=0 if accepted is None else accepted.height - new,
        unchanged_count=changes.count(RowStatus.UNCHANGED, RowStatus.REPEATED),
        deleted_count=changes.deleted.height,
        refused_count=refused,
        reasons=reasons,
        verdicts=judged,
    )


def _count_reasons(admissions: list[Admission]) -> dict[str, int]:
    """Return how many rows broke each rule that refuses, the most frequent first."""
    refused = pl.concat([QUARANTINED_RECORDS.empty(), *(admission.quarantined for admission in admissions)])
    counted = refused.explode("reasons").group_by("reasons").len().sort("len", "reasons", descending=[True, False])
    return dict(counted.select("reasons", "len").iter_rows())


def _with_places(why: str, contract: SourceContract, judged: tuple[Verdict, ...], reasons: dict[str, int]) -> str:
    """Return why the gate stays shut, with files, contract and fields to look at."""
    columns = {verdict.rule.name: verdict.rule.column for verdict in judged}
    broken = [f"{columns.get(rule) or 'rows'} by {rule} ({count})" for rule, count in list(reasons.items())[:_TOLD_REASONS]]
    refused = f"; refused: {', '.join(broken)}" if broken else ""
    return f"{why}; see {contract.path_pattern} and {contract.file}{refused}"


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


def _store(commit: Commit, admissions: list[Admission], tombstones: pl.DataFrame) -> None:
    """Store keys, then what they open, then the index."""
    if admissions:
        commit.add_keys(pl.concat([admission.keys for admission in admissions]))
    commit.append(PROTECTED_RECORDS.name, pl.concat([*(admission.protected for admission in admissions), tombstones]))
    if admissions:
        commit.append(QUARANTINED_RECORDS.name, pl.concat([admission.quarantined for admission in admissions]))
        commit.add_index(IndexPart.TOKENS, pl.concat([admission.tokens for admission in admissions]))
        commit.add_index(IndexPart.CLAIMS, pl.concat([admission.claims for admission in admissions]))
        neighbourhoods = pl.concat([admission.neighbourhoods for admission in admissions])
        commit.add_index(IndexPart.NEIGHBOURHOODS, neighbourhoods.unique())


def _delivery_row(intake: Intake, delivery: Delivery, keyed: str, now: datetime) -> pl.DataFrame:
    row = {
        "delivery_id": delivery.delivery_id,
        "source_system": delivery.source_system,
        "fingerprint": keyed,
        "contract_version": intake.contract.version,
        "rule_set_version": rule_set_version(),
        "row_count": delivery.row_count,
        "new_count": delivery.new_count,
        "changed_count": delivery.changed_count,
        "unchanged_count": delivery.unchanged_count,
        "deleted_count": delivery.deleted_count,
        "refused_count": delivery.refused_count,
        "run_id": intake.run_id,
        "delivered_at": now,
    }
    return pl.DataFrame([row], schema=DELIVERIES.types)
