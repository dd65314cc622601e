"""The ledger of erasures as a file of the key directory: append-only, private, and never restored away with the lake."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import polars as pl
from filelock import FileLock, Timeout

from custview_pipeline.adapters.private_files import make_private, read_private, sync_directory
from custview_pipeline.contracts.erasure import Erasure, LedgerLine, parse_ledger, written_lines
from custview_pipeline.kernel.errors import LedgerDamaged

LEDGER_FILE: Final = "erasures.jsonl"
_LOCK_FILE: Final = "erasures.lock"
_WAIT_SECONDS: Final = 30.0  # for another entry to be written; each takes milliseconds


class ErasureLedger:
    """What was asked to be erased, and what was carried out.

    Args:
        directory: The key directory.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / LEDGER_FILE

    def lines(self) -> tuple[LedgerLine, ...]:
        """Return every line, the oldest first.

        Raises:
            KeyUnavailable: It cannot be read, or others can read it.
            LedgerDamaged: A line is none of a ledger.
        """
        return self._parsed(read_private(self._path) or b"")

    def entries(self) -> tuple[Erasure, ...]:
        """Return what was asked to be erased, the oldest first.

        Raises:
            KeyUnavailable, LedgerDamaged: See ``lines``.
        """
        return tuple(line for line in self.lines() if isinstance(line, Erasure))

    def record_marks(self) -> pl.Series:
        """Return the suppression marks of all erased records, each once, Int64.

        Raises:
            KeyUnavailable, LedgerDamaged: See ``lines``.
        """
        marks = {mark for entry in self.entries() for mark in entry.record_marks}
        return pl.Series("mark", sorted(marks), dtype=pl.Int64)

    def append(self, *lines: LedgerLine) -> None:
        """Write lines and force them to disk.

        Raises:
            KeyUnavailable, LedgerDamaged: It cannot be read or written; then nothing was noted.
        """
        self._add(lambda _: lines)

    def merge(self, lines: Iterable[LedgerLine]) -> int:
        """Add the lines that are not there yet, and return how many: a restored backup never takes one away.

        Raises:
            KeyUnavailable, LedgerDamaged: It cannot be read or written; then nothing was added.
        """
        offered = tuple(dict.fromkeys(lines))
        return self._add(lambda known: tuple(line for line in offered if line not in set(known)))

    def _add(self, choose: Callable[[tuple[LedgerLine, ...]], tuple[LedgerLine, ...]]) -> int:
        """Add what ``choose`` makes of the lines that are there, behind the last finished one; return how many lines that is."""
        make_private(self._directory)
        try:
            with FileLock(self._directory / _LOCK_FILE, timeout=_WAIT_SECONDS, mode=0o600):
                content = read_private(self._path) or b""
                added = choose(self._parsed(content))
                if added:
                    _write_behind(self._path, content.rfind(b"\n") + 1, written_lines(added))
                return len(added)
        except Timeout:
            raise LedgerDamaged(f"{self._path}: another process has held it for {_WAIT_SECONDS:.0f} s") from None
        except OSError as error:
            raise LedgerDamaged(f"{self._path}: cannot be written ({error.strerror}); nothing was noted in it") from None

    def _parsed(self, content: bytes) -> tuple[LedgerLine, ...]:
        try:
            return parse_ledger(content)
        except ValueError as error:  # it has the number of the line, and nothing of the line
            raise LedgerDamaged(f"{self._path}: {error} is none of a ledger of erasures: restore a key backup") from None


def _write_behind(path: Path, end: int, text: bytes) -> None:
    """Write a text behind the first ``end`` bytes of a file and force it to disk; where that fails the file ends there.

    Raises:
        OSError: It cannot be written.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.ftruncate(descriptor, end)
        os.lseek(descriptor, end, os.SEEK_SET)
        left = memoryview(text)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
        sync_directory(path.parent)
    except BaseException:
        os.ftruncate(descriptor, end)
        raise
    finally:
        os.close(descriptor)
