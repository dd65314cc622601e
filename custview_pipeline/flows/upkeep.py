"""Keeps the lake small: compaction of what grew by appends, in one commit, and removal of what only old readers need.

What a stage worked on it notes as versions of tables. Compaction makes a new version with the same rows, so it writes the new
version into the notes of the stages that had worked on the former one: the next refresh is as small as if nothing had been done.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.golden_tables import CUSTOMER_CORE
from custview_pipeline.contracts.match_index import VALUE_PARTS, IndexPart
from custview_pipeline.contracts.matching_tables import MATCH_EDGES, MATCH_GROUPS, REVIEW_TASKS, WITHDRAWN
from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.flows.current import current_records
from custview_pipeline.flows.erasure_index import fuzzy_tokens, tokens_of
from custview_pipeline.kernel.ports import Commit, LakeWriter, Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.kernel.versions import newest
from custview_pipeline.matching.frequencies import COUNTED

KEEP_DAYS: Final = 7
"""How long a replaced file stays for those who opened the lake before it was replaced: the default of Delta Lake's own vacuum."""

_WORTHWHILE: Final = 0.05  # share of rows that count no more, from which on the others are written anew
_NAMED: Final = re.compile(r"(?<!\S)([a-z_]+)=(\d+|None)(?!\S)")  # a table and its version, in a mark of ``mark_of``
_NO_TOKENS: Final = pl.Series("token", [], pl.Int64)
_OF_RECORDS: Final = (IndexPart.TOKENS, IndexPart.CLAIMS)


class _Derived(NamedTuple):
    """A table that says what holds, and whose history is elsewhere, or can be made again."""

    key: tuple[str, ...]
    holds: pl.Expr


_ALWAYS: Final = pl.lit(value=True)
_DERIVED: Final[Mapping[str, _Derived]] = {
    MATCH_EDGES.name: _Derived(("left_id", "right_id"), pl.col("decision") != WITHDRAWN),
    REVIEW_TASKS.name: _Derived(("left_id", "right_id"), pl.col("is_open")),
    MATCH_GROUPS.name: _Derived(("record_id",), _ALWAYS),
    CUSTOMER_CORE.name: _Derived(("cuid",), _ALWAYS),  # of customers that ended too: a whole run would write these again
}


@dataclass(frozen=True, slots=True)
class Compaction:
    """What a compaction did.

    Attributes:
        tables: Tables whose files were merged or written anew.
        outdated_count: Rows of derived tables that held no more and were left out.
        index_segments, key_segments: Segments of the match index, and of the key table, that went into others.
        waiting: By table that was left as it is, the stages that have not worked on its newest rows yet.
    """

    tables: tuple[str, ...]
    outdated_count: int
    index_segments: int
    key_segments: int
    waiting: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Vacuum:
    """What a vacuum removed."""

    file_count: int
    byte_count: int


def compact(lake: LakeWriter, *, run_id: str) -> Compaction:
    """Merge small files of tables, small segments of match index and key table; leave out what holds no more.

    No row is left out that the way of a customer can be told by: records, golden records, crosswalk, lineage, histories and
    the change feed keep every version. Where that saves a twentieth, of match edges and review tasks what holds stays, of groups
    and the core view the newest version, of the match index what is of the records of now.

    Args:
        lake: The lake, held for writing.
        run_id: Names the commit.

    Raises:
        LakeError: A file cannot be read or written; the last good state stays.
    """
    snapshot = lake.snapshot()
    waiting = _waiting(snapshot)
    free = [table for table in CONTRACTS if snapshot.table_version(table) is not None and table not in waiting]
    with silenced("compacting the lake"), lake.commit(run_id) as commit:
        outdated = sum(_compact_table(snapshot, commit, table) for table in free)
        segments = _compact_index(snapshot, commit)
        keys = commit.compact_keys()
        compacted = tuple(table for table in free if commit.table_version(table) != snapshot.table_version(table))
        for stage, mark in snapshot.marks().items():
            commit.consume(stage, _translated(mark, {table: commit.table_version(table) for table in compacted}))
    return Compaction(compacted, outdated, segments, keys, waiting)


def vacuum(lake: LakeWriter, *, keep_days: int = KEEP_DAYS) -> Vacuum:
    """Remove files that only those still read who opened the lake more than some days ago, and what killed runs left.

    Raises:
        LakeError: A file cannot be removed; nothing that counts is touched.
    """
    with silenced("removing former files of the lake"):
        return Vacuum(*lake.vacuum(datetime.now(UTC) - timedelta(days=keep_days)))


def _waiting(snapshot: Snapshot) -> dict[str, tuple[str, ...]]:
    """Return by table the stages that worked on an earlier version of it: compaction would hide from them what came since."""
    behind: dict[str, tuple[str, ...]] = {}
    for stage, mark in sorted(snapshot.marks().items()):
        for table, version in _NAMED.findall(mark):
            if table in CONTRACTS and version != str(snapshot.table_version(table)):
                behind[table] = (*behind.get(table, ()), stage)
    return behind


def _translated(mark: str, versions: Mapping[str, int | None]) -> str:
    """Return a mark that names other versions of some tables, wherever it names them."""
    return _NAMED.sub(lambda found: f"{found[1]}={versions.get(found[1], found[2])}", mark)


def _compact_table(snapshot: Snapshot, commit: Commit, table: str) -> int:
    """Compact one table; return how many rows were left out."""
    derived = _DERIVED.get(table)
    if derived is not None:
        stored = snapshot.read(table)
        holding = newest(stored, derived.key).filter(derived.holds)
        outdated = stored.height - holding.height
        if outdated > _WORTHWHILE * stored.height:
            commit.replace(table, holding)
            return outdated
    commit.compact(table)
    return 0


def _compact_index(snapshot: Snapshot, commit: Commit) -> int:
    """Compact the match index; return how many segments went into others."""
    owners = snapshot.index_owners(IndexPart.TOKENS)
    current = current_records(snapshot).select("record_id", "version")
    outdated = owners.height - owners.join(current, on=["record_id", "version"], how="semi").height
    if outdated > _WORTHWHILE * owners.height:
        return _leave_out(commit, current)
    merged = sum(commit.compact_index(part, lambda rows: rows) for part in _OF_RECORDS)
    return merged + sum(commit.compact_index(part, pl.DataFrame.unique) for part in VALUE_PARTS)


def _leave_out(commit: Commit, current: pl.DataFrame) -> int:
    """Write the match index anew without rows of former versions and of records that are gone, and without values of theirs.

    What is left of values must be of a record: whoever searches the lake for what was erased takes the rest for traces of it.
    """
    sought, counted = [_NO_TOKENS], [_NO_TOKENS]

    def of_now(rows: pl.DataFrame) -> pl.DataFrame:
        return rows.join(current, on=["record_id", "version"], how="semi", maintain_order="left")

    def tokens_of_now(rows: pl.DataFrame) -> pl.DataFrame:
        kept = of_now(rows)
        sought.append(fuzzy_tokens(kept))
        counted.append(tokens_of(kept, COUNTED))
        return kept

    merged = commit.compact_index(IndexPart.TOKENS, tokens_of_now, is_whole=True)
    merged += commit.compact_index(IndexPart.CLAIMS, of_now, is_whole=True)
    is_sought = pl.col("token").is_in(pl.concat(sought).unique().implode())
    for part in VALUE_PARTS:
        merged += commit.compact_index(part, lambda rows: rows.filter(is_sought).unique(), is_whole=True)
    is_counted = ~pl.col("feature").is_in(COUNTED) | pl.col("token").is_in(pl.concat(counted).unique().implode())
    return merged + commit.compact_index(IndexPart.FREQUENCIES, lambda rows: rows.filter(is_counted), is_whole=True)
