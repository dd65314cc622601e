"""Tests of ``custview_pipeline.kernel.versions``."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.kernel.versions import newest

SCHEMA = {"record_id": pl.Int64, "version": pl.Int32, "note": pl.String}


def frame(*rows):
    return pl.DataFrame(list(rows), schema=SCHEMA, orient="row")


def test_the_largest_version_of_each_key_holds_and_rows_come_in_the_order_of_the_key():
    found = newest(frame((2, 1, "b"), (1, 2, "new"), (1, 1, "old"), (3, 10, "ten"), (3, 9, "nine")), ["record_id"])

    assert found.rows() == [(1, 2, "new"), (2, 1, "b"), (3, 10, "ten")]


def test_a_key_may_have_several_columns():
    found = newest(frame((1, 1, "a"), (1, 2, "a"), (1, 1, "b")), ["record_id", "note"])

    assert found.rows() == [(1, 2, "a"), (1, 1, "b")]


def test_without_rows_nothing_holds():
    assert newest(frame(), ["record_id"]).schema == SCHEMA


@given(st.sets(st.tuples(st.integers(1, 4), st.integers(1, 4))), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter_and_a_second_time_changes_nothing(keys, random):
    rows = [(record_id, version, str(version)) for record_id, version in sorted(keys)]
    found = newest(frame(*random.sample(rows, len(rows))), ["record_id"])

    assert found.equals(newest(frame(*rows), ["record_id"]))
    assert found.equals(newest(found, ["record_id"]))
