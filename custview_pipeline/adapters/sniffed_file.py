"""What form a file has that nobody has described: its format, encoding and delimiter, told by its first bytes."""

import codecs
import csv
from collections import Counter
from pathlib import Path
from typing import Final, NamedTuple

from custview_pipeline.contracts.source_contract import FileFormat
from custview_pipeline.kernel.errors import SourceUnreadable

_CHUNK_BYTES: Final = 1 << 20
_AROUND_BYTES: Final = 1 << 16
_DELIMITERS: Final = ",;\t|"
_LINES: Final = 200
_FORMATS: Final[dict[bytes, FileFormat]] = {b"PAR1": "parquet", b"PK\x03\x04": "xlsx"}
_REFUSED: Final = {
    b"\x1f\x8b": "the file is packed (gzip): unpack it first",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls), or one with a password: save it as .xlsx without",
}
_MARKS: Final = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_FIRST_OF_PAIR, _HIGH_SECOND = 0x81, 0xA1


class Form(NamedTuple):
    """How a file is read.

    Attributes:
        encoding_why: By what the encoding was seen, where it is not UTF-8.
    """

    file_format: FileFormat
    encoding: str = "utf-8"
    delimiter: str = ","
    encoding_why: str = ""


def sniff(path: Path) -> Form:
    """Return the form of a file.

    Raises:
        SourceUnreadable: It is empty, cannot be opened, or is of a kind that is not read.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(_CHUNK_BYTES)
        encoding, why = _encoding(path, start)
    except OSError as error:
        raise SourceUnreadable(f"{path.name}: the file cannot be read ({type(error).__name__})") from None
    packed = next((file_format for magic, file_format in _FORMATS.items() if start.startswith(magic)), None)
    if packed is not None:
        return Form(packed)
    text = start.decode(encoding, "replace").lstrip("\ufeff").lstrip()
    if (reason := _reason_to_refuse(start, text, encoding)) is not None:
        raise SourceUnreadable(f"{path.name}: {reason}")
    if text.startswith("{"):
        return Form("jsonl", encoding, encoding_why=why)
    return Form("csv", encoding, _delimiter(text), why)


def _reason_to_refuse(start: bytes, text: str, encoding: str) -> str | None:
    if (packed := next((reason for magic, reason in _REFUSED.items() if start.startswith(magic)), None)) is not None:
        return packed
    if b"\x00" in start and not encoding.startswith("utf"):
        return "neither text nor Parquet nor an Excel workbook (.xlsx)"
    if not text.strip():
        return "the file is empty"
    if text.startswith("["):
        return "a JSON array; JSON lines are needed, one object a line"
    return None


def _encoding(path: Path, start: bytes) -> tuple[str, str]:
    """Return the encoding, and by what it was seen."""
    for mark, named in _MARKS.items():
        if start.startswith(mark):
            return named, "sure: the file begins with its mark"
    foreign = _first_foreign(path)
    if foreign is None:
        return "utf-8", ""
    if _is_chinese(foreign):
        return "gb18030", "likely: the file is not UTF-8, and its characters are pairs of bytes as in Chinese"
    is_windows = any(0x80 <= byte < 0xA0 for byte in foreign)  # noqa: PLR2004 -- of Latin-1 these are control characters
    named = "cp1252" if is_windows else "latin-1"
    return named, "likely: the file is not UTF-8, and its letters with accents are single bytes"


def _first_foreign(path: Path) -> bytes | None:
    """Return what is around the first bytes that are not UTF-8; None where all are."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    done = 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                stream.seek(max(0, done + len(chunk) - len(error.object) + error.start))
                return stream.read(_AROUND_BYTES)
            done += len(chunk)
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:  # cut off within its last character
            return None
    return None


def _is_chinese(piece: bytes) -> bool:
    """Return whether a piece reads as GB18030 and most second bytes are those of common characters.

    A letter with an accent in Latin-1 stands before a small letter, a space or a sign, which are low bytes.
    """
    whole = piece[:-4] if len(piece) == _AROUND_BYTES else piece  # the piece may end within a character
    try:
        codecs.getincrementaldecoder("gb18030")("strict").decode(whole)
    except UnicodeDecodeError:
        return False
    seconds, place = Counter[bool](), 0
    while place < len(whole) - 1:
        is_pair = whole[place] >= _FIRST_OF_PAIR
        if is_pair:
            seconds[whole[place + 1] >= _HIGH_SECOND] += 1
        place += 2 if is_pair else 1
    return seconds[True] > seconds[False]


def _delimiter(text: str) -> str:
    """Return the delimiter that parts the first lines into most fields, equally many in each."""
    lines = text.splitlines(keepends=True)[:_LINES]
    whole = lines[:-1] if len(lines) > 1 else lines  # the last may be cut off
    best, width = ",", 1
    for delimiter in _DELIMITERS:
        try:
            widths = Counter(len(row) for row in csv.reader(whole, delimiter=delimiter) if row)
        except csv.Error:
            continue
        (fields, count), *_ = widths.most_common(1) or [(1, 0)]
        if fields > width and count * 2 > widths.total():
            best, width = delimiter, fields
    return best
