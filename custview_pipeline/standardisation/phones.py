"""Telephone numbers: phonenumbers' answer in E.164, and digits that can be compared even where the number is not valid."""

import re
from functools import cache, lru_cache
from typing import Final, NamedTuple

import phonenumbers
from phonenumbers import NumberParseException
from phonenumbers.phonemetadata import PhoneMetadata

from custview_pipeline.standardisation.field_standards import PLACEHOLDER
from custview_pipeline.standardisation.reading import Reading

LEAST_DIGITS: Final = 7
_NORTH_AMERICA: Final = frozenset(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[1])
_NORTH_AMERICAN: Final = re.compile(r"\s*(?:\+?1[ .-]?)?\(?([2-9]\d\d)\)?[ .\-/]{0,2}([2-9]\d\d)[ .-]?(\d{4})\s*", re.ASCII)
_CHINESE_MOBILE: Final = re.compile(r"\s*(?:\+86[ -]?)?(1(?!79)[3-9]\d)[ -]?(\d{4})[ -]?(\d{4})\s*", re.ASCII)
_EXTENSION: Final = re.compile(r"\s*[,;]?\s*(?:ext(?:ension|n)?|xtn?|x|#|分机|转)\.?\s*:?\s*(\d{1,6})\s*$", re.IGNORECASE)
_SEVERAL: Final = re.compile(r"\s*(?:[;|\n、]|,|\s/\s|\bor\b|\band\b|&)\s*", re.IGNORECASE)
_NOT_DIGITS: Final = re.compile(r"\D")
_NOTE: Final = re.compile(
    r"^[^\d+(]*:\s*|\s*\((?:home|work|mobile|cell|office|h|w|m|c|o|fax|main)\)\s*$|\s+(?:home|work|mobile|cell|office)$",
    re.IGNORECASE,
)
_COUNTING: Final = frozenset(
    {"1234567", "12345678", "123456789", "1234567890", "0123456789", "12345678901", "0987654321", "9876543210"}
)


class _Number(NamedTuple):
    e164: str
    national: str
    is_valid: bool


def read_phones(text: str, country: str) -> list[Reading]:
    """Return the telephone numbers of a cell; their feature is the national number's digits.

    An extension is left out of the value. A number that is not valid (one without area code, say) is kept as given and is still
    compared by its digits; all equal digits, 555-5555 or 1234567890 are placeholders.

    Args:
        text: One or several numbers.
        country: ISO 3166 alpha-2; where a number without country code is from.
    """
    if _NORTH_AMERICAN.fullmatch(text):
        return [_read_one(text, country)]
    pieces = [piece for piece in _SEVERAL.split(text) if piece]
    if len(pieces) == 1 or any(len(_digits(piece)) < LEAST_DIGITS for piece in pieces):
        pieces = [text]
    return [_read_one(_NOTE.sub("", piece).strip(), country) for piece in pieces]


def _digits(text: str) -> str:
    return _NOT_DIGITS.sub("", text)


def _read_one(text: str, country: str) -> Reading:
    number = _short_cut(text, country)
    base = text if number else _EXTENSION.sub("", text)
    digits = number.national if number else _digits(base)
    if _is_placeholder(digits):
        return Reading(None, rule=PLACEHOLDER)
    number = number or _short_cut(base, country) or _parse(base, country)
    if number is not None and number.is_valid:
        return Reading(number.e164, number.e164, number.national)
    bare = _without_prefixes(digits, country)
    comparable = bare if len(bare) >= LEAST_DIGITS else None
    return Reading(text, comparable or text, comparable, "not_a_phone_number")


def _is_placeholder(digits: str) -> bool:
    bare = digits.lstrip("0")
    if bare in _COUNTING or digits in _COUNTING or not bare:
        return bool(digits)
    return len(digits) >= LEAST_DIGITS and (len(set(digits[-LEAST_DIGITS:])) == 1 or digits[-10:] in _COUNTING)


def _short_cut(text: str, country: str) -> _Number | None:
    """Return phonenumbers' answer without asking it, for the commonest shapes of two numbering plans."""
    if found := _NORTH_AMERICAN.fullmatch(text):
        if country in _NORTH_AMERICA or text.lstrip().startswith("+"):
            national = found[1] + found[2] + found[3]
            return _Number(f"+1{national}", national, _north_american().fullmatch(national) is not None)
    elif (found := _CHINESE_MOBILE.fullmatch(text)) and (country == "CN" or text.lstrip().startswith("+")):
        national = found[1] + found[2] + found[3]
        return _Number(f"+86{national}", national, _chinese().fullmatch(national) is not None)
    return None


def _pattern(regions: tuple[str, ...], length: int) -> re.Pattern[str]:
    """Return what phonenumbers' own metadata accepts, so that a new release of it is followed."""
    kinds = (
        "premium_rate",
        "toll_free",
        "shared_cost",
        "voip",
        "personal_number",
        "pager",
        "uan",
        "voicemail",
        "fixed_line",
        "mobile",
    )
    found: dict[str, None] = {}
    for region in regions:
        metadata = PhoneMetadata.metadata_for_region(region)
        for description in (getattr(metadata, kind) for kind in kinds):
            if (
                description is not None
                and description.national_number_pattern
                and length in (description.possible_length or (length,))
            ):
                found[description.national_number_pattern] = None
    return re.compile("|".join(f"(?:{pattern})" for pattern in found), re.ASCII)


@cache
def _north_american() -> re.Pattern[str]:
    return _pattern(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[1], 10)


@cache
def _chinese() -> re.Pattern[str]:
    return _pattern(("CN",), 11)


@lru_cache(100_000)
def _parse(text: str, country: str) -> _Number | None:
    try:
        number = phonenumbers.parse(text, country)
    except NumberParseException:
        return None
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return _Number(e164, phonenumbers.national_significant_number(number), phonenumbers.is_valid_number(number))


def _without_prefixes(digits: str, country: str) -> str:
    bare = digits.lstrip("0")
    code = str(phonenumbers.country_code_for_region(country) or "")
    return bare[len(code) :] if code and len(bare) > 10 and bare.startswith(code) else bare  # noqa: PLR2004 - digits of a national number
