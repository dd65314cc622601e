"""Tables of customers in databases of tests, and the contracts that describe them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy

from custview_pipeline.adapters import postgres_table
from custview_pipeline.adapters.sql_source import SqlSource
from custview_pipeline.contracts.source_contract import SourceColumn, SourceContract
from custview_pipeline.contracts.source_server import Credentials, DatabaseTable
from custview_pipeline_tests.adapters.delivered_files import source_contract

URL_VARIABLE = "OUR_DATABASE_URL"
COLUMNS = (SourceColumn("id", "source_key"), SourceColumn("name", "full_name"), SourceColumn("changed", "updated_at"))
TABLE = DatabaseTable("customers", credentials=Credentials("env", URL_VARIABLE))


def table_contract(*columns: SourceColumn, table: DatabaseTable = TABLE, **changes) -> SourceContract:
    """Return a contract for a table."""
    return source_contract(columns=columns or COLUMNS, origin=table, file_format="sql", path_pattern="the table", **changes)


def table_source(*columns: SourceColumn, table: DatabaseTable = TABLE, since=None, **changes) -> SqlSource:
    """Return a table as a source."""
    return SqlSource(table_contract(*columns, table=table, **changes), table, since=since)


def carrying(*names: str, attribute: str = "full_name") -> tuple[SourceColumn, ...]:
    """Return a key ``id`` and columns of any names."""
    return (SourceColumn("id", "source_key"), *(SourceColumn(name, attribute) for name in names))


def rows_of(source: SqlSource, **how: Any) -> list[tuple[str | None, ...]]:
    """Return all rows."""
    return [row for batch in source.batches(**how) for row in batch.frame.iter_rows()]


@contextmanager
def engine_of(url: str) -> Iterator[sqlalchemy.Engine]:
    """Give an engine that keeps no connection."""
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    yield engine
    engine.dispose()


def run(url: str, *statements: str) -> None:
    """Run statements in one transaction."""
    with engine_of(url) as engine, engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def use_transport(transport: str, patch: pytest.MonkeyPatch) -> None:
    """Read PostgreSQL through Arrow or row by row."""
    if transport == "rows":
        patch.setattr(postgres_table, "adbc", None)
    elif postgres_table.adbc is None:
        pytest.skip("the Arrow driver of PostgreSQL is not installed")
