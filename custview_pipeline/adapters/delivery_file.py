"""One file of a source, wherever it is, and the errors that name it without showing what is in it."""

import codecs
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, RawIOBase, TextIOWrapper
from pathlib import Path
from typing import IO, Final, Literal, Protocol, TextIO, cast

from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.kernel.errors import SourceUnreadable

CHUNK_BYTES: Final = 1 << 20
_PACKED: Final = {b"\x1f\x8b": "packed (gzip)", b"PK\x03\x04": "packed, or an Excel workbook"}


class Place(Protocol):
    """What a ``pathlib.Path`` is, too: something that can be opened for bytes."""

    def open(self, mode: Literal["rb"], /) -> IO[bytes]:
        """Open it.

        Raises:
            OSError: It is not there, or cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class DeliveryFile:
    """One file.

    Attributes:
        path: Where it is: a file of this machine, an object of a store, or bytes in memory.
        name: As errors and batches show it, relative to the project.
        contract: What it should hold.
    """

    path: Place
    name: str
    contract: SourceContract

    @property
    def encoding(self) -> str:
        """Return the codec: that of the contract, which may or may not begin with a byte order mark where it is UTF-8."""
        is_utf8 = codecs.lookup(self.contract.encoding).name == "utf-8"
        return "utf-8-sig" if is_utf8 else self.contract.encoding

    def unreadable(self, what: str) -> SourceUnreadable:
        """Return the error that names source and file."""
        return SourceUnreadable(f"{self.contract.source_system}: {self.name}: {what}")

    @contextmanager
    def opened(self) -> Iterator[BufferedReader]:
        """Open the file for bytes.

        Raises:
            SourceUnreadable: It cannot be opened or read, or has no bytes at all.
        """
        try:
            with self._stream() as stream:
                if not stream.peek(1):
                    raise self.unreadable("the file is empty")
                yield stream
        except OSError as error:
            raise self.unreadable(f"the file cannot be read ({type(error).__name__})") from None

    @contextmanager
    def opened_text(self, *, newline: str) -> Iterator[TextIO]:
        """Open the file for text in the contract's encoding.

        Raises:
            SourceUnreadable: It cannot be read, is empty, is no text at all, or is not in that encoding.
        """
        try:
            with self.opened() as stream:
                self._refuse_packed(stream.peek(1))
                with TextIOWrapper(stream, self.encoding, "strict", newline) as text:
                    yield text
        except UnicodeError:
            raise self.wrong_encoding() from None
        except OSError as error:
            raise self.unreadable(f"the file cannot be read ({type(error).__name__})") from None

    def _stream(self) -> BufferedReader:
        stream = self.path.open("rb")
        # What is no file of this machine need not know how to look ahead.
        return stream if isinstance(stream, BufferedReader) else BufferedReader(cast("RawIOBase", stream), CHUNK_BYTES)

    def _refuse_packed(self, start: bytes) -> None:
        for magic, what in _PACKED.items():
            if start.startswith(magic):
                raise self.unreadable(f"the file is {what}, and no text as the contract's format is")

    def wrong_encoding(self) -> SourceUnreadable:
        """Return the error that says where the file leaves the contract's encoding."""
        what = f"not {self.contract.encoding}, which the contract says"
        decoder = codecs.getincrementaldecoder(self.encoding)("strict")
        done = lines = 0
        with self.opened() as stream:
            while chunk := stream.read(CHUNK_BYTES):
                done += len(chunk)
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError as error:
                    # The decoder may still have held bytes of the chunk before.
                    position = done - len(error.object) + error.start
                    lines += chunk[: max(0, position - (done - len(chunk)))].count(b"\n")
                    return self.unreadable(f"line {lines + 1} (byte {position + 1}) is {what}")
                except UnicodeError:
                    return self.unreadable(f"the file is {what}")
                lines += chunk.count(b"\n")
        return self.unreadable(f"the last character is cut off, or {what}")

    def check_header(self, header: Sequence[str], columns: Sequence[str]) -> None:
        """Check that the file has every column once; its other columns do not matter.

        The names found are never shown: in a file without a header they would be somebody's values.

        Raises:
            SourceUnreadable: A column is missing or there twice.
        """
        if missing := [name for name in columns if name not in header]:
            listed = ", ".join(map(repr, missing))
            raise self.unreadable(f"the header lacks {listed}, which {Path(self.contract.file).name or 'the contract'} describes")
        if repeated := [name for name in columns if header.count(name) > 1]:
            raise self.unreadable(f"the header has {', '.join(map(repr, repeated))} twice")
