"""Masks: enough of a value to recognise it by, not enough to learn it. Masked is the default everywhere."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

import phonenumbers

HIDDEN: Final = "***"
_SHORTEST_SHOWN: Final = 3  # characters of a word whose first one is shown: of two, one is half of it
_TOP_LEVEL_DOMAIN: Final = re.compile(r"[a-z]{2,4}", re.IGNORECASE | re.ASCII)
_E164: Final = re.compile(r"\+([1-9][0-9]{5,18})")
_DATE: Final = re.compile(r"([0-9]{4})-[0-9]{2}-[0-9]{2}")
_IDENTIFIER: Final = re.compile(r"\S*([0-9][0-9Xx])")  # the check character of a Chinese resident id may be an X
_FEWEST_DIGITS: Final = 9  # of a number whose last four are shown: five stay hidden
_LAST_DIGITS: Final = 4
_SHORTEST_IDENTIFIER: Final = 7
_NON_GEOGRAPHIC: Final = "001"  # where phonenumbers keeps the plans of no country
_USUAL_GROUPS: Final = 2


def mask(attribute: str, value: str) -> str:
    """Return a value of a golden attribute, masked.

    Args:
        attribute: Which; one without a mask of its own shows the first character of each word of three or more, unless that is
            a digit.
        value: The readable value.
    """
    return _MASKS.get(attribute, _mask_words)(value)


def _mask_words(value: str) -> str:
    return " ".join(_initial(word) + HIDDEN for word in value.split()) or HIDDEN


def _initial(word: str) -> str:
    """Return the first character of a word that has enough others to hide behind; never a digit."""
    is_long = sum(map(str.isalnum, word)) >= _SHORTEST_SHOWN
    return word[0] if is_long and word[0].isalpha() else ""


def _mask_email(value: str) -> str:
    local, at, domain = value.partition("@")
    if not at:
        return HIDDEN
    name, dot, end = domain.rpartition(".")
    host = f"{_initial(name)}{HIDDEN}{dot}" if dot else ""
    # What is no address may have a name where the top-level domain would be.
    shown_end = end if dot and _TOP_LEVEL_DOMAIN.fullmatch(end) else HIDDEN
    return f"{_initial(local)}{HIDDEN}@{host}{shown_end}"


def _mask_phone(value: str) -> str:
    """Show the country code and the last four digits, in as many groups as numbers of that country are written in."""
    number = _E164.fullmatch(value)
    code = None if number is None else _country_code(number[1])
    if number is None or code is None:
        digits = re.sub(r"[^0-9]", "", value)
        return f"{HIDDEN} {digits[-_LAST_DIGITS:]}" if len(digits) >= _FEWEST_DIGITS else HIDDEN
    national = number[1].removeprefix(code)
    last = national[-_LAST_DIGITS:] if len(national) >= _FEWEST_DIGITS else HIDDEN
    return " ".join([f"+{code}", *[HIDDEN] * (_group_count(code) - 1), last])


def _country_code(digits: str) -> str | None:
    """Return the country calling code (ITU-T E.164); none is the beginning of another."""
    known = (digits[:length] for length in (1, 2, 3) if int(digits[:length]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
    return next(known, None)


@cache
def _group_count(country_code: str) -> int:
    """Return in how many groups phonenumbers writes the example number of a country; of the number itself this tells nothing."""
    region = phonenumbers.region_code_for_country_code(int(country_code))
    if region == _NON_GEOGRAPHIC:
        example = phonenumbers.example_number_for_non_geo_entity(int(country_code))
    else:
        example = phonenumbers.example_number(region)
    if example is None:
        return _USUAL_GROUPS
    written = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return len(re.findall(r"[0-9]+", written)) - 1


def _mask_date(value: str) -> str:
    date = _DATE.fullmatch(value)
    return f"{date[1]}-**-**" if date else HIDDEN


def _mask_identifier(value: str) -> str:
    ending = _IDENTIFIER.fullmatch(value)
    return f"{HIDDEN}{ending[1]}" if ending and len(value) >= _SHORTEST_IDENTIFIER else HIDDEN


def _hide(_: str) -> str:
    return HIDDEN


_MASKS: Final[Mapping[str, Callable[[str], str]]] = {
    "email": _mask_email,
    "phone": _mask_phone,
    "birth_date": _mask_date,
    "national_id": _mask_identifier,
    "tax_id": _mask_identifier,
    **dict.fromkeys(("gender", "consent", "country", "industry_code", "language"), _hide),  # one character of a code tells it
}
