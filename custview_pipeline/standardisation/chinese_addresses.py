"""Chinese addresses in characters: divided at the characters that close each level, from province to room."""

import re
from typing import Final

from custview_pipeline.standardisation.chinese_names import one_spelling, to_pinyin
from custview_pipeline.standardisation.street_grammar import ComparableAddress

_MUNICIPALITIES: Final = ("北京", "上海", "天津", "重庆")
_COUNTRY: Final = re.compile(r"^(?:中华人民共和国|中国)")
_LEVELS: Final = re.compile(
    r"(?P<region>(?:北京|上海|天津|重庆)市?|[^省市区县]{2,3}省|(?:内蒙古|广西壮族|宁夏回族|新疆维吾尔|西藏)?自治区|[^省]{2,9}?自治区|(?:香港|澳门)特别行政区)?"
    r"(?P<city>(?:市辖区)|[^省市区县路街道号]{1,9}?(?:自治州|地区|市|盟))?"
    r"(?P<district>[^市区县路街号]{1,9}?(?:自治县|新区|区|县|旗|市))?"
    r"(?P<town>[^路街号]{1,9}?(?:街道|镇|乡))?"
    r"(?P<street>.{1,15}?(?:大街|大道|胡同|路|街|道|巷|弄))?"
    r"(?P<house_number>(?:甲|乙)?\d+(?:[-之]\d+)?(?:号院?|號|弄))?"
    r"(?P<building>[^室]*?(?:号楼|栋|幢|座|楼|大厦|广场|花园|小区|苑|园))?"
    r"(?P<entrance>\d+单元)?"
    r"(?P<unit>.*)$"
)
_POSTAL_CODE: Final = re.compile(r"(?:邮编:?)?(?<!\d)(\d{6})(?!\d|号|室|弄)")
_STREET_SUFFIX: Final = re.compile(r"(?:大街|大道|胡同|路|街|道|巷|弄)$")
_CITY_SUFFIX: Final = re.compile(r"(?:自治州|地区|市|盟|省|特别行政区)$")
_CHINESE_DIGITS: Final = str.maketrans("〇零一二三四五六七八九", "00123456789")


def parse_chinese_address(text: str) -> dict[str, str]:
    """Return the parts of an address in Chinese characters.

    Returns:
        Any of region (province), city, district, town, street, house_number, building, entrance, unit, postal_code; what no level
        takes is in ``unit``.
    """
    line = re.sub(r"[\s,、。;]+", "", text)
    found = _POSTAL_CODE.search(line)
    line = _COUNTRY.sub("", line.replace(found[0], "", 1) if found else line)
    levels = _LEVELS.match(line)
    parts = {
        level: part for level, part in (levels.groupdict() if levels else {"unit": line}).items() if part and part != "市辖区"
    }
    if parts.get("region", "").rstrip("市") in _MUNICIPALITIES:
        parts["region"] = parts["region"].rstrip("市") + "市"
        parts.setdefault("city", parts["region"])
    if found:
        parts["postal_code"] = found[1]
    return parts


def show_chinese_address(parts: dict[str, str]) -> str:
    """Return the address in one line, largest level first, postal code last."""
    levels = ("region", "city", "district", "town", "street", "house_number", "building", "entrance", "unit")
    line = "".join(parts.get(level, "") for level in levels if level != "city" or parts.get("city") != parts.get("region"))
    return " ".join(part for part in (line, parts.get("postal_code")) if part)


def comparable_chinese_address(parts: dict[str, str]) -> ComparableAddress:
    """Return what is compared, in pinyin, so that an address meets its rendering in Latin letters."""
    place = parts.get("city") or parts.get("region") or ""
    street = _STREET_SUFFIX.sub("", parts.get("street", "")) or parts.get("building", "")
    room = re.findall(r"[A-Za-z]?\d+", parts.get("unit", "").translate(_CHINESE_DIGITS))
    number = re.search(r"\d+", parts.get("house_number", ""))
    return ComparableAddress(
        number[0] if number else None,
        one_spelling(to_pinyin(street)) or None,
        room[-1].lower() if room else None,
        one_spelling(to_pinyin(_CITY_SUFFIX.sub("", place))) or None,
        parts.get("postal_code"),
    )
