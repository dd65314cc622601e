"""Standardising what was standardised changes nothing, record by record, over the generated world."""

import polars as pl
import pytest

from custview_pipeline.contracts.source_contract import SourceColumn
from custview_pipeline.demo.world import make_sources
from custview_pipeline.standardisation.standardise import standardise
from custview_pipeline_tests.standardisation.contracts import TODAY, contract_of

CRM = {
    "entity_type": SourceColumn("kind", "entity_type"),
    "name": SourceColumn("customer_name", "full_name"),
    "email": SourceColumn("mail", "email"),
    "phone": SourceColumn("mobile", "phone"),
    "address": SourceColumn("street_address", "address"),
    "country": SourceColumn("country", "country"),
    "birth_date": SourceColumn("born", "birth_date"),
    "national_id": SourceColumn("ssn", "national_id", scheme="us.ssn"),
    "website": SourceColumn("website", "website"),
    "industry_code": SourceColumn("industry", "industry_code"),
}
CONTRACT = contract_of(*CRM.values())


@pytest.fixture(scope="module")
def batch():
    world = next(iter(make_sources(records=1500, seed=5)))
    raw = world.rows.select(column.name for column in CONTRACT.columns)
    return standardise(raw, CONTRACT, region="US", today=TODAY)


def valid_values(batch):
    """Return the first valid value of each attribute and row; the registered name of an enterprise is its name."""
    names = {"legal_name": "name"}
    kept = batch.values.filter("is_valid").with_columns(pl.col("attribute").replace(names))
    return kept.unique(["row", "attribute"], keep="first", maintain_order=True)


def as_delivered(batch):
    """Return rows as a source would deliver them that writes what was standardised."""
    wide = valid_values(batch).pivot("attribute", index="row", values="value")
    rows = batch.records.select("row", "entity_type").join(wide, on="row", how="left", maintain_order="left")
    nothing = pl.lit(None, pl.String)
    cells = {column.name: pl.col(attribute) if attribute in rows.columns else nothing for attribute, column in CRM.items()}
    return rows.select(pl.col("row").cast(pl.String).alias("id"), **cells)


def test_a_record_that_is_delivered_as_it_was_standardised_stays_as_it_is(batch):
    again = standardise(as_delivered(batch), CONTRACT, region="US", today=TODAY)

    known = ["row", "attribute", "value", "comparable", "is_valid"]
    assert valid_values(batch).height > 2000
    assert valid_values(again).select(known).equals(valid_values(batch).select(known))
    assert again.records["entity_type"].equals(batch.records["entity_type"])


def test_the_same_rows_in_another_order_come_to_the_same(batch):
    raw = as_delivered(batch).reverse()
    forth = standardise(raw.reverse(), CONTRACT, region="US", today=TODAY)
    back = standardise(raw, CONTRACT, region="US", today=TODAY)

    position = pl.lit(raw.height - 1) - pl.col("row").cast(pl.Int64)
    turned = back.values.with_columns(row=position.cast(pl.UInt32)).sort("row", "attribute", "slot")
    assert turned.equals(forth.values)
