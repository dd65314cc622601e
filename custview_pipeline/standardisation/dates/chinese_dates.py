"""Dates in Chinese signs: with digits or numerals (一九八五年三月十二日), by the Common Era or another (民國74年, 昭和60年)."""

import re
from typing import Final

_DIGITS: Final = {
    "\u3007": 0,
    "\u25cb": 0,
    "零": 0,
    **{numeral: value for value, numeral in enumerate("一二三四五六七八九", start=1)},
}
_TENS: Final = {"十": 10, "廿": 20, "卅": 30}
_NUMBER: Final = f"(\\d{{1,4}}|[{''.join(_DIGITS)}{''.join(_TENS)}元百]{{1,6}})"
# The year before the first of an era: 民國元年 is 1912; of Japan's reigns 昭和 began in 1926, 平成 in 1989, 令和 in 2019.
_BEFORE_FIRST: Final = {"民国": 1911, "民國": 1911, "明治": 1867, "大正": 1911, "昭和": 1925, "平成": 1988, "令和": 2018}
_DATE: Final = re.compile(
    rf"(中[华華](?=民))?({'|'.join(_BEFORE_FIRST)})?\s*{_NUMBER}\s*年\s*{_NUMBER}\s*月\s*{_NUMBER}\s*[日号號]?", re.ASCII
)
_BELOW_200: Final = re.compile(
    "(?P<hundred>一?百[零\u3007]?)?(?:(?P<tens>[一二三四五六七八九])?(?P<ten>[十廿卅]))?(?P<one>[一二三四五六七八九])?"
)
_YEAR_DIGITS: Final = (2, 4)


def read_chinese_date(text: str) -> tuple[str, int, int] | None:
    """Return the year as written (two or four digits), month and day; None where the text is no such date."""
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day = (_number(found[place]) for place in (3, 4, 5))
    if year is None or month is None or day is None:
        return None
    if found[2]:
        return f"{int(year) + _BEFORE_FIRST[found[2]]:04}", int(month), int(day)
    return (year, int(month), int(day)) if len(year) in _YEAR_DIGITS else None


def _number(text: str) -> str | None:
    """Return the digits of a number: 12, 一二, 十二, 二十, 廿三, 元 (the first)."""
    if text.isdecimal():
        return text
    if text == "元":
        return "1"
    if all(numeral in _DIGITS for numeral in text):
        return "".join(str(_DIGITS[numeral]) for numeral in text)
    return _tens(text)


def _tens(text: str) -> str | None:
    found = _BELOW_200.fullmatch(text)
    if found is None or (found["tens"] and found["ten"] != "十"):
        return None
    hundred = 100 if found["hundred"] else 0
    ten = _DIGITS.get(found["tens"], 1) * _TENS[found["ten"]] if found["ten"] else 0
    return str(hundred + ten + _DIGITS.get(found["one"], 0))
