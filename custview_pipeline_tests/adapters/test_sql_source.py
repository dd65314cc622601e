"""A real PostgreSQL as a source: its cells, its one state, and what goes wrong with it."""

from datetime import UTC, datetime

import pytest

from custview_pipeline.contracts.source_contract import SourceColumn
from custview_pipeline.contracts.source_server import Credentials, DatabaseTable
from custview_pipeline.kernel.errors import SourceUnreadable
from custview_pipeline_tests.adapters.customer_tables import (
    TABLE,
    URL_VARIABLE,
    carrying,
    rows_of,
    run,
    table_source,
    use_transport,
)
from custview_pipeline_tests.adapters.delivered_files import CANARY
from custview_pipeline_tests.postgres_servers import own_postgres

FEW = """
    INSERT INTO customers
    SELECT n, 'Name ' || n, timestamptz '2026-01-01 12:00+00' + n * interval '1 hour' FROM generate_series(1, 3) n
"""


@pytest.fixture(scope="module")
def server():
    with own_postgres() as database:
        yield database


@pytest.fixture
def url(server, monkeypatch):
    run(server.url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    run(server.url, "CREATE TABLE customers (id bigint PRIMARY KEY, name text, changed timestamptz)", FEW)
    monkeypatch.setenv(URL_VARIABLE, server.url)
    return server.url


@pytest.fixture(params=["arrow", "rows"])
def transport(request, monkeypatch):
    use_transport(request.param, monkeypatch)
    return request.param


@pytest.mark.usefixtures("url", "transport")
def test_rows_are_read_in_the_order_of_their_keys():
    source = table_source()
    assert rows_of(source) == [
        ("1", "Name 1", "2026-01-01T13:00:00+00:00"),
        ("2", "Name 2", "2026-01-01T14:00:00+00:00"),
        ("3", "Name 3", "2026-01-01T15:00:00+00:00"),
    ]
    batches = list(source.batches(["name"], rows=2))
    assert [(batch.frame.rows(), batch.file, batch.first_row) for batch in batches] == [
        ([("Name 1",), ("Name 2",)], "customers", 0),
        ([("Name 3",)], "customers", 2),
    ]


CELLS = [
    ("text", "'ü 李'", "ü 李"),
    ("text", "''", None),
    ("text", "NULL", None),
    ("text", "E'100%% \\\\ :x \\n\"y\"'", '100% \\ :x \n"y"'),
    ("char(5)", "'ab'", "ab"),
    ("boolean", "true", "true"),
    ("boolean", "false", "false"),
    ("bigint", "9223372036854775807", "9223372036854775807"),
    ("numeric", "1e20", "100000000000000000000"),
    ("numeric(10, 2)", "1.50", "1.50"),
    ("numeric", "'NaN'", None),
    ("float8", "1e20", "100000000000000000000"),
    ("float8", "1.5e-7", "0.00000015"),
    ("float8", "0.1", "0.1"),
    ("float8", "3", "3"),
    ("float8", "'NaN'", None),
    ("date", "'2026-02-03'", "2026-02-03"),
    ("timestamp", "'2026-02-03 04:05:06.7'", "2026-02-03T04:05:06.7"),
    ("timestamptz", "'2026-02-03 04:05:06+02'", "2026-02-03T02:05:06+00:00"),
    ("time", "'04:05:06'", "04:05:06"),
    ("uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("jsonb", "'{\"a\": 1}'", '{"a": 1}'),
    ("text[]", "ARRAY['a', 'b']", '["a","b"]'),
]


def test_cells_are_what_an_export_to_csv_would_say(url, transport):
    names = [f'"c%{place} :x"' for place in range(len(CELLS))]
    made = ", ".join(f"{name} {kind}".replace("%", "%%") for name, (kind, _, _) in zip(names, CELLS, strict=True))
    values = ", ".join(written for _, written, _ in CELLS)
    run(url, f"CREATE TABLE kinds (id int, {made})", f"INSERT INTO kinds VALUES (1, {values})")
    run(url, "ALTER ROLE postgres SET TimeZone = 'Asia/Tokyo'", "ALTER ROLE postgres SET DateStyle = 'German'")
    columns = carrying(*(name.strip('"') for name in names))

    (row,) = rows_of(table_source(*columns, table=DatabaseTable("kinds", "public", credentials=TABLE.credentials)))

    assert row == ("1", *(cell for _, _, cell in CELLS)), transport
    run(url, "ALTER ROLE postgres RESET ALL")


@pytest.mark.usefixtures("transport")
def test_rows_of_one_key_always_come_in_one_order(url):
    run(url, "CREATE TABLE repeated AS SELECT 1 AS id, chr(97 + n %% 26) AS name FROM generate_series(1, 200) n")
    source = table_source(*carrying("name"), table=DatabaseTable("repeated", credentials=TABLE.credentials))
    first = rows_of(source)
    run(url, "UPDATE repeated SET name = name WHERE name < 'k'")
    assert rows_of(source) == first


@pytest.mark.usefixtures("transport")
def test_what_is_written_while_a_delivery_is_read_is_not_seen_by_it(url):
    source = table_source()
    with source.reading():
        fingerprint, first = source.fingerprint(), rows_of(source)
        run(url, "UPDATE customers SET name = 'other', changed = now() WHERE id = 1", "DELETE FROM customers WHERE id = 2")
        run(url, "INSERT INTO customers VALUES (0, 'new', now())")
        assert rows_of(source) == first
        assert source.fingerprint() == fingerprint
    assert source.fingerprint() != fingerprint
    assert [row[:2] for row in rows_of(source)] == [("0", "new"), ("1", "other"), ("3", "Name 3")]


@pytest.mark.usefixtures("url")
def test_within_a_reading_nothing_can_be_written():
    source = table_source()
    with source.reading():
        rows_of(source)
        with pytest.raises(Exception, match="read-only"):
            source._reader._connection.exec_driver_sql("DELETE FROM customers")  # noqa: SLF001 -- what nobody can do from outside


CHANGES = [
    ("UPDATE customers SET name = 'other', changed = '2026-02-01' WHERE id = 1", True),
    ("UPDATE customers SET changed = '2025-02-01' WHERE id = 1", True),
    ("INSERT INTO customers VALUES (9, 'new', NULL)", True),
    ("DELETE FROM customers WHERE id = 2", True),
    ("DELETE FROM customers WHERE id = 2; INSERT INTO customers VALUES (4, 'x', '2026-01-01 14:00+00')", True),
    ("UPDATE customers SET name = 'unseen' WHERE id = 1", False),  # as docs/contracts.md says
]


@pytest.mark.parametrize(("statement", "is_seen"), CHANGES)
def test_the_fingerprint_is_over_keys_and_moments_of_change(url, statement, is_seen):
    before = table_source().fingerprint()
    assert table_source().fingerprint() == before
    run(url, statement)
    assert (table_source().fingerprint() != before) is is_seen


def test_without_moments_the_fingerprint_is_over_all_that_is_read(url):
    source = table_source(*carrying("name"))
    before = source.fingerprint()
    run(url, "UPDATE customers SET changed = now()")
    assert source.fingerprint() == before
    run(url, "UPDATE customers SET name = 'seen' WHERE id = 1")
    assert source.fingerprint() != before


@pytest.mark.usefixtures("transport")
@pytest.mark.parametrize("kind", ["timestamptz", "timestamp"])
def test_only_what_changed_since_is_read_and_what_does_not_tell(url, kind):
    run(url, f"ALTER TABLE customers ALTER changed TYPE {kind}", "INSERT INTO customers VALUES (9, 'silent', NULL)")
    source = table_source(since=datetime(2026, 1, 1, 14, tzinfo=UTC))
    assert [row[0] for row in rows_of(source)] == ["2", "3", "9"]
    assert not source.is_snapshot
    assert table_source().is_snapshot
    assert source.fingerprint() == table_source().fingerprint()


def test_days_tell_of_changes_too(url):
    run(url, "ALTER TABLE customers ALTER changed TYPE date", "UPDATE customers SET changed = date '2026-01-01' + id::int")
    assert [row[0] for row in rows_of(table_source(since=datetime(2026, 1, 3, 14, tzinfo=UTC)))] == ["2", "3"]


def _complaint(source) -> str:
    with pytest.raises(SourceUnreadable) as raised:
        rows_of(source)
    assert raised.value.__cause__ is None
    assert "\n" not in str(raised.value)
    assert CANARY not in str(raised.value)
    assert "postgresql" not in str(raised.value)
    return str(raised.value)


WRONG = [
    (
        "ALTER TABLE customers RENAME name TO full_name",
        "there is no column 'name', which shop.odcs.yaml describes; did you mean 'full_name'?",
    ),
    ("ALTER TABLE customers RENAME TO customer", "there is no such table that the user may see; did you mean 'customer'?"),
    ("ALTER TABLE customers ALTER name TYPE bytea USING name::bytea", "'name' holds bytes"),
    ("ALTER TABLE customers ALTER name TYPE interval USING NULL", "'name' holds durations"),
]


@pytest.mark.parametrize(("statement", "message"), WRONG)
def test_a_table_that_is_not_as_the_contract_says_is_named(url, statement, message):
    run(url, statement)
    assert _complaint(table_source()).startswith(f"shop: customers: {message}")


def test_changes_cannot_be_picked_by_a_column_that_is_no_moment(url):
    run(url, "ALTER TABLE customers ALTER changed TYPE text")
    assert "'changed' is no timestamp" in _complaint(table_source(since=datetime(2026, 1, 1, tzinfo=UTC)))


def test_a_view_is_read_as_a_table_is(url):
    run(url, "CREATE VIEW alive AS SELECT * FROM customers WHERE id > 1")
    assert len(rows_of(table_source(table=DatabaseTable("alive", credentials=TABLE.credentials)))) == 2


@pytest.mark.usefixtures("url", "transport")
def test_a_cell_that_the_database_cannot_make_is_not_quoted(server):
    run(server.url, "CREATE FUNCTION fail(t text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '%%', t; END $$")
    run(server.url, f"CREATE VIEW failing AS SELECT id, fail('{CANARY}' || name) AS name FROM customers")
    table = DatabaseTable("failing", credentials=TABLE.credentials)
    assert "it cannot be read to its end" in _complaint(table_source(*carrying("name"), table=table))


@pytest.mark.usefixtures("transport")
def test_a_connection_that_is_lost_in_the_middle_is_an_error_of_one_line(url, caplog):
    run(url, f"INSERT INTO customers SELECT n, repeat('{CANARY}', 40), now() FROM generate_series(10, 200000) n")
    source = table_source()
    batches = source.batches(rows=1000)
    next(batches)
    run(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'custview'")
    with pytest.raises(SourceUnreadable, match=r"^shop: customers: it cannot be read to its end \(the connection was lost.*\)$"):
        list(batches)
    assert caplog.records == []
    run(url, "TRUNCATE customers", FEW)
    assert len(rows_of(source)) == 3


@pytest.fixture
def guarded(server, url):
    """A user who needs a password, on a server that asks for it."""
    rules = server.folder / "pg_hba.conf"
    before = rules.read_text()
    run(url, f"CREATE ROLE reader LOGIN PASSWORD '{CANARY}'", "GRANT USAGE ON SCHEMA public TO reader")
    rules.write_text("local all reader scram-sha-256\n" + before)
    run(url, "SELECT pg_reload_conf()")
    yield url
    rules.write_text(before)
    run(url, "SELECT pg_reload_conf()", "DROP OWNED BY reader", "DROP ROLE reader")


def _as_reader(server, secret: Credentials | None, **changes) -> DatabaseTable:
    place = {"host": str(server.folder), "database": "postgres", "user": "reader", "credentials": secret}
    return DatabaseTable("customers", "public", "postgresql+psycopg2", **{**place, **changes})


def test_a_user_with_the_right_password_who_may_read_does(server, guarded, monkeypatch, tmp_path, transport):
    secret = tmp_path / "crm"
    secret.write_text(f"{CANARY}\n")
    secret.chmod(0o600)
    table = _as_reader(server, Credentials("file", str(secret)))
    assert _complaint(table_source(table=table)).endswith("(the user may not read it)"), transport
    run(guarded, "GRANT SELECT ON customers TO reader")
    assert len(rows_of(table_source(table=table))) == 3
    monkeypatch.setenv("CRM_PASSWORD", CANARY)
    assert len(rows_of(table_source(table=_as_reader(server, Credentials("env", "CRM_PASSWORD"))))) == 3


@pytest.mark.usefixtures("guarded")
def test_who_is_not_let_in_is_told_why_and_never_with_what(server, monkeypatch, tmp_path):
    monkeypatch.setenv("CRM_PASSWORD", f"wrong{CANARY}")
    refused = "shop: public.customers: the database cannot be opened (user or password are refused)"
    assert _complaint(table_source(table=_as_reader(server, Credentials("env", "CRM_PASSWORD")))) == refused
    other = _as_reader(server, None, user="postgres", database="elsewhere")
    assert _complaint(table_source(table=other)).endswith("(there is no such database)")
    gone = _as_reader(server, None, host=str(tmp_path), user="postgres")
    assert _complaint(table_source(table=gone)) == "shop: public.customers: the database cannot be opened (it cannot be reached)"


def test_text_of_another_encoding_is_read(url, transport):
    run(url, "INSERT INTO customers VALUES (5, 'Zoë 李雷', NULL)")
    assert rows_of(table_source(SourceColumn("id", "source_key"), SourceColumn("name", "full_name")))[-1] == ("5", "Zoë 李雷"), (
        transport
    )
