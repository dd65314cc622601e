"""Pairs of records, and what can be asked of many of them at once: equal, one edit apart, a value in common."""

from collections.abc import Iterator
from functools import cache, cached_property
from typing import Final

import numpy as np

from custview_pipeline.matching.expansion import combinations, portions
from custview_pipeline.matching.frequencies import Frequencies, Shares, WordWeights
from custview_pipeline.matching.neighbours import Neighbours
from custview_pipeline.matching.patterns import Bools, Ints
from custview_pipeline.matching.records import SILENT, Column, Lengths, Records

NEAR_FEATURES: Final = ("given", "family", "street", "birth_place", "enterprise_name", "phone_tails", "identifiers")
"""Features of which it is asked whether two values are one edit apart."""


class Compared:
    """What pairs are compared with: the records, which of their values are one edit apart, how common each value is."""

    def __init__(self, records: Records, neighbours: Neighbours, frequencies: Frequencies) -> None:
        self.records, self.frequencies = records, frequencies
        self._neighbours = neighbours
        self.near = cache(self._near)
        self.log_shares = cache(self._log_shares)

    @cached_property
    def word_weights(self) -> WordWeights:
        """Return how much each word of a name weighs."""
        return self.frequencies.word_weights(self.records.lists["name_words"])

    def _log_shares(self, feature: str) -> Shares:
        """Return the log share of each record's value; of several values the commonest."""
        return self.frequencies.log_shares(self.records, feature)

    def _near(self, feature: str) -> Neighbours:
        """Return the neighbours among the values of a feature."""
        if feature in self.frequencies.dense:
            return Neighbours.none()
        return self._neighbours.among(self.records.values(feature))


class Pairs:
    """Some pairs of rows ``i`` and ``j``, their tokens gathered when first asked for."""

    def __init__(self, compared: Compared, i: Ints, j: Ints) -> None:
        self.compared, self.records, self.i, self.j = compared, compared.records, i, j
        self._gathered: dict[tuple[str, bool], Column] = {}
        self._same: dict[str, Bools] = {}
        self._list_lengths: dict[str, tuple[Lengths, Lengths]] = {}

    def __len__(self) -> int:
        return len(self.i)

    def at(self, places: Ints) -> "Pairs":
        """Return some of the pairs."""
        return Pairs(self.compared, self.i[places], self.j[places])

    def left(self, feature: str) -> Column:
        """Return the token of the first record of each pair."""
        return self._gather(feature, is_left=True)

    def right(self, feature: str) -> Column:
        """Return the token of the second record of each pair."""
        return self._gather(feature, is_left=False)

    def _gather(self, feature: str, *, is_left: bool) -> Column:
        place = (feature, is_left)
        if place not in self._gathered:
            self._gathered[place] = self.records.scalars[feature].take(self.i if is_left else self.j)
        return self._gathered[place]

    def filled(self, feature: str) -> Bools:
        """Return whether both records have the feature."""
        both: Bools = (self.left(feature) != SILENT) & (self.right(feature) != SILENT)
        return both

    def same(self, feature: str) -> Bools:
        """Return whether both have the same value."""
        if feature not in self._same:
            self._same[feature] = self.crossed(feature, feature)
        return self._same[feature]

    def crossed(self, feature: str, other: str) -> Bools:
        """Return whether one record's ``feature`` is the other record's ``other``: left to right."""
        left = self.left(feature)
        equal: Bools = (left == self.right(other)) & (left != SILENT)
        return equal

    def flag(self, name: str) -> tuple[Bools, Bools]:
        """Return a yes-or-no feature of both records."""
        column = self.records.flags[name]
        return column[self.i], column[self.j]

    def near(self, feature: str) -> Bools:
        """Return whether both values are one edit apart."""
        near = self.compared.near(feature)
        if not len(near.left):
            return np.zeros(len(self), np.bool_)
        return near.hold(self.left(feature) ^ self.right(feature)) & self.filled(feature)

    def have(self, feature: str) -> Bools:
        """Return whether both records have any value of a list feature."""
        left, right = self._lengths(feature)
        both: Bools = (left > 0) & (right > 0)
        return both

    def _lengths(self, feature: str) -> tuple[Lengths, Lengths]:
        """Return the lengths of both lists of each pair."""
        if feature not in self._list_lengths:
            lengths = self.records.lists[feature].lengths
            self._list_lengths[feature] = lengths[self.i], lengths[self.j]
        return self._list_lengths[feature]

    def _first(self, feature: str) -> tuple[Column, Column]:
        """Return the first values of both lists of each pair."""
        first = self.records.lists[feature].first
        return first[self.i], first[self.j]

    def share(self, feature: str) -> Bools:
        """Return whether two lists have a value in common."""
        if feature not in self.records.filled:
            return np.zeros(len(self), np.bool_)
        (left, right), (one, other) = self._first(feature), self._lengths(feature)
        found: Bools = (left == right) & (left != SILENT)
        several = np.flatnonzero(~found & ((one > 1) & (other > 0) | (one > 0) & (other > 1)))
        for places, lefts, rights in self._combined(feature, several):
            found[places[(lefts == rights) & (lefts != SILENT)]] = True
        return found

    def share_near(self, feature: str) -> Bools:
        """Return whether any value of one list is one edit from any of the other."""
        near = self.compared.near(feature)
        if not len(near.left):
            return np.zeros(len(self), np.bool_)
        (left, right), (one, other) = self._first(feature), self._lengths(feature)
        found: Bools = near.hold(left ^ right) & (one > 0) & (other > 0)
        several = np.flatnonzero(~found & ((one > 1) & (other > 0) | (one > 0) & (other > 1)))
        for places, lefts, rights in self._combined(feature, several):
            found[places[near.hold(lefts ^ rights)]] = True
        return found

    def _combined(self, feature: str, places: Ints) -> Iterator[tuple[Ints, Ints, Ints]]:
        """Yield every combination of two lists at some of the pairs, in portions: the pair's place, both values."""
        lists, (one, other) = self.records.lists[feature], self._lengths(feature)
        for chosen in portions(one[places].astype(np.int64) * other[places]):
            part = places[chosen]
            i, j = self.i[part], self.j[part]
            pair, left, right = combinations(one[part], other[part])
            yield part[pair], lists.values[lists.starts[i][pair] + left], lists.values[lists.starts[j][pair] + right]

    def hold(self, feature: str, other: str) -> Bools:
        """Return whether either record's list holds the other record's single value."""
        return self._holds(feature, self.i, self.right(other)) | self._holds(feature, self.j, self.left(other))

    def _holds(self, feature: str, rows: Ints, values: Column) -> Bools:
        lists = self.records.lists[feature]
        found = np.zeros(len(rows), np.bool_)
        places = np.flatnonzero(lists.lengths[rows])
        listed = rows[places]
        pair, place, _ = combinations(lists.lengths[listed], np.ones(len(listed), np.int64))
        elements = lists.values[lists.starts[listed][pair] + place]
        found[places[pair[(elements == values[places][pair]) & (elements != SILENT)]]] = True
        return found
