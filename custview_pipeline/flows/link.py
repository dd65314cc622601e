"""Links the records of the lake into customers: match, decide ids, store model, edges, tasks and crosswalk."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import polars as pl
import psutil

from custview_pipeline.contracts.match_index import IndexPart
from custview_pipeline.contracts.matching_tables import CROSSWALK, CUID_HISTORY, MATCH_EDGES, MATCH_MODEL, REVIEW_TASKS
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.flows.current import current_crosswalk, current_index, current_records, mark_of
from custview_pipeline.kernel.ports import LakeWriter, Progress, Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.matching.blocking import BlockingLimits
from custview_pipeline.matching.crosswalk import Known, assign_cuids
from custview_pipeline.matching.match import RULES_VERSION, MatchedType, MatchSettings, match
from custview_pipeline.protection.record_identity import cuids
from custview_pipeline.stewardship.tasks import find_tasks

STAGE: Final = "matching"
_MEMORY_SHARE: Final = 0.6  # of what is available, for DuckDB
_GIB: Final = 2**30
_HALF_BIT: Final = 2.0  # weights are stored rounded to half a bit: finer steps could tell tokens' frequencies


@dataclass(frozen=True, slots=True)
class Linkage:
    """What linking found.

    Attributes:
        is_unchanged: Nothing it depends on changed; the counts are those of the stored state.
        dropped_pair_count: Pairs of blocks over a cap or budget, and links of components over their limit.
        moved_count: Records that are new, moved to another customer, or gone.
    """

    is_unchanged: bool
    record_count: int
    customer_count: int
    largest_cluster: int
    match_count: int
    possible_match_count: int
    review_count: int
    compared_count: int = 0
    dropped_pair_count: int = 0
    moved_count: int = 0
    model_versions: tuple[str, ...] = ()


def link(lake: LakeWriter, rulebook: Rulebook, id_key: bytes, *, run_id: str, progress: Progress) -> Linkage:
    """Match the current records and carry the customer ids on.

    Raises:
        PairBudgetExceeded: The pairs do not fit in memory; the last good state stays.
    """
    snapshot = lake.snapshot()
    mark = mark_of(snapshot, "protected_records", settings=f"{RULES_VERSION} {rulebook.matching!r}")
    if mark == snapshot.consumed(STAGE):
        return _stored(snapshot)
    with silenced("matching"):
        records = current_records(snapshot)
        tokens = current_index(snapshot, IndexPart.TOKENS, records)
        neighbourhoods = snapshot.read_index(IndexPart.NEIGHBOURHOODS).unique()
        found = match(tokens, neighbourhoods, _settings(rulebook), lambda what, count: progress.step("match_edges", what, count))
        known = Known(snapshot.read(CROSSWALK.name), snapshot.read(CUID_HISTORY.name))
        clusters = pl.concat([part.clusters for part in found])
        now = datetime.now(UTC)
        change = assign_cuids(
            clusters, records, known, lambda ids, nth: cuids(id_key, ids, generations=nth), run_id=run_id, now=now
        )
        edges = pl.concat([_stored_edges(part) for part in found])
        tasks = find_tasks(edges, change.current, match_weight=rulebook.matching.match_weight, run_id=run_id)
    with silenced("storing the crosswalk"), lake.commit(run_id) as commit:
        commit.replace(MATCH_MODEL.name, _models(found))
        commit.replace(MATCH_EDGES.name, edges)
        commit.replace(REVIEW_TASKS.name, tasks)
        commit.append(CROSSWALK.name, change.crosswalk)
        commit.append(CUID_HISTORY.name, change.history)
        commit.consume(STAGE, mark)
    return _linkage(found, edges, tasks, change.current, change.crosswalk.height)


def _settings(rulebook: Rulebook) -> MatchSettings:
    rules = rulebook.matching
    return MatchSettings(
        match_weight=rules.match_weight,
        review_weight=rules.review_weight,
        limits=BlockingLimits(rules.block_cap, rules.pair_budget),
        largest_component=rules.max_cluster,
        threads=os.cpu_count() or 1,
        memory_gib=_MEMORY_SHARE * psutil.virtual_memory().available / _GIB,
    )


def _stored_edges(part: MatchedType) -> pl.DataFrame:
    """Return the edges of one entity type as rows of match_edges."""
    version = part.model.version if part.model else ""
    return (
        part.edges.with_columns(
            weight=(pl.col("weight") * _HALF_BIT).round() / _HALF_BIT,
            rule=pl.when("is_forbidden").then(pl.lit("suffixes differ")).otherwise(pl.lit("model")),
            model_version=pl.lit(version),
        )
        .with_columns(probability=1 / (1 + 2.0 ** (-pl.col("weight"))))
        .select(MATCH_EDGES.types.names())
    )


def _models(found: tuple[MatchedType, ...]) -> pl.DataFrame:
    return pl.concat([MATCH_MODEL.empty(), *(part.model.to_frame() for part in found if part.model)])


def _linkage(
    found: tuple[MatchedType, ...], edges: pl.DataFrame, tasks: pl.DataFrame, current: pl.DataFrame, moved: int
) -> Linkage:
    dropped = sum(rule.dropped_pairs for part in found for rule in part.rules) + sum(part.cut_count for part in found)
    return Linkage(
        is_unchanged=False,
        record_count=current.height,
        **_customers(current),
        match_count=int((edges["decision"] == "MATCH").sum()),
        possible_match_count=int((edges["decision"] == "POSSIBLE_MATCH").sum()),
        review_count=tasks.height,
        compared_count=sum(part.compared_count for part in found),
        dropped_pair_count=dropped,
        moved_count=moved,
        model_versions=tuple(part.model.version for part in found if part.model),
    )


def _customers(current: pl.DataFrame) -> dict[str, int]:
    sizes = current.group_by("cuid").len()["len"]
    return {"customer_count": len(sizes), "largest_cluster": max(sizes, default=0)}


def _stored(snapshot: Snapshot) -> Linkage:
    """Return the counts of the stored state."""
    current = current_crosswalk(snapshot)
    decisions = snapshot.read(MATCH_EDGES.name, ["decision"])["decision"]
    models = snapshot.read(MATCH_MODEL.name, ["model_version"])["model_version"]
    return Linkage(
        is_unchanged=True,
        record_count=current.height,
        **_customers(current),
        match_count=int((decisions == "MATCH").sum()),
        possible_match_count=int((decisions == "POSSIBLE_MATCH").sum()),
        review_count=snapshot.read(REVIEW_TASKS.name, ["kind"]).height,
        model_versions=tuple(sorted(models.unique())),
    )
