"""One change of the lake, collected step by step; what it makes counts when the manifest that it ends in is in place."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import polars as pl

from custview_pipeline.adapters import key_segments
from custview_pipeline.adapters.delta_tables import remove_rows, write_table
from custview_pipeline.adapters.delta_upkeep import compact_table
from custview_pipeline.adapters.index_changes import IndexChanges
from custview_pipeline.adapters.lake_files import KEYS, TABLES, write_whole
from custview_pipeline.adapters.merging import tail
from custview_pipeline.contracts.manifest import Manifest, RetiredSegment
from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.protection.key_table import KeyTable, open_segments, seal_segment, shard_of
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import SHARD_COUNT


class Commit:
    """One change of the lake; it counts when its ``with`` ends well, and not at all otherwise.

    Attributes:
        is_abandoned: Whether it is not to count even then.
    """

    def __init__(self, root: Path, keyring: Keyring, manifest: Manifest, run_id: str) -> None:
        self._root, self._keyring, self._run_id = root, keyring, run_id
        self._former = manifest
        self._sequence = manifest.sequence + 1
        self._tables = dict(manifest.tables)
        self._index = IndexChanges(root, keyring, manifest, self._sequence)
        self._keys = list(manifest.key_segments)
        self._replaced_keys: list[str] = []
        self._has_forgotten_keys = False
        self._floors = dict(manifest.shard_floors)
        self._unpurged = set(manifest.unpurged)
        self._erasures = list(manifest.erasures)
        self._consumed = dict(manifest.consumed)
        self.is_abandoned = False

    def add_keys(self, entries: pl.DataFrame) -> None:
        """Store key material (record_id, version, material), safely on disk before anything that it opens.

        Raises:
            LakeError: It cannot be written.
        """
        self._add(entries)

    def _add(self, entries: pl.DataFrame | KeyTable) -> None:
        name = key_segments.new_segment_name(self._sequence)
        write_whole(self._root / KEYS / name, seal_segment(entries, self._keyring.shard_keys(), name))
        self._keys.append(name)

    def forget_keys(self, entries: pl.DataFrame) -> None:
        """Leave key material (record_id, version) out of the key table; what it opens is shredded in every copy of the lake.

        The shards that hold it are written anew under new keys. The former keys are destroyed as soon as the commit counts.

        Raises:
            KeyUnavailable: The new keys cannot be stored.
            LakeDamaged: A segment cannot be read.
            LakeError: The new one cannot be written.
        """
        shards = set(shard_of(entries["record_id"]).unique())
        if shards:
            kept = self._table(shards, self._keys).frame().join(entries, on=["record_id", "version"], how="anti")
            self._renew(shards, kept)

    def reseal_keys(self) -> None:
        """Write the whole key table anew, as one segment under new keys of all shards.

        Raises:
            KeyUnavailable, LakeDamaged, LakeError: See ``forget_keys``.
        """
        shards = set(range(SHARD_COUNT))
        table = self._table(shards, self._keys)
        self._keys = []
        self._renew(shards, table)

    def _table(self, shards: set[int], names: Sequence[str]) -> KeyTable:
        segments = key_segments.read_segments(self._root / KEYS, names)
        return open_segments(segments, self._keyring.shard_keys(), floors=self._floors, shards=shards)

    def _renew(self, shards: set[int], entries: pl.DataFrame | KeyTable) -> None:
        """Store what shards hold under new keys of theirs; nothing of these shards counts that is under a former one."""
        self._has_forgotten_keys = True
        self._keyring.renew_shards(shards)
        self._add(entries)
        newest = self._keyring.shard_keys().newest
        self._floors |= {shard: newest(shard)[0] for shard in sorted(shards)}

    def compact_keys(self) -> int:
        """Merge small segments of the key table, under the keys of its shards as they are; return how many were merged.

        Raises:
            LakeDamaged: A segment cannot be read.
            LakeError: The new one cannot be written.
        """
        kept = tail([(self._root / KEYS / name).stat().st_size for name in self._keys])
        merged = self._keys[kept:]
        if merged:
            table = self._table(set(range(SHARD_COUNT)), merged)
            self._keys = self._keys[:kept]
            self._add(table)
            self._replaced_keys.extend(merged)
        return len(merged)

    def add_index(self, part: str, frame: pl.DataFrame, *, generation: str) -> None:
        """Store rows of one part of the match index.

        Args:
            part: An ``IndexPart``.
            frame: The rows.
            generation: What the tokens have in common; the first one ever is the one in use from then on.

        Raises:
            ContractViolation: The columns are not those of this part.
            LakeDamaged: The lake has no such generation.
            LakeError: It cannot be written.
        """
        self._index.add(part, frame, generation)

    def begin_index(self, generation: str) -> None:
        """Begin a generation of the match index beside the one in use; one that was not finished is dropped."""
        self._index.begin(generation)

    def drop_next_index(self) -> None:
        """Give up the generation that is being built."""
        self._index.drop_following()

    def switch_index(self) -> None:
        """Use the generation that was built from now on, and drop the former one.

        Raises:
            LakeDamaged: None was begun.
        """
        self._index.switch()

    def rewrite_index(self, part: str, keep: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        """Pass each segment of one part, in all generations, through ``keep``; one that loses rows is written anew.

        Raises:
            LakeDamaged, WrongKey, LakeError: A segment cannot be read, or not be written.
        """
        self._index.rewrite(part, keep)

    def reencrypt_index(self, limit: int) -> int:
        """Write segments that are under a former version of the index key anew; return how many are left.

        Args:
            limit: How many at most.

        Raises:
            LakeDamaged, WrongKey, LakeError: A segment cannot be read, or not be written.
        """
        return self._index.reencrypt(limit)

    def compact_index(self, part: str, change: Callable[[pl.DataFrame], pl.DataFrame], *, is_whole: bool = False) -> int:
        """Merge segments of one part of the generation in use; return how many went into others.

        Args:
            part: An ``IndexPart``.
            change: Makes of rows of several segments, oldest first, those that are stored in their place.
            is_whole: Whether every segment is written anew, or only small ones where there are several.

        Raises:
            LakeDamaged, WrongKey, LakeError: A segment cannot be read, or not be written.
        """
        return self._index.compact(part, change, is_whole=is_whole)

    def append(self, table: str, frame: pl.DataFrame) -> None:
        """Add rows to a table.

        Raises:
            ContractViolation: The rows break the contract of the table.
            LakeDamaged: It cannot be written.
        """
        if not frame.is_empty() or table not in self._tables:
            self._write(table, frame, mode="append")

    def replace(self, table: str, frame: pl.DataFrame) -> None:
        """Replace all rows of a table.

        Raises:
            ContractViolation: The rows break the contract of the table.
            LakeDamaged: It cannot be written.
        """
        self._write(table, frame, mode="overwrite")

    def remove(self, table: str, column: str, values: pl.Series) -> None:
        """Remove the rows of a table whose column has one of some values; only files with such rows are written anew.

        Raises:
            LakeDamaged: It cannot be written.
        """
        known = self._tables.get(table)
        if known is not None and len(values):
            self._tables[table] = remove_rows(self._root / TABLES / table, column, values, known=known)

    def compact(self, table: str) -> None:
        """Merge the small files of a table; its rows stay what they are.

        Raises:
            LakeDamaged: It cannot be written.
        """
        known = self._tables.get(table)
        if known is not None:
            self._tables[table] = compact_table(self._root / TABLES / table, known)

    def table_version(self, table: str) -> int | None:
        """Return the version that a table has by now; None where nothing was stored."""
        return self._tables.get(table)

    def purge(self, *tables: str) -> None:
        """Remove the former versions of tables from disk, and from their logs, as soon as the commit counts."""
        self._unpurged |= {table for table in tables if table in self._tables}

    def consume(self, stage: str, mark: str) -> None:
        """Note what a stage has worked on."""
        self._consumed[stage] = mark

    def carry_out(self, erasure_id: str) -> None:
        """Note that an entry of the ledger of erasures was carried out."""
        self._erasures.append(erasure_id)

    def abandon(self) -> None:
        """Let nothing of this count; what was written is swept."""
        self.is_abandoned = True

    def manifest(self) -> Manifest:
        """Return the state that this commit makes."""
        now = datetime.now(UTC)
        return self._former.model_copy(
            update={
                "sequence": self._sequence,
                "tables": self._tables,
                "index": self._index.in_use,
                "next_index": self._index.following,
                "key_segments": tuple(self._keys),
                "shard_floors": self._floors,
                "retired": (*self._still_retired(), *self._retired_now(now)),
                "unpurged": tuple(sorted(self._unpurged)),
                "erasures": tuple(dict.fromkeys(self._erasures)),
                "consumed": self._consumed,
                "run_id": self._run_id,
                "committed_at": now,
            }
        )

    def _still_retired(self) -> Iterator[RetiredSegment]:
        """Yield the segments that stay for readers; where something is forgotten, none may keep it."""
        for segment in self._former.retired:
            if not (self._index.has_forgotten if segment.is_of_index else self._has_forgotten_keys):
                yield segment

    def _retired_now(self, now: datetime) -> Iterator[RetiredSegment]:
        for name in self._index.replaced:
            yield RetiredSegment(name=name, is_of_index=True, retired_at=now)
        for name in self._replaced_keys:
            yield RetiredSegment(name=name, is_of_index=False, retired_at=now)

    def _write(self, table: str, frame: pl.DataFrame, *, mode: Literal["append", "overwrite"]) -> None:
        CONTRACTS[table].assert_holds(frame)
        self._tables[table] = write_table(self._root / TABLES / table, frame, mode=mode, known=self._tables.get(table))
