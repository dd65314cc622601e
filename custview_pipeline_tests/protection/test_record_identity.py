"""Tests of ``custview_pipeline.protection.record_identity``."""

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_37_36

from custview_pipeline.kernel.identifiers import is_cuid
from custview_pipeline.protection.record_identity import (
    content_digests,
    cuids,
    key_tokens,
    keyed_fingerprint,
    record_ids,
    source_keys,
)

KEY, OTHER_KEY = bytes(range(32)), bytes(32)
# What these derivations gave when they were first released; a change would give every record and customer another id.
RECORD_ID, CUID, DIGEST = -3621709752286087684, "CUQMMMAJHQKC6SMNR08", 6815936833837857655
KEY_TOKEN = "3808236907784822976"

cells = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


def digest(**row):
    return content_digests(KEY, pl.DataFrame([row], schema=dict.fromkeys(row, pl.String)))[0]


def test_a_record_id_depends_on_source_and_key_and_on_nothing_else():
    keys = pl.Series(["1", "2", "1", None])
    first, second, third, missing = record_ids(KEY, "crm", keys)

    assert first == third != second
    assert missing is None
    assert first != record_ids(KEY, "billing", keys)[0]
    assert first != record_ids(OTHER_KEY, "crm", keys)[0]


def test_the_token_of_a_key_is_for_life_and_neither_the_key_nor_the_record_id():
    keys = pl.Series("source_key", ["customer-1", None])
    tokens = key_tokens(KEY, "crm", keys)

    assert tokens.to_list() == [KEY_TOKEN, None]
    assert int(KEY_TOKEN) != RECORD_ID
    assert key_tokens(KEY, "billing", keys)[0] != KEY_TOKEN != key_tokens(OTHER_KEY, "crm", keys)[0]


@pytest.mark.parametrize(
    ("cell", "key"),
    [
        (" A  1\t", "A  1"), ("A 1", "A 1"), ("\u3000Ａ3", "Ａ3"), ("e\u0301", "e\u0301"), ("a\u200bb", "a\u200bb"), ("0", "0"),
        ("X" * 2100, "X" * 2100), (None, None), ("", None), (" \n", None), ("\u200b", None), ("\ufeff\u00a0\u2060", None),
        ("\x01\x7f", None), ("\u3164\ufe0f", None), ("\u0301", "\u0301"),
    ],
)  # fmt: skip
def test_a_key_is_the_trimmed_cell_and_none_where_nothing_is_seen(cell, key):
    assert source_keys(pl.Series([cell], dtype=pl.String)).to_list() == [key]


@given(st.lists(cells, max_size=5))
def test_a_key_of_a_key_is_itself(column):
    keys = source_keys(pl.Series(column, dtype=pl.String))

    assert source_keys(keys).to_list() == keys.to_list()


def test_a_fingerprint_is_told_under_a_key_only():
    told = {keyed_fingerprint(key, plain) for key in (KEY, OTHER_KEY) for plain in ("ab" * 32, "cd" * 32)}

    assert len(told) == 4
    assert {len(each) for each in told} == {32}
    assert keyed_fingerprint(KEY, "ab" * 32) in told


def test_record_ids_are_for_life():
    assert record_ids(KEY, "crm", pl.Series(["customer-1"])).to_list() == [RECORD_ID]
    assert cuids(KEY, pl.Series([1])).to_list() == [CUID]
    assert digest(name="Ada", phone=None) == DIGEST


def test_a_record_that_founds_a_second_customer_gives_it_another_id():
    first, second = cuids(KEY, pl.Series([1, 1]), generations=pl.Series([0, 1]))

    assert first == CUID
    assert second != CUID
    assert is_cuid(second)


@given(cells, cells, cells, cells)
def test_rows_with_other_values_have_other_digests(a, b, c, d):
    assume((a, b) != (c, d))

    assert digest(name=a, phone=b) != digest(name=c, phone=d)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"a": None}, {"a": ""}),
        ({"a": "1:x", "b": ""}, {"a": "", "b": "1:x"}),
        ({"a": "x-", "b": "y"}, {"a": "x", "b": "-y"}),
        ({"a": "x"}, {"b": "x"}),
    ],
)
def test_digests_are_unambiguous(left, right):
    assert digest(**left) != digest(**right)


def test_the_order_of_columns_does_not_matter():
    assert digest(name="Ada", phone="1") == digest(phone="1", name="Ada")


def test_a_digest_of_no_columns_is_refused():
    with pytest.raises(ValueError, match="at least one column"):
        content_digests(KEY, pl.DataFrame())


@given(st.lists(st.integers(-(2**63), 2**63 - 1), unique=True, max_size=20))
def test_cuids_are_valid_and_distinct(founders):
    found = cuids(KEY, pl.Series(founders, dtype=pl.Int64)).to_list()

    assert len(set(found)) == len(founders)
    assert all(is_cuid(cuid) and mod_37_36.is_valid(cuid[2:]) for cuid in found)


def test_a_cuid_needs_a_record():
    with pytest.raises(ValueError, match="record id"):
        cuids(KEY, pl.Series([None], dtype=pl.Int64))
