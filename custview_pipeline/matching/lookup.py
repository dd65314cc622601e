"""Finds which of many records some changed ones could meet: those with a key of theirs, by any blocking rule.

The records are looked through portion by portion, so that no index of keys need be stored or held in memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from custview_pipeline.contracts.match_features import FEATURES
from custview_pipeline.matching.blocking import keys_of
from custview_pipeline.matching.frequencies import Frequencies
from custview_pipeline.matching.marked import Marked
from custview_pipeline.matching.neighbours import Neighbours
from custview_pipeline.matching.patterns import Bools, Ints
from custview_pipeline.matching.records import SILENT, TokenColumns, mixed
from custview_pipeline.matching.rules import BLOCKING_RULES, NEIGHBOUR_RULES, BlockingRule, NeighbourRule


@dataclass(frozen=True, slots=True)
class Sought:
    """The keys of changed records.

    Attributes:
        blocks: By blocking rule: the keys of blocks that the model does not call too large.
        neighbours: By neighbour rule: the keys of their groups, and of the groups one edit apart.
        alike: Of records without any such key: a digest of all they hold, by which their equals are found.
    """

    blocks: tuple[tuple[BlockingRule, Marked], ...]
    neighbours: tuple[tuple[NeighbourRule, Marked], ...]
    alike: Marked

    @classmethod
    def by(cls, changed: TokenColumns, near: Neighbours, counted: Frequencies) -> "Sought":
        """Take the keys of changed records.

        Args:
            changed: The records.
            near: Values one edit apart of which one is theirs.
            counted: Say which blocks are too large, and of which features no neighbours are asked for.
        """
        has_key = np.zeros(changed.count, np.bool_)
        blocks = []
        for rule in BLOCKING_RULES:
            keys, rows = keys_of(changed, rule)
            is_small = ~np.isin(keys, counted.oversize.get(rule.name, np.empty(0, np.int64)))
            has_key[rows[is_small]] = True
            blocks.append((rule, Marked.of(np.unique(keys[is_small]))))
        neighbours = [(rule, _groups(changed, rule, near)) for rule in NEIGHBOUR_RULES if rule.feature not in counted.dense]
        alike = np.unique(changed.digests[~has_key & (changed.digests != SILENT)])
        return cls(
            tuple((rule, keys) for rule, keys in blocks if len(keys.values)),
            tuple((rule, keys) for rule, keys in neighbours if len(keys.values)),
            Marked.of(alike),
        )

    @property
    def features(self) -> frozenset[str]:
        """Return the features that it has to be told of records."""
        if len(self.alike.values):
            return frozenset(FEATURES)
        of_blocks = (rule.features for rule, _ in self.blocks)
        of_neighbours = ((rule.feature, *rule.others) for rule, _ in self.neighbours)
        return frozenset(chain.from_iterable((*of_blocks, *of_neighbours)))

    def met_by(self, records: TokenColumns) -> Bools:
        """Return which records have a key that is sought; a few more may be among them, none less."""
        met = np.zeros(records.count, np.bool_)
        for rule, keys in self.blocks:
            _mark(met, keys, records, rule.features, in_any_order=rule.in_any_order)
        for neighbour_rule, keys in self.neighbours:
            _mark(met, keys, records, (neighbour_rule.feature, *neighbour_rule.others))
        if len(self.alike.values):
            met |= self.alike.hold(records.digests)
        return met


def _mark(met: Bools, sought: Marked, records: TokenColumns, features: tuple[str, ...], *, in_any_order: bool = False) -> None:
    """Mark the records whose key is sought.

    Silence is not looked for, which is quicker: a key with a silent part is equal to one that is sought by a chance of 2^-64.
    """
    listed = next((feature for feature in features if feature in records.lists), None)
    if listed is None:
        columns = [records.scalars[feature] for feature in features]
        if in_any_order:
            columns = [np.minimum(*columns), np.maximum(*columns)]
        met |= sought.hold(mixed(columns, is_quick=True))
        return
    lists = records.lists[listed]
    columns = [lists.values if feature == listed else records.scalars[feature][lists.owners] for feature in features]
    met[lists.owners[sought.hold(mixed(columns, is_quick=True))]] = True


def _groups(changed: TokenColumns, rule: NeighbourRule, near: Neighbours) -> Marked:
    """Return the keys of the groups of changed records by a neighbour rule, and of those one edit apart."""
    keys = list(_group_keys(changed, rule, near))
    return Marked.of(np.unique(np.concatenate([np.empty(0, np.int64), *keys])))


def _group_keys(changed: TokenColumns, rule: NeighbourRule, near: Neighbours) -> Iterator[Ints]:
    lists = changed.lists.get(rule.feature)
    rows = np.arange(changed.count) if lists is None else lists.owners
    values = changed.values(rule.feature)
    others = [changed.scalars[feature][rows] for feature in rule.others]
    filled = np.all([values != SILENT, *(other != SILENT for other in others)], axis=0)
    values, others = values[filled], [other[filled] for other in others]
    yield mixed([values, *others])
    for one, other in ((near.left, near.right), (near.right, near.left)):
        order = np.argsort(one, kind="stable")
        start, end = (np.searchsorted(one[order], values, side) for side in ("left", "right"))
        counts = end - start
        group = np.repeat(np.arange(len(values)), counts)
        place = np.arange(len(group)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(start, counts)
        yield mixed([other[order[place]], *(column[group] for column in others)])
