"""Tests of ``custview_pipeline.flows.erase``: what the ledger names leaves tables, index and keys, and nothing else does."""

import shutil

import polars as pl
import pytest

from custview_pipeline.contracts.erasure import CarriedOut
from custview_pipeline.contracts.match_index import VALUE_PARTS, IndexPart
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.flows.erasure_index import fuzzy_tokens
from custview_pipeline.flows.erasure_request import NamedRecord, choose_customer, choose_records
from custview_pipeline.flows.link import link
from custview_pipeline.kernel.errors import LedgerDamaged, UnknownCustomer
from custview_pipeline.kernel.identifiers import Cuid
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline.protection.record_identity import record_ids
from custview_pipeline_tests.factories import NOW, cuid, protected_records
from custview_pipeline_tests.flows.conftest import ADA, FIRST_DELIVERY, OTTO
from custview_pipeline_tests.flows.erasing import Estate, found_in, pointers, record_ids_in, refused
from custview_pipeline_tests.flows.sealed_lake import Record, remove, take_in


@pytest.fixture(scope="session")
def settled(tmp_path_factory) -> Estate:
    """Return an estate through which the flows have passed once, not to be changed."""
    return Estate.settled(tmp_path_factory.mktemp("settled") / "estate")


@pytest.fixture
def estate(settled, tmp_path) -> Estate:
    return settled.copied(tmp_path / "estate")


def keys_of(estate, *record_ids_):
    versions = pl.Series([1] * len(record_ids_), dtype=pl.Int32)
    return estate.lake.snapshot().materials(pl.Series(record_ids_, dtype=pl.Int64), versions).is_not_null().to_list()


def test_a_customer_is_erased_everywhere_and_nobody_else_is(estate):
    before, customer = estate.values(), estate.customers()[1]
    assert before[1, "name"] == "Ada Winterbourne"
    entry = estate.ask_customer_of(1)
    (carried,) = estate.carry_out()

    assert (carried.erasure_ids, carried.record_count, carried.customer_count) == ((entry.erasure_id,), 2, 1)
    assert record_ids_in(estate) == record_ids_in(estate, "crosswalk") == {3, 60, 61, 62}
    assert {1, 2}.isdisjoint(record_ids_in(estate, "golden_lineage") | pointers(estate.read("golden_records")))
    assert customer not in set(estate.read("golden_records")["cuid"]) | set(estate.read("customer_core")["cuid"])
    assert estate.values() == {place: value for place, value in before.items() if place[0] not in {1, 2}}
    assert keys_of(estate, 1, 2, 3, 60) == [False, False, True, True]
    assert found_in(estate.certify(entry)) == {}


def test_every_promise_between_the_tables_holds_right_after_an_erasure(estate):
    estate.ask_customer_of(1)
    estate.ask_records(60)
    estate.carry_out()

    assert estate.broken_promises() == {}


@pytest.mark.parametrize("record", [1, 2])
def test_a_customer_goes_on_without_a_record_that_was_erased_alone(estate, record):
    customer, other = estate.customers()[1], 3 - record
    entry = estate.ask_records(record)
    (carried,) = estate.carry_out()

    assert (carried.record_count, carried.customer_count) == (1, 0)
    assert estate.customers()[other] == customer
    golden = estate.read("golden_records").filter(pl.col("cuid") == customer)
    assert pointers(golden) == {other}
    assert record not in record_ids_in(estate, "golden_lineage")
    assert estate.broken_promises() == {}
    assert found_in(estate.certify(entry)) == {}

    estate.house.run("run-2")
    values = estate.values()
    assert values[other, "name"] == {1: "Ada Winterbourne", 2: "A. Winterbourne"}[other]
    assert not [place for place in values if place[0] == record]
    assert estate.customers()[other] == customer
    assert estate.broken_promises() == {}


def test_what_is_published_of_a_customer_that_goes_on_holds_nothing_of_the_erased_record(estate):
    customer = estate.customers()[1]
    core = estate.read("customer_core").filter(pl.col("cuid") == customer)
    assert (core["country"].to_list(), core["source_systems"].to_list()) == (["US"], [["crm", "web"]])
    estate.ask_records(1)
    estate.carry_out()

    core = estate.read("customer_core").filter(pl.col("cuid") == customer)
    assert (core["country"].to_list(), core["source_systems"].to_list()) == ([None], [["web"]])
    assert "phone" not in core["known_attributes"][0]


def test_the_history_keeps_that_a_customer_was_erased_and_not_who_founded_it(estate):
    customer = estate.customers()[3]
    estate.ask_customer_of(3)
    estate.carry_out()

    history = estate.read("cuid_history").filter(pl.col("cuid") == customer).sort("happened_at")
    assert history["event"].to_list() == ["created", "erased"]
    assert history["founding_record_id"].to_list() == [None, None]
    assert history["run_id"].to_list() == ["run-1", "erasure-1"]
    with pytest.raises(UnknownCustomer, match=r"^this customer was erased on \d{4}-\d\d-\d\d$"):
        choose_customer(estate.lake.snapshot(), Cuid(customer))


def test_a_record_that_is_let_in_again_becomes_another_customer(estate):
    customer = estate.customers()[3]
    estate.ask_customer_of(3)
    estate.carry_out()
    take_in(estate.lake, estate.keyring, Record(3, OTTO, {"name": "Otto Keating"}), run_id="run-2")
    estate.house.run("run-3")

    assert estate.customers()[3] != customer
    assert estate.values()[3, "name"] == "Otto Keating"
    assert estate.broken_promises() == {}


NAME = {"given": "ada", "family": "winterbourne"}
CONTACT = {"phones": ["2025550143"], "email": "ada.w@example.org"}
BIRTH_AND_HOME = {
    "birth_date": "1961-04-17", "house_number": "12", "street": "maple", "postal_code": "62704", "city": "springfield",
}  # fmt: skip
BRIDGE = (
    Record(1, {**NAME, **CONTACT}, {"name": "Ada"}),
    Record(2, {**NAME, **CONTACT, **BIRTH_AND_HOME}, {"name": "Ada W."}, source_system="web"),
    Record(3, {**NAME, "given": "adele", **BIRTH_AND_HOME}, {"name": "Adele"}),
)


def test_those_whom_an_erased_record_held_together_part(tmp_path):
    estate = Estate.open(tmp_path / "estate")
    take_in(estate.lake, estate.keyring, *BRIDGE, *FIRST_DELIVERY[3:])
    estate.house.run()
    assert len({estate.customers()[record] for record in (1, 2, 3)}) == 1
    estate.ask_records(2)
    estate.carry_out()
    assert estate.broken_promises() == {}
    estate.house.run("run-2")

    assert estate.customers()[1] != estate.customers()[3]
    assert estate.values()[1, "name"] == "Ada"
    assert estate.values()[3, "name"] == "Adele"
    assert estate.broken_promises() == {}


def test_records_that_their_source_deleted_are_erased_with_their_customer(estate):
    customer = estate.customers()[2]
    remove(estate.lake, 2, version=2)
    estate.house.run("run-2")
    assert 2 not in estate.customers()
    chosen = choose_customer(estate.lake.snapshot(), Cuid(customer))
    assert sorted(chosen.record_ids) == [1, 2]
    entry = estate.ask(chosen)
    estate.carry_out()

    assert {1, 2}.isdisjoint(record_ids_in(estate) | record_ids_in(estate, "crosswalk"))
    assert found_in(estate.certify(entry)) == {}


def test_a_customer_all_of_whose_records_are_gone_can_be_erased(estate):
    customer = estate.customers()[3]
    remove(estate.lake, 3, version=2)
    estate.house.run("run-2")
    estate.ask(choose_customer(estate.lake.snapshot(), Cuid(customer)))
    (carried,) = estate.carry_out()

    assert (carried.record_count, carried.customer_count) == (1, 1)
    assert customer not in set(estate.read("golden_records")["cuid"])
    assert estate.broken_promises() == {}


def test_customers_that_were_merged_into_an_erased_one_are_erased_with_it(estate):
    former = estate.customers()[3]
    same = Record(3, ADA, {"name": "Ada Winterbourne"}, version=2)
    take_in(estate.lake, estate.keyring, same, run_id="run-2")
    estate.house.run("run-2")
    heir = estate.customers()[1]
    assert estate.customers()[3] == heir != former
    with pytest.raises(UnknownCustomer, match=f"^this customer was merged into {heir}, which holds its records"):
        choose_customer(estate.lake.snapshot(), Cuid(former))
    entry = estate.ask_customer_of(1)
    (carried,) = estate.carry_out()

    assert (carried.record_count, carried.customer_count) == (3, 2)
    assert {former, heir}.isdisjoint(estate.read("golden_records")["cuid"])
    assert found_in(estate.certify(entry)) == {}
    assert estate.broken_promises() == {}


def test_refused_rows_of_a_record_are_erased_and_those_without_a_key_stay(estate):
    rows = refused({"quarantine_id": 900, "record_id": 3, "quarantined_at": NOW}, {"quarantine_id": 901, "quarantined_at": NOW})
    with estate.lake.writer() as writer, writer.commit("run-2") as commit:
        version = pl.lit(0, pl.Int32)
        commit.add_keys(pl.DataFrame({"record_id": [900, 901]}).with_columns(version=version, material=pl.lit(bytes(12))))
        commit.append("quarantined_records", rows)
    entry = estate.ask_customer_of(3)
    (carried,) = estate.carry_out()

    assert carried.rows["quarantined_records"] == 1
    assert estate.read("quarantined_records")["quarantine_id"].to_list() == [901]
    versions = pl.Series([0, 0], dtype=pl.Int32)
    assert estate.lake.snapshot().materials(pl.Series([900, 901]), versions).is_not_null().to_list() == [False, True]
    assert found_in(estate.certify(entry)) == {}


def test_one_who_was_only_ever_refused_can_be_erased_by_the_key_of_the_record(estate):
    record = record_ids(estate.id_key, "crm", pl.Series(["k 7"]))[0]
    with estate.lake.writer() as writer, writer.commit("run-2") as commit:
        commit.append("quarantined_records", refused({"quarantine_id": 900, "record_id": record, "quarantined_at": NOW}))
    chosen = choose_records(estate.lake.snapshot(), estate.id_key, [NamedRecord("crm", " k 7 ")])
    assert chosen.record_ids.to_list() == [record]
    entry = estate.ask(chosen)
    (carried,) = estate.carry_out()

    assert carried.rows == {"quarantined_records": 1}
    assert found_in(estate.certify(entry)) == {}


def test_a_record_that_the_lake_does_not_hold_is_told_by_its_place_and_not_its_key(estate):
    known = record_ids(estate.id_key, "crm", pl.Series(["here"]))
    with estate.lake.writer() as writer, writer.commit("run-2") as commit:
        commit.append("protected_records", protected_records({"record_id": known[0]}))
    named = [NamedRecord("crm", "Wilhelmina"), NamedRecord("crm", "here"), NamedRecord("web", "here")]
    with pytest.raises(UnknownCustomer, match="no record that was named in place 1, 3: look at") as refused_:
        choose_records(estate.lake.snapshot(), estate.id_key, named)
    assert "Wilhelmina" not in str(refused_.value)


def test_a_customer_that_never_was_is_unknown(estate):
    with pytest.raises(UnknownCustomer, match="no customer has this id"):
        choose_customer(estate.lake.snapshot(), Cuid(cuid(7)))


def neighbourhoods_in(snapshot):
    """Return the rows of all parts with neighbourhood keys."""
    return pl.concat(snapshot.read_index(part) for part in VALUE_PARTS)


def test_neighbourhoods_stay_of_values_that_others_have_too(estate):
    namesake = {"given": "ada", "family": "winterbourne", "birth_date": "1990-01-05", "phones": ["2025550199"]}
    take_in(estate.lake, estate.keyring, Record(7, namesake, {"name": "Ada W."}), run_id="run-2")
    before = neighbourhoods_in(estate.lake.snapshot())
    estate.ask_customer_of(1)
    estate.carry_out()

    snapshot = estate.lake.snapshot()
    tokens, after = snapshot.read_index(IndexPart.TOKENS), neighbourhoods_in(snapshot)
    assert {1, 2}.isdisjoint(tokens["record_id"])
    assert {1, 2}.isdisjoint(snapshot.read_index(IndexPart.CLAIMS)["record_id"])
    assert set(after["token"]) == set(before["token"]) & set(fuzzy_tokens(tokens))
    assert set(after["token"]) < set(before["token"])
    kept = tokens.filter(pl.col("record_id") == 7)
    assert {kept["given"][0], kept["family"][0]} <= set(after["token"])


def test_every_neighbourhood_of_an_index_has_an_owner(estate):
    snapshot = estate.lake.snapshot()
    owners = fuzzy_tokens(snapshot.read_index(IndexPart.TOKENS))
    assert neighbourhoods_in(snapshot)["token"].is_in(owners.implode()).all()


def test_a_generation_of_the_index_that_is_being_built_is_cleaned_too(estate):
    snapshot = estate.lake.snapshot()
    with estate.lake.writer() as writer, writer.commit("run-2") as commit:
        commit.begin_index("next;key=2")
        for part in IndexPart:
            commit.add_index(part, snapshot.read_index(part), generation="next;key=2")
    estate.ask_customer_of(1)
    estate.carry_out()

    snapshot = estate.lake.snapshot()
    for generation in snapshot.index_generations():
        assert {1, 2}.isdisjoint(snapshot.read_index(IndexPart.TOKENS, generation=generation)["record_id"])
        assert {1, 2}.isdisjoint(snapshot.read_index(IndexPart.CLAIMS, generation=generation)["record_id"])


def test_what_was_carried_out_is_not_done_again(estate):
    estate.ask_customer_of(1)
    estate.carry_out()
    before = (estate.lake.root / "manifest.json").read_bytes()

    assert estate.carry_out("erasure-2") == ()
    assert (estate.lake.root / "manifest.json").read_bytes() == before
    assert [line.run_id for line in estate.ledger.lines() if isinstance(line, CarriedOut)] == ["erasure-1"]


def test_several_erasures_are_one_commit(estate):
    entries = [estate.ask_customer_of(1), estate.ask_customer_of(3), estate.ask_customer_of(1)]
    sequence = estate.lake.snapshot().manifest.sequence
    (carried,) = estate.carry_out()

    assert carried.erasure_ids == tuple(entry.erasure_id for entry in entries)
    assert (carried.record_count, carried.customer_count) == (3, 2)
    assert estate.lake.snapshot().manifest.sequence == sequence + 1
    assert record_ids_in(estate) == {60, 61, 62}
    assert all(found_in(estate.certify(entry)) == {} for entry in entries)


def test_an_erasure_of_what_is_gone_already_counts_as_carried_out(estate):
    first = estate.ask_customer_of(3)
    again = estate.ask_records(3)
    later = estate.ask_records(4711)
    estate.carry_out()
    assert set(estate.lake.snapshot().erasures()) == {entry.erasure_id for entry in (first, again, later)}
    last = estate.ask_records(3)
    (carried,) = estate.carry_out("erasure-2")

    assert (carried.erasure_ids, carried.record_count, carried.rows) == ((last.erasure_id,), 0, {})


def test_an_erasure_that_nobody_came_to_note_is_noted_by_the_next_writer(estate):
    entry = estate.ask_customer_of(1)
    estate.carry_out()
    ledger = estate.root / "keys" / "erasures.jsonl"
    (line, _) = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(line)

    assert estate.carry_out("erasure-2") == ()
    (noted,) = [line for line in estate.ledger.lines() if isinstance(line, CarriedOut)]
    assert (noted.erasure_id, noted.run_id) == (entry.erasure_id, "erasure-2")


def test_an_empty_lake_has_nothing_to_erase(tmp_path):
    estate = Estate.open(tmp_path / "estate")
    entry = estate.ask_records(1)
    (carried,) = estate.carry_out()

    assert (carried.record_count, carried.rows) == (0, {})
    assert estate.certify(entry).is_proven


def test_a_lake_of_deliveries_alone_can_be_erased_from(tmp_path):
    estate = Estate.open(tmp_path / "estate")
    take_in(estate.lake, estate.keyring, *FIRST_DELIVERY)
    entry = estate.ask_records(1, 60)
    (carried,) = estate.carry_out()

    assert carried.rows == {"protected_records": 2}
    assert found_in(estate.certify(entry)) == {}
    estate.house.run()
    assert set(estate.customers()) == {2, 3, 61, 62}


def test_the_ledger_names_nobody(estate):
    customer = estate.customers()[1]
    entry = estate.ask_customer_of(1)
    text = (estate.root / "keys" / "erasures.jsonl").read_text(encoding="utf-8")

    assert customer not in text
    assert {1, 2}.isdisjoint(entry.record_marks)
    assert (entry.who, entry.reason, entry.legal_basis) == ("ada", "asked for in writing", "GDPR Art. 17")


def _moved_out(estate):
    """Let record 2 leave the customer that it shares with record 1: it says something else now."""
    moved = Record(2, OTTO, {"name": "Otto Keating"}, source_system="web", version=2)
    take_in(estate.lake, estate.keyring, moved)
    estate.house.run("run-2")
    assert estate.customers()[1] != estate.customers()[2]


def test_a_customer_that_another_record_left_before_ends_with_the_record_that_stayed(estate):
    customer = estate.customers()[1]
    _moved_out(estate)
    assert estate.customers()[1] == customer
    entry = estate.ask_records(1)
    (carried,) = estate.carry_out()

    assert carried.customer_count == 1
    assert estate.read("cuid_history").filter(pl.col("cuid") == customer, pl.col("event") == "erased").height == 1
    assert estate.broken_promises() == {}
    assert found_in(estate.certify(entry)) == {}


def test_an_erasure_between_matching_and_survivorship_shows_no_customer_without_records(estate):
    customer = estate.customers()[3]
    take_in(estate.lake, estate.keyring, Record(1, OTTO, {"name": "Otto Keating"}, version=2))
    take_in(estate.lake, estate.keyring, Record(2, OTTO, {"name": "Otto Keating"}, source_system="web", version=2))
    id_key = estate.id_key
    with estate.lake.writer() as writer:
        link(writer, Rulebook(), id_key, run_id="run-2", progress=Unwatched())
    assert customer not in estate.customers().values()
    entry = estate.ask_records(3)
    estate.carry_out()

    assert customer not in set(estate.read("customer_core")["cuid"])
    assert found_in(estate.certify(entry)) == {}
    estate.house.run("run-3")
    assert estate.broken_promises() == {}


def test_what_joined_a_customer_while_its_erasure_waited_is_erased_too(estate):
    entry = estate.ask_customer_of(1)
    take_in(estate.lake, estate.keyring, Record(5, ADA, {"name": "Ada Winterbourne"}, source_system="web"))
    estate.house.run("run-2")
    assert estate.customers()[5] == estate.customers()[1]
    estate.carry_out()

    assert {1, 2, 5}.isdisjoint(estate.customers())
    further = estate.ledger.entries()[-1]
    assert (further.who, len(further.record_marks)) == (entry.who, 1)
    assert entry.erasure_id in further.reason
    assert found_in(estate.certify(further)) == {}
    assert estate.broken_promises() == {}


def test_an_older_lake_is_not_asked_for_more_than_was_erased(estate, tmp_path):
    before = estate.copied(tmp_path / "before")
    entry = estate.ask_records(1)
    estate.carry_out()
    shutil.rmtree(estate.lake.root)
    shutil.copytree(before.lake.root, estate.lake.root)
    estate.carry_out("replayed")

    assert [each.erasure_id for each in estate.ledger.entries()] == [entry.erasure_id]


def test_a_ledger_that_lacks_an_erasure_of_this_lake_stops_every_writer(estate):
    estate.ask_records(1)
    estate.carry_out()
    ledger = estate.root / "keys" / "erasures.jsonl"
    ledger.rename(estate.root / "put_away")

    with pytest.raises(LedgerDamaged, match=r"carried out 1 erasure that the ledger does not name: put erasures\.jsonl back"):
        estate.carry_out()

    (estate.root / "put_away").replace(ledger)
    assert estate.carry_out() == ()


def test_what_a_killed_first_commit_of_a_table_left_is_gone_when_something_is_erased(estate):
    manifest = estate.lake.snapshot().manifest
    tables = {name: version for name, version in manifest.tables.items() if name != "golden_records"}
    estate.lake.replace_manifest(manifest.model_copy(update={"tables": tables}))
    entry = estate.ask_records(1)
    estate.carry_out()

    assert found_in(estate.certify(entry)) == {}
