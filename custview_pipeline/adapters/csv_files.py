"""CSV as text columns: streamed through Arrow, with the line named where Arrow would quote it."""

import csv
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Final, NamedTuple, TextIO, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.csv

from custview_pipeline.adapters.delivery_file import CHUNK_BYTES, DeliveryFile
from custview_pipeline.kernel.errors import SourceUnreadable

_BLOCK_BYTES: Final = 4 << 20  # the longest row that can be read, and what is held of a file at a time
_LONGEST_FIELD: Final = 64 << 20  # characters; what is longer is a quote left open rather than a cell
_DELIMITERS: Final = frozenset(",;\t|")
_MOST_BYTES_OF_A_CHARACTER: Final = 4  # in UTF-8
_LONGEST_WAIT_SECONDS: Final = 5.0  # for a thread that has one block to read, some milliseconds
_Thing = TypeVar("_Thing")
_END: Final = "\x00end"  # no line of a file that was read without complaint can be this


def check_csv(file: DeliveryFile, columns: Sequence[str]) -> None:
    """Check the header.

    Raises:
        SourceUnreadable: The file is empty, or lacks a column.
    """
    with _opened(file, columns):
        pass


def csv_header(file: DeliveryFile) -> list[str]:
    """Return the fields of the first filled line.

    Raises:
        SourceUnreadable: There is none, or the file cannot be read.
    """
    with _opened(file, ()) as opened:
        return opened.header


def read_csv(file: DeliveryFile, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Yield the rows in pieces of some megabytes.

    Raises:
        SourceUnreadable: The header lacks a column, a row has too many or too few fields, a quote is left open, or the file
            is not in the contract's encoding.
    """
    with _opened(file, columns) as opened:
        body = _Body(opened, file)
        if not body.is_empty:
            yield from _arrow_frames(file, columns, opened.header, body)
        if body.fault is not None:
            raise body.fault
        _check_last_quote(file, body)


class _Opened(NamedTuple):
    text: TextIO  # at the first line after the header
    header: list[str]
    line: int  # of the header's end


@contextmanager
def _opened(file: DeliveryFile, columns: Sequence[str]) -> Iterator[_Opened]:
    with file.opened_text(newline="") as text:
        reader = csv.reader(text, delimiter=file.contract.delimiter)
        try:
            header = next((row for row in reader if row), None)
        except csv.Error:
            raise file.unreadable("the header is not readable as CSV") from None
        if header is None:
            raise file.unreadable("the file is empty")
        if header[0] not in columns and len(header) == 1 and columns and not _DELIMITERS.isdisjoint(header[0]):
            raise file.unreadable(f"the header is one field: is its delimiter {file.contract.delimiter!r}, as the contract says?")
        file.check_header(header, columns)
        yield _Opened(text, header, reader.line_num)


class _Body:
    """What follows the header, as UTF-8, watched for what no text file holds."""

    def __init__(self, opened: _Opened, file: DeliveryFile) -> None:
        self._text, self._file, self._line = opened.text, file, opened.line + 1
        self._left = b""
        self.quotes = 0
        self.fault: SourceUnreadable | None = None  # why the text ends here; raised in Arrow's thread it would outlive that
        self._refill(CHUNK_BYTES)
        self.is_empty = not self._left

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most ``size``; none at the end."""
        if not self._left and self.fault is None:
            self._refill(max(1, size // _MOST_BYTES_OF_A_CHARACTER))
        read, self._left = self._left[:size], self._left[size:]
        return read

    def _refill(self, characters: int) -> None:
        try:
            text = self._text.read(characters)
        except UnicodeError:
            self.fault = self._file.wrong_encoding()
            return
        if (nul := text.find("\x00")) >= 0:
            self.fault = self._file.unreadable(f"line {self._line + text.count(chr(10), 0, nul)} holds a NUL byte")
            return
        self._line += text.count("\n")
        self.quotes += text.count('"')
        self._left = text.encode()


class _Lent:
    """Counts the Python objects that Arrow's thread holds: ``count``."""

    def __init__(self) -> None:
        self.count, self._changed = 0, threading.Condition()

    def lend(self, thing: _Thing) -> _Thing:
        """Return the object, counted until nothing refers to it any more."""
        with self._changed:
            self.count += 1
        weakref.finalize(thing, self._give_back)
        return thing

    def _give_back(self) -> None:
        with self._changed:
            self.count -= 1
            self._changed.notify_all()

    def wait_for_all(self) -> None:
        """Return when Arrow holds none; it lets go of them in its thread, within milliseconds after its reader is gone."""
        with self._changed:
            self._changed.wait_for(lambda: self.count == 0, _LONGEST_WAIT_SECONDS)


class _Feed:
    """A body as Arrow's thread takes it, which reads ahead: a file with ``read``."""

    closed = False

    def __init__(self, body: _Body, lent: _Lent) -> None:
        self._body, self._lent = body, lent

    def read(self, size: int) -> npt.NDArray[np.uint8]:
        """Return the next bytes; an array, for bytes would not tell when they are let go of."""
        return self._lent.lend(np.frombuffer(self._body.read(size), np.uint8))


def _arrow_frames(file: DeliveryFile, columns: Sequence[str], header: list[str], body: _Body) -> Iterator[pl.DataFrame]:
    places = {name: f"field_{header.index(name)}" for name in columns}
    try:
        for batch in _batches(file, header, list(places.values()), body):
            yield pl.DataFrame(batch).select(pl.col(place).alias(name) for name, place in places.items())
    except pa.ArrowInvalid:
        raise body.fault or file.unreadable(_first_misfit(file) or "the file is not readable as CSV") from None


def _batches(file: DeliveryFile, header: list[str], places: list[str], body: _Body) -> Iterator[pa.RecordBatch]:
    """Yield what Arrow reads, and end only when Arrow's thread is done with all that is Python's.

    Where that thread asks for bytes, or lets go of some, while the interpreter exits, because the file was found faulty or a
    sample of it was enough, it aborts the process.
    """
    lent, reader = _Lent(), None
    try:
        reader = pyarrow.csv.open_csv(
            pa.PythonFile(lent.lend(_Feed(body, lent)), mode="r"),
            read_options=pyarrow.csv.ReadOptions(
                column_names=[f"field_{place}" for place in range(len(header))], block_size=_BLOCK_BYTES, use_threads=False
            ),
            parse_options=pyarrow.csv.ParseOptions(delimiter=file.contract.delimiter, newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=places,
                column_types=dict.fromkeys(places, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
        yield from reader
    finally:
        del reader
        lent.wait_for_all()


def _check_last_quote(file: DeliveryFile, body: _Body) -> None:
    """A file cut off inside quotes reads well to its end; an odd number of quotes is the sign to look closer."""
    if body.quotes % 2 and (misfit := _first_misfit(file)):
        raise file.unreadable(misfit)


def _first_misfit(file: DeliveryFile) -> str | None:
    """Return what is wrong with the first row that is not as long as the header; None where all are."""
    with file.opened_text(newline="") as text, _long_fields():
        reader = csv.reader(chain(text, [_END]), delimiter=file.contract.delimiter)
        width, line = 0, 0
        try:
            for row in reader:
                if row == [_END]:
                    return None
                if (misfit := _misfit(row, width, line + 1, is_long=reader.line_num > line + 1)) is not None:
                    return misfit
                width, line = width or len(row), reader.line_num
        except csv.Error:
            pass  # a field longer than any: the same fault as a quote open to the end
        return f"line {line + 1} opens a quote that is never closed"


@contextmanager
def _long_fields() -> Iterator[None]:
    """Let the reader take fields as long as any cell; its limit is one for the whole process."""
    before = csv.field_size_limit(_LONGEST_FIELD)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _misfit(row: list[str], width: int, line: int, *, is_long: bool) -> str | None:
    if any(field.endswith(_END) for field in row):
        return f"line {line} opens a quote that is never closed"
    if not row or not width or len(row) == width:
        length = sum(map(len, row))
        return f"line {line} has {length:,} characters, more than a row may have" if length * 2 > _BLOCK_BYTES else None
    hint = "; is a quote left open?" if is_long else ""
    return f"line {line} has {len(row)} fields where the header has {width}{hint}"
