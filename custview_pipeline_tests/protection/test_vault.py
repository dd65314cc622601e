"""Tests of ``custview_pipeline.protection.vault``; the layout of a blob is in ``test_vault_envelope``."""

import multiprocessing
import os

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.kernel.errors import UnsealFailed
from custview_pipeline.protection.vault import Place, Rows, Sealed, Vault

KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))
PLACE = Place("protected_records", 1)
TEXTS = [b"ada@example.org", b"", "李雷".encode(), b"x" * 5_000]
WORKERS, ROWS_A_WORKER = 8, 25_000
NONCE_BYTES = 24


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


def test_more_rows_than_are_worked_on_at_once_are_whole():
    values = binary([str(number).encode() * (number % 7) for number in range(40_000)])
    sealed = a_vault().seal(PLACE, rows(len(values)), values)

    assert a_vault().unseal(PLACE, rows(len(values)), sealed).equals(values)


def test_a_part_of_a_column_can_be_sealed_and_read():
    sealed = a_vault().seal(PLACE, rows(2), binary([b"left out", b"one", b"two"])[1:])
    later = Sealed(sealed.blobs[1:], sealed.materials[1:])

    assert a_vault().unseal(PLACE, Rows(*(column[1:] for column in rows(2))), later).to_list() == [b"two"]


def test_neither_the_text_nor_the_material_is_in_the_blob(sealed):
    assert TEXTS[0] not in sealed.blobs[0]
    assert sealed.materials[0] not in sealed.blobs[0]


def test_a_record_without_material_is_null(sealed):
    shredded = Sealed(sealed.blobs, sealed.materials.set(pl.Series([False, True, False, True]), None))

    assert a_vault().unseal(PLACE, rows(4), shredded).to_list() == [TEXTS[0], None, TEXTS[2], None]


def swapped(column):
    """Return the first two values in each other's place."""
    return pl.concat([column[1:2], column[:1], column[2:]])


@pytest.mark.parametrize(
    ("place", "moved_rows", "moved"),
    [
        (PLACE, rows(4), lambda sealed: sealed._replace(blobs=swapped(sealed.blobs))),
        (PLACE, rows(4), lambda sealed: sealed._replace(materials=swapped(sealed.materials))),
        (PLACE, rows(4), lambda sealed: Sealed(*(swapped(column) for column in sealed))),
        (PLACE, Rows(swapped(rows(4).record_ids), rows(4).versions), None),
        (PLACE, Rows(rows(4).record_ids, pl.Series([3, 3, 3, 4], dtype=pl.Int32)), None),
        (Place("quarantined_records", 1), rows(4), None),
        (Place("protected_records", 2), rows(4), None),
        (Place("protected_records1", 1), rows(4), None),
    ],
    ids=["blobs", "materials", "whole rows", "record ids", "a version", "table", "schema version", "bytes of table and schema"],
)
def test_what_was_moved_elsewhere_does_not_open(sealed, place, moved_rows, moved):
    with pytest.raises(UnsealFailed):
        a_vault().unseal(place, moved_rows, moved(sealed) if moved else sealed)


def test_columns_of_two_tables_do_not_open_in_each_others_place():
    quarantine = Place("quarantined_records", 1)
    first, second = (a_vault().seal(place, rows(4), binary(TEXTS)) for place in (PLACE, quarantine))

    for place, sealed in ((PLACE, second), (quarantine, first)):
        with pytest.raises(UnsealFailed):
            a_vault().unseal(place, rows(4), sealed)


@pytest.mark.parametrize(
    ("vault", "material"),
    [(Vault({1: OTHER_KEY}, 1), None), (Vault({2: KEY}, 2), None), (a_vault(), bytes(12)), (a_vault(), b"short")],
    ids=["another key", "an unknown key version", "another material", "material of another length"],
)
def test_the_reasons_of_a_failure_are_not_told_apart(sealed, vault, material):
    materials = sealed.materials if material is None else binary([material, *sealed.materials[1:]])

    with pytest.raises(UnsealFailed, match=r"^cannot unseal: wrong key, wrong place, or altered ciphertext$") as failure:
        vault.unseal(PLACE, rows(4), Sealed(sealed.blobs, materials))
    assert failure.value.__cause__ is None


def test_blobs_of_two_keys_open_together_while_keys_rotate(sealed):
    rotated = Vault({1: KEY, 258: OTHER_KEY}, 258)
    newer = rotated.seal(PLACE, rows(4), binary(TEXTS))
    both = Sealed(*(pl.concat([old, new]) for old, new in zip(sealed, newer, strict=True)))
    twice = Rows(*(pl.concat([column, column]) for column in rows(4)))

    assert newer.blobs[0][2:4] == b"\x01\x02"
    assert rotated.unseal(PLACE, twice, both).to_list() == TEXTS * 2


def nonces_of_a_worker(_):
    sealed = a_vault().seal(PLACE, rows(ROWS_A_WORKER), binary([b""] * ROWS_A_WORKER))
    halves = (np.frombuffer(b"".join(column), np.uint8).reshape(ROWS_A_WORKER, -1) for column in sealed)
    blobs, materials = halves
    return np.hstack([materials, blobs[:, 4:16]]).tobytes()


@pytest.mark.slow  # processes are spawned, as workers of the airlock are: polars does not live through a fork
def test_no_half_of_a_nonce_repeats_over_processes():
    before = nonces_of_a_worker(None)
    with multiprocessing.get_context("spawn").Pool(WORKERS) as pool:
        found = pool.map_async(nonces_of_a_worker, range(WORKERS), chunksize=1).get(timeout=120)
    nonces = np.frombuffer(b"".join([before, *found]), f"V{NONCE_BYTES}").tolist()

    assert len(nonces) == (WORKERS + 1) * ROWS_A_WORKER
    assert len(set(nonces)) == len({nonce[:12] for nonce in nonces}) == len({nonce[12:] for nonce in nonces}) == len(nonces)


def test_randomness_is_asked_for_at_every_call(monkeypatch):
    asked = []
    monkeypatch.setattr(os, "urandom", lambda count: asked.append(count) or bytes(count))
    for count in (3, 0, 2):
        a_vault().seal(PLACE, rows(count), binary([b""] * count))

    assert asked == [3 * NONCE_BYTES, 0, 2 * NONCE_BYTES]


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
