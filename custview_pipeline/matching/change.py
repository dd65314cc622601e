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
from custview_pipeline.matching.frequencies import Frequencies
from custview_pipeline.matching.judging import Told
from custview_pipeline.matching.lookup import Sought
from custview_pipeline.matching.marked import Marked
from custview_pipeline.matching.matcher import Matcher, Progress
from custview_pipeline.matching.neighbours import Neighbours, find_neighbours, neighbours_around
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
        told: What is said of records whatever their evidence, but for what ``promised`` returns.
        promised: Returns, of some record ids, record_id and source_system of those whose source has each customer only once.
    """

    tokens: Portions
    neighbourhoods: pl.DataFrame
    told: Told
    promised: Callable[[pl.Series], pl.DataFrame]


class Change(NamedTuple):
    """What changed since the records were last matched.

    Attributes:
        changed: Ids of the records that are new or changed, or about which a steward decided; Int64.
        gone: Ids of the records that are no more.
        groups: Returns record_id, group_id, as they were then, of every record in a group with one of some records (Int64 ids).
    """

    changed: pl.Series
    gone: pl.Series
    groups: Callable[[pl.Series], pl.DataFrame]


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
    before = change.groups(pl.concat([change.changed, change.gone]))
    tokens = search.rows(before)
    found: list[MatchedType] = []
    for kind in EntityType:
        frozen, groups = known.get(kind), before
        if frozen is not None:
            reached = search.matcher(kind, tokens, before, settings).reached(frozen)
            groups = pl.concat([before, change.groups(pl.Series("record_id", reached, pl.Int64))]).unique()
            tokens = search.with_rows(tokens, np.union1d(reached, groups["record_id"].to_numpy()))
        found.append(search.matcher(kind, tokens, groups, settings).match(frozen, progress))
    return tuple(found)


class _Search:
    """Looks through the index for the records that a change concerns."""

    def __init__(self, index: Index, change: Change, known: Mapping[EntityType, Frozen]) -> None:
        self._index, self._change, self._known = index, change, known
        self._is_changed = Marked.of(np.unique(change.changed.to_numpy()))
        # Of the changed records: their values and all one edit away. Of groups that are decided: values among themselves.
        self._around, self._neighbours = Neighbours.none(), Neighbours.none()
        self._values, self._near = _NONE, index.neighbourhoods.clear()

    def rows(self, before: pl.DataFrame) -> pl.DataFrame:
        """Return the changed records, whoever they could meet, and whoever was in a group with them or with one that is gone."""
        changed = self._until_found(self._change.changed)
        wanted = Marked.of(np.unique(np.concatenate([self._change.changed.to_numpy(), before["record_id"].to_numpy()])))
        sought, found = self._sought(changed), [pl.DataFrame(schema=TOKENS)]
        features = frozenset[str]().union(*(keys.features for keys in sought))
        for portion in self._index.tokens():
            columns = TokenColumns.taken(portion, wanted=features)
            is_met = wanted.hold(columns.record_ids)
            for keys in sought:
                is_met |= keys.met_by(columns)
            found.append(portion.filter(pl.Series(is_met)))
        rows = pl.concat(found)
        self._take_neighbours(rows, wanted)
        return rows

    def with_rows(self, tokens: pl.DataFrame, record_ids: Ints) -> pl.DataFrame:
        """Return the rows that there are, and those of some records, which are to be compared with each other too.

        Args:
            tokens: The rows.
            record_ids: The records, ascending, each once.
        """
        missing = np.setdiff1d(record_ids, tokens["record_id"].to_numpy())
        everybody = pl.concat([tokens, *self._rows_of(missing)])
        self._take_neighbours(everybody, Marked.of(record_ids))
        return everybody

    def _sought(self, changed: pl.DataFrame) -> list[Sought]:
        """Return the keys by which the changed records of each type are met."""
        records = [Records.of(changed, kind) for kind in self._known]
        values = np.concatenate([_NONE, *(self._near_values(each) for each in records)])
        self._around = neighbours_around(self._index.neighbourhoods, values)
        return [Sought.by(each, self._around, self._frequencies(each.entity_type)) for each in records]

    def _frequencies(self, kind: EntityType) -> Frequencies:
        counted = self._known[kind].frequencies
        assert counted is not None  # noqa: S101 -- match_change is given no other models
        return counted

    def _near_values(self, records: Records) -> Ints:
        """Return the values whose neighbours are asked for."""
        dense = self._frequencies(records.entity_type).dense
        return np.concatenate([_NONE, *(records.values(feature) for feature in NEAR_FEATURES if feature not in dense)])

    def _take_neighbours(self, tokens: pl.DataFrame, wanted: Marked) -> None:
        """Find which values are one edit apart, of some of these records and of those that were wanted before."""
        theirs = tokens.filter(pl.Series(wanted.hold(tokens["record_id"].to_numpy())))
        values = np.concatenate([_NONE, *(self._near_values(Records.of(theirs, kind)) for kind in self._known)])
        added, rows = np.setdiff1d(values, self._values), self._index.neighbourhoods
        self._values = np.union1d(self._values, added)
        self._near = pl.concat([self._near, rows.filter(pl.Series(Marked.of(added).may_hold(rows["token"].to_numpy())))])
        found = find_neighbours(self._near, self._values)
        left, right = (np.concatenate(sides) for sides in ((self._around.left, found.left), (self._around.right, found.right)))
        self._neighbours = Neighbours.of(left, right)

    def matcher(self, kind: EntityType, tokens: pl.DataFrame, groups: pl.DataFrame, settings: MatchSettings) -> Matcher:
        """Return what matches the changed ones among these records, and decides these groups anew."""
        records, index = Records.of(tokens, kind), self._index
        focus = Focus(self._is_changed.hold(records.record_ids), _group_numbers(records, groups))
        told = index.told._replace(exclusive=index.promised(tokens["record_id"]))
        return Matcher(records, self._neighbours, settings, told=told, focus=focus)

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


def _group_numbers(records: Records, groups: pl.DataFrame) -> Ints:
    """Return a number for the former group of each record; 0 where it was in none of these."""
    numbered = groups.select("record_id", number=pl.col("group_id").rank("dense").cast(pl.Int64))
    rows = pl.DataFrame({"record_id": records.record_ids}).join(numbered, on="record_id", how="left", maintain_order="left")
    return rows["number"].fill_null(0).to_numpy()
