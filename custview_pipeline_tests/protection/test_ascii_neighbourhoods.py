"""Tests of ``custview_pipeline.protection.ascii_neighbourhoods``: the quick way makes the keys that the plain one makes."""

import string

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.protection.ascii_neighbourhoods import ascii_keys
from custview_pipeline.protection.cmac import Cmac
from custview_pipeline.protection.neighbourhood_keys import text_keys
from custview_pipeline.protection.neighbourhoods import LONGEST

MAC = Cmac(bytes(range(32)))


def listed(keys):
    return sorted(zip(keys.positions.tolist(), keys.keys.tolist(), keys.parts.tolist(), strict=True))


def assert_quick_is_exact(values):
    series = pl.Series(values, dtype=pl.String)
    assert listed(ascii_keys(MAC, series)) == listed(text_keys(MAC, series))


@pytest.mark.parametrize("length", range(1, LONGEST + 1))
def test_one_value_of_each_length_has_the_keys_of_any_text(length):
    assert_quick_is_exact([(string.ascii_lowercase * 2)[:length]])


def test_values_of_every_length_together_have_the_keys_of_any_text():
    assert_quick_is_exact([("aabbcdefgh 0123456789" * 2)[:length] for length in range(1, LONGEST + 1)])


@given(st.lists(st.text(st.characters(max_codepoint=127), min_size=1, max_size=LONGEST), max_size=20))
def test_ascii_values_have_the_keys_of_any_text(values):
    assert_quick_is_exact(values)


def test_more_values_than_are_keyed_at_once_are_all_keyed():
    assert_quick_is_exact([f"{number:05}" for number in range(9_000)])
