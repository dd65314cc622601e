"""Tests of ``custview_pipeline.ingestion.changes``."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.ingestion.changes import KNOWN, Returning, RowStatus, find_changes
from custview_pipeline_tests.factories import known, survey

ONE_KNOWN = known({"record_id": 1, "version": 4, "content_digest": 10})
ONE_DELETED = known({"record_id": 1, "version": 4, "content_digest": 10, "is_deleted": True})


def changes(rows, before=ONE_KNOWN, *, is_snapshot=True, is_redone=False, returning=None):
    return find_changes(survey(*rows), before, is_snapshot=is_snapshot, is_redone=is_redone, returning=returning)


def statuses(found):
    return found.rows["status"].to_list()


@pytest.mark.parametrize(
    ("rows", "before", "expected"),
    [
        ([(2, 20)], ONE_KNOWN, [("new", 1)]),
        ([(1, 11)], ONE_KNOWN, [("changed", 5)]),
        ([(1, 10)], ONE_KNOWN, [("unchanged", 5)]),
        ([(1, 11), (1, 11)], ONE_KNOWN, [("changed", 5), ("repeated", 5)]),
        ([(1, 10), (1, 10)], ONE_KNOWN, [("unchanged", 5), ("repeated", 5)]),
        ([(2, 20), (2, 20), (2, 20)], ONE_KNOWN, [("new", 1), ("repeated", 1), ("repeated", 1)]),
        ([(1, 10), (1, 11)], ONE_KNOWN, [("conflicting", 5), ("conflicting", 5)]),
        ([(1, 10), (1, 11), (1, 10)], ONE_KNOWN, [("conflicting", 5)] * 3),
        ([(None, 10)], ONE_KNOWN, [("keyless", 1)]),
        ([(None, 10), (None, 10), (None, 11)], ONE_KNOWN, [("keyless", 1)] * 3),
        ([(1, 10)], ONE_DELETED, [("changed", 5)]),
        ([(1, 10)], known(), [("new", 1)]),
        ([], ONE_KNOWN, []),
    ],
    ids=[
        "new", "changed", "unchanged", "changed, twice", "unchanged, twice", "new, thrice", "conflicting",
        "conflicting and repeated",
        "keyless", "keyless, thrice", "back after deletion", "nothing known", "nothing delivered",
    ],
)  # fmt: skip
def test_each_row_has_a_status_and_the_version_to_store_it_under(rows, before, expected):
    assert changes(rows, before).rows.select("status", "version").rows() == expected


def test_rows_keep_the_order_of_the_delivery():
    found = changes([(3, 30), (1, 10), (None, 5), (2, 20), (3, 30)])

    assert found.rows["record_id"].to_list() == [3, 1, None, 2, 3]
    assert statuses(found) == ["new", "unchanged", "keyless", "new", "repeated"]


@pytest.mark.parametrize(
    ("rows", "before", "deleted"),
    [
        ([(2, 20)], ONE_KNOWN, [(1, 5)]),
        ([], ONE_KNOWN, [(1, 5)]),
        ([(None, 10)], ONE_KNOWN, [(1, 5)]),
        ([(1, 11)], ONE_KNOWN, []),
        ([(1, 11), (1, 12)], ONE_KNOWN, []),
        ([(2, 20)], ONE_DELETED, []),
    ],
    ids=["absent", "nothing delivered", "its key is missing", "changed", "conflicting", "deleted before"],
)
def test_a_snapshot_deletes_what_it_no_longer_holds(rows, before, deleted):
    found = changes(rows, before)
    assert found.deleted.select("record_id", "version").rows() == deleted
    assert found.absent_count == found.deleted_count == len(deleted)


def test_an_extract_of_changes_deletes_nothing():
    assert changes([(2, 20)], is_snapshot=False).deleted.is_empty()


@pytest.mark.parametrize(
    ("rows", "expected"), [([(1, 10)], ["changed"]), ([(2, 20)], ["new"]), ([(1, 10), (1, 10)], ["changed", "repeated"])]
)
def test_new_rules_work_on_rows_with_the_same_content_again(rows, expected):
    assert statuses(changes(rows, is_redone=True)) == expected


ERASED = pl.Series([7, 8], dtype=pl.Int64)


@pytest.mark.parametrize(
    "rows",
    [
        [(7, 70), (1, 10), (None, 1)],
        [(7, 70), (7, 70), (1, 10), (None, 1)],
        [(7, 70), (7, 71), (8, 80), (1, 10), (None, 1)],
    ],
    ids=["once", "repeated", "conflicting"],
)
def test_rows_of_erased_records_are_suppressed_whatever_else_they_are(rows):
    found = changes(rows, returning=Returning(ERASED))

    assert statuses(found) == ["suppressed"] * (len(rows) - 2) + ["unchanged", "keyless"]
    assert found.returning_count == len(rows) - 2
    assert found.deleted.is_empty()


def test_where_erased_records_may_return_they_are_rows_as_any_others_and_counted():
    found = changes([(7, 70), (1, 10), (8, 80), (8, 81)], returning=Returning(ERASED, is_suppressed=False))

    assert statuses(found) == ["new", "unchanged", "conflicting", "conflicting"]
    assert found.returning_count == 3


def test_statuses_are_counted():
    found = changes([(1, 10), (2, 20), (3, 30), (None, 1)])

    assert found.count(RowStatus.NEW) == 2
    assert found.count(RowStatus.NEW, RowStatus.KEYLESS) == 3
    assert found.count(RowStatus.CONFLICTING) == 0


T1, T2, T3 = (datetime(2026, 5, day, tzinfo=UTC) for day in (1, 2, 3))
AT_T2 = known({"record_id": 1, "version": 4, "content_digest": 10, "updated_at": T2})
GONE_AT_T2 = known({"record_id": 1, "version": 4, "content_digest": 10, "updated_at": T2, "is_deleted": True})
GONE = True


@pytest.mark.parametrize(
    ("row", "before", "of_changes", "of_snapshot"),
    [
        ((1, 11, T1), AT_T2, "late", "late"),
        ((1, 11, T2), AT_T2, "changed", "changed"),
        ((1, 11, T3), AT_T2, "changed", "changed"),
        ((1, 11, None), AT_T2, "changed", "changed"),
        ((1, 11, T1), ONE_KNOWN, "changed", "changed"),
        ((1, 10, T1), AT_T2, "unchanged", "unchanged"),
        ((1, 10, None), AT_T2, "unchanged", "unchanged"),
        ((1, 10, T3), AT_T2, "changed", "unchanged"),
        ((1, 10, T1), ONE_KNOWN, "changed", "unchanged"),
        ((1, 10, T1), GONE_AT_T2, "late", "late"),
        ((1, 10, T2), GONE_AT_T2, "changed", "changed"),
        ((1, 11, T3), GONE_AT_T2, "changed", "changed"),
        ((2, 20, T1), AT_T2, "new", "new"),
        ((1, 11, T3, GONE), AT_T2, "deleted", "deleted"),
        ((1, 11, None, GONE), AT_T2, "deleted", "deleted"),
        ((1, 11, T1, GONE), AT_T2, "late", "late"),
        ((1, 11, T3, GONE), GONE_AT_T2, "deleted", "deleted"),
        ((2, 20, T3, GONE), AT_T2, "deleted", "deleted"),
        ((None, 20, T3), AT_T2, "keyless", "keyless"),
    ],
)  # fmt: skip
def test_times_tell_what_is_late(row, before, of_changes, of_snapshot):
    assert statuses(changes([row], before, is_snapshot=False)) == [of_changes]
    assert statuses(changes([row], before)) == [of_snapshot]


def test_rows_that_are_worked_on_again_are_not_late_for_their_times_were_read_in_another_way():
    assert statuses(changes([(1, 11, T1)], AT_T2, is_redone=True)) == ["changed"]


@pytest.mark.parametrize(
    ("row", "before", "of_changes", "of_snapshot"),
    [
        ((1, 10, T3, GONE), AT_T2, [(1, 5, T3, True)], [(1, 5, T3, True)]),
        ((1, 10, None, GONE), AT_T2, [(1, 5, None, True)], [(1, 5, None, True)]),
        ((1, 10, T1, GONE), AT_T2, [], []),
        ((1, 10, T3, GONE), GONE_AT_T2, [(1, 5, T3, False)], []),
        ((1, 10, T2, GONE), GONE_AT_T2, [], []),
        ((1, 10, None, GONE), GONE_AT_T2, [], []),
        ((2, 20, T1, GONE), GONE_AT_T2, [(2, 1, T1, False)], []),
        ((2, 20, None, GONE), GONE_AT_T2, [], []),
        ((None, 20, T1), GONE_AT_T2, [], []),
    ],
)  # fmt: skip
def test_a_deletion_is_stored_where_it_deletes_or_keeps_an_older_row_out(row, before, of_changes, of_snapshot):
    found = changes([row], before, is_snapshot=False)
    assert found.deleted.rows() == of_changes
    assert (found.deleted_count, found.absent_count) == (sum(held for *_, held in of_changes), 0)
    assert changes([row], before).deleted.rows() == of_snapshot


def test_of_a_record_that_was_erased_no_deletion_is_stored_or_counted():
    for is_suppressed in (True, False):
        returning = Returning(ERASED, is_suppressed=is_suppressed)
        found = changes([(7, 70, T1, GONE)], is_snapshot=False, returning=returning)
        assert (statuses(found), found.deleted.rows(), found.returning_count) == (["deleted"], [], 0)


OLD_SNAPSHOT = [(1, 11, T1), (3, 30, T2)]


@pytest.mark.parametrize(
    ("rows", "deleted", "statuses_of_rows"),
    [
        (OLD_SNAPSHOT, [4], ["late", "late"]),
        ([(1, 10, T2), (3, 30, T2)], [2, 4], ["unchanged", "changed"]),
    ],
    ids=["out of order", "in order"],
)
def test_an_old_snapshot_neither_deletes_what_came_after_it_nor_brings_back_what_is_gone(rows, deleted, statuses_of_rows):
    before = known(
        {"record_id": 1, "content_digest": 10, "updated_at": T2},
        {"record_id": 2, "content_digest": 20, "updated_at": T3},
        {"record_id": 3, "content_digest": 30, "updated_at": T2, "is_deleted": True},
        {"record_id": 4, "content_digest": 40, "updated_at": T1},
    )
    found = changes(rows, before)
    assert sorted(found.deleted["record_id"]) == deleted
    assert statuses(found) == statuses_of_rows


@pytest.mark.parametrize(
    ("row", "is_redone", "stored_at"),
    [
        ((1, 11, None), False, T2),
        ((1, 11, T3), False, T3),
        ((1, 11, None), True, None),
        ((2, 20, None), False, None),
    ],
    ids=["none told", "told", "what is known was read in another way", "new"],
)
@pytest.mark.parametrize("before", [AT_T2, GONE_AT_T2], ids=["held", "deleted"])
def test_a_row_that_tells_no_time_keeps_the_time_that_is_known(row, is_redone, stored_at, before):
    found = changes([row], before, is_snapshot=False, is_redone=is_redone)
    rows = pl.concat([survey(row), found.rows.select("version")], how="horizontal")
    assert found.with_known_times(rows)["updated_at"].to_list() == [stored_at]


def taken(rows, before, *, is_snapshot):
    """Return what is known after a delivery, as storing it makes it."""
    found = changes(rows, before, is_snapshot=is_snapshot)
    delivered = pl.concat([survey(*rows), found.rows.select("status", "version")], how="horizontal")
    kept = delivered.filter(pl.col("status").is_in(["new", "changed"])).with_columns(is_deleted=pl.lit(value=False))
    stored = found.with_known_times(kept)
    former = before.select("record_id", "content_digest", former_at="updated_at")
    tombs = found.deleted.join(former, on="record_id", how="left").with_columns(
        pl.col("content_digest").fill_null(0), updated_at=pl.coalesce("updated_at", "former_at"), is_deleted=pl.lit(value=True)
    )
    every = pl.concat([frame.select(KNOWN.names()) for frame in (before, stored, tombs)])
    return every.sort("record_id", "version").unique("record_id", keep="last", maintain_order=True)


TOLD = st.sampled_from([None, T1, T2, T3])
DELIVERED = st.tuples(st.none() | st.integers(1, 5), st.integers(0, 2), TOLD, st.booleans())
BEFORE = st.dictionaries(st.integers(1, 5), st.tuples(st.integers(1, 3), st.integers(0, 2), TOLD, st.booleans()))


@given(st.lists(DELIVERED, max_size=12), BEFORE, st.booleans())
def test_a_delivery_taken_in_and_delivered_again_changes_nothing(rows, before, is_snapshot):
    names = ("version", "content_digest", "updated_at", "is_deleted")
    first = known(*({"record_id": key, **dict(zip(names, cells, strict=True))} for key, cells in before.items()))
    then = taken(rows, first, is_snapshot=is_snapshot)
    again = changes(rows, then, is_snapshot=is_snapshot)

    assert not set(statuses(again)) & {"new", "changed"}
    assert again.deleted.is_empty()


@settings(max_examples=60)
@given(st.data())
def test_deliveries_of_changes_end_in_the_same_records_in_whatever_order_they_come(data):
    count = data.draw(st.integers(1, 7))
    moments = [T1 + timedelta(hours=number) for number in range(count)]
    cells = st.tuples(st.integers(1, 2), st.integers(0, 2), st.booleans())
    rows = [(key, digest, at, gone) for at, (key, digest, gone) in zip(moments, data.draw(_lists(cells, count)), strict=True)]

    def current(order):
        cuts = data.draw(st.integers(1, 3))
        held = known()
        for start in range(0, count, cuts):
            held = taken(order[start : start + cuts], held, is_snapshot=False)
        alive = held.filter(~pl.col("is_deleted")).select("record_id", "content_digest", "updated_at")
        return alive.sort("record_id").rows()

    newest = {row[0]: row for row in rows}
    expected = [row[:3] for _, row in sorted(newest.items()) if not row[3]]
    assert current(data.draw(st.permutations(rows))) == current(rows) == expected


def _lists(of, count):
    return st.lists(of, min_size=count, max_size=count)
