"""Tests of ``custview_pipeline.protection.key_table``."""

import mmap
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.kernel.errors import KeyUnavailable
from custview_pipeline.protection.key_table import ENTRIES, KeyTable, open_segments, seal_segment, shard_of
from custview_pipeline_tests.protection.small_key_tables import FIRST, SEGMENT, frame, materials, shard_keys

ids = st.integers(-(2**63), 2**63 - 1)
few_ids = st.sampled_from([0, 1, 257, -1, -255, 2**63 - 1, -(2**63)])  # of three shards
versions = st.integers(0, 2**31 - 1)  # a record's versions count from 1, a quarantined row has 0
materials_of_any_bytes = st.binary(min_size=12, max_size=12)
entry_lists = st.dictionaries(st.tuples(ids | few_ids, versions), materials_of_any_bytes, max_size=20)
rows_of_segments = st.lists(
    st.lists(st.tuples(few_ids, st.integers(0, 3), materials_of_any_bytes), max_size=12), min_size=1, max_size=4
)


def opened(entries, **options):
    return open_segments({"run-1": seal_segment(frame(entries), shard_keys(), "run-1")}, shard_keys(), **options)


@given(entry_lists)
def test_what_is_sealed_is_found_again(entries):
    table = opened(entries)

    assert materials(table, *entries) == list(entries.values())
    assert sorted(table.frame().rows()) == [(*key, material) for key, material in sorted(entries.items())]
    assert len(table) == len(entries)


@given(entry_lists, st.lists(st.tuples(ids | few_ids, versions)))
def test_what_was_never_stored_is_null(entries, wanted):
    assert materials(opened(entries), *wanted) == [entries.get(each) for each in wanted]


@given(rows_of_segments)
def test_of_several_entries_for_a_record_version_the_last_prevails_within_and_over_segments(segments):
    sealed = {
        f"run-{number}": seal_segment(pl.DataFrame(rows, schema=ENTRIES, orient="row"), shard_keys(), f"run-{number}")
        for number, rows in enumerate(segments)
    }
    expected = {(record_id, version): material for rows in segments for record_id, version, material in rows}
    table = open_segments(sealed, shard_keys())

    assert {(record_id, version): material for record_id, version, material in table.frame().rows()} == expected
    assert len(table) == len(expected)
    assert materials(table, *expected) == list(expected.values())


@given(entry_lists)
def test_a_table_sealed_anew_is_the_same_table(entries):
    table = opened(entries)
    again = open_segments({"run-2": seal_segment(table, shard_keys(2), "run-2")}, shard_keys(2))

    assert again.frame().equals(table.frame())


def test_an_empty_table_finds_nothing():
    assert materials(open_segments({}, shard_keys()), (1, 1)) == [None]
    assert materials(open_segments({"run-1": SEGMENT}, shard_keys())) == []
    assert opened({}).frame().equals(ENTRIES.to_frame())


@given(st.lists(st.none() | ids))
def test_the_shard_of_a_record_is_its_last_eight_bits(record_ids):
    shards = shard_of(pl.Series(record_ids, dtype=pl.Int64))

    assert shards.dtype == pl.UInt8
    assert shards.to_list() == [None if each is None else each % 256 for each in record_ids]


def test_a_block_whose_key_was_destroyed_is_shredded_and_the_others_are_not():
    keys = shard_keys()
    without_shard_1 = replace(keys, generations=(keys.generations[0], {2: bytes(32)}, *keys.generations[2:]))
    table = open_segments({"run-1": SEGMENT}, without_shard_1)

    assert materials(table, (1, 1), (1, 2), (-1, 1)) == [None, None, b"material-1.1"]


def test_the_newest_generation_seals_and_older_ones_still_open():
    newer = seal_segment(frame({(1, 3): b"material 1.3"}), shard_keys(1, 2), "run-2")
    segments = {"run-1": SEGMENT, "run-2": newer}

    assert materials(open_segments(segments, shard_keys(1, 2)), (1, 1), (1, 3)) == [b"material 1.1", b"material 1.3"]
    assert materials(open_segments(segments, shard_keys(2)), (1, 1), (1, 3)) == [None, b"material 1.3"]


def test_blocks_below_the_floor_of_their_shard_do_not_count_though_their_key_is_there():
    newer = seal_segment(frame({(1, 3): b"material 1.3"}), shard_keys(1, 2), "run-2")
    segments = {"run-1": SEGMENT, "run-2": newer}
    table = open_segments(segments, shard_keys(1, 2), floors={1: 2})

    assert materials(table, (1, 1), (1, 2), (1, 3), (-1, 1)) == [None, None, b"material 1.3", b"material-1.1"]
    assert len(open_segments(segments, shard_keys(1, 2), floors={1: 3, 255: 2})) == 0


def test_a_generation_newer_than_the_keys_is_no_shredded_one():
    newer = {"run-2": seal_segment(frame({(1, 3): b"material 1.3"}), shard_keys(1, 2), "run-2")}

    with pytest.raises(KeyUnavailable, match="run it again"):
        open_segments(newer, shard_keys(1))
    with pytest.raises(KeyUnavailable, match="run it again"):
        open_segments(newer, shard_keys(1), floors={1: 2})
    assert len(open_segments(newer, shard_keys(1), shards={255})) == 0


@given(entry_lists, st.sets(st.integers(0, 255), max_size=3))
def test_only_the_shards_asked_for_are_there(entries, shards):
    table = opened(entries, shards=shards | {1})

    assert {(row[0], row[1]) for row in table.frame().rows()} == {key for key in entries if key[0] % 256 in shards | {1}}


def test_segments_can_be_mapped_into_memory(tmp_path):
    (tmp_path / "run-1").write_bytes(SEGMENT)
    with (tmp_path / "run-1").open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        for buffer in (mapped, memoryview(mapped), bytearray(mapped), np.frombuffer(mapped, np.uint8)):
            table = open_segments({"run-1": buffer}, shard_keys())
            assert materials(table, *FIRST) == list(FIRST.values())
        del buffer, table  # nothing of the table holds the file


@pytest.mark.parametrize(
    "entry", [(None, 1, bytes(12)), (1, None, bytes(12)), (1, 1, None), (1, 1, bytes(11)), (1, -1, bytes(12))]
)
def test_incomplete_entries_are_refused(entry):
    with pytest.raises(ValueError, match="12 bytes"):
        seal_segment(pl.DataFrame([entry], schema=ENTRIES, orient="row"), shard_keys(), "run-1")


def test_the_table_is_told_by_its_length_alone():
    table = open_segments({"run-1": SEGMENT}, shard_keys())

    assert isinstance(table, KeyTable)
    assert repr(table) == str(table) == "KeyTable(3 entries)"
