"""The manifest: the one small file that says what a lake holds. Readers start from it; a commit ends with it."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

FORMAT_VERSION = 1


class Manifest(BaseModel):
    """The state of a lake.

    Attributes:
        sequence: Number of commits so far.
        key_check: Recognises a lake that was made under another key; says nothing about the key.
        tables: Delta version of each table.
        index_segments: File names of the match index, by part, oldest first.
        key_segments: File names of the key table, oldest first.
        consumed: What each stage has worked on, as a mark that changes with its inputs.
        run_id: The run that made this state.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: int = FORMAT_VERSION
    sequence: int = 0
    key_check: str
    tables: dict[str, int] = Field(default_factory=dict)
    index_segments: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    key_segments: tuple[str, ...] = ()
    consumed: dict[str, str] = Field(default_factory=dict)
    run_id: str = ""
    committed_at: datetime | None = None
