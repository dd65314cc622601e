"""Tests of ``custview_pipeline.adapters.delta_upkeep``."""

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

from custview_pipeline.adapters import delta_upkeep
from custview_pipeline.adapters.delta_log import appended_files, log_files
from custview_pipeline.adapters.delta_tables import read_table, stored_files, write_table
from custview_pipeline.adapters.delta_upkeep import compact_table, purge_table, vacuum_table
from custview_pipeline.contracts.matching_tables import CROSSWALK
from custview_pipeline.kernel.errors import LakeDamaged
from custview_pipeline_tests.factories import crosswalk, cuid

NOW = datetime.now(UTC)
WEEK = timedelta(days=7)


def row(number):
    return crosswalk({"record_id": number, "cuid": cuid(number)})


@pytest.fixture
def folder(tmp_path):
    return tmp_path / CROSSWALK.name


def grown(folder, count, *, first=0):
    """Append rows one commit each; return the version."""
    known = DeltaTable(str(folder)).version() if folder.exists() else None
    for number in range(first, first + count):
        known = write_table(folder, row(number), mode="append", known=known)
    return known


def rows(folder, version):
    return read_table(folder, version, ["record_id", "cuid"]).sort("record_id")


def age(folder, days, *, upto):
    """Make what versions up to one wrote older."""
    then = (NOW - timedelta(days=days)).timestamp()
    for path in [*stored_files(folder), *(path for path, about in log_files(folder).items() if about <= upto)]:
        os.utime(path, (then, then))


def test_small_files_become_one_with_the_same_rows(folder):
    known = grown(folder, 12)
    version = compact_table(folder, known)
    assert version == known + 1
    assert len(DeltaTable(str(folder), version=version).file_uris()) == 1
    assert rows(folder, version).equals(rows(folder, known))
    assert compact_table(folder, version) == version, "nothing is left to be merged"


def test_a_file_that_dominates_the_others_stays_what_it_is(folder):
    many = pl.concat([row(number) for number in range(4000)])
    known = write_table(folder, many, mode="append", known=None)
    (large,) = stored_files(folder)
    known = grown(folder, 3, first=5000)
    version = compact_table(folder, known)
    files = {uri.rsplit("/", 1)[-1] for uri in DeltaTable(str(folder), version=version).file_uris()}
    assert large.name in files
    assert len(files) == 2


def test_files_are_merged_up_to_the_size_that_counts_as_large(folder, monkeypatch):
    known = grown(folder, 8)
    sizes = [path.stat().st_size for path in stored_files(folder)]
    monkeypatch.setattr(delta_upkeep, "MERGED_BYTES", 3 * max(sizes))
    version = compact_table(folder, known)
    assert 2 <= len(DeltaTable(str(folder), version=version).file_uris()) < 8
    assert rows(folder, version).equals(rows(folder, known))


def test_a_compaction_leaves_out_versions_that_no_manifest_names(folder):
    known = grown(folder, 3)
    write_deltalake(str(folder), row(9), mode="append")
    version = compact_table(folder, known)
    assert rows(folder, version)["record_id"].to_list() == [0, 1, 2]


def test_no_log_of_a_compaction_has_statistics_of_values(folder):
    known = grown(folder, 3)
    version = compact_table(folder, known)
    purge_table(folder, version)
    text = "".join(path.read_text() for path in log_files(folder) if path.suffix == ".json")
    assert '"numRecords' in text.replace("\\", "")
    assert not re.search(r"CU[0-9A-Z]{17}", text)
    checkpoint = next(path for path in log_files(folder) if path.suffix == ".parquet")
    assert cuid(1).encode() not in checkpoint.read_bytes()


def test_a_vacuum_removes_files_that_were_replaced_before_the_moment_and_their_log(folder):
    known = grown(folder, 5)
    version = compact_table(folder, known)
    age(folder, 8, upto=version)
    removed = vacuum_table(folder, version, NOW - WEEK)
    assert len(removed) >= 5
    assert all(removed)
    assert len(stored_files(folder)) == 1
    assert set(log_files(folder).values()) == {version}
    assert rows(folder, version)["record_id"].to_list() == [0, 1, 2, 3, 4]
    assert rows(folder, grown(folder, 1, first=5))["record_id"].to_list() == [0, 1, 2, 3, 4, 5]


def test_whoever_opened_the_lake_after_the_moment_still_reads_every_version_of_since(folder):
    known = grown(folder, 3)
    age(folder, 20, upto=known)
    held_then = grown(folder, 2, first=3)
    age(folder, 9, upto=held_then)  # the state of the moment
    since = compact_table(folder, held_then)
    newest = write_table(folder, row(9), mode="overwrite", known=since)
    vacuum_table(folder, newest, NOW - WEEK)
    vacuum_table(folder, newest, NOW - WEEK)
    for version, records in ((held_then, [0, 1, 2, 3, 4]), (since, [0, 1, 2, 3, 4]), (newest, [9])):
        assert rows(folder, version)["record_id"].to_list() == records, version
    assert appended_files(folder, held_then, newest) is None


def test_a_vacuum_leaves_a_young_table_alone(folder):
    known = grown(folder, 3)
    before = set(stored_files(folder)), set(log_files(folder))
    assert vacuum_table(folder, known, NOW - WEEK) == []
    assert before[0] == set(stored_files(folder))
    assert before[1] <= set(log_files(folder))
    assert appended_files(folder, 0, known) is not None


def test_a_vacuum_removes_what_killed_writers_left_and_rolls_their_versions_back(folder):
    known = grown(folder, 2)
    for number in range(2):
        write_deltalake(str(folder), row(7 + number), mode="append")
    (folder / "part-00000-c000.zstd.parquet#1").write_bytes(b"half")
    (folder / "_delta_log" / "_commit_1.json.tmp").write_bytes(b"half")
    age(folder, 8, upto=known + 2)
    vacuum_table(folder, known, NOW - WEEK)
    assert DeltaTable(str(folder)).version() == known
    assert len(stored_files(folder)) == 2
    assert {path.name for path in folder.iterdir() if path.is_file()} == {path.name for path in stored_files(folder)}
    assert rows(folder, grown(folder, 1, first=2))["record_id"].to_list() == [0, 1, 2]


def test_stray_files_wait_until_they_are_old(folder):
    known = grown(folder, 2)
    write_deltalake(str(folder), row(7), mode="append")
    vacuum_table(folder, known, NOW - WEEK)
    assert len(stored_files(folder)) == 3
    assert rows(folder, known)["record_id"].to_list() == [0, 1]


@pytest.mark.parametrize("step", range(1, 8))
def test_a_vacuum_that_is_interrupted_anywhere_leaves_a_table_that_reads_writes_and_is_vacuumed(folder, monkeypatch, step):
    known = grown(folder, 4)
    version = compact_table(folder, known)
    for _ in range(2):
        write_deltalake(str(folder), row(8), mode="append")
    age(folder, 8, upto=version + 2)
    left = [step]
    unlink = Path.unlink

    def unlink_some(path):
        left[0] -= 1
        if left[0] == 0:
            raise OSError
        unlink(path)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", unlink_some)
        with pytest.raises(LakeDamaged, match="crosswalk"):
            vacuum_table(folder, version, NOW - WEEK)
    assert rows(folder, version)["record_id"].to_list() == [0, 1, 2, 3]
    written = write_table(folder, row(4), mode="append", known=version)
    assert rows(folder, written)["record_id"].to_list() == [0, 1, 2, 3, 4]
    vacuum_table(folder, written, datetime.now(UTC))
    assert rows(folder, written)["record_id"].to_list() == [0, 1, 2, 3, 4]


def test_a_purge_removes_half_written_files_too(folder):
    known = grown(folder, 2)
    (folder / "part-00000-c000.zstd.parquet#1").write_bytes(b"half")
    purge_table(folder, known)
    assert not list(folder.glob("*#*"))
