"""JSON Lines as text columns: one object a line, numbers as they are written, what is nested as JSON."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

import polars as pl

from custview_pipeline.adapters.delivery_file import DeliveryFile

_ROWS_AT_A_TIME: Final = 10_000


class _WrittenFloat(float):
    """A number that remembers how it was written."""

    text: str

    def __new__(cls, text: str) -> "_WrittenFloat":
        number = super().__new__(cls, text)
        number.text = text
        return number


class _NotANumber(ValueError):
    """NaN or Infinity, which JSON does not know."""


def check_json_lines(file: DeliveryFile, columns: Sequence[str]) -> None:  # noqa: ARG001 -- as for the other formats
    """Check that there is something to read; keys may be absent from a line, so there is no header to check.

    Raises:
        SourceUnreadable: The file is empty or cannot be opened.
    """
    with file.opened():
        pass


def read_json_lines(file: DeliveryFile, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Yield the rows some thousands at a time; a key that a line does not have is null.

    Raises:
        SourceUnreadable: A line is not one JSON object, or the file is not in the contract's encoding.
    """
    rows: list[list[str | None]] = []
    lines: list[int] = []
    for line, record in _records(file):
        rows.append([_text(record.get(name)) for name in columns])
        lines.append(line)
        if len(rows) == _ROWS_AT_A_TIME:
            yield _frame(file, columns, rows, lines)
            rows, lines = [], []
    if rows:
        yield _frame(file, columns, rows, lines)


def _records(file: DeliveryFile) -> Iterator[tuple[int, dict[str, Any]]]:
    decoder = json.JSONDecoder(parse_float=_WrittenFloat, parse_constant=_refuse_constant)
    with file.opened_text(newline="\n") as text:
        for line, written in enumerate(text, start=1):
            if not written.strip():
                continue
            try:
                record = decoder.decode(written)
            except (ValueError, RecursionError):
                raise file.unreadable(f"line {line} is not valid JSON; each line should be one object") from None
            if not isinstance(record, dict):
                raise file.unreadable(f"line {line} is not a JSON object; each line should be one")
            yield line, record


def _refuse_constant(name: str) -> None:
    raise _NotANumber(name)


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, _WrittenFloat):
        return value.text
    return json.dumps(value, ensure_ascii=False)


def _frame(file: DeliveryFile, columns: Sequence[str], rows: list[list[str | None]], lines: list[int]) -> pl.DataFrame:
    try:
        return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    except UnicodeEncodeError:
        line, column = next(
            (line, name)
            for line, row in zip(lines, rows, strict=True)
            for name, cell in zip(columns, row, strict=True)
            if _is_torn(cell)
        )
        raise file.unreadable(f"line {line}: {column!r} holds half of a surrogate pair") from None


def _is_torn(cell: str | None) -> bool:
    return cell is not None and any("\ud800" <= character <= "\udfff" for character in cell)
