"""Tests of ``custview_pipeline.adapters.delta_log``, and of what a stage is told that came since it worked on a table."""

import contextlib
import tempfile
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.adapters.delta_log import appended_files, changes_of, commit_file, log_files
from custview_pipeline.adapters.delta_tables import read_appended, remove_rows, write_table
from custview_pipeline.adapters.delta_upkeep import compact_table, purge_table
from custview_pipeline.contracts.matching_tables import CROSSWALK
from custview_pipeline.kernel.errors import LakeDamaged
from custview_pipeline_tests.adapters.small_lakes import ONE, TWO, append, record_ids
from custview_pipeline_tests.factories import crosswalk, cuid

THREE = crosswalk({"record_id": 3, "cuid": cuid(3)})
TABLE = CROSSWALK.name


class Killed(Exception):
    """A run ends in the middle of its work."""


def since(lake, version, columns=("record_id",)):
    found = lake.snapshot().appended_since(TABLE, version, columns)
    return None if found is None else sorted(found["record_id"].to_list())


def append_and_be_killed(lake):
    with contextlib.suppress(Killed), lake.writer() as writer, writer.commit("run-2") as commit:
        commit.append(TABLE, TWO)
        raise Killed


def replace(lake, frame):
    with lake.writer() as writer, writer.commit("run-2") as commit:
        commit.replace(TABLE, frame)


def remove(lake, record_id, *, is_purged=False):
    with lake.writer() as writer, writer.commit("run-2") as commit:
        commit.remove(TABLE, "record_id", pl.Series([record_id]))
        if is_purged:
            commit.purge(TABLE)


def compact(lake):
    with lake.writer() as writer, writer.commit("run-2") as commit:
        commit.compact(TABLE)


def replace_and_be_killed(lake):
    with contextlib.suppress(Killed), lake.writer() as writer, writer.commit("run-2") as commit:
        commit.replace(TABLE, TWO)
        raise Killed


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ([], []),
        ([lambda lake: append(lake, TWO)], [2]),
        ([lambda lake: append(lake, TWO), lambda lake: append(lake, THREE)], [2, 3]),
        ([lambda lake: append(lake, ONE.clear())], []),
        ([append_and_be_killed], []),
        ([append_and_be_killed, lambda lake: append(lake, THREE)], [3]),
        ([replace_and_be_killed, lambda lake: append(lake, THREE)], [3]),
        ([append_and_be_killed, append_and_be_killed, lambda lake: append(lake, THREE)], [3]),
        ([lambda lake: replace(lake, TWO)], None),
        ([lambda lake: remove(lake, 1)], None),
        ([lambda lake: remove(lake, 7)], []),
        ([lambda lake: append(lake, TWO), lambda lake: remove(lake, 2)], []),
        ([lambda lake: append(lake, TWO), lambda lake: remove(lake, 2, is_purged=True)], None),
        ([lambda lake: remove(lake, 1, is_purged=True), lambda lake: append(lake, TWO)], None),
        ([lambda lake: append(lake, TWO), compact], None),
    ],
    ids=[
        "nothing", "an append", "two appends", "no rows", "killed", "killed, then an append",
        "killed while replacing, then an append", "killed twice, then an append", "replaced", "a row removed",
        "a row removed that is not there", "removed what was appended", "purged", "purged, then an append", "compacted",
    ],
)  # fmt: skip
def test_a_stage_is_told_the_rows_that_were_appended_or_that_it_cannot_be_told(lake, after, told):
    append(lake, ONE)
    version = lake.snapshot().table_version(TABLE)
    for act in after:
        act(lake)
    assert since(lake, version) == told


def test_what_came_after_a_purge_can_be_told_to_whoever_worked_on_what_it_left(lake):
    append(lake, pl.concat([ONE, TWO]))
    remove(lake, 2, is_purged=True)
    version = lake.snapshot().table_version(TABLE)
    append(lake, THREE)
    assert since(lake, version) == [3]


def test_a_table_that_is_not_there_brings_nothing(lake):
    assert lake.snapshot().appended_since(TABLE, 0).equals(ONE.clear())


def test_a_later_version_than_the_lakes_cannot_be_told(lake):
    append(lake, ONE)
    assert since(lake, 5) is None


def test_columns_come_as_asked(lake):
    append(lake, ONE)
    append(lake, TWO)
    assert lake.snapshot().appended_since(TABLE, 0).equals(TWO)
    assert lake.snapshot().appended_since(TABLE, 0, ["cuid"]).equals(TWO.select("cuid"))
    assert lake.snapshot().appended_since(TABLE, 1, ["cuid"]).equals(TWO.select("cuid").clear())


def test_what_was_appended_is_read_at_the_cost_of_the_commits_since(lake, root, monkeypatch):
    append(lake, ONE)
    for _ in range(30):
        write_table(root / "tables" / TABLE, TWO, mode="append", known=DeltaTable(str(root / "tables" / TABLE)).version())
    manifest = lake.snapshot().manifest
    lake.replace_manifest(manifest.model_copy(update={"tables": {TABLE: 30}}))
    snapshot = lake.snapshot()
    monkeypatch.setattr("custview_pipeline.adapters.delta_tables.DeltaTable", None)
    assert snapshot.appended_since(TABLE, 29, ["record_id"])["record_id"].to_list() == [2]


def test_a_missing_file_is_damage(lake, root):
    append(lake, ONE)
    append(lake, TWO)
    for path in (root / "tables" / TABLE).glob("*.parquet"):
        path.unlink()
    with pytest.raises(LakeDamaged, match="crosswalk"):
        since(lake, 0)


def test_the_log_has_checkpoints_every_twenty_commits(tmp_path):
    folder = tmp_path / TABLE
    known = write_table(folder, ONE, mode="append", known=None)
    for _ in range(45):
        known = write_table(folder, TWO, mode="append", known=known)
    assert [version for path, version in log_files(folder).items() if path.suffix == ".parquet"] == [19, 39]
    assert record_count(folder, known) == 46


def record_count(folder, version):
    return pl.scan_delta(str(folder), version=version).select("record_id").collect().height


def test_what_is_no_log_is_an_error_for_who_reads_one_and_untellable_for_a_stage(tmp_path):
    folder = tmp_path / TABLE
    write_table(folder, ONE, mode="append", known=None)
    commit_file(folder, 1).write_text('"no action"\n{')
    with pytest.raises((ValueError, TypeError, KeyError)):
        list(changes_of(commit_file(folder, 1)))
    assert appended_files(folder, 0, 1) is None


ACTS = st.lists(st.sampled_from(["append", "replace", "remove", "compact", "purge", "stray append", "stray replace"]), max_size=6)


def _row(number):
    return crosswalk({"record_id": number, "cuid": cuid(number)})


def _act(folder, known, act, number):
    """Take a step; return the version that counts after it."""
    match act:
        case "append" | "replace":
            return write_table(folder, _row(number), mode="append" if act == "append" else "overwrite", known=known)
        case "remove":
            return remove_rows(folder, "record_id", pl.Series([number - 1]), known=known)
        case "compact":
            return compact_table(folder, known)
        case "purge":
            purge_table(folder, known)
        case _:
            if DeltaTable(str(folder)).version() == known:
                write_deltalake(str(folder), _row(number), mode="append" if act == "stray append" else "overwrite")
    return known


@settings(max_examples=25)
@given(st.tuples(ACTS, ACTS))
def test_what_is_told_are_the_rows_that_are_more_by_now(acts):
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / TABLE
        known = write_table(folder, _row(0), mode="append", known=None)
        for number, act in enumerate(acts[0], start=1):
            known = _act(folder, known, act, number)
        marked, before = known, pl.read_delta(str(folder), version=known)
        for number, act in enumerate(acts[1], start=100):
            known = _act(folder, known, act, number)
        found = read_appended(folder, marked, known, list(before.columns))
        now = pl.read_delta(str(folder), version=known)
    if found is not None:
        assert pl.concat([before, found]).sort("record_id").equals(now.sort("record_id"))
    if set(acts[1]) <= {"append", "stray append", "stray replace"}:
        assert found is not None


def test_a_record_is_told_once_whatever_was_rolled_back(lake):
    append(lake, ONE)
    append_and_be_killed(lake)
    append(lake, TWO)
    assert since(lake, 0) == [2]
    assert record_ids(lake.snapshot()) == [1, 2]
