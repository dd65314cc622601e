"""Turns pairs into evidence in bits for "one customer" against "household or strangers", chunk by chunk on all processors."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np

from custview_pipeline.matching.comparisons import Comparison
from custview_pipeline.matching.model import HOUSEHOLD_SAME_GIVEN, LEAST_PROBABILITY, MatchModel
from custview_pipeline.matching.pairs import Compared, Pairs
from custview_pipeline.matching.patterns import LEVEL_BITS, Bools, Floats, Ints, Levels, pack

PAIRS_AT_ONCE: Final = 32_768  # so that what is gathered for a chunk stays in the processor's cache
_STEPS: Final = 64  # weights are multiples of 1/64 bit
_LOG_2: Final = float(np.log(2))
T = TypeVar("T")
Keep = Callable[[Ints, Ints, Ints, Floats], Bools]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for and against each pair, in natural logs of share times probability.

    Attributes:
        match, household, unrelated: Of each class.
    """

    match: Floats
    household: Floats
    unrelated: Floats

    @property
    def weight(self) -> Floats:
        """Return the bits for one customer against the other classes together."""
        bits = (self.match - np.logaddexp(self.household, self.unrelated)) / _LOG_2
        rounded: Floats = np.round(bits * _STEPS) / _STEPS
        return rounded


@dataclass(frozen=True, slots=True)
class Scored:
    """Compared pairs with their evidence.

    Attributes:
        i, j: Row numbers, ``i < j``.
        pattern: Levels, packed.
        weight: Bits, multiples of 1/64.
    """

    i: Ints
    j: Ints
    pattern: Ints
    weight: Floats

    @classmethod
    def joined(cls, parts: list["Scored"]) -> "Scored":
        """Return the pairs of all parts."""
        columns = [(part.i, part.j, part.pattern, part.weight) for part in parts] or [(_NO_ROWS, _NO_ROWS, _NO_ROWS, _NO_WEIGHTS)]
        i, j, pattern, weight = (np.concatenate(column) for column in zip(*columns, strict=True))
        return cls(i, j, pattern, weight)

    def once(self) -> "Scored":
        """Return the pairs ordered by rows, each once."""
        order = np.lexsort((self.j, self.i))
        i, j = self.i[order], self.j[order]
        is_new = np.r_[True, (i[1:] != i[:-1]) | (j[1:] != j[:-1])] if len(order) else np.empty(0, np.bool_)
        chosen = order[is_new]
        return Scored(self.i[chosen], self.j[chosen], self.pattern[chosen], self.weight[chosen])

    def where(self, chosen: Bools) -> "Scored":
        """Return some of the pairs."""
        return Scored(self.i[chosen], self.j[chosen], self.pattern[chosen], self.weight[chosen])


_NO_ROWS: Final = np.empty(0, np.int64)
_NO_WEIGHTS: Final = np.empty(0, np.float64)


class Scorer:
    """Scores pairs by one model."""

    def __init__(self, compared: Compared, model: MatchModel) -> None:
        self._compared, self._model = compared, model
        tables = (model.match, model.household, model.unrelated)
        self._logs = [[_logs(row) for row in table] for table in tables]
        self._byte_logs = [[_byte_logs(logs[at : at + 2]) for logs in self._logs] for at in range(0, len(model.comparisons), 2)]
        self._priors = [float(np.log(share)) for share in model.shares]

    def levels(self, pairs: Pairs) -> list[Levels]:
        """Return the levels of each comparison of the model."""
        return levels_of(pairs, self._model.comparisons)

    def evidence(self, pairs: Pairs, levels: list[Levels], patterns: Ints) -> Evidence:
        """Weigh levels and their packed patterns, the rarity of what agrees included."""
        match, household, unrelated = self._by_class(patterns)
        for place, level in enumerate(levels):
            self._add_rarity(pairs, level, place, (household, unrelated))
        return Evidence(match + self._model.calibration * _LOG_2, household, unrelated)

    def comparison_evidence(self, pairs: Pairs, levels: list[Levels], place: int) -> Evidence:
        """Return what one comparison adds to the evidence of each class."""
        match, household, unrelated = (logs[place][levels[place]] for logs in self._logs)
        self._add_rarity(pairs, levels[place], place, (household, unrelated))
        return Evidence(match, household, unrelated)

    def _add_rarity(self, pairs: Pairs, levels: Levels, place: int, evidence: tuple[Floats, Floats]) -> None:
        """Add what the rarity of the values says, where pairs agree by one comparison: household, unrelated."""
        household, unrelated = evidence
        for level, feature in self._model.comparisons[place].frequency:
            agreed = np.flatnonzero(levels == level)
            strangers, at_home = self._rarity(pairs.at(agreed), place, level, feature)
            unrelated[agreed] += strangers
            household[agreed] += at_home

    def _by_class(self, patterns: Ints) -> list[Floats]:
        """Return the log of share times probability of each pattern in each class, two comparisons at a time."""
        totals = [np.full(len(patterns), prior) for prior in self._priors]
        bytes_of = patterns.astype("<i8", copy=False).view(np.uint8).reshape(-1, 8)
        for place, tables in enumerate(self._byte_logs):
            column = np.ascontiguousarray(bytes_of[:, place])
            for total, table in zip(totals, tables, strict=True):
                np.add(total, table.take(column), out=total)
        return totals

    def _rarity(self, pairs: Pairs, place: int, level: int, feature: str) -> tuple[Floats, Floats]:
        """Return what to add for strangers and for a household where a pair agrees on a value of some rarity."""
        shares = self._compared.log_shares(feature)
        share = np.maximum(shares[pairs.i], shares[pairs.j]).astype(np.float64)
        # who agrees by another value than the one that is counted (a further address) is taken as average
        _, at_home, average = (logs[place][level] for logs in self._logs)
        strangers = np.where(np.isneginf(share), 0.0, share - average)
        if self._model.comparisons[place].name != "given_name":
            return strangers, np.zeros(len(share))
        # strangers' given names, and those that run in a family
        in_family = np.log(np.exp(share) * (1 - HOUSEHOLD_SAME_GIVEN) + HOUSEHOLD_SAME_GIVEN)
        return strangers, in_family - at_home

    def score(self, i: Ints, j: Ints, keep: Keep | None, threads: int) -> Scored:
        """Compare and weigh pairs.

        Args:
            i: The first row of each pair.
            j: The second.
            keep: Says which pairs are kept, by rows, pattern and weight; None: all.
            threads: How many chunks are worked on at once.
        """

        def work(chunk: slice) -> Scored:
            pairs = Pairs(self._compared, i[chunk], j[chunk])
            levels = self.levels(pairs)
            patterns = pack(levels)
            scored = Scored(pairs.i, pairs.j, patterns, self.evidence(pairs, levels, patterns).weight)
            return scored if keep is None else scored.where(keep(scored.i, scored.j, scored.pattern, scored.weight))

        return Scored.joined(in_chunks(work, len(i), threads))


def levels_of(pairs: Pairs, comparisons: tuple[Comparison, ...]) -> list[Levels]:
    """Return the levels of each comparison; one for which no two records have anything is silent."""
    filled, silent = pairs.records.filled, np.zeros(len(pairs), np.uint8)
    return [comparison.compare(pairs) if filled.intersection(comparison.features) else silent for comparison in comparisons]


def patterns_of(compared: Compared, comparisons: tuple[Comparison, ...], i: Ints, j: Ints, threads: int) -> Ints:
    """Return the packed pattern of each pair."""

    def work(chunk: slice) -> Ints:
        pairs = Pairs(compared, i[chunk], j[chunk])
        return pack(levels_of(pairs, comparisons))

    return np.concatenate([_NO_ROWS, *in_chunks(work, len(i), threads)])


def in_chunks(work: Callable[[slice], T], count: int, threads: int) -> list[T]:
    """Do work on slices of so many pairs, on several threads; numpy lets them run beside each other. Results in order."""
    chunks = list(_chunks(count))
    if threads == 1 or len(chunks) <= 1:
        return [work(chunk) for chunk in chunks]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, chunks))


def _chunks(count: int) -> Iterator[slice]:
    for start in range(0, count, PAIRS_AT_ONCE):
        yield slice(start, min(count, start + PAIRS_AT_ONCE))


def _logs(row: tuple[float, ...]) -> Floats:
    logs = np.log(np.maximum(np.array(row, np.float64), LEAST_PROBABILITY))
    logs[0] = 0.0  # silence says nothing
    return logs


def _byte_logs(rows: list[Floats]) -> Floats:
    """Return the sum of the logs of one or two comparisons for every byte of a packed pattern; levels they lack do not occur."""
    table = np.zeros(1 << (2 * LEVEL_BITS))
    levels = np.arange(len(table))
    for place, row in enumerate(rows):
        padded = np.zeros(1 << LEVEL_BITS)
        padded[: len(row)] = row
        table += padded[(levels >> (LEVEL_BITS * place)) & ((1 << LEVEL_BITS) - 1)]
    return table
