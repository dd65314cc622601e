"""Looks for what was erased in every file of a lake: what whoever has these keys would find there."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, Protocol

import polars as pl

from custview_pipeline.contracts.match_features import FUZZY
from custview_pipeline.contracts.match_index import INDEX_SCHEMAS, VALUE_PARTS, IndexPart
from custview_pipeline.flows.erasure_index import fuzzy_tokens, tokens_of
from custview_pipeline.flows.erasure_scope import (
    Marks,
    concerns,
    named_customers,
    named_records,
    naming_columns,
    naming_tables,
)
from custview_pipeline.kernel.errors import UnsealFailed
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.matching.frequencies import COUNTED
from custview_pipeline.protection.key_table import open_segments
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.suppression import customer_marks, suppression_marks
from custview_pipeline.protection.wrapped_keys import Purpose

_ID: Final = re.compile(r"(?<![\w.])-?\d{10,19}(?![\w.])")  # of 64 bits; one in a billion is shorter
_CUID: Final = re.compile(r"CU[0-9A-Z]{17}")
_LONGEST: Final = 2**63
_TIMES: Final = {"protected_records": "valid_from_at", "quarantined_records": "quarantined_at"}


class LakeFiles(Protocol):
    """Every file that lies in the folder of a lake, whether or not its manifest names it."""

    def tables(self, table: str, columns: Sequence[str], *, is_named: bool | None = None) -> Iterator[pl.DataFrame | None]:
        """Yield columns of every file with rows of a table; None for one that cannot be read.

        Args:
            table: Its name.
            columns: Those wanted.
            is_named: Only files that the lake names, or only others; all by default.
        """
        ...

    def index(self, part: str, columns: Sequence[str], *, is_named: bool | None = None) -> Iterator[pl.DataFrame | None]:
        """Yield columns of every segment of a part of the match index; None for one that the keys do not open."""
        ...

    def closed_segments(self) -> int:
        """Return how many segments of the match index were written under a version of the index key that is destroyed."""
        ...

    def key_segments(self, *, is_named: bool | None = None) -> Iterator[tuple[str, memoryview] | None]:
        """Yield every segment of the key table under its name; None for one that cannot be read."""
        ...

    def logs(self) -> Iterator[str | None]:
        """Yield the text of every file of the tables' logs; None for one that cannot be read."""
        ...

    def strangers(self) -> int:
        """Return how many files are none of a lake's, and so cannot be searched."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """What was searched in one place, and what was found.

    Attributes:
        name: A table, a part of the index, the key table, the logs.
        file_count: Files searched.
        row_count: Rows in them.
        found_count: Rows that are of what was erased.
        returned_count: Rows of a record that came back after the erasure, because the contract of its source lets it.
        unreadable_count: Files that could not be searched.
    """

    name: str
    file_count: int
    row_count: int
    found_count: int
    returned_count: int = 0
    unreadable_count: int = 0


class Wanted(NamedTuple):
    """How what was erased is recognised.

    Attributes:
        id_key: The purpose key ``id``.
        marks: What the ledger names.
        returned: Records with such a mark that came back after the erasure, as the contracts of their sources let them.
        alive: Customers that other records are of: they go on, whatever the ledger says.
    """

    id_key: bytes
    marks: Marks
    returned: pl.Series = pl.Series("record_id", [], pl.Int64)
    alive: pl.Series = pl.Series("cuid", [], pl.String)

    def records(self, ids: pl.Series) -> pl.Series:
        """Return those of some record ids that were erased; they may have come back since."""
        return ids.filter(suppression_marks(self.id_key, ids).is_in(self.marks.records.implode()))

    def left(self, records: pl.Series) -> pl.Series:
        """Return those of some erased records that did not come back since: nothing of them may be there."""
        return records.filter(~records.is_in(self.returned.implode()))

    def customers(self, cuids: pl.Series) -> pl.Series:
        """Return those of some customers that were erased."""
        is_erased = customer_marks(self.id_key, cuids).is_in(self.marks.customers.implode())
        return cuids.filter(is_erased & ~cuids.is_in(self.alive.implode()))

    def strict(self) -> "Wanted":
        """Return the same where nothing counts as having come back: for files that nothing could have come back into."""
        return self._replace(returned=self.returned.clear())


def with_returned(wanted: Wanted, files: LakeFiles, reporting: Collection[str], erased_at: datetime | None) -> Wanted:
    """Return how it is recognised, knowing which records came back: nothing of them is older than the erasure.

    Args:
        wanted: How what was erased is recognised.
        files: The lake.
        reporting: Source systems whose contracts let records come back; those of others are found.
        erased_at: When it was erased, UTC; None where that is not known, and then nothing counts as having come back.
    """
    if erased_at is None:
        return wanted
    frames = [pl.DataFrame(schema={"record_id": pl.Int64, "source_system": pl.String, "at": pl.Datetime("us", "UTC")})]
    for table, moment in _TIMES.items():
        stored = (frame for frame in files.tables(table, ["record_id", "source_system", moment]) if frame is not None)
        frames.extend(frame.select("record_id", "source_system", at=moment).drop_nulls() for frame in stored)
    is_let_in = pl.col("source_system").is_in(list(reporting)).all()
    oldest = pl.concat(frames).group_by("record_id").agg(pl.col("at").min(), is_let_in.alias("is_let_in"))
    return wanted._replace(returned=wanted.records(oldest.filter(pl.col("at") > erased_at, "is_let_in")["record_id"]))


def search_tables(wanted: Wanted, snapshot: Snapshot) -> Iterator[Place]:
    """Search every table as it holds now."""
    for table in naming_tables():
        held = snapshot.read(table, naming_columns(table))
        yield _searched_rows([(wanted, held)], table, f"{table}, as it holds now")


def search_files(wanted: Wanted, files: LakeFiles, keyring: Keyring) -> Iterator[Place]:
    """Search every file of tables, logs, match index and key table.

    What came back lies in files that the lake names; in others, every trace of what was erased is one of before.
    """
    for table in naming_tables():
        columns = naming_columns(table)
        frames = (
            (each, frame) for each, is_named in _by_naming(wanted) for frame in files.tables(table, columns, is_named=is_named)
        )
        yield _searched_rows(frames, table, every_file(table))
    yield _searched_logs(wanted, files)
    yield from _searched_index(wanted, files)
    yield _searched_keys(wanted, files, keyring)
    if strangers := files.strangers():
        yield Place("files that are none of a lake's", 0, 0, 0, unreadable_count=strangers)


class _Count:
    """Counts of one place, file by file."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._files = self._rows = self._found = self._returned = self._unreadable = 0

    def add(self, rows: int, found: int, returned: int = 0) -> None:
        self._files, self._rows = self._files + 1, self._rows + rows
        self._found, self._returned = self._found + found, self._returned + returned

    def skip(self) -> None:
        self._unreadable += 1

    def place(self) -> Place:
        return Place(self._name, self._files, self._rows, self._found, self._returned, self._unreadable)


def every_file(table: str) -> str:
    """Return the name of the place that the files of a table are."""
    return f"{table}, every file"


def _by_naming(wanted: Wanted) -> tuple[tuple[Wanted, bool], tuple[Wanted, bool]]:
    """Return how it is recognised in files that the lake names, and in others."""
    return (wanted, True), (wanted.strict(), False)


def _searched_rows(frames: Iterable[tuple[Wanted, pl.DataFrame | None]], table: str, name: str) -> Place:
    """Search rows of a table, each frame with how what was erased is recognised in it."""
    count = _Count(name)
    for wanted, frame in frames:
        if frame is None:
            count.skip()
            continue
        records = wanted.records(named_records(frame, table))
        left = wanted.left(records)
        cuids = wanted.customers(named_customers(frame, table))
        is_left, is_any = concerns(table, left, cuids), concerns(table, records, cuids.clear())
        found, returned = frame.select(is_left.sum().alias("left"), (is_any & ~is_left).sum().alias("returned")).row(0)
        count.add(frame.height, int(found), int(returned))
    return count.place()


def _searched_logs(wanted: Wanted, files: LakeFiles) -> Place:
    """Search the logs of the tables as text, for whatever may be the id of a record or customer; a row is a file."""
    count = _Count("logs of the tables")
    for text in files.logs():
        if text is None:
            count.skip()
            continue
        numbers = {int(found) for found in _ID.findall(text)}
        ids = pl.Series("record_id", [number for number in numbers if -_LONGEST <= number < _LONGEST], pl.Int64)
        records = wanted.records(ids)
        cuids = wanted.customers(pl.Series("cuid", sorted(set(_CUID.findall(text))), pl.String))
        left = wanted.left(records)
        count.add(1, int(len(left) + len(cuids) > 0), int(len(records) > len(left)))
    return count.place()


def _searched_index(wanted: Wanted, files: LakeFiles) -> Iterator[Place]:
    """Search the match index; a neighbourhood or a frequency is found where no record in it has its token any more."""
    nothing = pl.Series("token", [], pl.Int64)
    owned, held = [nothing], [nothing]
    tokens = _Count(f"match index, {IndexPart.TOKENS}")
    for each, is_named in _by_naming(wanted):
        for frame in files.index(IndexPart.TOKENS, ["record_id", *dict.fromkeys((*FUZZY, *COUNTED))], is_named=is_named):
            _add_owned(tokens, each, frame)
            if frame is not None:
                owned.append(fuzzy_tokens(frame))
                held.append(tokens_of(frame, COUNTED))
    yield tokens.place()
    claims = _Count(f"match index, {IndexPart.CLAIMS}")
    for each, is_named in _by_naming(wanted):
        for frame in files.index(IndexPart.CLAIMS, ["record_id"], is_named=is_named):
            _add_owned(claims, each, frame)
    yield claims.place()
    for part in VALUE_PARTS:
        yield _searched_values(files, part, pl.concat(owned).unique(), pl.lit(value=True))
    # what is counted of several features together has a token of its own, which no record has
    yield _searched_values(files, IndexPart.FREQUENCIES, pl.concat(held).unique(), pl.col("feature").is_in(COUNTED))


def _searched_values(files: LakeFiles, part: IndexPart, held: pl.Series, is_asked: pl.Expr) -> Place:
    """Search a part of the index that is of values, not of records: rows are found whose token no record has."""
    count, columns = _Count(f"match index, {part}"), list(INDEX_SCHEMAS[part])
    for frame in files.index(part, columns):
        if frame is None:
            count.skip()
        else:
            tokens = frame.filter(is_asked)["token"]
            count.add(frame.height, int((~tokens.is_in(held.implode())).sum()))
    return count.place()


def _searched_keys(wanted: Wanted, files: LakeFiles, keyring: Keyring) -> Place:
    """Search the key table; a row is the key material of one record version that these keys open."""
    count = _Count("key table")
    for each, is_named in _by_naming(wanted):
        for segment in files.key_segments(is_named=is_named):
            _add_owned(count, each, None if segment is None else _opened_records(segment, keyring))
    return count.place()


def _opened_records(segment: tuple[str, memoryview], keyring: Keyring) -> pl.DataFrame | None:
    """Return record_id of each entry of a segment that the keys open; None where it was altered, or is of other keys."""
    try:
        return open_segments(dict([segment]), keyring.shard_keys()).frame().select("record_id")
    except UnsealFailed:
        return None


def _add_owned(count: _Count, wanted: Wanted, frame: pl.DataFrame | None) -> None:
    """Count the rows of a frame by the record that each is of."""
    if frame is None:
        count.skip()
        return
    records = wanted.records(frame["record_id"].unique())
    of_any = int(frame["record_id"].is_in(records.implode()).sum())
    of_left = int(frame["record_id"].is_in(wanted.left(records).implode()).sum())
    count.add(frame.height, of_left, of_any - of_left)


def id_key_of(keyring: Keyring) -> bytes:
    """Return the purpose key that marks are made under."""
    return keyring.current(Purpose.ID)[1]
