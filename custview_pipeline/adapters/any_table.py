"""A table of any database that SQLAlchemy reaches, read row by row, and watched for rows that change while it is read."""

import hashlib
from collections.abc import Iterator
from typing import Any

import polars as pl
from sqlalchemy import ColumnElement, Select, column, func, inspect, or_, select, table
from sqlalchemy.engine import Connection
from sqlalchemy.exc import NoSuchTableError
from sqlalchemy.types import Boolean, Date, DateTime, Interval, LargeBinary, TypeEngine

from custview_pipeline.adapters.cell_text import text_column
from custview_pipeline.adapters.database_session import Unreadable
from custview_pipeline.adapters.table_reader import ROWS_AT_A_TIME, Wanted, absent_table, check_columns, refuse_since
from custview_pipeline.contracts.source_server import DatabaseTable


class AnyTable:
    """A table within a transaction; see ``TableReader``.

    Args:
        connection: In a transaction, which may or may not see one state.
        table: The table.
        wanted: What is read of it.
        unreadable: Makes the errors.

    Raises:
        SourceUnreadable: There is no such table, or it is not as the contract says.
    """

    def __init__(self, connection: Connection, place: DatabaseTable, wanted: Wanted, unreadable: Unreadable) -> None:
        self._connection, self._wanted, self._unreadable = connection, wanted, unreadable
        self._table, self._seen = table(place.table, schema=place.schema), ""
        self._types: dict[str, TypeEngine[object]] = {}
        with unreadable.instead("the table cannot be looked up"):
            inspector = inspect(connection)
            try:
                self._types = {found["name"]: found["type"] for found in inspector.get_columns(place.table, place.schema)}
            except NoSuchTableError:
                known = [*inspector.get_table_names(place.schema), *inspector.get_view_names(place.schema)]
                raise absent_table(unreadable, place.table, known) from None
        check_columns(unreadable, wanted, {name: _unreadable_kind(kind) for name, kind in self._types.items()})
        refuse_since(unreadable, wanted, is_moment=self._is_told())

    def fingerprint(self) -> str:
        """Return 64 hex digits: over numbers of rows and the last moment of change where a column tells it, else over all rows.

        What the first way does not see: a row that is changed and does not become the one that changed last.
        """
        if not self._is_told():
            for _ in self.frames():
                pass
            return self._seen
        changed = self._column(str(self._wanted.changed))
        with self._unreadable.instead("its fingerprint cannot be taken"):
            query = select(func.count(), func.count(changed), func.max(changed)).select_from(self._table)
            counted = tuple(self._connection.execute(query).one())
        return hashlib.sha256(repr(counted).encode()).hexdigest()

    def frames(self) -> Iterator[pl.DataFrame]:
        """Yield the rows, ordered by key and then by all that is read.

        Raises:
            SourceUnreadable: The connection is lost, the database fails otherwise, a cell holds bytes or a duration, or the rows
                are not those that were read in this transaction before.
        """
        digest = hashlib.sha256()
        options = {"stream_results": True, "max_row_buffer": ROWS_AT_A_TIME}
        with (
            self._unreadable.instead("it cannot be read to its end"),
            self._connection.execute(self._query(), execution_options=options) as found,
        ):
            for rows in found.partitions(ROWS_AT_A_TIME):
                columns = zip(self._wanted.columns, zip(*rows, strict=True), strict=True)
                frame = pl.DataFrame([self._cells(name, cells) for name, cells in columns])
                digest.update(frame.write_csv(include_header=False).encode())
                yield frame
        if self._seen not in {"", digest.hexdigest()}:
            raise self._unreadable("its rows changed while they were read; run again when nobody writes")
        self._seen = digest.hexdigest()

    def _query(self) -> Select[*tuple[Any, ...]]:
        columns = [self._column(name) for name in self._wanted.columns]
        query = select(*columns).select_from(self._table).order_by(self._column(self._wanted.key), *columns)
        since = self._wanted.since
        if since is None:
            return query
        changed = self._column(str(self._wanted.changed))
        kind = self._types[str(self._wanted.changed)]
        is_zoned = getattr(kind, "timezone", False)
        moment = since if is_zoned else since.replace(tzinfo=None)
        return query.where(or_(changed >= (moment.date() if isinstance(kind, Date) else moment), changed.is_(None)))

    def _column(self, name: str) -> ColumnElement[object]:
        """Return a column without its type: what a driver gives is not converted, and so not refused where it is malformed."""
        return column(name, _selectable=self._table)

    def _cells(self, name: str, cells: tuple[object, ...]) -> pl.Series:
        if isinstance(self._types[name], Boolean):
            cells = tuple(bool(cell) if cell in {0, 1} else cell for cell in cells)
        return text_column(name, cells, self._unreadable)

    def _is_told(self) -> bool:
        """Tell whether a column says when a record changed, as a moment; SQLite keeps texts and numbers in any column."""
        kind = self._types.get(self._wanted.changed or "")
        return isinstance(kind, DateTime | Date) and self._connection.dialect.name != "sqlite"


def _unreadable_kind(kind: TypeEngine[object]) -> str:
    if isinstance(kind, LargeBinary):
        return "bytes"
    return "durations" if isinstance(kind, Interval) else ""
