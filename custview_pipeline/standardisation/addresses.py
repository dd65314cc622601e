"""Postal addresses of any country: whole lines or columns of parts become one line, its parts, and what is compared."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.standardisation.chinese_addresses import (
    comparable_chinese_address,
    parse_chinese_address,
    show_chinese_address,
)
from custview_pipeline.standardisation.postal_codes import take_postal_code, take_state, write_postal_code
from custview_pipeline.standardisation.street_grammar import (
    HOUSE_NUMBER_LAST,
    STREET_TYPES,
    ComparableAddress,
    comparable_address,
)
from custview_pipeline.standardisation.text import comparable_text, fold, has_han, has_uniform_case, to_json, word_set
from custview_pipeline.standardisation.us_addresses import parse_us_address, spell_us_state

ADDRESS: Final = pl.Schema(
    {
        "value": pl.String(),
        "comparable": pl.String(),
        "rule": pl.String(),
        "parts": pl.String(),
        "part_count": pl.UInt8(),
        "house_number": pl.String(),
        "street": pl.String(),
        "unit": pl.String(),
        "city": pl.String(),
        "postal_code": pl.String(),
    }
)
_LONGEST_STATE_CODE: Final = 3
_UNITED_STATES: Final = frozenset({"US", "PR", "GU", "VI", "AS", "MP"})
_HOUSE: Final = re.compile(
    r"^(?:(?P<unit>(?:flat|apt\.?|apartment|unit|suite|ste\.?|shop|level)\s+\w+)[,/ ]+|(?P<flat>\w{1,5})/)?"
    r"(?P<house>\d+[a-z]?(?:-\d+[a-z]?)?),?\s+(?P<street>\D.*)$",
    re.IGNORECASE,
)
_NUMBER_LAST: Final = re.compile(r"^(?P<street>[^\d,]{2,}?)\s+(?P<house>\d+\s?[a-zA-Z]?(?:-\d+[a-zA-Z]?)?)(?P<unit>$)(?P<flat>$)")
_LINE_BREAKS: Final = re.compile(r"[ ,]*\n[ ,\n]*")
_UNIT: Final = re.compile(r"^(?:flat|apt\.?|apartment|unit|suite|ste\.?|room|floor|level|shop)\b", re.IGNORECASE)
_PO_BOX: Final = re.compile(r"^(?:p\.?\s?o\.?\s?box|gpo box|locked bag|private bag)\s+(\w+)$", re.IGNORECASE)
_ALWAYS_CAPITALS: Final = word_set("nsw vic qld act tas nt wa po gpo")


class AddressCells(NamedTuple):
    """The cells of one address."""

    address: str | None = None
    address_line1: str | None = None
    address_line2: str | None = None
    house_number: str | None = None
    street_name: str | None = None
    unit: str | None = None
    po_box: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None

    @property
    def line(self) -> str:
        """Return the street line, or the whole address where the source has it in one field."""
        if self.address or self.address_line1 or self.address_line2:
            return self.address or ", ".join(line for line in (self.address_line1, self.address_line2) if line)
        street = " ".join(part for part in (self.house_number, self.street_name) if part)
        box = f"PO Box {re.sub(r'(?i)^p[. ]*o[. ]*box *', '', self.po_box)}" if self.po_box else None
        return ", ".join(part for part in (street, self._unit_with_type, box) if part)

    @property
    def _unit_with_type(self) -> str | None:
        if self.unit is None or not re.fullmatch(r"[#\w-]{1,6}", self.unit) or _UNIT.match(self.unit):
            return self.unit
        return f"Unit {self.unit.lstrip('#')}"


class _Address(NamedTuple):
    parts: dict[str, str]
    display: str
    rule: str | None


def read_address(*cells: str | None) -> list[tuple[object, ...]]:
    """Return one tuple of ``ADDRESS``; none where every cell is empty.

    An address that is not understood is shown as given, breaks the rule ``not_an_address``, and is still compared as far
    as it goes.

    Args:
        cells: The fields of ``AddressCells``, then the country (ISO 3166 alpha-2).
    """
    *given, last = cells
    address, country = AddressCells(*given), last or ""
    line = address.line.strip(" ,")
    line = _LINE_BREAKS.sub(", ", line) if "\n" in line else line
    if not (line or address.city or address.postal_code or address.region):
        return []
    if has_han(line) or (not line and has_han(address.city or "")):
        found, compared = _read_chinese(address, line)
    elif country in _UNITED_STATES:
        found = _read_us(address, line)
        compared = comparable_address(
            line, address.city, address.region, found.parts.get("postal_code") if address.postal_code else None, "US"
        )
    else:
        found = _read_other(address, line, country)
        compared = comparable_address(
            _without_postal_code(address, line, country), address.city, address.region, found.parts.get("postal_code"), country
        )
    key = comparable_text(found.display.removesuffix(f"-{found.parts.get('postal_code_extension')}"))
    parts = {**found.parts, "country": country}
    return [(found.display, key, found.rule, to_json(parts), max(1, len(found.parts)), *_fill(compared, found.parts))]


def _fill(compared: ComparableAddress, parts: dict[str, str]) -> ComparableAddress:
    """Fill what the grammar left open from the parts as shown."""
    unit, city = compared.unit, compared.city
    if unit is None and "unit" in parts:
        unit = re.sub(r"[^a-z0-9]", "", fold(parts["unit"]).split(" ")[-1]) or None
    if city is None and "city" in parts:
        city = re.sub(r"[^a-z]", "", fold(parts["city"])) or None
    return compared._replace(unit=unit, city=city, postal_code=compared.postal_code or parts.get("postal_code"))


def _read_chinese(cells: AddressCells, line: str) -> tuple[_Address, ComparableAddress]:
    columns = "".join(part for part in (cells.region, cells.city) if part and has_han(part) and part not in line)
    parts = parse_chinese_address(columns + line)
    if cells.postal_code:
        parts["postal_code"] = cells.postal_code
    is_understood = bool(parts.keys() & {"region", "city", "district"} and parts.keys() & {"street", "building", "town"})
    return _Address(parts, show_chinese_address(parts), None if is_understood else "not_an_address"), comparable_chinese_address(
        parts
    )


def _read_us(cells: AddressCells, line: str) -> _Address:
    parsed = parse_us_address(line) if line else {}
    parts = dict(parsed or {})
    if cells.city:
        parts["city"] = in_title_case(cells.city)
    if cells.region:
        parts["region"] = spell_us_state(cells.region)
    rule = "not_an_address" if parsed is None else None
    if cells.postal_code:
        code, is_valid = write_postal_code(cells.postal_code, "US")
        parts["postal_code"], _, extension = code.partition("-")
        parts["postal_code_extension"] = extension or parts.get("postal_code_extension", "")
        rule = rule or (None if is_valid else "not_a_postal_code")
    parts = {part: text for part, text in parts.items() if text}
    return _Address(parts, show_us_address(parts, None if parsed is not None else line), rule)


def show_us_address(parts: dict[str, str], unread_line: str | None = None) -> str:
    """Return a United States address in one line, as on an envelope."""
    street = " ".join(
        parts.get(part, "") for part in ("house_number", "predirectional", "street", "suffix", "postdirectional", "unit")
    )
    box = f"PO Box {parts['po_box']}" if "po_box" in parts else ""
    code = "-".join(filter(None, (parts.get("postal_code"), parts.get("postal_code_extension"))))
    lines = (
        [unread_line]
        if unread_line is not None
        else [parts.get("recipient"), parts.get("building"), " ".join(street.split()), box]
    )
    return ", ".join(line for line in (*lines, parts.get("city"), " ".join(filter(None, (parts.get("region"), code)))) if line)


def _without_postal_code(cells: AddressCells, line: str, country: str) -> str:
    bare = line if cells.postal_code else take_postal_code(line, country)[0]
    return bare if cells.region else take_state(bare, country)[0]


def _read_other(cells: AddressCells, line: str, country: str) -> _Address:
    bare, code = (line, cells.postal_code) if cells.postal_code else take_postal_code(line, country)
    bare, state = (bare, None) if cells.region else take_state(bare, country)
    lines = [in_title_case(" ".join(part.split())) for part in bare.split(",") if part.strip()]
    parts = _parts_of_lines(lines, country)
    if cells.city or (len(lines) > 1 and not _UNIT.match(lines[-1])):
        parts["city"] = in_title_case(cells.city) if cells.city else lines[-1]
    if cells.region:
        parts["region"] = cells.region.upper() if len(cells.region) <= _LONGEST_STATE_CODE else in_title_case(cells.region)
    elif state:
        parts["region"] = state
    rule = None if parts.keys() & {"street", "po_box"} or not line else "not_an_address"
    if code:
        parts["postal_code"], is_valid = write_postal_code(code, country)
        rule = rule or (None if is_valid else "not_a_postal_code")
    columns = [parts[part] for part, cell in (("city", cells.city), ("region", cells.region or state)) if cell]
    return _Address(parts, " ".join(filter(None, (", ".join([*lines, *columns]), parts.get("postal_code")))), rule)


def _parts_of_lines(lines: list[str], country: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for line in lines:
        if box := _PO_BOX.match(line):
            parts["po_box"] = box[1]
        elif (found := _match_street(line, country)) and "street" not in parts:
            parts.update({name: text for name, text in (("house_number", found["house"]), ("street", found["street"])) if text})
            if unit := found["unit"] or found["flat"]:
                parts["unit"] = unit
        elif _UNIT.match(line):
            parts["unit"] = line
    if "street" not in parts and lines and re.search(r"[^\W\d]{3}", lines[0]) and "po_box" not in parts:
        street_first = next((line for line in lines if set(fold(line).replace(".", "").split()[1:]) & STREET_TYPES), None)
        parts.update({"street": street_first} if street_first else {})
    return parts


def _match_street(line: str, country: str) -> re.Match[str] | None:
    return (_NUMBER_LAST.match(line) if country in HOUSE_NUMBER_LAST else None) or _HOUSE.match(line)


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
