"""The search for marked values in whatever a run leaves behind: raw bytes in every encoding, and what is in them, decoded."""

import base64
import gzip
import itertools
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final, Self

import polars as pl

from custview_pipeline.adapters.encrypted_parquet import read_encrypted
from custview_pipeline.protection.keyring import Keyring

_LEAST: Final = 6  # characters of a word that is searched by itself; shorter ones turn up by accident
_LEAST_DIGITS: Final = 9  # of a number that is searched without its punctuation
_ALIGNMENTS: Final = 3  # base64 writes three bytes as four characters, so a text has three looks
_SQLITE: Final = b"SQLite format 3\x00"
_PARQUET, _ENCRYPTED, _GZIP = b"PAR1", b"PARE", b"\x1f\x8b"

Finds = set[str]
Piece = bytes | pl.Series


class Search:
    """Looks for values in bytes, frames, files and folders; what it returns names the values found, empty where there is none.

    Args:
        patterns: What to look for, and the value it would show.
        numbers: Whole numbers to look for in numeric columns, and the value each would show.
    """

    def __init__(self, patterns: Mapping[bytes, str], numbers: Mapping[int, str]) -> None:
        self._patterns = {pattern.decode("latin-1"): value for pattern, value in patterns.items()}
        self._numbers = dict(numbers)

    @classmethod
    def for_texts(cls, texts: Iterable[str]) -> Self:
        """Return a search for texts and each of their longer words and numbers, in any case and usual encoding."""
        patterns: dict[bytes, str] = {}
        numbers: dict[int, str] = {}
        for text in texts:
            digits = re.sub(r"\D", "", text)
            is_number = len(digits) >= _LEAST_DIGITS and not re.search(r"[^\W\d]", text)
            words = [word for word in re.split(r"[\W_]+", text) if len(word) >= _LEAST or not word.isascii()]
            for term in {text, *words, *([digits] if is_number else [])}:
                patterns |= dict.fromkeys(_looks_of(term), text)
            if is_number:
                numbers[int(digits)] = text
        return cls(patterns, numbers)

    @classmethod
    def for_secrets(cls, secrets: Mapping[str, bytes]) -> Self:
        """Return a search for keys by their names, raw, in hexadecimal and in base64."""
        return cls({look: name for name, secret in secrets.items() for look in _looks_of_bytes(secret)}, {})

    def in_bytes(self, content: bytes) -> Finds:
        """Search raw bytes, in any case of ASCII letters too."""
        return self.in_pieces([("", content)]).get("", set())

    def in_text(self, text: str) -> Finds:
        """Search text."""
        return self.in_bytes(text.encode("utf-8", "surrogateescape"))

    def in_frame(self, frame: pl.DataFrame) -> Finds:
        """Search every cell, those inside lists and structs too."""
        return self.in_pieces(("", piece) for piece in frame_pieces(frame)).get("", set())

    def in_file(self, path: Path, keyring: Keyring | None = None) -> Finds:
        """Search a file raw and decoded."""
        return self.in_pieces(("", piece) for piece in file_pieces(path, keyring)).get("", set())

    def in_folder(self, folder: Path, keyring: Keyring | None = None, *, leaving_out: Iterable[Path] = ()) -> dict[str, Finds]:
        """Search every file of a folder, and their names; return the finds by file."""
        skipped = tuple(leaving_out)
        paths = [path for path in sorted(folder.rglob("*")) if not any(path.is_relative_to(other) for other in skipped)]
        pieces = [(str(path.relative_to(folder)), path.name.encode("utf-8", "surrogateescape")) for path in paths]
        for path in paths:
            if path.is_file() and not path.is_symlink():
                pieces.extend((str(path.relative_to(folder)), piece) for piece in file_pieces(path, keyring))
        return self.in_pieces(pieces)

    def in_pieces(self, pieces: Iterable[tuple[str, Piece]]) -> dict[str, Finds]:
        """Search the pieces of many places at once; return the finds by place, without the places that hold nothing."""
        found: dict[str, Finds] = defaultdict(set)
        places, texts = [], []
        for place, piece in pieces:
            if isinstance(piece, bytes):
                places += [place, place]
                texts += [piece.decode("latin-1"), piece.lower().decode("latin-1")]
            else:
                found[place] |= {self._numbers[number] for number in piece.filter(piece.is_in(list(self._numbers)))}
        # One pass over all texts settles the usual case, that nothing is there.
        hits = pl.Series(texts, dtype=pl.String).str.contains_any(list(self._patterns))
        for place, text in itertools.compress(zip(places, texts, strict=True), hits):
            found[place] |= {value for pattern, value in self._patterns.items() if pattern in text}
        return {place: finds for place, finds in found.items() if finds}


def file_pieces(path: Path, keyring: Keyring | None) -> Iterator[Piece]:
    """Yield the content of a file raw and, where it is Parquet, an encrypted segment, SQLite or gzip, decoded."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return  # gone since the folder was listed
    yield content
    if content.startswith(_PARQUET):
        yield from frame_pieces(pl.read_parquet(path))
    elif content.startswith(_ENCRYPTED) and keyring is not None:
        yield from frame_pieces(read_encrypted(path, keyring))
    elif content.startswith(_SQLITE):
        yield from sqlite_pieces(path)
    elif content.startswith(_GZIP):
        yield gzip.decompress(content)


def frame_pieces(frame: pl.DataFrame) -> Iterator[Piece]:
    """Yield the cells of a frame, a column a piece: whole numbers as they are, everything else as bytes."""
    for column in frame.get_columns():
        if isinstance(column.dtype, pl.List | pl.Array):
            yield from frame_pieces(column.explode().to_frame())
        elif isinstance(column.dtype, pl.Struct):
            yield from frame_pieces(column.struct.unnest())
        elif column.dtype == pl.Binary:
            yield b"\n".join(column.drop_nulls())
        elif isinstance(column.dtype, pl.Map):  # of a checkpoint of Delta's log
            yield "\n".join(map(str, column.drop_nulls().to_list())).encode("utf-8", "surrogateescape")
        elif column.dtype.is_integer():
            yield column.drop_nulls().cast(pl.Int128)
        else:
            yield "\n".join(column.drop_nulls().cast(pl.String)).encode("utf-8", "surrogateescape")


def sqlite_pieces(path: Path) -> Iterator[Piece]:
    """Yield the cells of every table of a SQLite file."""
    texts, numbers = [], []
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for cell in (cell for table in tables for row in database.execute(f'SELECT * FROM "{table}"') for cell in row):
            if isinstance(cell, int):
                numbers.append(cell)
            elif cell is not None:
                texts.append(cell if isinstance(cell, bytes) else str(cell).encode("utf-8", "surrogateescape"))
    yield b"\n".join(texts)
    yield pl.Series(numbers, dtype=pl.Int128)


def _looks_of(term: str) -> set[bytes]:
    """Return how a text may look in a file; the looks that keep its letters are in small ones, for content is searched so too."""
    small = term.lower()
    looks = {small.encode(), small.encode("gb18030"), small.encode("unicode_escape")}
    # From the first letter to the last, little and big endian look alike where letters are ASCII.
    looks |= {small.encode(name)[:-cut] for name, cut in (("utf-16-le", 1), ("utf-32-le", 3))} if small.isascii() else set()
    looks |= {small.encode(name) for name in ("utf-16-le", "utf-16-be")}
    for spelling in {term, small, term.upper(), term.title()}:
        looks |= _looks_of_bytes(spelling.encode()) | _looks_of_bytes(spelling.encode("utf-16-le"))
    return looks


def _looks_of_bytes(content: bytes) -> set[bytes]:
    looks = {content, content.hex().encode(), content.hex().upper().encode()}
    for shift in range(_ALIGNMENTS):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            written = encode(bytes(shift) + content)
            # The first and the last character also depend on what stands beside the text.
            first = -(-shift * 4 // 3)
            looks.add(written[first : (shift + len(content)) * 4 // 3])
    return looks
