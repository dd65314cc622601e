"""A lake in memory: what the flows behind matching ask of one, without files and keys, so that many can be filled in a second."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import polars as pl

from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline_tests.factories import index_claims


class MemoryLake:
    """Tables as lists of what was appended; it is its own snapshot and its own commit."""

    def __init__(self) -> None:
        self.appended: dict[str, list[pl.DataFrame]] = {}
        self.claims: list[pl.DataFrame] = []
        self.marks: dict[str, str] = {}
        self.commits = 0

    def snapshot(self) -> "MemoryLake":
        """Return the lake as of now: nothing is written while it is read."""
        return self

    @contextmanager
    def commit(self, _run_id: str) -> Iterator["MemoryLake"]:
        """Count a commit."""
        yield self
        self.commits += 1

    def append(self, table: str, frame: pl.DataFrame) -> None:
        """Add rows that keep their contract to a table."""
        CONTRACTS[table].assert_holds(frame)
        if not frame.is_empty() or table not in self.appended:
            self.appended.setdefault(table, []).append(frame)

    def replace(self, table: str, frame: pl.DataFrame) -> None:
        """Replace all rows of a table, so that nobody can tell what was appended."""
        self.appended[table] = [*([] for _ in self.appended.get(table, ())), frame]

    def consume(self, stage: str, mark: str) -> None:
        """Note what a stage has worked on."""
        self.marks[stage] = mark

    def consumed(self, stage: str) -> str | None:
        """Return the mark of what a stage last worked on."""
        return self.marks.get(stage)

    def read(self, table: str, columns: Sequence[str] | None = None, *, where: pl.Expr | None = None) -> pl.DataFrame:
        """Return rows of a table."""
        rows = pl.concat([CONTRACTS[table].empty(), *self.appended.get(table, ())])
        wanted = rows if where is None else rows.filter(where)
        return wanted.select(columns or pl.all())

    def appended_since(self, table: str, version: int, columns: Sequence[str] | None = None) -> pl.DataFrame | None:
        """Return the rows that were appended to a table after a version."""
        return pl.concat([CONTRACTS[table].empty(), *self.appended[table][version + 1 :]]).select(columns or pl.all())

    def table_version(self, table: str) -> int | None:
        """Return the version of a table."""
        return len(self.appended[table]) - 1 if table in self.appended else None

    def index_generations(self) -> tuple[None, None]:
        """Return that the index is of no generation, and so never out of date."""
        return None, None

    def index_segments(self, _part: str) -> Iterator[pl.DataFrame]:
        """Yield the claims, the newest first."""
        yield from reversed(self.claims or [index_claims()])

    def materials(self, record_ids: pl.Series, _versions: pl.Series) -> pl.Series:
        """Return that every record has its key."""
        return pl.Series([bytes(12)] * len(record_ids), dtype=pl.Binary)
