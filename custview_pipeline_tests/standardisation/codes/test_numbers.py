"""Counts and balances in the ways that people write them."""

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.contracts.attributes import ATTRIBUTES
from custview_pipeline.standardisation.codes.numbers import read_number

NUMBERS = ("employee_count", "loyalty_points")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("250", "250"),
        ("0", "0"),
        ("-0", "0"),
        ("+7", "7"),
        ("00012", "12"),
        ("12.0", "12"),
        ("12.50", "12.5"),
        ("12,5", "12.5"),
        ("0.5", "0.5"),
        ("-3", "-3"),
        ("1,250", "1250"),
        ("1,234,567", "1234567"),
        ("1.234.567", "1234567"),
        ("1 250", "1250"),
        ("1\u00a0250", "1250"),
        ("1\u202f250,5", "1250.5"),
        ("1'250.25", "1250.25"),
        ("1,250.5", "1250.5"),
        ("1.250,5", "1250.5"),
        ("1250.00", "1250"),
        ("9999999.99", "9999999.99"),
        ("0.500", "0.5"),
    ],
)
def test_a_number_is_read_however_its_digits_are_parted(text, value):
    (reading,) = read_number(text, "loyalty_points")

    assert (reading.value, reading.comparable, reading.feature, reading.rule) == (value, value, None, None)


@pytest.mark.parametrize(
    "text",
    [
        "1.250", "1.250.5", "1,25,000", "12,34,567", "1 25", "1,250 5", "51-200", "100+", "~50", "12 employees", "1e3", "1.5E+03",
        "many", "0x10", "1_000", "--3", "3-", "\u00bd", "\u0663", "10%", "12.345", "0.001", "10000000", "NaN", "inf",
    ],
)  # fmt: skip
def test_what_is_no_number_or_may_be_two_is_kept_as_given(text):
    (reading,) = read_number(text, "loyalty_points")

    assert (reading.value, reading.rule) == (text, "not_a_number")


@pytest.mark.parametrize("text", ["12.5", "-3", "12,5", "0.5"])
def test_people_are_counted_whole(text):
    assert read_number(text, "employee_count")[0].rule == "not_a_number"


@pytest.mark.parametrize(
    "text",
    [
        "2025550143", "+12025550143", "202-555-0143", "(202) 555-0143", "555 012 3456", "078051120", "078-05-1120", "078 05 1120",
        "1985-03-12", "19850312", "12.03.1985", "12/03/1985", "4111111111111111", "4111 1111 1111 1111", "62701-1234",
    ],
)  # fmt: skip
@pytest.mark.parametrize("attribute", NUMBERS)
def test_what_may_be_a_phone_an_identifier_or_a_date_is_no_number_for_numbers_are_stored_open(text, attribute):
    assert read_number(text, attribute)[0].rule == "not_a_number"


@given(st.decimals(-9_999_999, 9_999_999, places=2))
def test_a_number_as_programs_write_it_keeps_its_worth(number):
    (reading,) = read_number(str(number), "loyalty_points")

    assert Decimal(reading.value) == number
    assert re.fullmatch(ATTRIBUTES["loyalty_points"].pattern, reading.value)


@given(st.text(max_size=12) | st.from_regex(r"[-+]?[0-9][0-9 ,.']{0,9}", fullmatch=True), st.sampled_from(NUMBERS))
def test_reading_a_number_again_changes_nothing(text, attribute):
    (first,) = read_number(text, attribute)

    assert read_number(first.value, attribute) == (first,)
