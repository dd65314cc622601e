"""Tables of the lake as Delta tables: read, written, rows removed, former versions purged, unfinished ones rolled back."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal, TypeVar

import polars as pl
from deltalake import DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError

from custview_pipeline.kernel.errors import LakeDamaged

_WRITER: Final = WriterProperties(compression="ZSTD")
# Statistics in the log would outlive the rows that they are of.
_CONFIGURATION: Final = {"delta.dataSkippingNumIndexedCols": "0"}
_LOG: Final = "_delta_log"
_CHECKPOINT: Final = "_last_checkpoint"

T = TypeVar("T")


def read_table(folder: Path, version: int, columns: Sequence[str], where: pl.Expr | None = None) -> pl.DataFrame:
    """Return columns of a table as of a version.

    Args:
        folder: Folder of the table.
        version: The version.
        columns: Their names.
        where: Which rows; all by default. The others are not held in memory.

    Raises:
        LakeDamaged: The table does not hold that version.
    """
    try:
        rows = pl.scan_delta(str(folder), version=version)
        wanted = rows if where is None else rows.filter(where)
        return wanted.select(columns).collect()
    # Polars panics at a Parquet file that was cut off; a panic is no Exception.
    except (DeltaError, pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        raise _unreadable(folder, version) from None


def _unreadable(folder: Path, version: int) -> LakeDamaged:
    return LakeDamaged(
        f"table {folder.name} cannot be read at version {version}, which the manifest names; where something was erased "
        "meanwhile, try again"
    )


def read_appended(folder: Path, since: int, version: int, columns: Sequence[str]) -> pl.DataFrame | None:
    """Return the rows that were appended between two versions; None where files of the first one are gone, or it cannot be told.

    Args:
        folder: Folder of the table.
        since: The earlier version.
        version: The later one.
        columns: Names of columns.

    Raises:
        LakeDamaged: The table does not hold the later version.
    """
    try:
        before = set(DeltaTable(str(folder), version=since).file_uris())
    except (DeltaError, OSError):  # purged with what was erased
        return None
    try:
        now = set(DeltaTable(str(folder), version=version).file_uris())
        if since > version or not before <= now:
            return None
        if now == before:
            return read_table(folder, version, columns).clear()
        return pl.concat([pl.scan_parquet(file).select(columns) for file in sorted(now - before)]).collect()
    except (DeltaError, pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        raise _unreadable(folder, version) from None


def write_table(folder: Path, frame: pl.DataFrame, *, mode: Literal["append", "overwrite"], known: int | None) -> int:
    """Write rows on top of the version that is known, and return the new version.

    Args:
        folder: Folder of the table.
        frame: The rows.
        mode: Whether they come in addition to the rows that are there, or instead of them.
        known: The version that counts; later ones are of runs that did not finish. None where nothing was stored yet.

    Raises:
        LakeDamaged: It cannot be written.
    """

    def write() -> int:
        if DeltaTable.is_deltatable(str(folder)):
            _roll_back(DeltaTable(str(folder)), known)
        write_deltalake(str(folder), frame, mode=mode, writer_properties=_WRITER, configuration=_CONFIGURATION)
        return DeltaTable(str(folder)).version()

    return _told(folder, write)


def remove_rows(folder: Path, column: str, values: pl.Series, *, known: int) -> int:
    """Remove the rows whose column has one of some values, and return the new version.

    Only files that hold such rows are written anew. It is a MERGE and no DELETE, because the log of the table keeps the
    predicate of a DELETE, and so the values.

    Raises:
        LakeDamaged: It cannot be written.
    """

    def remove() -> int:
        table = DeltaTable(str(folder))
        _roll_back(table, known)
        removed = pl.DataFrame({"value": values.drop_nulls().unique()})
        merger = table.merge(
            removed.to_arrow(), predicate=f"t.{column} = s.value", source_alias="s", target_alias="t", writer_properties=_WRITER
        )
        merger.when_matched_delete().execute()
        return table.version()

    return _told(folder, remove)


def purge_table(folder: Path, version: int) -> None:
    """Remove whatever is not of this version: files of former ones, and what the log tells of them.

    Safe to do again where it was interrupted, for the version stays readable at each step.

    Raises:
        LakeDamaged: It cannot be done.
    """

    def purge() -> None:
        table = DeltaTable(str(folder), version=version)
        for name in table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=True, full=True):
            (folder / name).unlink(missing_ok=True)
        table.create_checkpoint()
        for log in (folder / _LOG).iterdir():
            if log.name != _CHECKPOINT and _version_of(log) != version:
                log.unlink()

    _told(folder, purge)


def _version_of(log: Path) -> int:
    """Return the version that a file of the log is about; -1 for one that is none of the log's."""
    number = log.name.partition(".")[0]
    return int(number) if number.isdecimal() else -1


def _roll_back(table: DeltaTable, known: int | None) -> None:
    """Undo versions that no manifest names."""
    if known is None:
        table.delete()
    elif table.version() != known:
        table.restore(known)


def _told(folder: Path, act: Callable[[], T]) -> T:
    """Do something to a table; what the library says where it fails may quote rows."""
    try:
        return act()
    except Exception as error:  # noqa: BLE001 -- it raises bare exceptions too
        raise LakeDamaged(
            f"table {folder.name} cannot be written ({type(error).__name__}): is the disk full, or the folder not writable?"
        ) from None


def stored_files(folder: Path) -> list[Path]:
    """Return every file with rows that lies in the folder of a table, whether or not a version names it."""
    return sorted(path for path in folder.rglob("*.parquet") if _LOG not in path.parts)
