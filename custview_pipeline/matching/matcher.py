"""Matches the records of one entity type: candidates, levels, model, evidence, clusters."""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from custview_pipeline.matching.blocking import Candidates, block
from custview_pipeline.matching.clusters import COMPONENT_WEIGHT, Components, Contradictions, Inside, components, decide
from custview_pipeline.matching.comparisons import COMPARISONS
from custview_pipeline.matching.focus import Focus
from custview_pipeline.matching.found import EDGES, SUSPICIOUS, MatchedType, TrainingSample, decisions
from custview_pipeline.matching.frequencies import Frequencies
from custview_pipeline.matching.judging import Judge, Told, compared_as, decided_rows
from custview_pipeline.matching.model import MatchModel
from custview_pipeline.matching.neighbours import Neighbours
from custview_pipeline.matching.pairs import Compared
from custview_pipeline.matching.patterns import Bools, Floats, Ints, count_patterns
from custview_pipeline.matching.records import Records
from custview_pipeline.matching.sampling import random_pairs, sampled
from custview_pipeline.matching.scoring import Scored, Scorer, patterns_of
from custview_pipeline.matching.setup import Frozen, MatchSettings
from custview_pipeline.matching.training import LabelledPatterns, learn
from custview_pipeline.matching.warnings import warnings_of

Progress = Callable[[str, int], None]


class Matcher:
    """Matches the records of one entity type."""

    def __init__(
        self,
        records: Records,
        near: Neighbours,
        settings: MatchSettings,
        *,
        told: Told | None = None,
        focus: Focus | None = None,
    ) -> None:
        """Take the records and what is known of them.

        Args:
            records: The records.
            near: Which of their values are one edit apart.
            settings: Thresholds and limits.
            told: What stewards and sources say of the records.
            focus: Which of the records are to be matched, where these are not all.
        """
        self._records, self._near, self._settings = records, near, settings
        self._told, self._focus = told or Told(), focus
        self._compared_as = compared_as(records, self._told.entered)
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
        is_touched = self._touched(found.linked)
        return MatchedType(
            entity_type=entity_type,
            frozen=frozen,
            edges=self._edges(scored, judge),
            clusters=self._clusters(founder, is_touched),
            groups=self._groups(found.linked, is_touched),
            yields=candidates.yields,
            compared_count=len(candidates.i),
            met_count=self._met(candidates),
            cut_count=found.cut_count,
            suspicious=self._suspicious(founder, against),
            warnings=warnings_of(self._records, candidates.yields, found),
        )

    def reached(self, known: Frozen) -> Ints:
        """Return the ids of the records that the change in focus touches, however few of their groups are here."""
        if self._focus is None or not self.is_needed:
            return self._records.record_ids
        compared, candidates = self._block(known)
        judge = self._judge(known.model)
        found = self._components(self._scored(Scorer(compared, known.model), judge, candidates), judge)
        touched = self._focus.touched(found.linked, self._records.by_rank)
        return self._records.record_ids[self._records.by_rank[touched]]

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
        candidates = block(compared, self._settings.limits, is_frozen=counted is not None)
        if self._compared_as is not None:
            is_own = self._compared_as == np.arange(self._records.count)
            candidates = candidates.where(is_own[candidates.i] & is_own[candidates.j])
        return compared, candidates if self._focus is None else candidates.where(self._focus.includes(candidates.i, candidates.j))

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
        answered = self._told.decided if self._told.answered is None else self._told.answered
        i, j, is_match = decided_rows(self._records, answered)
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
        return Judge(self._records, self._of_type.rules.among(model.comparisons), self._told)

    def _scored(self, scorer: Scorer, judge: Judge, candidates: Candidates) -> Scored:
        """Score the candidates and what stewards decided; keep what may count."""
        floor = min(COMPONENT_WEIGHT, self._settings.review_weight)

        def keep(i: Ints, j: Ints, pattern: Ints, weight: Floats) -> Bools:
            return (weight >= floor) | judge.judge(i, j, pattern).is_must

        i, j, _ = judge.decided
        if self._focus is not None:
            wanted = self._focus.includes(i, j)
            i, j = i[wanted], j[wanted]
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
            rows = by_rank[i], by_rank[j]
            one, other = rows if self._compared_as is None else (self._compared_as[rows[0]], self._compared_as[rows[1]])
            scored = scorer.score(one, other, None, self._settings.threads)
            judged = judge.judge(*rows, scored.pattern)
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

    def _met(self, candidates: Candidates) -> int:
        """Return for each record worked on the pairs compared that it is in, added up."""
        if self._focus is None:
            return 2 * len(candidates.i)
        is_changed = self._focus.is_changed
        return int(is_changed[candidates.i].sum() + is_changed[candidates.j].sum())

    def _touched(self, linked: Ints) -> Bools | None:
        """Return by rank which records the change in focus touches; None where all are matched."""
        return None if self._focus is None else self._focus.touched(linked, self._records.by_rank)

    def _clusters(self, founder: Ints, is_touched: Bools | None = None) -> pl.DataFrame:
        ids = self._records.record_ids[self._records.by_rank]
        clusters = pl.DataFrame({"record_id": ids, "cluster": ids[founder]})
        return clusters if is_touched is None else clusters.filter(pl.Series(is_touched))

    def _groups(self, linked: Ints, is_touched: Bools | None = None) -> pl.DataFrame:
        """Return the group of each linked record; of a change, of each record that it touched."""
        ids = self._records.record_ids[self._records.by_rank]
        _, first = np.unique(linked, return_index=True)
        groups = pl.DataFrame({"record_id": ids, "group_id": ids[first][linked]})
        return groups.filter(pl.Series(np.bincount(linked)[linked] > 1 if is_touched is None else is_touched))

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
        alone = np.arange(self._records.count)
        is_touched = self._touched(alone)
        return MatchedType(
            entity_type=self._records.entity_type,
            frozen=None,
            edges=pl.DataFrame(schema=EDGES),
            clusters=self._clusters(alone, is_touched),
            groups=self._groups(alone, is_touched),
            yields=(),
            compared_count=0,
            met_count=0,
            cut_count=0,
            suspicious=pl.DataFrame(schema=SUSPICIOUS),
            warnings=warnings_of(self._records, (), None),
        )
