"""Tests of ``custview_pipeline.protection.key_holder``: no key leaves an object by its repr, a copy or a pickle."""

import copy
import logging
import pickle
import re

import polars as pl
import pytest

from custview_pipeline.kernel.errors import UnsealFailed
from custview_pipeline.protection.aes import AesBlocks
from custview_pipeline.protection.cmac import Cmac
from custview_pipeline.protection.key_table import open_segments
from custview_pipeline.protection.tokens import Tokeniser
from custview_pipeline.protection.vault import Place, Rows, Sealed, Vault
from custview_pipeline.protection.xaes import XaesKey
from custview_pipeline_tests.protection.small_key_tables import SEGMENT, shard_keys

KEY = b"0123456789abcdefghijklmnopqrstuv"
HOLDERS = {
    "AesBlocks(...)": AesBlocks(KEY),
    "Cmac(...)": Cmac(KEY),
    "XaesKey(...)": XaesKey(KEY),
    "Tokeniser(token_version=4)": Tokeniser(KEY, 4),
    "Vault(current=4)": Vault({4: KEY}, 4),
    "ShardKeys()": type(shard_keys())(KEY, ({1: KEY},) * 256),
    "KeyTable(3 entries)": open_segments({"run-1": SEGMENT}, shard_keys()),
}
PLACE = Place("protected_records", 1)
ROWS = Rows(pl.Series([1], dtype=pl.Int64), pl.Series([1], dtype=pl.Int32))


@pytest.mark.parametrize("shown", HOLDERS)
def test_reprs_show_no_key(shown):
    assert repr(HOLDERS[shown]) == str(HOLDERS[shown]) == f"{HOLDERS[shown]}" == shown


@pytest.mark.parametrize("shown", HOLDERS)
@pytest.mark.parametrize("leave", [pickle.dumps, copy.copy, copy.deepcopy])
def test_holders_of_keys_are_neither_pickled_nor_copied(shown, leave):
    with pytest.raises(TypeError, match=re.escape(f"{type(HOLDERS[shown]).__name__} holds keys")):
        leave(HOLDERS[shown])


def test_what_was_sealed_is_told_by_its_length_alone():
    sealed = Vault({1: KEY}, 1).seal(PLACE, ROWS, pl.Series(["ada@example.org"]))

    assert repr(sealed) == f"{sealed}" == "Sealed(1 rows)"


def test_a_failure_tells_neither_key_nor_material_nor_text(caplog):
    vault, text, other_material = Vault({1: KEY}, 1), "ada@example.org", bytes(range(65, 77))
    sealed = vault.seal(PLACE, ROWS, pl.Series([text]))
    wrong = Sealed(sealed.blobs, pl.Series([other_material]))
    with pytest.raises(UnsealFailed) as failure:
        vault.unseal(PLACE, ROWS, wrong)
    logging.getLogger(__name__).error("failed", exc_info=failure.value)

    assert failure.value.__cause__ is None
    assert "UnsealFailed" in caplog.text
    for secret in (KEY.decode(), other_material.decode(), text):
        assert secret not in caplog.text
