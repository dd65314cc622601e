"""The lake: Delta tables, encrypted index segments and the key table under one manifest, written by one process at a time.

Order of a commit: key segments, then index segments and tables, and last the manifest, replaced atomically. Readers start from
the manifest, so what a killed commit left behind is invisible; the next writer sweeps it. Only then keys are destroyed and former
versions purged that must not be there any more; where that was interrupted, the next writer does it. A lake has a manifest
before it has anything else: one without is damaged and not new, for sweeping it would destroy the key table.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from custview_pipeline.adapters.delta_upkeep import purge_table, vacuum_table
from custview_pipeline.adapters.lake_commit import Commit
from custview_pipeline.adapters.lake_files import INDEX, KEYS, MANIFEST_FILE, TABLES, is_lake, write_whole
from custview_pipeline.adapters.lake_snapshot import LakeSnapshot
from custview_pipeline.adapters.writer_lock import HeldLock, Told, hold
from custview_pipeline.contracts.manifest import FORMAT_VERSION, Manifest, WriterLock
from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import LakeDamaged, LakeError, WrongKey
from custview_pipeline.protection.keyring import Keyring

_CLOCK_TOLERANCE: Final = timedelta(minutes=5)  # by which clocks of machines that share a lake may differ


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
    def writer(self, *, wait_seconds: float = 600.0, told: Told | None = None) -> Iterator["LakeWriter"]:
        """Hold the lake for writing; others wait, readers do not.

        Args:
            wait_seconds: How long to wait for another writer.
            told: Hears that, and since when, another one has been writing.

        Raises:
            LakeBusy: Another writer kept the lake for longer than ``wait_seconds``.
            LakeError: The lake cannot be written, or the clock is behind it, or it wants a lock that cannot be had.
        """
        url = settings.read(settings.POSTGRES_URL)
        self._assert_lock(url)
        with hold(self.root, self._keyring.check_value(), postgres_url=url, wait_seconds=wait_seconds, told=told) as lock:
            self._assert_lock(url)  # another one may have been first to take the lake with a lock in PostgreSQL
            self._keyring.refresh()
            self._found()
            self._refuse_clock_behind()
            if url is not None:
                self._note_lock(WriterLock.POSTGRESQL)
            self.finish()
            yield LakeWriter(self, self._keyring, lock)

    def write_without_postgres(self, *, wait_seconds: float = 600.0) -> None:
        """Note that from now on the lock on the file is enough; only where no machine writes the lake with another one.

        Raises:
            LakeBusy, LakeError: See ``writer``.
        """
        with hold(self.root, self._keyring.check_value(), postgres_url=None, wait_seconds=wait_seconds, told=None):
            self._note_lock(WriterLock.FILE)

    def _assert_lock(self, url: str | None) -> None:
        """Refuse a writer that the others, who hold a lock in PostgreSQL, would not notice."""
        if url is None and self._read_manifest().writer_lock is WriterLock.POSTGRESQL:
            raise LakeError(
                "runs that write this lake hold a lock in PostgreSQL: set CUSTVIEW_POSTGRES_URL as they do; "
                "where none does any more, custview compact --without-postgres takes the lake back to the lock on its file"
            )

    def _note_lock(self, wanted: WriterLock) -> None:
        manifest = self._read_manifest()
        if manifest.writer_lock is not wanted:
            self.replace_manifest(manifest.model_copy(update={"writer_lock": wanted}))

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

    def vacuum(self, before: datetime) -> tuple[int, int]:
        """Remove what only readers need that began before a moment; see ``LakeWriter.vacuum``."""
        manifest = self._read_manifest()
        kept = tuple(segment for segment in manifest.retired if segment.retired_at >= before)
        held = self._segment_sizes()
        if kept != manifest.retired:
            self.replace_manifest(manifest.model_copy(update={"retired": kept}))
            self.finish()
        sizes = [size for path, size in held.items() if not path.exists()]
        for table, version in manifest.tables.items():
            sizes += vacuum_table(self.root / TABLES / table, version, before)
        return len(sizes), sum(sizes)

    def _segment_sizes(self) -> dict[Path, int]:
        return {path: path.stat().st_size for folder in (KEYS, INDEX) for path in (self.root / folder).glob("*")}

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
            raise LakeDamaged(
                f"{path} has format {written}; this version reads {FORMAT_VERSION}: use the version that made it, or take the "
                "sources into a new lake"
            )
        return Manifest.model_validate(stored)
    except (ValueError, AttributeError):  # no JSON, no object, or not the keys of a manifest
        raise LakeDamaged(f"{path} is no manifest of a lake") from None


class LakeWriter:
    """The right to write a lake."""

    def __init__(self, lake: DeltaLake, keyring: Keyring, lock: HeldLock) -> None:
        self._lake, self._keyring, self._lock = lake, keyring, lock

    def snapshot(self) -> LakeSnapshot:
        """Return the lake as of now."""
        return self._lake.snapshot()

    @contextmanager
    def commit(self, run_id: str) -> Iterator[Commit]:
        """Collect changes and make them count together when the block ends well, unless they were abandoned in it.

        Raises:
            LakeError: The right to write was lost meanwhile; then nothing of it counts.
        """
        commit = Commit(self._lake.root, self._keyring, self._lake.snapshot().manifest, run_id)
        yield commit
        self._lock.assert_held()
        if not commit.is_abandoned:
            self._lake.replace_manifest(commit.manifest())
        self._lake.finish()

    def vacuum(self, before: datetime) -> tuple[int, int]:
        """Remove what only readers need that began before a moment; return how many files and bytes.

        Raises:
            LakeDamaged: A file cannot be removed.
            LakeError: The right to write was lost meanwhile.
        """
        self._lock.assert_held()
        return self._lake.vacuum(before)
