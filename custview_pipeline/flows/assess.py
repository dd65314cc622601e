"""The audit of a run: scores against targets, findings, and the promises between the tables.

Completeness, conformity, uniqueness and timeliness are measured over the records held. Consistency and accuracy are those of the
last delivery of each source: which fields contradict each other is seen in the airlock only, and stored as counts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from custview_pipeline.audit.findings import findings_of
from custview_pipeline.audit.integrity import Promise, check_crosswalk, check_golden, check_keys, check_versions
from custview_pipeline.audit.scorecard import (
    SCORES,
    pool_by,
    score_ages,
    score_completeness,
    score_conformity,
    score_repeats,
    score_timeliness,
    score_uniqueness,
)
from custview_pipeline.contracts.attributes import ATTRIBUTES, EntityType
from custview_pipeline.contracts.audit_tables import AUDIT_FINDINGS, OF_DELIVERY, QUALITY_SCORES
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.golden_tables import GOLDEN_RECORDS
from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS
from custview_pipeline.contracts.match_index import IndexPart
from custview_pipeline.contracts.matching_tables import CROSSWALK
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.contracts.source_contract import SourceColumn, SourceContract
from custview_pipeline.contracts.trust import golden_attributes_of
from custview_pipeline.flows.current import current_crosswalk, current_index, current_records
from custview_pipeline.flows.score import last_deliveries, stored_scores
from custview_pipeline.kernel.ports import LakeWriter, Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.kernel.versions import newest


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the audit found.

    Attributes:
        overall_score: Mean of all scores, 0 to 1, each source and dimension counting alike.
        by_source: (source system, channel, owner, dimension, share of everything judged that passed).
        below_target: (source system, attribute, dimension, score, target), the widest gap first.
        promises: Promises between the tables.
    """

    score_count: int
    overall_score: float
    by_source: tuple[tuple[str, str | None, str | None, str, float], ...]
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
            *check_keys(snapshot.materials(records["record_id"], records["version"])),
            *check_golden(golden, crosswalk, records),
        )
        counted = pl.concat(_counted(snapshot, records, crosswalk, contracts, now))
        scores = stored_scores(counted, contracts, rulebook.quality_targets, run_id=run_id, now=now)
    with silenced("storing the audit"), lake.commit(run_id) as commit:
        commit.append(QUALITY_SCORES.name, scores)
        commit.append(AUDIT_FINDINGS.name, findings_of(scores))
    by_source = tuple(pool_by(scores, "source_system", "channel", "owner", "dimension").iter_rows())
    return Assessment(scores.height, _overall(scores), by_source, _worst(scores), promises)


def _counted(
    snapshot: Snapshot, records: pl.DataFrame, crosswalk: pl.DataFrame, contracts: Sequence[SourceContract], now: datetime
) -> Iterator[pl.DataFrame]:
    claims = current_index(snapshot, IndexPart.CLAIMS, records).join(
        records.select("record_id", "source_system"), on="record_id", how="inner"
    )
    yield score_completeness(_expected(records, contracts), claims)
    yield score_conformity(claims)
    yield score_uniqueness(crosswalk)
    yield score_repeats(claims, _distinguishing(contracts))
    yield score_timeliness(_freshness(snapshot, contracts, now))
    age = (pl.lit(now) - pl.col("updated_at")).dt.total_seconds() / 3600
    yield score_ages(records.select("source_system", age_hours=age), _promised_ages(contracts))
    yield _of_last_deliveries(snapshot)


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


def _distinguishing(contracts: Sequence[SourceContract]) -> pl.DataFrame:
    """Return source_system, attribute of the golden values that should not repeat: critical, and no two customers share one."""
    rows = {
        (contract.source_system, golden)
        for contract in contracts
        for column in contract.columns
        for golden in golden_attributes_of(column.attribute)
        if _should_not_repeat(contract, column)
    }
    return pl.DataFrame(sorted(rows), schema={"source_system": pl.String, "attribute": pl.String}, orient="row")


def _should_not_repeat(contract: SourceContract, column: SourceColumn) -> bool:
    is_aimed_at = "uniqueness" in contract.attribute_targets.get(column.attribute, {})
    return is_aimed_at or (column.is_critical and ATTRIBUTES[column.attribute].is_distinguishing)


def _promised_ages(contracts: Sequence[SourceContract]) -> pl.DataFrame:
    rows = [(contract.source_system, contract.record_age_hours) for contract in contracts]
    return pl.DataFrame(rows, schema={"source_system": pl.String, "record_age_hours": pl.Float64}, orient="row")


def _of_last_deliveries(snapshot: Snapshot) -> pl.DataFrame:
    """Return consistency and accuracy of the last delivery of each source in which there was something to judge."""
    stored = snapshot.read(QUALITY_SCORES.name, [*SCORES, "scope", "measured_at"])
    told = stored.filter((pl.col("scope") == OF_DELIVERY) & pl.col("dimension").is_in(["consistency", "accuracy"]))
    return told.filter(pl.col("measured_at") == pl.col("measured_at").max().over("source_system")).select(SCORES.names())


def _freshness(snapshot: Snapshot, contracts: Sequence[SourceContract], now: datetime) -> pl.DataFrame:
    """Return the age of the last delivery of each source, null where there is none, beside what its contract promises."""
    promised = pl.DataFrame(
        [(contract.source_system, contract.freshness_hours) for contract in contracts],
        schema={"source_system": pl.String, "freshness_hours": pl.Float64},
        orient="row",
    )
    age = (pl.lit(now) - pl.col("delivered_at")).dt.total_seconds() / 3600
    return promised.join(last_deliveries(snapshot), on="source_system", how="left").with_columns(age_hours=age)


def _overall(scores: pl.DataFrame) -> float:
    """Return the mean over sources and dimensions of the mean score of their attributes; 1 where nothing was judged."""
    cells = scores.group_by("source_system", "dimension", maintain_order=True).agg(pl.col("score").mean())["score"]
    mean = cells.mean()
    return float(mean) if isinstance(mean, float) else 1.0


def _worst(scores: pl.DataFrame) -> tuple[tuple[str, str, str, float, float], ...]:
    below = scores.filter(~pl.col("is_on_target")).sort(pl.col("score") - pl.col("target"), "source_system", "attribute")
    return tuple(below.select("source_system", "attribute", "dimension", "score", "target").iter_rows())
