"""Tests of ``custview_pipeline.ingestion.changes``."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.ingestion.changes import KNOWN, SURVEY, Returning, RowStatus, find_changes
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
    assert changes(rows, before).deleted.rows() == deleted


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


@given(
    st.lists(st.tuples(st.none() | st.integers(1, 5), st.integers(0, 2)), max_size=12),
    st.dictionaries(st.integers(1, 5), st.tuples(st.integers(1, 3), st.integers(0, 2), st.booleans())),
)
def test_a_delivery_taken_in_and_delivered_again_changes_nothing(rows, before):
    first_known = known(
        *(
            {"record_id": key, "version": version, "content_digest": digest, "is_deleted": gone}
            for key, (version, digest, gone) in before.items()
        )
    )
    first = changes(rows, first_known)
    stored = first.rows.filter(pl.col("status").is_in(["new", "changed"])).select(
        *SURVEY, "version", is_deleted=pl.lit(value=False)
    )
    tombs = first.deleted.with_columns(content_digest=pl.lit(0, pl.Int64), is_deleted=pl.lit(value=True))
    now_known = pl.concat([frame.select(KNOWN.names()) for frame in (first_known, stored, tombs)])
    now_known = now_known.sort("record_id", "version").unique("record_id", keep="last", maintain_order=True)

    again = changes(rows, now_known)

    assert set(statuses(again)) <= {"unchanged", "repeated", "conflicting", "keyless"}
    assert again.deleted.is_empty()
