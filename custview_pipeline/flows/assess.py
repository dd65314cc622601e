"""The audit of a run: scores against targets, findings, and the promises between the tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import polars as pl

from custview_pipeline.audit.integrity import Promise, check_crosswalk, check_golden, check_versions
from custview_pipeline.audit.scorecard import (
    against_targets,
    score_completeness,
    score_conformity,
    score_timeliness,
    score_uniqueness,
)
from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.audit_tables import AUDIT_FINDINGS, QUALITY_SCORES
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.golden_tables import GOLDEN_RECORDS
from custview_pipeline.contracts.intake_tables import DELIVERIES, PROTECTED_RECORDS
from custview_pipeline.contracts.match_index import IndexPart
from custview_pipeline.contracts.matching_tables import CROSSWALK
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.trust import golden_attributes_of
from custview_pipeline.flows.current import current_crosswalk, current_index, current_records
from custview_pipeline.kernel.ports import LakeWriter, Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.kernel.versions import newest

_SERIOUS_GAP: Final = 0.2  # a score this far below its target is an error, else a warning


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the audit found.

    Attributes:
        overall_score: Mean of all scores, 0 to 1, each source and dimension counting alike.
        below_target: (source system, attribute, dimension, score, target), the widest gap first.
        promises: Promises between the tables.
    """

    score_count: int
    overall_score: float
    below_target: tuple[tuple[str, str, str, float, float], ...]
    promises: tuple[Promise, ...]


def assess(lake: LakeWriter, contracts: Sequence[SourceContract], rulebook: Rulebook, *, run_id: str) -> Assessment:
    """Measure the lake and store the scores and findings."""
    snapshot, now = lake.snapshot(), datetime.now(UTC)
    with silenced("the audit"):
        records, crosswalk = current_records(snapshot), current_crosswalk(snapshot)
        golden = newest(snapshot.read(GOLDEN_RECORDS.name), ["cuid"]).filter("is_active")
        promises = (
            *check_crosswalk(records, crosswalk),
            *check_versions(
                snapshot.read(CROSSWALK.name, ["record_id", "version"]),
                snapshot.read(PROTECTED_RECORDS.name, ["record_id", "version"]),
                snapshot.read(GOLDEN_RECORDS.name, ["cuid", "version"]),
            ),
            *check_golden(golden, crosswalk, records),
        )
        scores = _scores(snapshot, records, crosswalk, contracts, rulebook, now)
        run = {"run_id": pl.lit(run_id), "measured_at": pl.lit(now, QUALITY_SCORES.types["measured_at"])}
        findings = _findings(scores, contracts, run_id, now)
    with silenced("storing the audit"), lake.commit(run_id) as commit:
        commit.append(QUALITY_SCORES.name, scores.with_columns(**run).select(QUALITY_SCORES.types.names()))
        commit.append(AUDIT_FINDINGS.name, findings)
    return Assessment(scores.height, _overall(scores), _worst(scores), promises)


def _scores(
    snapshot: Snapshot,
    records: pl.DataFrame,
    crosswalk: pl.DataFrame,
    contracts: Sequence[SourceContract],
    rulebook: Rulebook,
    now: datetime,
) -> pl.DataFrame:
    claims = current_index(snapshot, IndexPart.CLAIMS, records).join(
        records.select("record_id", "source_system"), on="record_id", how="inner"
    )
    counted = [
        score_completeness(_expected(records, contracts), claims),
        score_conformity(claims),
        score_uniqueness(crosswalk),
        score_timeliness(_freshness(snapshot, contracts, now)),
    ]
    return against_targets(pl.concat(counted), rulebook.quality_targets.model_dump())


def _expected(records: pl.DataFrame, contracts: Sequence[SourceContract]) -> pl.DataFrame:
    """Return how many records of each source could have each attribute that its contract gives."""
    types = records.group_by("source_system", "entity_type").len()
    counts = {(source, kind): count for source, kind, count in types.iter_rows()}
    rows = [
        (contract.source_system, golden, sum(counts.get((contract.source_system, str(kind)), 0) for kind in kinds))
        for contract in contracts
        for golden, kinds in _promised(contract).items()
    ]
    schema = {"source_system": pl.String, "attribute": pl.String, "record_count": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _promised(contract: SourceContract) -> dict[str, tuple[EntityType, ...]]:
    """Return the golden attributes that a source gives, and of which entity types."""
    names = {golden for column in contract.columns for golden in golden_attributes_of(column.attribute)}
    return {name: GOLDEN_ATTRIBUTES[name].entity_types for name in sorted(names)}


def _freshness(snapshot: Snapshot, contracts: Sequence[SourceContract], now: datetime) -> pl.DataFrame:
    """Return the age of the last delivery of each source, null where there is none, beside what its contract promises."""
    last = (
        snapshot.read(DELIVERIES.name, ["source_system", "delivered_at"])
        .group_by("source_system")
        .agg(pl.col("delivered_at").max())
    )
    promised = pl.DataFrame(
        [(contract.source_system, contract.freshness_hours) for contract in contracts],
        schema={"source_system": pl.String, "freshness_hours": pl.Float64},
        orient="row",
    )
    age = (pl.lit(now) - pl.col("delivered_at")).dt.total_seconds() / 3600
    return promised.join(last, on="source_system", how="left").with_columns(age_hours=age)


def _findings(scores: pl.DataFrame, contracts: Sequence[SourceContract], run_id: str, now: datetime) -> pl.DataFrame:
    """Return a finding for each score below its target."""
    owners = {contract.source_system: contract.owner for contract in contracts}
    gap = pl.col("target") - pl.col("score")
    return (
        scores.filter(~pl.col("is_on_target"))
        .with_columns(
            finding_id=pl.format("{}.{}.{}", "source_system", "attribute", "dimension"),
            severity=pl.when(gap >= _SERIOUS_GAP).then(pl.lit("error")).otherwise(pl.lit("warning")),
            actual=pl.col("score"),
            owner=pl.col("source_system").replace_strict(owners, default=None, return_dtype=pl.String),
            run_id=pl.lit(run_id),
            found_at=pl.lit(now, AUDIT_FINDINGS.types["found_at"]),
        )
        .select(AUDIT_FINDINGS.types.names())
    )


def _overall(scores: pl.DataFrame) -> float:
    """Return the mean over sources and dimensions of the mean score of their attributes; 1 where nothing was judged."""
    cells = scores.group_by("source_system", "dimension", maintain_order=True).agg(pl.col("score").mean())["score"]
    mean = cells.mean()
    return float(mean) if isinstance(mean, float) else 1.0


def _worst(scores: pl.DataFrame) -> tuple[tuple[str, str, str, float, float], ...]:
    below = scores.filter(~pl.col("is_on_target")).sort(pl.col("score") - pl.col("target"), "source_system", "attribute")
    return tuple(below.select("source_system", "attribute", "dimension", "score", "target").iter_rows())
