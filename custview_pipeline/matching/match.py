"""Matches the records of a lake on tokens alone: candidates, levels, model, evidence, clusters."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import polars as pl

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.matching.comparisons import COMPARISONS, Comparison
from custview_pipeline.matching.found import MatchedType, TrainingSample
from custview_pipeline.matching.frequencies import dense_features, is_dense
from custview_pipeline.matching.judging import NOTHING_TOLD, Told
from custview_pipeline.matching.matcher import Matcher, Progress
from custview_pipeline.matching.model import MatchModel
from custview_pipeline.matching.neighbours import Neighbours, find_neighbours
from custview_pipeline.matching.pairs import NEAR_FEATURES
from custview_pipeline.matching.records import Records
from custview_pipeline.matching.setup import Frozen, MatchSettings

RULES_VERSION: Final = "2"  # raise it where the same tokens would be matched otherwise: the lake is then matched anew

IsUsable = Callable[[MatchModel, tuple[Comparison, ...], int], bool]


def match(  # noqa: PLR0913 -- what the lake knows comes by name
    tokens: pl.DataFrame,
    neighbourhoods: pl.DataFrame,
    settings: MatchSettings,
    progress: Progress,
    *,
    known: Mapping[EntityType, Frozen] | None = None,
    is_usable: IsUsable | None = None,
    told: Told = NOTHING_TOLD,
) -> tuple[MatchedType, ...]:
    """Match the records of each entity type among themselves.

    The result does not depend on the order of rows: records are numbered by their id, sums are exact.

    Args:
        tokens: The match index: record_id, version and the features as tokens; the current version of each record.
        neighbourhoods: token, key, part of the values that may hold typos.
        settings: Thresholds and limits.
        progress: Called with a step and a count of what it made.
        known: Models in use; a type that is not among them learns one.
        is_usable: Tells of a known model, the comparisons that these records have anything for, and their number whether it still
            serves; None: it does.
        told: What is said of records whatever their evidence.

    Raises:
        PairBudgetExceeded: The pairs do not fit in memory.
    """
    every = [Records.of(tokens, entity_type) for entity_type in EntityType]
    del tokens  # large, and not needed any more
    serving = {
        records.entity_type: frozen
        for records in every
        if (frozen := _serving(records, settings, (known or {}).get(records.entity_type), is_usable)) is not None
    }
    near = neighbours_of(every, neighbourhoods, serving)
    del neighbourhoods
    return tuple(
        Matcher(records, near, settings, told=told).match(serving.get(records.entity_type), progress) for records in every
    )


def sample_for_training(
    tokens: pl.DataFrame,
    neighbourhoods: pl.DataFrame,
    settings: MatchSettings,
    entity_type: EntityType,
    decided: pl.DataFrame | None = None,
) -> TrainingSample | None:
    """Return what a model of one entity type is learned from; None where there is nothing to compare.

    Raises:
        PairBudgetExceeded: The pairs do not fit in memory.
    """
    records = Records.of(tokens, entity_type)
    matcher = Matcher(records, neighbours_of([records], neighbourhoods, {}), settings, told=Told(decided))
    return matcher.sample() if matcher.is_needed else None


def clusters_at(
    tokens: pl.DataFrame,
    neighbourhoods: pl.DataFrame,
    settings: MatchSettings,
    known: Mapping[EntityType, Frozen],
    thresholds: Sequence[float],
    exclusive: pl.DataFrame | None = None,
) -> dict[float, pl.DataFrame]:
    """Return the clusters (record_id, cluster) that each threshold, in bits, would give without what stewards decided.

    A type without a known model learns one.

    Raises:
        PairBudgetExceeded: The pairs do not fit in memory.
    """
    every = [Records.of(tokens, entity_type) for entity_type in EntityType]
    near = neighbours_of(every, neighbourhoods, known)
    found = [
        Matcher(records, near, settings, told=Told(exclusive=exclusive)).clusters_at(known.get(records.entity_type), thresholds)
        for records in every
    ]
    return {threshold: pl.concat(each[place] for each in found) for place, threshold in enumerate(thresholds)}


def comparisons_that_count(entity_type: EntityType, settings: MatchSettings) -> tuple[Comparison, ...]:
    """Return the comparisons that the rulebook lets count, in the order of a packed pattern."""
    counted = settings.types[entity_type].compared
    return tuple(comparison for comparison in COMPARISONS[entity_type] if comparison.name in counted)


def _serving(records: Records, settings: MatchSettings, known: Frozen | None, is_usable: IsUsable | None) -> Frozen | None:
    """Return the known model if it serves these records, without frequencies where there are twice the records by now."""
    comparisons = comparisons_that_count(records.entity_type, settings)
    if known is None or (is_usable and not is_usable(known.model, comparisons, records.count)):
        return None
    return Frozen(known.model, None) if known.has_grown(records.count) else known


def neighbours_of(every: Sequence[Records], neighbourhoods: pl.DataFrame, known: Mapping[EntityType, Frozen]) -> Neighbours:
    """Return which values are one edit apart, those left out of which it is not asked by any entity type.

    Args:
        every: The records of some entity types.
        neighbourhoods: token, key, part of their values.
        known: Models in use.
    """
    wanted = [
        records.values(feature)
        for records in every
        for feature in NEAR_FEATURES
        if feature not in _dense(records, known.get(records.entity_type))
    ]
    return find_neighbours(neighbourhoods, np.concatenate([np.empty(0, np.int64), *wanted]))


def asks_for_phones(tokens: pl.DataFrame, entity_type: EntityType, known: Frozen | None) -> bool:
    """Return whether neighbours of phone numbers may be asked for: not where they lie densely, now and by the model in use."""
    mine = tokens.filter(pl.col("is_enterprise") == (entity_type is EntityType.ENTERPRISE))["phone_tails"]
    was_dense = known is None or known.frequencies is None or "phone_tails" in known.frequencies.dense
    return not (was_dense and is_dense(mine.explode().n_unique()))


def _dense(records: Records, known: Frozen | None) -> frozenset[str]:
    """Return the features whose neighbours are not asked for."""
    if known is not None and known.frequencies is not None:
        return known.frequencies.dense
    return dense_features(records)
