"""A table of a database as a source: all passes of a delivery within one transaction, all cells as text."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from custview_pipeline.adapters.any_table import AnyTable
from custview_pipeline.adapters.database_session import Unreadable, connected
from custview_pipeline.adapters.postgres_table import PostgresTable
from custview_pipeline.adapters.row_batches import in_batches, refuse_cells, wanted_columns
from custview_pipeline.adapters.table_reader import TableReader, wanted_of
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.source_server import DatabaseTable
from custview_pipeline.kernel.ports import RawBatch


class SqlSource:
    """The rows of a table.

    Args:
        contract: The source's contract.
        table: The table that it names.
        since: Only what changed then or later is read, and what does not tell; None for every row.
    """

    def __init__(self, contract: SourceContract, table: DatabaseTable, *, since: datetime | None = None) -> None:
        self._contract, self._table, self._since = contract, table, since
        self._reader: TableReader | None = None
        self._fingerprint: str | None = None

    @property
    def is_snapshot(self) -> bool:
        """Tell whether every row is read: a table holds all records, whichever of them are asked for."""
        return self._since is None

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold one transaction open; in PostgreSQL it sees one state, whoever writes meanwhile.

        Elsewhere it has the isolation that its database gives without keeping others from writing, and rows that do change
        while they are read are an error.

        Raises:
            SourceUnreadable: The database cannot be reached, or the table is not as the contract says.
        """
        if self._reader is not None:
            yield
            return
        with connected(self._contract.source_system, self._table) as connection:
            unreadable = Unreadable(self._contract.source_system, self._table)
            wanted = wanted_of(self._contract, self._since)
            kind = PostgresTable if connection.dialect.name == "postgresql" else AnyTable
            self._reader = kind(connection, self._table, wanted, unreadable)
            try:
                yield
            finally:
                self._reader = self._fingerprint = None

    def fingerprint(self) -> str:
        """Return 64 hex digits that change with what the table holds; see the readers for what they cannot see.

        It is over every row, also where only changes are read.

        Raises:
            SourceUnreadable: The table cannot be read.
        """
        with self.reading():
            if self._fingerprint is None:
                self._fingerprint = self._opened().fingerprint()
            return self._fingerprint

    def batches(self, columns: Sequence[str] | None = None, *, rows: int = 50_000) -> Iterator[RawBatch]:
        """Yield the rows, ordered by key.

        Args:
            columns: Headers to read, of those the contract describes; all of these by default.
            rows: Most rows of a batch; only the last has fewer.

        Raises:
            SourceUnreadable: The table is not as the contract says, or the connection is lost.
            ValueError: The contract does not describe one of ``columns``.
        """
        names, first_row = wanted_columns(self._contract, columns), 0
        with self.reading():
            for frame in in_batches(self._opened().frames(), rows):
                refuse_cells(Unreadable(self._contract.source_system, self._table), frame, first_row)
                yield RawBatch(frame.select(names), self._table.shown, first_row)
                first_row += frame.height

    def _opened(self) -> TableReader:
        if self._reader is None:
            raise RuntimeError("the table is read within reading()")
        return self._reader
