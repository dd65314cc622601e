"""JSON Lines as text columns: one object a line, numbers as they are written, what is nested as JSON."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import polars as pl

from custview_pipeline.adapters.delivery_file import DeliveryFile
from custview_pipeline.adapters.plain_json import read_plain_json
from custview_pipeline.kernel.errors import SourceUnreadable

_LINES_AT_A_TIME: Final = 10_000
_EXAMPLES: Final = 20


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
    """Check that there is something to read; a line may lack fields, so there is no header to check (see ``check_fields``).

    Raises:
        SourceUnreadable: The file is empty or cannot be opened.
    """
    with file.opened():
        pass


def json_fields(file: DeliveryFile, rows: int) -> list[str]:
    """Return the fields that the first lines have, in the order in which they are met.

    Raises:
        SourceUnreadable: A line is not one JSON object, or the file is not in the contract's encoding.
    """
    fields: dict[str, None] = {}
    for _, (_, record) in zip(range(rows), _records(file), strict=False):
        fields |= dict.fromkeys(record)
    return list(fields)


def read_json_lines(file: DeliveryFile, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Yield the rows some thousands at a time; a field that a line does not have is null.

    Raises:
        SourceUnreadable: A line is not one JSON object, or the file is not in the contract's encoding.
    """
    with file.opened_text(newline="\n") as text:
        first = 1
        while lines := list(islice(text, _LINES_AT_A_TIME)):
            frame = _read(file, columns, lines, first)
            first += len(lines)
            if frame.height:
                yield frame


def check_fields(files: Sequence[DeliveryFile], columns: Sequence[str]) -> None:
    """Check that each column is a field of some line of some file, be it null there; reading stops where all have been met.

    A field that no line has is the mistake that a header without the column is: it was renamed, in the source or the contract.

    Raises:
        SourceUnreadable: There are lines, and none of them has one of the columns.
    """
    missing, has_lines = list(columns), False
    for file in files:
        for _, record in _records(file) if missing else ():
            has_lines = True
            missing = [name for name in missing if name not in record]
            if not missing:
                break
    if missing and has_lines:
        contract = files[0].contract
        place = files[0].name if len(files) == 1 else contract.path_pattern
        described = f"which {Path(contract.file).name or 'the contract'} describes"
        raise SourceUnreadable(f"{contract.source_system}: {place}: no line has {', '.join(map(repr, missing))}, {described}")


def _records(file: DeliveryFile) -> Iterator[tuple[int, dict[str, Any]]]:
    with file.opened_text(newline="\n") as text:
        for line, written in enumerate(text, start=1):
            record = _record(file, written, line)
            if record is not None:
                yield line, record


def _record(file: DeliveryFile, written: str, line: int) -> dict[str, Any] | None:
    """Return the object of a line; None where it is blank."""
    if not written.strip():
        return None
    try:
        record = _DECODER.decode(written)
    except (ValueError, RecursionError):
        raise file.unreadable(f"line {line} is not valid JSON; each line should be one object") from None
    if not isinstance(record, dict):
        raise file.unreadable(f"line {line} is not a JSON object; each line should be one")
    return record


def _read(file: DeliveryFile, columns: Sequence[str], written: list[str], first: int) -> pl.DataFrame:
    """Return the rows of some lines, of which the first has the number ``first``."""
    examples = [record for line, text in enumerate(written[:_EXAMPLES], first) if (record := _record(file, text, line))]
    is_plain, plain = read_plain_json(pl.Series(written, dtype=pl.String), columns, examples)
    left = [(place, _record(file, written[place], first + place)) for place in (~is_plain).arg_true().to_list()]
    others = [(place, record) for place, record in left if record is not None]
    rows = [[_text(record.get(name)) for name in columns] for _, record in others]
    read = _frame(file, columns, rows, [first + place for place, _ in others])
    if not others:
        return plain
    places = pl.concat([is_plain.arg_true(), pl.Series([place for place, _ in others], dtype=pl.UInt32)])
    return pl.concat([plain, read])[places.arg_sort()]


def _refuse_constant(name: str) -> None:
    raise _NotANumber(name)


_DECODER: Final = json.JSONDecoder(parse_float=_WrittenFloat, parse_constant=_refuse_constant)


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
