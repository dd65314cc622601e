"""Segments that are merged, the retired ones that stay for readers, and the vacuum that removes them."""

import os
import time
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from custview_pipeline.adapters import index_changes, merging
from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.key_files import FileKeyProvider, KeyDirectory
from custview_pipeline.adapters.stored_files import StoredFiles
from custview_pipeline.contracts.match_index import NEIGHBOURHOODS, IndexPart
from custview_pipeline.contracts.matching_tables import CROSSWALK
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import Purpose
from custview_pipeline_tests.adapters.small_lakes import (
    GENERATION,
    ONE,
    TWO,
    append,
    entries,
    files,
    materials,
    record_ids,
)
from custview_pipeline_tests.factories import index_claims

PART = IndexPart.NEIGHBOURHOODS
RECORDS = [(number, 1) for number in range(6)]
NOW = timedelta()
WEEK = timedelta(days=7)


@pytest.fixture
def lake_keyring(tmp_path):
    """Return a keyring of the test's own: these tests change it."""
    return Keyring.open(FileKeyProvider(tmp_path / "keys"), KeyDirectory(tmp_path / "keys"))


def tokens(*numbers):
    return pl.DataFrame([(number, number, 0) for number in numbers], schema=NEIGHBOURHOODS, orient="row")


def same(rows):
    return rows


@pytest.fixture
def grown(lake):
    """Return a lake that six commits made."""
    for record in RECORDS:
        with lake.writer() as writer, writer.commit("run-1") as commit:
            commit.add_keys(entries(record))
            commit.add_index(PART, tokens(record[0]), generation=GENERATION)
    return lake


def compact(lake, change=same, *, is_whole=False):
    with lake.writer() as writer, writer.commit("compaction") as commit:
        return commit.compact_index(PART, change, is_whole=is_whole), commit.compact_keys()


def vacuum(lake, age):
    with lake.writer() as writer:
        return writer.vacuum(datetime.now(UTC) - age)


def found(snapshot):
    return snapshot.read_index(PART)["token"].to_list(), materials(snapshot, *RECORDS)


def test_segments_become_one_and_hold_what_they_held(grown):
    before = found(grown.snapshot())
    assert compact(grown) == (6, 6)
    manifest = grown.snapshot().manifest
    assert len(manifest.key_segments) == len(manifest.index.segments[PART]) == 1
    assert found(grown.snapshot()) == before
    assert compact(grown) == (0, 0)


def test_a_segment_that_dominates_is_left_alone_unless_all_are_written_anew(lake):
    for numbers in (range(5000), range(5000, 5010), range(5010, 5020)):
        with lake.writer() as writer, writer.commit("run-1") as commit:
            commit.add_index(PART, tokens(*numbers), generation=GENERATION)
    (base, *_) = lake.snapshot().manifest.index.segments[PART]
    assert compact(lake) == (2, 0)
    assert lake.snapshot().manifest.index.segments[PART][0] == base
    assert compact(lake, is_whole=True) == (2, 0)
    assert len(lake.snapshot().manifest.index.segments[PART]) == 1
    assert lake.snapshot().read_index(PART)["token"].to_list() == list(range(5020))


def test_rows_of_several_segments_are_changed_together_and_none_may_be_left(grown):
    assert compact(grown, lambda rows: rows.filter(pl.col("token") > 3), is_whole=True)[0] == 6
    assert grown.snapshot().read_index(PART)["token"].to_list() == [4, 5]
    compact(grown, lambda rows: rows.clear(), is_whole=True)
    assert grown.snapshot().read_index(PART).is_empty()


def test_segments_are_read_in_portions(grown, monkeypatch):
    size = max(path.stat().st_size for path in (grown.root / "index").iterdir())
    monkeypatch.setattr(index_changes, "MERGED_BYTES", 2 * size - 10)
    monkeypatch.setattr(merging, "LARGE_BYTES", 10 * size)
    heights = []
    compact(grown, lambda rows: (heights.append(rows.height), rows)[1])
    assert heights == [2, 2, 2]
    assert len(grown.snapshot().manifest.index.segments[PART]) == 3
    assert found(grown.snapshot())[0] == list(range(6))


def test_only_the_generation_in_use_is_compacted(grown):
    with grown.writer() as writer, writer.commit("run-2") as commit:
        commit.begin_index("rules;key=2")
        for number in (7, 8):
            commit.add_index(PART, tokens(number), generation="rules;key=2")
    assert compact(grown) == (6, 6)
    assert len(grown.snapshot().manifest.next_index.segments[PART]) == 2


def test_the_keys_of_the_shards_stay_and_shredded_material_does_not_come_back(grown, lake_keyring):
    with grown.writer() as writer, writer.commit("run-2") as commit:
        commit.forget_keys(entries(RECORDS[2]).drop("material"))
    before = found(grown.snapshot())
    assert before[1][2] is None
    newest = [lake_keyring.shard_keys().newest(shard) for shard in range(256)]
    assert compact(grown) == (6, 7)
    assert found(grown.snapshot()) == before
    assert [lake_keyring.shard_keys().newest(shard) for shard in range(256)] == newest


def test_whoever_reads_meanwhile_goes_on_reading_until_the_vacuum(grown):
    reader, expected = grown.snapshot(), found(grown.snapshot())
    compact(grown)
    assert vacuum(grown, WEEK) == (0, 0)
    assert found(reader) == expected
    assert len(files(grown.root, "index")) == len(files(grown.root, "keys")) == 7
    removed, size = vacuum(grown, NOW)
    assert removed == 12
    assert size > 0
    assert len(files(grown.root, "index")) == len(files(grown.root, "keys")) == 1
    assert grown.snapshot().manifest.retired == ()
    assert found(grown.snapshot()) == expected


def forget(commit):
    commit.forget_keys(entries(RECORDS[0]).drop("material"))


def reseal(commit):
    commit.reseal_keys()


def erase(commit):
    commit.rewrite_index(IndexPart.TOKENS, same)


def reencrypt(commit):
    commit.reencrypt_index(0)


def switch(commit):
    commit.begin_index("rules;key=2")
    commit.switch_index()


@pytest.mark.parametrize(
    ("act", "index", "keys"),
    [(forget, 6, 0), (reseal, 6, 0), (erase, 0, 6), (reencrypt, 0, 6), (switch, 0, 6)],
)
def test_where_something_is_forgotten_no_retired_segment_keeps_it(grown, act, index, keys):
    compact(grown)
    with grown.writer() as writer, writer.commit("run-2") as commit:
        act(commit)
    manifest = grown.snapshot().manifest
    assert [sum(segment.is_of_index is kind for segment in manifest.retired) for kind in (True, False)] == [index, keys]
    assert files(grown.root, "index") | files(grown.root, "keys") == manifest.segment_names()


def test_retired_segments_are_of_the_lake_for_whoever_searches_it(grown, lake_keyring):
    compact(grown)
    stored = StoredFiles(grown.root, lake_keyring)
    assert len(list(stored.index(PART, ["token"], is_named=True))) == 7
    assert list(stored.index(PART, ["token"], is_named=False)) == []
    assert stored.strangers() == 0


def test_a_rotation_of_the_index_key_can_end_although_segments_were_retired(grown, lake_keyring):
    compact(grown)
    lake_keyring.add(Purpose.INDEX)
    lake_keyring.promote(Purpose.INDEX)
    with grown.writer() as writer, writer.commit("run-2") as commit:
        assert commit.reencrypt_index(9) == 0
    lake_keyring.retire(Purpose.INDEX, 1)
    assert grown.snapshot().read_index(PART)["token"].to_list() == list(range(6))


def test_a_lake_is_opened_whose_manifest_knows_nothing_of_retired_segments_and_locks(grown, lake_keyring):
    manifest = grown.root / "manifest.json"
    text = manifest.read_text()
    assert '"retired": []' in text
    manifest.write_text(text.replace(' "retired": [],\n', "").replace(',\n "writer_lock": "file"', ""))
    assert "writer_lock" not in manifest.read_text()
    assert found(DeltaLake(grown.root, lake_keyring).snapshot())[0] == list(range(6))


def test_owners_of_the_rows_of_the_index_are_told(lake):
    for number in (4, 5):
        with lake.writer() as writer, writer.commit("run-1") as commit:
            commit.add_index(IndexPart.CLAIMS, index_claims({"record_id": number}), generation=GENERATION)
    owners = lake.snapshot().index_owners(IndexPart.CLAIMS)
    assert owners.columns == ["record_id", "version"]
    assert owners["record_id"].to_list() == [4, 5]
    assert lake.snapshot().index_owners(IndexPart.TOKENS).is_empty()


def test_a_vacuum_removes_former_versions_of_tables_and_counts_them(lake, root):
    for frame in (ONE, TWO):
        with lake.writer() as writer, writer.commit("run-1") as commit:
            commit.replace(CROSSWALK.name, frame)
    reader = lake.snapshot()
    assert vacuum(lake, WEEK) == (0, 0)
    old = time.time() - WEEK.total_seconds() - 60
    for path in (root / "tables" / CROSSWALK.name).rglob("*"):
        os.utime(path, (old, old))
    count, size = vacuum(lake, WEEK)
    assert (count, size > 0) == (2, True), "a file of rows and one of the log"
    assert record_ids(reader) == record_ids(lake.snapshot()) == [2]
    append(lake, ONE)
    assert record_ids(lake.snapshot()) == [1, 2]
