"""Tests of ``custview_pipeline.flows.deliver`` and ``flows.survey``: one source, delivered again and again."""

from dataclasses import replace

import polars as pl
import pytest

from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.contracts.source_contract import QualityRule
from custview_pipeline_tests.flows.delivery_desk import row

ODD_KEYS = ["A  1", "A 1", "Ａ3", "e\u0301", "é", "a\u200bb", "ab", "n/a", "X" * 2100]


def test_keys_are_stored_as_the_source_writes_them_and_told_apart(desk):
    found = desk.deliver(*(row(key) for key in ODD_KEYS), row(" \tpadded\u3000"))
    assert (found.new_count, found.refused_count) == (10, 0)
    assert desk.stored_keys() == sorted([*ODD_KEYS, "padded"])


@pytest.mark.parametrize("key", [None, "   ", "\u200b", "\ufeff \u200e", "\u2060\u00ad", "\u3164", "\x7f"])
def test_a_key_of_which_nothing_is_seen_is_missing(desk, key):
    found = desk.deliver(row("1"), row(key), row(key, "Otto Keating"))
    assert (found.new_count, found.reasons) == (1, {"completeness__source_key__required": 2})


def test_a_personal_key_is_stored_as_a_token_of_the_same_text(desk):
    desk.redefine("source_key", is_personal=True)
    desk.deliver(row("A  1"), row("A 1"))
    assert len(set(desk.stored_keys())) == 2
    assert not any("A" in key for key in desk.stored_keys())


PEOPLE = [row(str(number), f"Ada Winterbourne {'abcdefgh'[number]}") for number in range(5)]


@pytest.mark.parametrize("rows", [[], [row(None), row(" ")], [row("9")]], ids=["only a header", "no keys", "other keys"])
def test_a_snapshot_that_would_delete_every_record_is_held(desk, rows):
    desk.deliver(*PEOPLE)
    found = desk.deliver(*rows)
    assert found.held
    assert found.refusal is not None
    assert found.refusal.startswith("crm: all 5 known records would be deleted")
    assert "\n" not in found.refusal
    assert "data/crm/*.csv" in found.refusal
    assert desk.stored_keys() == list("01234")
    assert desk.deliver(*PEOPLE[:1]).deleted_count == 4


def test_an_empty_source_may_be_delivered_first_and_again_and_changes_delete_nothing(desk):
    assert desk.deliver().refusal is None
    assert desk.deliver(row(None)).refusal is None
    desk.deliver(*PEOPLE)
    desk.contract = replace(desk.contract, extract="changes")
    assert (desk.deliver().refusal, desk.stored_keys()) == (None, list("01234"))


def test_new_and_changed_rows_that_share_a_unique_value_are_refused_and_others_stay(desk):
    desk.redefine("email", is_unique=True)
    both = [row("1", email="a@example.org"), row("2", "Otto Keating", email=" a@example.org")]
    found = desk.deliver(*both, row("3", email=None), row("4", email=None), row("5", email="b@example.org"))
    assert found.reasons == {"uniqueness__email__unique": 2}
    assert (found.refusal, desk.stored_keys()) == (None, ["3", "4", "5"])

    again = desk.deliver(row("5", email="b@example.org"), row("6", email="b@example.org"), row("1", email="a@example.org"))
    assert (again.unchanged_count, again.new_count, again.refused_count) == (1, 1, 1)
    assert desk.stored_keys() == ["1", "5"]
    verdict = next(verdict for verdict in again.verdicts if verdict.rule.name == "uniqueness__email__unique")
    assert (verdict.failed, verdict.passed) == (2, False)


def test_copies_of_one_row_share_their_values_with_nobody(desk):
    desk.redefine("email", is_unique=True)
    found = desk.deliver(row("1", email="a@example.org"), row("1", email="a@example.org"), row("2"))
    assert (found.new_count, found.refused_count, desk.stored_keys()) == (2, 0, ["1", "2"])


def test_a_row_can_break_the_rules_of_its_key_and_of_its_values_at_once(desk):
    desk.redefine("email", is_unique=True)
    found = desk.deliver(row("1", "Ada", "a@example.org"), row("1", "Otto", "b@example.org"), row("2", email="a@example.org"))
    assert found.reasons == {"uniqueness__email__unique": 2, "uniqueness__source_key__unique": 2}
    assert found.refused_count == 3


@pytest.mark.parametrize(
    "change",
    [{"owner": "another"}, {"trust": 0.9}, {"freshness_hours": 2.0}, {"title": "CRM"}, {"version": "1.0.1"}, {"purpose": "care"}],
    ids=lambda change: next(iter(change)),
)
def test_what_a_contract_tells_people_does_not_make_a_delivery_new(desk, change):
    desk.deliver(*PEOPLE)
    desk.contract = replace(desk.contract, **change)
    desk.redefine("email", description="Where letters go", is_critical=True)
    assert desk.take().is_unchanged


@pytest.mark.parametrize(
    "change",
    [
        {"attribute": "website"},
        {"scheme": "us.ssn"},
        {"pattern": "^.*$"},
        {"is_unique": True},
        {"is_personal": True},
        {"max_length": 99},
        {"date_format": "%d/%m/%Y"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_a_column_means_or_must_keep_makes_every_row_worked_on_again(desk, change):
    desk.deliver(*PEOPLE)
    desk.redefine("email", **change)
    found = desk.take()
    assert (found.is_unchanged, found.changed_count) == (False, 5)


ENTRY = QualityRule("rows", "rowCount", None, "mustBeGreaterThan", (9.0,), severity="warning")


@pytest.mark.parametrize(
    "change", [{"quality": (ENTRY,)}, {"encoding": "latin-1"}, {"max_refused_share": 0.5}], ids=lambda change: next(iter(change))
)
def test_how_a_delivery_is_read_and_judged_has_it_read_again_but_makes_no_versions(desk, change):
    desk.deliver(*PEOPLE)
    desk.contract = replace(desk.contract, **change)
    found = desk.take()
    assert (found.is_unchanged, found.changed_count, found.unchanged_count) == (False, 0, 5)


@pytest.mark.parametrize("is_same_file", [True, False])
def test_a_record_that_nothing_opens_any_more_is_sealed_anew_from_its_source(desk, is_same_file):
    desk.deliver(*PEOPLE)
    sealed, (lost, *_) = desk.payloads(), desk.current()
    with desk.lake.writer() as writer, writer.commit("lost") as commit:
        commit.forget_keys(pl.DataFrame([lost], {"record_id": pl.Int64, "version": pl.Int32}, orient="row"))
    assert lost not in desk.payloads()
    found = desk.deliver(*PEOPLE, *([] if is_same_file else [row("9")]))
    assert (found.is_unchanged, found.changed_count, found.unchanged_count) == (False, 1, 4)
    assert desk.payloads()[lost[0], 2] == sealed[lost]
    assert desk.take().is_unchanged


def test_nothing_stored_is_the_plain_digest_of_the_files(desk):
    desk.deliver(*PEOPLE)
    plain = SourceFiles(desk.root, desk.contract).fingerprint()
    snapshot = desk.lake.snapshot()
    (stored,) = snapshot.read("deliveries", ["fingerprint"])["fingerprint"]
    mark = snapshot.consumed("delivery/crm") or ""
    assert len(stored) == 32
    assert mark.startswith(stored)
    for told in (stored, mark):
        assert not any(plain[start : start + 16] in told for start in range(0, 64, 16))
