"""Rows that a program gives: a callable of an installed package, through which API clients and dlt resources plug in."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime
from importlib.metadata import entry_points
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Final, Literal, NamedTuple, TypeAlias

import polars as pl
import pyarrow as pa
import pyarrow.parquet

from custview_pipeline.adapters.cell_text import text_column
from custview_pipeline.adapters.delivery_file import DeliveryFile
from custview_pipeline.adapters.row_batches import wanted_columns
from custview_pipeline.adapters.source_files import file_batches
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.source_server import RowsOfProgram
from custview_pipeline.contracts.yaml_text import suggest
from custview_pipeline.kernel.errors import SourceUnreadable
from custview_pipeline.kernel.ports import RawBatch
from custview_pipeline.kernel.redaction import silenced

ENTRY_POINTS: Final = "custview_pipeline.sources"
_ROWS_OF_A_PIECE: Final = 50_000
_DIGESTS: Final = 1 << 256  # different ones of SHA-256

Rows: TypeAlias = "Mapping[str, object] | pa.RecordBatch | pl.DataFrame"
Program: TypeAlias = Callable[[str, datetime | None], Iterable[Rows]]


class _Piece(NamedTuple):
    """Some rows as Parquet in memory: a fraction of what they are as objects, and read as any Parquet file is."""

    content: bytes

    def open(self, _mode: Literal["rb"], /) -> IO[bytes]:
        """Open it for bytes."""
        return BytesIO(self.content)


class PythonSource:
    """The rows that a program gives at this moment.

    It is called once for a delivery; what it gives is held in memory, packed, until the delivery ends.

    Args:
        contract: The source's contract.
        program: The program that it names.
        since: Only what changed then or later is asked for; None for every record.
    """

    def __init__(self, contract: SourceContract, program: RowsOfProgram, *, since: datetime | None = None) -> None:
        self._contract, self._program, self._since = replace(contract, file_format="parquet"), program, since
        self._pieces: list[DeliveryFile] | None = None
        self._fingerprint: str | None = None

    @property
    def is_snapshot(self) -> bool:
        """Tell whether the program gives every record, as the contract says."""
        return self._contract.extract == "snapshot"

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Call the program, and hold what it gives.

        Raises:
            SourceUnreadable: There is no such program, or it gives what are no rows of the contract.
            Redacted: It failed; the message does not quote it.
        """
        if self._pieces is not None:
            yield
            return
        with self._silenced():
            self._fingerprint = self._told()  # before the rows: what changes while they come is seen the next time
            self._pieces = list(self._called())
        try:
            yield
        finally:
            self._pieces = self._fingerprint = None

    def fingerprint(self) -> str:
        """Return 64 hex digits: over what the program's own ``fingerprint`` says, else over all that it gives.

        Raises:
            SourceUnreadable: It cannot be read; see ``reading``.
            Redacted: It failed.
        """
        with self._silenced():
            told = self._told() if self._pieces is None else self._fingerprint
        found = told or self._digested()
        if self._pieces is not None:
            self._fingerprint = found
        return found

    def _digested(self) -> str:
        """Return a digest of all rows, the same in whatever order and pages they come: the sum of what each row digests to."""
        total = 0
        for batch in self.batches():
            for row in batch.frame.select(pl.struct(pl.all()).struct.json_encode()).to_series():
                total += int.from_bytes(hashlib.sha256(row.encode()).digest())
        return f"{total % _DIGESTS:064x}"

    def batches(self, columns: Sequence[str] | None = None, *, rows: int = 50_000) -> Iterator[RawBatch]:
        """Yield the rows as the program gives them.

        Args:
            columns: Headers to read, of those the contract describes; all of these by default.
            rows: Most rows of a batch.

        Raises:
            SourceUnreadable: It cannot be read; see ``reading``.
            ValueError: The contract does not describe one of ``columns``.
        """
        wanted = wanted_columns(self._contract, columns)
        with self.reading():
            yield from file_batches(self._pieces or (), self._contract, wanted, rows)

    def _silenced(self) -> AbstractContextManager[None]:
        return silenced(f"{self._contract.source_system}: the entry point {self._program.entry_point}")

    def _told(self) -> str | None:
        """Return what the program tells of its content without being called; None where it does not."""
        own = getattr(_program_of(self._contract.source_system, self._program), "fingerprint", None)
        return hashlib.sha256(str(own(self._contract.source_system)).encode()).hexdigest() if callable(own) else None

    def _called(self) -> Iterator[DeliveryFile]:
        program = _program_of(self._contract.source_system, self._program)
        tables = _Tables(self._contract, self._program.entry_point)
        given = program(self._contract.source_system, self._since)
        for place, table in enumerate(_joined(tables.of(given)), start=1):
            written = BytesIO()
            pyarrow.parquet.write_table(table, written, compression="zstd")
            yield DeliveryFile(_Piece(written.getvalue()), f"{self._program.entry_point}, part {place}", self._contract)


class _Tables:
    """Turns what a program gives into Arrow tables of the contract's columns.

    Args:
        contract: The source's contract.
        name: Of the entry point.
    """

    def __init__(self, contract: SourceContract, name: str) -> None:
        self._contract, self._name = contract, name
        self._columns = wanted_columns(contract, None)
        self._unseen = set(self._columns)

    def of(self, given: Iterable[Rows]) -> Iterator[pa.Table]:
        """Yield the rows in their order.

        Raises:
            SourceUnreadable: Something is no row, or no row has one of the columns.
        """
        held: list[Mapping[str, object]] = []
        has_mappings = False
        for item in given:
            if isinstance(item, Mapping):
                held.append(item)
                has_mappings = True
            if held and (len(held) == _ROWS_OF_A_PIECE or not isinstance(item, Mapping)):
                yield self._of_mappings(held)
                held = []
            if not isinstance(item, Mapping):
                yield self._of_frame(item)
        if held:
            yield self._of_mappings(held)
        if has_mappings and self._unseen:
            missing = ", ".join(repr(name) for name in self._columns if name in self._unseen)
            file = Path(self._contract.file).name or "the contract"
            raise self._unreadable(f"no row has {missing}, which {file} describes")

    def _of_mappings(self, rows: list[Mapping[str, object]]) -> pa.Table:
        for row in rows if self._unseen else ():
            self._unseen.difference_update(row)
        columns = [text_column(name, [row.get(name) for row in rows], self._unreadable) for name in self._columns]
        return pl.DataFrame(columns).to_arrow(compat_level=pl.CompatLevel.oldest())

    def _of_frame(self, item: object) -> pa.Table:
        if isinstance(item, pa.RecordBatch):
            item = pa.Table.from_batches([item])
        elif isinstance(item, pl.DataFrame):
            item = item.to_arrow(compat_level=pl.CompatLevel.oldest())
        if not isinstance(item, pa.Table):
            kind = type(item).__name__
            raise self._unreadable(f"it gave {kind}; rows are mappings, record batches of Arrow or frames of polars")
        return item.select([name for name in self._columns if name in item.column_names])

    def _unreadable(self, what: str) -> SourceUnreadable:
        return SourceUnreadable(f"{self._contract.source_system}: the entry point {self._name}: {what}")


def _joined(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield pages of an API together, as far as their columns are of the same types."""
    held: list[pa.Table] = []
    for table in tables:
        if held and (table.schema != held[0].schema or sum(each.num_rows for each in held) >= _ROWS_OF_A_PIECE):
            yield pa.concat_tables(held)
            held = []
        held.append(table)
    if held:
        yield pa.concat_tables(held)


def _program_of(source_system: str, program: RowsOfProgram) -> Program:
    """Return the callable.

    Raises:
        SourceUnreadable: No installed package has it.
    """
    known = {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
    if program.entry_point not in known:
        hint = suggest(program.entry_point, known)
        what = f"no installed package has the entry point {program.entry_point} in {ENTRY_POINTS}{hint}"
        raise SourceUnreadable(f"{source_system}: {what}")
    loaded: Any = known[program.entry_point].load()
    called: Program = loaded
    return called
