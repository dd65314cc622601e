"""Tests of ``custview_pipeline.survivorship.claims``."""

import polars as pl
import pytest

from custview_pipeline.survivorship.claims import CLAIM_COLUMNS, gather_claims
from custview_pipeline_tests.factories import NOW, crosswalk, cuid, index_claims, protected_records

OWNERS = crosswalk(*({"record_id": record_id, "cuid": cuid(1)} for record_id in (1, 2, 3)), {"record_id": 4, "cuid": cuid(2)})
RECORDS = protected_records(*({"record_id": n, "source_system": "web" if n == 3 else "crm"} for n in (1, 2, 3, 4)))
TRUST = pl.DataFrame({"source_system": ["crm", "web"], "attribute": ["email", "email"], "trust": [0.8, 0.4]})


def gathered(*rows, owners=OWNERS, trust=TRUST):
    return gather_claims(index_claims(*rows), owners, RECORDS, trust).sort("record_id", "slot")


def test_a_claim_knows_its_customer_its_source_and_when_it_was_made():
    found = gathered({"record_id": 3, "version": 4, "slot": 1})

    assert found.columns == list(CLAIM_COLUMNS)
    assert found.select("cuid", "source_system", "updated_at", "record_version", "slot").row(0) == (cuid(1), "web", NOW, 4, 1)


@pytest.mark.parametrize(
    ("claim", "trust_score"),
    [
        ({"record_id": 1}, 0.8),
        ({"record_id": 3}, 0.4),
        ({"record_id": 1, "is_valid": False}, 0.4),
        ({"record_id": 1, "attribute": "phone"}, 0.0),
    ],
    ids=["of its source", "of another source", "half as much where it is invalid", "none where nothing is stated"],
)
def test_a_claim_is_trusted_as_its_source_is(claim, trust_score):
    assert gathered(claim)["trust_score"].to_list() == [trust_score]


def test_equal_values_are_votes_counted_by_record_and_by_source():
    found = gathered(
        {"record_id": 1, "token": 7},
        {"record_id": 1, "token": 7, "slot": 1},
        {"record_id": 2, "token": 7},
        {"record_id": 3, "token": 7},
        {"record_id": 4, "token": 7},
    )

    assert found.select("record_id", "vote_count", "source_count").rows() == [(1, 3, 2)] * 2 + [(2, 3, 2), (3, 3, 2), (4, 1, 1)]


def test_a_value_that_cannot_be_compared_stands_alone():
    found = gathered({"record_id": 1, "token": None}, {"record_id": 2, "token": None})

    assert found["vote_count"].to_list() == found["source_count"].to_list() == [1, 1]


def test_claims_of_records_without_a_customer_are_left_out():
    assert gathered({"record_id": 99}).is_empty()


def test_without_claims_the_columns_are_there():
    assert gathered().columns == list(CLAIM_COLUMNS)
