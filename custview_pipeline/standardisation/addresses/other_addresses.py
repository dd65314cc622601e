"""Postal addresses in Latin letters outside the United States: lines, of which street, city, region and postal code are told."""

import re
from functools import cache, lru_cache
from typing import Final, NamedTuple

from custview_pipeline.standardisation.addresses.postal_codes import (
    CODE_BEFORE_CITY,
    take_postal_code,
    take_state,
    write_postal_code,
)
from custview_pipeline.standardisation.addresses.regions import BRITISH_COUNTIES, CHINESE_CITIES, CHINESE_PROVINCES, COUNTRY_NAMES
from custview_pipeline.standardisation.addresses.street_grammar import STREET_TYPES, ComparableAddress, read_street, squeeze
from custview_pipeline.standardisation.text import fold, has_uniform_case, word_set

# Countries that write the house number after the street.
_HOUSE_NUMBER_LAST: Final = word_set("DE AT CH NL BE ES IT PL CZ SK HU DK SE NO FI PT BR MX TR")
LONGEST_STATE_CODE: Final = 3
_HOUSE: Final = re.compile(
    r"(?:(?P<unit>(?:flat|apt\.?|apartment|unit|suite|ste\.?|shop|level)\s+\w+)[,/ ]+|(?P<flat>\w{1,5})/)?"
    r"(?:no\.?\s*|nr\.?\s*)?(?P<house>\d+[a-z]?(?:-\d+[a-z]?)*(?:\s(?:bis|ter)\b)?),?\s+(?P<street>\D.*)$",
    re.IGNORECASE,
)
_NUMBER_LAST: Final = re.compile(r"(?P<street>[^\d,]{2,}?)\s+(?P<house>\d+\s?[a-zA-Z]?(?:-\w+)?)(?P<unit>$)(?P<flat>$)")
UNIT: Final = re.compile(r"(?:flat|apt\.?|apartment|unit|suite|ste\.?|room|rm\.?|floor|level|shop)\b", re.IGNORECASE)
BUILDING: Final = re.compile(r"(?:building|bldg\.?|block|tower)\s+\w+$", re.IGNORECASE)
_DISTRICT: Final = re.compile(r".* (?:district|county|new area)$", re.IGNORECASE)
_PO_BOX: Final = re.compile(r"(?:p\.?\s?o\.?\s?box|gpo box|locked bag|private bag)\s+(\w+)$", re.IGNORECASE)
_ALWAYS_CAPITALS: Final = word_set("nsw vic qld act tas nt wa po gpo")
_DIGITS: Final = re.compile(r"\d+")
_NOT_IN_CODE: Final = re.compile(r"[^a-z0-9]+")
LONGEST_CODE: Final = 9
_GERMAN: Final = word_set("DE AT CH")
_SHORT_STREET: Final = re.compile(r"str$")
# As the signs of Chinese streets write the directions that their English renderings translate.
_PINYIN: Final = {"east": "dong", "south": "nan", "west": "xi", "north": "bei", "middle": "zhong", "central": "zhong"}


class Place(NamedTuple):
    """Columns of their own beside a line."""

    city: str | None
    region: str | None
    postal_code: str | None


class AddressReading(NamedTuple):
    """An address as shown and compared; ``rule`` names the field standard that it breaks, None where it keeps all."""

    parts: dict[str, str]
    display: str
    rule: str | None
    compared: ComparableAddress


def read_other_address(line: str, place: Place, country: str) -> AddressReading:
    """Read an address in Latin letters.

    Args:
        line: Street line or whole address, commas for line breaks; may be empty.
        place: What the source has in columns of its own.
        country: ISO 3166 alpha-2.
    """
    bare = _take_country(line, country)
    bare, code = (bare, place.postal_code) if place.postal_code else take_postal_code(bare, country)
    bare, state = (bare, place.region) if place.region else take_state(bare, country)
    lines = [in_title_case(" ".join(part.split())) for part in bare.split(",") if part.strip()]
    parts = _divide(lines, country)
    _name_place(parts, lines, place, country)
    if state:
        parts["region"] = state.upper() if len(state) <= LONGEST_STATE_CODE else in_title_case(state)
    rule = None if "street" in parts or "po_box" in parts or not line else "not_an_address"
    if code:
        parts["postal_code"], is_valid = write_postal_code(code, country)
        rule = rule or (None if is_valid else "not_a_postal_code")
    return AddressReading(
        parts, _show(lines, parts, has_city=bool(place.city), country=country), rule, _compare(lines, parts, country)
    )


def _take_country(line: str, country: str) -> str:
    pattern = country_at_the_end(country)
    return pattern.sub("", line) if pattern else line


@cache
def country_at_the_end(country: str) -> re.Pattern[str] | None:
    """Return the pattern of a country's own name at the end of a line; None where it has none."""
    names = COUNTRY_NAMES.get(country)
    return re.compile(rf",\s*(?:{names})\.?$", re.IGNORECASE) if names else None


def _divide(lines: list[str], country: str) -> dict[str, str]:
    """Return house_number, street, unit, building, district and po_box, as far as lines name them."""
    parts: dict[str, str] = {}
    for line in lines:
        if "street" not in parts and (found := _match_street(line, country)):
            parts["house_number"], parts["street"] = found["house"], found["street"]
            if unit := found["unit"] or found["flat"]:
                parts["unit"] = unit
        elif kind := _kind_of(line, country):
            parts[kind] = line
        elif box := _PO_BOX.match(line):
            parts["po_box"] = box[1]
    if "street" not in parts and "po_box" not in parts:
        street = next((line for line in lines if _names_street(line)), None)
        parts.update({"street": street} if street else {})
    return parts


@lru_cache(100_000)
def _kind_of(line: str, country: str) -> str | None:
    """Return which part a line is by the word that says so."""
    if UNIT.match(line):
        return "unit"
    if BUILDING.match(line):
        return "building"
    return "district" if country == "CN" and _DISTRICT.match(line) else None


@lru_cache(100_000)
def _names_street(line: str) -> bool:
    return not STREET_TYPES.isdisjoint(fold(line).replace(".", "").split()[1:])


def _match_street(line: str, country: str) -> re.Match[str] | None:
    if not _DIGITS.search(line):
        return None
    return (_NUMBER_LAST.match(line) if country in _HOUSE_NUMBER_LAST else None) or _HOUSE.match(line)


def _name_place(parts: dict[str, str], lines: list[str], place: Place, country: str) -> None:
    """Add city, and the region where the last line is one."""
    last = len(lines) - 1
    if place.city:
        parts["city"] = in_title_case(place.city)
        return
    if not place.region and last > 0 and _is_region(lines[last], country):
        parts["region"] = lines[last]
        last -= 1
    if last > 0 and _kind_of(lines[last], country) is None:
        parts["city"] = lines[last]


@lru_cache(100_000)
def _is_region(line: str, country: str) -> bool:
    name = squeeze(fold(line))
    return name in BRITISH_COUNTIES if country == "GB" else country == "CN" and name.removesuffix("province") in CHINESE_PROVINCES


def _show(lines: list[str], parts: dict[str, str], *, has_city: bool, country: str) -> str:
    """Return the address in one line: the lines, what columns add, and the postal code where the country writes it."""
    code = parts.get("postal_code")
    shown = [*lines, parts["city"]] if has_city else lines
    is_region_in_line = "region" in parts and parts["region"] in lines
    if code and country in CODE_BEFORE_CITY and "city" in parts and "region" not in parts:
        return ", ".join([*shown[:-1], f"{code} {shown[-1]}"])
    if "region" in parts and not is_region_in_line:
        shown = [*shown, parts["region"]]
    line = ", ".join(shown)
    return f"{line} {code}".strip() if code else line


def _compare(lines: list[str], parts: dict[str, str], country: str) -> ComparableAddress:
    """Return what is compared: of what has no house number, the first line that is neither unit nor building."""
    unit = read_unit(parts["unit"]) if "unit" in parts else None
    code = _NOT_IN_CODE.sub("", fold(parts["postal_code"]))[:LONGEST_CODE] or None if "postal_code" in parts else None
    city = _compare_city(parts["city"], country) if "city" in parts else None
    if "po_box" in parts and "street" not in parts:
        return ComparableAddress(parts["po_box"].lower(), "pobox", None, city, code)
    house = _DIGITS.search(parts["house_number"]) if "house_number" in parts else None
    named = (line for line in lines if _kind_of(line, country) is None)
    street = read_street_of(parts["street"] if house else next(named, ""), country)
    return ComparableAddress(house[0] if house else None, street[0], unit or street[1], city, code)


@lru_cache(100_000)
def read_unit(text: str) -> str | None:
    """Return the number of a unit, its last word where it has none."""
    words = fold(text).split()
    word = next((word for word in words if _DIGITS.search(word)), words[-1] if words else "")
    return _NOT_IN_CODE.sub("", word) or None


@lru_cache(100_000)
def _compare_city(text: str, country: str) -> str | None:
    letters = squeeze(fold(text))
    return (CHINESE_CITIES.get(letters, letters) if country == "CN" else letters) or None


@lru_cache(100_000)
def read_street_of(text: str, country: str) -> tuple[str | None, str | None]:
    """Return what is compared of a street without its house number, and of a unit behind it."""
    folded = " ".join(fold(text).replace(".", " ").split())
    if country == "CN":
        folded = " ".join(_PINYIN.get(word, word) for word in folded.split())
    if country in _GERMAN:
        folded = _SHORT_STREET.sub("strasse", folded)
    street = read_street(folded, is_us=False, may_hold_city=False)
    return street.name or None, street.unit


@lru_cache(100_000)
def in_title_case(text: str) -> str:
    """Return text that is all capitals or has none with a capital for each word; other text unchanged."""
    if not has_uniform_case(text):
        return text
    return " ".join(_cased(word) for word in text.split())


def _cased(word: str) -> str:
    if word.lower() in _ALWAYS_CAPITALS:
        return word.upper()
    return "-".join(piece.capitalize() for piece in word.split("-"))
