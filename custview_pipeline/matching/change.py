"""Matches what changed against all the other records, and decides anew what it touches: the same result as matching all again.

Who a changed record could meet is looked up by the keys of the blocking rules; the blocks of these keys are then whole, so that
the same are too large as in a run over everything. Groups that a changed record was in, or reaches now, are brought in whole
and decided anew, so merges and splits follow from the evidence that is left.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.match_index import TOKENS
from custview_pipeline.matching.focus import Focus
from custview_pipeline.matching.found import MatchedType
from custview_pipeline.matching.lookup import Sought
from custview_pipeline.matching.marked import Marked
from custview_pipeline.matching.match import neighbours_of
from custview_pipeline.matching.matcher import Matcher, Progress
from custview_pipeline.matching.neighbours import neighbours_around
from custview_pipeline.matching.pairs import NEAR_FEATURES
from custview_pipeline.matching.patterns import Ints
from custview_pipeline.matching.records import Records, TokenColumns
from custview_pipeline.matching.setup import Frozen, MatchSettings

_NONE: Final = np.empty(0, np.int64)
Portions = Callable[[], Iterable[pl.DataFrame]]


class Index(NamedTuple):
    """What is stored of the records.

    Attributes:
        tokens: Returns the rows (schema ``TOKENS``) of current records, the newest portion first; asked several times.
        neighbourhoods: token, key, part of the values that may hold typos.
        decided: left_id, right_id, is_match of steward decisions.
        promised: Returns, of some record ids, record_id and source_system of those whose source has each customer only once.
    """

    tokens: Portions
    neighbourhoods: pl.DataFrame
    decided: pl.DataFrame
    promised: Callable[[pl.Series], pl.DataFrame]


class Change(NamedTuple):
    """What changed since the records were last matched.

    Attributes:
        changed: Ids of the records that are new or changed, or about which a steward decided; Int64.
        gone: Ids of the records that are no more.
        groups: record_id, group_id as they were then, of records linked to others.
    """

    changed: pl.Series
    gone: pl.Series
    groups: pl.DataFrame


def match_change(
    index: Index,
    change: Change,
    settings: MatchSettings,
    known: Mapping[EntityType, Frozen],
    progress: Progress,
) -> tuple[MatchedType, ...]:
    """Match what changed, by the models in use.

    Args:
        index: The stored match index.
        change: What changed.
        settings: Thresholds and limits.
        known: The model of each entity type that has more than one record, and the frequencies it froze.
        progress: Called with a step and a count of what it made.

    Returns:
        Of each entity type what was found about the records that the change touched: changed ones, those of groups they were in
        or reach now. Edges are those of changed records, and those inside of these groups.

    Raises:
        PairBudgetExceeded: The pairs do not fit in memory.
    """
    search = _Search(index, change, known)
    tokens = search.rows()
    found: list[MatchedType] = []
    for kind in EntityType:
        mates, frozen = search.mates_before(), known.get(kind)
        if frozen is not None:
            reached = search.matcher(kind, tokens, mates, settings).reached(frozen)
            mates = search.mates(np.concatenate([mates, reached]))
            tokens = pl.concat([tokens, search.held(np.setdiff1d(mates, tokens["record_id"].to_numpy()))])
        found.append(search.matcher(kind, tokens, mates, settings).match(frozen, progress))
    return tuple(found)


class _Search:
    """Looks through the index for the records that a change concerns."""

    def __init__(self, index: Index, change: Change, known: Mapping[EntityType, Frozen]) -> None:
        self._index, self._change, self._known = index, change, known
        self._is_changed = Marked.of(np.unique(change.changed.to_numpy()))
        self._members, self._groups = (change.groups[name].to_numpy() for name in ("record_id", "group_id"))

    def rows(self) -> pl.DataFrame:
        """Return the changed records, whoever they could meet, and whoever was in a group with them or with one that is gone."""
        changed = self._until_found(self._change.changed)
        wanted = Marked.of(np.unique(np.concatenate([self._change.changed.to_numpy(), self.mates_before()])))
        sought = [self._sought(kind, changed) for kind in self._known]
        features, found = frozenset[str]().union(*(keys.features for keys in sought)), [pl.DataFrame(schema=TOKENS)]
        for portion in self._index.tokens():
            columns = TokenColumns.taken(portion, wanted=features)
            is_met = wanted.hold(columns.record_ids)
            for keys in sought:
                is_met |= keys.met_by(columns)
            found.append(portion.filter(pl.Series(is_met)))
        return pl.concat(found)

    def _sought(self, kind: EntityType, changed: pl.DataFrame) -> Sought:
        """Return the keys by which the changed records of a type are met."""
        records, frequencies = Records.of(changed, kind), self._known[kind].frequencies
        assert frequencies is not None  # noqa: S101 -- said of the models in use
        values = [records.values(feature) for feature in NEAR_FEATURES if feature not in frequencies.dense]
        around = neighbours_around(self._index.neighbourhoods, np.concatenate([_NONE, *values]))
        return Sought.by(records, around, frequencies.oversize, frequencies.dense)

    def matcher(self, kind: EntityType, tokens: pl.DataFrame, mates: Ints, settings: MatchSettings) -> Matcher:
        """Return what matches the changed ones among these records, and decides the groups anew that ``mates`` were in."""
        records, index = Records.of(tokens, kind), self._index
        near = neighbours_of([records], index.neighbourhoods, self._known)
        focus = Focus(self._is_changed.hold(records.record_ids), self._group_numbers(records, mates))
        promised = index.promised(tokens["record_id"])
        return Matcher(records, near, settings, decided=index.decided, exclusive=promised, focus=focus)

    def _group_numbers(self, records: Records, mates: Ints) -> Ints:
        """Return a number for the former group of each record that is among ``mates``; else 0."""
        is_mate = Marked.of(np.unique(mates)).hold(self._members)
        members, groups = self._members[is_mate], np.unique(self._groups[is_mate], return_inverse=True)[1]
        order = np.argsort(members)
        numbers = np.zeros(records.count, np.int64)
        if len(members):
            place = np.minimum(np.searchsorted(members[order], records.record_ids), len(members) - 1)
            is_found = members[order][place] == records.record_ids
            numbers[is_found] = groups[order][place[is_found]] + 1
        return numbers

    def held(self, record_ids: Ints) -> pl.DataFrame:
        """Return the rows of some records."""
        return pl.concat(self._rows_of(np.unique(record_ids)))

    def mates_before(self) -> Ints:
        """Return the records of the groups that changed records, and those that are gone, were in."""
        return self.mates(np.concatenate([self._change.changed.to_numpy(), self._change.gone.to_numpy()]))

    def mates(self, record_ids: Ints) -> Ints:
        """Return the records of the groups that some records were in."""
        theirs = np.unique(self._groups[Marked.of(np.unique(record_ids)).hold(self._members)])
        return self._members[Marked.of(theirs).hold(self._groups)]

    def _until_found(self, record_ids: pl.Series) -> pl.DataFrame:
        """Return the rows of some records; the newest portions are looked through first, and no more than need be."""
        found, left = [pl.DataFrame(schema=TOKENS)], len(record_ids)
        for rows in self._rows_of(np.unique(record_ids.to_numpy())):
            found.append(rows)
            left -= rows.height
            if left <= 0:
                break
        return pl.concat(found)

    def _rows_of(self, record_ids: Ints) -> Iterator[pl.DataFrame]:
        wanted = Marked.of(record_ids)
        yield pl.DataFrame(schema=TOKENS)
        for portion in self._index.tokens() if len(record_ids) else ():
            yield portion.filter(pl.Series(wanted.hold(portion["record_id"].to_numpy())))
