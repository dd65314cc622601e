"""Dates of birth, with a fixed today."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.standardisation.dates import read_birth_date

TODAY = date(2026, 6, 30)
US, ELSEWHERE = True, False


def read(text, date_format=None, *, is_month_first=US):
    return read_birth_date(text, date_format, is_month_first=is_month_first, today=TODAY)[0]


WHOLE = [
    ("1985-03-12", US, "1985-03-12"),
    ("1985/3/12", US, "1985-03-12"),
    ("19850312", US, "1985-03-12"),
    ("1985.03.12", ELSEWHERE, "1985-03-12"),
    ("1985年3月12日", ELSEWHERE, "1985-03-12"),
    ("03/12/1985", US, "1985-03-12"),
    ("03/12/1985", ELSEWHERE, "1985-12-03"),
    ("12.03.1985", ELSEWHERE, "1985-03-12"),
    ("13/02/1990", US, "1990-02-13"),
    ("02/13/1990", ELSEWHERE, "1990-02-13"),
    ("12 March 1985", US, "1985-03-12"),
    ("12th of March 1985", US, "1985-03-12"),
    ("Mar 12, 1985", ELSEWHERE, "1985-03-12"),
    ("12-Mar-85", US, "1985-03-12"),
    ("04/12/60", US, "1960-04-12"),
    ("04/12/25", US, "2025-04-12"),
    ("12/31/26", US, "1926-12-31"),
    ("1985-03-12T00:00:00", US, "1985-03-12"),
    ("1985-03-12 00:00:00", US, "1985-03-12"),
    ("1542-06-01", ELSEWHERE, "1542-06-01"),
    ("2024-02-29", US, "2024-02-29"),
]


@pytest.mark.parametrize(("text", "is_month_first", "expected"), WHOLE)
def test_a_date_is_written_as_iso_8601(text, is_month_first, expected):
    reading = read(text, is_month_first=is_month_first)
    assert (reading.value, reading.feature, reading.rule) == (expected, expected, None)


@pytest.mark.parametrize(
    ("text", "date_format", "expected"),
    [("12/03/1985", "%d/%m/%Y", "1985-03-12"), ("850312", "%y%m%d", "1985-03-12"), ("12/03/60", "%d/%m/%y", "1960-03-12")],
)
def test_the_contracts_format_comes_first(text, date_format, expected):
    assert read(text, date_format).value == expected


@pytest.mark.parametrize(
    "text",
    ["1900-01-01", "01/01/1900", "0000-00-00", "00/00/0000", "1111-11-11", "9999-12-31", "12/31/9999", "00000000", "0001-01-01"],
)
def test_a_placeholder_gives_no_value(text):
    assert read(text)[:4] == (None, None, None, "placeholder")


@pytest.mark.parametrize(
    ("text", "rule", "year"),
    [
        ("1985", "partial_date", "1985"),
        ("March 1985", "partial_date", "1985"),
        ("about 1850", "partial_date", "1850"),
        ("1985-00-00", "partial_date", "1985"),
        ("1985-03-00", "partial_date", "1985"),
        ("1985-02-30", "impossible_date", "1985"),
        ("29/02/1991", "impossible_date", "1991"),
        ("19851340", "impossible_date", None),
        ("2050-01-01", "future_date", None),
        ("hello", "not_a_date", None),
        ("85", "not_a_date", None),
    ],
)
def test_what_is_no_whole_date_is_kept_with_its_reason(text, rule, year):
    reading = read(text)
    assert (reading.value, reading.rule, reading.feature) == (text, rule, year)


@given(
    st.dates(min_value=date(1600, 1, 2), max_value=TODAY),
    st.sampled_from(["%Y-%m-%d", "%Y%m%d", "%d %B %Y", "%B %d, %Y", "%Y/%m/%d"]),
)
def test_every_date_is_found_again(day, form):
    reading = read(day.strftime(form))
    assert reading.value in {day.isoformat(), None}
    assert reading.rule in {None, "placeholder"}


@given(st.text(alphabet="0123456789/-. amjfnoecrvT:", max_size=14))
def test_reading_a_value_again_changes_nothing(text):
    value = read(text).value
    if value:
        assert read(value).value == value
