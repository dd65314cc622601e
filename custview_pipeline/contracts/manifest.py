"""The manifest: the one small file that says what a lake holds. Readers start from it; a commit ends with it."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

FORMAT_VERSION: Final = 3


class WriterLock(StrEnum):
    """What the one writer of a lake holds."""

    FILE = "file"
    POSTGRESQL = "postgresql"


class IndexGeneration(BaseModel):
    """The match index as made under one set of rules and one version of the token key: tokens of two generations never meet.

    Attributes:
        name: What its tokens have in common.
        segments: File names by part, oldest first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    segments: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    def names(self) -> tuple[str, ...]:
        """Return the file names of all parts."""
        return tuple(name for names in self.segments.values() for name in names)


class RetiredSegment(BaseModel):
    """A segment that holds nothing any more that counts; it stays for readers that began before another took its place.

    Attributes:
        name: File name.
        is_of_index: Whether it is of the match index; else of the key table.
        retired_at: Since when.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    is_of_index: bool
    retired_at: datetime


class Manifest(BaseModel):
    """The state of a lake.

    Attributes:
        sequence: Number of commits so far.
        key_check: Recognises a lake that was made under another key; says nothing about the key.
        tables: Delta version of each table.
        index: The generation of the match index that matching uses; None before the first delivery.
        next_index: The generation that is being built beside it; None where none is.
        key_segments: File names of the key table, oldest first.
        shard_floors: By shard of the key table, the oldest generation of its key that counts; keys below it are to be destroyed.
        retired: Segments that a compaction replaced.
        unpurged: Tables whose former versions have to be removed from disk.
        erasures: Entries of the ledger of erasures that were carried out here.
        consumed: What each stage has worked on, as a mark that changes with its inputs.
        run_id: The run that made this state.
        writer_lock: What a writer has to hold: the file in the lake alone, or a lock in the project's PostgreSQL besides.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: int = FORMAT_VERSION
    sequence: int = 0
    key_check: str
    tables: dict[str, int] = Field(default_factory=dict)
    index: IndexGeneration | None = None
    next_index: IndexGeneration | None = None
    key_segments: tuple[str, ...] = ()
    shard_floors: dict[int, int] = Field(default_factory=dict)
    retired: tuple[RetiredSegment, ...] = ()
    unpurged: tuple[str, ...] = ()
    erasures: tuple[str, ...] = ()
    consumed: dict[str, str] = Field(default_factory=dict)
    run_id: str = ""
    writer_lock: WriterLock = WriterLock.FILE
    committed_at: datetime | None = None

    def generations(self) -> tuple[IndexGeneration, ...]:
        """Return the generations of the match index that are stored, the one in use first."""
        return tuple(generation for generation in (self.index, self.next_index) if generation is not None)

    def segment_names(self) -> set[str]:
        """Return the file names of every segment that must stay: of the key table, the match index, and retired ones."""
        generations = (name for generation in self.generations() for name in generation.names())
        return {*self.key_segments, *generations, *(segment.name for segment in self.retired)}
