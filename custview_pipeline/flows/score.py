"""Scores of a delivery and of the lake, against the targets of contract and rulebook, as the audit stores them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from custview_pipeline.audit.delivery_scores import DeliveryFacts, score_delivery
from custview_pipeline.audit.findings import findings_of
from custview_pipeline.audit.scorecard import against_targets, pool_by
from custview_pipeline.contracts.attributes import IDENTIFIERS
from custview_pipeline.contracts.audit_tables import OF_DELIVERY, OF_RECORDS, QUALITY_SCORES
from custview_pipeline.contracts.intake_tables import DELIVERIES
from custview_pipeline.contracts.rulebook import QualityTargets
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.targets import target_of
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.standardisation.codes.identifiers import is_checked_scheme, scheme_of
from custview_pipeline.validation.entries import is_about_repeats
from custview_pipeline.validation.tally import Tally
from custview_pipeline.validation.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class JudgedDelivery:
    """A delivery whose rows were all judged.

    Attributes:
        contract: The source's contract.
        delivery_id: The delivery.
        tally: The counts of all its batches.
        verdicts: How every rule came out.
        updated_at: When each accepted row last changed in its source; null where it does not say.
        last_delivered_at: When the delivery before was taken in; None where it is the first.
    """

    contract: SourceContract
    delivery_id: str
    tally: Tally
    verdicts: Sequence[Verdict]
    updated_at: pl.Series
    last_delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryScores:
    """What the audit stores of a delivery.

    Attributes:
        scores: Rows of ``QUALITY_SCORES``.
        findings: Rows of ``AUDIT_FINDINGS``.
    """

    scores: pl.DataFrame
    findings: pl.DataFrame


def delivery_scores(judged: JudgedDelivery, targets: QualityTargets, *, run_id: str, now: datetime) -> DeliveryScores:
    """Score what a delivery brought.

    Args:
        judged: The delivery.
        targets: Those of the rulebook; the contract's go before.
        run_id: The run.
        now: When it was taken in, UTC.
    """
    scores = stored_scores(score_delivery(_facts(judged, now)), [judged.contract], targets, run_id=run_id, now=now)
    scores = scores.with_columns(scope=pl.lit(OF_DELIVERY), delivery_id=pl.lit(judged.delivery_id))
    return DeliveryScores(scores, findings_of(scores))


def stored_scores(
    counted: pl.DataFrame, contracts: Sequence[SourceContract], targets: QualityTargets, *, run_id: str, now: datetime
) -> pl.DataFrame:
    """Return rows of ``QUALITY_SCORES`` of the scope records.

    Args:
        counted: ``audit.scorecard.SCORES``.
        contracts: Those of all sources that are scored.
        targets: Those of the rulebook; a contract's go before.
        run_id: The run.
        now: When it was measured, UTC.
    """
    by_source, defaults = {contract.source_system: contract for contract in contracts}, targets.model_dump()

    def target(source_system: str, attribute: str, dimension: str) -> float:
        contract = by_source.get(source_system)
        return defaults[dimension] if contract is None else target_of(contract, attribute, dimension, defaults)

    source = pl.col("source_system")
    channels = {name: contract.channel for name, contract in by_source.items()}
    owners = {name: contract.owner for name, contract in by_source.items()}
    return (
        against_targets(counted, target)
        .with_columns(
            channel=source.replace_strict(channels, default=None, return_dtype=pl.String),
            owner=source.replace_strict(owners, default=None, return_dtype=pl.String),
            scope=pl.lit(OF_RECORDS),
            delivery_id=pl.lit(None, pl.String),
            run_id=pl.lit(run_id),
            measured_at=pl.lit(now, QUALITY_SCORES.types["measured_at"]),
        )
        .select(QUALITY_SCORES.types.names())
    )


def last_delivered_at(snapshot: Snapshot, source_system: str) -> datetime | None:
    """Return when a source last delivered; None where it never did."""
    return dict(last_deliveries(snapshot).iter_rows()).get(source_system)


def last_deliveries(snapshot: Snapshot) -> pl.DataFrame:
    """Return source_system and delivered_at of the last delivery of each source; a release of refused rows is none."""
    stored = snapshot.read(DELIVERIES.name, ["source_system", "origin", "delivered_at"])
    delivered = stored.filter(pl.col("origin") == "source")
    return delivered.group_by("source_system").agg(pl.col("delivered_at").max())


def scores_of_delivery(snapshot: Snapshot, delivery_id: str) -> dict[str, float]:
    """Return the stored scores of a delivery by dimension, each over all attributes; empty where it was not scored."""
    stored = snapshot.read(QUALITY_SCORES.name, ["delivery_id", "dimension", "judged_count", "failed_count"])
    return dict(pool_by(stored.filter(pl.col("delivery_id") == delivery_id), "dimension").iter_rows())


def _facts(judged: JudgedDelivery, now: datetime) -> DeliveryFacts:
    contract, last = judged.contract, judged.last_delivered_at
    limit, dated = contract.record_age_hours, judged.updated_at.drop_nulls()
    ages = (pl.Series([now], dtype=dated.dtype) - dated).dt.total_seconds() / 3600 if limit is not None else dated.clear()
    return DeliveryFacts(
        contract.source_system,
        row_count=judged.tally.rows,
        refused_count=judged.tally.refused,
        measured=_measured(judged.tally.measured, contract),
        flawed=judged.tally.flawed,
        repeated=_repeated(judged.verdicts, contract),
        age_hours=None if last is None else (now - last).total_seconds() / 3600,
        freshness_hours=contract.freshness_hours,
        dated_count=ages.len(),
        stale_count=0 if limit is None else int((ages > limit).sum()),
    )


def _measured(measured: Mapping[tuple[str, str], int], contract: SourceContract) -> dict[tuple[str, str], int]:
    """Leave out the accuracy of identifiers whose scheme nobody can check: that they are kept as given proves nothing."""
    identifiers = [column for column in contract.columns if column.attribute in IDENTIFIERS]
    unchecked = {column.attribute for column in identifiers if not is_checked_scheme(scheme_of(column))}
    return {key: count for key, count in measured.items() if key[1] != "accuracy" or key[0] not in unchecked}


def _repeated(verdicts: Sequence[Verdict], contract: SourceContract) -> dict[str, tuple[int, int]]:
    """Return what quality entries counted over the whole delivery; of several of one attribute the worst."""
    columns = {column.name for column in contract.columns}
    found: dict[str, tuple[int, int]] = {}
    for verdict in verdicts:
        if verdict.is_executed and is_about_repeats(verdict.rule) and verdict.rule.column in columns:
            counts = (verdict.total, verdict.failed)
            found[verdict.rule.attribute] = max(counts, found.get(verdict.rule.attribute, counts), key=lambda pair: pair[1])
    return found
