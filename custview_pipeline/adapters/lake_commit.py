"""One change of the lake, collected step by step; what it makes counts when the manifest that it ends in is in place."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

import polars as pl

from custview_pipeline.adapters import index_segments, key_segments
from custview_pipeline.adapters.delta_tables import remove_rows, write_table
from custview_pipeline.adapters.lake_files import INDEX, KEYS, TABLES, write_whole
from custview_pipeline.contracts.manifest import IndexGeneration, Manifest
from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.kernel.errors import LakeDamaged
from custview_pipeline.protection.key_table import KeyTable, open_segments, seal_segment, shard_of
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import SHARD_COUNT, Purpose


class Commit:
    """One change of the lake; it counts when its ``with`` ends well, and not at all otherwise."""

    def __init__(self, root: Path, keyring: Keyring, manifest: Manifest, run_id: str) -> None:
        self._root, self._keyring, self._run_id = root, keyring, run_id
        self._former = manifest
        self._sequence = manifest.sequence + 1
        self._tables = dict(manifest.tables)
        self._index, self._next_index = manifest.index, manifest.next_index
        self._keys = list(manifest.key_segments)
        self._floors = dict(manifest.shard_floors)
        self._unpurged = set(manifest.unpurged)
        self._erasures = list(manifest.erasures)
        self._consumed = dict(manifest.consumed)

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
            kept = self._table(shards).frame().join(entries, on=["record_id", "version"], how="anti")
            self._renew(shards, kept)

    def reseal_keys(self) -> None:
        """Write the whole key table anew, as one segment under new keys of all shards.

        Raises:
            KeyUnavailable, LakeDamaged, LakeError: See ``forget_keys``.
        """
        shards = set(range(SHARD_COUNT))
        table = self._table(shards)
        self._keys = []
        self._renew(shards, table)

    def _table(self, shards: set[int]) -> KeyTable:
        segments = key_segments.read_segments(self._root / KEYS, self._keys)
        return open_segments(segments, self._keyring.shard_keys(), floors=self._floors, shards=shards)

    def _renew(self, shards: set[int], entries: pl.DataFrame | KeyTable) -> None:
        """Store what shards hold under new keys of theirs; nothing of these shards counts that is under a former one."""
        self._keyring.renew_shards(shards)
        self._add(entries)
        newest = self._keyring.shard_keys().newest
        self._floors |= {shard: newest(shard)[0] for shard in sorted(shards)}

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
        if self._index is None:
            self._index = IndexGeneration(name=generation)
        if all(held is None or held.name != generation for held in (self._index, self._next_index)):
            raise LakeDamaged("rows of a generation of the match index that the lake does not have")
        if frame.is_empty():
            return
        name = index_segments.write_segment(self._root / INDEX, part, frame, self._keyring, sequence=self._sequence)
        self._index, self._next_index = (
            held if held is None or held.name != generation else _with(held, part, (*held.segments.get(part, ()), name))
            for held in (self._index, self._next_index)
        )

    def begin_index(self, generation: str) -> None:
        """Begin a generation of the match index beside the one in use; one that was not finished is dropped."""
        self._next_index = IndexGeneration(name=generation)

    def drop_next_index(self) -> None:
        """Give up the generation that is being built."""
        self._next_index = None

    def switch_index(self) -> None:
        """Use the generation that was built from now on, and drop the former one.

        Raises:
            LakeDamaged: None was begun.
        """
        if self._next_index is None:
            raise LakeDamaged("there is no other generation of the match index to switch to")
        self._index, self._next_index = self._next_index, None

    def rewrite_index(self, part: str, keep: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        """Pass each segment of one part, in all generations, through ``keep``; one that loses rows is written anew.

        Raises:
            LakeDamaged, WrongKey, LakeError: A segment cannot be read, or not be written.
        """

        def rewritten(name: str) -> tuple[str, ...]:
            stored = index_segments.read_segments(self._root / INDEX, part, [name], self._keyring)
            kept = keep(stored)
            return (name,) if kept.height == stored.height else self._written(part, kept)

        self._index, self._next_index = (_mapped(held, part, rewritten) for held in (self._index, self._next_index))

    def reencrypt_index(self, limit: int) -> int:
        """Write segments that are under a former version of the index key anew; return how many are left.

        Args:
            limit: How many at most.

        Raises:
            LakeDamaged, WrongKey, LakeError: A segment cannot be read, or not be written.
        """
        current, _ = self._keyring.current(Purpose.INDEX)
        left = limit

        def reencrypted(part: str, name: str) -> tuple[str, ...]:
            nonlocal left
            if index_segments.key_version_of(name) == current or left <= 0:
                return (name,)
            left -= 1
            return self._written(part, index_segments.read_segments(self._root / INDEX, part, [name], self._keyring))

        for part in sorted({part for held in self._generations() for part in held.segments}):
            reencrypt = partial(reencrypted, part)
            self._index, self._next_index = (_mapped(held, part, reencrypt) for held in (self._index, self._next_index))
        names = (name for held in self._generations() for name in held.names())
        return sum(index_segments.key_version_of(name) != current for name in names)

    def _generations(self) -> tuple[IndexGeneration, ...]:
        return tuple(held for held in (self._index, self._next_index) if held is not None)

    def _written(self, part: str, frame: pl.DataFrame) -> tuple[str, ...]:
        if frame.is_empty():
            return ()
        return (index_segments.write_segment(self._root / INDEX, part, frame, self._keyring, sequence=self._sequence),)

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

    def purge(self, *tables: str) -> None:
        """Remove the former versions of tables from disk, and from their logs, as soon as the commit counts."""
        self._unpurged |= {table for table in tables if table in self._tables}

    def consume(self, stage: str, mark: str) -> None:
        """Note what a stage has worked on."""
        self._consumed[stage] = mark

    def carry_out(self, erasure_id: str) -> None:
        """Note that an entry of the ledger of erasures was carried out."""
        self._erasures.append(erasure_id)

    def manifest(self) -> Manifest:
        """Return the state that this commit makes."""
        return self._former.model_copy(
            update={
                "sequence": self._sequence,
                "tables": self._tables,
                "index": self._index,
                "next_index": self._next_index,
                "key_segments": tuple(self._keys),
                "shard_floors": self._floors,
                "unpurged": tuple(sorted(self._unpurged)),
                "erasures": tuple(dict.fromkeys(self._erasures)),
                "consumed": self._consumed,
                "run_id": self._run_id,
                "committed_at": datetime.now(UTC),
            }
        )

    def _write(self, table: str, frame: pl.DataFrame, *, mode: Literal["append", "overwrite"]) -> None:
        CONTRACTS[table].assert_holds(frame)
        self._tables[table] = write_table(self._root / TABLES / table, frame, mode=mode, known=self._tables.get(table))


def _with(generation: IndexGeneration, part: str, names: tuple[str, ...]) -> IndexGeneration:
    return generation.model_copy(update={"segments": {**generation.segments, part: names}})


def _mapped(generation: IndexGeneration | None, part: str, change: Callable[[str], tuple[str, ...]]) -> IndexGeneration | None:
    """Return a generation with each segment of a part replaced by what ``change`` makes of it."""
    if generation is None or part not in generation.segments:
        return generation
    return _with(generation, part, tuple(made for name in generation.segments[part] for made in change(name)))
