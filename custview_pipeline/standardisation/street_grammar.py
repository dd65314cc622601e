"""The comparable form of a postal address in Latin letters: one small grammar for every country.

Two records meet where both were read the same way, so a plain grammar that is always consistent serves matching better than the
best reading of each line, which ``us_addresses`` gives for display.
"""

import re
from typing import Final, NamedTuple

from custview_pipeline.standardisation.text import fold, word_set
from custview_pipeline.standardisation.us_spelling import STATES

STREET_TYPES: Final = word_set(
    """street st avenue ave av road rd drive dr lane ln court ct boulevard blvd way place pl circle cir terrace ter terr
    parkway pkwy highway hwy crescent cres close cl circuit cct grove gr parade pde loop trail trl square sq walk alley
    rise mews esplanade"""
)
DIRECTIONS: Final = word_set("""n s e w ne nw se sw north south east west northeast northwest southeast southwest""")
UNITS: Final = word_set("""apt apartment unit ste suite flat lot room rm floor fl no penthouse bldg building trlr""")
_SILENT: Final = frozenset({"blk", "of"})
_BOX_STREET: Final = "pobox"
_US_ZIP: Final = re.compile(r"\b(\d{5})(-\d{4})?(,? (usa?|united states))?$")
_US_STATE: Final = re.compile(r"[ ,]([a-z]{2})$")
_PO_BOX: Final = re.compile(r"\bp ?o ?box (\w+)")
_RURAL_ROUTE: Final = re.compile(r"\b(rr|hc|sr) ?(\d+),? box (\w+)")
_LEADING_UNIT: Final = re.compile(r"(?:flat|apt|apartment|unit|suite|ste|shop)\s+(\w+)\s*[,/ ]\s*(?=\d)|(\w{1,5})/(?=\d+ )")
# Countries that write the house number after the street.
HOUSE_NUMBER_LAST: Final = frozenset(
    ["DE", "AT", "CH", "NL", "BE", "ES", "IT", "PL", "CZ", "SK", "HU", "DK", "SE", "NO", "FI", "PT", "BR", "MX", "TR"]
)
_NUMBER_LAST: Final = re.compile(r"^([^,\d]+?),? (\d+) ?[a-z]?(?=$|,| )")
_HOUSE: Final = re.compile(r"(?:^|, ?|\b)(\d+)[a-z]?\b[ ,]*")


class ComparableAddress(NamedTuple):
    """What matching compares of an address; None where the address does not say."""

    house_number: str | None = None
    street: str | None = None
    unit: str | None = None
    city: str | None = None
    postal_code: str | None = None


class _Street(NamedTuple):
    words: list[str]
    unit: str | None
    after: list[str]


def comparable_address(
    line: str, city: str | None, region: str | None, postal_code: str | None, country: str
) -> ComparableAddress:
    """Return the comparable parts of an address.

    Args:
        line: Street line or whole address; line breaks count as commas; may be empty.
        city: Column of its own; None where the source has none.
        region: The same of the state or county.
        postal_code: The same of the postal code.
        country: ISO 3166 alpha-2.
    """
    is_us = country == "US"
    text = re.sub(r"\s+", " ", fold(line).replace("\n", ", ").replace(".", " ")).strip(" ,")
    if is_us:
        text, found_code = _take_us_tail(text, region, postal_code)
        postal_code = postal_code or found_code
    elif country in HOUSE_NUMBER_LAST:
        text = _NUMBER_LAST.sub(r"\2 \1", text)
    text, leading_unit = _take_leading_unit(text)
    house, rest = _take_house_number(text)
    street, unit, tail = _read_street(rest, may_hold_city=is_us and not city)
    unit = leading_unit or unit
    if box := _PO_BOX.search(text):
        house, street, unit, tail = box[1], _BOX_STREET, None, _last_part(text[box.end() :])
    elif route := _RURAL_ROUTE.search(text):
        house, street, unit, tail = route[3], f"{route[1]}{route[2]}", None, _last_part(text[route.end() :])
    place = re.sub(r"[^a-z]", "", fold(city or tail or "")) or None
    postal = re.sub(r"[^a-z0-9]", "", fold(postal_code or ""))[: 5 if is_us else 9] or None
    return ComparableAddress(house, street or None, unit, place, postal)


def _take_us_tail(text: str, region: str | None, postal_code: str | None) -> tuple[str, str | None]:
    if not postal_code and (found := _US_ZIP.search(text)):
        postal_code, text = found[1], text[: found.start()].strip(" ,")
    if not region and (found := _US_STATE.search(text)):
        text = text[: found.start()].strip(" ,")
    elif not region and text.count(",") > 1 and _squeeze(text.rpartition(",")[2]) in STATES:
        text = text.rpartition(",")[0]
    return text, postal_code


def _squeeze(text: str) -> str:
    return re.sub(r"[^a-z]", "", text)


def _take_leading_unit(text: str) -> tuple[str, str | None]:
    found = _LEADING_UNIT.match(text)
    return (text[found.end() :], found[1] or found[2]) if found else (text, None)


def _last_part(text: str) -> str:
    parts = text.split(",")
    return parts[-1] if len(parts) > 1 else parts[0]


def _take_house_number(text: str) -> tuple[str | None, str]:
    found = _HOUSE.search(text)
    return (found[1], text[found.end() :]) if found else (None, text)


def _read_street(rest: str, *, may_hold_city: bool) -> tuple[str, str | None, str | None]:
    """Return street, unit, and what may be the city."""
    first, *more = [part.strip() for part in rest.split(",") if part.strip()] or [""]
    tokens = first.replace("#", " # ").split()
    typed = next((k for k, word in enumerate(tokens) if word in STREET_TYPES and k and not set(tokens[:k]) <= DIRECTIONS), None)
    stop = next((k for k, word in enumerate(tokens) if k and _opens_unit(word)), len(tokens))
    found = _divide(tokens, typed, stop)
    street, after = found.words, found.after
    tail = more[-1] if more else None
    if not more and may_hold_city:
        if typed is None and stop == len(tokens) and len(street) > 1:  # neither type nor comma: the street is one word
            street, after = street[:1], street[1:]
        tail = " ".join(after) or None
    unit = found.unit
    if tail and any(_opens_unit(word) for word in tail.replace("#", "# ").split()):
        unit, tail = re.sub(r"\W|apt|unit|ste", "", tail.split(" ")[-1]) or unit, None
    return "".join(street), unit, tail


def _divide(tokens: list[str], typed: int | None, stop: int) -> _Street:
    """Divide the words after the house number into street, unit and the rest."""
    end = min(typed if typed is not None else stop, stop)
    street = [word for word in tokens[:end] if word not in DIRECTIONS and word not in _SILENT] or tokens[:end]
    after = tokens[end + 1 :] if typed == end else tokens[end:]
    if after and after[0] in DIRECTIONS:
        after = after[1:]
    if after and _opens_unit(after[0]):
        return _Street(street, after[1] if len(after) > 1 else None, after[2:])
    return _Street(street, None, after)


def _opens_unit(word: str) -> bool:
    return word in UNITS or word == "#"
