"""United States addresses: usaddress tells the parts, USPS Publication 28 the spelling."""

import re
from functools import lru_cache
from typing import Final

import usaddress

from custview_pipeline.standardisation.addresses.us_spelling import DIRECTIONS, STATES, SUFFIXES, UNITS
from custview_pipeline.standardisation.text import fold, has_uniform_case, word_pairs, word_set

# Label of usaddress -> part of ours. Labels of one part that are not neighbours are joined in the order of the line.
PARTS: Final[dict[str, str]] = {
    "AddressNumberPrefix": "house_number",
    "AddressNumber": "house_number",
    "AddressNumberSuffix": "house_number",
    "StreetNamePreDirectional": "predirectional",
    "StreetNamePreModifier": "street",
    "StreetNamePreType": "street",
    "StreetName": "street",
    "StreetNamePostModifier": "street",
    "StreetNamePostType": "suffix",
    "StreetNamePostDirectional": "postdirectional",
    "SubaddressType": "unit",
    "SubaddressIdentifier": "unit",
    "OccupancyType": "unit",
    "OccupancyIdentifier": "unit",
    "USPSBoxType": "box_type",
    "USPSBoxID": "po_box",
    "USPSBoxGroupType": "box_group",
    "USPSBoxGroupID": "box_group",
    "PlaceName": "city",
    "StateName": "region",
    "ZipCode": "postal_code",
    "ZipPlus4": "postal_code_extension",
    "BuildingName": "building",
    "LandmarkName": "building",
    "Recipient": "recipient",
    "CountryName": "country",
}
# Streets that are none: rural routes, highway contract routes, military boxes, the counter of a post office.
# Source: USPS Publication 28, sections 24, 25, 238, 26.
_ROUTE: Final = re.compile(
    r"""^(?:(?P<rural>rural\s+r(?:ou)?te|r\.?\s?r\.?|r\.?f?\.?d\.?|rt\.?|route)
    |(?P<contract>(?:highway|hwy)\s+contract(?:\s+r(?:ou)?te)?|h\.?c\.?(?:\s?r\.?|\s+r(?:ou)?te)?|star\s+r(?:ou)?te)
    |(?P<military>psc|cmr|umr|omc|unit))
    \s*(?:[#]|no\.?)?\s*0*(?P<number>\d\w*)[,\s]+box\s*[#]?\s*0*(?P<box>\w+(?:-\w+)?)\b""",
    re.IGNORECASE | re.VERBOSE,
)
_BOX: Final = re.compile(r"\bp\.?o\.?b\.?\s+(?=[#\d])", re.IGNORECASE)
_COUNTER: Final = re.compile(r"^general\s+delivery\b", re.IGNORECASE)
_PLACE: Final = ("city", "region", "postal_code")
_MILITARY_PLACE: Final = re.compile(r"\b[adf]\.?p\.?o\b", re.IGNORECASE)
_ORDINAL: Final = re.compile(r"\d+(?:st|nd|rd|th)\b", re.IGNORECASE)
_ORDINALS: Final = word_pairs("first 1 second 2 third 3 fourth 4 fifth 5 sixth 6 seventh 7 eighth 8 ninth 9 tenth 10")
_FLOOR: Final = re.compile(rf"^(\d+(?=ST|ND|RD|TH)|{'|'.join(_ORDINALS)})(?:ST|ND|RD|TH)? Fl$", re.IGNORECASE)
_CAPITALS: Final = word_set("N S E W NE NW SE SW US APO FPO DPO PSC CMR UMR OMC RR HC")
_TOKEN: Final = re.compile(r"\(*\b[^\s,;#&()]+[.,;)\n]*|[#&]")
_ESCAPED_AND: Final = re.compile("(&#38;)|(&amp;)")
# A bare number looks to the model like every other one of its length and trailing zeros.
_PLAIN_NUMBER: Final = re.compile(r"[0-9]+[,.;]?")
_NONZERO: Final = re.compile("[1-9]")


def parse_us_address(line: str) -> dict[str, str] | None:
    """Return the parts of a United States address in the spelling of Publication 28; None where the line is not understood.

    Args:
        line: One line, commas for line breaks.

    Returns:
        Any of recipient, building, house_number, predirectional, street, suffix, postdirectional, unit, po_box, city, region,
        postal_code, postal_code_extension. The streets of an intersection are in ``street``, as is a rural or highway contract
        route or a military unit with its box.
    """
    if street := _read_route(line):
        written, rest = street
        place = _parts_of(label_tokens(f"PO Box 1, {rest}")) or {}
        return {"street": written, **spell_parts({part: place[part] for part in _PLACE if part in place})}
    parts = _parts_of(label_tokens(_BOX.sub("PO Box ", line).replace(" @ ", " & ")))
    if parts and "street" not in parts and {"house_number", "suffix"} <= parts.keys():  # South St
        direction = next((part for part in ("predirectional", "postdirectional") if part in parts), None)
        parts.update({"street": parts.pop(direction)} if direction else {})
    if parts is None or not (parts.keys() & {"street", "po_box", "box_group"}):
        return None
    if "house_number" not in parts and not parts.keys() & {"po_box", "box_group"} and " & " not in parts["street"]:
        return None
    return spell_parts(parts)


def _read_route(line: str) -> tuple[str, str] | None:
    """Return a delivery point that is no street as Publication 28 writes it, and the rest of the line."""
    if found := _COUNTER.match(line):
        return "General Delivery", line[found.end() :]
    found = _ROUTE.match(line)
    if found is None or (found["military"] and not _MILITARY_PLACE.search(line)):
        return None
    kind = "RR" if found["rural"] else "HC" if found["contract"] else found["military"].upper()
    kind = kind.capitalize() if kind == "UNIT" else kind
    return f"{kind} {found['number'].upper()} Box {found['box'].upper().replace('-', '')}", line[found.end() :]


def label_tokens(line: str) -> list[tuple[str, str]]:
    """Return usaddress' own tokens and labels (equal to ``usaddress.parse``, asserted in tests)."""
    tokens = _TOKEN.findall(_ESCAPED_AND.sub("&", line))
    if not tokens:
        return []
    features = [_features(_NONZERO.sub("1", token) if _PLAIN_NUMBER.fullmatch(token) else token) for token in tokens]
    last = len(tokens) - 1
    items = []
    for k, (own, _, _) in enumerate(features):
        item = list(own)
        if k:
            item += features[k - 1][1]
        if k < last:
            item += features[k + 1][2]
        items.append(item)
    _mark_ends(items, last)
    return list(zip(tokens, usaddress.TAGGER.tag(items), strict=True))


def _mark_ends(items: list[list[str]], last: int) -> None:
    items[0].append("address.start")
    items[last].append("address.end")
    if last:
        items[1].append("previous:address.start")
        items[last - 1].append("next:address.end")


@lru_cache(200_000)
def _features(token: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    own = tuple(
        name if value is True else f"{name}:{value}"
        for name, value in usaddress.tokenFeatures(token).items()
        if value is not False
    )
    return own, tuple(f"previous:{name}" for name in own), tuple(f"next:{name}" for name in own)


def _parts_of(labelled: list[tuple[str, str]]) -> dict[str, str] | None:
    """Join the tokens of each part; None where a label comes back after another one, which usaddress calls an error."""
    if _is_crossing(labelled):
        labelled = [(_spell_crossing(token, label), _in_crossing(token, label)) for token, label in labelled]
    elif _has_label_again([label for _, label in labelled]):
        return None
    found: dict[str, list[str]] = {}
    for token, label in labelled:
        part = PARTS.get(label)
        if part is not None and (bare := token.strip(" ,;()\n")):
            found.setdefault(part, []).append(bare)
    return {part: " ".join(tokens) for part, tokens in found.items()}


def _is_crossing(labelled: list[tuple[str, str]]) -> bool:
    if any(label == "IntersectionSeparator" for _, label in labelled):
        return True
    has_street_for_number = any(label == "AddressNumber" and _ORDINAL.match(token) for token, label in labelled)
    return has_street_for_number and any(token == "&" for token, _ in labelled)  # noqa: S105 - a token of an address


def _has_label_again(labels: list[str]) -> bool:
    runs = [label for label, before in zip(labels, [None, *labels], strict=False) if label != before]
    return len(set(runs)) < len(runs)


def _in_crossing(token: str, label: str) -> str:
    is_street = label.startswith("StreetName") or label == "IntersectionSeparator"
    return "StreetName" if is_street or (label == "AddressNumber" and _ORDINAL.match(token)) else label


def _spell_crossing(token: str, label: str) -> str:
    word = token.strip(" ,;()\n").replace(".", "").lower()
    if label == "IntersectionSeparator":
        return "&"
    table = SUFFIXES if label.endswith("Type") else DIRECTIONS if label.endswith("Directional") else {}
    return table.get(word, token)


def spell_parts(parts: dict[str, str]) -> dict[str, str]:
    """Return the parts of an address in the spelling of Publication 28, without those that say nothing."""
    spelled = {part: spell_part(part, text) for part, text in parts.items()}
    code, dash, extension = spelled.get("postal_code", "").partition("-")
    if dash:
        spelled["postal_code"], spelled["postal_code_extension"] = code, extension
    if "box_group" in spelled:  # a rural route: its box is no post office box
        box = f"Box {spelled.pop('po_box')}" if "po_box" in spelled else None
        spelled["street"] = " ".join(filter(None, (spelled.get("street"), spelled.pop("box_group"), box)))
    return {part: text for part, text in spelled.items() if text}


@lru_cache(200_000)
def spell_part(part: str, text: str) -> str:
    """Return one part in the spelling of Publication 28; nothing where the part is not shown."""
    if part in {"country", "box_type"}:
        return ""
    spelled = _in_title_case(text.replace(".", "").strip())
    return _SPELLING[part](spelled) if part in _SPELLING else spelled


def _spell_suffix(text: str) -> str:
    first, _, last = text.rpartition(" ")  # of two only the second is abbreviated (section 234.2)
    return f"{first} {SUFFIXES.get(last.lower(), last)}".strip()


def _spell_direction(text: str) -> str:
    words = [DIRECTIONS.get(word.lower(), word) for word in text.split()]
    return "".join(words) if "".join(words) in DIRECTIONS.values() else " ".join(words)


def _spell_house_number(text: str) -> str:
    return text.upper() if any(letter.isdigit() for letter in text) else text


def _spell_box(text: str) -> str:
    return text.upper().replace("# ", "")


def _spell_unit(text: str) -> str:
    words = [
        UNITS.get(word.lower(), word.upper() if len(word) == 1 or word[0].isdigit() or word[-1].isdigit() else word)
        for word in text.split()
    ]
    has_kind = any(word in UNITS.values() for word in words)
    spelled = " ".join(word for word in words if word != "#" or not has_kind)
    found = _FLOOR.match(spelled)
    return f"Fl {_ORDINALS.get(found[1].lower(), found[1])}" if found else spelled


def spell_us_state(text: str) -> str:
    """Return the two letters of a state; what is not one is returned as given."""
    return STATES.get(re.sub(r"[^a-z]", "", fold(text)), text)


def _in_title_case(text: str) -> str:
    if not has_uniform_case(text):
        return text
    return " ".join(word.upper() if word.upper() in _CAPITALS else word.capitalize() for word in text.split())


_SPELLING: Final = {
    "suffix": _spell_suffix,
    "predirectional": _spell_direction,
    "postdirectional": _spell_direction,
    "unit": _spell_unit,
    "region": spell_us_state,
    "house_number": _spell_house_number,
    "po_box": _spell_box,
    "box_group": _spell_box,
}
