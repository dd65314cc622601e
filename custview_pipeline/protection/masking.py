"""Masks: enough of a value to recognise it by, not enough to learn it. Masked is the default everywhere."""

import re
from collections.abc import Callable, Mapping
from typing import Final

HIDDEN: Final = "***"
_SHORTEST_SHOWN: Final = 3  # characters of a word whose first one is shown: of two, one is half of it
_TOP_LEVEL_DOMAIN: Final = re.compile(r"[a-z]{2,4}", re.IGNORECASE | re.ASCII)


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
    digits = re.sub(r"\D", "", value)
    return f"{HIDDEN} {digits[-4:]}" if len(digits) > len("12345678") else HIDDEN


def _mask_date(value: str) -> str:
    return f"{value[:4]}-**-**" if re.match(r"\d{4}-", value) else HIDDEN


def _mask_identifier(value: str) -> str:
    return f"{HIDDEN}{value[-2:]}" if len(value) > len("123456") else HIDDEN


def _hide(_: str) -> str:
    return HIDDEN


_MASKS: Final[Mapping[str, Callable[[str], str]]] = {
    "email": _mask_email,
    "phone": _mask_phone,
    "birth_date": _mask_date,
    "national_id": _mask_identifier,
    "tax_id": _mask_identifier,
    **dict.fromkeys(("gender", "consent", "country", "industry_code"), _hide),  # one character of a code tells it
}
