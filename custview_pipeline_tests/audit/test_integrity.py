"""Tests of ``custview_pipeline.audit.integrity``: a sound lake keeps every promise, and each can be seen to fail."""

import polars as pl
import pytest

from custview_pipeline.audit import integrity
from custview_pipeline.audit.integrity import PROMISES, check_crosswalk, check_golden, check_keys, check_versions
from custview_pipeline_tests.factories import crosswalk, cuid, golden_records, pointer, protected_records

RECORDS = protected_records({"record_id": 1, "version": 2}, {"record_id": 2})
OWNERS = crosswalk({"record_id": 1, "cuid": cuid(1)}, {"record_id": 2, "cuid": cuid(2)})
GOLDEN = golden_records(
    {"cuid": cuid(1), "email": pointer(1, record_version=2), "country": pointer(1, record_version=2, value="US")},
    {"cuid": cuid(2), "phone": pointer(2)},
)
MATERIALS = pl.Series([bytes(12), bytes(12)])


def broken(*, records=RECORDS, owners=OWNERS, golden=GOLDEN, materials=MATERIALS):
    """Return how often each promise is broken, those kept left out."""
    versions = (owners.select("record_id", "version"), records.select("record_id", "version"), golden.select("cuid", "version"))
    found = (
        *check_crosswalk(records, owners),
        *check_versions(*versions),
        *check_keys(materials),
        *check_golden(golden, owners, records),
    )
    assert [promise.name for promise in found] == list(PROMISES)
    return {promise.name: promise.broken_count for promise in found if promise.broken_count}


def test_a_sound_lake_keeps_every_promise():
    assert broken() == {}


def test_an_empty_lake_keeps_every_promise():
    assert broken(records=protected_records(), owners=crosswalk(), golden=golden_records()) == {}


@pytest.mark.parametrize(
    ("change", "promise"),
    [
        ({"records": protected_records(*RECORDS.iter_rows(named=True), {"record_id": 3})}, "RECORD_HAS_CUSTOMER"),
        (
            {"owners": crosswalk(*OWNERS.iter_rows(named=True), {"record_id": 9, "cuid": cuid(1)})},
            "ROW_HAS_RECORD",
        ),
        (
            {"owners": crosswalk(*OWNERS.iter_rows(named=True), {"record_id": 1, "cuid": cuid(2)})},
            "ONE_CUSTOMER",
        ),
        ({"records": protected_records(*RECORDS.iter_rows(named=True), {"record_id": 2})}, "ONE_RECORD"),
        ({"golden": golden_records(*GOLDEN.iter_rows(named=True), {"cuid": cuid(2)})}, "ONE_GOLDEN"),
        ({"materials": pl.Series([bytes(12), None])}, "RECORD_OPENS"),
        ({"golden": GOLDEN.head(1)}, "CUSTOMER_HAS_GOLDEN"),
        ({"golden": golden_records(*GOLDEN.iter_rows(named=True), {"cuid": cuid(3)})}, "GOLDEN_HAS_CUSTOMER"),
        (
            {"golden": golden_records({"cuid": cuid(1), "email": pointer(1)}, {"cuid": cuid(2)})},
            "POINTERS_LIVE",
        ),
        (
            {"golden": golden_records({"cuid": cuid(1), "country": pointer(9, value="US")}, {"cuid": cuid(2)})},
            "POINTERS_LIVE",
        ),
    ],
    ids=[
        "record without customer",
        "row without record",
        "record of two customers",
        "two records with one id",
        "golden record twice",
        "record without key",
        "customer without golden record",
        "golden record without customer",
        "pointer to a former version",
        "pointer to a record that is gone",
    ],
)
def test_each_promise_can_be_broken_alone(change, promise):
    assert broken(**change) == {getattr(integrity, promise): 1}


def test_promises_tell_how_much_was_judged():
    judged = {promise.name: promise.judged_count for promise in check_golden(GOLDEN, OWNERS, RECORDS)}

    assert judged == {integrity.CUSTOMER_HAS_GOLDEN: 2, integrity.GOLDEN_HAS_CUSTOMER: 2, integrity.POINTERS_LIVE: 3}


def test_promises_are_named_as_checks_are():
    assert all(len(name.split("__")) == 3 and meaning.endswith(".") for name, meaning in PROMISES.items())
