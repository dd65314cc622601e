"""The match model: how often each level occurs among pairs of one customer, of one household, and of strangers.

Fellegi-Sunter with three latent classes, learned without labels by expectation maximisation over counts of packed patterns
(I. Fellegi, A. Sunter, A Theory for Record Linkage, JASA 64, 1969; W. Winkler 1988 for EM). The household class is what keeps
family members, who share surname, address and phone, from being taken for one customer.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.matching.comparisons import LEVEL_BITS, Comparison

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

HOUSEHOLD_SAME_GIVEN: Final = 0.003  # share of household pairs with the same given name (father and son)
_ROUNDS: Final = 40
_MATCH_PRIOR_PAIRS: Final = 20.0  # weight of the prior in pairs
_HOUSEHOLD_PRIOR_PAIRS: Final = 50.0
# What is known of strangers before any pair is seen; beside a million random pairs it weighs nothing, in a list of ten much.
_STRANGERS_AGREE: Final = 0.01
_UNRELATED_PRIOR_PAIRS: Final = 30.0
_LEAST_PROBABILITY: Final = 1e-9


@dataclass(frozen=True, slots=True)
class PatternCounts:
    """Packed patterns and how many pairs have each; both arrays of one length, patterns ascending."""

    patterns: Ints
    counts: Floats


@dataclass(frozen=True)
class MatchModel:
    """A learned model of one entity type.

    Attributes:
        comparisons: In the order of the packed pattern.
        match, household, unrelated: Probability of each level by comparison; position 0 (silent) is unused.
        shares: Share of pairs in each class, before any evidence: match, household, unrelated.
        record_count: Records it was learned from.
    """

    entity_type: EntityType
    comparisons: tuple[Comparison, ...]
    match: tuple[tuple[float, ...], ...]
    household: tuple[tuple[float, ...], ...]
    unrelated: tuple[tuple[float, ...], ...]
    shares: tuple[float, float, float]
    record_count: int

    @cached_property
    def version(self) -> str:
        """Return a short digest of everything that decides a score."""
        names = [comparison.name for comparison in self.comparisons]
        content = [self.entity_type, names, self.match, self.household, self.unrelated, self.shares]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]

    def log_likelihoods(self, patterns: Ints) -> tuple[Floats, Floats, Floats]:
        """Return the natural log of share times probability of each pattern: match, household, unrelated."""
        levels = unpack(patterns, len(self.comparisons))
        tables = (self.match, self.household, self.unrelated)
        match, household, unrelated = (
            _log_likelihood(levels, [np.array(row) for row in table], share)
            for table, share in zip(tables, self.shares, strict=True)
        )
        return match, household, unrelated

    def to_frame(self) -> pl.DataFrame:
        """Return the model as rows of the table match_model: one a level of a comparison."""
        rows = [
            (place, comparison.name, level, comparison.labels[level - 1], *probabilities)
            for place, comparison in enumerate(self.comparisons)
            for level, probabilities in enumerate(
                zip(self.match[place], self.household[place], self.unrelated[place], strict=True)
            )
            if level
        ]
        schema = {
            "position": pl.Int32, "comparison": pl.String, "level": pl.Int32, "meaning": pl.String,
            "match_probability": pl.Float64, "household_probability": pl.Float64, "unrelated_probability": pl.Float64,
        }  # fmt: skip
        return pl.DataFrame(rows, schema=schema, orient="row").select(
            pl.lit(self.version).alias("model_version"),
            pl.lit(str(self.entity_type)).alias("entity_type"),
            pl.all(),
            pl.lit(self.shares[0]).alias("match_share"),
            pl.lit(self.shares[1]).alias("household_share"),
            pl.lit(self.record_count).cast(pl.Int64).alias("trained_on_count"),
        )


def unpack(patterns: Ints, comparison_count: int) -> Ints:
    """Return the levels of packed patterns: one row a pattern, one column a comparison."""
    return np.stack([(patterns >> (LEVEL_BITS * place)) & 15 for place in range(comparison_count)], axis=1)


def learn(
    entity_type: EntityType,
    comparisons: tuple[Comparison, ...],
    candidates: PatternCounts,
    random_pairs: PatternCounts,
    record_count: int,
) -> MatchModel:
    """Learn a model by expectation maximisation.

    Args:
        entity_type: Whom it is for.
        comparisons: The comparisons of the packed pattern, in order.
        candidates: Patterns of the blocked pairs, among which the matches are.
        random_pairs: Patterns of pairs drawn at random: how strangers agree.
        record_count: Number of records.
    """
    return _Learner(comparisons, candidates, random_pairs, record_count).learn(entity_type)


class _Learner:
    """The state of one expectation maximisation."""

    def __init__(
        self, comparisons: tuple[Comparison, ...], candidates: PatternCounts, random_pairs: PatternCounts, records: int
    ) -> None:
        self.comparisons, self.records = comparisons, records
        patterns = np.union1d(candidates.patterns, random_pairs.patterns).astype(np.int64)
        self.candidate_counts = _aligned(candidates, patterns)
        self.random_counts = _aligned(random_pairs, patterns)
        self.levels = unpack(patterns, len(comparisons))
        self.match_prior = [np.array([0.0, *c.match_prior]) / sum(c.match_prior) for c in comparisons]
        self.household_prior = [
            None if c.household_prior is None else np.array([0.0, *c.household_prior]) / sum(c.household_prior)
            for c in comparisons
        ]
        self.pair_count = max(records * (records - 1) / 2, 1.0)

    def learn(self, entity_type: EntityType) -> MatchModel:
        match = [prior.copy() for prior in self.match_prior]
        unrelated = self._unrelated(np.ones(len(self.levels)))
        household = self._household(unrelated, np.zeros(len(self.levels)))
        shares = (0.5 * self.records / self.pair_count, 0.3 * self.records / self.pair_count, 1.0)
        for _ in range(_ROUNDS):
            is_match, is_household, is_unrelated = self._posteriors((match, household, unrelated), shares)
            unrelated = self._unrelated(is_unrelated)
            matches, households = is_match * self.candidate_counts, is_household * self.candidate_counts
            shares = (
                float(matches.sum() + 0.1 * self.records) / self.pair_count,
                float(households.sum() + 0.05 * self.records) / self.pair_count,
                1.0,
            )
            match = [
                _smooth(self._histogram(place, matches), prior, _MATCH_PRIOR_PAIRS)
                for place, prior in enumerate(self.match_prior)
            ]
            household = self._household(unrelated, households)
        tables = [tuple(tuple(float(x) for x in row) for row in table) for table in (match, household, unrelated)]
        total = sum(shares)
        of_all = (shares[0] / total, shares[1] / total, shares[2] / total)
        return MatchModel(entity_type, self.comparisons, tables[0], tables[1], tables[2], of_all, self.records)

    def _posteriors(self, tables: tuple[list[Floats], ...], shares: tuple[float, ...]) -> list[Floats]:
        logs = [_log_likelihood(self.levels, table, share) for table, share in zip(tables, shares, strict=True)]
        top = np.maximum.reduce(logs)
        weights = [np.exp(log - top) for log in logs]
        total = np.sum(weights, axis=0)
        return [weight / total for weight in weights]

    def _histogram(self, place: int, weights: Floats) -> Floats:
        """Return the weight of each level of one comparison; silence does not count."""
        counts = np.bincount(self.levels[:, place], weights=weights, minlength=len(self.match_prior[place]))
        counts[0] = 0.0
        return counts.astype(np.float64)

    def _unrelated(self, is_unrelated: Floats) -> list[Floats]:
        """Return how strangers agree, from random pairs less what is believed to be related."""
        weights = self.random_counts * is_unrelated
        tables = []
        for place, prior in enumerate(self.match_prior):
            stated = self.comparisons[place].unrelated_prior
            agreeing = [_STRANGERS_AGREE] * (len(prior) - 2)
            strangers = np.array([0.0, *(stated or (*agreeing, 1 - sum(agreeing)))])
            tables.append(_smooth(self._histogram(place, weights), strangers, _UNRELATED_PRIOR_PAIRS))
        return tables

    def _household(self, unrelated: list[Floats], households: Floats) -> list[Floats]:
        """Return how people of one household agree; where nothing special is known, as strangers do."""
        tables = []
        for place, prior in enumerate(self.household_prior):
            if prior is None:
                table = unrelated[place].copy()
                if self.comparisons[place].name == "given_name":
                    table *= 1 - HOUSEHOLD_SAME_GIVEN
                    table[1] += HOUSEHOLD_SAME_GIVEN
            else:
                table = _smooth(self._histogram(place, households), prior, _HOUSEHOLD_PRIOR_PAIRS)
            tables.append(table)
        return tables


def _aligned(counted: PatternCounts, patterns: Ints) -> Floats:
    """Spread counts over a longer list of patterns."""
    out = np.zeros(len(patterns))
    out[np.searchsorted(patterns, counted.patterns)] = counted.counts
    return out


def _smooth(counts: Floats, prior: Floats, weight: float) -> Floats:
    """Return probabilities: counts, and a prior worth ``weight`` pairs."""
    smoothed: Floats = (counts + weight * prior) / (counts.sum() + weight)
    return smoothed


def _log_likelihood(levels: Ints, table: list[Floats], share: float) -> Floats:
    """Return the log of the share of a class times the probability of each row of levels in it."""
    total = np.full(len(levels), np.log(share))
    for place, row in enumerate(table):
        logs: npt.NDArray[Any] = np.log(np.maximum(row, _LEAST_PROBABILITY))
        logs[0] = 0.0  # silence says nothing
        total += logs[levels[:, place]]
    return total
