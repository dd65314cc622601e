"""Tests of ``custview_pipeline.flows.read_as``: a record is read again as it was read when it came."""

from dataclasses import replace

from custview_pipeline.flows.read_as import as_read, read_as
from custview_pipeline_tests.factories import source_contract

THEN = source_contract("crm", "full_name", "birth_date", "national_id", version="1.0.0")


def with_column(contract, name, **changes):
    columns = tuple(replace(column, **changes) if column.name == name else column for column in contract.columns)
    return replace(contract, columns=columns)


def test_columns_and_country_are_those_of_then_and_all_else_is_of_now():
    then = with_column(THEN, "birth_date", date_format="%m/%d/%Y", is_personal=True)
    then = with_column(then, "national_id", scheme="us.ssn", issuer="US")
    now = replace(source_contract("crm", "email"), version="2.0.0", trust=0.9)

    contract, region = as_read(now, read_as(then, "GB"))

    assert region == "GB"
    assert contract == replace(now, columns=then.columns)


def test_limits_and_what_is_told_to_people_are_left_out():
    limited = with_column(
        THEN, "full_name", is_required=True, max_length=80, allowed=("A",), description="Name", is_critical=True
    )
    assert read_as(limited, "US") == read_as(THEN, "US")
