"""Promises that a lake keeps between its tables; each is counted, none names a value."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES

RECORD_HAS_CUSTOMER: Final = "completeness__crosswalk__every_record_has_a_customer"
ROW_HAS_RECORD: Final = "consistency__crosswalk__every_row_has_a_record"
ONE_CUSTOMER: Final = "uniqueness__crosswalk__one_customer_a_record"
ONE_RECORD: Final = "uniqueness__protected_records__one_record_an_id"
ONE_GOLDEN: Final = "uniqueness__golden_records__one_row_a_version"
RECORD_OPENS: Final = "completeness__protected_records__every_record_has_its_key"
CUSTOMER_HAS_GOLDEN: Final = "completeness__golden_records__every_customer_has_one"
GOLDEN_HAS_CUSTOMER: Final = "consistency__golden_records__every_one_has_a_customer"
POINTERS_LIVE: Final = "consistency__golden_records__pointers_lead_to_live_records"

PROMISES: Final[dict[str, str]] = {
    RECORD_HAS_CUSTOMER: "No accepted record is lost: each belongs to a customer.",
    ROW_HAS_RECORD: "No row of the crosswalk speaks of a record that is gone.",
    ONE_CUSTOMER: "No version of the crosswalk gives a record two customers.",
    ONE_RECORD: "No two records, of one source or of two, share an id and version.",
    ONE_GOLDEN: "No version of a golden record is there twice.",
    RECORD_OPENS: "The key material of every record is there; where it is not, the lake is older than its keys.",
    CUSTOMER_HAS_GOLDEN: "Every customer has a golden record.",
    GOLDEN_HAS_CUSTOMER: "No golden record is left of a customer that is gone.",
    POINTERS_LIVE: "Every value of a golden record is still held by the record it points to.",
}


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise and how often it was broken.

    Attributes:
        name: A key of ``PROMISES``: ``<dimension>__<table>__<rule>``.
        broken_count: Rows that break it.
        judged_count: Rows judged.
    """

    name: str
    broken_count: int
    judged_count: int


def check_crosswalk(records: pl.DataFrame, crosswalk: pl.DataFrame) -> tuple[Promise, ...]:
    """Check that records and crosswalk agree.

    Args:
        records: record_id of the current records.
        crosswalk: record_id, cuid (current).
    """
    lost = records.join(crosswalk, on="record_id", how="anti").height
    stray = crosswalk.join(records, on="record_id", how="anti").height
    return (
        Promise(RECORD_HAS_CUSTOMER, lost, records.height),
        Promise(ROW_HAS_RECORD, stray, crosswalk.height),
    )


def check_versions(crosswalk: pl.DataFrame, records: pl.DataFrame, golden: pl.DataFrame) -> tuple[Promise, ...]:
    """Check that no version of a key is stored twice: whoever takes the newest row of a key would not notice.

    Args:
        crosswalk: record_id, version of all stored rows.
        records: record_id, version of all stored rows of protected_records.
        golden: cuid, version of all stored rows of golden_records.
    """
    tables = {ONE_CUSTOMER: crosswalk, ONE_RECORD: records, ONE_GOLDEN: golden}
    return tuple(Promise(name, stored.height - stored.n_unique(), stored.height) for name, stored in tables.items())


def check_keys(materials: pl.Series) -> tuple[Promise, ...]:
    """Check that no record has lost its key: an erased one is not there any more.

    Args:
        materials: Key material of the current records; null where there is none.
    """
    return (Promise(RECORD_OPENS, materials.null_count(), len(materials)),)


def check_golden(golden: pl.DataFrame, crosswalk: pl.DataFrame, records: pl.DataFrame) -> tuple[Promise, ...]:
    """Check that golden records speak for exactly the customers there are, and point to what is there.

    Args:
        golden: Current, active rows of golden_records.
        crosswalk: record_id, cuid (current).
        records: record_id, version of the current records.
    """
    customers = crosswalk.select("cuid").unique()
    unspoken = customers.join(golden, on="cuid", how="anti").height
    stray = golden.join(customers, on="cuid", how="anti").height
    pointers = pl.concat([_pointers(golden, name) for name in GOLDEN_ATTRIBUTES])
    dangling = pointers.join(records, on=["record_id", "version"], how="anti").height
    return (
        Promise(CUSTOMER_HAS_GOLDEN, unspoken, customers.height),
        Promise(GOLDEN_HAS_CUSTOMER, stray, golden.height),
        Promise(POINTERS_LIVE, dangling, pointers.height),
    )


def _pointers(golden: pl.DataFrame, attribute: str) -> pl.DataFrame:
    field = pl.col(attribute).struct.field
    return golden.select(record_id=field("record_id"), version=field("record_version")).drop_nulls()
