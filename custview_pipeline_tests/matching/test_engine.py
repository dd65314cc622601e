"""Tests of ``custview_pipeline.matching.engine``."""

import polars as pl
import pytest

from custview_pipeline.kernel.errors import PairBudgetExceeded, Redacted
from custview_pipeline.matching.engine import Engine

SECRET = "marlowe-7431"


@pytest.fixture
def engine():
    with Engine(threads=1, memory_gib=0.5) as opened:
        yield opened


def test_a_frame_goes_in_and_comes_out(engine):
    frame = pl.DataFrame({"token": [3, None], "tokens": [[1, 2], []], "is_valid": [True, None]})
    engine.load("records", frame)

    assert engine.frame("select * from records").equals(frame)
    assert engine.rows("select count(*), count(token) from records") == [(2, 1)]
    assert engine.value("select max(token) from records") == 3
    assert engine.arrays("select token from records where token is not null")["token"].tolist() == [3]


def test_a_table_is_replaced_by_loading_it_again(engine):
    engine.load("records", pl.DataFrame({"token": [1, 2]}))
    engine.load("records", pl.DataFrame({"name": ["a"]}))

    assert engine.rows("select * from records") == [("a",)]


@pytest.mark.parametrize("ask", ["run", "rows", "value", "arrays", "frame"])
def test_errors_of_the_engine_quote_nothing(engine, ask):
    with pytest.raises(Redacted) as failed:
        getattr(engine, ask)(f"select '{SECRET}'::integer")

    assert "ConversionException" in str(failed.value)
    assert SECRET not in str(failed.value)
    assert failed.value.__suppress_context__


@pytest.mark.parametrize("ask", ["run", "frame"])
def test_want_of_memory_names_the_settings_that_help(ask):
    with Engine(threads=1, memory_gib=0.02) as small, pytest.raises(PairBudgetExceeded, match="pair_budget"):
        getattr(small, ask)("create table numbers as select range i, hash(range) h from range(20000000) order by h")


def test_nothing_is_spilled_to_a_disk(engine):
    assert engine.value("select current_setting('temp_directory')") == ""
