"""Tests of ``custview_pipeline.flows.certificate`` and of what searches for it: what is left is found, wherever it lies."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from custview_pipeline.adapters.encrypted_parquet import write_encrypted
from custview_pipeline.adapters.key_segments import new_segment_name
from custview_pipeline.contracts.erasure import CarriedOut
from custview_pipeline.contracts.key_backups import BackupNote
from custview_pipeline.contracts.match_index import IndexPart
from custview_pipeline.flows.airlock import QUARANTINE_PLACE
from custview_pipeline.flows.certificate import find_erasure
from custview_pipeline.kernel.errors import UnknownErasure
from custview_pipeline.protection.key_table import seal_segment
from custview_pipeline.protection.vault import Rows
from custview_pipeline_tests.factories import NOW
from custview_pipeline_tests.flows.conftest import OTTO
from custview_pipeline_tests.flows.erasing import Estate, found_in, refused
from custview_pipeline_tests.flows.sealed_lake import Record, take_in

TABLES = {
    "protected_records", "match_edges", "match_groups", "crosswalk", "golden_lineage", "golden_records", "customer_core",
    "cuid_history",
}  # fmt: skip
INDEX = {"match index, tokens", "match index, claims"}
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def settled(tmp_path_factory) -> Estate:
    """Return an estate through which the flows have passed once, not to be changed."""
    return Estate.settled(tmp_path_factory.mktemp("certified") / "estate")


@pytest.fixture
def estate(settled, tmp_path) -> Estate:
    return settled.copied(tmp_path / "estate")


@pytest.fixture(scope="module")
def erased(settled, tmp_path_factory):
    """Return an estate from which a customer was erased, a copy of its lake of before, and the erasure; not to be changed."""
    estate = settled.copied(tmp_path_factory.mktemp("erased") / "estate")
    entry = estate.ask_customer_of(1)
    estate.carry_out()
    return estate, settled.lake.root, entry


@pytest.fixture
def after(erased, tmp_path):
    """Return an estate from which a customer was erased, to go on with, and the erasure."""
    estate, _, entry = erased
    return estate.copied(tmp_path / "estate"), entry


def test_before_it_is_carried_out_everything_is_found(estate):
    certificate = estate.certify(estate.ask_customer_of(1))

    assert (certificate.is_carried_out, certificate.is_proven, certificate.carried_out) == (False, False, None)
    assert set(found_in(certificate)) == {
        *(f"{table}, as it holds now" for table in TABLES),
        *(f"{table}, every file" for table in TABLES),
        *INDEX,
        "key table",
    }


def test_after_it_everything_was_searched_and_nothing_is_found(erased):
    estate, _, entry = erased
    certificate = estate.certify(entry)

    assert (certificate.is_carried_out, certificate.is_proven) == (True, True)
    assert (certificate.found_count, certificate.unreadable_count, certificate.returned_count) == (0, 0, 0)
    assert certificate.carried_out is not None
    rows = {place.name: place.row_count for place in certificate.places}
    assert rows["protected_records, as it holds now"] == rows["protected_records, every file"] == 4
    assert rows["match index, tokens"] == rows["key table"] == 4
    assert rows["match index, neighbourhoods"] > 0
    assert rows["logs of the tables"] > 0


def test_a_copy_of_before_holds_the_sealed_rows_and_these_keys_open_none(erased):
    estate, before, entry = erased
    (copy,) = estate.certify(entry, before).copies

    assert (copy.sealed_count, copy.opened_count) == (2, 0)
    assert {"crosswalk, every file", "match index, tokens"} <= {place.name for place in copy.places}


def test_a_copy_of_before_with_keys_of_before_can_be_read_and_that_is_told(estate, tmp_path):
    shutil.copytree(estate.lake.root, tmp_path / "copy")
    shutil.copytree(estate.root / "keys", tmp_path / "old")
    entry = estate.ask_customer_of(1)
    estate.carry_out()
    assert estate.certify(entry, tmp_path / "copy").is_proven

    for name in ("keyring.json", "root.key"):  # as if the keys had never been destroyed
        shutil.copy(tmp_path / "old" / name, estate.root / "keys" / name)
    careless = Estate.open(estate.root)
    certificate = careless.certify(entry, tmp_path / "copy")
    assert (certificate.opened_count, certificate.is_proven) == (2, False)


def test_refused_rows_in_a_copy_are_tried_too(estate, tmp_path):
    sealed = estate.keyring.vault().seal(*_refused_row(900))
    with estate.lake.writer() as writer, writer.commit("run-2") as commit:
        materials = pl.DataFrame({"record_id": [900], "version": pl.Series([0], dtype=pl.Int32), "material": sealed.materials})
        commit.add_keys(materials)
        row = {"quarantine_id": 900, "record_id": 3, "row_sealed": sealed.blobs[0], "quarantined_at": NOW}
        commit.append("quarantined_records", refused(row))
    shutil.copytree(estate.lake.root, tmp_path / "copy")
    entry = estate.ask_records(3)
    before = estate.certify(entry, tmp_path / "copy")
    assert [(copy.sealed_count, copy.opened_count) for copy in before.copies] == [(2, 2)]
    estate.carry_out()

    after = estate.certify(entry, tmp_path / "copy")
    assert [(copy.sealed_count, copy.opened_count) for copy in after.copies] == [(2, 0)]


def _refused_row(quarantine_id):
    return QUARANTINE_PLACE, Rows(pl.Series([quarantine_id]), pl.Series([0], dtype=pl.Int32)), pl.Series(['{"a": "b"}'])


def test_a_file_that_no_version_names_is_searched(after, settled):
    estate, entry = after
    stored = settled.lake.snapshot()
    for table in ("crosswalk", "golden_records"):
        stored.read(table).write_parquet(estate.lake.root / "tables" / table / "left-over.parquet")

    certificate = estate.certify(entry)
    assert found_in(certificate) == {"crosswalk, every file": 2, "golden_records, every file": 1}
    assert not certificate.is_proven


def test_segments_that_no_manifest_names_are_searched(after, settled):
    estate, entry = after
    segment = "tokens-00000009-k1-abcdef01.parquet"
    tokens = settled.lake.snapshot().read_index(IndexPart.TOKENS)
    write_encrypted(tokens.filter(pl.col("record_id") == 1), estate.lake.root / "index" / segment, estate.keyring)
    name = new_segment_name(9)
    entries = pl.DataFrame({"record_id": [2], "version": pl.Series([1], dtype=pl.Int32), "material": [bytes(12)]})
    (estate.lake.root / "keys" / name).write_bytes(seal_segment(entries, estate.keyring.shard_keys(), name))

    assert found_in(estate.certify(entry)) == {"match index, tokens": 1, "key table": 1}


def test_neighbourhoods_that_nobody_owns_are_found(after):
    estate, entry = after
    generation = estate.lake.snapshot().index_generations()[0]
    stray = pl.DataFrame({"token": [77], "key": [1], "part": [0]}, schema={"token": pl.Int64, "key": pl.Int32, "part": pl.UInt8})
    with estate.lake.writer() as writer, writer.commit("run-2") as commit:
        commit.add_index(IndexPart.NEIGHBOURHOODS, stray, generation=generation)

    assert found_in(estate.certify(entry)) == {"match index, neighbourhoods": 1}


@pytest.mark.parametrize("what", ["id", "customer"])
def test_a_log_that_tells_of_it_is_found(estate, what):
    record = 7_340_032_123_456_789_012
    take_in(estate.lake, estate.keyring, Record(record, OTTO, {"name": "Otto"}), run_id="run-2")
    estate.house.run("run-2")
    customer = estate.customers()[record]
    entry = estate.ask_customer_of(record)
    estate.carry_out()
    assert found_in(estate.certify(entry)) == {}
    log = estate.lake.root / "tables/crosswalk/_delta_log/00000000000000000000.json"
    log.write_text(f'{{"max": {record}}}' if what == "id" else f'{{"max": "{customer}"}}', encoding="utf-8")

    assert found_in(estate.certify(entry)) == {"logs of the tables": 1}


@pytest.mark.parametrize(
    "file", ["tables/crosswalk/torn.parquet", "index/tokens-torn.parquet", "keys/torn", "tables/notes.txt", "copy.csv"]
)
def test_what_cannot_be_searched_proves_nothing(after, file):
    estate, entry = after
    (estate.lake.root / file).write_bytes(b"PAR1 and nothing more")
    certificate = estate.certify(entry)

    assert (certificate.unreadable_count, certificate.found_count, certificate.is_proven) == (1, 0, False)


@pytest.mark.parametrize("pattern", ["tables/protected_records/*.parquet", "tables/crosswalk/*.parquet", "keys/*", "index/*"])
def test_a_copy_that_cannot_be_read_proves_nothing(erased, tmp_path, pattern):
    estate, before, entry = erased
    shutil.copytree(before, tmp_path / "copy")
    torn = list((tmp_path / "copy").glob(pattern))
    for path in torn:
        path.write_bytes(path.read_bytes()[:100])
    certificate = estate.certify(entry, tmp_path / "copy")

    (copy,) = certificate.copies
    assert copy.unreadable_count == certificate.unreadable_count == len(torn) > 0
    assert not certificate.is_proven


def test_segments_of_a_copy_under_a_destroyed_index_key_are_closed_and_no_obstacle(erased, tmp_path):
    estate, before, entry = erased
    shutil.copytree(before, tmp_path / "copy")
    for path in (tmp_path / "copy" / "index").iterdir():
        path.rename(path.with_name(path.name.replace("-k1-", "-k7-")))
    certificate = estate.certify(entry, tmp_path / "copy")

    (copy,) = certificate.copies
    assert (copy.unreadable_count, copy.closed_count) == (0, len(list((before / "index").iterdir())))
    assert certificate.is_proven


def test_a_customer_that_goes_on_with_records_of_after_the_request_is_not_erased(after):
    estate, entry = after
    customer = estate.read("cuid_history").filter(event="erased")["cuid"][0]
    assert estate.certify(entry).continuing_count == 0
    crosswalk = estate.read("crosswalk")
    later = crosswalk.head(1).with_columns(pl.lit(77, pl.Int64).alias("record_id"), pl.lit(customer).alias("cuid"))
    with estate.lake.writer() as writer, writer.commit("run-2") as commit:
        commit.append("crosswalk", later)
    certificate = estate.certify(entry)

    assert (certificate.continuing_count, certificate.is_proven) == (1, False)
    assert estate.certify(estate.ask_records(1)).continuing_count == 0, "no customer was asked for"


def letting_back(estate):
    """Return an estate whose sources may bring back whom it erased."""
    contracts = tuple(replace(contract, refuses_erased=False) for contract in estate.house.contracts)
    return Estate(estate.root, replace(estate.house, contracts=contracts))


def delivered_again(estate):
    again = Record(1, OTTO, {"name": "Ada Winterbourne"}, cells={"valid_from_at": datetime.now(UTC) + DAY})
    take_in(estate.lake, estate.keyring, again, run_id="run-2")
    estate.house.run("run-2")


def test_a_record_that_came_back_where_its_contract_refuses_it_is_found(after):
    estate, entry = after
    delivered_again(estate)
    certificate = estate.certify(entry)

    assert (certificate.returned_count, certificate.is_proven) == (0, False)
    assert {"protected_records, as it holds now", "key table", "match index, tokens"} <= set(found_in(certificate))


def test_what_was_left_of_a_record_that_came_back_is_found(after, settled):
    estate, entry = letting_back(after[0]), after[1]
    delivered_again(estate)
    for name in ("run-3", "run-4"):
        estate.house.run(name)
    assert found_in(estate.certify(entry)) == {}

    stored = settled.lake.snapshot()
    stored.read("crosswalk").filter(record_id=1).write_parquet(estate.lake.root / "tables/crosswalk/left-over.parquet")
    tokens = stored.read_index(IndexPart.TOKENS).filter(record_id=1)
    write_encrypted(tokens, estate.lake.root / "index/tokens-00000009-k1-abcdef01.parquet", estate.keyring)
    name = new_segment_name(9)
    entries = pl.DataFrame({"record_id": [1], "version": pl.Series([1], dtype=pl.Int32), "material": [bytes(12)]})
    (estate.lake.root / "keys" / name).write_bytes(seal_segment(entries, estate.keyring.shard_keys(), name))
    assert found_in(estate.certify(entry)) == {"crosswalk, every file": 1, "match index, tokens": 1, "key table": 1}


def test_a_record_that_came_back_is_told_apart_from_what_is_left(after):
    estate, entry = letting_back(after[0]), after[1]
    delivered_again(estate)
    certificate = estate.certify(entry)

    assert certificate.is_proven
    assert certificate.returned_count > 0
    came_back = {place.name for place in certificate.places if place.returned_count}
    assert {"protected_records, as it holds now", "key table", "match index, tokens", "crosswalk, every file"} <= came_back


def test_refused_rows_without_a_key_are_told_with_the_day_until_which_they_are_kept(after):
    estate, entry = after
    assert (estate.certify(entry).keyless.row_count, estate.certify(entry).keyless.kept_until) == (0, None)
    rows = refused({"quarantine_id": 1, "quarantined_at": NOW}, {"quarantine_id": 2, "quarantined_at": NOW - DAY})
    with estate.lake.writer() as writer, writer.commit("run-2") as commit:
        commit.append("quarantined_records", rows)

    keyless = estate.certify(entry).keyless
    assert (keyless.row_count, keyless.kept_until) == (2, NOW + 30 * DAY)


def backup(number, created_at, **changes):
    note = BackupNote(number=number, created_at=created_at, expires_at=created_at + 30 * DAY)
    return note.model_copy(update=changes)


def test_it_is_final_when_no_key_backup_of_before_is_left(erased):
    estate, _, entry = erased
    (done,) = [line.carried_out_at for line in estate.ledger.lines() if isinstance(line, CarriedOut)]
    before, after_ = done - 5 * DAY, done + timedelta(seconds=1)
    now = done + DAY

    def finality(*backups, at=now):
        found = estate.certify(entry, backups=backups, now=at).finality
        return found.is_final, [note.number for note in found.backups], found.final_at

    assert finality() == (True, [], None)
    assert finality(backup(1, after_)) == (True, [], None)
    assert finality(backup(1, before, destroyed_at=now)) == (True, [], None)
    assert finality(backup(1, before), backup(2, after_)) == (False, [1], before + 30 * DAY)
    assert finality(backup(1, before), backup(2, before + DAY)) == (False, [1, 2], before + 31 * DAY)
    assert finality(backup(1, before), at=done + 60 * DAY) == (False, [1], None)


def test_an_erasure_that_was_never_asked_for_is_unknown(erased):
    estate, _, _ = erased
    with pytest.raises(UnknownErasure, match="the ledger has no erasure of this id"):
        find_erasure(estate.ledger.lines(), "0" * 16)


def test_an_old_lake_that_is_restored_is_erased_again_before_anything_else(erased, tmp_path):
    estate, before, entry = erased
    restored = estate.copied(tmp_path / "estate")
    shutil.rmtree(restored.lake.root)
    shutil.copytree(before, restored.lake.root)
    restored = Estate.open(restored.root)
    assert not restored.certify(entry).is_carried_out
    (carried,) = restored.carry_out("erasure-2")

    assert (carried.record_count, carried.customer_count) == (2, 1)
    assert restored.certify(entry).is_proven
    assert restored.broken_promises() == {}
    assert [line.run_id for line in restored.ledger.lines() if isinstance(line, CarriedOut)] == ["erasure-1", "erasure-2"]
