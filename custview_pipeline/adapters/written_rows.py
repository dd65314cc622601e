"""Reads CSV files that people write for a command - a truth, the answers to a sample - with the line of every row."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from custview_pipeline.kernel.errors import ProjectInvalid

if TYPE_CHECKING:
    from _csv import Reader  # the type of csv.reader, which has no name in csv

_DELIMITERS: Final = (",", ";", "\t")  # as spreadsheets of several countries write them
_LINE: Final = "line"


def read_rows(path: Path, columns: Sequence[str], *, names: Sequence[str] = (), option: str = "") -> pl.DataFrame:
    """Return some columns of a file as text, trimmed and null where a cell is empty, and the ``line`` at which each row ends.

    Args:
        path: The file: UTF-8, with a header.
        columns: The columns that are needed; others are left out.
        names: What to call them, in this order; as the file does where none are given. None is ``line``.
        option: What to say where a column is missing: how to name another one.

    Raises:
        ProjectInvalid: It cannot be read, or is not as it should be; names file and line, and no cell.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            delimiter = _delimiter(text.readline())
            text.seek(0)
            wanted = dict(zip(names or columns, columns, strict=True))
            return _read(path, csv.reader(text, delimiter=delimiter, strict=True), wanted, option)
    except OSError as error:
        raise ProjectInvalid(f"cannot be read ({type(error).__name__})", file=path) from None
    except UnicodeDecodeError:
        raise ProjectInvalid("is not UTF-8: save it as CSV UTF-8", file=path) from None


def _delimiter(header: str) -> str:
    """Return the delimiter that the header has most of; the first of them where it has none."""
    return max(_DELIMITERS, key=header.count)


def _read(path: Path, reader: "Reader", wanted: Mapping[str, str], option: str) -> pl.DataFrame:
    try:
        header = [cell.strip() for cell in next(reader, [])]
        places = _places(path, header, list(wanted.values()), option)
        cells: list[list[str]] = [[] for _ in wanted]
        lines: list[int] = []
        for row in reader:
            if not row:
                continue  # an empty line
            if len(row) != len(header):
                raise ProjectInvalid(f"has {len(row)} cells where the header has {len(header)}", file=path, line=reader.line_num)
            lines.append(reader.line_num)
            for own, place in zip(cells, places, strict=True):
                own.append(row[place])
    except csv.Error:
        raise ProjectInvalid("is not readable as CSV; is a quote left open?", file=path, line=reader.line_num) from None
    read = pl.DataFrame(dict(zip(wanted, cells, strict=True)), schema=dict.fromkeys(wanted, pl.String))
    trimmed = pl.all().str.strip_chars().replace("", None)
    return read.select(trimmed).with_columns(pl.Series(_LINE, lines, dtype=pl.Int64))


def _places(path: Path, header: Sequence[str], columns: Sequence[str], option: str) -> list[int]:
    """Return where the columns are; the header itself is not quoted, for a file without one has a record there."""
    if not any(header):
        raise ProjectInvalid("is empty", file=path)
    if missing := [name for name in columns if header.count(name) != 1]:
        several = " once" if any(name in header for name in missing) else ""
        raise ProjectInvalid(f"the header should name {', '.join(missing)}{several}{option}", file=path, line=1)
    return [header.index(name) for name in columns]
