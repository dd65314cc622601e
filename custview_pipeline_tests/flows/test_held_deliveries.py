"""Deliveries that would delete many records: held, decided, taken in or left out."""

from dataclasses import replace

import polars as pl
import pytest

from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.flows.deliveries import Decision, decide, list_deliveries
from custview_pipeline.flows.holding import Standing, restated
from custview_pipeline.kernel.errors import UnknownDelivery
from custview_pipeline_tests.flows.delivery_desk import row, timed

ALL = [row(str(number), f"Ada Winterbourne {number:02d}") for number in range(30)]
FEW = ALL[:18]  # 12 of 30 are absent
STATUS = ["source_system", "status", "row_count", "known_count", "deleted_count"]


def held_rows(desk):
    return list_deliveries(desk.lake.snapshot(), None, limit=20).held


def decided(desk, *, is_approved, held_id=None):
    held_id = held_id or held_rows(desk)["held_id"][0]
    with desk.lake.writer() as writer:
        decide(writer, held_id, Decision(is_approved, "ada", "looked at it"), run_id="decision-1")


def assert_closed_as_taken_in(desk, history):
    held = desk.lake.snapshot().read("held_deliveries").sort("version")
    assert held["status"].to_list() == history
    assert held_rows(desk).is_empty()
    with pytest.raises(UnknownDelivery, match="taken in since"):
        decided(desk, is_approved=False, held_id=held["held_id"][0])


@pytest.fixture
def held_desk(desk):
    desk.deliver(*ALL)
    assert desk.deliver(*FEW).held
    return desk


def test_a_held_delivery_leaves_the_lake_as_it_was_but_for_a_note(desk):
    desk.deliver(*ALL)
    before = desk.lake.snapshot().manifest
    found = desk.deliver(*FEW, row("new"))
    after = desk.lake.snapshot().manifest
    assert (found.held, found.row_count, found.deleted_count, found.delivery_id) == (True, 19, 12, "")
    assert found.refusal is not None
    assert found.refusal.startswith("crm: 12 of 30 known records (40.0%) would be deleted, more than the 20.0%")
    assert f"custview deliveries approve (or reject) {held_rows(desk)['held_id'][0]} --reason" in found.refusal
    assert {name: version for name, version in after.tables.items() if name != "held_deliveries"} == before.tables
    assert (after.consumed, after.key_segments, after.index) == (before.consumed, before.key_segments, before.index)
    assert held_rows(desk).select(STATUS).rows() == [("crm", "held", 19, 30, 12)]


def test_held_again_it_is_noted_once(held_desk):
    assert held_desk.take().held
    assert held_desk.take(is_whole=True).held
    assert held_desk.lake.snapshot().read("held_deliveries").height == 1


def test_approved_it_is_taken_in(held_desk):
    decided(held_desk, is_approved=True)
    found = held_desk.take()
    assert (found.held, found.refusal, found.deleted_count) == (False, None, 12)
    assert len(held_desk.stored_keys()) == 18
    assert held_desk.take().is_unchanged
    assert_closed_as_taken_in(held_desk, ["held", "approved", "taken_in"])


def test_an_approval_is_for_the_files_that_were_seen(held_desk):
    decided(held_desk, is_approved=True)
    assert held_desk.deliver(*FEW[:15]).held
    history = held_desk.lake.snapshot().read("held_deliveries").sort("held_at", "version")
    assert history["status"].to_list() == ["held", "approved", "superseded", "held"]
    assert held_desk.deliver(*ALL).is_unchanged
    assert held_rows(held_desk).is_empty()
    assert held_desk.deliver(*FEW).held


def test_rejected_it_is_left_out_quietly_until_the_files_change(held_desk):
    decided(held_desk, is_approved=False)
    for is_whole in (False, True):
        found = held_desk.take(is_whole=is_whole)
        assert (found.is_unchanged, found.is_rejected, found.held, found.refusal) == (True, True, False, None)
    assert len(held_desk.stored_keys()) == 30
    (rejected,) = held_rows(held_desk).rows(named=True)
    assert (rejected["status"], rejected["decided_by"], rejected["reason"]) == ("rejected", "ada", "looked at it")
    assert held_desk.deliver(*ALL, row("new")).new_count == 1
    assert held_desk.deliver(*FEW).held


def test_what_was_decided_may_be_decided_anew(held_desk):
    decided(held_desk, is_approved=False)
    decided(held_desk, is_approved=True)
    found = held_desk.take()
    assert (found.deleted_count, found.is_rejected) == (12, False)


def test_the_files_of_before_supersede_those_that_were_held(held_desk):
    held_id = held_rows(held_desk)["held_id"][0]
    assert held_desk.deliver(*ALL).is_unchanged
    assert held_rows(held_desk).is_empty()
    with pytest.raises(UnknownDelivery, match="other files"):
        decided(held_desk, is_approved=True, held_id=held_id)


def test_an_id_that_was_never_held_is_unknown(held_desk):
    with pytest.raises(UnknownDelivery, match="no delivery with this id"):
        decided(held_desk, is_approved=True, held_id="0" * 16)


def test_the_contract_says_how_large_a_share_may_go(held_desk):
    held_desk.contract = replace(held_desk.contract, max_deleted_share=0.5)
    assert held_desk.take().deleted_count == 12
    assert_closed_as_taken_in(held_desk, ["held", "taken_in"])


def test_files_that_were_taken_in_are_held_again_where_they_would_delete_again(held_desk):
    held_desk.contract = replace(held_desk.contract, max_deleted_share=0.5)
    held_desk.take()
    held_desk.contract = replace(held_desk.contract, max_deleted_share=0.2)
    held_desk.deliver(*ALL)
    assert held_desk.deliver(*FEW).held
    assert held_rows(held_desk)["version"].to_list() == [3]
    decided(held_desk, is_approved=True)
    assert held_desk.take().deleted_count == 12


@pytest.mark.parametrize("status", [Standing.HELD, Standing.APPROVED, Standing.REJECTED])
def test_nothing_is_left_to_decide_of_files_that_were_stored_without_a_note(held_desk, status):
    held = held_rows(held_desk)
    held_desk.contract = replace(held_desk.contract, max_deleted_share=0.5)
    held_desk.take()
    unnoted = restated(held, status, run_id="former").with_columns(version=pl.lit(9, pl.Int32))
    with held_desk.lake.writer() as writer, writer.commit("former") as commit:
        commit.append("held_deliveries", unnoted)
    with pytest.raises(UnknownDelivery, match="taken in since"):
        decided(held_desk, is_approved=False)


def test_a_whole_compare_that_finds_nothing_new_supersedes_what_was_held(held_desk):
    held_desk.put(*ALL)
    assert held_desk.take(is_whole=True).is_unchanged
    assert held_rows(held_desk).is_empty()


def test_many_deletions_that_a_source_tells_of_are_held_too(timed_desk):
    timed_desk.deliver(*(timed(str(number), "One", 1) for number in range(30)))
    gone = [timed(str(number), "One", 2, is_deleted=True) for number in range(12)]
    assert timed_desk.deliver(*gone).held
    assert timed_desk.deliver(*gone[:9]).deleted_count == 9


def test_last_deliveries_are_listed_with_their_counts_of_one_source_or_all(held_desk):
    listed = list_deliveries(held_desk.lake.snapshot(), "crm", limit=20).deliveries
    assert listed.select("row_count", "new_count", "late_count").rows() == [(30, 30, 0)]
    nowhere = list_deliveries(held_desk.lake.snapshot(), "nowhere", limit=20)
    assert nowhere.held.is_empty()
    assert nowhere.deliveries.is_empty()
    assert list_deliveries(held_desk.lake.snapshot(), None, limit=0).deliveries.is_empty()


def test_nothing_that_is_noted_is_the_plain_digest_of_the_files(held_desk):
    plain = SourceFiles(held_desk.root, held_desk.contract).fingerprint()
    (stored,) = held_desk.lake.snapshot().read("held_deliveries", ["held_id", "fingerprint"]).rows()
    assert [len(told) for told in stored] == [16, 32]
    assert not any(told in plain for told in stored)
