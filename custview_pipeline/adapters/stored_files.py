"""Every file that lies in the folder of a lake, whether or not its manifest names it: what whoever copies the folder has."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from custview_pipeline.adapters import key_segments
from custview_pipeline.adapters.access_log import LOG_FILE
from custview_pipeline.adapters.delta_log import LOG_FOLDER, changes_of
from custview_pipeline.adapters.delta_tables import stored_files
from custview_pipeline.adapters.encrypted_parquet import read_encrypted
from custview_pipeline.adapters.index_segments import key_version_of
from custview_pipeline.adapters.lake_files import INDEX, KEYS, MANIFEST_FILE, TABLES
from custview_pipeline.adapters.writer_lock import HOLDER_FILE, LOCK_FILE
from custview_pipeline.contracts.manifest import Manifest
from custview_pipeline.contracts.match_index import INDEX_SCHEMAS, IndexPart
from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.kernel.errors import LakeDamaged, UnsealFailed, WrongKey
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import Purpose

_OWN: Final = (MANIFEST_FILE, LOCK_FILE, HOLDER_FILE, LOG_FILE, str(Path(LOG_FILE).with_suffix(".lock")))  # in the folder itself


class StoredFiles:
    """The files of a lake, one after the other.

    Args:
        root: Folder of the lake, or of a copy of one.
        keyring: The keys of now.
    """

    def __init__(self, root: Path, keyring: Keyring) -> None:
        self._root, self._keyring = root, keyring

    def exists(self) -> bool:
        """Return whether there is a lake in the folder."""
        return (self._root / MANIFEST_FILE).is_file()

    def tables(self, table: str, columns: Sequence[str], *, is_named: bool | None = None) -> Iterator[pl.DataFrame | None]:
        """Yield columns of every file with rows of a table; None for one that cannot be read.

        Args:
            table: Its name.
            columns: Those wanted.
            is_named: Only files that a version of the table names, or only others; all by default.
        """
        folder = self._root / TABLES / table
        for path in _kept(stored_files(folder), set() if is_named is None else _added_files(folder), is_named=is_named):
            try:
                yield pl.read_parquet(path, columns=list(columns))
            # Polars panics at a Parquet file that was cut off; a panic is no Exception.
            except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
                yield None

    def index(self, part: str, columns: Sequence[str], *, is_named: bool | None = None) -> Iterator[pl.DataFrame | None]:
        """Yield columns of every segment of a part of the match index; None for one that these keys do not open."""
        for path in _kept(self._index_files(part), self._named_segments(), is_named=is_named):
            try:
                yield pl.concat(
                    [pl.DataFrame(schema=INDEX_SCHEMAS[IndexPart(part)]).select(columns), self._opened(path, columns)]
                )
            except (LakeDamaged, UnsealFailed, WrongKey):
                yield None

    def closed_segments(self) -> int:
        """Return how many segments of the match index were written under a version of the index key that is destroyed."""
        return sum(self._is_closed(path.name) for part in IndexPart for path in self._index_files(part))

    def key_segments(self, *, is_named: bool | None = None) -> Iterator[tuple[str, memoryview] | None]:
        """Yield every segment of the key table under its name; None for one that cannot be read."""
        for path in _kept(sorted((self._root / KEYS).glob("*")), self._named_segments(), is_named=is_named):
            try:
                yield from key_segments.read_segments(path.parent, [path.name]).items()
            except LakeDamaged:
                yield None

    def logs(self) -> Iterator[str | None]:
        """Yield the text of every file of the tables' logs; None for one that cannot be read."""
        for path in sorted((self._root / TABLES).glob(f"*/{LOG_FOLDER}/*")):
            try:
                yield _checkpoint_text(path) if path.suffix == ".parquet" else path.read_text(encoding="utf-8")
            except (pa.ArrowException, OSError, ValueError):
                yield None

    def strangers(self) -> int:
        """Return how many files below the folder are none of a lake's, and so cannot be searched.

        A link to a folder counts as one, and is not followed: what it leads to may be anything.
        """
        tables = {path for table in CONTRACTS for path in stored_files(self._root / TABLES / table)}
        logs = set((self._root / TABLES).glob(f"*/{LOG_FOLDER}/*"))
        index = {path for part in IndexPart for path in self._index_files(part)}
        known = tables | logs | index | set((self._root / KEYS).glob("*")) | {self._root / name for name in _OWN}
        found: set[Path] = set()
        links: set[Path] = set()
        for folder, folders, files in os.walk(self._root):
            found.update(Path(folder, name) for name in files)
            links.update(path for path in (Path(folder, name) for name in folders) if path.is_symlink())
        return len(found - known) + len(links)

    def _index_files(self, part: str) -> list[Path]:
        return sorted((self._root / INDEX).glob(f"{part}-*"))

    def _named_segments(self) -> set[str]:
        """Return the segments of index and key table that the manifest names; none where it cannot be read."""
        try:
            return Manifest.model_validate_json((self._root / MANIFEST_FILE).read_bytes()).segment_names()
        except (OSError, ValueError):
            return set()

    def _is_closed(self, name: str) -> bool:
        try:
            self._keyring.key(Purpose.INDEX, key_version_of(name))
        except WrongKey:
            return True
        except LakeDamaged:  # no name that a segment has
            return False
        return False

    def _opened(self, path: Path, columns: Sequence[str]) -> pl.DataFrame:
        return read_encrypted(path, self._keyring, columns=columns)


def _checkpoint_text(path: Path) -> str:
    """Return all that a checkpoint of a log says."""
    rows: Mapping[str, object] = pq.read_table(path).to_pydict()
    return repr(rows)


def _kept(paths: Sequence[Path], named: set[str], *, is_named: bool | None) -> list[Path]:
    return [path for path in paths if is_named is None or (path.name in named) == is_named]


def _added_files(folder: Path) -> set[str]:
    """Return the names of the files that some version of a table names, as far as its log goes back."""
    added: set[str] = set()
    for path in sorted((folder / LOG_FOLDER).glob("*")):
        try:
            added.update(_of_checkpoint(path) if path.suffix == ".parquet" else _of_commit(path))
        except (pa.ArrowException, OSError, ValueError, KeyError, TypeError):  # then what it names is taken for a stray file
            continue
    return {Path(unquote(name)).name for name in added}


def _of_checkpoint(path: Path) -> list[str]:
    return [row["path"] for row in pq.read_table(path, columns=["add"])["add"].to_pylist() if row and row["path"]]


def _of_commit(path: Path) -> list[str]:
    return [change.name for change in changes_of(path) if change.is_added] if path.suffix == ".json" else []
