"""Administrative divisions of China by GB/T 2260: their names in full and in short, and which belongs to which."""

import re
from collections.abc import Iterator
from enum import IntEnum
from functools import cache
from typing import Final, NamedTuple

from stdnum import numdb

from custview_pipeline.standardisation.text import word_pairs, word_set


class Level(IntEnum):
    """A level of division; county-level cities that no prefecture governs count as cities."""

    REGION = 0
    CITY = 1
    DISTRICT = 2


class Division(NamedTuple):
    """One division.

    Attributes:
        level: Province, prefecture, county.
        name: In full, as GB/T 2260 has it.
        region: The province that it is or lies in.
        city: The prefecture that it is or lies in; None where there is none (a province, Hong Kong).
        is_current: Whether it exists today; a former district is still written in addresses.
    """

    level: Level
    name: str
    region: str
    city: str | None
    is_current: bool = True


class Form(NamedTuple):
    """One way to write a division; a short one (深圳, 南山) may as well begin the name of a street."""

    text: str
    division: Division
    is_full: bool


_PERIOD: Final = re.compile(r"\[(?P<start>\d*)-(?P<end>\d*)\](?P<name>.+)|(?P<undated>.+)")
# Headings of the list, and three leftovers of codes that were given up without a date.
_NO_DIVISION: Final = re.compile(r"市辖区|市区|县|.*直辖(?:县级)?行政单位|.*办事处")
_GIVEN_UP: Final = frozenset({"422900", "422921", "429001"})
# What the list has in traditional characters.
_SIMPLIFIED: Final = str.maketrans(word_pairs("別 别 區 区 澳 澳 門 门 達 达 嶺 岭"))
_PEOPLES: Final = (
    "(?:(?:满|回|蒙古|苗|土家|侗|瑶|壮|黎|畲|彝|藏|羌|傣|佤|拉祜|布朗|哈尼|白|纳西|傈僳|普米|独龙|怒|布依|仡佬|水|毛南|仫佬|各|朝鲜|土|撒拉|"
    "保安|东乡|裕固|哈萨克|锡伯|塔吉克|达斡尔|鄂伦春|鄂温克|柯尔克孜|景颇)族|蒙古|哈萨克|柯尔克孜|锡伯|塔吉克)+"
)
_REGION_SUFFIX: Final = re.compile(r"(?:省|市|特别行政区|(?:壮族|回族|维吾尔)?自治区)$")
_AUTONOMOUS: Final = re.compile(rf"(?<=..){_PEOPLES}自治[州县旗]$")
_SUFFIX: Final = re.compile(r"(?<=..)(?<!自治)(?:市|地区|盟|林区|新区|区|县|旗)$")
_FURTHER_REGIONS: Final[dict[str, str]] = word_pairs(
    """臺灣省 台湾省 台灣省 台湾省 臺灣 台湾省 台灣 台湾省
    香港特別行政區 香港特别行政区 澳門特別行政區 澳门特别行政区 澳門 澳门特别行政区
    广西省 广西壮族自治区 广西自治区 广西壮族自治区 宁夏省 宁夏回族自治区 宁夏自治区 宁夏回族自治区
    新疆省 新疆维吾尔自治区 新疆自治区 新疆维吾尔自治区 内蒙古省 内蒙古自治区 内蒙 内蒙古自治区 西藏省 西藏自治区"""
)
# Names that say as little as "the urban district": they stand in many cities, listed or not.
_ANYWHERE: Final = word_set("城区 郊区 矿区 林区 新区 市区")
_HEAD: Final = 2  # the fewest characters of a form


@cache
def divisions() -> tuple[Division, ...]:
    """Return every division, former ones last.

    Source: the list of GB/T 2260 codes with the years in which they were in force that python-stdnum carries (``cn/loc``).
    """
    found: dict[Division, None] = {}
    for _, province_code, _, properties, children in numdb.get("cn/loc").prefixes:
        region = properties["province"].translate(_SIMPLIFIED)
        found[Division(Level.REGION, region, region, region if region.endswith("市") else None)] = None
        names = [(province_code + code, *period) for _, code, _, county, _ in children for period in _periods(county["county"])]
        cities = {code[:4]: name for code, name, is_current in names if code.endswith("00") and is_current}
        for code, name, is_current in names:
            if code not in _GIVEN_UP and not code.endswith("0000") and not _NO_DIVISION.fullmatch(name):
                found.update(dict.fromkeys(_division(code, name, region, cities.get(code[:4]), is_current=is_current)))
    current = [division for division in found if division.is_current]
    known = {division[:-1] for division in current}
    return (*current, *(division for division in found if not division.is_current and division[:-1] not in known))


def _periods(listed: str) -> Iterator[tuple[str, bool]]:
    for entry in listed.translate(_SIMPLIFIED).split(","):
        if found := _PERIOD.fullmatch(entry):
            yield found["name"] or found["undated"], not found["end"]


def _division(code: str, name: str, region: str, city: str | None, *, is_current: bool) -> Iterator[Division]:
    """Yield the division; a former one only where what governed it still stands."""
    is_municipal = region.endswith("市")
    if code.endswith("00") or code[2:4] == "90":  # 90: governed by the province itself
        if is_current and not is_municipal:
            yield Division(Level.CITY, name, region, name)
    elif is_municipal or city:
        yield Division(Level.DISTRICT, name, region, region if is_municipal else city, is_current)


@cache
def forms() -> dict[str, tuple[Form, ...]]:
    """Return the ways to write a division by their first two characters, longest first, of equals the highest level first."""
    found: dict[str, list[Form]] = {}
    regions = {division.name: division for division in divisions() if division.level is Level.REGION}
    every = [form for division in divisions() for form in _forms_of(division)]
    every += [Form(text, regions[name], is_full=True) for text, name in _FURTHER_REGIONS.items()]
    for form in sorted(every, key=lambda form: (-len(form.text), form.division.level, not form.division.is_current)):
        found.setdefault(form.text[:_HEAD], []).append(form)
    return {head: tuple(group) for head, group in found.items()}


def _forms_of(division: Division) -> Iterator[Form]:
    yield Form(division.name, division, is_full=True)
    short = short_name(division.name)
    if division.is_current and short != division.name:
        yield Form(short, division, is_full=False)
        if _AUTONOMOUS.search(division.name):
            yield Form(short + division.name[-1], division, is_full=True)  # 恩施州, 景宁县


@cache
def short_name(name: str) -> str:
    """Return the name of a region, city or district without what says its level: 广西, 深圳, 恩施."""
    if name in _region_names():
        return _REGION_SUFFIX.sub("", name)
    return _SUFFIX.sub("", _AUTONOMOUS.sub("", name))


@cache
def _region_names() -> frozenset[str]:
    return frozenset(division.name for division in divisions() if division.level is Level.REGION)


@cache
def _places() -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str | None]]]:
    """Return the regions of each city's name, and the cities of each district's name."""
    regions: dict[str, set[str]] = {}
    cities: dict[str, set[str | None]] = {}
    for division in divisions():
        if division.level is Level.DISTRICT:
            cities.setdefault(division.name, set()).add(division.city)
        elif division.city:
            regions.setdefault(division.name, set()).add(division.region)
    return {name: frozenset(of) for name, of in regions.items()}, {name: frozenset(of) for name, of in cities.items()}


def is_real_place(region: str | None, city: str | None, district: str | None) -> bool:
    """Return whether nothing is known against city and district lying where they are said to lie.

    Only a name that GB/T 2260 has elsewhere, and not there, speaks against it; development zones, new districts and
    misspelt names are in no list.
    """
    regions, cities = _places()
    if city in regions and region in _region_names() and region not in regions[city]:
        return False
    if district not in cities or district in _ANYWHERE or city not in regions:
        return True
    return city in cities[district]
