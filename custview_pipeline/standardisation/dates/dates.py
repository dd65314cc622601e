"""Dates of birth: the contract's format first, then the known ones; the region decides between day and month."""

import re
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final

from custview_pipeline.standardisation.dates.chinese_dates import read_chinese_date
from custview_pipeline.standardisation.dates.month_names import month_of
from custview_pipeline.standardisation.field_standards import PLACEHOLDER
from custview_pipeline.standardisation.reading import Reading
from custview_pipeline.standardisation.text import fold

# Dates that systems fill in where they know none.
PLACEHOLDER_DATES: Final = frozenset(
    {"1900-01-01", "0000-00-00", "0001-01-01", "1111-11-11", "9999-12-31", "9999-09-09", "1899-12-30", "1899-12-31"}
)
EARLIEST_YEAR: Final = 1000
# A date alone may have a zone as well (XML Schema).
TIME_OF_DAY: Final = (
    r"(?:[T ][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?\s*(?:[AaPp][Mm])?\s*"
    r"(?:Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)?|Z|[+-][0-9]{2}:[0-9]{2})$"
)
# Java's Date writes its time and zone before the year: Tue Mar 12 00:00:00 CST 1985.
_TIME_WITHIN: Final = re.compile(r" [0-9]{2}:[0-9]{2}:[0-9]{2}(?: [A-Z]{3,4})?(?= [0-9]{4}$)")
_TIME: Final = re.compile(TIME_OF_DAY)
_TIME_OF_FORMAT: Final = re.compile(r"[T ]%[HI].*$", re.DOTALL)
_YEAR_FIRST: Final = re.compile(r"(\d{4})\s*[-/.年년 ]\s*(\d{1,2})\s*[-/.月월 ]\s*(\d{1,2})\s*[日일.]?")
_COMPACT: Final = re.compile(r"(\d{4})(\d\d)(\d\d)(?:\.0)?")
_COMPACT_YEAR_LAST: Final = re.compile(r"(\d\d)(\d\d)((?:1[89]|20)\d\d)(?:\.0)?")
_LAST_DAY_OF_ANY_MONTH: Final = 31
_YEAR_LAST: Final = re.compile(r"(\d{1,2})\s*[-/. ]\s*(\d{1,2})\s*[-/. ]\s*(\d{4}|\d\d)")
_WEEKDAY: Final = re.compile(r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*[.,]? ")
_DAY_NAMED: Final = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th|er|o|\.)?(?: (?:of|de)\b)?[-/. ]*([a-z]{3,10})(?: del?\b)?[-/., ]*'?(\d{4}|\d\d)"
)
_MONTH_NAMED: Final = re.compile(r"([a-z]{3,10})[-/. ]*(\d{1,2})(?:st|nd|rd|th)?[-/., ]+'?(\d{4}|\d\d)")
_NAMED_BETWEEN: Final = re.compile(r"(\d{4})[-/. ]*([a-z]{3,10})[-/. ]*(\d{1,2})")
_SERIAL: Final = re.compile(r"(\d{5})(?:\.\d+)?")
# Day 60 of Excel's 1900 system is 29 February 1900, which never was: from day 61 on, days are counted from this date.
_SERIAL_EPOCH: Final = date(1899, 12, 30)
_FIRST_SERIAL: Final = 10_000  # 18 May 1927
_YEAR: Final = re.compile(r"(?<!\d)(1\d{3}|20[012]\d)(?!\d)")
_DIGITS_OF_A_YEAR: Final = 4

_Parts = tuple[str, int, int]  # year as written, month, day


@lru_cache(100_000)  # about as many as there are days on which living people were born, each written in a few ways
def read_birth_date(text: str, date_format: str | None, *, is_month_first: bool, today: date) -> tuple[Reading]:
    """Return the date of birth as ISO 8601.

    A year written with two digits is the last such year that is not after ``today``. A year alone, or a date whose day or month
    is unknown, is kept as given and is evidence of the year only (the feature has four characters). A time of day is left out,
    and no zone moves the date. Five digits are a day of Excel's 1900 system, from 10000 (18 May 1927) to ``today``.

    Args:
        text: A cleaned cell.
        date_format: The contract's strptime format, tried first; with and without its time of day.
        is_month_first: Whether 03/04/1980 is the fourth of March; the other order is taken where this one is impossible.
        today: No birth date is later.
    """
    written = _TIME.sub("", text).strip()
    if written in PLACEHOLDER_DATES:
        return (Reading(None, rule=PLACEHOLDER),)
    candidates = (
        _by_format(written, day_of_format(date_format))
        or _by_format(text, date_format)
        or _by_known_forms(written, is_month_first=is_month_first)
        or _by_serial(written, today)
    )
    for parts in candidates:
        if found := _as_date(*parts, today):
            return (_judge(found, today),)
    return (_without_date(text, has_form=bool(candidates)),)


def day_of_format(date_format: str | None) -> str | None:
    """Return a format without its time of day."""
    return _TIME_OF_FORMAT.sub("", date_format) if date_format else None


def _by_format(text: str, date_format: str | None) -> list[_Parts]:
    if date_format is None:
        return []
    try:
        found = datetime.strptime(text, date_format)  # noqa: DTZ007 - a day of the calendar has no zone
    except ValueError:
        return []
    has_century = "%y" not in date_format
    if has_century and _calendar(found.year, found.month, found.day) is None:
        return []
    return [(f"{found.year:04}" if has_century else f"{found.year % 100:02}", found.month, found.day)]


def _by_known_forms(text: str, *, is_month_first: bool) -> list[_Parts]:
    if found := _YEAR_FIRST.fullmatch(text):
        return [(found[1], int(found[2]), int(found[3]))]
    if found := _COMPACT.fullmatch(text):
        return [(found[1], int(found[2]), int(found[3])), *_year_last(_COMPACT_YEAR_LAST, text, is_month_first=is_month_first)]
    if orders := _year_last(_YEAR_LAST, text, is_month_first=is_month_first):
        return orders
    if chinese := read_chinese_date(text):
        return [chinese]
    return _by_month_name(_WEEKDAY.sub("", fold(_TIME_WITHIN.sub("", text)), count=1))


def _year_last(form: re.Pattern[str], text: str, *, is_month_first: bool) -> list[_Parts]:
    """Return the orders in which three numbers can be a date; 85-03-12 begins with the year, for no day is the 85th."""
    found = form.fullmatch(text)
    if found is None:
        return []
    first, second = int(found[1]), int(found[2])
    orders: list[_Parts] = [(found[3], first, second), (found[3], second, first)]
    if first > _LAST_DAY_OF_ANY_MONTH and len(found[3]) < _DIGITS_OF_A_YEAR:
        return [(found[1], second, int(found[3]))]
    return orders if is_month_first else orders[::-1]


def _by_month_name(folded: str) -> list[_Parts]:
    orders = ((_DAY_NAMED, (3, 2, 1)), (_MONTH_NAMED, (3, 1, 2)), (_NAMED_BETWEEN, (1, 2, 3)))
    for form, (year, month, day) in orders:
        if (found := form.fullmatch(folded)) and (number := month_of(found[month])):
            return [(found[year], number, int(found[day]))]
    return []


def _by_serial(text: str, today: date) -> list[_Parts]:
    found = _SERIAL.fullmatch(text)
    if found is None or int(found[1]) < _FIRST_SERIAL:
        return []
    day = _SERIAL_EPOCH + timedelta(days=int(found[1]))
    return [(str(day.year), day.month, day.day)] if day <= today else []


def _as_date(year: str, month: int, day: int, today: date) -> date | None:
    if len(year) == _DIGITS_OF_A_YEAR:
        return _calendar(int(year), month, day)
    century = today.year // 100 * 100
    found = _calendar(century + int(year), month, day)
    return _calendar(century - 100 + int(year), month, day) if found is None or found > today else found


def _calendar(year: int, month: int, day: int) -> date | None:
    try:
        found = date(year, month, day)
    except ValueError:
        return None
    return found if year >= EARLIEST_YEAR or found.isoformat() in PLACEHOLDER_DATES else None


def _judge(found: date, today: date) -> Reading:
    iso = found.isoformat()
    if iso in PLACEHOLDER_DATES:
        return Reading(None, rule=PLACEHOLDER)
    if found > today:
        return Reading(iso, iso, None, "future_date")
    return Reading(iso, iso, iso)


def _without_date(text: str, *, has_form: bool) -> Reading:
    year = _YEAR.search(text)
    comparable = re.sub(r"\s+", " ", text).casefold()
    if not any(digit in "123456789" for digit in text):
        return Reading(None, rule=PLACEHOLDER) if "0" in text else Reading(text, comparable, None, "not_a_date")
    is_partial = year is not None and (not has_form or _has_unknown_part(text))
    rule = "partial_date" if is_partial else "impossible_date" if has_form else "not_a_date"
    return Reading(text, comparable, year[1] if year else None, rule)


def _has_unknown_part(text: str) -> bool:
    return re.search(r"(?<!\d)0{1,2}(?!\d)", text) is not None or re.search(r"\d{4}(00\d\d|\d\d00)$", text) is not None
