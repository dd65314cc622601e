"""Tests of ``custview_pipeline.views.core``."""

import polars as pl
import pytest

from custview_pipeline.contracts.golden_tables import CUSTOMER_CORE
from custview_pipeline.views.core import build_core, change_core, renew_core
from custview_pipeline_tests.factories import LATER, crosswalk, cuid, golden_records, pointer

OWNERS = crosswalk(
    {"record_id": 1, "cuid": cuid(1), "source_system": "web"},
    {"record_id": 2, "cuid": cuid(1), "source_system": "crm"},
    {"record_id": 3, "cuid": cuid(1), "source_system": "crm"},
    {"record_id": 4, "cuid": cuid(2), "source_system": "billing"},
)


def core(*rows, owners=OWNERS):
    built = change_core(build_core(golden_records(*rows), owners), CUSTOMER_CORE.empty(), now=LATER)
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


def changed(known, *rows):
    return change_core(build_core(golden_records(*rows), OWNERS), known, now=LATER)


def test_what_did_not_change_gets_no_new_row():
    rows = ({"cuid": cuid(1), "email": pointer(1)}, {"cuid": cuid(2)})

    assert changed(core(*rows), *rows).is_empty()


@pytest.mark.parametrize(
    "cells",
    [
        {"record_count": 2},
        {"email": pointer(1)},
        {"country": pointer(1, value="GB")},
        {"updated_at": LATER},
        {"entity_type": "enterprise"},
    ],
    ids=["records", "what is known", "an open value", "time of the last change", "kind"],
)
def test_whatever_is_shown_makes_a_new_version_of_that_customer_alone(cells):
    known = core({"cuid": cuid(1)}, {"cuid": cuid(2)})
    found = changed(known, {"cuid": cuid(1)}, {"cuid": cuid(2), **cells})

    assert found.select("cuid", "version", "is_active").rows() == [(cuid(2), 2, True)]
    CUSTOMER_CORE.assert_holds(found)


def test_a_customer_that_ended_is_shown_as_ended_once():
    ended = {"cuid": cuid(1), "version": 2, "is_active": False, "record_count": 0, "source_count": 0, "updated_at": None}
    known = core({"cuid": cuid(1), "email": pointer(1)})
    without = OWNERS.filter(pl.col("cuid") != cuid(1))
    found = change_core(build_core(golden_records(ended), without), known, now=LATER)

    assert found.select("version", "is_active", "known_attributes", "source_systems").rows() == [(2, False, [], [])]
    assert change_core(build_core(golden_records(ended), without), pl.concat([known, found]), now=LATER).is_empty()


def test_a_customer_that_ended_before_it_was_ever_shown_is_not_shown():
    assert core({"cuid": cuid(1), "is_active": False}).is_empty()


def test_a_row_that_is_made_anew_goes_on_from_the_version_that_was_known():
    known = core({"cuid": cuid(1)})
    renewed = renew_core(build_core(golden_records({"cuid": cuid(1)}), OWNERS), known, now=LATER)

    assert renewed["version"].to_list() == [2]
