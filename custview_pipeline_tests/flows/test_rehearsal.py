"""Tests of ``custview_pipeline.flows.rehearsal``: what is supposed is read as what is stored, and is not stored."""

import polars as pl
import pytest

from custview_pipeline.flows.rehearsal import Rehearsal, SupposedLake
from custview_pipeline_tests.factories import crosswalk, cuid
from custview_pipeline_tests.flows.memory_lake import MemoryLake

STORED = crosswalk({"record_id": 1, "cuid": cuid(1)}, {"record_id": 2, "cuid": cuid(2)})
MORE = crosswalk({"record_id": 3, "cuid": cuid(1)})


@pytest.fixture
def lake():
    lake = MemoryLake()
    lake.append("crosswalk", STORED)
    return lake


def ids(frame):
    return frame["record_id"].to_list()


def test_rows_that_are_appended_are_read_after_those_stored_and_filtered_alike(lake):
    supposed = SupposedLake(lake, {"crosswalk": (MORE, False)})

    assert ids(supposed.read("crosswalk")) == [1, 2, 3]
    is_of_first = pl.col("cuid") == cuid(1)
    assert supposed.read("crosswalk", ["record_id"], where=is_of_first).to_dict(as_series=False) == {"record_id": [1, 3]}
    assert ids(supposed.appended_since("crosswalk", 0, ["record_id"])) == [3]
    assert supposed.table_version("crosswalk") == lake.table_version("crosswalk") + 1


def test_rows_that_take_the_place_of_others_are_all_there_is(lake):
    supposed = SupposedLake(lake, {"crosswalk": (MORE, True)})

    assert ids(supposed.read("crosswalk")) == [3]
    assert supposed.appended_since("crosswalk", 0) is None


def test_tables_of_which_nothing_is_supposed_are_those_of_the_lake(lake):
    supposed = SupposedLake(lake, {"match_edges": (pl.DataFrame(), True)})

    assert ids(supposed.read("crosswalk")) == [1, 2]
    assert supposed.table_version("crosswalk") == lake.table_version("crosswalk")
    assert (supposed.table_version("match_edges"), supposed.table_version("match_runs")) == (0, None)


def test_what_is_committed_in_a_rehearsal_adds_up_and_is_not_stored(lake):
    rehearsal = Rehearsal(lake, forgotten={"golden_lineage"})
    with rehearsal.commit("run-1") as commit:
        commit.append("crosswalk", MORE)
        commit.append("crosswalk", crosswalk({"record_id": 4, "cuid": cuid(1)}))
        commit.append("golden_lineage", pl.DataFrame({"cuid": [cuid(1)]}))

    assert ids(rehearsal.committed("crosswalk")) == [3, 4]
    assert ids(rehearsal.snapshot().read("crosswalk")) == [1, 2, 3, 4]
    assert rehearsal.committed("golden_lineage").is_empty()
    assert ids(lake.read("crosswalk")) == [1, 2]

    rehearsal.replace("crosswalk", MORE)
    rehearsal.append("crosswalk", STORED)
    assert ids(rehearsal.snapshot().read("crosswalk")) == [3, 1, 2]
