"""The rows that linking stores: edges, groups, review tasks, crosswalk and history, as they change and no more of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.matching_tables import (
    CROSSWALK,
    CUID_HISTORY,
    MATCH_EDGES,
    MATCH_GROUPS,
    MATCH_RUNS,
    REVIEW_TASKS,
    WITHDRAWN,
)
from custview_pipeline.flows.current import current_edges, current_groups, current_records, newest_edges, newest_tasks
from custview_pipeline.flows.link_change import Linking, Since, records_named
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.versions import newest, next_versions
from custview_pipeline.matching.crosswalk import CrosswalkChange, Known, Mint, assign_cuids
from custview_pipeline.matching.found import MatchedType
from custview_pipeline.stewardship.tasks import find_tasks

_HALF_BIT: Final = 2.0  # weights are stored rounded to half a bit: finer steps could tell tokens' frequencies
_PAIR: Final = ["left_id", "right_id"]
_DECISIONS: Final = {"match_count": "MATCH", "possible_match_count": "POSSIBLE_MATCH"}
_KEYS: Final = {MATCH_EDGES.name: _PAIR, REVIEW_TASKS.name: _PAIR, MATCH_GROUPS.name: ["record_id"]}
_LARGEST_APPEND: Final = 0.5  # share of a table's rows from which on it is written anew, without former versions


@dataclass(frozen=True, slots=True)
class Found:
    """What matching found.

    Attributes:
        parts: By entity type.
        since: What changed, where only that was matched; None where all records were.
        run_id: The run.
        now: When the result begins to hold, UTC.
    """

    parts: tuple[MatchedType, ...]
    since: Since | None
    run_id: str
    now: datetime

    @property
    def clusters(self) -> pl.DataFrame:
        """Return record_id, cluster of the records that were decided."""
        return pl.concat([part.clusters for part in self.parts])


Append = tuple[pl.DataFrame, bool]
"""Rows of a table, and whether they are all that it is to hold or come in addition."""


class Rows(NamedTuple):
    """What is to be stored.

    Attributes:
        tables: By table its rows.
        run: The row of match_runs: what there is since.
    """

    tables: dict[str, Append]
    run: dict[str, Any]


def rows_of(linking: Linking, found: Found, mint: Mint) -> Rows:
    """Return the rows to store.

    Args:
        linking: What linking worked with.
        found: What it found.
        mint: Mints customer ids.
    """
    return _RowsOf(linking, found).all(mint)


class _RowsOf:
    """Makes the rows that one run of linking stores."""

    def __init__(self, linking: Linking, found: Found) -> None:
        self._snapshot, self._linking, self._found, self._since = linking.snapshot, linking, found, found.since
        decided = found.clusters["record_id"]
        self._touched = decided if found.since is None else pl.concat([decided, found.since.gone])
        self._edges = pl.concat(_stored_edges(part) for part in found.parts)

    def all(self, mint: Mint) -> Rows:
        """Return the rows of every table."""
        change, judged = self._crosswalk(mint), self._judged_before()
        held, tasks = self._tasks(judged, change.current)
        closed = {"is_open": pl.lit(value=False), "run_id": pl.lit(self._found.run_id)}
        run = {
            "run_id": self._found.run_id,
            "scope": "whole" if self._since is None else "change",
            **self._counts(change, judged, (held, tasks)),
            "touched_count": self._found.clusters.height,
            "moved_count": change.crosswalk.height,
            "happened_at": self._found.now,
        }
        tables = {
            MATCH_EDGES.name: self._versioned(MATCH_EDGES.name, judged, self._edges, {"decision": pl.lit(WITHDRAWN)}),
            MATCH_GROUPS.name: self._groups(),
            REVIEW_TASKS.name: self._versioned(REVIEW_TASKS.name, held, tasks, closed),
            CROSSWALK.name: (change.crosswalk, False),
            CUID_HISTORY.name: (change.history, False),
            MATCH_RUNS.name: (pl.DataFrame([run], schema=MATCH_RUNS.types), False),
        }
        return Rows(tables, run)

    def _counts(self, change: CrosswalkChange, judged: pl.DataFrame, tasks: tuple[pl.DataFrame, pl.DataFrame]) -> dict[str, Any]:
        """Return how many records, customers, edges and tasks there are since; after a change by what there were before."""
        last = last_run(self._snapshot)
        before = last or dict.fromkeys(MATCH_RUNS.types, 0)
        sizes, happened = change.current.group_by("cuid").len()["len"], change.history["event"]
        ended, begun = (int(happened.is_in(events).sum()) for events in (["merged_into", "retired"], ["created", "reactivated"]))
        held, wanted = tasks
        counted = {
            "record_count": change.current.height,
            "customer_count": len(sizes),
            "largest_customer": max(sizes, default=0),
            **{name: int((self._edges["decision"] == decision).sum()) for name, decision in _DECISIONS.items()},
            "review_count": wanted.height,
        }
        if self._since is not None:
            edges_before = {name: int((judged["decision"] == decision).sum()) for name, decision in _DECISIONS.items()}
            counted = {
                "record_count": sum(self._since.record_count.values()),
                "customer_count": before["customer_count"] + begun - ended,
                "largest_customer": max(before["largest_customer"], counted["largest_customer"]),
                **{name: before[name] - edges_before[name] + counted[name] for name in _DECISIONS},
                "review_count": before["review_count"] - int(held["is_open"].sum()) + wanted.height,
            }
        return counted | {"continuity": _continuity(change.history, before["customer_count"])}

    def _crosswalk(self, mint: Mint) -> CrosswalkChange:
        """Give the decided clusters their customer ids."""
        snapshot, found, touched = self._snapshot, self._found, self._touched.implode()
        given = snapshot.read(CUID_HISTORY.name, ["cuid"])["cuid"]
        if self._since is None:
            records = current_records(snapshot)
            known = Known(snapshot.read(CROSSWALK.name), snapshot.read(CUID_HISTORY.name), given)
        else:
            records = records_named(snapshot, found.clusters["record_id"])
            crosswalk = snapshot.read(CROSSWALK.name, where=pl.col("record_id").is_in(touched))
            theirs = pl.col("cuid").is_in(crosswalk["cuid"].drop_nulls().unique().implode())
            history = snapshot.read(CUID_HISTORY.name, where=theirs | pl.col("founding_record_id").is_in(touched))
            known = Known(crosswalk, history, given)
        return assign_cuids(found.clusters, records, known, mint, run_id=found.run_id, now=found.now)

    def _judged_before(self) -> pl.DataFrame:
        """Return the stored edges that were judged anew: those of changed records, and those within groups decided anew."""
        if self._since is None:
            return newest_edges(self._snapshot)
        clusters, changed = self._found.clusters["record_id"].implode(), self._since.all.implode()
        left, right = (pl.col(name) for name in _PAIR)
        is_changed = left.is_in(changed) | right.is_in(changed)
        held = newest_edges(self._snapshot, where=is_changed | (left.is_in(clusters) & right.is_in(clusters)))
        ends = pl.concat([held[name].alias("record_id") for name in _PAIR]).unique()
        groups = self._since.groups_as_stored(ends).select("record_id", "group_id")
        for name in _PAIR:
            of_end = groups.rename({"record_id": name, "group_id": f"{name}_group"})
            held = held.join(of_end, on=name, how="left", maintain_order="left")
        is_within = pl.col("left_id_group") == pl.col("right_id_group")
        return held.filter(is_changed | is_within).drop("left_id_group", "right_id_group")

    def _groups(self) -> Append:
        """Return the groups that changed; a record that is linked to none any more is a group of its own."""
        held = current_groups(self._snapshot) if self._since is None else self._since.groups_as_stored(self._touched)
        wanted = pl.concat(part.groups for part in self._found.parts)
        return self._versioned(MATCH_GROUPS.name, held, wanted, {"group_id": pl.col("record_id")})

    def _tasks(self, judged: pl.DataFrame, owners: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the stored review tasks that were looked at again, and those that are to be open of them."""
        edges, found = self._edges, self._found
        if self._since is None:
            held = newest_tasks(self._snapshot)
        else:
            touched = self._touched.implode()
            is_theirs = pl.col("left_id").is_in(touched) | pl.col("right_id").is_in(touched)
            held = newest_tasks(self._snapshot, where=is_theirs)
            standing = current_edges(self._snapshot, where=is_theirs).drop("version").join(judged, on=_PAIR, how="anti")
            edges = pl.concat([edges, standing])
            owners = pl.concat([owners, self._owners_beyond(edges)])
        suspicious = pl.concat(part.suspicious for part in found.parts)
        weight = self._linking.rulebook.matching.match_weight
        return held, find_tasks(edges, suspicious, owners, match_weight=weight, run_id=found.run_id)

    def _owners_beyond(self, edges: pl.DataFrame) -> pl.DataFrame:
        """Return record_id, cuid of the records at the far end of edges, which the change did not touch."""
        ends = pl.concat([edges[name].alias("record_id") for name in _PAIR]).unique()
        beyond = ends.filter(~ends.is_in(self._touched.implode()))
        stored = self._snapshot.read(
            CROSSWALK.name, ["record_id", "version", "cuid"], where=pl.col("record_id").is_in(beyond.implode())
        )
        return newest(stored, ["record_id"]).drop_nulls("cuid").select("record_id", "cuid")

    def _versioned(self, table: str, held: pl.DataFrame, wanted: pl.DataFrame, ended: dict[str, pl.Expr]) -> Append:
        """Return rows to append to a table, or, where all was matched and most of it changed, all that it is to hold."""
        rows = next_versions(held, wanted, _KEYS[table], ended, made_by="run_id")
        is_new = self._snapshot.table_version(table) is None
        if self._since is None and (is_new or rows.height > _LARGEST_APPEND * wanted.height):
            return wanted.with_columns(version=pl.lit(1, pl.Int32)).select(held.columns), True
        return rows, False


def last_run(snapshot: Snapshot) -> dict[str, Any] | None:
    """Return the row of match_runs of the last run; None before the first."""
    rows = snapshot.read(MATCH_RUNS.name)
    return rows.sort("happened_at").row(-1, named=True) if rows.height else None


def _continuity(history: pl.DataFrame, customers: int) -> float | None:
    """Return the share of the customers there were that no merge, split or end of this run concerned."""
    if not customers:
        return None
    ended = history.filter(pl.col("event").is_in(["merged_into", "retired"]))["cuid"]
    fallen = history.filter(pl.col("event").is_in(["split_from", "reactivated"]))["other_cuid"]
    return max(0.0, 1 - pl.concat([ended, fallen]).n_unique() / customers)


def _stored_edges(part: MatchedType) -> pl.DataFrame:
    """Return the edges of one entity type as rows of match_edges, without their version."""
    return (
        part.edges.with_columns(
            weight=(pl.col("weight") * _HALF_BIT).round() / _HALF_BIT,
            model_version=pl.lit(part.model.version if part.model else ""),
        )
        .with_columns(probability=1 / (1 + 2.0 ** (-pl.col("weight"))))
        .select(name for name in MATCH_EDGES.types.names() if name != "version")
    )
