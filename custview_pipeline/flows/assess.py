"""The audit of a run: scores against targets, findings, and the promises between the tables.

Completeness, conformity, uniqueness and timeliness are measured over the records held. Consistency and accuracy are those of the
last delivery of each source: which fields contradict each other is seen in the airlock only, and stored as counts. All of it is
measured once a day, and where much changed; between these times a refresh looks at the promises about what it touched.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from custview_pipeline.audit.findings import findings_of
from custview_pipeline.audit.integrity import Promise
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
from custview_pipeline.contracts.audit_tables import AUDIT_FINDINGS, OF_DELIVERY, OF_RECORDS, QUALITY_SCORES
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.golden_tables import GOLDEN_RECORDS
from custview_pipeline.contracts.intake_tables import DELIVERIES, PROTECTED_RECORDS
from custview_pipeline.contracts.matching_tables import CROSSWALK
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.contracts.source_contract import SourceColumn, SourceContract
from custview_pipeline.contracts.trust import golden_attributes_of
from custview_pipeline.flows.current import mark_of
from custview_pipeline.flows.promises import check_promises
from custview_pipeline.flows.score import last_deliveries, stored_scores
from custview_pipeline.flows.stored_claims import stored_claims
from custview_pipeline.flows.touched import Touched, members_of, records_now, touched_since
from custview_pipeline.kernel.ports import LakeWriter, Snapshot
from custview_pipeline.kernel.redaction import silenced

STAGE: Final = "audit"
_WHOLE_AFTER: Final = timedelta(hours=20)  # a nightly run that begins earlier than the last one is whole all the same
_BROKEN: Final = "a promise was broken: everything is looked at until none is"  # in the place of a mark
_MUCH: Final = 0.1  # of the records: so many changes may have moved any score
_SAID: Final = ("record_id", "attribute", "token", "is_valid")


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the audit found.

    Attributes:
        is_whole: Everything was measured in this run; else the promises on what it touched, and the scores are the last ones.
        overall_score: Mean of all scores, 0 to 1, each source and dimension counting alike.
        by_source: (source system, channel, owner, dimension, share of everything judged that passed).
        below_target: (source system, attribute, dimension, score, target), the widest gap first.
        promises: Promises between the tables.
    """

    is_whole: bool
    score_count: int
    overall_score: float
    by_source: tuple[tuple[str, str | None, str | None, str, float], ...]
    below_target: tuple[tuple[str, str, str, float, float], ...]
    promises: tuple[Promise, ...]


def assess(
    lake: LakeWriter, contracts: Sequence[SourceContract], rulebook: Rulebook, *, run_id: str, is_whole: bool = False
) -> Assessment:
    """Measure the lake and store the scores and findings; or look at what changed, where everything was measured of late.

    Args:
        lake: The lake, held for writing.
        contracts: The sources.
        rulebook: Targets.
        run_id: The run.
        is_whole: Whether to measure everything in any case.
    """
    snapshot, now = lake.snapshot(), datetime.now(UTC)
    asked = hashlib.blake2b(f"{rulebook.quality_targets!r} {contracts!r}".encode(), digest_size=8).hexdigest()
    mark = mark_of(snapshot, PROTECTED_RECORDS.name, CROSSWALK.name, GOLDEN_RECORDS.name, settings=asked)
    with silenced("the audit"):
        touched = None if is_whole else _touched(snapshot, mark, now)
        promises = check_promises(snapshot, touched)
        if touched is None:
            counted = pl.concat(_counted(snapshot, contracts, now))
            scores = stored_scores(counted, contracts, rulebook.quality_targets, run_id=run_id, now=now)
        else:
            scores = _last_scores(snapshot)
    is_broken = any(promise.broken_count for promise in promises)
    if touched is None or is_broken or mark != snapshot.consumed(STAGE):
        with silenced("storing the audit"), lake.commit(run_id) as commit:
            if touched is None:
                commit.append(QUALITY_SCORES.name, scores)
                commit.append(AUDIT_FINDINGS.name, findings_of(scores))
            commit.consume(STAGE, _BROKEN if is_broken else mark)
    by_source = tuple(pool_by(scores, "source_system", "channel", "owner", "dimension").iter_rows())
    return Assessment(touched is None, scores.height, _overall(scores), by_source, _worst(scores), promises)


def _touched(snapshot: Snapshot, mark: str, now: datetime) -> Touched | None:
    """Return what changed since the last audit; None where everything is to be measured."""
    measured_at = _last_scores(snapshot)["measured_at"].max()
    if not isinstance(measured_at, datetime) or now - measured_at > _WHOLE_AFTER:
        return None
    touched = touched_since(snapshot, STAGE, mark)
    if touched is None:
        return None
    came = snapshot.read(
        DELIVERIES.name, ["new_count", "changed_count", "deleted_count"], where=pl.col("delivered_at") > measured_at
    )
    changed = max(len(touched.record_ids), sum(came.sum().fill_null(0).row(0)))
    held = snapshot.read(PROTECTED_RECORDS.name, ["record_id"])["record_id"].n_unique()
    return None if changed > _MUCH * held else touched


def _last_scores(snapshot: Snapshot) -> pl.DataFrame:
    """Return the scores that were measured last over the records held."""
    stored = snapshot.read(QUALITY_SCORES.name, where=pl.col("scope") == OF_RECORDS)
    return stored.filter(pl.col("measured_at") == pl.col("measured_at").max())


def _counted(snapshot: Snapshot, contracts: Sequence[SourceContract], now: datetime) -> Iterator[pl.DataFrame]:
    records = records_now(snapshot, None)
    claims = _claims_of(snapshot, records)
    yield score_completeness(_expected(records, contracts), claims)
    yield score_conformity(claims)
    yield score_repeats(claims, _distinguishing(contracts))
    yield score_uniqueness(members_of(snapshot, None, ["source_system"]))
    yield score_timeliness(_freshness(snapshot, contracts, now))
    age = (pl.lit(now) - pl.col("updated_at")).dt.total_seconds() / 3600
    yield score_ages(records.select("source_system", age_hours=age), _promised_ages(contracts))
    yield _of_last_deliveries(snapshot)


def _claims_of(snapshot: Snapshot, records: pl.DataFrame) -> pl.DataFrame:
    """Return source_system, record_id, attribute, token, is_valid of what the current versions of records say; names are Enum."""
    sources = pl.Enum(records["source_system"].unique().sort())
    current = records.select("record_id", pl.col("source_system").cast(sources), current_version="version")
    found = []
    for rows in stored_claims(snapshot):
        owned = rows.select("record_id", "version").join(current, on="record_id", how="left", maintain_order="left")
        is_current = owned.select((pl.col("version") == pl.col("current_version")).fill_null(value=False)).to_series()
        found.append(rows.select(_SAID).with_columns(owned["source_system"]).filter(is_current))
    return pl.concat(found)


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
