"""Telephone numbers: phonenumbers' answer in E.164, and digits that can be compared even where the number is not valid."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType
from phonenumbers.re_util import enable_pattern_cache

from custview_pipeline.standardisation.field_standards import PLACEHOLDER
from custview_pipeline.standardisation.reading import Reading
from custview_pipeline.standardisation.text import to_json

enable_pattern_cache()

LEAST_DIGITS: Final = 7
EXTENSION_WORD: Final = r"(?:ext(?:ension|n)?|xtn?|x|#|分机|转)"
_EXTENSION: Final = re.compile(rf"\s*[,;]?\s*(?<![^\W\d_]){EXTENSION_WORD}\.?\s*:?\s*(\d{{1,7}})\s*$", re.IGNORECASE)
_SEVERAL: Final = re.compile(r"\s*(?:[;|\n、,/]|\bor\b|\band\b|&|或)\s*", re.IGNORECASE)
_NOTE: Final = re.compile(
    r"^[^\d+(]*:\s*|\s*\((?:home|work|mobile|cell|office|h|w|m|c|o|fax|main)\)\s*$|\s+(?:home|work|mobile|cell|office)$",
    re.IGNORECASE,
)
_COUNTING: Final = ("1234567", "12345678", "123456789", "1234567890", "0123456789", "12345678901", "0987654321", "9876543210")
# China Mobile's top-up line, which Chinese forms are filled in with.
_KNOWN_LINES: Final = ("8613800138000", "13800138000")
FILLERS: Final = frozenset({*_COUNTING, *_KNOWN_LINES})
# The prefix of most countries; and North America's, set apart, for it also begins British and Indian numbers.
_DIALLED_ABROAD: Final = re.compile(r"\(?(?:00[ .-]*|011[ .-]+)(?=[1-9])")
_LONGEST_NATIONAL: Final = 10  # digits; a longer number begins with a calling code


class _Number(NamedTuple):
    e164: str
    national: str
    kind: str | None
    extension: str | None


def read_phones(text: str, country: str) -> list[Reading]:
    """Return the telephone numbers of a cell; their feature is the national number's digits.

    The parts of a valid number are ``number`` (the value: E.164), ``type`` (phonenumbers.number_type, in lower case) and
    ``extension``; the extension is in no other column. A number that is not valid (one without area code, say) is kept as given
    and is still compared by its digits. All equal digits, 555-5555 or 1234567890 are placeholders; 555-0100 to 555-0199, which
    are kept for fiction, are not: phonenumbers has them valid, invented data is full of them and tells customers apart by them.

    Args:
        text: One or several numbers.
        country: ISO 3166 alpha-2; where a number without country code is from.
    """
    pieces = [piece for piece in _SEVERAL.split(text) if piece]
    if len(pieces) == 1 or any(len(_digits(piece)) < LEAST_DIGITS or _EXTENSION.match(piece) for piece in pieces):
        pieces = [text]
    return [_read_one(_NOTE.sub("", piece).strip() or piece, country) for piece in pieces]


def _digits(text: str) -> str:
    return phonenumbers.normalize_digits_only(text)


def _read_one(text: str, country: str) -> Reading:
    found = _EXTENSION.search(text)
    base = text[: found.start()] if found else text
    digits = _digits(base)
    if _is_placeholder(digits):
        return Reading(None, rule=PLACEHOLDER)
    number = _find(base, country)
    if number and (_is_placeholder(number.national) or _is_placeholder(number.e164[1:])):
        return Reading(None, rule=PLACEHOLDER)
    if number and number.kind:
        return _valid(number, found[1] if found else number.extension)
    bare = number.national if number and "+" in base else _without_prefixes(digits, country)
    comparable = bare if len(bare) >= LEAST_DIGITS else None
    return Reading(text, comparable or text, comparable, "not_a_phone_number")


def _find(text: str, country: str) -> _Number | None:
    number = _parse(text, country)
    abroad = _DIALLED_ABROAD.match(text)
    if abroad and not (number and number.kind):
        # Written by someone who dials from elsewhere than the record's country.
        dialled = _parse(f"+{text[abroad.end() :]}", country)
        return dialled if dialled and dialled.kind else number
    return number


def _valid(number: _Number, extension: str | None) -> Reading:
    parts = {"number": number.e164, "type": number.kind, "extension": extension}
    return Reading(
        number.e164, number.e164, number.national, None, to_json(parts), sum(part is not None for part in parts.values())
    )


def _is_placeholder(digits: str) -> bool:
    bare = digits.lstrip("0")
    if bare in FILLERS or digits in FILLERS or not bare:
        return bool(digits)
    return len(digits) >= LEAST_DIGITS and (len(set(digits[-LEAST_DIGITS:])) == 1 or digits[-10:] in FILLERS)


@lru_cache(100_000)
def _parse(text: str, country: str) -> _Number | None:
    try:
        number = phonenumbers.parse(text, country)
    except NumberParseException:
        return None
    kind = phonenumbers.number_type(number)  # unknown is what phonenumbers.is_valid_number calls invalid
    return _Number(
        phonenumbers.format_number(number, PhoneNumberFormat.E164),
        phonenumbers.national_significant_number(number),
        None if kind == PhoneNumberType.UNKNOWN else PhoneNumberType.to_string(kind).lower(),
        number.extension,
    )


def _without_prefixes(digits: str, country: str) -> str:
    bare = digits.lstrip("0")
    code = str(phonenumbers.country_code_for_region(country) or "")
    return bare[len(code) :] if code and len(bare) > _LONGEST_NATIONAL and bare.startswith(code) else bare
