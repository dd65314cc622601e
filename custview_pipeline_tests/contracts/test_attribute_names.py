"""Tests of ``custview_pipeline.contracts.attribute_names``."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.contracts.attribute_names import NAMES, list_names

FLAGS = st.lists(st.tuples(*[st.none() | st.booleans()] * 3), max_size=9)


@given(FLAGS)
def test_each_row_names_the_conditions_that_hold_in_their_order(rows):
    frame = pl.DataFrame(rows, schema=dict.fromkeys("abc", pl.Boolean), orient="row")
    found = list_names(frame, {"second": pl.col("b"), "first": pl.col("a"), "third": pl.col("c")})

    assert found.dtype == NAMES
    assert found.to_list() == [
        [name for name, flag in (("second", row[1]), ("first", row[0]), ("third", row[2])) if flag] for row in rows
    ]
