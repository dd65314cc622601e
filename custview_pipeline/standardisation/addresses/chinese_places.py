"""The head of a Chinese address: region, city and district, completed by GB/T 2260, and what follows them."""

import re
from typing import Final, NamedTuple

from custview_pipeline.standardisation.addresses.chinese_divisions import Division, Form, Level, forms

# After a short form these say that it is the beginning of another name: 北京东路, 朝阳门, 中山公园, 南山村.
_OTHER_NAME: Final = re.compile(
    r"[东西南北中外内前后上下]{0,2}[一二三四五六七八九十\d]{0,3}(?:大?[街道]|[路巷弄]|胡同)|[门村镇乡站港湾]|新村|小区|花园|家园|大厦|广场|公园|"
    r"商城|大学|学院|医院|银行|饭店|酒店|宾馆|公司|集团|大桥|机场"
)
_NUMERALS: Final = r"\d\u3007零一二三四五六七八九十"
_STREET_WITH_NUMBER: Final = re.compile(f"(?:路|街|大道|巷|弄|胡同)[^{_NUMERALS}]{{0,3}}[{_NUMERALS}]+(?:号|號|弄)")
_HEADING: Final = re.compile(r"(?:市辖区|(?:省|自治区)直辖县级行政(?:区划|单位))*")
# What no list knows: Taiwan's cities, new districts, development zones, misspelt names.
_UNLISTED_CITY: Final = re.compile(r"[^省市区區县縣路街道号號\d]{1,9}?(?:自治州|地区|盟(?!路)|市(?![场民政中])|縣)")
_UNLISTED_DISTRICT: Final = re.compile(
    r"[^市区區县縣路街号號\d]{1,12}?(?:自治县|自治旗|(?<![小社校景厂院片营库街住生活宅属舍灾])[区區]|[县縣旗](?![路街]))|"
    r"[^省市区區县縣路街号號\d]{1,6}?市(?![场民政中])"
)


class _Place(NamedTuple):
    region: str | None = None
    city: str | None = None
    district: str | None = None
    is_short: bool = True  # how the last level was written; who writes 深圳 writes 南山

    @property
    def parts(self) -> dict[str, str]:
        levels = {"region": self.region, "city": self.city, "district": self.district}
        return {level: name for level, name in levels.items() if name}


def take_place(line: str) -> tuple[dict[str, str], str]:
    """Return the region, city and district that a line begins with, and the rest of it.

    Names come in full, and levels that were left out are filled, where GB/T 2260 leaves one answer only: 南山区 of 深圳市 lies in
    广东省. A name that no list has is taken by its last character, and kept as written.

    Args:
        line: An address in Chinese characters without blanks and punctuation.
    """
    place, rest = _Place(), line
    while (form := _longest(rest := _HEADING.sub("", rest, count=1), place)) is not None:
        place, rest = _with(place, form), rest[len(form.text) :]
    return _take_unlisted(place, rest)


def take_closed_place(head: str) -> dict[str, str] | None:
    """Return the region, city and district that ``take_place`` takes off every line that begins with these characters.

    None where they are no place written in full down to the district, or where what follows them may tell otherwise. What
    follows must not begin with a heading of the census (``begins_with_heading``).
    """
    place, rest = _Place(), head
    while rest:
        form = None if place.district or begins_with_heading(rest) else _closed_form(rest, place)
        if form is None:
            return None
        place, rest = _with(place, form), rest[len(form.text) :]
    return place.parts if place.district else None


def begins_with_heading(text: str) -> bool:
    """Return whether a text begins with what lists of divisions write between their levels: 市辖区."""
    found = _HEADING.match(text)
    return found is not None and found[0] != ""


def _closed_form(rest: str, place: _Place) -> Form | None:
    """Return the form that ``_longest`` finds whatever follows the rest; None where that is open."""
    for form in forms().get(rest[:2], ()) if len(rest) > 1 else ():
        goes_beyond = form.text.startswith(rest) and form.text != rest
        if _lies_within(form.division, place) and (goes_beyond or rest.startswith(form.text)):
            if goes_beyond or not form.is_full:
                return None
            return form if _is_alone(form, place) else _without_context(form)
    return None


def _longest(rest: str, place: _Place) -> Form | None:
    """Return the longest form that the text begins with and that can follow; None where it is left open which one is meant."""
    known = forms().get(rest[:2], ()) if place.district is None else ()
    for form in known:
        if rest.startswith(form.text) and _can_follow(form, place, rest[len(form.text) :]):
            return form if _is_alone(form, place) else _without_context(form)
    return None


def _can_follow(form: Form, place: _Place, rest: str) -> bool:
    division = form.division
    if not _lies_within(division, place):
        return False
    if form.is_full:
        return True
    if division.region == place.region and division.level is Level.REGION:
        return False  # repeated, and not in full: more likely a street
    begins_inside = _begins_inside(division, rest)
    if _OTHER_NAME.match(rest) and not begins_inside:
        return False
    if division.level is Level.DISTRICT:
        return place.is_short and place != _Place()
    # The short name of a city with nothing before it is one where a district of it or a street follows.
    return division.level is Level.REGION or place.region is not None or not rest or begins_inside or _has_street(rest)


def _has_street(rest: str) -> bool:
    return _STREET_WITH_NUMBER.search(rest) is not None


def _lies_within(division: Division, place: _Place) -> bool:
    """Return whether a division fits what is known; a region or city may be repeated."""
    if place.region is None:
        return division.is_current
    if place.region != division.region:
        return False
    return division.level is Level.REGION or place.city is None or place.city == division.city


def _begins_inside(division: Division, rest: str) -> bool:
    """Return whether a text begins with a smaller division of this one."""
    inside = _Place(division.region, division.city)
    smaller = (form for form in forms().get(rest[:2], ()) if form.division.level > division.level)
    return any(rest.startswith(form.text) and _can_follow(form, inside, rest[len(form.text) :]) for form in smaller)


def _is_alone(form: Form, place: _Place) -> bool:
    """Return whether no other division of that level and form fits: 朝阳区 alone may be Beijing's or Changchun's."""
    if form.division.level is not Level.DISTRICT or place.city:
        return True
    fitting = [
        other.division
        for other in forms()[form.text[:2]]
        if other.text == form.text and other.division.level is Level.DISTRICT and _lies_within(other.division, place)
    ]
    return len({(division.region, division.city) for division in fitting}) == 1


def _without_context(form: Form) -> Form | None:
    """Return a district of which it's open where it lies; None for a short form, which may as well be no district."""
    return form._replace(division=form.division._replace(region="", city=None)) if form.is_full else None


def _with(place: _Place, form: Form) -> _Place:
    division = form.division
    is_district = division.level is Level.DISTRICT
    return _Place(
        division.region or place.region,
        division.city or place.city,
        division.name if is_district else None,
        is_short=not form.is_full,
    )


def _take_unlisted(place: _Place, rest: str) -> tuple[dict[str, str], str]:
    if place.city is None and place.district is None and (found := _UNLISTED_CITY.match(rest)):
        place, rest = place._replace(city=found[0]), rest[found.end() :]
    if place.district is None and (found := _UNLISTED_DISTRICT.match(rest)):
        place, rest = place._replace(district=found[0]), rest[found.end() :]
    return place.parts, rest
