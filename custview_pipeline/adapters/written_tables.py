"""Writes an exported table to a file: CSV, Parquet or JSON lines; whole or not at all, readable by its owner only."""

import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

import polars as pl

from custview_pipeline.adapters.private_files import replace_durably
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.kernel.redaction import silenced


class TableFormat(StrEnum):
    """Formats of an export."""

    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"


def format_of(path: Path) -> TableFormat:
    """Return the format that the ending of a file's name stands for; CSV where it says nothing."""
    endings = {".parquet": TableFormat.PARQUET, ".json": TableFormat.JSON, ".jsonl": TableFormat.JSON}
    return endings.get(path.suffix.lower(), TableFormat.CSV)


def write_table(frame: pl.DataFrame, path: Path, table_format: TableFormat) -> None:
    """Write a frame.

    Args:
        frame: The table.
        path: The file; an earlier one is replaced at the end, at once. A symbolic link stays, and what it leads to is replaced.
        table_format: csv; parquet; or json, one object a line.

    Raises:
        ProjectInvalid: The folder does not exist or cannot be written, or at the path is a folder, a device or a pipe.
    """
    with silenced("writing the export"):
        try:
            _write_whole(frame, _replaceable(path), table_format)
        except OSError as error:
            raise ProjectInvalid(f"cannot be written ({type(error).__name__})", file=path) from None


def _replaceable(path: Path) -> Path:
    """Return the file that is to be replaced, behind all links; a device or a pipe is never replaced by a file."""
    if path.exists() and not path.is_dir() and not path.is_file():
        raise ProjectInvalid("cannot be written: it is no regular file", file=path)
    target = Path(os.path.realpath(path))  # Path.resolve has an error of its own for links in a circle
    if target.is_symlink() or target.is_dir() or not target.parent.is_dir():
        raise ProjectInvalid("cannot be written: its folder does not exist, or it is a folder itself", file=path)
    return target


def _write_whole(frame: pl.DataFrame, path: Path, table_format: TableFormat) -> None:
    """Revealed values may be in it: not for a moment may others read it."""
    writers: dict[TableFormat, Callable[[BinaryIO], object]] = {
        TableFormat.CSV: frame.write_csv,
        TableFormat.PARQUET: frame.write_parquet,
        TableFormat.JSON: frame.write_ndjson,
    }
    replace_durably(path, writers[table_format])
