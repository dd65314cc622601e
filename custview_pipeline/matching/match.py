"""Matches the records of a lake on tokens alone: candidates, levels, model, evidence, clusters."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.matching.blocking import BlockingLimits, RuleYield, block
from custview_pipeline.matching.clusters import COMPONENT_WEIGHT, Components, agree, components
from custview_pipeline.matching.engine import Engine
from custview_pipeline.matching.features import Prepared
from custview_pipeline.matching.levels import compare, comparisons_in_use
from custview_pipeline.matching.model import MatchModel, learn
from custview_pipeline.matching.scoring import count_patterns, score

RULES_VERSION: Final = "1"  # raise it where the same tokens would be matched otherwise: the lake is then matched anew

_RANDOM_PAIRS: Final = 1_000_000  # pairs from which the agreement of strangers is learned
_ANY_WEIGHT: Final = -1e9

MATCH: Final = "MATCH"
POSSIBLE_MATCH: Final = "POSSIBLE_MATCH"
NO_MATCH: Final = "NO_MATCH"

Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class MatchSettings:
    """What the rulebook says about matching.

    Attributes:
        match_weight: Bits of evidence above which records are one customer.
        review_weight: Bits from which on a pair is a POSSIBLE_MATCH.
        limits: Caps and budgets of blocking.
        largest_component: Records beyond which a component is cut at stronger pairs.
        threads: Threads of the engine.
        memory_gib: Memory that the engine may take.
    """

    match_weight: float
    review_weight: float
    limits: BlockingLimits
    largest_component: int
    threads: int
    memory_gib: float


@dataclass(frozen=True, slots=True)
class MatchedType:
    """What matching found among the records of one entity type.

    Attributes:
        edges: left_id < right_id, pattern, weight (bits), probability (0 to 1), decision, is_forbidden; compared pairs from the
            review weight on, and forbidden ones that might have been linked.
        clusters: record_id, cluster (smallest record id in it); every record once.
        compared_count: Candidate pairs compared.
        cut_count: Pairs left out because their component was too large.
    """

    entity_type: EntityType
    model: MatchModel | None
    edges: pl.DataFrame
    clusters: pl.DataFrame
    rules: tuple[RuleYield, ...]
    compared_count: int
    cut_count: int


def match(
    tokens: pl.DataFrame, neighbourhoods: pl.DataFrame, settings: MatchSettings, progress: Progress
) -> tuple[MatchedType, ...]:
    """Match the records of each entity type among themselves.

    The result does not depend on the order of rows: records are numbered by their id, sums are exact.

    Args:
        tokens: The match index: record_id, version and the features as tokens; the current version of each record.
        neighbourhoods: token, key, part of the values that may hold typos.
        settings: Thresholds and limits.
        progress: Called with a step and a count of what it made.

    Raises:
        PairBudgetExceeded: The pairs do not fit in memory.
    """
    results = []
    for entity_type in EntityType:
        with Engine(threads=settings.threads, memory_gib=settings.memory_gib) as engine:
            prepared = Prepared(engine, entity_type, neighbourhoods, tokens)
            results.append(_match_prepared(engine, prepared, entity_type, settings, progress))
    return tuple(results)


def _match_prepared(
    engine: Engine, prepared: Prepared, entity_type: EntityType, settings: MatchSettings, progress: Progress
) -> MatchedType:
    comparisons = comparisons_in_use(entity_type, prepared)
    if prepared.count <= 1 or not comparisons:
        return _alone(entity_type, prepared)
    rules = block(engine, prepared, settings.limits)
    compared = int(engine.value("select count(*) from candidates"))
    progress(f"{entity_type} pairs to compare", compared)
    compare(engine, comparisons, "candidates", "compared")
    _draw_random_pairs(engine, prepared.count)
    compare(engine, comparisons, "random_pairs", "compared_random")
    candidates, strangers = count_patterns(engine, "compared"), count_patterns(engine, "compared_random")
    model = learn(entity_type, comparisons, candidates, strangers, prepared.count)
    floor = min(COMPONENT_WEIGHT, settings.review_weight)
    score(engine, model, "compared", "scored", keep_from=floor)
    scored = engine.frame("select * from scored order by i, j")
    linked = scored.filter((pl.col("weight") > COMPONENT_WEIGHT) & ~pl.col("is_forbidden"))
    found = components(
        linked["i"].to_numpy(),
        linked["j"].to_numpy(),
        linked["weight"].to_numpy(),
        records=prepared.count,
        largest=settings.largest_component,
    )
    progress(f"groups of linked {entity_type} records", int((found.size > 1).sum()))
    inside = _close(engine, model, found)
    founder = agree(found, inside, records=prepared.count, match_weight=settings.match_weight)
    return MatchedType(
        entity_type=entity_type,
        model=model,
        edges=_edges(scored, prepared.record_ids, settings),
        clusters=_clusters(prepared.record_ids, founder),
        rules=rules,
        compared_count=compared,
        cut_count=found.cut,
    )


def _draw_random_pairs(engine: Engine, records: int) -> None:
    """Make ``random_pairs``: pairs drawn evenly with a fixed seed, or all of them where they are few."""
    if records * (records - 1) // 2 <= _RANDOM_PAIRS:
        i, j = np.triu_indices(records, 1)
    else:
        generator = np.random.default_rng(1)
        one, other = (generator.integers(0, records, _RANDOM_PAIRS) for _ in range(2))
        i, j = np.minimum(one, other), np.maximum(one, other)
    frame = pl.DataFrame({"i": i.astype(np.int32), "j": j.astype(np.int32)}).filter(pl.col("i") < pl.col("j"))
    engine.load("random_pairs", frame.unique(maintain_order=True))


def _close(engine: Engine, model: MatchModel, found: Components) -> pl.DataFrame:
    """Compare and score every pair inside each component."""
    labels = pl.DataFrame({"rid": np.arange(len(found.label), dtype=np.int32), "component": found.label})
    engine.load("labels", labels.filter(pl.Series(found.size[found.label] > 1)))
    engine.run(
        """create or replace table inside as select x.rid i, y.rid j
        from labels x join labels y on x.component = y.component and x.rid < y.rid order by 1, 2"""
    )
    compare(engine, model.comparisons, "inside", "compared_inside")
    score(engine, model, "compared_inside", "scored_inside", keep_from=_ANY_WEIGHT)
    return engine.frame("select i, j, weight, is_forbidden from scored_inside order by i, j")


def _edges(scored: pl.DataFrame, record_ids: pl.Series, settings: MatchSettings) -> pl.DataFrame:
    """Return scored pairs as edges between record ids, with their decision."""
    weight = pl.col("weight")
    decision = (
        pl.when("is_forbidden")
        .then(pl.lit(NO_MATCH))
        .when(weight > settings.match_weight)
        .then(pl.lit(MATCH))
        .otherwise(pl.lit(POSSIBLE_MATCH))
    )
    kept = scored.filter((weight >= settings.review_weight) | pl.col("is_forbidden"))
    return kept.select(
        left_id=record_ids.gather(kept["i"]),
        right_id=record_ids.gather(kept["j"]),
        pattern=pl.col("pattern"),
        weight=weight,
        probability=1 / (1 + 2.0 ** (-weight)),
        decision=decision,
        is_forbidden=pl.col("is_forbidden"),
    )


def _clusters(record_ids: pl.Series, founder: np.ndarray) -> pl.DataFrame:
    return pl.DataFrame({"record_id": record_ids, "cluster": record_ids.gather(pl.Series(founder))})


def _alone(entity_type: EntityType, prepared: Prepared) -> MatchedType:
    """Return the result where there is nothing to compare: every record a customer of its own."""
    return MatchedType(
        entity_type=entity_type,
        model=None,
        edges=pl.DataFrame(schema=EDGES),
        clusters=_clusters(prepared.record_ids, np.arange(prepared.count)),
        rules=(),
        compared_count=0,
        cut_count=0,
    )


EDGES: Final = pl.Schema(
    {
        "left_id": pl.Int64,
        "right_id": pl.Int64,
        "pattern": pl.Int64,
        "weight": pl.Float64,
        "probability": pl.Float64,
        "decision": pl.String,
        "is_forbidden": pl.Boolean,
    }
)
