"""Postal addresses of any country: whole lines or columns of parts become one line, its parts, and what is compared."""

import re
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.standardisation.addresses.chinese_addresses import (
    comparable_chinese_address,
    is_real_chinese_address,
    parse_chinese_address,
    show_chinese_address,
)
from custview_pipeline.standardisation.addresses.other_addresses import AddressReading, Place, read_other_address
from custview_pipeline.standardisation.addresses.postal_codes import write_postal_code
from custview_pipeline.standardisation.addresses.street_grammar import comparable_address, compare_parts
from custview_pipeline.standardisation.addresses.us_addresses import parse_us_address, spell_part
from custview_pipeline.standardisation.text import comparable_text, has_han, to_json

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
# With the territories and the associated states that ZIP codes serve.
UNITED_STATES: Final = ("US", "PR", "GU", "VI", "AS", "MP", "FM", "MH", "PW")
LINE_BREAKS: Final = re.compile(r"[ ,]*\n[ ,\n]*")
UNIT: Final = re.compile(r"^(?:flat|apt\.?|apartment|unit|suite|ste\.?|room|floor|level|shop)\b", re.IGNORECASE)


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
        if self.street_name and has_han(self.street_name):
            return self._chinese_line(self.street_name)
        street = " ".join(part for part in (self.house_number, self.street_name) if part)
        box = f"PO Box {re.sub(r'(?i)^p[. ]*o[. ]*box *', '', self.po_box)}" if self.po_box else None
        return ", ".join(part for part in (street, self._unit_with_type, box) if part)

    def _chinese_line(self, street: str) -> str:
        """Return the line as Chinese is written: the number behind the street, and closed by its own character."""
        number = self.house_number or ""
        closed = f"{number}号" if number.isdigit() else number
        return " ".join(part for part in (f"{street}{closed}", self.unit, self.po_box) if part)

    @property
    def _unit_with_type(self) -> str | None:
        if self.unit is None or not re.fullmatch(r"[#\w-]{1,6}", self.unit) or UNIT.match(self.unit):
            return self.unit
        return f"Unit {self.unit.lstrip('#')}"


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
    line = LINE_BREAKS.sub(", ", line) if "\n" in line else line
    if not (line or address.city or address.postal_code or address.region):
        return []
    if has_han(line) or (not line and has_han(address.city or "")):
        found = _read_chinese(address, line)
    elif country in UNITED_STATES:
        found = _read_us(address, line)
    else:
        found = read_other_address(line, Place(address.city, address.region, address.postal_code), country)
    extension = found.parts.get("postal_code_extension")
    key = comparable_text(found.display.removesuffix(f"-{extension}") if extension else found.display)
    parts = {**found.parts, "country": country}
    return [(found.display, key, found.rule, to_json(parts), max(1, len(found.parts)), *found.compared)]


def _read_chinese(cells: AddressCells, line: str) -> AddressReading:
    columns = "".join(part for part in (cells.region, cells.city) if part and has_han(part) and part not in line)
    parts = parse_chinese_address(columns + line)
    if cells.postal_code:
        parts["postal_code"] = cells.postal_code
    is_whole = bool(parts.keys() & {"region", "city", "district"} and parts.keys() & {"street", "building", "town"})
    rule = None if is_whole and is_real_chinese_address(parts) else "not_an_address"
    return AddressReading(parts, show_chinese_address(parts), rule, comparable_chinese_address(parts))


def _read_us(cells: AddressCells, line: str) -> AddressReading:
    parsed = parse_us_address(line) if line else {}
    parts = dict(parsed or {})
    if cells.city:
        parts["city"] = spell_part("city", cells.city)
    if cells.region:
        parts["region"] = spell_part("region", cells.region)
    rule = "not_an_address" if parsed is None else None
    if cells.postal_code:
        code, is_valid = write_postal_code(cells.postal_code, "US")
        parts["postal_code"], _, extension = code.partition("-")
        parts["postal_code_extension"] = extension or parts.get("postal_code_extension", "")
        rule = rule or (None if is_valid else "not_a_postal_code")
    parts = {part: text for part, text in parts.items() if text}
    if parsed is not None:
        return AddressReading(parts, show_us_address(parts), rule, compare_parts(parts))
    compared = comparable_address(line, cells.city, cells.region, parts.get("postal_code") if cells.postal_code else None)
    return AddressReading(parts, show_us_address(parts, line), rule, compared)


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
