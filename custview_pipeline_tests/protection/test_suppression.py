"""Tests of ``custview_pipeline.protection.suppression``."""

import polars as pl
import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.protection.derivation import derive_key
from custview_pipeline.protection.suppression import customer_marks, suppression_marks

ID_KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))
IDS = st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20)


def marks(ids, key=ID_KEY):
    return suppression_marks(key, pl.Series(ids, dtype=pl.Int64)).to_list()


@given(IDS)
def test_a_mark_is_the_cmac_of_the_id_under_a_key_of_its_own(ids):
    def expected(record_id):
        mac = CMAC(AES256(derive_key(ID_KEY, "suppression_mark")))
        mac.update(record_id.to_bytes(8, "little", signed=True))
        return int.from_bytes(mac.finalize()[:8], "little", signed=True)

    assert marks(ids) == [expected(record_id) for record_id in ids]


def test_equal_ids_have_equal_marks_and_a_missing_id_has_none():
    one, none, two, again = marks([7, None, 8, 7])
    assert none is None
    assert one == again != two


def test_marks_are_neither_ids_nor_those_of_another_key():
    ids = list(range(100))
    assert set(marks(ids)).isdisjoint(ids)
    assert set(marks(ids)).isdisjoint(marks(ids, OTHER_KEY))


@pytest.mark.parametrize("dtype", [pl.Int64, pl.Int32])
def test_no_ids_have_no_marks(dtype):
    found = suppression_marks(ID_KEY, pl.Series([], dtype=dtype))
    assert (found.dtype, len(found), found.name) == (pl.Int64, 0, "mark")


def test_customers_have_marks_of_their_own():
    cuids = pl.Series(["CU4F2K9Q7M1XYZ0ABCD", None, "CU4F2K9Q7M1XYZ0ABCE"])
    one, none, two = customer_marks(ID_KEY, cuids)
    assert none is None
    assert one != two
    assert customer_marks(OTHER_KEY, cuids)[0] != one
