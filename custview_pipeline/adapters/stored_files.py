"""Every file that lies in the folder of a lake, whether or not its manifest names it: what whoever copies the folder has."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from custview_pipeline.adapters import key_segments
from custview_pipeline.adapters.delta_tables import stored_files
from custview_pipeline.adapters.encrypted_parquet import read_encrypted
from custview_pipeline.adapters.lake_files import INDEX, KEYS, MANIFEST_FILE, TABLES
from custview_pipeline.contracts.match_index import INDEX_SCHEMAS, IndexPart
from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.kernel.errors import LakeDamaged, UnsealFailed, WrongKey
from custview_pipeline.protection.keyring import Keyring

_LOG: Final = "_delta_log"


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

    def tables(self, table: str, columns: Sequence[str]) -> Iterator[pl.DataFrame | None]:
        """Yield columns of every file with rows of a table; None for one that cannot be read."""
        for path in stored_files(self._root / TABLES / table):
            try:
                yield pl.read_parquet(path, columns=list(columns))
            # Polars panics at a Parquet file that was cut off; a panic is no Exception.
            except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
                yield None

    def index(self, part: str, columns: Sequence[str]) -> Iterator[pl.DataFrame | None]:
        """Yield columns of every segment of a part of the match index; None for one that these keys do not open."""
        for path in sorted((self._root / INDEX).glob(f"{part}-*")):
            try:
                yield pl.concat(
                    [pl.DataFrame(schema=INDEX_SCHEMAS[IndexPart(part)]).select(columns), self._opened(path, columns)]
                )
            except (LakeDamaged, UnsealFailed, WrongKey):
                yield None

    def key_segments(self) -> Iterator[tuple[str, memoryview] | None]:
        """Yield every segment of the key table under its name; None for one that cannot be read."""
        for path in sorted((self._root / KEYS).glob("*")):
            try:
                yield from key_segments.read_segments(path.parent, [path.name]).items()
            except LakeDamaged:
                yield None

    def logs(self) -> Iterator[str | None]:
        """Yield the text of every file of the tables' logs; None for one that cannot be read."""
        for path in sorted((self._root / TABLES).glob(f"*/{_LOG}/*")):
            try:
                yield _checkpoint_text(path) if path.suffix == ".parquet" else path.read_text(encoding="utf-8")
            except (pa.ArrowException, OSError, ValueError):
                yield None

    def strangers(self) -> int:
        """Return how many files lie in the folders of the lake that are none of its own, and so cannot be searched."""
        tables = {path for table in CONTRACTS for path in stored_files(self._root / TABLES / table)}
        logs = set((self._root / TABLES).glob(f"*/{_LOG}/*"))
        index = {path for part in IndexPart for path in (self._root / INDEX).glob(f"{part}-*")}
        known = tables | logs | index | set((self._root / KEYS).glob("*"))
        found = {path for folder in (TABLES, INDEX, KEYS) for path in (self._root / folder).rglob("*") if path.is_file()}
        return len(found - known)

    def _opened(self, path: Path, columns: Sequence[str]) -> pl.DataFrame:
        return read_encrypted(path, self._keyring, columns=columns)


def _checkpoint_text(path: Path) -> str:
    """Return all that a checkpoint of a log says."""
    rows: Mapping[str, object] = pq.read_table(path).to_pydict()
    return repr(rows)
