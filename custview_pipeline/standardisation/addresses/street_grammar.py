"""The comparable form of a United States address: one small grammar, whose reading of streets serves other countries too.

Two records meet where both were read the same way, so a plain grammar that is always consistent serves matching better than the
best reading of each line, which ``us_addresses`` gives for display.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from custview_pipeline.standardisation.addresses.us_spelling import STATES, SUFFIXES
from custview_pipeline.standardisation.text import fold, word_pairs, word_set

STREET_TYPES: Final = word_set(
    """street st avenue ave av road rd drive dr lane ln court ct boulevard blvd way place pl circle cir terrace ter terr
    parkway pkwy highway hwy crescent cres close cl circuit cct grove gr parade pde loop trail trl square sq walk alley
    rise mews esplanade"""
)
DIRECTIONS: Final = word_set("""n s e w ne nw se sw north south east west northeast northwest southeast southwest""")
UNITS: Final = word_set("""apt apartment unit ste suite flat lot room rm floor fl no penthouse bldg building trlr""")
_NOT_LETTERS: Final = re.compile(r"[^a-z]+")
_NOT_IN_CODE: Final = re.compile(r"[^a-z0-9]+")
_NOT_DIGITS: Final = re.compile(r"[^0-9]+")
_ZIP_LENGTH: Final = 5
STREET_PARTS: Final = ("predirectional", "street", "suffix", "postdirectional", "unit")
_NUMBER_WORDS: Final = word_pairs("one 1 two 2 three 3 four 4 five 5 six 6 seven 7 eight 8 nine 9 ten 10")
_ORDINAL: Final = re.compile(r"(\d+)(?:st|nd|rd|th)")
_ORDINAL_WORDS: Final = word_pairs(
    "first 1 second 2 third 3 fourth 4 fifth 5 sixth 6 seventh 7 eighth 8 ninth 9 tenth 10 eleventh 11 twelfth 12"
)
_SHORTEST_RANGE: Final = 3
_NUMBERED: Final = re.compile(
    r"^(?:[nsew]{1,2} )?(?:(?P<owner>u ?s|state|county|co|interstate) (?P<any>highway|hwy|route|rte|rt|road|rd)?"
    r"|(?P<kind>highway|hwy|route|rte|rt|sr|cr)) ?(?:no |# ?)?(?P<number>\d+[a-z]?)\b"
)
_SHORT: Final = word_pairs("saint st sainte ste fort ft mount mt")
_MILITARY_PLACE: Final = re.compile(r"\b[adf] ?p ?o\b")
_SILENT: Final = frozenset({"blk", "of"})
_BOX_STREET: Final = "pobox"
_US_ZIP: Final = re.compile(r"\b(\d{5})(?:-\d{4})?(?:,? (?:usa?|united states))?$")
_US_STATE: Final = re.compile(r"[ ,][a-z]{2}$")
_PO_BOX: Final = re.compile(r"\b(?:p ?o ?(?:box|b\b)|post office box|caller) ?#? ?(\w*\d\w*|[a-z]\b)")
# Pub 28 spells rural routes RR, highway contract and star routes HC.
_ROUTE: Final = re.compile(
    r"\b(?:(?P<rural>rural r(?:ou)?te|r ?r|r ?f? ?d|rt|route)"
    r"|(?P<contract>(?:highway|hwy) contract(?: r(?:ou)?te)?|h ?c(?: ?r| r(?:ou)?te)?|star r(?:ou)?te|sr)"
    r"|(?P<military>psc|cmr|umr|omc|unit)) ?(?:#|no)? ?0*(?P<number>\d\w*),? box ?#? ?0*(?P<box>\w+(?:-\w+)?)"
)
_COUNTER: Final = re.compile(r"^general delivery\b")
_LEADING_UNIT: Final = re.compile(r"(?:flat|apt|apartment|unit|suite|ste|shop)\s+(\w+)\s*[,/ ]\s*(?=\d)|(\w{1,5})/(?=\d+ )")
# 12, 12a, 12 1/2, 45-10, N6W23001.
_HOUSE: Final = re.compile(r"(?:^|, ?|\b)(\d+(?:-\d+)?|[nsew]\d+[nsew]\d+)[a-z]?(?: \d/\d)?\b[ ,]*")


class ComparableAddress(NamedTuple):
    """What matching compares of an address; None where the address does not say."""

    house_number: str | None = None
    street: str | None = None
    unit: str | None = None
    city: str | None = None
    postal_code: str | None = None


class Street(NamedTuple):
    """What stands after the house number: the street without type and directions, a unit, and what may be the city."""

    name: str
    unit: str | None
    after: str


def comparable_address(line: str, city: str | None, region: str | None, postal_code: str | None) -> ComparableAddress:
    """Return the comparable parts of a United States address that was not understood, as far as they show.

    Args:
        line: Street line or whole address; line breaks count as commas; may be empty.
        city: Column of its own; None where the source has none.
        region: The same of the state.
        postal_code: The same of the ZIP code.
    """
    text, found_code = _take_tail(normalise_line(line), region, postal_code)
    place, code = compare_city(city or ""), _NOT_IN_CODE.sub("", fold(postal_code or found_code or ""))[:_ZIP_LENGTH] or None
    if (point := _read_delivery_point(text)) is not None:
        return point._replace(city=place or point.city, postal_code=code)
    text, leading_unit = _take_leading_unit(text)
    house, rest = _take_house_number(text)
    first, *more = [part.strip() for part in rest.split(",") if part.strip()] or [""]
    street = read_street(first, is_us=True, may_hold_city=not city and not more)
    unit, tail = take_unit(more[-1]) if more else (None, street.after)
    number = _join_house_number(house) if house else None
    return ComparableAddress(
        number, street.name or None, leading_unit or unit or street.unit, place or squeeze(tail) or None, code
    )


def compare_parts(parts: Mapping[str, str]) -> ComparableAddress:
    """Return the comparable parts of a United States address out of its parts as shown (``parse_us_address``)."""
    street, city = parts.get("street", ""), compare_city(parts.get("city", ""))
    code = _NOT_DIGITS.sub("", parts.get("postal_code", ""))[:_ZIP_LENGTH] or None
    if "po_box" in parts:
        return ComparableAddress(_squeeze_code(parts["po_box"]), _BOX_STREET, None, city, code)
    if "house_number" not in parts:
        point = _read_delivery_point(f"{fold(street)}, {city}") or ComparableAddress(None, _read_crossing(fold(street)) or None)
        return point._replace(city=city, postal_code=code)
    line = " ".join(parts[part] for part in STREET_PARTS if part in parts)
    name, unit, _ = read_street(fold(line), is_us=True, may_hold_city=False)
    unit = unit or _squeeze_code(parts.get("unit", "").rsplit(" ", 1)[-1])
    return ComparableAddress(compare_house_number(parts["house_number"]), name or None, unit, city, code)


@lru_cache(100_000)
def compare_house_number(text: str) -> str | None:
    """Return a house number without letter and fraction, of a range the first: 45-10 and 4510, 12a and 12 meet."""
    folded = fold(text)
    found = _HOUSE.search(folded)
    return _join_house_number(found[1]) if found else _NUMBER_WORDS.get(folded)


def _join_house_number(text: str) -> str:
    """Return the first number of a range (100-104, 3450-54), both of a block and house (45-10 in Queens)."""
    first, _, second = text.partition("-")
    is_whole = _SHORTEST_RANGE <= len(first) == len(second)
    is_range = (is_whole or len(second) < len(first) > _SHORTEST_RANGE) and first[-len(second) :] < second
    return first if is_range else first + second


@lru_cache(100_000)
def compare_city(text: str) -> str | None:
    """Return the letters of a city, with its first word shortened as usual (St for Saint)."""
    first, *more = fold(text).replace(".", " ").split() or [""]
    return squeeze("".join([_SHORT.get(first, first), *more])) or None


def _squeeze_code(text: str) -> str | None:
    return _NOT_IN_CODE.sub("", fold(text)) or None


def _read_crossing(streets: str) -> str:
    """Return what two crossing streets are compared by, in any order."""
    return "&".join(sorted(read_street(street, is_us=True, may_hold_city=False).name for street in streets.split(" & ")))


def normalise_line(line: str) -> str:
    """Return a line in lower case without accents and full stops, commas for line breaks, single spaces."""
    return " ".join(fold(line).replace("\n", ", ").replace(".", " ").split()).strip(" ,")


def _take_tail(text: str, region: str | None, postal_code: str | None) -> tuple[str, str | None]:
    if not postal_code and (found := _US_ZIP.search(text)):
        postal_code, text = found[1], text[: found.start()].strip(" ,")
    if not region and (found := _US_STATE.search(text)):
        text = text[: found.start()].strip(" ,")
    elif not region and text.count(",") > 1 and squeeze(text.rpartition(",")[2]) in STATES:
        text = text.rpartition(",")[0]
    return text, postal_code


def squeeze(text: str) -> str:
    """Return the letters of folded text alone."""
    return _NOT_LETTERS.sub("", text)


def _read_delivery_point(text: str) -> ComparableAddress | None:
    """Read what is delivered to a box, a route or a counter."""
    if box := _PO_BOX.search(text):
        return ComparableAddress(box[1], _BOX_STREET, None, _last_part(text[box.end() :]))
    if (route := _ROUTE.search(text)) and (not route["military"] or _MILITARY_PLACE.search(text)):
        kind = "rr" if route["rural"] else "hc" if route["contract"] else route["military"]
        return ComparableAddress(route["box"].replace("-", ""), f"{kind}{route['number']}", None, _last_part(text[route.end() :]))
    if counter := _COUNTER.match(text):
        return ComparableAddress(None, squeeze(counter[0]), None, _last_part(text[counter.end() :]))
    return None


def _take_leading_unit(text: str) -> tuple[str, str | None]:
    found = _LEADING_UNIT.match(text)
    return (text[found.end() :], found[1] or found[2]) if found else (text, None)


def _last_part(text: str) -> str | None:
    return compare_city(text.rpartition(",")[2])


def _take_house_number(text: str) -> tuple[str | None, str]:
    found = _HOUSE.search(text)
    return (found[1], text[found.end() :]) if found else (None, text)


@lru_cache(100_000)
def read_street(text: str, *, is_us: bool, may_hold_city: bool) -> Street:
    """Read what stands after the house number up to the first comma.

    Args:
        text: Folded words with single spaces.
        is_us: Whether highways are numbered and types of streets shortened as in the United States.
        may_hold_city: Whether no comma follows and the city is not known otherwise, so that it may stand here.
    """
    text = _NUMBERED.sub(_name_highway, text) if is_us else text
    tokens = text.replace("'", "").replace("#", " # ").split()
    stop = next((k for k, word in enumerate(tokens) if k and _opens_unit(word)), len(tokens))
    typed = _find_type(tokens)
    words, unit, after = _divide(tokens, typed, stop)
    if may_hold_city and typed is None and stop == len(tokens) and len(words) > 1:
        words, after = words[:1], words[1:]  # neither type nor comma: the street is one word
    unit_after, place = take_unit(" ".join(after) if may_hold_city else "")
    return Street("".join(_compare_word(word, is_us=is_us) for word in words), unit_after or unit, place)


def _compare_word(word: str, *, is_us: bool) -> str:
    """Return a word of a street's name: 93rd as 93, fifth as 5, what may be its type (Stony Island) as types are shortened."""
    if found := _ORDINAL.fullmatch(word):
        return found[1]
    may_be_type = is_us and word in SUFFIXES and word not in STREET_TYPES
    return SUFFIXES[word].lower() if may_be_type else _ORDINAL_WORDS.get(word, word)


def _name_highway(found: re.Match[str]) -> str:
    """Return a numbered highway in one spelling: US 50, Highway 50 and Hwy No 50 meet."""
    kind = "cr" if (found["owner"] or found["kind"])[0] == "c" else "hwy"
    return f"{kind}{found['number']} hwy"


def _find_type(tokens: list[str]) -> int | None:
    """Return the place of the street's type: South St has one, St John Ave another than it seems, Stony Island may have none."""
    types = [k for k, word in enumerate(tokens) if k and word in STREET_TYPES]
    if named := [k for k in types if not set(tokens[:k]) <= DIRECTIONS]:
        return named[0]
    return types[0] if types else None


@lru_cache(100_000)
def take_unit(text: str) -> tuple[str | None, str]:
    """Return the unit that a part of an address names, and the part; nothing of it where it names one."""
    if any(_opens_unit(word) for word in text.replace("#", "# ").split()):
        return re.sub(r"\W|apt|unit|ste", "", text.rsplit(" ", 1)[-1]) or None, ""
    return None, text


def _divide(tokens: list[str], typed: int | None, stop: int) -> tuple[list[str], str | None, list[str]]:
    """Divide the words after the house number into street, unit and the rest."""
    end = min(typed if typed is not None else stop, stop)
    street = [word for word in tokens[:end] if word not in DIRECTIONS and word not in _SILENT] or tokens[:end]
    after = tokens[end + 1 :] if typed == end else tokens[end:]
    if after and after[0] in DIRECTIONS:
        after = after[1:]
    if after and _opens_unit(after[0]):
        return street, after[1] if len(after) > 1 else None, after[2:]
    return street, None, after


def _opens_unit(word: str) -> bool:
    return word in UNITS or word == "#"
