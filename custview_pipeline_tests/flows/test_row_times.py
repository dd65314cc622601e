"""Tests of ``custview_pipeline.flows.row_times``."""

from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.contracts.source_contract import SourceColumn
from custview_pipeline.flows.row_times import updated_at
from custview_pipeline.standardisation.standardise import standardise
from custview_pipeline_tests.factories import source_contract

TODAY = date(2026, 6, 1)
CELLS = [
    None, "", " ", "n/a", "2026-05-01T08:00:00Z", "2026-05-01 08:00:00.123456+02:00", "03/04/2026 10:00", "13/04/2026", "2026-05",
    "9999-12-31", "1900-01-01", "2026-06-02T23:59:59Z", "2026-06-03T00:00:01Z", "1779609600", "1779609600000", "46000.5",
    "nonsense", "２０２６-05-01", "2026年5月1日", "\u200b2026-05-01", "2026-05-01T08:00:00+14:00", "20260501083000",
]  # fmt: skip


def both_ways(contract, raw, region):
    said = updated_at(raw, contract, region=region, today=TODAY)
    return said.to_list(), standardise(raw, contract, region=region, today=TODAY).records["updated_at"].to_list()


@pytest.mark.parametrize("region", ["US", "DE", "CN"])
@pytest.mark.parametrize("date_format", [None, "%d.%m.%Y %H:%M", "%Y-%m-%dT%H:%M:%S%z"])
def test_times_are_those_that_standardising_reads(region, date_format):
    contract = source_contract("crm")
    columns = (*contract.columns, SourceColumn("when", "updated_at", date_format=date_format), SourceColumn("or", "updated_at"))
    keys = [str(number) for number in range(len(CELLS))]
    raw = pl.DataFrame({"source_key": keys, "when": CELLS, "or": CELLS[::-1]})
    said, standardised = both_ways(replace(contract, columns=columns), raw, region)
    assert said == standardised
    assert any(said)


@settings(max_examples=10)
@given(st.lists(st.sampled_from(CELLS) | st.datetimes().map(str), max_size=8))
def test_whatever_the_cells_are(cells):
    schema = {"source_key": pl.String, "updated_at": pl.String}
    raw = pl.DataFrame({"source_key": ["k"] * len(cells), "updated_at": cells}, schema=schema)
    said, standardised = both_ways(source_contract("crm", "updated_at"), raw, "US")
    assert said == standardised


def test_a_source_that_tells_no_time_has_none():
    said = updated_at(pl.DataFrame({"source_key": ["1", "2"]}), source_contract("crm"), region="US")
    assert said.to_list() == [None, None]
    assert said.dtype == pl.Datetime("us", "UTC")


def test_a_day_is_left_for_clocks_and_zones_and_no_more():
    raw = pl.DataFrame({"source_key": ["1", "2"], "updated_at": ["2026-06-02T23:59:59Z", "2026-06-03T00:00:00Z"]})
    said = updated_at(raw, source_contract("crm", "updated_at"), region="US", today=TODAY)
    assert said.to_list() == [datetime(2026, 6, 2, 23, 59, 59, tzinfo=UTC), None]
