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
# Latin, combining marks, Han with a character beyond the first plane, Arabic, an emoji of several code points, controls.
SCRIPTS = [
    "Ada Király ",
    "e\u0301o\u0308",
    "李雷\U00020000",
    "محمد علي",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\x00\x7f",
]


def scalar(value, key=KEY):
    mac = CMAC(algorithms.AES256(key))
    mac.update(value)
    return mac.finalize()


def macs(series):
    return [row.tobytes() for row in Cmac(KEY).of_series(series)]


def test_every_length_up_to_200_gives_what_the_library_gives():
    values = [bytes((7 * at + length) % 256 for at in range(length)) for length in range(201)]

    assert macs(pl.Series(values, dtype=pl.Binary)) == [scalar(value) for value in values]


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_count_of_characters_gives_what_the_library_gives(script):
    values = [(script * 200)[:count] for count in range(201)]

    assert macs(pl.Series(values)) == [scalar(value.encode()) for value in values]


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
