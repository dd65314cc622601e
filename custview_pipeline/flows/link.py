"""Links the records of the lake into customers: match, decide ids, store model, edges, tasks and crosswalk."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import polars as pl

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.match_index import IndexPart
from custview_pipeline.contracts.matching_tables import (
    CROSSWALK,
    CUID_HISTORY,
    MATCH_EDGES,
    MATCH_MODEL,
    REVIEW_DECISIONS,
    REVIEW_TASKS,
)
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.flows.current import current_crosswalk, current_index, current_records, mark_of
from custview_pipeline.flows.decisions import decided_pairs
from custview_pipeline.flows.match_state import (
    frozen_models,
    neighbourhoods_of,
    records_of_unique_sources,
    settings_of,
    store_frequencies,
)
from custview_pipeline.flows.models import active_models, is_usable, new_rows
from custview_pipeline.kernel.ports import Commit, LakeWriter, Progress, Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.matching.crosswalk import Known, assign_cuids
from custview_pipeline.matching.found import MatchedType
from custview_pipeline.matching.match import RULES_VERSION, match
from custview_pipeline.matching.setup import Frozen
from custview_pipeline.protection.record_identity import cuids
from custview_pipeline.stewardship.tasks import find_tasks

STAGE: Final = "matching"
_HALF_BIT: Final = 2.0  # weights are stored rounded to half a bit: finer steps could tell tokens' frequencies


@dataclass(frozen=True, slots=True)
class Linkage:
    """What linking found.

    Attributes:
        is_unchanged: Nothing it depends on changed; the counts are those of the stored state.
        dropped_pair_count: Pairs of blocks over a cap or budget, and links of components over their limit.
        moved_count: Records that are new, moved to another customer, or gone.
        learned_count: Models learned in this run.
        duplicates: By source system: customers that it holds more than once, and the records of theirs beyond the first.
        warnings: What was left out, in words with counts.
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
    learned_count: int = 0
    model_versions: tuple[str, ...] = ()
    duplicates: tuple[tuple[str, int, int], ...] = ()
    warnings: tuple[str, ...] = ()


def link(
    lake: LakeWriter,
    rulebook: Rulebook,
    id_key: bytes,
    *,
    run_id: str,
    progress: Progress,
    contracts: Iterable[SourceContract] = (),
) -> Linkage:
    """Match the current records and carry the customer ids on.

    Args:
        lake: The lake, held for writing.
        rulebook: Thresholds, limits, rules.
        id_key: Mints customer ids.
        run_id: The run.
        progress: Hears of the steps.
        contracts: The sources, some of which may promise that they have each customer once.

    Raises:
        PairBudgetExceeded: The pairs do not fit in memory; the last good state stays.
    """
    snapshot, sources = lake.snapshot(), tuple(contracts)
    mark = _mark(snapshot, rulebook, sources)
    if mark == snapshot.consumed(STAGE):
        return _stored(snapshot)
    with silenced("matching"):
        records = current_records(snapshot)
        known = frozen_models(snapshot)
        tokens = current_index(snapshot, IndexPart.TOKENS, records)
        found = match(
            tokens,
            neighbourhoods_of(snapshot, tokens, known),
            settings_of(rulebook),
            lambda what, count: progress.step("match_edges", what, count),
            known=known,
            is_usable=is_usable,
            decided=decided_pairs(snapshot),
            exclusive=records_of_unique_sources(records, sources),
        )
        now = datetime.now(UTC)
        change = assign_cuids(
            pl.concat([part.clusters for part in found]),
            records,
            Known(snapshot.read(CROSSWALK.name), snapshot.read(CUID_HISTORY.name)),
            lambda ids, nth: cuids(id_key, ids, generations=nth),
            run_id=run_id,
            now=now,
        )
        edges = pl.concat([_stored_edges(part) for part in found])
        suspicious = pl.concat([part.suspicious for part in found])
        tasks = find_tasks(edges, suspicious, change.current, match_weight=rulebook.matching.match_weight, run_id=run_id)
    with silenced("storing the crosswalk"), lake.commit(run_id) as commit:
        learned = _store_models(commit, snapshot, found, known, run_id=run_id, now=now)
        commit.replace(MATCH_EDGES.name, edges)
        commit.replace(REVIEW_TASKS.name, tasks)
        commit.append(CROSSWALK.name, change.crosswalk)
        commit.append(CUID_HISTORY.name, change.history)
        commit.consume(STAGE, _mark(snapshot, rulebook, sources, learned=bool(learned)))
    return Linkage(
        **_edge_counts(found, edges),
        **_customers(change.current),
        record_count=change.current.height,
        review_count=tasks.height,
        moved_count=change.crosswalk.height,
        learned_count=learned,
        duplicates=duplicates_by_source(change.current.join(records, on="record_id", how="left")),
    )


def duplicates_by_source(owned: pl.DataFrame) -> tuple[tuple[str, int, int], ...]:
    """Return for each source system how many customers it holds more than once, and their records beyond the first.

    Args:
        owned: source_system and cuid of each record.
    """
    held = owned.group_by("source_system", "cuid").len().filter(pl.col("len") > 1)
    counted = held.group_by("source_system").agg(customers=pl.len(), further=(pl.col("len") - 1).sum()).sort("source_system")
    return tuple((source, int(customers), int(further)) for source, customers, further in counted.rows())


def _mark(snapshot: Snapshot, rulebook: Rulebook, sources: Iterable[SourceContract], *, learned: bool = False) -> str:
    """Return a mark of all that decides the result; with a model that this run learns, as it is after the commit."""
    unique = sorted(contract.source_system for contract in sources if contract.has_unique_customers)
    settings = f"{RULES_VERSION} {rulebook.matching!r} {unique}"
    model = snapshot.table_version(MATCH_MODEL.name)
    after = (-1 if model is None else model) + int(learned)
    return mark_of(snapshot, "protected_records", REVIEW_DECISIONS.name, settings=f"{MATCH_MODEL.name}={after} {settings}")


def _store_models(
    commit: Commit,
    snapshot: Snapshot,
    found: tuple[MatchedType, ...],
    known: dict[EntityType, Frozen],
    *,
    run_id: str,
    now: datetime,
) -> int:
    """Store the models that were learned and the frequencies that were counted; return how many models."""
    in_use = {part.entity_type: part.frozen for part in found if part.frozen}
    learned = [frozen.model for entity_type, frozen in in_use.items() if not _is_known(frozen, known.get(entity_type))]
    if learned:
        before = {entity_type: frozen.model for entity_type, frozen in known.items()}
        commit.append(MATCH_MODEL.name, new_rows(learned, before, run_id=run_id, now=now))
    generation, _ = snapshot.index_generations()
    counted = {entity_type: frozen.frequencies for entity_type, frozen in in_use.items() if frozen.frequencies is not None}
    held = {entity_type: frozen.frequencies for entity_type, frozen in known.items() if frozen.frequencies is not None}
    is_new = any(held.get(entity_type) is not frequencies for entity_type, frequencies in counted.items())
    if generation is not None and is_new:
        store_frequencies(commit, generation, held | counted)
    return len(learned)


def _is_known(frozen: Frozen, known: Frozen | None) -> bool:
    return known is not None and known.model.version == frozen.model.version


def _stored_edges(part: MatchedType) -> pl.DataFrame:
    """Return the edges of one entity type as rows of match_edges."""
    return (
        part.edges.with_columns(
            weight=(pl.col("weight") * _HALF_BIT).round() / _HALF_BIT,
            model_version=pl.lit(part.model.version if part.model else ""),
        )
        .with_columns(probability=1 / (1 + 2.0 ** (-pl.col("weight"))))
        .select(MATCH_EDGES.types.names())
    )


def _edge_counts(found: tuple[MatchedType, ...], edges: pl.DataFrame) -> dict[str, Any]:
    dropped = sum(rule.dropped_pairs for part in found for rule in part.yields) + sum(part.cut_count for part in found)
    return {
        "is_unchanged": False,
        "match_count": int((edges["decision"] == "MATCH").sum()),
        "possible_match_count": int((edges["decision"] == "POSSIBLE_MATCH").sum()),
        "compared_count": sum(part.compared_count for part in found),
        "dropped_pair_count": dropped,
        "model_versions": tuple(part.model.version for part in found if part.model),
        "warnings": tuple(warning for part in found for warning in part.warnings),
    }


def _customers(current: pl.DataFrame) -> dict[str, Any]:
    sizes = current.group_by("cuid").len()["len"]
    return {"customer_count": len(sizes), "largest_cluster": max(sizes, default=0)}


def _stored(snapshot: Snapshot) -> Linkage:
    """Return the counts of the stored state."""
    current = current_crosswalk(snapshot)
    decisions = snapshot.read(MATCH_EDGES.name, ["decision"])["decision"]
    return Linkage(
        is_unchanged=True,
        record_count=current.height,
        **_customers(current),
        match_count=int((decisions == "MATCH").sum()),
        possible_match_count=int((decisions == "POSSIBLE_MATCH").sum()),
        review_count=snapshot.read(REVIEW_TASKS.name, ["kind"]).height,
        model_versions=tuple(sorted(model.version for model in active_models(snapshot).values())),
        duplicates=duplicates_by_source(current),
    )
