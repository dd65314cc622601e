"""A table of a database that is no PostgreSQL: SQLite stands for all that SQLAlchemy reaches."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest

from custview_pipeline.contracts.source_server import DatabaseTable
from custview_pipeline.kernel.errors import SourceUnreadable
from custview_pipeline_tests.adapters.customer_tables import TABLE, URL_VARIABLE, carrying, rows_of, table_source
from custview_pipeline_tests.adapters.delivered_files import CANARY


@pytest.fixture
def execute(tmp_path, monkeypatch):
    """Run statements on a database that the environment names, in which are three customers."""
    path = tmp_path / "shop.sqlite"
    monkeypatch.setenv(URL_VARIABLE, f"sqlite:///{path}")

    def run(*statements: str, **values) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            for statement in statements:
                connection.execute(statement, values)

    run("CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, changed TEXT, extra BLOB)")
    run("INSERT INTO customers (id, name, changed) VALUES (2, 'Name 2', '2026-01-02'), (1, 'Name 1', NULL), (10, '', 'x')")
    return run


@pytest.mark.usefixtures("execute")
def test_rows_are_read_in_the_order_of_their_keys():
    source = table_source()
    assert rows_of(source) == [("1", "Name 1", None), ("2", "Name 2", "2026-01-02"), ("10", None, "x")]
    assert [batch.first_row for batch in source.batches(["name"], rows=2)] == [0, 2]
    assert source.is_snapshot


CELLS = [
    ("TEXT", "it's 100% :x", "it's 100% :x"),
    ("BOOLEAN", 1, "true"),
    ("BOOLEAN", 0, "false"),
    ("BOOLEAN", None, None),
    ("REAL", 1e20, "100000000000000000000"),
    ("REAL", 1.0, "1"),
    ("NUMERIC", 12, "12"),
    ("DATETIME", "2026-01-02T03:04:05+02:00", "2026-01-02T03:04:05+02:00"),
    ("TIMESTAMP", "no moment at all", "no moment at all"),
]


@pytest.mark.parametrize(("kind", "value", "cell"), CELLS)
def test_cells_are_what_an_export_to_csv_would_say(execute, kind, value, cell):
    execute(f'CREATE TABLE kinds (id INTEGER, "the cell" {kind})')
    execute("INSERT INTO kinds VALUES (1, :value)", value=value)
    table = DatabaseTable("kinds", credentials=TABLE.credentials)
    assert rows_of(table_source(*carrying("the cell"), table=table)) == [("1", cell)]


def test_the_fingerprint_changes_with_any_row_that_is_read(execute):
    before = table_source().fingerprint()
    execute("UPDATE customers SET extra = 'not read'")
    assert table_source().fingerprint() == before
    execute("UPDATE customers SET name = 'other' WHERE id = 2")
    assert table_source().fingerprint() != before


def test_rows_that_change_while_they_are_read_are_an_error_where_the_database_lets_them(execute, monkeypatch):
    monkeypatch.setattr("custview_pipeline.adapters.database_session._begin", lambda connection: connection.begin())
    source = table_source()
    with source.reading():
        first = rows_of(source)
        assert rows_of(source) == first
        execute("UPDATE customers SET name = 'other' WHERE id = 2")
        assert "its rows changed while they were read" in _complaint(source)


def _complaint(source) -> str:
    with pytest.raises(SourceUnreadable) as raised:
        rows_of(source)
    assert raised.value.__cause__ is None
    assert not {CANARY, "sqlite"} & set(str(raised.value).replace("/", " ").split())
    return str(raised.value)


WRONG = [
    (
        "ALTER TABLE customers RENAME name TO full_name",
        "there is no column 'name', which shop.odcs.yaml describes; did you mean 'full_name'?",
    ),
    ("ALTER TABLE customers RENAME TO customer", "there is no such table that the user may see; did you mean 'customer'?"),
    (f"UPDATE customers SET name = CAST('{CANARY}' AS BLOB)", "'name' holds bytes"),
    ("UPDATE customers SET name = 'a' || char(0) || 'b' WHERE id = 2", "row 2: 'name' holds a NUL byte"),
]


@pytest.mark.parametrize(("statement", "message"), WRONG)
def test_a_table_that_is_not_as_the_contract_says_is_named(execute, statement, message):
    execute(statement)
    assert _complaint(table_source()).startswith(f"shop: customers: {message}")


@pytest.mark.usefixtures("execute")
def test_bytes_by_their_type_are_refused_before_a_row_is_read():
    assert "'extra' holds bytes" in _complaint(table_source(*carrying("extra")))


@pytest.mark.usefixtures("execute")
def test_changes_cannot_be_picked_where_moments_are_texts():
    assert "'changed' is no timestamp" in _complaint(table_source(since=datetime(2026, 1, 1, tzinfo=UTC)))


URLS = [
    (None, "shop: the environment variable OUR_DATABASE_URL of its credentials is not set"),
    (CANARY, "shop: customers: its credentials are no URL as SQLAlchemy reads them"),
    (f"nowhere://u:{CANARY}@h/d", "shop: customers: SQLAlchemy knows no such database or driver"),
    (f"mysql+mysqldb://u:{CANARY}@h/d", "shop: customers: the package of the driver mysql+mysqldb is not installed"),
    (f"sqlite:////{CANARY}/nowhere/at/all", "shop: customers: the database cannot be opened"),
]


@pytest.mark.parametrize(("url", "message"), URLS)
def test_a_url_that_leads_nowhere_is_never_quoted(monkeypatch, url, message):
    monkeypatch.delenv(URL_VARIABLE, raising=False)
    if url is not None:
        monkeypatch.setenv(URL_VARIABLE, url)
    said = _complaint(table_source())
    assert said.startswith(message)
    assert CANARY not in said
