"""Contracts, rows and batches for the tests of this room; all of them invented."""

from datetime import date

import polars as pl

from custview_pipeline.contracts.source_contract import SourceColumn, SourceContract
from custview_pipeline.standardisation.standardise import standardise

TODAY = date(2026, 6, 30)


def contract_of(*columns: SourceColumn) -> SourceContract:
    return SourceContract(
        source_system="invented",
        version="1.0.0",
        title="Invented",
        domain=None,
        owner=None,
        purpose=None,
        path_pattern="*.csv",
        file_format="csv",
        encoding="utf-8",
        delimiter=",",
        columns=(SourceColumn("id", "source_key"), *columns),
    )


CRM = contract_of(
    SourceColumn("kind", "entity_type"),
    SourceColumn("name", "full_name"),
    SourceColumn("mobile", "phone"),
    SourceColumn("landline", "phone"),
    SourceColumn("mail", "email"),
    SourceColumn("address", "address"),
    SourceColumn("country", "country"),
    SourceColumn("born", "birth_date", date_format="%m/%d/%Y"),
    SourceColumn("ssn", "national_id", scheme="us.ssn"),
    SourceColumn("job", "occupation"),
    SourceColumn("modified", "updated_at"),
)
SMITH = {
    "id": "1",
    "kind": "Individual",
    "name": "Smith, John A. Jr",
    "mobile": "(212) 736-5000",
    "landline": "646-736-5001",
    "mail": "John.Smith+x@Gmail.com",
    "address": "123 N Main St Apt 4, Springfield, IL 62704",
    "country": "USA",
    "born": "03/12/1985",
    "ssn": "536904399",
    "job": "Baker",
    "modified": "2024-03-04T10:00:00+02:00",
}


def frame(contract, *rows):
    return pl.DataFrame(
        [{column.name: row.get(column.name) for column in contract.columns} for row in rows],
        schema=dict.fromkeys((column.name for column in contract.columns), pl.String),
    )


def run(contract, *rows, region="US"):
    return standardise(frame(contract, *rows), contract, region=region, today=TODAY)
