"""The lake: Delta tables, encrypted index segments and the key table under one manifest, written by one process at a time.

Order of a commit: key segments, then index segments and tables, and last the manifest, replaced atomically. Readers start from
the manifest, so what a killed commit left behind is invisible; the next writer sweeps it. A lake has a manifest before it has
anything else: one without is damaged and not new, for sweeping it would destroy the key table.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import polars as pl
from deltalake import DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError
from filelock import FileLock, Timeout
from pydantic import ValidationError

from custview_pipeline.adapters.encrypted_parquet import read_encrypted, write_encrypted
from custview_pipeline.adapters.private_files import replace_durably
from custview_pipeline.contracts.manifest import FORMAT_VERSION, Manifest
from custview_pipeline.contracts.match_index import INDEX_SCHEMAS, IndexPart
from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.kernel.errors import ContractViolation, LakeBusy, LakeDamaged, LakeError, WrongKey
from custview_pipeline.protection.key_table import open_segments, seal_segment
from custview_pipeline.protection.keyring import Keyring

MANIFEST_FILE: Final = "manifest.json"
_TABLES, _INDEX, _KEYS = "tables", "index", "keys"  # folders
_WRITER: Final = WriterProperties(compression="ZSTD")


class LakeSnapshot:
    """One state of the lake; what is read from it stays as it is, whatever is committed meanwhile."""

    def __init__(self, root: Path, keyring: Keyring, manifest: Manifest) -> None:
        self._root, self._keyring = root, keyring
        self.manifest = manifest

    def consumed(self, stage: str) -> str | None:
        """Return the mark of what a stage last worked on."""
        return self.manifest.consumed.get(stage)

    def table_version(self, table: str) -> int | None:
        """Return the version of a table; None where nothing was stored."""
        return self.manifest.tables.get(table)

    def read(self, table: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Return all versions of all rows of a table; without rows where nothing was stored yet.

        Raises:
            LakeDamaged: The table does not hold what the manifest says.
        """
        contract = CONTRACTS[table]
        names = list(columns) if columns is not None else list(contract.types)
        version = self.manifest.tables.get(table)
        if version is None:
            return contract.empty().select(names)
        try:
            return pl.read_delta(str(self._root / _TABLES / table), version=version, columns=names)
        # Polars panics at a Parquet file that was cut off; a panic is no Exception.
        except (DeltaError, pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
            raise LakeDamaged(f"table {table} cannot be read at version {version}, which the manifest names") from None

    def read_index(self, part: str) -> pl.DataFrame:
        """Return one part of the match index, all segments together.

        Raises:
            LakeDamaged: A segment is missing or broken.
            WrongKey: A segment was written under another key.
        """
        names = self.manifest.index_segments.get(part, ())
        frames = [read_encrypted(self._root / _INDEX / name, self._keyring) for name in names]
        return pl.concat([pl.DataFrame(schema=INDEX_SCHEMAS[IndexPart(part)]), *frames])

    def read_keys(self) -> dict[str, bytes]:
        """Return the sealed segments of the key table by their ids, oldest first.

        Raises:
            LakeDamaged: A segment is missing.
        """
        return _segments(self._root, self.manifest.key_segments)


class Commit:
    """One change of the lake; it counts when its ``with`` ends well, and not at all otherwise."""

    def __init__(self, root: Path, keyring: Keyring, manifest: Manifest, run_id: str) -> None:
        self._root, self._keyring, self._run_id = root, keyring, run_id
        self._sequence = manifest.sequence + 1
        self._tables = dict(manifest.tables)
        self._index = dict(manifest.index_segments)
        self._keys = list(manifest.key_segments)
        self._consumed = dict(manifest.consumed)
        self.has_forgotten = False

    def add_keys(self, entries: pl.DataFrame) -> None:
        """Store key material (record_id, version, material), safely on disk before anything that it opens.

        Raises:
            LakeError: It cannot be written.
        """
        name = f"{self._sequence:08d}-{secrets.token_hex(4)}"
        _write_durably(self._root / _KEYS / name, seal_segment(entries, self._keyring.shard_keys(), name))
        self._keys.append(name)

    def forget_keys(self, entries: pl.DataFrame) -> None:
        """Leave key material (record_id, version) out of the key table, which is written anew; what it opens is then shredded.

        The former segments are removed as soon as the commit counts. A copy of the lake made before still has them.

        Raises:
            LakeDamaged: A segment cannot be read.
            LakeError: The new one cannot be written.
        """
        table = open_segments(_segments(self._root, self._keys), self._keyring.shard_keys())
        self._keys = []
        self.add_keys(table.frame().join(entries, on=["record_id", "version"], how="anti"))
        self.has_forgotten = True

    def add_index(self, part: str, frame: pl.DataFrame) -> None:
        """Store an encrypted segment of the match index.

        Raises:
            ContractViolation: The columns are not those of this part.
            LakeError: It cannot be written.
        """
        if frame.schema != INDEX_SCHEMAS[IndexPart(part)]:
            raise ContractViolation(f"the part {part} of the match index does not have its columns")
        if frame.is_empty():
            return
        name = f"{part}-{self._sequence:08d}-{secrets.token_hex(4)}.parquet"
        folder = self._root / _INDEX
        folder.mkdir(parents=True, exist_ok=True)
        write_encrypted(frame, folder / name, self._keyring)
        self._index[part] = (*self._index.get(part, ()), name)

    def append(self, table: str, frame: pl.DataFrame) -> None:
        """Add rows to a table.

        Raises:
            ContractViolation: The rows break the contract of the table.
        """
        if not frame.is_empty() or table not in self._tables:
            self._write(table, frame, mode="append")

    def replace(self, table: str, frame: pl.DataFrame) -> None:
        """Replace all rows of a table.

        Raises:
            ContractViolation: The rows break the contract of the table.
        """
        self._write(table, frame, mode="overwrite")

    def consume(self, stage: str, mark: str) -> None:
        """Note what a stage has worked on."""
        self._consumed[stage] = mark

    def manifest(self, key_check: str) -> Manifest:
        """Return the state that this commit makes."""
        return Manifest(
            sequence=self._sequence,
            key_check=key_check,
            tables=self._tables,
            index_segments=self._index,
            key_segments=tuple(self._keys),
            consumed=self._consumed,
            run_id=self._run_id,
            committed_at=datetime.now(UTC),
        )

    def _write(self, table: str, frame: pl.DataFrame, *, mode: str) -> None:
        contract = CONTRACTS[table]
        contract.assert_holds(frame)
        path = self._root / _TABLES / table
        try:
            known = self._tables.get(table)
            if DeltaTable.is_deltatable(str(path)):
                _roll_back(DeltaTable(str(path)), known)
            write_deltalake(str(path), frame, mode="append" if mode == "append" else "overwrite", writer_properties=_WRITER)
            self._tables[table] = DeltaTable(str(path)).version()
        except (DeltaError, OSError) as error:
            raise LakeDamaged(f"table {table} cannot be written: {type(error).__name__}") from None


class DeltaLake:
    """A lake in a folder.

    Raises:
        WrongKey: The lake was made under another key.
        LakeDamaged: Its manifest is missing or cannot be read.
    """

    def __init__(self, root: Path, keyring: Keyring) -> None:
        self.root, self._keyring = root, keyring
        self._read_manifest()

    def snapshot(self) -> LakeSnapshot:
        """Return the lake as of now."""
        return LakeSnapshot(self.root, self._keyring, self._read_manifest())

    @contextmanager
    def writer(self, *, wait_seconds: float = 600.0) -> Iterator["LakeWriter"]:
        """Hold the lake for writing; others wait, readers do not.

        Raises:
            LakeBusy: Another writer kept the lake for longer than ``wait_seconds``.
            LakeError: The lake cannot be written.
        """
        lock = FileLock(str(self.root / "writer.lock"))
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=wait_seconds)
        except Timeout:
            raise LakeBusy(
                f"another run has been writing the lake for over {wait_seconds:.0f} s; try again when it ended"
            ) from None
        except OSError as error:
            raise LakeError(f"{self.root}: cannot be written ({type(error).__name__})") from None
        try:
            self._found()
            self.sweep()
            yield LakeWriter(self, self._keyring)
        finally:
            lock.release()

    def _found(self) -> None:
        """Give a new lake its first manifest, before anything that it would have to name."""
        if not (self.root / MANIFEST_FILE).exists():
            self.replace_manifest(self._read_manifest())

    def sweep(self) -> None:
        """Remove what a killed commit left: segments that no manifest names, and unfinished manifests."""
        manifest = self._read_manifest()
        named = {*manifest.key_segments, *(name for names in manifest.index_segments.values() for name in names)}
        strays = [path for folder in (_KEYS, _INDEX) for path in (self.root / folder).glob("*") if path.name not in named]
        for path in (*strays, *self.root.glob(f".{MANIFEST_FILE}.*")):
            if path.is_file():
                path.unlink()

    def _read_manifest(self) -> Manifest:
        path = self.root / MANIFEST_FILE
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            if any((self.root / folder).exists() for folder in (_TABLES, _INDEX, _KEYS)):
                raise LakeDamaged(f"{path} is missing, though the lake is not empty: restore it from a backup") from None
            return Manifest(key_check=self._keyring.check_value())
        except (OSError, UnicodeDecodeError):
            raise LakeDamaged(f"{path} cannot be read") from None
        try:
            manifest = Manifest.model_validate_json(text)
        except ValidationError:
            raise LakeDamaged(f"{path} is no manifest of a lake") from None
        if manifest.format_version != FORMAT_VERSION:
            raise LakeDamaged(f"{path} has format {manifest.format_version}; this version reads {FORMAT_VERSION}")
        if manifest.key_check != self._keyring.check_value():
            raise WrongKey(f"the lake {self.root} was made under another key; point CUSTVIEW_KEYS at the keys it was made with")
        return manifest

    def replace_manifest(self, manifest: Manifest) -> None:
        """Put a new state in place, atomically and durably."""
        _write_durably(self.root / MANIFEST_FILE, manifest.model_dump_json(indent=1).encode())


class LakeWriter:
    """The right to write a lake."""

    def __init__(self, lake: DeltaLake, keyring: Keyring) -> None:
        self._lake, self._keyring = lake, keyring

    def snapshot(self) -> LakeSnapshot:
        """Return the lake as of now."""
        return self._lake.snapshot()

    @contextmanager
    def commit(self, run_id: str) -> Iterator[Commit]:
        """Collect changes and make them count together when the block ends well."""
        commit = Commit(self._lake.root, self._keyring, self._lake.snapshot().manifest, run_id)
        yield commit
        self._lake.replace_manifest(commit.manifest(self._keyring.check_value()))
        if commit.has_forgotten:
            self._lake.sweep()


def _segments(root: Path, names: Iterable[str]) -> dict[str, bytes]:
    """Return the sealed segments of the key table by their ids.

    Raises:
        LakeDamaged: One is missing.
    """
    try:
        return {name: (root / _KEYS / name).read_bytes() for name in names}
    except OSError:
        raise LakeDamaged("a segment of the key table that the manifest names cannot be read") from None


def _roll_back(table: DeltaTable, known: int | None) -> None:
    """Undo versions that no manifest names."""
    if known is None:
        table.delete()
    elif table.version() != known:
        table.restore(known)


def _write_durably(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, and force it to disk.

    Raises:
        LakeError: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_durably(path, lambda file: file.write(content))
    except OSError as error:
        raise LakeError(f"{path}: cannot be written ({type(error).__name__})") from None
