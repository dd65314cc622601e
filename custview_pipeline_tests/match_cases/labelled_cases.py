"""The labelled pairs of ``cases.csv``, and both records of each as standardisation makes them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from custview_pipeline.contracts.source_contract import SourceColumn, SourceContract
from custview_pipeline.contracts.standardised_record import StandardisedBatch
from custview_pipeline.standardisation.standardise import standardise
from custview_pipeline_tests.factories import source_contract

FOLDER: Final = Path(__file__).parent
SIDES: Final = ("left", "right")
TODAY: Final = date(2026, 6, 30)
_REGION: Final = "US"
# A column of the file -> the attribute that a contract calls it; elsewhere the name is the attribute.
_ATTRIBUTES: Final = {"former_name": "family_name", "email2": "email", "phone2": "phone", "address2": "address"}
_SCHEMES: Final = {"identifier": "scheme", "identifier2": "scheme2"}
_ATTRIBUTE_OF_SCHEME: Final = {"us.ein": "tax_id", "cn.uscc": "tax_id", "lei": "lei"}


def read_cases() -> pl.DataFrame:
    """Return the rows of ``cases.csv`` as text; an empty cell is null."""
    return pl.read_csv(FOLDER / "cases.csv", infer_schema=False)


def standardised(cases: pl.DataFrame) -> StandardisedBatch:
    """Return all records of the cases as one batch: both records of the first case, both of the second, and so on."""
    records = _records(cases)
    columns = [*_columns(records)]
    contract = _contract(columns)
    raw = records.select(
        pl.int_range(pl.len()).cast(pl.String).alias("source_key"), *(cells.alias(column.name) for column, cells in columns)
    )
    return standardise(raw, contract, region=_REGION, today=TODAY)


def record_ids(cases: pl.DataFrame) -> pl.DataFrame:
    """Return case_id, left_id, right_id: ids by which the records of ``standardised`` are matched, counted from 1."""
    number = pl.int_range(1, 2 * pl.len() + 1, 2, dtype=pl.Int64)
    return cases.select("case_id", left_id=number, right_id=number + 1)


def _records(cases: pl.DataFrame) -> pl.DataFrame:
    """Return one row a record, its columns without the word for their side."""
    attributes = [name.removeprefix("left_") for name in cases.columns if name.startswith("left_")]
    halves = [
        cases.select(
            "entity_type",
            *(pl.col(f"{side}_{name}").alias(name) for name in attributes),
            place=2 * pl.int_range(pl.len()) + SIDES.index(side),
        )
        for side in SIDES
    ]
    return pl.concat(halves).sort("place").drop("place")


def _columns(records: pl.DataFrame) -> Iterator[tuple[SourceColumn, pl.Expr]]:
    """Yield the contract's columns and their cells; identifiers get a column for each scheme, as a source has them."""
    for name in records.columns:
        if name in _SCHEMES:
            for scheme in records[_SCHEMES[name]].drop_nulls().unique().sort():
                attribute = _ATTRIBUTE_OF_SCHEME.get(scheme, "national_id")
                column = SourceColumn(f"{name} {scheme}", attribute, scheme=scheme)
                yield column, pl.when(pl.col(_SCHEMES[name]) == scheme).then(name)
        elif name not in _SCHEMES.values():
            yield SourceColumn(name, _ATTRIBUTES.get(name, name)), pl.col(name)


def _contract(columns: list[tuple[SourceColumn, pl.Expr]]) -> SourceContract:
    return replace(
        source_contract("cases"), columns=(SourceColumn("source_key", "source_key"), *(column for column, _ in columns))
    )
