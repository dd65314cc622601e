"""Masks: enough of a value to recognise it by, not enough to learn it. Masked is the default everywhere."""

import re
from collections.abc import Callable, Mapping
from typing import Final

HIDDEN: Final = "***"


def mask(attribute: str, value: str) -> str:
    """Return a value of a golden attribute, masked.

    Args:
        attribute: Which; one without a mask of its own shows the first character of each word.
        value: The readable value.
    """
    return _MASKS.get(attribute, _mask_words)(value)


def _mask_words(value: str) -> str:
    return " ".join(f"{word[:1]}{HIDDEN}" for word in value.split()) or HIDDEN


def _mask_email(value: str) -> str:
    local, at, domain = value.partition("@")
    name, dot, rest = domain.rpartition(".")
    return f"{local[:1]}{HIDDEN}@{name[:1]}{HIDDEN}{dot}{rest}" if at else HIDDEN


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
    "gender": _hide,
}
