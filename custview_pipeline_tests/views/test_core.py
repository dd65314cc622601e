"""Tests of ``custview_pipeline.views.core``."""

import pytest

from custview_pipeline.contracts.golden_tables import CUSTOMER_CORE
from custview_pipeline.views.core import build_core
from custview_pipeline_tests.factories import crosswalk, cuid, golden_records, pointer

OWNERS = crosswalk(
    {"record_id": 1, "cuid": cuid(1), "source_system": "web"},
    {"record_id": 2, "cuid": cuid(1), "source_system": "crm"},
    {"record_id": 3, "cuid": cuid(1), "source_system": "crm"},
    {"record_id": 4, "cuid": cuid(2), "source_system": "billing"},
)


def core(*rows, owners=OWNERS):
    built = build_core(golden_records(*rows), owners)
    CUSTOMER_CORE.assert_holds(built)
    return built


def test_a_customer_is_one_row_with_its_sources():
    built = core({"cuid": cuid(2)}, {"cuid": cuid(1), "record_count": 3, "source_count": 2})

    assert built["cuid"].to_list() == [cuid(1), cuid(2)]
    assert built["source_systems"].to_list() == [["crm", "web"], ["billing"]]
    assert built["record_count"].to_list() == [3, 1]


def test_it_names_what_is_known_and_what_is_contested():
    row = core({"cuid": cuid(1), "email": pointer(1), "phone": pointer(2, is_contested=True)}).row(0, named=True)

    assert row["known_attributes"] == ["email", "phone"]
    assert row["contested_attributes"] == ["phone"]


def test_trust_is_the_mean_over_what_is_known():
    built = core({"cuid": cuid(1), "email": pointer(1, trust_score=0.4), "phone": pointer(1, trust_score=0.8)})

    assert built["trust_score"].to_list() == [pytest.approx(0.6)]


def test_open_values_are_shown():
    cells = {"country": pointer(1, value="GB"), "consent": pointer(1, value="granted")}

    assert core({"cuid": cuid(1), **cells}).select("country", "consent").row(0) == ("GB", "granted")


def test_a_customer_of_whom_nothing_is_known_has_empty_lists_and_no_trust():
    row = core({"cuid": cuid(1)}).row(0, named=True)

    assert (row["known_attributes"], row["contested_attributes"], row["trust_score"]) == ([], [], None)
    assert (row["country"], row["consent"]) == (None, None)


def test_without_customers_the_view_is_empty():
    assert core(owners=crosswalk()).is_empty()
