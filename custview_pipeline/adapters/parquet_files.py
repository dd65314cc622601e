"""Parquet as text columns: dates and moments in ISO 8601, whole numbers without a fraction, what is nested as JSON."""

import json
from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet

from custview_pipeline.adapters.delivery_file import DeliveryFile

_ROWS_AT_A_TIME: Final = 25_000
_CALENDAR: Final = (-62_135_596_800_000, 253_402_300_799_999)  # milliseconds of the years 1 to 9999, from 1970
_EXACT_WHOLE: Final = 2.0**53  # up to here every whole number is a float


def check_parquet(file: DeliveryFile, columns: Sequence[str]) -> None:
    """Check the schema.

    Raises:
        SourceUnreadable: The file is empty, damaged, lacks a column, or holds bytes where text is meant.
    """
    header = parquet_header(file)
    file.check_header([name for name, _ in header], columns)
    for name, unreadable in header:
        if name in columns and unreadable:
            raise file.unreadable(f"{name!r} holds {unreadable}; the contract's columns are text, numbers and dates")


def parquet_header(file: DeliveryFile) -> list[tuple[str, str]]:
    """Return each column with what it holds that cannot be read as text (bytes, durations); nothing where it can.

    Raises:
        SourceUnreadable: The file is empty or damaged.
    """
    with file.opened() as stream:
        try:
            schema = pyarrow.parquet.read_schema(stream)
        except (pa.ArrowException, OSError, ValueError):
            raise _damaged(file) from None
    return [(field.name, _unreadable(field.type)) for field in schema]


def read_parquet(file: DeliveryFile, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Yield the rows some thousands at a time.

    Raises:
        SourceUnreadable: As for ``check_parquet``.
    """
    check_parquet(file, columns)
    with file.opened() as stream:
        try:
            parquet = pyarrow.parquet.ParquetFile(stream, page_checksum_verification=True)
            for batch in parquet.iter_batches(_ROWS_AT_A_TIME, columns=list(columns), use_threads=False):
                batch.validate(full=True)  # damaged bytes may pose as text, which polars would trust
                yield pl.DataFrame([_as_text(batch.column(name), name) for name in columns])
        except (pa.ArrowException, pl.exceptions.PolarsError, OSError, ValueError):
            raise _damaged(file) from None


def _damaged(file: DeliveryFile) -> Exception:
    return file.unreadable("not a Parquet file, cut off or damaged")


def _unreadable(kind: pa.DataType) -> str:
    if _is_binary(kind):
        return "bytes"
    return "durations" if pa.types.is_duration(kind) or pa.types.is_interval(kind) else ""


def _is_binary(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_binary(kind.value_type)
    types = pa.types
    return any(
        is_kind(kind) for is_kind in (types.is_binary, types.is_large_binary, types.is_binary_view, types.is_fixed_size_binary)
    )


def _as_text(column: pa.Array, name: str) -> pl.Series:
    if pa.types.is_nested(column.type):
        texts = [None if value is None else json.dumps(value, ensure_ascii=False, default=str) for value in column.to_pylist()]
        return pl.Series(name, texts, dtype=pl.String)
    if pa.types.is_decimal(column.type):
        texts = [None if value is None else format(value, "f") for value in column.to_pylist()]
        return pl.Series(name, texts, dtype=pl.String)
    series = pl.Series(name, column)
    text = series.to_frame().select(_text_expression(name, series.dtype)).to_series()
    return text.replace("", None)


def _text_expression(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if dtype.is_float():
        is_whole = (column == column.floor()) & (column.abs() < _EXACT_WHOLE)
        whole = pl.when(is_whole).then(column).cast(pl.Int64, strict=False).cast(pl.String)
        return pl.when(is_whole).then(whole).when(column.is_nan()).then(None).otherwise(column.cast(pl.String)).alias(name)
    if isinstance(dtype, pl.Datetime):
        moment = column if dtype.time_zone is None else column.dt.convert_time_zone("UTC")
        return _written(column, moment, "%Y-%m-%dT%H:%M:%S%.f" if dtype.time_zone is None else "%Y-%m-%dT%H:%M:%S%.f%:z")
    if dtype == pl.Date:
        return _written(column, column, "iso")
    return column.dt.to_string("iso") if dtype == pl.Time else column.cast(pl.String)


def _written(stored: pl.Expr, moment: pl.Expr, form: str) -> pl.Expr:
    """Return dates as text; one that no calendar has, for which polars would panic, as the number that is stored."""
    is_known = stored.cast(pl.Datetime("ms")).to_physical().is_between(*_CALENDAR)
    kept = pl.when(is_known).then(moment)
    return pl.coalesce(kept.dt.to_string(form), stored.to_physical().cast(pl.String))
