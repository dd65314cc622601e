"""Links the records of the lake into customers: match, decide ids, store model, edges, tasks and crosswalk."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import polars as pl

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.matching_tables import MATCH_MODEL, MATCH_VOLUMES
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.flows.current import current_crosswalk
from custview_pipeline.flows.drift import Watched, watch
from custview_pipeline.flows.link_change import Linking, link_all, link_change
from custview_pipeline.flows.link_rows import Found, Rows, last_run, rows_of
from custview_pipeline.flows.match_state import frozen_models, store_frequencies
from custview_pipeline.flows.models import active_models, new_rows
from custview_pipeline.kernel.ports import Commit, LakeWriter, Progress, Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.matching.found import MatchedType
from custview_pipeline.matching.setup import Frozen
from custview_pipeline.protection.record_identity import cuids

STAGE: Final = "matching"
_COUNTS: Final = (
    "record_count", "customer_count", "largest_customer", "match_count", "possible_match_count", "review_count",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Linkage:
    """What linking found.

    Attributes:
        is_unchanged: Nothing it depends on changed; the counts are those of the stored state.
        is_whole: All records were matched, and not only what changed.
        touched_count: Records that were decided anew.
        dropped_pair_count: Pairs of blocks over a cap or budget, and links of components over their limit.
        moved_count: Records that are new, moved to another customer, or gone.
        learned_count: Models learned in this run.
        continuity: Share of the customers there were before that are still customers, under the same id, 0 to 1; None where there
            were none, or nothing was worked on.
        duplicates: By source system: customers that it holds more than once, and the records of theirs beyond the first; told by
            a run over everything.
        drifts: How a change differs from what the model was used on, in words; it asks for training.
        warnings: What was left out, in words with counts; the drifts are among them.
    """

    is_unchanged: bool
    record_count: int
    customer_count: int
    largest_customer: int
    match_count: int
    possible_match_count: int
    review_count: int
    is_whole: bool = False
    touched_count: int = 0
    compared_count: int = 0
    dropped_pair_count: int = 0
    moved_count: int = 0
    learned_count: int = 0
    continuity: float | None = None
    model_versions: tuple[str, ...] = ()
    duplicates: tuple[tuple[str, int, int], ...] = ()
    drifts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def link(  # noqa: PLR0913 -- what a run is told comes by name
    lake: LakeWriter,
    rulebook: Rulebook,
    id_key: bytes,
    *,
    run_id: str,
    progress: Progress,
    contracts: Iterable[SourceContract] = (),
    is_whole: bool = False,
) -> Linkage:
    """Match the current records, or what changed of them, and carry the customer ids on.

    Args:
        lake: The lake, held for writing.
        rulebook: Thresholds, limits, rules.
        id_key: Mints customer ids.
        run_id: The run.
        progress: Hears of the steps.
        contracts: The sources, some of which may promise that they have each customer once.
        is_whole: Whether all records are matched again, even if nothing changed.

    Raises:
        PairBudgetExceeded: The pairs do not fit in memory; the last good state stays.
    """
    snapshot = lake.snapshot()
    linking = Linking(snapshot, rulebook, tuple(contracts), frozen_models(snapshot))
    with silenced("matching"):
        found = find_links(linking, run_id=run_id, progress=progress, is_whole=is_whole)
        if found is None:
            return _stored(snapshot)
        rows = rows_of(linking, found, lambda ids, nth: cuids(id_key, ids, generations=nth))
        watched = watch(snapshot, found)
    with silenced("storing the crosswalk"), lake.commit(run_id) as commit:
        learned = _store_models(commit, snapshot, found.parts, linking.known, run_id=run_id, now=found.now)
        for table, (frame, is_all) in rows.tables.items():
            (commit.replace if is_all else commit.append)(table, frame)
        commit.append(MATCH_VOLUMES.name, watched.volumes)
        commit.consume(STAGE, linking.mark({MATCH_MODEL.name: commit.table_version(MATCH_MODEL.name)}))
    return _report(lake.snapshot(), found, rows, watched, learned)


def find_links(linking: Linking, *, run_id: str, progress: Progress, is_whole: bool = False) -> Found | None:
    """Match what changed since records were linked last, or everything; nothing is stored.

    Args:
        linking: What it works with.
        run_id: The run.
        progress: Hears of the steps.
        is_whole: Whether all records are matched again, even if nothing changed.

    Returns:
        What was found; None where nothing changed that it depends on.

    Raises:
        PairBudgetExceeded: The pairs do not fit in memory.
    """
    before = linking.snapshot.consumed(STAGE)
    if linking.mark() == before and not is_whole:
        return None

    def told(what: str, count: int) -> None:
        progress.step("match_edges", what, count)

    since = None if is_whole else linking.since(before)
    parts = link_all(linking, told) if since is None else link_change(linking, since, told)
    return Found(parts, since, run_id, datetime.now(UTC))


def duplicates_by_source(owned: pl.DataFrame) -> tuple[tuple[str, int, int], ...]:
    """Return for each source system how many customers it holds more than once, and their records beyond the first.

    Args:
        owned: source_system and cuid of each record.
    """
    held = owned.group_by("source_system", "cuid").len().filter(pl.col("len") > 1)
    counted = held.group_by("source_system").agg(customers=pl.len(), further=(pl.col("len") - 1).sum()).sort("source_system")
    return tuple((source, int(customers), int(further)) for source, customers, further in counted.rows())


def _store_models(
    commit: Commit,
    snapshot: Snapshot,
    found: tuple[MatchedType, ...],
    known: Mapping[EntityType, Frozen],
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


def _report(snapshot: Snapshot, found: Found, rows: Rows, watched: Watched, learned: int) -> Linkage:
    """Return what a run found, and the counts of the state that it made."""
    compared = [rule for part in found.parts for rule in part.yields]
    is_whole = found.since is None
    return replace(
        _stored(snapshot),
        is_unchanged=False,
        is_whole=is_whole,
        touched_count=rows.run["touched_count"],
        compared_count=sum(part.compared_count for part in found.parts),
        dropped_pair_count=sum(rule.dropped_pairs for rule in compared) + sum(part.cut_count for part in found.parts),
        moved_count=rows.run["moved_count"],
        learned_count=learned,
        continuity=rows.run["continuity"],
        duplicates=duplicates_by_source(current_crosswalk(snapshot)) if is_whole else (),
        drifts=watched.warnings,
        warnings=(*(warning for part in found.parts for warning in part.warnings), *watched.warnings),
    )


def _stored(snapshot: Snapshot) -> Linkage:
    """Return the counts of the stored state."""
    last = last_run(snapshot) or dict.fromkeys(_COUNTS, 0)
    return Linkage(
        is_unchanged=True,
        model_versions=tuple(sorted(model.version for model in active_models(snapshot).values())),
        **{name: last[name] for name in _COUNTS},
    )
