"""What the rooms and flows ask of the outside world, as Protocols that adapters fulfil."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import NamedTuple, Protocol

import polars as pl


class KeyProvider(Protocol):
    """Where the root key comes from: a file, the environment, or a key management service.

    The keyring asks for the root keys each time it needs one, and picks the one that its stored keys name.
    """

    def root_keys(self) -> Sequence[bytes]:
        """Return every root key at hand, 32 bytes each: the one in use first, then one that it is being rotated to.

        Raises:
            KeyUnavailable: There is none, or others can read it.
        """
        ...

    def next_root_key(self) -> bytes:
        """Return the root key to rotate to, which ``root_keys`` names from then on: made, or as given.

        Raises:
            KeyUnavailable: There is none, or it cannot be made.
        """
        ...

    def settle(self, root_key: bytes) -> None:
        """Hear that this root key is in use from now on; the others may go. Called again it changes nothing.

        Raises:
            KeyUnavailable: It cannot be put in its place.
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
    """The files, the table or the rows of one source system."""

    @property
    def is_snapshot(self) -> bool:
        """Tell whether what is read is every record of the source, so that one that is absent was deleted there."""
        ...

    def reading(self) -> AbstractContextManager[None]:
        """Hold the source still: what is read within, however often, is one state of it, as far as its kind can promise that.

        Raises:
            SourceUnreadable: It cannot be reached.
        """
        ...

    def fingerprint(self) -> str:
        """Return a digest that changes with any content that the source can tell of without being read whole.

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

    def read(self, table: str, columns: Sequence[str] | None = None, *, where: pl.Expr | None = None) -> pl.DataFrame:
        """Return all versions of all rows of a table, or of those rows that are wanted."""
        ...

    def appended_since(self, table: str, version: int, columns: Sequence[str] | None = None) -> pl.DataFrame | None:
        """Return the rows that were appended to a table after a version; None where more than appending was done to it since."""
        ...

    def index_generations(self) -> tuple[str | None, str | None]:
        """Return the names of the generation of the match index in use and of the one being built; None where there is none."""
        ...

    def index_key_versions(self) -> set[int]:
        """Return the versions of the index key that the match index is stored under."""
        ...

    def read_index(self, part: str, *, generation: str | None = None) -> pl.DataFrame:
        """Return one part of the match index; of the generation in use by default."""
        ...

    def index_segments(self, part: str) -> Iterator[pl.DataFrame]:
        """Yield one part of the generation of the match index in use, segment by segment, the newest first."""
        ...

    def index_owners(self, part: str) -> pl.DataFrame:
        """Return record_id, version of each row of a part of the match index that is of records, in the generation in use."""
        ...

    def materials(self, record_ids: pl.Series, versions: pl.Series) -> pl.Series:
        """Return the key material of each record version: Binary, null where it was shredded or never stored."""
        ...

    def key_mark(self) -> str:
        """Return what changes where key material of records may have been forgotten."""
        ...

    def erasures(self) -> tuple[str, ...]:
        """Return the ids of the erasures that were carried out here."""
        ...

    def consumed(self, stage: str) -> str | None:
        """Return the mark of what a stage last worked on."""
        ...

    def marks(self) -> Mapping[str, str]:
        """Return the mark of what each stage last worked on."""
        ...

    def table_version(self, table: str) -> int | None:
        """Return the version of a table; None where nothing was stored."""
        ...


class TableCommit(Protocol):
    """What stages that work on tables alone ask of a commit."""

    def append(self, table: str, frame: pl.DataFrame) -> None:
        """Add rows to a table."""
        ...

    def replace(self, table: str, frame: pl.DataFrame) -> None:
        """Replace all rows of a table."""
        ...

    def consume(self, stage: str, mark: str) -> None:
        """Note what a stage has worked on."""
        ...


class Commit(TableCommit, Protocol):
    """One change of the lake; it counts when its ``with`` ends well."""

    def abandon(self) -> None:
        """Let nothing of this count."""
        ...

    def add_keys(self, entries: pl.DataFrame) -> None:
        """Store key material (record_id, version, material); call it before storing what it opens."""
        ...

    def forget_keys(self, entries: pl.DataFrame) -> None:
        """Shred what the key material of these (record_id, version) opens, in every copy of the lake."""
        ...

    def reseal_keys(self) -> None:
        """Write the whole key table anew under new keys."""
        ...

    def add_index(self, part: str, frame: pl.DataFrame, *, generation: str) -> None:
        """Store rows of one part of a generation of the match index; the first one ever is the one in use."""
        ...

    def begin_index(self, generation: str) -> None:
        """Begin a generation of the match index beside the one in use; one that was not finished is dropped."""
        ...

    def drop_next_index(self) -> None:
        """Give up the generation that is being built."""
        ...

    def switch_index(self) -> None:
        """Use the generation that was built from now on, and drop the former one."""
        ...

    def rewrite_index(self, part: str, keep: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        """Pass the rows of one part, in all generations, through ``keep``, which may leave some out."""
        ...

    def reencrypt_index(self, limit: int) -> int:
        """Write at most ``limit`` segments that are under a former index key anew; return how many are left."""
        ...

    def remove(self, table: str, column: str, values: pl.Series) -> None:
        """Remove the rows of a table whose column has one of some values."""
        ...

    def purge(self, *tables: str) -> None:
        """Remove the former versions of tables from disk as soon as the commit counts."""
        ...

    def compact(self, table: str) -> None:
        """Merge the small files of a table; its rows stay what they are."""
        ...

    def compact_index(self, part: str, change: Callable[[pl.DataFrame], pl.DataFrame], *, is_whole: bool = False) -> int:
        """Merge small segments of a part of the match index, or all, changing their rows; return how many went into others."""
        ...

    def compact_keys(self) -> int:
        """Merge small segments of the key table; return how many were merged."""
        ...

    def table_version(self, table: str) -> int | None:
        """Return the version that a table has by now; None where nothing was stored."""
        ...

    def carry_out(self, erasure_id: str) -> None:
        """Note that an entry of the ledger of erasures was carried out."""
        ...


class TableWriter(Protocol):
    """A lake that stages commit tables to: stored, or only rehearsed."""

    def snapshot(self) -> Snapshot:
        """Return the lake as of now."""
        ...

    def commit(self, run_id: str) -> AbstractContextManager[TableCommit]:
        """Collect changes and make them count together."""
        ...


class LakeWriter(Protocol):
    """The right to write a lake; one process has it at a time."""

    def snapshot(self) -> Snapshot:
        """Return the lake as of now."""
        ...

    def commit(self, run_id: str) -> AbstractContextManager[Commit]:
        """Collect changes and make them count together."""
        ...

    def vacuum(self, before: datetime) -> tuple[int, int]:
        """Remove what only readers need that began before a moment, UTC; return how many files and bytes."""
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
