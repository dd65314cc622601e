"""Chinese addresses in characters: province to district by GB/T 2260, town to room at the characters that close a level."""

import re
from functools import lru_cache
from typing import Final

from custview_pipeline.standardisation.addresses.chinese_divisions import is_real_place, short_name
from custview_pipeline.standardisation.addresses.chinese_places import take_place
from custview_pipeline.standardisation.addresses.street_grammar import ComparableAddress
from custview_pipeline.standardisation.names.chinese_names import one_spelling, to_pinyin

_HALF_WIDTH: Final = {code + 0xFEE0: code for code in range(0x21, 0x7F)}
_IS_FULL_WIDTH: Final = re.compile("[\uff01-\uff5e]")
_APART: Final = re.compile(r"[\s,、。;]+")
_COUNTRY: Final = re.compile(r"^(?:中华人民共和国|中国)+")
_POSTAL_CODE: Final = re.compile(r"(?:(?:邮政编码|邮编):?\s*)?(?<!\d)(\d{6})(?!\d|号|號|室|弄|栋|幢|[-之]\d)")
_LEVELS: Final = re.compile(
    r"(?P<town>[^路街号號\d]{1,9}?(?:街道(?!\d)|[镇鎮乡鄉](?![路街])|苏木))?"
    r"(?P<street>(?:[^号號室栋]|号(?=[路街])){1,15}?(?:大街|大道|胡同|路|街|道|巷|弄)"
    r"(?:[东西南北中]?[一二三四五六七八九十]+段|[东西南北中](?=[甲乙\d]))?)?"
    r"(?P<house_number>(?:甲|乙)?\d+(?:[-之]\d+)?(?:号院?(?!楼)|號|弄))?"
    r"(?P<building>\d+号(?=\d)|[^室]*?(?:号楼|栋|幢|座|楼|大厦|广场|花园|小区|苑|园))?"
    r"(?P<entrance>\d+单元)?"
    r"(?P<unit>.*)$"
)
_STREET_SUFFIX: Final = re.compile(r"(?:大街|大道|胡同|路|街|道|巷|弄)$")
_ROOM: Final = re.compile(r"[A-Za-z]?\d+")
_CHINESE_DIGITS: Final = str.maketrans("〇零一二三四五六七八九", "00123456789")
# Numerals before what is counted; 三号路 and 二号线 are names.
_NUMERAL: Final = re.compile(
    r"(?<![\d第\u3007零一二三四五六七八九十百])[\u3007零一二三四五六七八九十百]+(?=(?:号楼|号院|栋|幢|座|单元|室|楼|层|弄)|[号號](?![路街线桥门站大]))"
)


def parse_chinese_address(text: str) -> dict[str, str]:
    """Return the parts of an address in Chinese characters.

    Region, city and district come in full as GB/T 2260 names them (广东深圳南山 is 广东省, 深圳市, 南山区); a level that
    is left out is filled where there is one answer only. Numbers of houses, buildings and rooms come in Arabic digits.

    Returns:
        Any of region (province), city, district, town, street, house_number, building, entrance, unit, postal_code; what no level
        takes is in ``unit``.
    """
    line, code = _take_postal_code(text.translate(_HALF_WIDTH) if _IS_FULL_WIDTH.search(text) else text)
    parts, rest = take_place(_COUNTRY.sub("", _APART.sub("", line)))
    parts |= parse_levels(rest)
    if code:
        parts["postal_code"] = code
    return parts


def parse_levels(rest: str) -> dict[str, str]:
    """Return the parts of an address below its district: any of town, street, house_number, building, entrance, unit."""
    levels = _LEVELS.match(_NUMERAL.sub(_in_digits, rest))
    return {level: part for level, part in (levels.groupdict() if levels else {"unit": rest}).items() if part}


def _take_postal_code(text: str) -> tuple[str, str | None]:
    """Return the text without its last postal code, and the code."""
    found = next(reversed([*_POSTAL_CODE.finditer(text)]), None)
    return (f"{text[: found.start()]} {text[found.end() :]}", found[1]) if found else (text, None)


def _in_digits(numeral: re.Match[str]) -> str:
    """Return a Chinese numeral below 1,000 in Arabic digits; digit by digit where it's written so (一二〇五)."""
    written = numeral[0]
    if not re.search("[十百]", written):
        return written.translate(_CHINESE_DIGITS)
    found = re.fullmatch("(?:([一二三四五六七八九])百零?)?(?:([一二三四五六七八九]?)(十))?([一二三四五六七八九]?)", written)
    if not found:
        return written
    hundreds, tens, ten, ones = (part or "" for part in found.groups())
    value = [int((digit or "0").translate(_CHINESE_DIGITS)) for digit in (hundreds, tens or ("一" if ten else ""), ones)]
    return str(value[0] * 100 + value[1] * 10 + value[2])


def is_real_chinese_address(parts: dict[str, str]) -> bool:
    """Return whether GB/T 2260 says nothing against the city lying in the region and the district in the city."""
    return is_real_place(parts.get("region"), parts.get("city"), parts.get("district"))


def show_chinese_address(parts: dict[str, str]) -> str:
    """Return the address in one line, largest level first, postal code last."""
    levels = ("region", "city", "district", "town", "street", "house_number", "building", "entrance", "unit")
    line = "".join(parts.get(level, "") for level in levels if level != "city" or parts.get("city") != parts.get("region"))
    return " ".join(part for part in (line, parts.get("postal_code")) if part)


def comparable_chinese_address(parts: dict[str, str]) -> ComparableAddress:
    """Return what is compared, in pinyin, so that an address meets its rendering in Latin letters."""
    room = _ROOM.findall(parts.get("unit", "").translate(_CHINESE_DIGITS))
    number = re.search(r"\d+", parts.get("house_number", ""))
    return ComparableAddress(
        number[0] if number else None,
        spell(street_name(parts.get("street", "")) or parts.get("building", "")),
        room[-1].lower() if room else None,
        spell_city(parts),
        parts.get("postal_code"),
    )


def street_name(street: str) -> str:
    """Return a street without the word that says what kind it is."""
    return _STREET_SUFFIX.sub("", street)


def spell_city(parts: dict[str, str]) -> str | None:
    """Return the city in pinyin, the region where there is none."""
    return spell(short_name(parts.get("city") or parts.get("region") or ""))


@lru_cache(100_000)
def spell(name: str) -> str | None:
    """Return a name in pinyin."""
    return one_spelling(to_pinyin(name)) or None
