"""Tests of ``custview_pipeline.ingestion.deletion_flags``."""

import polars as pl
import pytest

from custview_pipeline.ingestion.deletion_flags import are_deleted


@pytest.mark.parametrize(
    "word", ["true", "True", "TRUE", "t", "1", "y", "Y", "yes", " Yes ", "x", "X", "d", "D", "delete", "DELETED", "是", "已删除"]
)
def test_a_word_that_says_yes_deletes(word):
    assert are_deleted(pl.Series([word])).to_list() == [True]


@pytest.mark.parametrize("word", [None, "", " ", "false", "f", "0", "n", "no", "u", "insert", "i", "active", "否", "10", "dd"])
def test_anything_else_does_not(word):
    assert are_deleted(pl.Series([word], dtype=pl.String)).to_list() == [False]


def test_nothing_is_deleted_of_nothing():
    assert are_deleted(pl.Series([], dtype=pl.String)).to_list() == []
