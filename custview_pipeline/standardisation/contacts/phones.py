"""Telephone numbers: phonenumbers' answer in E.164, and digits that can be compared even where the number is not valid."""

import re
from collections.abc import Iterator
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
_NO_NUMBER: Final = "not_a_phone_number"
EXTENSION_WORD: Final = r"(?:ext(?:ension|n)?|xtn?|x|#|app(?:arat)?|poste|ramal|interno|分机|分機|转|轉|内线|内線)"
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
_DIALLED_ABROAD: Final = re.compile(r"\(?\+?(?:00[ .-]*|011[ .-]+)(?=[1-9])")
# A nought in brackets is dialled at home only; phonenumbers leaves it out where the country has such a prefix.
_HOME_NOUGHT: Final = re.compile(r"(\(?\+[1-9]\d{0,2}\)?[ .-]*)\(0\)(?=[ .-]*[1-9])")
# What becomes of a number that was kept as a decimal: 4155552671.0, 4.155552671E9.
FLOAT: Final = r"^[0-9]{7,}\.0$"
_FLOAT: Final = re.compile(FLOAT, re.ASCII)
_POWER_OF_TEN: Final = re.compile(r"(\d)\.(\d+)E\+?(\d{1,2})", re.ASCII | re.IGNORECASE)
_MASKED: Final = re.compile(r"\*{2}|•|x{3}", re.IGNORECASE)
_LETTER: Final = re.compile("[A-Za-z]")
_LEAST_VANITY_LETTERS: Final = 3  # phonenumbers reads letters as digits from so many on
_HAS_WORDS: Final = re.compile(r"[^\W\d_]")
_LONGEST_NUMBER: Final = 15  # digits, of E.164
# In China the extension of a switchboard stands behind a hyphen.
_SWITCHBOARD: Final = re.compile(r"(.*\d)\s*-\s*(\d{1,5})")
_WITH_SWITCHBOARD: Final = frozenset({"fixed_line", "shared_cost"})
_LINES_OF_PLACES: Final = frozenset({"fixed_line", "mobile", "fixed_line_or_mobile"})
_NORTH_AMERICA: Final = "+1"
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
    if not pieces[1:] or any(len(_digits(piece)) < LEAST_DIGITS or _EXTENSION.match(piece) for piece in pieces):
        pieces = [text]
    return [reading for piece in pieces for reading in _read_piece(_NOTE.sub("", piece).strip() or piece, country)]


def _digits(text: str) -> str:
    return phonenumbers.normalize_digits_only(text)


def _read_piece(text: str, country: str) -> list[Reading]:
    reading = _read_one(text, country)
    return [reading] if reading.rule != _NO_NUMBER else _read_among_words(text, country) or [reading]


def _read_among_words(text: str, country: str) -> list[Reading]:
    """Return the numbers that phonenumbers finds in a text, if they hold all its digits and every one is valid."""
    digits = _digits(text)
    if _MASKED.search(text) or not (_HAS_WORDS.search(text) or len(digits) > _LONGEST_NUMBER):
        return []
    found = [match.raw_string for match in phonenumbers.PhoneNumberMatcher(text, country)]
    readings = [_read_one(number, country) for number in found]
    is_all = "".join(_digits(number) for number in found) == digits
    return readings if is_all and all(reading.rule != _NO_NUMBER for reading in readings) else []


def _read_one(text: str, country: str) -> Reading:
    written = _as_typed(text)
    if written is None or _MASKED.search(text):
        return Reading(text, text, None, _NO_NUMBER)
    found = _EXTENSION.search(written)
    base = written[: found.start()] if found else written
    digits = _digits(base)
    if _is_placeholder(digits):
        return Reading(None, rule=PLACEHOLDER)
    number = _find(base, country)
    if number and (_is_placeholder(number.national) or _is_placeholder(number.e164[1:])):
        return Reading(None, rule=PLACEHOLDER)
    if number and number.kind:
        return _valid(number, found[1] if found else number.extension)
    bare = number.national.lstrip("0") if number and "+" in base else _without_prefixes(digits, country)
    comparable = bare if len(bare) >= LEAST_DIGITS else None
    return Reading(text, comparable or text, comparable, _NO_NUMBER)


def _as_typed(text: str) -> str | None:
    """Return a number as it was before it was kept as a decimal; None where digits of it are lost."""
    if _FLOAT.fullmatch(text):
        return text.partition(".")[0]
    power = _POWER_OF_TEN.fullmatch(text)
    if power is None:
        return text
    digits = power[1] + power[2]
    return digits if len(digits) == int(power[3]) + 1 else None


def _find(text: str, country: str) -> _Number | None:
    number = _parse(text, country)
    if number and number.kind:
        return None if _is_made_of_words(text, number) else number
    others = (_parse(other, country) for other in _other_spellings(text))
    return next((other for other in others if other and other.kind), _at_switchboard(text, country) or number)


def _other_spellings(text: str) -> Iterator[str]:
    for form, start in ((_DIALLED_ABROAD, "+"), (_HOME_NOUGHT, r"\1")):
        # Written by someone who dials from elsewhere than the record's country.
        if form.match(text):
            yield form.sub(start, text, count=1)


def _is_made_of_words(text: str, number: _Number) -> bool:
    """Return whether letters became digits of a line that nobody dials by letters: 040 123456 privat.

    Abroad, numbers are spelled with letters for services alone (0800 FLOWERS); in North America for any line.
    """
    if number.kind not in _LINES_OF_PLACES or number.e164.startswith(_NORTH_AMERICA):
        return False
    return len(_LETTER.findall(text)) >= _LEAST_VANITY_LETTERS and number.national not in _digits(text)


def _at_switchboard(text: str, country: str) -> _Number | None:
    found = _SWITCHBOARD.fullmatch(text) if country == "CN" else None
    number = _parse(found[1], country) if found else None
    return number._replace(extension=found[2]) if found and number and number.kind in _WITH_SWITCHBOARD else None


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
