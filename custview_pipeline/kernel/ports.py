"""What the rooms and flows ask of the outside world, as Protocols that adapters fulfil."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

import polars as pl


class KeyProvider(Protocol):
    """Where the root key comes from: a file, the environment, or a key management service."""

    def root_key(self) -> bytes:
        """Return the root key, 32 bytes.

        Raises:
            KeyUnavailable: There is none, or others can read it.
        """
        ...

    def describe(self) -> str:
        """Return one line for status pages and errors; never the key."""
        ...


class RawBatch(NamedTuple):
    """Some rows of a source as they came.

    Attributes:
        frame: The contract's columns in its order, all String; an empty cell is null.
        file: File they came from, relative to the project.
        first_row: Position in the file of the first of them, counted from 0.
    """

    frame: pl.DataFrame
    file: str
    first_row: int


class Source(Protocol):
    """The files or tables of one source system."""

    def fingerprint(self) -> str:
        """Return a digest that changes with any content.

        Raises:
            SourceUnreadable: There is nothing to read.
        """
        ...

    def batches(self, columns: Sequence[str] | None = None, *, rows: int = 50_000) -> Iterator[RawBatch]:
        """Read the source, always in the same order.

        Raises:
            SourceUnreadable: It is not as the contract says.
        """
        ...


class Snapshot(Protocol):
    """One state of the lake."""

    def read(self, table: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Return all versions of all rows of a table."""
        ...

    def read_index(self, part: str) -> pl.DataFrame:
        """Return one part of the match index."""
        ...

    def read_keys(self) -> dict[str, bytes]:
        """Return the sealed segments of the key table by their ids, oldest first."""
        ...

    def consumed(self, stage: str) -> str | None:
        """Return the mark of what a stage last worked on."""
        ...

    def table_version(self, table: str) -> int | None:
        """Return the version of a table; None where nothing was stored."""
        ...


class Commit(Protocol):
    """One change of the lake; it counts when its ``with`` ends well."""

    def add_keys(self, entries: pl.DataFrame) -> None:
        """Store key material (record_id, version, material); call it before storing what it opens."""
        ...

    def forget_keys(self, entries: pl.DataFrame) -> None:
        """Shred what the key material of these (record_id, version) opens, by leaving it out of the key table."""
        ...

    def add_index(self, part: str, frame: pl.DataFrame) -> None:
        """Store an encrypted segment of the match index."""
        ...

    def append(self, table: str, frame: pl.DataFrame) -> None:
        """Add rows to a table."""
        ...

    def replace(self, table: str, frame: pl.DataFrame) -> None:
        """Replace all rows of a table."""
        ...

    def consume(self, stage: str, mark: str) -> None:
        """Note what a stage has worked on."""
        ...


class LakeWriter(Protocol):
    """The right to write a lake; one process has it at a time."""

    def snapshot(self) -> Snapshot:
        """Return the lake as of now."""
        ...

    def commit(self, run_id: str) -> AbstractContextManager[Commit]:
        """Collect changes and make them count together."""
        ...


class Progress(Protocol):
    """Who is told how a run is going: a terminal, a log, nobody. It is given names and counts only, never a value."""

    def step(self, stage: str, what: str, count: int) -> None:
        """Hear that a stage has done ``count`` of ``what``."""
        ...

    def done(self, stage: str, report: object) -> None:
        """Hear that a stage ended, and what it reports: the frozen dataclass that its flow returned."""
        ...

    def failed(self, stage: str, reason: str) -> None:
        """Hear that a stage failed, and why, in one line."""
        ...


class Unwatched:
    """Progress that nobody watches."""

    def step(self, stage: str, what: str, count: int) -> None:
        """Say nothing."""

    def done(self, stage: str, report: object) -> None:
        """Say nothing."""

    def failed(self, stage: str, reason: str) -> None:
        """Say nothing."""
