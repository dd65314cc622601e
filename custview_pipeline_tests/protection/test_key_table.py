"""Tests of ``custview_pipeline.protection.key_table``."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.kernel.errors import UnsealFailed
from custview_pipeline.protection.key_table import ENTRIES, KeyTable, ShardKeys, open_segments, seal_segment

ids = st.integers(-(2**63), 2**63 - 1)
versions = st.integers(0, 2**31 - 1)  # a record's versions count from 1, a quarantined row has 0, 2**31 - 1)
entry_lists = st.dictionaries(st.tuples(ids, versions), st.binary(min_size=12, max_size=12), max_size=20)


def shard_keys(*generations, seed=0):
    each = {generation: bytes([generation, seed] * 16) for generation in generations or (1,)}
    return ShardKeys(
        bytes([seed] * 32), tuple({number: key[:31] + bytes([shard]) for number, key in each.items()} for shard in range(256))
    )


def frame(entries):
    rows = [(record_id, version, material) for (record_id, version), material in entries.items()]
    return pl.DataFrame(rows, schema=ENTRIES, orient="row")


FIRST = {(1, 1): b"material 1.1", (1, 2): b"material 1.2", (-1, 1): b"material-1.1"}
SEGMENT = seal_segment(frame(FIRST), shard_keys(), "run-1")


def materials(table, *wanted):
    rows = pl.DataFrame(wanted, schema={"record_id": pl.Int64, "version": pl.Int32}, orient="row")
    return table.materials(rows["record_id"], rows["version"]).to_list()


@given(entry_lists)
def test_what_is_sealed_is_found_again(entries):
    table = open_segments({"run-1": seal_segment(frame(entries), shard_keys(), "run-1")}, shard_keys())

    assert materials(table, *entries) == list(entries.values())
    assert table.frame().rows() == [(*key, material) for key, material in sorted(entries.items())]
    assert len(table) == len(entries)


@given(entry_lists, st.lists(st.tuples(ids, versions)))
def test_what_was_never_stored_is_null(entries, wanted):
    table = open_segments({"run-1": seal_segment(frame(entries), shard_keys(), "run-1")}, shard_keys())

    assert materials(table, *wanted) == [entries.get(each) for each in wanted]


def test_an_empty_table_finds_nothing():
    assert materials(KeyTable.empty(), (1, 1)) == [None]
    assert materials(open_segments({}, shard_keys())) == []


def test_segments_add_up_and_the_later_prevails():
    second = seal_segment(frame({(1, 2): b"material new", (3, 1): b"material 3.1"}), shard_keys(), "run-2")
    table = open_segments({"run-1": SEGMENT, "run-2": second}, shard_keys())

    assert materials(table, (1, 1), (1, 2), (3, 1)) == [b"material 1.1", b"material new", b"material 3.1"]


def test_a_block_whose_key_was_destroyed_is_shredded_and_the_others_are_not():
    keys = shard_keys()
    without_shard_1 = ShardKeys(keys.seal_key, (keys.generations[0], {2: bytes(32)}, *keys.generations[2:]))
    table = open_segments({"run-1": SEGMENT}, without_shard_1)

    assert materials(table, (1, 1), (1, 2), (-1, 1)) == [None, None, b"material-1.1"]
    assert table.shredded_block_count == 1


def test_the_newest_generation_seals_and_older_ones_still_open():
    newer = seal_segment(frame({(1, 3): b"material 1.3"}), shard_keys(1, 2), "run-2")
    segments = {"run-1": SEGMENT, "run-2": newer}

    assert materials(open_segments(segments, shard_keys(1, 2)), (1, 1), (1, 3)) == [b"material 1.1", b"material 1.3"]
    assert materials(open_segments(segments, shard_keys(2)), (1, 1), (1, 3)) == [None, b"material 1.3"]


@given(st.integers(0, len(SEGMENT) - 1), st.integers(1, 255))
def test_any_changed_byte_is_noticed(place, change):
    altered = SEGMENT[:place] + bytes([SEGMENT[place] ^ change]) + SEGMENT[place + 1 :]

    with pytest.raises(UnsealFailed):
        open_segments({"run-1": altered}, shard_keys())


@given(st.integers(0, len(SEGMENT) - 1))
def test_any_truncation_is_noticed(length):
    with pytest.raises(UnsealFailed):
        open_segments({"run-1": SEGMENT[:length]}, shard_keys())


@given(st.binary(max_size=200))
def test_bytes_of_any_origin_are_refused(blob):
    with pytest.raises(UnsealFailed):
        open_segments({"run-1": blob}, shard_keys())


@pytest.mark.parametrize(("name", "keys"), [("run-2", shard_keys()), ("run-", shard_keys()), ("run-1", shard_keys(seed=1))])
def test_a_segment_opens_only_under_its_id_and_keys(name, keys):
    with pytest.raises(UnsealFailed):
        open_segments({name: SEGMENT}, keys)


def test_a_shard_under_a_wrong_key_of_the_same_generation_is_noticed():
    keys = ShardKeys(shard_keys().seal_key, shard_keys(seed=1).generations)

    with pytest.raises(UnsealFailed):
        open_segments({"run-1": SEGMENT}, keys)


def test_no_material_is_readable_in_a_segment():
    assert not any(material in SEGMENT for material in FIRST.values())


@pytest.mark.parametrize("entry", [(None, 1, bytes(12)), (1, None, bytes(12)), (1, 1, None), (1, 1, bytes(11))])
def test_incomplete_entries_are_refused(entry):
    with pytest.raises(ValueError, match="12 bytes"):
        seal_segment(pl.DataFrame([entry], schema=ENTRIES, orient="row"), shard_keys(), "run-1")


def test_reprs_show_no_keys():
    assert repr(shard_keys()) == "ShardKeys()"
    assert repr(open_segments({"run-1": SEGMENT}, shard_keys())) == "KeyTable(3 entries, 0 shredded blocks)"
