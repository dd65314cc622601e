"""What matching compares of a person's name: folded words, and the reading of Chinese characters."""

import re
from typing import Final, NamedTuple

from custview_pipeline.standardisation.chinese_names import is_pinyin, one_spelling
from custview_pipeline.standardisation.name_cells import SUFFIXES, TITLES, NameCells, NameParts, is_chinese, read_native
from custview_pipeline.standardisation.text import has_han, words

_OTHER_HAN_READINGS: Final = frozenset({"JP", "KR", "VN"})


class ComparableName(NamedTuple):
    """What matching compares of a name."""

    given: str | None
    middle: str | None
    family: str | None
    name_suffix: str | None
    native_name: str | None
    name_words: str


def compare_name(cells: NameCells, parts: NameParts, country: str) -> ComparableName:
    """Return the words that are compared: of the columns of parts where there are any, of the full name's parts elsewhere.

    Args:
        cells: The cells, divided by script.
        parts: The name as shown.
        country: ISO 3166 alpha-2; tells whose characters and syllables they are.
    """
    has_columns = bool(cells.given or cells.family)
    given, family = words(cells.given if has_columns else parts.given), words(cells.family if has_columns else parts.family)
    middle = words(cells.middle if has_columns else parts.middle)
    rest = words(cells.full)
    every = given + middle + family + rest + words(cells.former)
    suffix = next(
        (SUFFIXES[word] for word in words(cells.suffix or parts.suffix) + family[1:] + given[1:] if word in SUFFIXES), None
    )
    family = _without_titles(family) or [word for word in family if word not in SUFFIXES]
    given = _without_titles(given) or [word for word in _without_titles(rest) if word not in family]
    middle = _without_titles(middle) or [word for word in middle if word not in SUFFIXES] or given[1:]
    bag = {word for word in _without_titles(every) if len(word) > 1}
    if cells.native and has_han(cells.native) and country not in _OTHER_HAN_READINGS:
        given, middle, family = _with_chinese_reading(cells, given, middle, family, bag)
    elif is_chinese(syllables := given if len(given) > 1 else given + middle, family, country):
        given, middle, family = [one_spelling("".join(syllables))], [], [one_spelling("".join(family))]
        bag.update(given, family)
    return ComparableName(
        given[0] if given else None,
        middle[0] if middle else None,
        " ".join(family) or None,
        suffix,
        _native_key(cells),
        " ".join(sorted(bag)),
    )


def _without_titles(names: list[str]) -> list[str]:
    return [word for word in names if word not in TITLES and word not in SUFFIXES]


def _with_chinese_reading(
    cells: NameCells, given: list[str], middle: list[str], family: list[str], bag: set[str]
) -> tuple[list[str], list[str], list[str]]:
    """Fill what the Latin cells leave open with the reading of the Chinese name, and add its words to the bag."""
    name = read_native(cells.native or "")
    reading = [word for word in (name.family_pinyin, name.given_pinyin) if word]
    bag.update(reading)
    if not family and not given:
        return ([name.given_pinyin] if name.given_pinyin else []), [], ([name.family_pinyin] if name.family_pinyin else [])
    if one_spelling("".join(family)) == name.family_pinyin and all(map(is_pinyin, given)):
        given, middle = ([one_spelling("".join(given))] if given else [name.given_pinyin]), []
        bag.update(given)
        return given, middle, [name.family_pinyin]
    return given, middle, family


def _native_key(cells: NameCells) -> str | None:
    native = cells.native
    if native is None:
        foreign = " ".join(
            cell for cell in ((cells.given, cells.family) if cells.given or cells.family else (cells.full,)) if cell
        )
        native = foreign if foreign and not foreign.isascii() and not words(foreign) else None
    return re.sub(r"\W", "", native.lower()) or None if native else None
