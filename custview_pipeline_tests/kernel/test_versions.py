"""Tests of ``custview_pipeline.kernel.versions``."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.kernel.versions import newest, next_versions

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


HELD = pl.DataFrame(
    [("a", 1, "x", "run-1"), ("b", 3, "y", "run-1"), ("c", 2, "gone", "run-1"), ("d", 1, "z", "run-1")],
    schema={"key": pl.String, "version": pl.Int32, "value": pl.String, "run": pl.String},
    orient="row",
)
ENDED = {"value": pl.lit("gone"), "run": pl.lit("run-2")}


@pytest.mark.parametrize(
    ("wanted", "rows"),
    [
        ([("a", "x"), ("b", "y"), ("d", "z")], []),
        ([("a", "new"), ("b", "y"), ("d", "z")], [("a", 2, "new", "run-2")]),
        ([("a", "x"), ("b", "y"), ("d", "z"), ("e", "v")], [("e", 1, "v", "run-2")]),
        ([("a", "x"), ("d", "z")], [("b", 4, "gone", "run-2")]),
        ([("a", "x"), ("b", "y"), ("c", "back"), ("d", "z")], [("c", 3, "back", "run-2")]),
        ([], [("a", 2, "gone", "run-2"), ("b", 4, "gone", "run-2"), ("d", 2, "gone", "run-2")]),
    ],
    ids=["the same", "changed", "new", "ended", "comes back", "all ended"],
)
def test_only_what_differs_becomes_another_version(wanted, rows):
    frame = pl.DataFrame([(*row, "run-2") for row in wanted], schema=["key", "value", "run"], orient="row")
    frame = frame.cast(dict.fromkeys(frame.columns, pl.String))

    appended = next_versions(HELD, frame, ["key"], ENDED, made_by="run")

    assert appended.rows() == rows
    assert appended.schema == HELD.schema
    after = newest(pl.concat([HELD, appended]), ["key"]).filter(pl.col("value") != "gone")
    assert after.select("key", "value").rows() == sorted(wanted)
    assert next_versions(newest(pl.concat([HELD, appended]), ["key"]), frame, ["key"], ENDED, made_by="run").is_empty()
