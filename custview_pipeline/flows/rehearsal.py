"""A lake as it would be: what flows store is held in memory beside what is there, and read back as if it were stored."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

import polars as pl

from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.flows.link_rows import Append
from custview_pipeline.kernel.ports import Snapshot


class SupposedLake:
    """A state of a lake with other rows in some of its tables; all else is as it is."""

    def __init__(self, lake: Snapshot, tables: Mapping[str, Append]) -> None:
        """Take the state and what is supposed.

        Args:
            lake: The state.
            tables: By table rows that it holds in addition, or all that it holds.
        """
        self._lake, self._tables = lake, dict(tables)

    def read(self, table: str, columns: Sequence[str] | None = None, *, where: pl.Expr | None = None) -> pl.DataFrame:
        """Return all versions of all rows of a table, or of those rows that are wanted; those supposed come last."""
        if table not in self._tables:
            return self._lake.read(table, columns, where=where)
        supposed, is_all = self._tables[table]
        wanted = (supposed if where is None else supposed.filter(where)).select(columns or pl.all())
        return wanted if is_all else pl.concat([self._lake.read(table, columns, where=where), wanted])

    def appended_since(self, table: str, version: int, columns: Sequence[str] | None = None) -> pl.DataFrame | None:
        """Return the rows that were appended to a table after a version; None where more than appending was done to it since."""
        appended = self._lake.appended_since(table, version, columns)
        if appended is None or table not in self._tables:
            return appended
        supposed, is_all = self._tables[table]
        return None if is_all else pl.concat([appended, supposed.select(columns or pl.all())])

    def table_version(self, table: str) -> int | None:
        """Return the version of a table, a later one than is stored where rows are supposed; None where it has none."""
        version = self._lake.table_version(table)
        return version if table not in self._tables else 0 if version is None else version + 1

    def index_generations(self) -> tuple[str | None, str | None]:
        """Return the names of the generation of the match index in use and of the one being built; None where there is none."""
        return self._lake.index_generations()

    def index_key_versions(self) -> set[int]:
        """Return the versions of the index key that the match index is stored under."""
        return self._lake.index_key_versions()

    def read_index(self, part: str, *, generation: str | None = None) -> pl.DataFrame:
        """Return one part of the match index; of the generation in use by default."""
        return self._lake.read_index(part, generation=generation)

    def index_segments(self, part: str) -> Iterator[pl.DataFrame]:
        """Yield one part of the generation of the match index in use, segment by segment, the newest first."""
        return self._lake.index_segments(part)

    def index_owners(self, part: str) -> pl.DataFrame:
        """Return record_id, version of each row of a part of the match index that is of records, in the generation in use."""
        return self._lake.index_owners(part)

    def materials(self, record_ids: pl.Series, versions: pl.Series) -> pl.Series:
        """Return the key material of each record version: Binary, null where it was shredded or never stored."""
        return self._lake.materials(record_ids, versions)

    def key_mark(self) -> str:
        """Return what changes where key material of records may have been forgotten."""
        return self._lake.key_mark()

    def erasures(self) -> tuple[str, ...]:
        """Return the ids of the erasures that were carried out here."""
        return self._lake.erasures()

    def consumed(self, stage: str) -> str | None:
        """Return the mark of what a stage last worked on, which is not supposed to have worked since."""
        return self._lake.consumed(stage)

    def marks(self) -> Mapping[str, str]:
        """Return the mark of what each stage last worked on."""
        return self._lake.marks()


class Rehearsal:
    """A lake to rehearse stages on: what they commit is supposed and never stored."""

    def __init__(self, lake: Snapshot, forgotten: Collection[str] = ()) -> None:
        """Take the state of the lake to begin with.

        Args:
            lake: The state.
            forgotten: Tables of which nobody will ask what was committed: they are not held in memory.
        """
        self._lake, self._forgotten = lake, frozenset(forgotten)
        self._committed: dict[str, tuple[list[pl.DataFrame], bool]] = {}

    def snapshot(self) -> SupposedLake:
        """Return the lake as it would be."""
        supposed = {table: (pl.concat(frames), is_all) for table, (frames, is_all) in self._committed.items()}
        return SupposedLake(self._lake, supposed)

    def committed(self, table: str) -> pl.DataFrame:
        """Return the rows of a table that were committed."""
        return pl.concat([CONTRACTS[table].empty(), *self._committed.get(table, ([],))[0]])

    @contextmanager
    def commit(self, _run_id: str) -> Iterator["Rehearsal"]:
        """Collect changes."""
        yield self

    def append(self, table: str, frame: pl.DataFrame) -> None:
        """Add rows to a table."""
        if table not in self._forgotten:
            frames, is_all = self._committed.get(table, ([], False))
            self._committed[table] = ([*frames, frame], is_all)

    def replace(self, table: str, frame: pl.DataFrame) -> None:
        """Replace all rows of a table."""
        self._committed[table] = ([frame], True)

    def consume(self, stage: str, mark: str) -> None:
        """Pass over what a stage has worked on: no later run goes on from a rehearsal."""
