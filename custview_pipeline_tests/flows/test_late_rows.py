"""Late, duplicate and out-of-order deliveries, and deletions that a source tells of, through the whole intake."""

from dataclasses import replace

import polars as pl
import pytest

from custview_pipeline.flows.release import Choice, release
from custview_pipeline.flows.release import Desk as Releasing
from custview_pipeline.flows.renew_index import bring_up_to_date
from custview_pipeline.standardisation import standardise as standardising
from custview_pipeline_tests.flows.delivery_desk import timed


def counts(found):
    names = ("new", "changed", "unchanged", "deleted", "late", "superseded", "refused")
    return {name: count for name in names if (count := getattr(found, f"{name}_count"))}


def test_a_late_row_does_not_replace_what_is_known_and_is_counted(timed_desk):
    timed_desk.deliver(timed("1", "Three", 3))
    late = timed_desk.deliver(timed("1", "Two", 2), timed("2", "New", 1))
    assert counts(late) == {"new": 1, "late": 1}
    assert timed_desk.names() == {"1": "Ada Winterbourne Three", "2": "Ada Winterbourne New"}
    stored = timed_desk.lake.snapshot().read("deliveries").sort("delivered_at")
    assert stored.select("late_count", "superseded_count").rows() == [(0, 0), (1, 0)]
    assert counts(timed_desk.deliver(timed("1", "Again", 3), timed("2", "Untold", None))) == {"changed": 2}


def test_a_row_without_a_time_replaces_what_is_known_and_lets_no_older_row_in(timed_desk):
    timed_desk.deliver(timed("1", "Three", 3))
    assert counts(timed_desk.deliver(timed("1", "Untold", None))) == {"changed": 1}
    assert counts(timed_desk.deliver(timed("1", "Two", 2))) == {"late": 1}
    assert timed_desk.names() == {"1": "Ada Winterbourne Untold"}
    days = timed_desk.lake.snapshot().read("protected_records").sort("version")["updated_at"].dt.day()
    assert days.to_list() == [3, 3]
    assert counts(timed_desk.deliver(timed("1", "Four", 4))) == {"changed": 1}


def days_of(desk):
    return desk.lake.snapshot().read("protected_records").sort("version")["updated_at"].dt.day().to_list()


def test_a_time_that_is_known_outlives_other_rules(timed_desk, monkeypatch):
    timed_desk.deliver(timed("1", "Three", 3))
    timed_desk.deliver(timed("1", "Untold", None))
    monkeypatch.setitem(standardising.RULE_SETS, "names", "99")
    with timed_desk.lake.writer() as writer:
        assert bring_up_to_date(writer, timed_desk.renewal()) == 1
    assert days_of(timed_desk) == [3, 3]
    assert counts(timed_desk.deliver(timed("1", "Two", 2))) == {"late": 1}


def test_a_time_that_is_known_outlives_the_release_of_a_row_without_one(timed_desk):
    timed_desk.deliver(timed("1", "Three", 3))
    timed_desk.redefine("email", is_required=True)
    timed_desk.deliver(timed("1", "Untold", None))
    timed_desk.redefine("email", is_required=False)
    desk = Releasing([timed_desk.contract], "US", timed_desk.keyring, 1, "release")
    with timed_desk.lake.writer() as writer:
        (report,) = release(desk, writer, Choice())
    assert report.released_count == 1
    assert days_of(timed_desk) == [3, 3]


def test_of_several_rows_of_one_delivery_of_changes_the_newest_counts(timed_desk):
    found = timed_desk.deliver(timed("1", "Two", 2), timed("1", "Three", 3), timed("1", "One", 1))
    assert counts(found) == {"new": 1, "superseded": 2}
    assert timed_desk.names() == {"1": "Ada Winterbourne Three"}


def test_rows_of_one_time_conflict_and_are_set_aside(timed_desk):
    found = timed_desk.deliver(timed("1", "Two", 2), timed("1", "Other", 2), timed("1", "One", 1))
    assert counts(found) == {"superseded": 1, "refused": 2}
    assert found.reasons == {"uniqueness__source_key__unique": 2}


def test_a_change_that_was_taken_back_keeps_an_older_one_out(timed_desk):
    timed_desk.deliver(timed("1", "One", 1))
    assert counts(timed_desk.deliver(timed("1", "One", 3))) == {"changed": 1}
    assert counts(timed_desk.deliver(timed("1", "Two", 2))) == {"late": 1}
    assert timed_desk.names() == {"1": "Ada Winterbourne One"}


def test_a_row_that_says_that_its_record_was_deleted_deletes_it(timed_desk):
    timed_desk.deliver(timed("1", "One", 1), timed("2", "One", 1))
    found = timed_desk.deliver(timed("1", "One", 2, is_deleted=True))
    assert counts(found) == {"deleted": 1}
    assert timed_desk.stored_keys() == ["2"]
    (gone,) = timed_desk.lake.snapshot().read("protected_records").filter("is_deleted").rows(named=True)
    assert (gone["version"], gone["payload_sealed"], gone["updated_at"].day) == (2, None, 2)
    assert counts(timed_desk.deliver(timed("1", "One", 2, is_deleted=True), timed("9", "One", 2))) == {"new": 1}
    assert counts(timed_desk.deliver(timed("1", "Back", 3))) == {"changed": 1}


def test_a_deletion_that_comes_before_its_record_keeps_it_out(timed_desk):
    assert counts(timed_desk.deliver(timed("1", "One", 2, is_deleted=True))) == {}
    assert counts(timed_desk.deliver(timed("1", "One", 1))) == {"late": 1}
    assert timed_desk.stored_keys() == []
    assert counts(timed_desk.deliver(timed("1", "Later", 3))) == {"changed": 1}
    assert timed_desk.stored_keys() == ["1"]


def test_of_a_deletion_only_a_token_of_a_personal_key_is_kept(timed_desk):
    timed_desk.redefine("source_key", is_personal=True)
    timed_desk.deliver(timed("ada@example.org", "One", 2, is_deleted=True))
    (key,) = timed_desk.lake.snapshot().read("protected_records", ["source_key"])["source_key"]
    assert "ada" not in key


def test_a_soft_deletion_in_a_snapshot_deletes_and_is_judged_by_no_rule(timed_desk):
    timed_desk.contract = replace(timed_desk.contract, extract="snapshot")
    timed_desk.redefine("full_name", is_required=True)
    timed_desk.deliver(timed("1", "One", 1), timed("2", "One", 1))
    blanked = {**timed("1", "", 2, is_deleted=True), "full_name": None}
    found = timed_desk.deliver(blanked, timed("2", "One", 1), {**blanked, "source_key": "3"})
    assert counts(found) == {"deleted": 1, "unchanged": 1}
    assert timed_desk.stored_keys() == ["2"]
    assert timed_desk.lake.snapshot().read("protected_records").height == 3


ROWS = [timed("1", "One", 1), timed("1", "Two", 2), timed("1", "Gone", 3, is_deleted=True), timed("1", "Four", 4)]


@pytest.mark.parametrize("order", [(3, 2, 1, 0), (2, 0, 3, 1)])
def test_deliveries_end_in_the_same_records_in_whatever_order_they_come(timed_desk, order):
    for place in order:
        timed_desk.deliver(ROWS[place])
    assert timed_desk.names() == {"1": "Ada Winterbourne Four"}
    before = timed_desk.lake.snapshot().read("protected_records").height
    for place in order:
        timed_desk.deliver(ROWS[place])
    assert timed_desk.lake.snapshot().read("protected_records").height == before


@pytest.mark.parametrize(("day", "name", "fate"), [(5, "Refused", "released_count"), (2, "Later", "superseded_count")])
def test_whether_a_refused_row_is_still_the_newest_its_time_tells(timed_desk, day, name, fate):
    timed_desk.redefine("email", is_required=True)
    timed_desk.deliver(timed("1", "Refused", day))
    timed_desk.deliver({**timed("1", "Later", 3), "email": "ada@example.org"})
    timed_desk.redefine("email", is_required=False)
    with timed_desk.lake.writer() as writer:
        (released,) = release(Releasing([timed_desk.contract], "US", timed_desk.keyring, 1, "release-1"), writer, Choice())
    assert getattr(released, fate) == 1
    assert timed_desk.names() == {"1": f"Ada Winterbourne {name}"}


def test_a_whole_compare_finds_what_a_fingerprint_hides_and_stores_nothing_where_there_is_nothing(timed_desk):
    timed_desk.contract = replace(timed_desk.contract, extract="snapshot")
    timed_desk.deliver(timed("1", "One", 1), timed("2", "One", 1), timed(None, "Keyless", 1))
    snapshot = timed_desk.lake.snapshot()
    sequence = snapshot.manifest.sequence
    whole = timed_desk.take(is_whole=True)
    assert (whole.is_unchanged, whole.row_count, whole.unchanged_count) == (True, 3, 2)
    assert timed_desk.lake.snapshot().manifest.sequence == sequence
    _lose_record(timed_desk, snapshot)
    assert timed_desk.take().is_unchanged
    assert counts(timed_desk.take(is_whole=True))["changed"] == 1
    assert timed_desk.stored_keys() == ["1", "2"]


def _lose_record(desk, snapshot):
    """Store a tombstone that no delivery told of, as a fault might."""
    gone = snapshot.read("protected_records").head(1)
    tombstone = gone.with_columns(
        version=pl.col("version") + 1, payload_sealed=pl.lit(None, pl.Binary), is_deleted=pl.lit(value=True)
    )
    with desk.lake.writer() as writer, writer.commit("fault") as commit:
        commit.append("protected_records", tombstone)
