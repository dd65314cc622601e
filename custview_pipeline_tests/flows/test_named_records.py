"""Tests of ``custview_pipeline.flows.named_records`` and ``record_values``: records by name, and what they say."""

import polars as pl
import pytest

from custview_pipeline.contracts.intake_tables import QUARANTINED_RECORDS
from custview_pipeline.flows.named_records import Registry, find_record
from custview_pipeline.flows.record_values import record_values
from custview_pipeline.kernel.errors import UnknownRecord
from custview_pipeline.protection.record_identity import key_tokens, record_ids
from custview_pipeline.protection.suppression import suppression_marks
from custview_pipeline.protection.wrapped_keys import Purpose
from custview_pipeline_tests.factories import NOW, cuid, table
from custview_pipeline_tests.factories import crosswalk as rows_of_crosswalk
from custview_pipeline_tests.flows.conftest import a_house
from custview_pipeline_tests.flows.sealed_lake import Record, remove, take_in

SAYS = {"name": "Ada Winterbourne", "email": "ada@example.org", "country": "US"}


@pytest.fixture(scope="module")
def registry(tmp_path_factory, keyring):
    """Return a registry of records of which one is current, one gone, one refused, one erased, one under a personal key."""
    house, id_key = a_house(tmp_path_factory.mktemp("named") / "lake", keyring), keyring.current(Purpose.ID)[1]

    def id_of(key, source="crm"):
        return record_ids(id_key, source, pl.Series([key]))[0]

    token = key_tokens(id_key, "web", pl.Series(["ada@example.org"]))[0]
    take_in(
        house.lake,
        keyring,
        Record(id_of("a:1"), {"given": "ada"}, SAYS, cells={"source_key": "a:1"}),
        Record(id_of("a:1"), {"given": "ada"}, {**SAYS, "email": "new@example.org"}, version=2, cells={"source_key": "a:1"}),
        Record(id_of("gone"), {"given": "otto"}, {"name": "Otto"}, cells={"source_key": "gone"}),
        Record(id_of("ada@example.org", "web"), {}, {"name": "A."}, source_system="web", cells={"source_key": token}),
    )
    remove(house.lake, id_of("gone"), version=2)
    refused = {
        "quarantine_id": 5, "source_system": "crm", "record_id": id_of("refused"), "delivery_id": "d1", "content_digest": 0,
        "row_sealed": b"x", "reasons": ["conformity__email__format"], "quarantined_at": NOW,
    }  # fmt: skip
    with house.lake.writer() as writer, writer.commit("run-1") as commit:
        commit.append("quarantined_records", table(QUARANTINED_RECORDS.types, {}, (refused,)))
        commit.append("crosswalk", rows_of_crosswalk({"record_id": id_of("a:1"), "source_key": "a:1", "cuid": cuid(1)}))
    erased = suppression_marks(id_key, pl.Series([id_of("erased")]))
    return Registry(house.lake.snapshot(), id_key, erased)


@pytest.mark.parametrize("written", ["crm:a:1", " crm: a:1 "])
def test_a_record_is_found_by_source_and_key_as_its_current_version(registry, written):
    found = find_record(registry, written, "the first record")
    assert (found.version, found.source_system, found.source_key, found.entity_type) == (2, "crm", "a:1", "person")
    assert found.cuid == cuid(1)


def test_a_record_is_found_by_its_id(registry):
    by_name = find_record(registry, "crm:a:1", "it")
    assert find_record(registry, str(by_name.record_id), "it") == by_name


def test_a_personal_key_is_understood_as_the_source_has_it_and_as_the_crosswalk_shows_it(registry):
    found = find_record(registry, "web:ada@example.org", "it")
    assert found.source_key.lstrip("-").isdecimal()
    assert found.cuid is None
    assert find_record(registry, f"web:{found.source_key}", "it") == found


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("crm:gone", "it is not held by its source any more, so it belongs to no customer"),
        ("crm:refused", "it is known by refused rows only: custview quarantine list names them, with the reasons"),
        ("crm:erased", "it was erased"),
        ("crm:nobody", "it is in the lake under no such name: look at source system and key"),
        ("web:a:1", "it is in the lake under no such name: look at source system and key"),
        ("12345", "it is in the lake under no such name: look at source system and key"),
        ("crm:\u200b", "it is in the lake under no such name: look at source system and key"),
        ("crm:", "it is not understood: name it SOURCE:KEY, such as crm:4711, or by its record id"),
        (":1", "it is not understood: name it SOURCE:KEY, such as crm:4711, or by its record id"),
        ("Ada Winterbourne", "it is not understood: name it SOURCE:KEY, such as crm:4711, or by its record id"),
        ("99999999999999999999", "it is not understood: name it SOURCE:KEY, such as crm:4711, or by its record id"),
        ("9223372036854775808", "it is not understood: name it SOURCE:KEY, such as crm:4711, or by its record id"),
        ("", "it is not understood: name it SOURCE:KEY, such as crm:4711, or by its record id"),
    ],
)
def test_a_record_that_is_not_there_is_told_what_became_of_it_and_its_key_is_not_repeated(registry, written, said):
    with pytest.raises(UnknownRecord) as raised:
        find_record(registry, written, "it")
    assert str(raised.value) == said


@pytest.mark.parametrize(
    ("in_full", "values"),
    [
        ((), ["A*** W***", "n***@e***.org"]),
        (("email", "phone"), ["A*** W***", "new@example.org"]),
    ],
)
def test_what_a_record_says_is_masked_but_for_what_is_revealed(registry, keyring, in_full, values):
    wanted = find_record(registry, "crm:a:1", "it")
    said = record_values(registry.snapshot, keyring, [wanted], in_full=in_full)
    assert said["value"].to_list()[:2] == values
    assert said["attribute"].to_list() == ["name", "email", "country"]
    assert set(said["record_id"]) == {wanted.record_id}


def test_only_the_records_asked_for_are_opened(registry, keyring):
    wanted = [find_record(registry, name, "it") for name in ("crm:a:1", "web:ada@example.org")]
    said = record_values(registry.snapshot, keyring, wanted, in_full=["name"])
    assert dict(said.filter(pl.col("attribute") == "name").select("record_id", "value").iter_rows()) == {
        wanted[0].record_id: "Ada Winterbourne",
        wanted[1].record_id: "A.",
    }


def test_a_record_whose_key_is_gone_says_nothing(registry, keyring):
    wanted = find_record(registry, "crm:a:1", "it")
    assert record_values(registry.snapshot, keyring, [wanted._replace(version=7)]).is_empty()
