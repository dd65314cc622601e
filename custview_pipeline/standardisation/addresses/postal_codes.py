"""Postal codes by country: which form they have, how they are written, and where they stand in a line."""

import re
from functools import cache
from typing import Final

# Sources: Universal Postal Union, addressing units of each country.
_FORMS: Final[dict[str, str]] = {
    "US": r"\d{5}(?:-?\d{4})?",
    "GB": r"(?:GIR ?0AA|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})",
    "AU": r"\d{4}",
    "CN": r"\d{6}",
    "CA": r"[ABCEGHJ-NPRSTVXY]\d[A-Z][ -]?\d[A-Z]\d",
    "DE": r"\d{5}",
    "FR": r"\d{5}",
    "ES": r"\d{5}",
    "IT": r"\d{5}",
    "NL": r"\d{4} ?[A-Z]{2}",
    "BE": r"\d{4}",
    "AT": r"\d{4}",
    "CH": r"\d{4}",
    "DK": r"\d{4}",
    "NO": r"\d{4}",
    "SE": r"\d{3} ?\d{2}",
    "FI": r"\d{5}",
    "PL": r"\d{2}-?\d{3}",
    "IE": r"[A-Z]\d[\dW] ?[A-Z\d]{4}",
    "NZ": r"\d{4}",
    "JP": r"\d{3}-?\d{4}",
    "KR": r"\d{5}",
    "IN": r"\d{3} ?\d{3}",
    "SG": r"\d{6}",
    "BR": r"\d{5}-?\d{3}",
    "MX": r"\d{5}",
    "ZA": r"\d{4}",
    "PT": r"\d{4}-?\d{3}",
    "TW": r"\d{3}(?:\d{2,3})?",
}
CODE_BEFORE_CITY: Final = frozenset(
    ["DE", "FR", "ES", "IT", "NL", "BE", "AT", "CH", "DK", "NO", "SE", "FI", "PL", "MX", "PT", "BR"]
)
_STATES: Final[dict[str, str]] = {
    "AU": "NSW|VIC|QLD|ACT|TAS|SA|NT|WA",
    "CA": "AB|BC|MB|NB|NL|NS|NT|NU|ON|PE|QC|SK|YT",
}
_US_LENGTH: Final = 5
INWARD_LENGTH: Final = 3


def postal_code_form(country: str) -> str:
    """Return the pattern of a country's postal codes in capitals."""
    return _FORMS.get(country, r"[A-Z0-9][A-Z0-9 -]{1,9}")


def postal_code_at_the_end(country: str) -> str | None:
    """Return the pattern, case apart, of a postal code (its first group) at the end of a line; None where no form is known."""
    form = _FORMS.get(country)
    return rf"(?:^|[\s,]+)({form})\s*[,.]?\s*$" if form else None


def state_at_the_end(country: str) -> str | None:
    """Return the pattern, case apart, of a state's code (its first group) at the end of a line; None where there are none."""
    codes = _STATES.get(country)
    return rf"[\s,]+({codes})$" if codes else None


@cache
def _whole(country: str) -> re.Pattern[str]:
    return re.compile(postal_code_form(country), re.ASCII)


@cache
def _at_the_end(country: str) -> re.Pattern[str] | None:
    pattern = postal_code_at_the_end(country)
    return re.compile(pattern, re.ASCII | re.IGNORECASE) if pattern else None


def write_postal_code(text: str, country: str) -> tuple[str, bool]:
    """Return a postal code as its country writes it, and whether it has that country's form.

    A US ZIP code that lost its leading zeros to a spreadsheet gets them back.
    """
    code = " ".join(text.upper().split())
    if country == "US":
        code = re.sub(r"[^0-9A-Z-]", "", code).removesuffix("-")
        code = code.zfill(_US_LENGTH) if code.isdigit() and len(code) in {_US_LENGTH - 1, _US_LENGTH - 2} else code
        code = f"{code[:5]}-{code[5:]}" if code.isdigit() and len(code) == 9 else code  # noqa: PLR2004 - ZIP+4
    bare = code.replace(" ", "")
    if country == "GB" and len(bare) > INWARD_LENGTH + 1:
        code = f"{bare[:-INWARD_LENGTH]} {bare[-INWARD_LENGTH:]}"
    return code, _whole(country).fullmatch(code) is not None


@cache
def _before_the_city(country: str) -> re.Pattern[str]:
    return re.compile(rf"(?:^|(?<=, ))(?:{country}?-)?({_FORMS[country]}) (?=[^\d,]+$)", re.ASCII | re.IGNORECASE)


def take_postal_code(line: str, country: str) -> tuple[str, str | None]:
    """Return the line without the postal code at its end (or before the city there), and the code; None where there is none."""
    pattern = _at_the_end(country)
    if pattern is None:
        return line, None
    if found := pattern.search(line):
        return line[: found.start()].rstrip(" ,"), found[1]
    if country in CODE_BEFORE_CITY and (found := _before_the_city(country).search(line)):
        return line[: found.start()] + line[found.end() :], found[1]
    return line, None


def take_state(line: str, country: str) -> tuple[str, str | None]:
    """Return the line without the state or province at its end, and its code; None where there is none."""
    pattern = state_at_the_end(country)
    found = re.search(pattern, line, re.IGNORECASE) if pattern else None
    return (line[: found.start()], found[1].upper()) if found else (line, None)
