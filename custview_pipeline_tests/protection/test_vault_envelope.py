"""Tests of the layout of a sealed blob: nothing of it can be changed, cut or made up."""

import struct

import polars as pl
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.kernel.errors import UnsealFailed
from custview_pipeline.protection.vault import Place, Rows, Sealed, Vault
from custview_pipeline_tests.protection.test_xaes import derived

KEY = bytes(range(32))
PLACE = Place("protected_records", 7)
RECORD_ID, VERSION = -5, 3
TEXT = b"ada@example.org"
HEADER = b"\x01\x01\x00\x09"  # layout, algorithm, version 9 of the vault key
ROWS = Rows(pl.Series([RECORD_ID], dtype=pl.Int64), pl.Series([VERSION], dtype=pl.Int32))


def a_vault():
    return Vault({9: KEY}, 9)


def opened(blob, material, vault=None):
    columns = (pl.Series([value], dtype=pl.Binary) for value in (blob, material))
    return (vault or a_vault()).unseal(PLACE, ROWS, Sealed(*columns))[0]


SEALED = a_vault().seal(PLACE, ROWS, pl.Series([TEXT], dtype=pl.Binary))
BLOB, MATERIAL = SEALED.blobs[0], SEALED.materials[0]


def test_the_layout_is_the_one_that_is_documented():
    table = PLACE.table.encode()
    told = HEADER + struct.pack(">I", len(table)) + table + struct.pack(">I", 1) + b"7" + struct.pack(">qi", RECORD_ID, VERSION)
    key = derived(KEY, MATERIAL)

    assert BLOB[:4] == HEADER
    assert AESGCM(key).decrypt(BLOB[4:16], BLOB[16:], told) == TEXT
    assert opened(HEADER + bytes(12) + AESGCM(key).encrypt(bytes(12), b"made elsewhere", told), MATERIAL) == b"made elsewhere"


@pytest.mark.parametrize("bit", range(8))
def test_every_bit_of_a_blob_and_of_its_material_counts(bit):
    for place in range(len(BLOB)):
        with pytest.raises(UnsealFailed):
            opened(BLOB[:place] + bytes([BLOB[place] ^ 1 << bit]) + BLOB[place + 1 :], MATERIAL)
    for place in range(len(MATERIAL)):
        with pytest.raises(UnsealFailed):
            opened(BLOB, MATERIAL[:place] + bytes([MATERIAL[place] ^ 1 << bit]) + MATERIAL[place + 1 :])


@pytest.mark.parametrize("length", range(len(BLOB)))
def test_a_blob_cut_anywhere_does_not_open(length):
    with pytest.raises(UnsealFailed):
        opened(BLOB[:length], MATERIAL)


@pytest.mark.parametrize("added", [b"\x00", b"x" * 16, BLOB], ids=["a zero", "a block", "itself"])
def test_a_blob_with_something_added_does_not_open(added):
    for changed in (BLOB + added, added + BLOB, BLOB[:16] + added + BLOB[16:]):
        with pytest.raises(UnsealFailed):
            opened(changed, MATERIAL)


def test_a_header_naming_another_key_does_not_open_even_where_both_keys_are_equal():
    both = Vault({9: KEY, 2: KEY}, 2)

    assert opened(BLOB, MATERIAL, both) == TEXT
    with pytest.raises(UnsealFailed):
        opened(BLOB[:3] + b"\x02" + BLOB[4:], MATERIAL, both)


@given(st.binary(max_size=80), st.binary(max_size=16))
def test_bytes_of_any_origin_are_refused(blob, material):
    with pytest.raises(UnsealFailed):
        opened(blob, material)


@given(st.binary(max_size=60), st.binary(min_size=12, max_size=12))
def test_bytes_behind_a_true_header_are_refused(rest, material):
    with pytest.raises(UnsealFailed):
        opened(HEADER + rest, material)


@given(st.integers(0, len(BLOB)), st.integers(0, len(BLOB)), st.binary(max_size=40))
def test_a_blob_with_any_part_replaced_opens_only_where_that_changed_nothing(start, end, part):
    changed = BLOB[:start] + part + BLOB[end:]
    if changed == BLOB:
        assert opened(changed, MATERIAL) == TEXT
    else:
        with pytest.raises(UnsealFailed):
            opened(changed, MATERIAL)


def test_one_bad_blob_among_many_opens_none():
    rows = Rows(pl.Series([1, 2], dtype=pl.Int64), pl.Series([1, 1], dtype=pl.Int32))
    sealed = a_vault().seal(PLACE, rows, pl.Series([TEXT, TEXT], dtype=pl.Binary))
    cut = pl.Series([sealed.blobs[0], sealed.blobs[1][:-1]], dtype=pl.Binary)

    with pytest.raises(UnsealFailed):
        a_vault().unseal(PLACE, rows, Sealed(cut, sealed.materials))
