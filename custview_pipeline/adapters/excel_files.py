"""Excel workbooks as text columns: the first sheet, under its first filled row; dates in ISO 8601, as a person sees numbers."""

import logging
from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl

from custview_pipeline.adapters.delivery_file import DeliveryFile

_ROWS_AT_A_TIME: Final = 25_000
_MIDNIGHT: Final = r"^(\d{4}-\d{2}-\d{2}) 00:00:00$"
_MOMENT: Final = r"^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}(?:\.\d+)?)$"
_CLOCK: Final = r"^1899-12-3[01] (\d{2}:\d{2}:\d{2}(?:\.\d+)?)$"  # a time of day counts from the day before 1900


def check_excel(file: DeliveryFile, columns: Sequence[str]) -> None:
    """Check the header.

    Raises:
        SourceUnreadable: The file is empty, damaged or protected, lacks a column, or what reads it is not installed.
    """
    file.check_header(excel_header(file), columns)


def excel_header(file: DeliveryFile) -> list[str]:
    """Return the texts of the first filled row, empty where a cell is.

    Raises:
        SourceUnreadable: There is none, or the file cannot be read.
    """
    return _parted(file, _sheet(file))[0]


def read_excel(file: DeliveryFile, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Yield the rows some thousands at a time; rows without any cell are left out.

    Raises:
        SourceUnreadable: As for ``check_excel``.
    """
    header, rows = _parted(file, _sheet(file))
    file.check_header(header, columns)
    places = {name: rows.columns[header.index(name)] for name in columns}
    kept = rows.filter(~pl.all_horizontal(pl.all().is_null())).select(
        _as_text(place).alias(name) for name, place in places.items()
    )
    yield from kept.iter_slices(_ROWS_AT_A_TIME)


def _sheet(file: DeliveryFile) -> pl.DataFrame:
    """Return all cells of the first sheet, as text."""
    try:
        import fastexcel  # noqa: PLC0415 -- an extra: only who reads Excel needs it
    except ImportError:
        raise file.unreadable("Excel files need an extra: pip install 'custview-pipeline[excel]'") from None
    logging.getLogger("calamine").setLevel(logging.CRITICAL + 1)  # the reader's warnings quote the workbook
    with file.opened() as stream:
        content = stream.read()
    try:
        sheet = fastexcel.read_excel(content).load_sheet(0, header_row=None, dtypes="string")
        return pl.DataFrame(sheet)
    # The reader is Rust: what it panics at is no Exception.
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError):
        raise file.unreadable("not an Excel workbook (.xlsx), cut off, damaged or protected by a password") from None


def _parted(file: DeliveryFile, cells: pl.DataFrame) -> tuple[list[str], pl.DataFrame]:
    """Return the header and the rows under it."""
    is_filled = ~pl.all_horizontal(pl.all().is_null())
    filled = cells.select(is_filled).to_series().arg_true().to_list() if cells.width else []
    if not filled:
        raise file.unreadable("the file is empty")
    first = filled[0]
    return ["" if cell is None else str(cell) for cell in cells.row(first)], cells.slice(first + 1)


def _as_text(column: str) -> pl.Expr:
    """Return the cells as a person sees them: a date without the midnight that Excel gives it, a moment in ISO 8601."""
    text = pl.col(column).str.replace(_CLOCK, "${1}").str.replace(_MIDNIGHT, "${1}").str.replace(_MOMENT, "${1}T${2}")
    return pl.when(text.str.len_bytes() > 0).then(text)
