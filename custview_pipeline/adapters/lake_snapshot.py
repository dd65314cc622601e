"""One state of the lake, for reading: what its manifest names, whatever is committed meanwhile."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from custview_pipeline.adapters import index_segments, key_segments
from custview_pipeline.adapters.delta_tables import read_appended, read_table
from custview_pipeline.adapters.encrypted_parquet import read_encrypted
from custview_pipeline.adapters.lake_files import INDEX, KEYS, TABLES
from custview_pipeline.contracts.manifest import Manifest
from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.protection.key_table import open_segments, shard_of
from custview_pipeline.protection.keyring import Keyring


class LakeSnapshot:
    """One state of the lake; what is read from it stays as it is, whatever is committed meanwhile."""

    def __init__(self, root: Path, keyring: Keyring, manifest: Manifest) -> None:
        self._root, self._keyring = root, keyring
        self._shard_keys = keyring.shard_keys()  # of the moment: later ones lack what is forgotten after it
        self.manifest = manifest

    def consumed(self, stage: str) -> str | None:
        """Return the mark of what a stage last worked on."""
        return self.manifest.consumed.get(stage)

    def marks(self) -> Mapping[str, str]:
        """Return the mark of what each stage last worked on."""
        return self.manifest.consumed

    def table_version(self, table: str) -> int | None:
        """Return the version of a table; None where nothing was stored."""
        return self.manifest.tables.get(table)

    def erasures(self) -> tuple[str, ...]:
        """Return the ids of the erasures that were carried out here."""
        return self.manifest.erasures

    def read(self, table: str, columns: Sequence[str] | None = None, *, where: pl.Expr | None = None) -> pl.DataFrame:
        """Return all versions of all rows of a table; without rows where nothing was stored yet.

        Args:
            table: Name of the table.
            columns: Names of columns; all by default.
            where: Which rows; all by default. The others are not held in memory.

        Raises:
            LakeDamaged: The table does not hold what the manifest says.
        """
        contract = CONTRACTS[table]
        names = list(columns) if columns is not None else list(contract.types)
        version = self.manifest.tables.get(table)
        if version is None:
            return contract.empty().select(names)
        return read_table(self._root / TABLES / table, version, names, where)

    def appended_since(self, table: str, version: int, columns: Sequence[str] | None = None) -> pl.DataFrame | None:
        """Return the rows that were appended to a table after a version; None where more than appending was done to it since.

        Args:
            table: Name of the table.
            version: A version that a stage has worked on.
            columns: Names of columns; all by default.

        Raises:
            LakeDamaged: The table does not hold what the manifest says.
        """
        contract, current = CONTRACTS[table], self.manifest.tables.get(table)
        names = list(columns) if columns is not None else list(contract.types)
        if current is None or current == version:
            return contract.empty().select(names)
        return read_appended(self._root / TABLES / table, version, current, names)

    def index_generations(self) -> tuple[str | None, str | None]:
        """Return the names of the generation of the match index in use and of the one being built; None where there is none."""
        index, following = self.manifest.index, self.manifest.next_index
        return index.name if index else None, following.name if following else None

    def index_key_versions(self) -> set[int]:
        """Return the versions of the index key that segments were written under."""
        return {index_segments.key_version_of(name) for held in self.manifest.generations() for name in held.names()}

    def read_index(self, part: str, *, generation: str | None = None) -> pl.DataFrame:
        """Return one part of the match index, all segments together; without rows where nothing was stored.

        Args:
            part: An ``IndexPart``.
            generation: Which one; by default the one that matching uses.

        Raises:
            LakeDamaged: A segment is missing or broken.
            WrongKey: A segment was written under another key.
        """
        wanted = self.index_generations()[0] if generation is None else generation
        names = [name for held in self.manifest.generations() if held.name == wanted for name in held.segments.get(part, ())]
        return index_segments.read_segments(self._root / INDEX, part, names, self._keyring)

    def index_segments(self, part: str) -> Iterator[pl.DataFrame]:
        """Yield one part of the generation of the match index in use, segment by segment, the newest first.

        Raises:
            LakeDamaged: A segment is missing or broken.
            WrongKey: A segment was written under another key.
        """
        held = self.manifest.index
        for name in reversed(held.segments.get(part, ()) if held else ()):
            yield index_segments.read_segments(self._root / INDEX, part, [name], self._keyring)

    def index_owners(self, part: str) -> pl.DataFrame:
        """Return record_id, version of each row of a part of the match index that is of records, in the generation in use.

        Raises:
            LakeDamaged, WrongKey: A segment cannot be read.
        """
        columns = ["record_id", "version"]
        names = self.manifest.index.segments.get(part, ()) if self.manifest.index else ()
        owners = [read_encrypted(self._root / INDEX / name, self._keyring, columns) for name in names]
        return pl.concat([pl.DataFrame(schema={"record_id": pl.Int64, "version": pl.Int32}), *owners])

    def materials(self, record_ids: pl.Series, versions: pl.Series) -> pl.Series:
        """Return the key material of each record version: Binary, null where it was shredded or never stored.

        Raises:
            KeyUnavailable: Keys were renewed after this process read them.
            LakeDamaged: A segment is missing.
            UnsealFailed: A segment was altered.
        """
        segments = key_segments.read_segments(self._root / KEYS, self.manifest.key_segments)
        shards = set(shard_of(record_ids).unique())
        table = open_segments(segments, self._shard_keys, floors=self.shard_floors(), shards=shards)
        return table.materials(record_ids, versions)

    def key_mark(self) -> str:
        """Return what changes where key material of records may have been forgotten, here or in the keys of this moment."""
        newest = [max(generations) for generations in self._shard_keys.generations]
        stated = f"{newest} {sorted(self.shard_floors().items())}"
        return hashlib.sha256(stated.encode()).hexdigest()[:16]

    def shard_floors(self) -> Mapping[int, int]:
        """Return the oldest generation of a shard's key that counts, by shard; every one where a shard is not named."""
        return self.manifest.shard_floors
