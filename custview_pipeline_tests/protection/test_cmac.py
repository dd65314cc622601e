"""Tests of ``custview_pipeline.protection.cmac``."""

import numpy as np
import polars as pl
import pytest
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.protection.cmac import Cmac

KEY = bytes(range(32))
NIST_KEY = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
NIST_MESSAGE = bytes.fromhex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)


def scalar(value, key=KEY):
    mac = CMAC(algorithms.AES256(key))
    mac.update(value)
    return mac.finalize()


def macs(series):
    return [row.tobytes() for row in Cmac(KEY).of_series(series)]


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (0, "028962f61b7bf89efc6b551f4667d983"),
        (16, "28a7023f452e8f82bd4bf28d8c37c35c"),
        (40, "aaf3d8f1de5640c232f5b169b9c911e6"),
        (64, "e1992190549f6ed5696a2c056c315410"),
    ],
)
def test_the_examples_of_nist_sp_800_38b_for_aes_256_hold(length, expected):
    assert Cmac(NIST_KEY).of_bytes(NIST_MESSAGE[:length]).hex() == expected


def test_every_length_up_to_200_gives_what_the_library_gives():
    values = [bytes((7 * at + length) % 256 for at in range(length)) for length in range(201)]

    assert macs(pl.Series(values, dtype=pl.Binary)) == [scalar(value) for value in values]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_any_script_gives_what_the_library_gives(values):
    assert macs(pl.Series(values, dtype=pl.String)) == [scalar(value.encode()) for value in values]


def test_a_null_counts_as_empty_and_a_slice_as_itself():
    values = pl.Series(["left out", "first", None, "a value of more than one block"])

    assert macs(values[1:]) == [scalar(value) for value in (b"first", b"", b"a value of more than one block")]


def test_columns_of_several_chunks_are_whole():
    values = pl.Series([f"value {number}" for number in range(40_000)])
    found = Cmac(KEY).of_series(values)

    for place in (0, 16_383, 16_384, 32_768, 39_999):
        assert found[place].tobytes() == scalar(values[place].encode())


def test_rows_of_a_matrix_are_values():
    matrix = np.arange(60, dtype=np.uint8).reshape(3, 20)

    assert [row.tobytes() for row in Cmac(KEY).of_rows(matrix)] == [scalar(row.tobytes()) for row in matrix]


def test_no_values_give_no_macs():
    assert len(Cmac(KEY).of_series(pl.Series([], dtype=pl.String))) == 0
    assert len(Cmac(KEY).of_rows(np.empty((0, 5), np.uint8))) == 0


def test_the_repr_shows_no_key():
    assert repr(Cmac(KEY)) == "Cmac(...)"
