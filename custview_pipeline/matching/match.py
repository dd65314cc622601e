"""Matches the records of a lake on tokens alone: candidates, levels, model, evidence, clusters."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import polars as pl

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.matching.blocking import Candidates, block
from custview_pipeline.matching.clusters import COMPONENT_WEIGHT, Components, Contradictions, Inside, components, decide
from custview_pipeline.matching.comparisons import COMPARISONS, Comparison
from custview_pipeline.matching.found import EDGES, SUSPICIOUS, MatchedType, TrainingSample, decisions
from custview_pipeline.matching.frequencies import Frequencies, dense_features, is_dense
from custview_pipeline.matching.judging import Judge, decided_rows
from custview_pipeline.matching.model import MatchModel
from custview_pipeline.matching.neighbours import Neighbours, find_neighbours
from custview_pipeline.matching.pairs import NEAR_FEATURES, Compared
from custview_pipeline.matching.patterns import Bools, Floats, Ints, count_patterns
from custview_pipeline.matching.records import Records
from custview_pipeline.matching.sampling import random_pairs, sampled
from custview_pipeline.matching.scoring import Scored, Scorer, patterns_of
from custview_pipeline.matching.setup import Frozen, MatchSettings
from custview_pipeline.matching.training import LabelledPatterns, learn
from custview_pipeline.matching.warnings import warnings_of

RULES_VERSION: Final = "2"  # raise it where the same tokens would be matched otherwise: the lake is then matched anew

_GROWN: Final = 2  # times as many records as frequencies were counted on: they are counted anew
Progress = Callable[[str, int], None]
IsUsable = Callable[[MatchModel, tuple[Comparison, ...], int], bool]


def match(  # noqa: PLR0913 -- what the lake knows comes by name
    tokens: pl.DataFrame,
    neighbourhoods: pl.DataFrame,
    settings: MatchSettings,
    progress: Progress,
    *,
    known: Mapping[EntityType, Frozen] | None = None,
    is_usable: IsUsable | None = None,
    decided: pl.DataFrame | None = None,
    exclusive: pl.DataFrame | None = None,
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
        decided: left_id, right_id, is_match of steward decisions.
        exclusive: record_id, source_system of records whose source has each customer only once.

    Raises:
        PairBudgetExceeded: The pairs do not fit in memory.
    """
    every = [Records.of(tokens, entity_type) for entity_type in EntityType]
    serving = {
        records.entity_type: frozen
        for records in every
        if (frozen := _serving(records, settings, (known or {}).get(records.entity_type), is_usable)) is not None
    }
    near = neighbours_of(every, neighbourhoods, serving)
    del tokens, neighbourhoods  # large, and not needed any more
    return tuple(
        _Matcher(records, near, settings, decided, exclusive).match(serving.get(records.entity_type), progress)
        for records in every
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
    matcher = _Matcher(records, neighbours_of([records], neighbourhoods, {}), settings, decided, None)
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
        _Matcher(records, near, settings, None, exclusive).clusters_at(known.get(records.entity_type), thresholds)
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
    if known.frequencies is not None and records.count >= _GROWN * max(1, known.frequencies.record_count):
        return Frozen(known.model, None)
    return known


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


class _Matcher:
    """Matches the records of one entity type."""

    def __init__(
        self,
        records: Records,
        near: Neighbours,
        settings: MatchSettings,
        decided: pl.DataFrame | None,
        exclusive: pl.DataFrame | None,
    ) -> None:
        self._records, self._near, self._settings = records, near, settings
        self._decided, self._exclusive = decided, exclusive
        self._of_type = settings.types[records.entity_type]
        self._comparisons = tuple(
            comparison for comparison in COMPARISONS[records.entity_type] if comparison.name in self._of_type.compared
        )

    @property
    def is_needed(self) -> bool:
        """Return whether there is anything to compare."""
        return self._records.count > 1

    def match(self, known: Frozen | None, progress: Progress) -> MatchedType:
        """Return what was found; learn a model where none is known."""
        if not self.is_needed:
            return self._alone()
        entity_type = self._records.entity_type
        compared, candidates = self._block(known)
        progress(f"{entity_type} pairs to compare", len(candidates.i))
        frozen = self._frozen(known, compared, candidates)
        scorer, judge = Scorer(compared, frozen.model), self._judge(frozen.model)
        scored = self._scored(scorer, judge, candidates)
        found = self._components(scored, judge)
        progress(f"groups of linked {entity_type} records", int((found.size > 1).sum()))
        (founder,), against = decide(found, self._weigh(scorer, judge), [self._settings.match_weight])
        return MatchedType(
            entity_type=entity_type,
            frozen=frozen,
            edges=self._edges(scored, judge),
            clusters=self._clusters(founder),
            yields=candidates.yields,
            compared_count=len(candidates.i),
            cut_count=found.cut_count,
            suspicious=self._suspicious(founder, against),
            warnings=warnings_of(self._records, candidates.yields, found),
        )

    def clusters_at(self, known: Frozen | None, thresholds: Sequence[float]) -> list[pl.DataFrame]:
        """Return the clusters at each threshold."""
        if not self.is_needed:
            return [self._clusters(np.arange(self._records.count)) for _ in thresholds]
        compared, candidates = self._block(known)
        frozen = self._frozen(known, compared, candidates)
        scorer, judge = Scorer(compared, frozen.model), self._judge(frozen.model)
        found = self._components(self._scored(scorer, judge, candidates), judge)
        founders, _ = decide(found, self._weigh(scorer, judge), thresholds)
        return [self._clusters(founder) for founder in founders]

    def sample(self) -> TrainingSample:
        """Return what a model is learned from."""
        return self._sample(*self._block(None))

    def _block(self, known: Frozen | None) -> tuple[Compared, Candidates]:
        counted = known.frequencies if known else None
        compared = Compared(self._records, self._near, counted or Frequencies.of(self._records))
        return compared, block(compared, self._settings.limits, is_frozen=counted is not None)

    def _frozen(self, known: Frozen | None, compared: Compared, candidates: Candidates) -> Frozen:
        """Return the known model with its frequencies, or what is learned or counted where one is missing."""
        if known is None:
            return self._learned(compared, candidates)
        if known.frequencies is None:
            return Frozen(known.model, compared.frequencies.with_oversize(candidates.oversize))
        return known

    def _sample(self, compared: Compared, candidates: Candidates) -> TrainingSample:
        ids, threads = self._records.record_ids, self._settings.threads
        left, right = ids[candidates.i], ids[candidates.j]
        chosen, stands_for = sampled(np.minimum(left, right), np.maximum(left, right))
        patterns = patterns_of(compared, self._comparisons, candidates.i[chosen], candidates.j[chosen], threads)
        one, other = (self._records.by_rank[rows] for rows in random_pairs(self._records.count))
        strangers = patterns_of(compared, self._comparisons, one, other, threads)
        return TrainingSample(
            comparisons=self._comparisons,
            candidates=count_patterns(patterns, stands_for),
            random_pairs=count_patterns(strangers),
            record_count=self._records.count,
            labelled=self._labelled(compared),
            frequencies=compared.frequencies.with_oversize(candidates.oversize),
        )

    def _labelled(self, compared: Compared) -> LabelledPatterns | None:
        i, j, is_match = decided_rows(self._records, self._decided)
        if not len(i):
            return None
        return LabelledPatterns(patterns_of(compared, self._comparisons, i, j, self._settings.threads), is_match)

    def _learned(self, compared: Compared, candidates: Candidates) -> Frozen:
        sample = self._sample(compared, candidates)
        model = learn(
            self._records.entity_type,
            sample.comparisons,
            sample.candidates,
            sample.random_pairs,
            sample.record_count,
            labelled=sample.labelled,
        )
        return Frozen(model, sample.frequencies)

    def _judge(self, model: MatchModel) -> Judge:
        return Judge(self._records, self._of_type.rules.among(model.comparisons), self._decided, self._exclusive)

    def _scored(self, scorer: Scorer, judge: Judge, candidates: Candidates) -> Scored:
        """Score the candidates and what stewards decided; keep what may count."""
        floor = min(COMPONENT_WEIGHT, self._settings.review_weight)

        def keep(i: Ints, j: Ints, pattern: Ints, weight: Floats) -> Bools:
            return (weight >= floor) | judge.judge(i, j, pattern).is_must

        i, j, _ = judge.decided
        scored = scorer.score(np.concatenate([candidates.i, i]), np.concatenate([candidates.j, j]), keep, self._settings.threads)
        return scored.once()

    def _components(self, scored: Scored, judge: Judge) -> Components:
        judged = judge.judge(scored.i, scored.j, scored.pattern)
        rank = self._records.rank
        linked = judged.is_must | ((scored.weight > COMPONENT_WEIGHT) & ~judged.is_cannot)
        weight = np.where(judged.is_must, np.inf, scored.weight)
        return components(
            rank[scored.i[linked]],
            rank[scored.j[linked]],
            weight[linked],
            records=self._records.count,
            largest=self._of_type.largest_component,
        )

    def _weigh(self, scorer: Scorer, judge: Judge) -> Callable[[Ints, Ints], Inside]:
        by_rank = self._records.by_rank

        def weigh(i: Ints, j: Ints) -> Inside:
            scored = scorer.score(by_rank[i], by_rank[j], None, self._settings.threads)
            judged = judge.judge(scored.i, scored.j, scored.pattern)
            return Inside(scored.weight, judged.is_must, judged.is_cannot)

        return weigh

    def _edges(self, scored: Scored, judge: Judge) -> pl.DataFrame:
        """Return scored pairs as edges between record ids, with their decision."""
        judged = judge.judge(scored.i, scored.j, scored.pattern)
        kept = (scored.weight >= self._settings.review_weight) | judged.is_cannot | judged.is_must
        names = pl.Series(judge.names)
        left, right = self._records.record_ids[scored.i], self._records.record_ids[scored.j]
        frame = pl.DataFrame(
            {
                "left_id": np.minimum(left, right),
                "right_id": np.maximum(left, right),
                "pattern": scored.pattern,
                "weight": scored.weight,
                "decision": decisions(
                    scored.weight,
                    judged.is_must,
                    judged.is_cannot,
                    self._settings.match_weight,
                    self._settings.review_weight,
                ),
                "rule": names.gather(judged.rule),
                "probability": 1 / (1 + 2.0**-scored.weight),
            }
        )
        return frame.filter(pl.Series(kept)).sort("left_id", "right_id")

    def _clusters(self, founder: Ints) -> pl.DataFrame:
        ids = self._records.record_ids[self._records.by_rank]
        return pl.DataFrame({"record_id": ids, "cluster": ids[founder]})

    def _suspicious(self, founder: Ints, against: Contradictions) -> pl.DataFrame:
        """Return pairs of one customer that ask for a person: the strongest contradiction, or two of too many records."""
        ids = self._records.record_ids[self._records.by_rank]
        large = np.flatnonzero(np.bincount(founder, minlength=1) > self._of_type.suspicious_size)
        last = np.zeros(len(founder), np.int64)
        last[founder] = np.arange(len(founder))  # of repeated places the last one stays
        last = last[large]
        reasons = ["contradicted_customer"] * len(against.i) + ["large_customer"] * len(large)
        return pl.DataFrame(
            {
                "left_id": ids[np.concatenate([against.i, large])],
                "right_id": ids[np.concatenate([against.j, last])],
                "weight": np.concatenate([against.weight, np.zeros(len(large))]),
                "reason": pl.Series(reasons, dtype=pl.String),
            }
        )

    def _alone(self) -> MatchedType:
        """Return the result where there is nothing to compare: every record a customer of its own."""
        return MatchedType(
            entity_type=self._records.entity_type,
            frozen=None,
            edges=pl.DataFrame(schema=EDGES),
            clusters=self._clusters(np.arange(self._records.count)),
            yields=(),
            compared_count=0,
            cut_count=0,
            suspicious=pl.DataFrame(schema=SUSPICIOUS),
            warnings=warnings_of(self._records, (), None),
        )
