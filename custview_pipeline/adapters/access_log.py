"""The access log: who saw what, and why. Append-only, each entry chained to the one before, the last one known to an anchor."""

import os
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from filelock import FileLock

from custview_pipeline.adapters.access_anchor import read_anchor, write_anchor
from custview_pipeline.adapters.private_files import sync_directory
from custview_pipeline.kernel.errors import LakeDamaged, WrongKey
from custview_pipeline.protection.access_chain import (
    LONGEST_LINE,
    START,
    Access,
    Entry,
    Link,
    is_sealed,
    line_of,
    link_of,
    make_entry,
    read_entry,
)
from custview_pipeline.protection.access_check import ChainReport, check_chain
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import Purpose

LOG_FILE: Final = "access_log.jsonl"
_WAIT_SECONDS: Final = 30.0  # for another entry to be written; each takes milliseconds
_BLOCK_BYTES: Final = 1 << 13


class AccessLog:
    """The log of one lake.

    Args:
        lake: Directory of the lake.
        keys: The key directory, where the anchor is.
        keyring: The keys.
    """

    def __init__(self, lake: Path, keys: Path, keyring: Keyring) -> None:
        self._path = lake / LOG_FILE
        self._keys = keys
        self._keyring = keyring

    def append(self, access: Access) -> None:
        """Write one entry and force it to disk; call it before the first value is opened.

        A log that does not fit its anchor goes on: the entry says so, and ``verify`` tells it for ever.

        Raises:
            LakeDamaged: The log cannot be read or written; then nothing may be revealed.
            KeyUnavailable: The anchor cannot; the same holds.
        """
        try:
            with FileLock(self._path.with_suffix(".lock"), timeout=_WAIT_SECONDS, mode=0o600), _Opened(self._path) as log:
                write_anchor(self._keys, self._append(log, access))
        except OSError as error:
            raise self._unwritable(error.strerror or "another process has held it for long") from None

    def verify(self) -> ChainReport:
        """Check every entry against its seal, its place and the anchor.

        Raises:
            LakeDamaged: The log cannot be read.
            KeyUnavailable: The anchor cannot be read.
        """
        anchor = read_anchor(self._keys)  # first: an entry that is written meanwhile is then later than the anchor, which is fine
        return check_chain(_lines(self._path), self._key, anchor)

    def _append(self, log: "_Opened", access: Access) -> Link:
        end = self._end_of(log)
        anchor = read_anchor(self._keys)
        content = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), **asdict(access)}
        if not log.fits(anchor, end.last):
            content["anchor_before"] = anchor
        if end.torn_bytes:
            content["torn_before"] = end.torn_bytes
        entry = make_entry(content, end.last, *self._keyring.current(Purpose.LOG))
        log.write_at(end.position, end.missing + line_of(entry) + b"\n")
        return link_of(entry)

    def _end_of(self, log: "_Opened") -> "_End":
        """Return where the next entry goes: after the last one, over what a crash left of one that never counted."""
        lines = log.lines_backwards()
        torn, last = next(lines), next(lines, None)
        before = START if last is None else self._link_of(last)
        whole = read_entry(torn)
        if whole is not None and whole["before"] == before.mac and self._is_sealed(whole):
            return _End(link_of(whole), log.size, missing=b"\n")
        return _End(before, log.size - len(torn), torn_bytes=len(torn))

    def _link_of(self, line: bytes) -> Link:
        entry = read_entry(line)
        if entry is None:
            raise self._unwritable("its last line is no entry: see custview access verify; moved away, a new log tells the gap")
        return link_of(entry)

    def _is_sealed(self, entry: Entry) -> bool:
        key = self._key(entry["key_version"])
        return key is not None and is_sealed(entry, key)

    def _key(self, version: int) -> bytes | None:
        try:
            return self._keyring.key(Purpose.LOG, version)
        except WrongKey:
            return None

    def _unwritable(self, why: str) -> LakeDamaged:
        return LakeDamaged(f"the access log {self._path} cannot be written ({why}), so nothing is revealed")


def logged(lake: Path) -> Iterator[Entry | None]:
    """Yield the entries of a lake's log as they stand, None for a line that is no entry; nothing is checked.

    Raises:
        LakeDamaged: The log cannot be read.
    """
    return (read_entry(line) for line, _ in _lines(lake / LOG_FILE))


class _End(NamedTuple):
    """How a log ends.

    Attributes:
        last: The last entry.
        position: Byte at which the next one is written.
        torn_bytes: Bytes from there on that are no whole entry.
        missing: What the last entry lacks.
    """

    last: Link
    position: int
    torn_bytes: int = 0
    missing: bytes = b""


class _Opened:
    """A log opened for one more entry; only its end is read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> "_Opened":
        self._is_new = not self._path.exists()
        self._file = os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
        self.size = self._file.seek(0, os.SEEK_END)
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def lines_backwards(self) -> Iterator[bytes]:
        """Yield first what follows the last line break, then the lines, the last first.

        Raises:
            OSError: A line is too long for an entry.
        """
        rest, position = b"", self.size
        while position:
            count = min(_BLOCK_BYTES, position)
            position -= count
            rest, *lines = (self._read(position, count) + rest).split(b"\n")
            yield from reversed(lines)
            if len(rest) > LONGEST_LINE:
                raise OSError(0, "a line is too long for an entry: see custview access verify")
        yield rest

    def fits(self, anchor: Link | None, last: Link) -> bool:
        """Return whether the log has the entry that the anchor knows; of entries that came after it nothing is known."""
        if anchor is None:
            return last == START
        if anchor.sequence >= last.sequence:
            return anchor == last
        lines = self.lines_backwards()
        next(lines)  # no entry that counts, or ``last`` itself
        for line in lines:
            entry = read_entry(line)
            if entry is not None and entry["sequence"] <= anchor.sequence:
                return link_of(entry) == anchor
        return False

    def write_at(self, position: int, text: bytes) -> None:
        """Write the end of the log and force it to disk; where that fails the log is as it was, as far as that can be done."""
        kept = self._read(position, self.size - position)
        try:
            self._write(position, text)
            self._file.truncate(position + len(text))
            os.fsync(self._file.fileno())
        except OSError:
            self._write(position, kept)
            self._file.truncate(self.size)
            raise
        if self._is_new:
            sync_directory(self._path.parent)

    def _read(self, position: int, count: int) -> bytes:
        pieces = []
        while count and (piece := os.pread(self._file.fileno(), count, position)):
            pieces.append(piece)
            position, count = position + len(piece), count - len(piece)
        return b"".join(pieces)

    def _write(self, position: int, text: bytes) -> None:
        while text:
            written = os.pwrite(self._file.fileno(), text, position)
            position, text = position + written, text[written:]


def _lines(path: Path) -> Iterator[tuple[bytes, bool]]:
    """Yield the lines without their line breaks, and whether each ends in one; one too long for an entry comes cut."""
    try:
        with path.open("rb") as file:
            while line := file.readline(LONGEST_LINE + 1):
                text, is_finished = line.removesuffix(b"\n"), line.endswith(b"\n")
                while not is_finished and (more := file.readline(LONGEST_LINE)):
                    is_finished = more.endswith(b"\n")
                yield text, is_finished
    except FileNotFoundError:
        return
    except OSError as error:
        raise LakeDamaged(f"the access log {path} cannot be read ({error.strerror})") from None
