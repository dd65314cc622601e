"""A table of PostgreSQL, read as text that the database makes, so that every driver gives the same cells."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Final

import polars as pl
from sqlalchemy import text
from sqlalchemy.engine import Connection

from custview_pipeline.adapters.database_session import Unreadable
from custview_pipeline.adapters.table_reader import ROWS_AT_A_TIME, Wanted, absent_table, check_columns, refuse_since
from custview_pipeline.contracts.source_server import DatabaseTable

try:
    import adbc_driver_postgresql.dbapi as adbc
except ImportError:  # an extra: without it rows come through psycopg2, at three times the cost
    adbc = None

# Of this transaction only. What a server, a database or a user is set up with would change how values are written; and a
# reading of millions of rows lasts, with pauses in which its rows are worked on.
_SETTINGS: Final = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "extra_float_digits": "1",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "lock_timeout": "60s",
}
_AS_WRITTEN: Final = {"no_parameters": True}  # else drivers would look for the place of one behind each %
_MOMENTS: Final = {"timestamptz": "TIMESTAMPTZ", "timestamp": "TIMESTAMP", "date": "DATE"}
_UNREADABLE: Final = {"bytea": "bytes", "interval": "durations"}
_COLUMNS: Final = """
    SELECT a.attname, coalesce(b.typname, t.typname), t.typcategory = 'A' OR t.typtype = 'c'
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type b ON b.oid = nullif(t.typbasetype, 0)
    WHERE a.attrelid = to_regclass(:name) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_TABLES: Final = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p')
    AND CASE WHEN :schema = '' THEN pg_table_is_visible(c.oid) ELSE n.nspname = :schema END ORDER BY 1
"""


class PostgresTable:
    """A table within a transaction; see ``TableReader``.

    Args:
        connection: In a transaction that sees one state.
        table: The table.
        wanted: What is read of it.
        unreadable: Makes the errors.

    Raises:
        SourceUnreadable: There is no such table, or it is not as the contract says.
    """

    def __init__(self, connection: Connection, table: DatabaseTable, wanted: Wanted, unreadable: Unreadable) -> None:
        self._connection, self._wanted, self._unreadable = connection, wanted, unreadable
        self._name = ".".join(_quoted(part) for part in (table.schema, table.table) if part)
        with unreadable.instead("the table cannot be looked up"):
            for name, value in _SETTINGS.items():
                connection.execute(text("SELECT set_config(:name, :value, true)"), {"name": name, "value": value})
            rows = connection.execute(text(_COLUMNS), {"name": self._name}).all()
            others = [] if rows else connection.execute(text(_TABLES), {"schema": table.schema or ""}).scalars().all()
        if not rows:
            raise absent_table(unreadable, table.table, others)
        self._kinds = {name: kind for name, kind, _ in rows}
        self._nested = {name for name, _, is_nested in rows if is_nested}
        check_columns(unreadable, wanted, {name: _UNREADABLE.get(kind, "") for name, kind in self._kinds.items()})
        refuse_since(unreadable, wanted, is_moment=self._kinds.get(wanted.changed or "") in _MOMENTS)

    def fingerprint(self) -> str:
        """Return 64 hex digits over the number of rows and the sum of their digests, which PostgreSQL makes itself.

        Where a column tells when a record changed, digests are over key and that moment: a row that is changed and keeps its
        moment is not seen. Else they are over all that is read.
        """
        changed = self._wanted.changed
        is_told = changed is not None and self._kinds[changed] in _MOMENTS
        names = [self._wanted.key, str(changed)] if is_told else list(self._wanted.columns)
        row = ", ".join(f"{_quoted(name)}::text" for name in names)
        query = f"SELECT count(*), sum(hashtextextended(ROW({row})::text, 0)) FROM {self._name}"
        with self._unreadable.instead("its fingerprint cannot be taken"):
            counted, total = self._connection.exec_driver_sql(query, execution_options=_AS_WRITTEN).one()
        return hashlib.sha256(f"{names} {counted} {total}".encode()).hexdigest()

    def frames(self) -> Iterator[pl.DataFrame]:
        """Yield the rows, ordered by key, and where that leaves any open by all that is read.

        Raises:
            SourceUnreadable: The connection is lost, or the database fails otherwise.
        """
        with self._unreadable.instead("it cannot be read to its end"):
            yield from self._by_driver() if adbc is None else self._by_arrow()

    def _by_driver(self) -> Iterator[pl.DataFrame]:
        options = {**_AS_WRITTEN, "stream_results": True, "max_row_buffer": ROWS_AT_A_TIME}
        with self._connection.exec_driver_sql(self._query(), execution_options=options) as found:
            for rows in found.partitions(ROWS_AT_A_TIME):
                columns = zip(self._wanted.columns, zip(*rows, strict=True), strict=True)
                yield pl.DataFrame([pl.Series(name, cells, dtype=pl.String) for name, cells in columns])

    def _by_arrow(self) -> Iterator[pl.DataFrame]:
        """Read through a second connection, which is given the state that the first one sees."""
        snapshot = self._connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        with closing(adbc.connect(_conninfo(self._connection))) as second, closing(second.cursor()) as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
            for name, value in _SETTINGS.items():
                cursor.execute(f"SET LOCAL {name} = '{value}'")
            cursor.execute(self._query())
            for batch in cursor.fetch_record_batch():
                yield pl.DataFrame(batch).cast(pl.String)

    def _query(self) -> str:
        names = {name: _quoted(f"cell {place}") for place, name in enumerate(self._wanted.columns)}
        cells = ", ".join(f"nullif({self._cell(name)}, '') AS {alias}" for name, alias in names.items())
        order = ", ".join(f'{alias} COLLATE "C"' for alias in names.values())
        out = ", ".join(f"{alias} AS {_quoted(name)}" for name, alias in names.items())
        inner = f'SELECT {_quoted(self._wanted.key)} AS "first", {cells} FROM {self._name}{self._where()}'
        return f'SELECT {out} FROM ({inner}) AS "cells" ORDER BY "first", {order}'

    def _cell(self, name: str) -> str:
        kind, column = self._kinds[name], _quoted(name)
        if name in self._nested:
            return f"to_json({column})::text"
        if kind in {"timestamp", "timestamptz"}:
            return f"to_json({column}) #>> '{{}}'"  # ISO 8601 whatever the settings
        if kind in {"float4", "float8"}:
            written = f"{column}::text"
            return f"CASE WHEN {written} LIKE '%e%' THEN {written}::numeric::text ELSE nullif({written}, 'NaN') END"
        return f"nullif({column}::text, 'NaN')" if kind == "numeric" else f"{column}::text"

    def _where(self) -> str:
        since = self._wanted.since
        if since is None:
            return ""
        column = _quoted(str(self._wanted.changed))
        kind = self._kinds[str(self._wanted.changed)]
        return f" WHERE {column} >= {_MOMENTS[kind]} '{_literal(since, kind)}' OR {column} IS NULL"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(moment: datetime, kind: str) -> str:
    at = moment.astimezone(UTC)
    if kind == "date":
        return at.date().isoformat()
    return at.isoformat() if kind == "timestamptz" else at.replace(tzinfo=None).isoformat()


def _conninfo(connection: Connection) -> str:
    """Return how libpq reaches the same database as the same user; the password is in it."""
    url = connection.engine.url
    told = {"host": url.host, "port": url.port, "dbname": url.database, "user": url.username, "password": url.password}
    asked = {name: value if isinstance(value, str) else ",".join(value) for name, value in url.query.items()}
    words = {**told, "application_name": "custview", "client_encoding": "utf8", **asked}
    escaped = {name: str(value).replace("\\", "\\\\").replace("'", "\\'") for name, value in words.items() if value is not None}
    return " ".join(f"{name}='{value}'" for name, value in escaped.items())
