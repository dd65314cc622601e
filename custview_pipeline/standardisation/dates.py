"""Dates of birth: the contract's format first, then the known ones; the region decides between day and month."""

import re
from calendar import month_abbr
from datetime import date, datetime
from typing import Final

from custview_pipeline.standardisation.field_standards import PLACEHOLDER
from custview_pipeline.standardisation.reading import Reading
from custview_pipeline.standardisation.text import fold

# Dates that systems fill in where they know none.
_PLACEHOLDERS: Final = frozenset(
    {"1900-01-01", "0000-00-00", "0001-01-01", "1111-11-11", "9999-12-31", "9999-09-09", "1899-12-30", "1899-12-31"}
)
_MONTHS: Final = {month_abbr[number].lower(): number for number in range(1, 13)}
_YEAR_FIRST: Final = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?")
_COMPACT: Final = re.compile(r"(\d{4})(\d\d)(\d\d)")
_YEAR_LAST: Final = re.compile(r"(\d{1,2})\s*[-/. ]\s*(\d{1,2})\s*[-/. ]\s*(\d{4}|\d\d)")
_DAY_NAMED: Final = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?(?: of)?[-/. ]*([a-z]{3,9})[-/., ]*(\d{4}|\d\d)")
_MONTH_NAMED: Final = re.compile(r"([a-z]{3,9})[-/. ]*(\d{1,2})(?:st|nd|rd|th)?[-/., ]+(\d{4}|\d\d)")
_TIME: Final = re.compile(r"[T ]\d{1,2}:\d\d(:\d\d(\.\d+)?)?\s*(?:[AaPp][Mm])?\s*(?:Z|[+-]\d\d:?\d\d)?$")
_YEAR: Final = re.compile(r"(?<!\d)(1\d{3}|20[012]\d)(?!\d)")

_EARLIEST_YEAR: Final = 1000
_DIGITS_OF_A_YEAR: Final = 4

_Parts = tuple[str, int, int]  # year as written, month, day


def read_birth_date(text: str, date_format: str | None, *, is_month_first: bool, today: date) -> tuple[Reading]:
    """Return the date of birth as ISO 8601.

    A year written with two digits is the last such year that is not after ``today``. A year alone, or a date whose day or month
    is unknown, is kept as given and is evidence of the year only (the feature has four characters).

    Args:
        text: A cleaned cell.
        date_format: The contract's strptime format, tried first.
        is_month_first: Whether 03/04/1980 is the fourth of March; the other order is taken where this one is impossible.
        today: No birth date is later.
    """
    written = _TIME.sub("", text).strip()
    if written in _PLACEHOLDERS:
        return (Reading(None, rule=PLACEHOLDER),)
    candidates = _by_format(written, date_format) or _by_known_forms(written, is_month_first=is_month_first)
    for parts in candidates:
        if found := _as_date(*parts, today):
            return (_judge(found, today),)
    return (_without_date(text, has_form=bool(candidates)),)


def _by_format(text: str, date_format: str | None) -> list[_Parts]:
    if date_format is None:
        return []
    try:
        found = datetime.strptime(text, date_format)  # noqa: DTZ007 - a day of the calendar has no zone
    except ValueError:
        return []
    has_century = "%y" not in date_format
    return [(f"{found.year:04}" if has_century else f"{found.year % 100:02}", found.month, found.day)]


def _by_known_forms(text: str, *, is_month_first: bool) -> list[_Parts]:
    if found := _YEAR_FIRST.fullmatch(text) or _COMPACT.fullmatch(text):
        return [(found[1], int(found[2]), int(found[3]))]
    if found := _YEAR_LAST.fullmatch(text):
        orders: list[_Parts] = [(found[3], int(found[1]), int(found[2])), (found[3], int(found[2]), int(found[1]))]
        return orders if is_month_first else orders[::-1]
    folded = fold(text)
    if (found := _DAY_NAMED.fullmatch(folded)) and found[2][:3] in _MONTHS:
        return [(found[3], _MONTHS[found[2][:3]], int(found[1]))]
    if (found := _MONTH_NAMED.fullmatch(folded)) and found[1][:3] in _MONTHS:
        return [(found[3], _MONTHS[found[1][:3]], int(found[2]))]
    return []


def _as_date(year: str, month: int, day: int, today: date) -> date | None:
    if len(year) == _DIGITS_OF_A_YEAR:
        return _calendar(int(year), month, day)
    found = _calendar(today.year // 100 * 100 + int(year), month, day)
    if found is None or found > today:
        return _calendar(today.year // 100 * 100 - 100 + int(year), month, day)
    return found


def _calendar(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if year >= _EARLIEST_YEAR else None
    except ValueError:
        return None


def _judge(found: date, today: date) -> Reading:
    iso = found.isoformat()
    if iso in _PLACEHOLDERS:
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
