"""The lake: Delta tables, encrypted index segments and the key table under one manifest, written by one process at a time.

Order of a commit: key segments, then index segments and tables, and last the manifest, replaced atomically. Readers start from
the manifest, so what a killed commit left behind is invisible; the next writer sweeps it. Only then keys are destroyed and former
versions purged that must not be there any more; where that was interrupted, the next writer does it. A lake has a manifest
before it has anything else: one without is damaged and not new, for sweeping it would destroy the key table.
"""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl
from filelock import FileLock, Timeout

from custview_pipeline.adapters import index_segments, key_segments
from custview_pipeline.adapters.delta_tables import purge_table, read_appended, read_table
from custview_pipeline.adapters.lake_commit import Commit
from custview_pipeline.adapters.lake_files import INDEX, KEYS, MANIFEST_FILE, TABLES, is_lake, write_whole
from custview_pipeline.contracts.manifest import FORMAT_VERSION, Manifest
from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.kernel.errors import LakeBusy, LakeDamaged, LakeError, WrongKey
from custview_pipeline.protection.key_table import open_segments, shard_of
from custview_pipeline.protection.keyring import Keyring

_CLOCK_TOLERANCE: Final = timedelta(minutes=5)  # by which clocks of machines that share a lake may differ


class LakeSnapshot:
    """One state of the lake; what is read from it stays as it is, whatever is committed meanwhile."""

    def __init__(self, root: Path, keyring: Keyring, manifest: Manifest) -> None:
        self._root, self._keyring = root, keyring
        self._shard_keys = keyring.shard_keys()  # of the moment: later ones lack what is forgotten after it
        self.manifest = manifest

    def consumed(self, stage: str) -> str | None:
        """Return the mark of what a stage last worked on."""
        return self.manifest.consumed.get(stage)

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

    def shard_floors(self) -> Mapping[int, int]:
        """Return the oldest generation of a shard's key that counts, by shard; every one where a shard is not named."""
        return self.manifest.shard_floors


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
        """Return the lake as of now, readable with the keys as of now: a rotation may have begun since they were opened."""
        while True:
            manifest = self._read_manifest()
            self._keyring.refresh()
            if self._read_manifest().sequence == manifest.sequence:  # no commit came between, so keys and manifest fit
                return LakeSnapshot(self.root, self._keyring, manifest)

    @contextmanager
    def writer(self, *, wait_seconds: float = 600.0) -> Iterator["LakeWriter"]:
        """Hold the lake for writing; others wait, readers do not.

        Raises:
            LakeBusy: Another writer kept the lake for longer than ``wait_seconds``.
            LakeError: The lake cannot be written, or the clock is behind it.
        """
        lock = FileLock(str(self.root / "writer.lock"), mode=0o600)
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
            self._keyring.refresh()
            self._found()
            self._refuse_clock_behind()
            self.finish()
            yield LakeWriter(self, self._keyring)
        finally:
            lock.release()

    def _found(self) -> None:
        """Give a new lake its first manifest, before anything that it would have to name."""
        if not is_lake(self.root):
            self.replace_manifest(self._read_manifest())

    def _refuse_clock_behind(self) -> None:
        """Refuse to write where the clock was set back: versions would hold from before the ones that they replace."""
        committed_at = self._read_manifest().committed_at
        if committed_at is not None and committed_at > datetime.now(UTC) + _CLOCK_TOLERANCE:
            raise LakeError(
                f"the last commit of the lake is of {committed_at:%Y-%m-%d %H:%M} UTC, and the clock of this machine is behind "
                "that: set the clock right"
            )

    def finish(self) -> None:
        """Do what has to follow a commit, or what a killed one left: destroy keys, sweep strays, purge former versions."""
        manifest = self._read_manifest()
        self._keyring.destroy_shards(manifest.shard_floors)
        self._sweep(manifest)
        if manifest.unpurged:
            for table in manifest.unpurged:
                purge_table(self.root / TABLES / table, manifest.tables[table])
            self.replace_manifest(manifest.model_copy(update={"unpurged": ()}))

    def _sweep(self, manifest: Manifest) -> None:
        """Remove segments and tables that the manifest does not name, and unfinished manifests."""
        named = manifest.segment_names()
        strays = [path for folder in (KEYS, INDEX) for path in (self.root / folder).glob("*") if path.name not in named]
        for path in (*strays, *self.root.glob(f".{MANIFEST_FILE}.*")):
            if path.is_file():
                path.unlink()
        for folder in (self.root / TABLES).glob("*"):
            if folder.name in CONTRACTS and folder.name not in manifest.tables:
                shutil.rmtree(folder)

    def _read_manifest(self) -> Manifest:
        path = self.root / MANIFEST_FILE
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            if any((self.root / folder).exists() for folder in (TABLES, INDEX, KEYS)):
                raise LakeDamaged(f"{path} is missing, though the lake is not empty: restore it from a backup") from None
            return Manifest(key_check=self._keyring.check_value())
        except (OSError, UnicodeDecodeError):
            raise LakeDamaged(f"{path} cannot be read") from None
        manifest = _parsed(text, path)
        if manifest.key_check != self._keyring.check_value():
            raise WrongKey(f"the lake {self.root} was made under another key; point CUSTVIEW_KEYS at the keys it was made with")
        return manifest

    def replace_manifest(self, manifest: Manifest) -> None:
        """Put a new state in place, atomically and durably."""
        write_whole(self.root / MANIFEST_FILE, manifest.model_dump_json(indent=1).encode())


def _parsed(text: str, path: Path) -> Manifest:
    try:
        stored = json.loads(text)
        written = stored.get("format_version")
        if type(written) is int and written != FORMAT_VERSION:
            raise LakeDamaged(f"{path} has format {written}; this version reads {FORMAT_VERSION}")
        return Manifest.model_validate(stored)
    except (ValueError, AttributeError):  # no JSON, no object, or not the keys of a manifest
        raise LakeDamaged(f"{path} is no manifest of a lake") from None


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
        self._lake.replace_manifest(commit.manifest())
        self._lake.finish()
