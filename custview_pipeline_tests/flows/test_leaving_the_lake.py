"""Tests of ``export``, ``reveal`` and ``portrait``: what leaves the lake, masked unless revealed."""

from functools import partial

import polars as pl
import pytest

from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.flows.current import current_crosswalk
from custview_pipeline.flows.export import (
    export_crosswalk,
    export_edges,
    export_golden,
    export_quality,
    export_quality_history,
    mask_values,
)
from custview_pipeline.flows.portrait import portray, reveal
from custview_pipeline.flows.reveal import golden_values, open_values
from custview_pipeline.kernel.errors import UnknownCustomer, UnsealFailed
from custview_pipeline.protection.vault import Vault
from custview_pipeline_tests.factories import LATER, cuid, cuid_history
from custview_pipeline_tests.flows.conftest import ADA
from custview_pipeline_tests.flows.sealed_lake import Record, remove, take_in


def cuid_of(house, record_id):
    return current_crosswalk(house.lake.snapshot()).filter(pl.col("record_id") == record_id)["cuid"][0]


def golden_of(house, record_id, *, in_full=()):
    exported = export_golden(house.lake.snapshot(), house.keyring, in_full=in_full)
    return exported.filter(pl.col("cuid") == cuid_of(house, record_id)).row(0, named=True)


def test_the_crosswalk_has_every_source_key_once_in_order(finished):
    exported = export_crosswalk(finished[0].lake.snapshot())

    assert exported.columns == ["source_system", "source_key", "cuid"]
    assert exported["source_key"].to_list() == ["k1", "k3", "k60", "k61", "k62", "k2"]
    assert exported["cuid"].n_unique() == 5


def test_edges_name_both_records_by_their_source_keys(finished):
    exported = export_edges(finished[0].lake.snapshot())

    assert exported.columns == [
        "left_source_system", "left_source_key", "right_source_system", "right_source_key", "match_probability", "decision",
        "explanation",
    ]  # fmt: skip
    assert ("crm", "k1", "web", "k2", "MATCH") in exported.drop("match_probability", "explanation").rows()


def test_golden_records_are_masked(finished):
    row = golden_of(finished[0], 1)

    assert (row["name"], row["email"], row["phone"]) == ("A*** W***", "a***@e***.org", "+1 *** *** 0143")
    assert row["country"] == "US", "an open value is not masked"


def test_golden_records_may_be_revealed(finished):
    row = golden_of(finished[0], 1, in_full=GOLDEN_ATTRIBUTES)

    assert (row["name"], row["email"], row["phone"]) == ("Ada Winterbourne", "ada@example.org", "+12025550143")


def test_golden_records_may_be_revealed_in_part(finished):
    row = golden_of(finished[0], 1, in_full=["email"])

    assert (row["name"], row["email"], row["phone"]) == ("A*** W***", "ada@example.org", "+1 *** *** 0143")


@pytest.mark.parametrize("in_full", [(), tuple(GOLDEN_ATTRIBUTES)])
def test_golden_records_have_a_column_for_every_attribute_known_or_not(finished, empty_house, in_full):
    columns = ["cuid", "entity_type", "record_count", "source_count", "updated_at", *GOLDEN_ATTRIBUTES]

    for house in (finished[0], empty_house):
        assert export_golden(house.lake.snapshot(), house.keyring, in_full=in_full).columns == columns


def test_a_changed_record_shows_its_new_value(once_run):
    take_in(once_run.lake, once_run.keyring, Record(1, ADA, {"name": "Ada King", "country": "US"}, version=2))
    once_run.run("run-2")

    row = golden_of(once_run, 1, in_full=GOLDEN_ATTRIBUTES)

    assert (row["name"], row["phone"]) == ("Ada King", None)


def test_quality_is_that_of_the_last_audit(once_run):
    once_run.run("run-2", is_whole=True)
    exported = export_quality(once_run.lake.snapshot())

    assert exported["run_id"].unique().to_list() == ["run-2"]
    assert exported.select("source_system", "attribute", "dimension").rows() == sorted(
        exported.select("source_system", "attribute", "dimension").rows()
    )


def test_the_history_of_quality_keeps_every_audit(once_run):
    once_run.run("run-2", is_whole=True)
    history = export_quality_history(once_run.lake.snapshot())

    assert history["run_id"].unique(maintain_order=True).to_list() == ["run-1", "run-2"]
    assert history["measured_at"].is_sorted()


@pytest.mark.parametrize("export", [export_crosswalk, export_edges, export_quality, export_quality_history])
def test_an_empty_lake_exports_tables_without_rows(empty_house, export):
    assert export(empty_house.lake.snapshot()).is_empty()


def test_pointers_come_by_customer_and_in_the_order_of_the_dictionary(finished):
    golden = finished[0].lake.snapshot().read("golden_records")
    found = golden_values(golden.sample(fraction=1, shuffle=True, seed=3))
    order = {name: place for place, name in enumerate(GOLDEN_ATTRIBUTES)}

    pairs = [(customer, order[attribute]) for customer, attribute in found.select("cuid", "attribute").rows()]
    assert pairs == sorted(pairs)


def test_a_value_of_which_the_key_was_shredded_is_gone(finished):
    house, _ = finished
    snapshot = house.lake.snapshot()
    pointers = golden_values(snapshot.read("golden_records"))
    snapshot.materials = lambda ids, _: pl.Series([None] * len(ids), dtype=pl.Binary)

    assert open_values(snapshot, house.keyring, pointers)["value"].null_count() == pointers.height


def test_an_altered_record_is_not_opened(finished, monkeypatch):
    house, _ = finished
    snapshot = house.lake.snapshot()
    pointers = golden_values(snapshot.read("golden_records"))
    read = snapshot.read

    def altered(table, columns=None):
        frame = read(table, columns)
        return frame.with_columns(payload_sealed=pl.col("payload_sealed").reverse()) if table == "protected_records" else frame

    monkeypatch.setattr(snapshot, "read", altered)
    with pytest.raises(UnsealFailed):
        open_values(snapshot, house.keyring, pointers)


def test_masks_leave_what_is_stored_open_and_gaps_alone():
    rows = [
        ("country", "GB", "GB"),
        ("country", "GB", None),
        ("country", "Wilhelmina", None),
        ("consent", "granted", None),
        ("email", "ada@example.org", None),
        ("phone", None, None),
    ]
    values = pl.DataFrame(rows, schema={"attribute": pl.String, "value": pl.String, "open_value": pl.String}, orient="row")

    assert mask_values(values)["value"].to_list() == ["GB", "***", "***", "***", "a***@e***.org", None]


def test_an_open_attribute_that_a_contract_sealed_is_masked_and_can_be_revealed(empty_house):
    take_in(empty_house.lake, empty_house.keyring, Record(1, ADA, {"name": "Ada Winterbourne", "consent": "granted"}))
    empty_house.run()
    snapshot, customer = empty_house.lake.snapshot(), cuid_of(empty_house, 1)

    for in_full, shown in (([], "***"), (["consent"], "granted")):
        assert golden_of(empty_house, 1, in_full=in_full)["consent"] == shown
        portrait = portray(snapshot, empty_house.keyring, customer, in_full=in_full)
        assert portrait.values.filter(attribute="consent")["value"].to_list() == [shown]
    core = snapshot.read("customer_core")
    assert core["consent"].to_list() == [None]
    assert "consent" in core["known_attributes"][0].to_list()


@pytest.mark.parametrize(("in_full", "name"), [([], "A*** W***"), (["email"], "A*** W***"), (["name"], "Ada Winterbourne")])
def test_a_portrait_shows_each_value_its_source_and_why_it_won(finished, in_full, name):
    house, _ = finished
    shown = portray(house.lake.snapshot(), house.keyring, cuid_of(house, 1), in_full=in_full)
    row = shown.values.row(0, named=True)

    assert (row["attribute"], row["value"], row["source_system"], row["trust_score"]) == ("name", name, "crm", 0.9)
    assert row["reason"] == "most_trusted"
    assert shown.values["attribute"].to_list() == ["name", "email", "phone", "country"]
    assert shown.entity_type == "person"
    assert shown.records.select("source_system", "source_key").rows() == [("crm", "k1"), ("web", "k2")]


def test_values_are_revealed_in_full_or_masked_and_what_is_not_known_is_said(finished):
    house, _ = finished
    fields = ["phone", "birth_date", "name", "country"]
    revealed = reveal(house.lake.snapshot(), house.keyring, cuid_of(house, 1), fields, in_full=["phone"])

    assert revealed.rows() == [
        ("phone", "+12025550143", "full"),
        ("birth_date", None, "unknown"),
        ("name", "A*** W***", "masked"),
        ("country", "US", "full"),  # stored readable, for anybody who reads the lake
    ]


def test_a_reveal_opens_no_record_but_those_that_hold_the_values(finished, monkeypatch):
    house, _ = finished
    opened = []
    unseal = Vault.unseal
    monkeypatch.setattr(Vault, "unseal", lambda *call: opened.append(call[2].record_ids.to_list()) or unseal(*call))
    reveal(house.lake.snapshot(), house.keyring, cuid_of(house, 1), ["email"], in_full=["email"])

    assert opened == [[2]]


def test_a_value_of_a_shredded_record_is_said_to_be_erased(finished):
    house, _ = finished
    snapshot = house.lake.snapshot()
    snapshot.materials = lambda ids, _: pl.Series([None] * len(ids), dtype=pl.Binary)
    revealed = reveal(snapshot, house.keyring, cuid_of(house, 1), ["email", "gender"], in_full=["email", "gender"])

    assert revealed.rows() == [("email", None, "no_key"), ("gender", None, "unknown")]


@pytest.mark.parametrize("look", [portray, partial(reveal, fields=["email"], in_full=["email"])])
def test_of_an_erased_customer_it_says_when(empty_house, look):
    gone = {"cuid": cuid(7), "event": "erased", "run_id": "run-1", "happened_at": LATER}
    with empty_house.lake.writer() as writer, writer.commit("run-1") as commit:
        commit.append("cuid_history", cuid_history({"cuid": cuid(7)}, gone))

    with pytest.raises(UnknownCustomer, match=f"this customer was erased on {LATER:%Y-%m-%d}"):
        look(empty_house.lake.snapshot(), empty_house.keyring, cuid(7))


def test_nobody_has_an_id_that_was_never_given(finished):
    house, _ = finished

    with pytest.raises(UnknownCustomer, match="no customer has this id"):
        portray(house.lake.snapshot(), house.keyring, cuid(7))


def test_of_a_customer_that_ended_it_says_so(once_run):
    ended = cuid_of(once_run, 3)
    remove(once_run.lake, 3, version=2)
    once_run.run("run-2")

    with pytest.raises(UnknownCustomer, match="no records any more"):
        portray(once_run.lake.snapshot(), once_run.keyring, ended)


def test_of_a_merged_customer_it_names_the_heir(empty_house):
    merged = {"cuid": cuid(7), "event": "merged_into", "other_cuid": cuid(8), "run_id": "run-1", "happened_at": LATER}
    with empty_house.lake.writer() as writer, writer.commit("run-1") as commit:
        commit.append("cuid_history", cuid_history(merged, {"cuid": cuid(7)}))

    with pytest.raises(UnknownCustomer, match=f"merged into {cuid(8)}"):
        portray(empty_house.lake.snapshot(), empty_house.keyring, cuid(7))
