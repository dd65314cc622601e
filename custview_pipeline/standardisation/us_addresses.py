"""United States addresses: usaddress tells the parts, USPS Publication 28 the spelling."""

import re
from functools import lru_cache
from typing import Final

import usaddress

from custview_pipeline.standardisation.text import fold, has_uniform_case
from custview_pipeline.standardisation.us_spelling import DIRECTIONS, STATES, SUFFIXES, UNITS

# Label of usaddress -> part of ours. Labels of one part that are not neighbours are joined in the order of the line.
_PARTS: Final[dict[str, str]] = {
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
_INTERSECTION: Final = frozenset({"IntersectionSeparator", "CornerOf"})
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
        postal_code, postal_code_extension.
    """
    parts = _parts_of(label_tokens(line))
    if parts is None or not (parts.keys() & {"street", "po_box", "box_group"}):
        return None
    if "house_number" not in parts and not parts.keys() & {"po_box", "box_group"} and " & " not in parts["street"]:
        return None
    return _spell(parts)


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
    found: dict[str, list[str]] = {}
    last_label, seen = None, set()
    is_intersection = any(label in _INTERSECTION for _, label in labelled)
    for token, label in labelled:
        part = "street" if is_intersection and (label.startswith("StreetName") or label in _INTERSECTION) else _PARTS.get(label)
        if not is_intersection and label != last_label and label in seen:
            return None
        seen.add(label)
        last_label = label
        if part is not None and (bare := token.strip(" ,;()\n")):
            found.setdefault(part, []).append("&" if label == "IntersectionSeparator" else bare)
    return {part: " ".join(tokens) for part, tokens in found.items()}


def _spell(parts: dict[str, str]) -> dict[str, str]:
    spelled = {
        part: _in_title_case(text.replace(".", "").strip()) for part, text in parts.items() if part not in {"country", "box_type"}
    }
    for part, table in (("suffix", SUFFIXES), ("predirectional", DIRECTIONS), ("postdirectional", DIRECTIONS)):
        if part in spelled:
            spelled[part] = " ".join(table.get(word.lower(), word) for word in spelled[part].split())
    if "unit" in spelled:
        spelled["unit"] = " ".join(
            UNITS.get(word.lower(), word.upper() if len(word) == 1 or word[0].isdigit() or word[-1].isdigit() else word)
            for word in spelled["unit"].split()
        )
    if "region" in spelled:
        spelled["region"] = spell_us_state(spelled["region"])
    _divide_zip(spelled)
    for part in spelled.keys() & {"po_box", "box_group", "house_number"}:
        spelled[part] = spelled[part].upper()
    if "box_group" in spelled:  # a rural route: its box is no post office box
        box = f"Box {spelled.pop('po_box')}" if "po_box" in spelled else None
        spelled["street"] = " ".join(filter(None, (spelled.get("street"), spelled.pop("box_group"), box)))
    return {part: text for part, text in spelled.items() if text}


def _divide_zip(spelled: dict[str, str]) -> None:
    code, dash, extension = spelled.get("postal_code", "").partition("-")
    if dash:
        spelled["postal_code"], spelled["postal_code_extension"] = code, extension


def spell_us_state(text: str) -> str:
    """Return the two letters of a state; what is not one is returned as given."""
    return STATES.get(re.sub(r"[^a-z]", "", fold(text)), text)


@lru_cache(100_000)
def _in_title_case(text: str) -> str:
    if not has_uniform_case(text):
        return text
    return " ".join(word.upper() if word.upper() in DIRECTIONS.values() else word.capitalize() for word in text.split())
