"""Learns a match model: expectation maximisation with three classes over counts of packed patterns.

It needs no labels (W. Winkler, Using the EM Algorithm for Weight Computation in the Fellegi-Sunter Model of Record Linkage, 1988)
and starts from a packaged model. Answers of stewards, where there are any, are members of their class from the start.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.matching.calibration import calibrate
from custview_pipeline.matching.comparisons import Comparison
from custview_pipeline.matching.model import LEAST_PROBABILITY, MatchModel, Table
from custview_pipeline.matching.patterns import LEVEL_BITS, Bools, Floats, Ints, PatternCounts, unpack
from custview_pipeline.matching.priors import Priors, Row, household_as_strangers, packaged_model, priors_of, shares_of

_MOST_ROUNDS: Final = 40
_SETTLED: Final = 1e-6  # change of the shares, relative, below which another round changes no weight that is stored
# Weight of the packaged model, in pairs of each class: it decides a list of fifty records and is nothing beside a million.
_MATCH_PRIOR_PAIRS: Final = 20.0
# What a household is nobody tells the learning: left to itself it takes up the nearest heap of pairs, such as the namesakes of a
# town or the worse half of the matches. So its prior grows with the list, and fades only beyond.
_LEAST_HOUSEHOLD_PAIRS, _MOST_HOUSEHOLD_PAIRS = 50.0, 3000.0
_UNRELATED_PRIOR_PAIRS: Final = 30.0
_UNSEEN_PAIRS: Final = 0.3  # of random pairs, that an agreement which none of them shows is taken to have
_MATCHES_A_RECORD, _HOUSEHOLDS_A_RECORD = 0.1, 0.05  # pairs that a list is taken to have besides those found
# An answer is certain where a candidate is a belief, so it counts like some pairs; of more, the doubtful pairs that stewards are
# asked about would pass for the typical ones.
_ANSWER_PAIRS: Final = 3.0
_DISAGREEMENTS: Final = frozenset({"differs", "national_id_differs"})


@dataclass(frozen=True, slots=True)
class LabelledPatterns:
    """The packed patterns of pairs that a steward answered, and the answers; arrays of one length."""

    patterns: Ints
    is_match: Bools


def learn(
    entity_type: EntityType,
    comparisons: tuple[Comparison, ...],
    candidates: PatternCounts,
    random_pairs: PatternCounts,
    record_count: int,
    *,
    labelled: LabelledPatterns | None = None,
) -> MatchModel:
    """Learn a model; the same counts give the same model.

    Args:
        entity_type: Whom it is for.
        comparisons: The comparisons of the packed pattern, in order.
        candidates: Patterns of the blocked pairs, among which the matches are.
        random_pairs: Patterns of pairs drawn at random: how strangers agree.
        record_count: Number of records.
        labelled: Pairs that stewards answered, patterns of the same comparisons; they refine the probabilities, and from twenty
            on, five of each kind, calibrate the weights.
    """
    answers = labelled or LabelledPatterns(np.empty(0, np.int64), np.empty(0, np.bool_))
    start = packaged_model(entity_type, comparisons, record_count)
    learned = _Learner(start, candidates, random_pairs, answers, record_count).learn()
    model = replace(learned, record_count=record_count, decision_count=len(answers.patterns))
    return replace(model, calibration=calibrate(model.weights(answers.patterns), answers.is_match))


class _Learner:
    """The state of one expectation maximisation."""

    def __init__(
        self,
        start: MatchModel,
        candidates: PatternCounts,
        random_pairs: PatternCounts,
        answers: LabelledPatterns,
        records: int,
    ) -> None:
        self.start, self.records = start, records
        patterns = np.unique(np.concatenate([candidates.patterns, random_pairs.patterns, answers.patterns])).astype(np.int64)
        self.patterns = _Patterns(patterns, len(start.comparisons))
        self.same = _ANSWER_PAIRS * _answered(answers.patterns[answers.is_match], patterns)
        self.other = _ANSWER_PAIRS * _answered(answers.patterns[~answers.is_match], patterns)
        answered = (self.same + self.other) / _ANSWER_PAIRS
        self.candidates = np.maximum(_aligned(candidates, patterns) - answered, 0.0)  # an answered pair is no belief any more
        self.random = _aligned(random_pairs, patterns)
        self.priors = self._known_priors()
        wanted = self.priors.household_pairs_per_record * records
        self.household_pairs = min(max(wanted, _LEAST_HOUSEHOLD_PAIRS), _MOST_HOUSEHOLD_PAIRS)
        self.answered_matches = self.same.sum() / _ANSWER_PAIRS

    def learn(self) -> MatchModel:
        model = self.start
        for _ in range(_MOST_ROUNDS):
            former, model = model.shares, self._turn(model)
            if np.abs(np.log(np.array(model.shares) / former)).max() < _SETTLED:
                break
        return model

    def _turn(self, model: MatchModel) -> MatchModel:
        """Return the model that fits the classes which pairs belong to under this one."""
        is_match, is_household, is_unrelated = self._beliefs(model)
        matches, households = is_match * self.candidates, is_household * self.candidates
        no_match = np.maximum(is_household + is_unrelated, LEAST_PROBABILITY)
        unrelated = self._unrelated(self.random * is_unrelated)
        return replace(
            model,
            match=self._fit(matches + self.same, self.priors.match, _MATCH_PRIOR_PAIRS),
            household=self._household(households + self.other * is_household / no_match, unrelated),
            unrelated=unrelated,
            shares=shares_of(
                float(matches.sum() + self.answered_matches + _MATCHES_A_RECORD * self.records),
                float(households.sum() + _HOUSEHOLDS_A_RECORD * self.records),
                self.records,
            ),
        )

    def _unrelated(self, strangers: Floats) -> Table:
        """Return how strangers agree; what no random pair shows is as rare as so many pairs can tell, not rarer."""
        unseen = _UNSEEN_PAIRS / max(float(strangers.sum()), 1.0)
        fitted = self._fit(strangers, self.priors.unrelated, _UNRELATED_PRIOR_PAIRS)
        return tuple(
            _whole(max(share, min(known, unseen)) for share, known in zip(row, prior, strict=True))
            for row, prior in zip(fitted, self.priors.unrelated, strict=True)
        )

    def _known_priors(self) -> Priors:
        """Return the packaged priors; where pairs can disagree in more than one way, how often in which is told by strangers.

        What a customer's national ids disagree in depends on the schemes that a list has, which nothing packaged can know.
        """
        packaged = priors_of(self.start.entity_type, self.start.comparisons)
        strangers = self._fit(self.random, packaged.unrelated, _UNRELATED_PRIOR_PAIRS)
        places = [_disagreements(comparison) for comparison in self.start.comparisons]
        return replace(
            packaged,
            match=tuple(
                _split_as(row, *each) for row, each in zip(packaged.match, zip(strangers, places, strict=True), strict=True)
            ),
            household=tuple(
                None if row is None else _split_as(row, *each)
                for row, each in zip(packaged.household, zip(strangers, places, strict=True), strict=True)
            ),
        )

    def _beliefs(self, model: MatchModel) -> list[Floats]:
        """Return the probability of each class, by pattern."""
        tables = (model.match, model.household, model.unrelated)
        logs = [self.patterns.log_likelihood(table, share) for table, share in zip(tables, model.shares, strict=True)]
        top = np.maximum.reduce(logs)
        weights = [np.exp(log - top) for log in logs]
        total = np.sum(weights, axis=0)
        return [weight / total for weight in weights]

    def _household(self, households: Floats, unrelated: Table) -> Table:
        """Return how people of one household agree; where nothing special is known, as strangers do."""
        known = tuple(row or strangers for row, strangers in zip(self.priors.household, unrelated, strict=True))
        fitted = self._fit(households, known, self.household_pairs)
        return tuple(
            household_as_strangers(comparison, strangers) if prior is None else row
            for comparison, prior, row, strangers in zip(
                self.start.comparisons, self.priors.household, fitted, unrelated, strict=True
            )
        )

    def _fit(self, weights: Floats, priors: tuple[Row, ...], prior_pairs: float) -> Table:
        """Return the probabilities of the levels among weighted patterns and a prior worth some pairs."""
        rows = []
        for counts, prior in zip(self.patterns.histograms(weights), priors, strict=True):
            known = counts[: len(prior)]
            smoothed = (known + prior_pairs * np.array(prior)) / (known.sum() + prior_pairs)
            rows.append(tuple(smoothed.tolist()))
        return tuple(rows)


class _Patterns:
    """Distinct patterns, seen as pairs of half patterns: a few thousand of these make hundreds of thousands of those.

    What is computed of each comparison is computed of the distinct halves, and only added up over the patterns.
    """

    def __init__(self, patterns: Ints, comparison_count: int) -> None:
        half = (comparison_count + 1) // 2
        bits = LEVEL_BITS * half
        parts = ((patterns & ((1 << bits) - 1), half), (patterns >> bits, comparison_count - half))
        self._parts = [(*np.unique(part, return_inverse=True), count) for part, count in parts if count]
        self._levels = [unpack(distinct, count) for distinct, _, count in self._parts]

    def log_likelihood(self, table: Table, share: float) -> Floats:
        """Return the log of the share of a class times the probability of each pattern in it."""
        first, total = 0, np.log(share)
        for (_, places, count), levels in zip(self._parts, self._levels, strict=True):
            logs = np.zeros(len(levels))
            for place, row in enumerate(table[first : first + count]):
                by_level = np.log(np.maximum(row, LEAST_PROBABILITY))
                by_level[0] = 0.0  # silence says nothing
                logs += by_level[levels[:, place]]
            first, total = first + count, total + logs[places]
        return np.asarray(total, dtype=np.float64)

    def histograms(self, weights: Floats) -> list[Floats]:
        """Return the weight of each level of each comparison; silence does not count."""
        found = []
        for (distinct, places, count), levels in zip(self._parts, self._levels, strict=True):
            by_half = np.bincount(places, weights=weights, minlength=len(distinct))
            for place in range(count):
                counts: Floats = np.bincount(levels[:, place], weights=by_half, minlength=1 << LEVEL_BITS).astype(np.float64)
                counts[0] = 0.0
                found.append(counts)
        return found


def _whole(shares: Iterable[float]) -> Row:
    """Return shares so that they add up to one."""
    row = tuple(shares)
    return tuple(share / sum(row) for share in row)


def _disagreements(comparison: Comparison) -> list[int]:
    return [level for level, outcome in enumerate(comparison.outcomes, 1) if outcome in _DISAGREEMENTS]


def _split_as(row: Row, strangers: Row, levels: list[int]) -> Row:
    """Return a row in which some levels have the share that they had together, split among them as strangers have it."""
    together, among_strangers = sum(row[level] for level in levels), sum(strangers[level] for level in levels)
    return tuple(together * strangers[level] / among_strangers if level in levels else share for level, share in enumerate(row))


def _answered(asked: Ints, patterns: Ints) -> Floats:
    """Count the answers of each pattern of a list that has them all."""
    return np.bincount(np.searchsorted(patterns, asked), minlength=len(patterns)).astype(np.float64)


def _aligned(counted: PatternCounts, patterns: Ints) -> Floats:
    """Spread counts over a longer list of patterns."""
    out = np.zeros(len(patterns))
    out[np.searchsorted(patterns, counted.patterns)] = counted.counts
    return out
