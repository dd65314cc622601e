"""Tables of the lake as Delta tables: read, written, rows removed, versions that no manifest names rolled back."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal, TypeVar

import polars as pl
from deltalake import ColumnProperties, DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError

from custview_pipeline.adapters.delta_log import LOG_FOLDER, appended_files, changes_of, commit_file
from custview_pipeline.adapters.private_files import sync_directory, sync_file
from custview_pipeline.kernel.errors import LakeDamaged

# What is sealed never repeats: to look for repetitions would cost more than all else of a table with it. Rows are looked for by
# customer and record alone: the least and the greatest value of each page of any other column would be written for nobody.
_UNCOUNTED: Final = ColumnProperties(statistics_enabled="NONE")
_SEALED: Final = ColumnProperties(dictionary_enabled=False, statistics_enabled="NONE")
_LOOKED_FOR: Final = ColumnProperties(statistics_enabled="CHUNK")
WRITER: Final = WriterProperties(
    compression="ZSTD",
    default_column_properties=_UNCOUNTED,
    column_properties={
        **dict.fromkeys(("payload_sealed", "row_sealed"), _SEALED),
        **dict.fromkeys(("cuid", "record_id"), _LOOKED_FOR),
    },
)
_CONFIGURATION: Final = {
    "delta.dataSkippingNumIndexedCols": "0",  # statistics in the log would outlive the rows that they are of
    # Opening a table reads what is behind the last checkpoint; of 20 to 100 commits this makes a commit cheapest.
    "delta.checkpointInterval": "20",
}

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
    """Return the rows that were appended between two versions; None where more than that was done, or it cannot be told.

    Args:
        folder: Folder of the table.
        since: The earlier version.
        version: The later one.
        columns: Names of columns.

    Raises:
        LakeDamaged: The table does not hold the later version.
    """
    names = appended_files(folder, since, version)
    if names is None:
        return None
    if not names:
        return read_table(folder, version, columns, where=pl.lit(value=False))
    try:
        return pl.concat([pl.scan_parquet(folder / name).select(columns) for name in names]).collect()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        raise _unreadable(folder, version) from None


def write_table(folder: Path, frame: pl.DataFrame, *, mode: Literal["append", "overwrite"], known: int | None) -> int:
    """Write rows on top of the version that is known, force them to disk, and return the new version.

    Args:
        folder: Folder of the table.
        frame: The rows.
        mode: Whether they come in addition to the rows that are there, or instead of them.
        known: The version that counts; later ones are of runs that did not finish. None where nothing was stored yet.

    Raises:
        LakeDamaged: It cannot be written.
    """
    if known is None and not DeltaTable.is_deltatable(str(folder)):
        return told(folder, lambda: _create(folder, frame))
    return change_table(folder, known, lambda table: write_deltalake(table, frame, mode=mode, writer_properties=WRITER))


def remove_rows(folder: Path, column: str, values: pl.Series, *, known: int) -> int:
    """Remove the rows whose column has one of some values, and return the new version.

    Only files that hold such rows are written anew. It is a MERGE and no DELETE, because the log of the table keeps the
    predicate of a DELETE, and so the values.

    Raises:
        LakeDamaged: It cannot be written.
    """
    removed = pl.DataFrame({"value": values.drop_nulls().unique()}).to_arrow()

    def remove(table: DeltaTable) -> None:
        merger = table.merge(
            removed, predicate=f"t.{column} = s.value", source_alias="s", target_alias="t", writer_properties=WRITER
        )
        merger.when_matched_delete().execute()

    return change_table(folder, known, remove)


def change_table(folder: Path, known: int | None, change: Callable[[DeltaTable], object]) -> int:
    """Change a table on top of the version that is known, force what was written to disk, and return the new version.

    Raises:
        LakeDamaged: It cannot be written.
    """

    def act() -> int:
        table = DeltaTable(str(folder))
        _roll_back(table, known)
        before = table.version()
        change(table)
        _force_to_disk(folder, before, table.version())
        return table.version()

    return told(folder, act)


def told(folder: Path, act: Callable[[], T]) -> T:
    """Do something to a table; what the library says where it fails may quote rows.

    Raises:
        LakeDamaged: It failed.
    """
    try:
        return act()
    except Exception as error:  # noqa: BLE001 -- it raises bare exceptions too
        raise LakeDamaged(
            f"table {folder.name} cannot be written ({type(error).__name__}): is the disk full, or the folder not writable?"
        ) from None


def stored_files(folder: Path) -> list[Path]:
    """Return every file with rows that lies in the folder of a table, whether or not a version names it."""
    return sorted(path for path in folder.rglob("*.parquet") if LOG_FOLDER not in path.parts)


def _create(folder: Path, frame: pl.DataFrame) -> int:
    write_deltalake(str(folder), frame, writer_properties=WRITER, configuration=_CONFIGURATION)
    _force_to_disk(folder, -1, 0)
    sync_directory(folder.parent)
    return 0


def _roll_back(table: DeltaTable, known: int | None) -> None:
    """Undo versions that no manifest names."""
    if known is None:
        table.delete()
    elif table.version() != known:
        table.restore(known)


def _force_to_disk(folder: Path, before: int, version: int) -> None:
    """Force to disk what commits wrote after a version: after a power cut the manifest must not name what is gone."""
    for each in range(before + 1, version + 1):
        commit = commit_file(folder, each)
        for change in changes_of(commit):
            if change.is_added:
                sync_file(folder / change.name)
        sync_file(commit)
    if version > before:
        sync_directory(folder)
        sync_directory(folder / LOG_FOLDER)
