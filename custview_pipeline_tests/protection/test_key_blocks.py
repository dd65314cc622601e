"""Tests of ``custview_pipeline.protection.key_blocks``: nothing of a segment can be changed, cut, moved or made up."""

import hmac
import struct
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.kernel.errors import UnsealFailed
from custview_pipeline.protection.key_blocks import OpenBlock, read_blocks
from custview_pipeline.protection.key_table import open_segments, seal_segment
from custview_pipeline_tests.protection.small_key_tables import FIRST, SEGMENT, frame, materials, shard_keys

NAME = "run-1"
OPENING = b"CVKT\x02\x00\x05run-1"
BLOCKS, HEAD_BYTES, HMAC_BYTES = 2, 37, 32  # FIRST has records of two shards
HEADS = slice(len(OPENING) + 2, len(OPENING) + 2 + BLOCKS * HEAD_BYTES)
BODIES = HEADS.stop + HMAC_BYTES
SEAL_KEY = shard_keys().seal_key
SHARD_1, SHARD_255 = 48, 24  # bytes of their bodies


def opened(segment, name=NAME, keys=None, **options):
    return open_segments({name: segment}, keys or shard_keys(), **options)


def forged(count, heads, bodies=b""):
    """Return a segment that whoever has the key of the HMAC could make."""
    head = OPENING + struct.pack(">H", count) + heads
    return head + hmac.digest(SEAL_KEY, head, "sha256") + bodies


def test_the_layout_is_the_one_that_is_documented():
    heads = [struct.unpack(">BII12s16s", SEGMENT[HEADS][at : at + HEAD_BYTES]) for at in (0, HEAD_BYTES)]

    assert SEGMENT.startswith(OPENING + b"\x00\x02")
    assert [head[:3] for head in heads] == [(1, 1, 2), (255, 1, 1)]
    assert SEGMENT[HEADS.stop : BODIES] == hmac.digest(SEAL_KEY, SEGMENT[: HEADS.stop], "sha256")
    assert len(SEGMENT) == BODIES + SHARD_1 + SHARD_255


def test_no_material_is_readable_in_a_segment():
    assert not any(material in SEGMENT for material in FIRST.values())


def test_a_segment_sealed_twice_has_nothing_in_common_but_what_is_open():
    again = seal_segment(frame(FIRST), shard_keys(), NAME)

    assert again[BODIES:] != SEGMENT[BODIES:]
    assert again[HEADS.stop - 28 : BODIES] != SEGMENT[HEADS.stop - 28 : BODIES]


@pytest.mark.parametrize("bit", range(8))
def test_every_bit_of_a_segment_counts(bit):
    for place in range(len(SEGMENT)):
        with pytest.raises(UnsealFailed):
            opened(SEGMENT[:place] + bytes([SEGMENT[place] ^ 1 << bit]) + SEGMENT[place + 1 :])


def test_a_segment_cut_anywhere_or_lengthened_does_not_open():
    for changed in [*(SEGMENT[:length] for length in range(len(SEGMENT))), SEGMENT + b"\x00", SEGMENT + SEGMENT]:
        with pytest.raises(UnsealFailed):
            opened(changed)
        with pytest.raises(UnsealFailed):
            opened(changed, shards={1})


@given(st.binary(max_size=200))
def test_bytes_of_any_origin_are_refused(blob):
    with pytest.raises(UnsealFailed):
        opened(blob)


@given(st.integers(0, 0xFFFF), st.binary(max_size=200))
def test_bytes_behind_a_true_opening_are_refused(count, rest):
    with pytest.raises(UnsealFailed):
        opened(OPENING + struct.pack(">H", count) + rest)


@given(st.integers(0, len(SEGMENT)), st.integers(0, len(SEGMENT)), st.binary(max_size=60))
def test_a_segment_with_any_part_replaced_opens_only_where_that_changed_nothing(start, end, part):
    changed = SEGMENT[:start] + part + SEGMENT[end:]
    if changed == SEGMENT:
        assert materials(opened(changed), *FIRST) == list(FIRST.values())
    else:
        with pytest.raises(UnsealFailed):
            opened(changed)


@given(
    st.lists(st.tuples(st.integers(0, 255), st.just(1), st.integers(0, 2**32 - 1)), max_size=4),
    st.integers(0, 5),
    st.binary(max_size=100),
)
def test_heads_that_lie_about_what_follows_are_refused_even_with_a_true_hmac(blocks, count, bodies):
    heads = b"".join(struct.pack(">BII28x", *block) for block in blocks)
    if count == len(blocks) == len(bodies) == 0:
        assert len(opened(forged(0, b""))) == 0
    else:
        with pytest.raises(UnsealFailed):
            opened(forged(count, heads, bodies + b"\x00"))


def test_no_forged_count_takes_memory():
    huge = struct.pack(">BII28x", 1, 1, 2**32 - 1)
    tracemalloc.start()
    try:
        for segment in (forged(0xFFFF, b""), forged(2, huge * 2), forged(1, huge, bytes(24))):
            with pytest.raises(UnsealFailed):
                opened(segment)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 1_000_000


@pytest.mark.parametrize(
    ("name", "keys"), [("run-2", shard_keys()), ("run-", shard_keys()), ("", shard_keys()), (NAME, shard_keys(seed=1))]
)
def test_a_segment_opens_only_under_its_id_and_keys(name, keys):
    with pytest.raises(UnsealFailed):
        opened(SEGMENT, name, keys)


def test_a_shard_under_a_wrong_key_of_the_same_generation_is_noticed():
    keys = shard_keys()
    wrong = type(keys)(keys.seal_key, shard_keys(seed=1).generations)

    with pytest.raises(UnsealFailed):
        opened(SEGMENT, keys=wrong)


def test_bodies_of_two_segments_cannot_be_exchanged():
    other = seal_segment(frame(FIRST), shard_keys(), NAME)

    with pytest.raises(UnsealFailed):
        opened(SEGMENT[:BODIES] + other[BODIES:])


def test_bodies_of_two_shards_cannot_be_exchanged():
    entries = {(1, 1): b"material 1.1", (-1, 1): b"material-1.1"}
    segment = seal_segment(frame(entries), shard_keys(), NAME)

    with pytest.raises(UnsealFailed):
        opened(segment[:BODIES] + segment[BODIES + 24 :] + segment[BODIES : BODIES + 24])


def test_of_the_shards_not_asked_for_nothing_is_read():
    altered = SEGMENT[: BODIES + SHARD_1] + bytes(SHARD_255)

    assert materials(opened(altered, shards={1}), (1, 1), (-1, 1)) == [b"material 1.1", None]
    with pytest.raises(UnsealFailed):
        opened(altered, shards={255})


def test_blocks_are_told_without_their_keys():
    block = OpenBlock(3, 4, b"a key of thirty-two bytes, really", memoryview(b"material"))

    assert repr(block) == "OpenBlock(shard=3, generation=4)"
    assert [(each.shard, each.generation) for each in read_blocks(SEGMENT, SEAL_KEY, NAME)] == [(1, 1), (255, 1)]
