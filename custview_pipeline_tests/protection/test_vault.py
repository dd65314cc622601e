"""Tests of ``custview_pipeline.protection.vault``."""

import multiprocessing

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.kernel.errors import UnsealFailed
from custview_pipeline.protection.vault import Place, Rows, Sealed, Vault

KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))
PLACE = Place("protected_records", 1)
TEXTS = [b"ada@example.org", b"", "李雷".encode(), b"x" * 5_000]


def rows(count, first_id=-1):
    return Rows(pl.Series(range(first_id, first_id + count), dtype=pl.Int64), pl.Series([3] * count, dtype=pl.Int32))


def binary(values):
    return pl.Series(values, dtype=pl.Binary)


def a_vault():
    return Vault({1: KEY}, 1)


@pytest.fixture
def sealed():
    return a_vault().seal(PLACE, rows(4), binary(TEXTS))


@given(st.lists(st.binary(max_size=100)))
def test_what_is_sealed_can_be_read_back(values):
    sealed = a_vault().seal(PLACE, rows(len(values)), binary(values))

    assert a_vault().unseal(PLACE, rows(len(values)), sealed).to_list() == values


def test_text_is_sealed_as_utf_8():
    sealed = a_vault().seal(PLACE, rows(1), pl.Series(["李雷"]))

    assert a_vault().unseal(PLACE, rows(1), sealed)[0].decode() == "李雷"


def test_one_record_can_be_read_alone(sealed):
    assert a_vault().unseal_one(PLACE, (1, 3), sealed.blobs[2], sealed.materials[2]) == TEXTS[2]


def test_a_part_of_a_column_can_be_sealed_and_read():
    sealed = a_vault().seal(PLACE, rows(2), binary([b"left out", b"one", b"two"])[1:])
    later = Sealed(sealed.blobs[1:], sealed.materials[1:])

    assert a_vault().unseal(PLACE, Rows(*(column[1:] for column in rows(2))), later).to_list() == [b"two"]


def test_a_blob_starts_with_its_header(sealed):
    assert {blob[:4] for blob in sealed.blobs} == {b"\x01\x01\x00\x01"}


def test_neither_the_text_nor_the_material_is_in_the_blob(sealed):
    assert TEXTS[0] not in sealed.blobs[0]
    assert sealed.materials[0] not in sealed.blobs[0]


def test_a_record_without_material_is_null(sealed):
    shredded = Sealed(sealed.blobs, sealed.materials.set(pl.Series([False, True, False, True]), None))

    assert a_vault().unseal(PLACE, rows(4), shredded).to_list() == [TEXTS[0], None, TEXTS[2], None]


def test_any_changed_byte_is_noticed(sealed):
    blob, material = sealed.blobs[0], sealed.materials[0]
    for place in range(len(blob)):
        altered = blob[:place] + bytes([blob[place] ^ 1]) + blob[place + 1 :]
        with pytest.raises(UnsealFailed):
            a_vault().unseal_one(PLACE, (-1, 3), altered, material)


@pytest.mark.parametrize("length", range(31))
def test_a_truncated_blob_is_noticed(sealed, length):
    with pytest.raises(UnsealFailed):
        a_vault().unseal_one(PLACE, (-1, 3), sealed.blobs[0][:length], sealed.materials[0])


@pytest.mark.parametrize(
    ("place", "record"),
    [
        (Place("quarantined_records", 1), (-1, 3)),
        (Place("protected_records", 2), (-1, 3)),
        (PLACE, (0, 3)),
        (PLACE, (-1, 4)),
    ],
    ids=["another table", "another schema version", "another record", "another version"],
)
def test_a_blob_opens_only_in_its_place(sealed, place, record):
    with pytest.raises(UnsealFailed):
        a_vault().unseal_one(place, record, sealed.blobs[0], sealed.materials[0])


@pytest.mark.parametrize("swapped", ["blobs", "materials"])
def test_swapped_rows_do_not_open(sealed, swapped):
    moved = sealed._replace(**{swapped: getattr(sealed, swapped).reverse()})

    with pytest.raises(UnsealFailed):
        a_vault().unseal(PLACE, rows(4), moved)


@pytest.mark.parametrize(
    ("vault", "material"),
    [(Vault({1: OTHER_KEY}, 1), None), (Vault({2: KEY}, 2), None), (a_vault(), bytes(12)), (a_vault(), b"short")],
    ids=["another key", "an unknown key version", "another material", "material of another length"],
)
def test_the_reasons_of_a_failure_are_not_told_apart(sealed, vault, material):
    with pytest.raises(UnsealFailed, match=r"^cannot unseal: wrong key, wrong place, or altered ciphertext$"):
        vault.unseal_one(PLACE, (-1, 3), sealed.blobs[0], material or sealed.materials[0])


def test_a_header_naming_another_key_does_not_open_even_where_both_keys_are_equal(sealed):
    renamed = sealed.blobs[0][:3] + b"\x02" + sealed.blobs[0][4:]

    with pytest.raises(UnsealFailed):
        Vault({1: KEY, 2: KEY}, 2).unseal_one(PLACE, (-1, 3), renamed, sealed.materials[0])


def test_blobs_of_two_keys_open_together_while_keys_rotate(sealed):
    rotated = Vault({1: KEY, 258: OTHER_KEY}, 258)
    newer = rotated.seal(PLACE, rows(4), binary(TEXTS))
    both = Sealed(*(pl.concat([old, new]) for old, new in zip(sealed, newer, strict=True)))
    twice = Rows(*(pl.concat([column, column]) for column in rows(4)))

    assert newer.blobs[0][2:4] == b"\x01\x02"
    assert rotated.unseal(PLACE, twice, both).to_list() == TEXTS * 2


def nonces(vault):
    sealed = vault.seal(PLACE, rows(1_000), binary([b""] * 1_000))
    return [material + blob[4:16] for material, blob in zip(sealed.materials, sealed.blobs, strict=True)]


def nonces_of_a_worker(_):
    return nonces(a_vault())


def test_nonces_never_repeat_over_calls_and_processes():
    with multiprocessing.get_context("forkserver").Pool(2) as pool:
        calls = [*pool.map(nonces_of_a_worker, range(2)), nonces(a_vault()), nonces(a_vault())]
    found = [nonce for call in calls for nonce in call]

    assert len({nonce[:12] for nonce in found}) == len({nonce[12:] for nonce in found}) == 4_000


@pytest.mark.parametrize(
    ("given_rows", "values"),
    [(rows(2), binary([b"one"])), (rows(1), binary([None])), (Rows(pl.Series([None]), pl.Series([1])), binary([b"one"]))],
    ids=["lengths", "no plaintext", "no record id"],
)
def test_columns_that_do_not_fit_are_refused(given_rows, values):
    with pytest.raises(ValueError, match="must"):
        a_vault().seal(PLACE, given_rows, values)


@pytest.mark.parametrize(("keys", "current"), [({1: KEY}, 2), ({0: KEY}, 0), ({65_536: KEY}, 65_536)])
def test_key_versions_that_no_header_can_name_are_refused(keys, current):
    with pytest.raises(ValueError, match="16 bits"):
        Vault(keys, current)


def test_the_repr_shows_no_key():
    assert repr(a_vault()) == "Vault(current=1)"
