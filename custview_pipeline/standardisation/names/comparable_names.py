"""What matching compares of a person's name: folded words, and the reading of Chinese characters."""

import re
from typing import Final, NamedTuple

from custview_pipeline.standardisation.names.chinese_names import is_pinyin, one_spelling
from custview_pipeline.standardisation.names.name_cells import (
    SUFFIXES,
    TITLES,
    TITLES_SHOWN,
    NameCells,
    NameParts,
    is_chinese,
    read_native,
    without_honorific,
)
from custview_pipeline.standardisation.names.post_nominals import credential_words
from custview_pipeline.standardisation.names.scripts import is_hangul, is_kana, japanese_reading, korean_reading, latin_words
from custview_pipeline.standardisation.text import has_han, word_set, words

OTHER_HAN_READINGS: Final = frozenset({"JP", "KR", "VN"})


MAIDEN_MARKERS: Final = word_set("""nee geb geborene born""")
_TITLE_WORDS: Final = {*TITLES_SHOWN, *(title.lower() for title in TITLES_SHOWN.values())}
# Words that stand with a name and, where no column has them, are none of it; some with a prefix.
WORDS_BESIDE_NAMES: Final = frozenset({*MAIDEN_MARKERS, *_TITLE_WORDS})


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
    given, family = (
        latin_words(cells.given if has_columns else parts.given),
        latin_words(cells.family if has_columns else parts.family),
    )
    middle = latin_words(cells.middle if has_columns else parts.middle)
    rest = latin_words(cells.full)
    every = given + middle + family + rest + latin_words(cells.former)
    suffix = next(
        (SUFFIXES[word] for word in words(cells.suffix or parts.suffix) + family[1:] + given[1:] if word in SUFFIXES), None
    )
    family = _without_titles(family) or [word for word in family if word not in SUFFIXES]
    beside = _words_beside(parts).difference(given, middle, family)
    given = _without_titles(given) or [word for word in _without_titles(rest) if word not in family and word not in beside]
    middle = _without_titles(middle) or [word for word in middle if word not in SUFFIXES] or given[1:]
    bag = {word for word in _without_titles(every) if len(word) > 1 and word not in beside}
    if reading := _native_reading(cells.native or "", country):
        given, middle, family = _with_reading(reading, given, middle, family, bag)
    elif is_chinese(syllables := given if len(given) > 1 else given + middle, family, country):
        given, middle, family = [one_spelling("".join(syllables))], [], [one_spelling("".join(family))]
        bag.update(given, family)
    return ComparableName(
        given[0] if given else None,
        middle[0] if middle else None,
        " ".join(family) or None,
        suffix,
        _native_key(cells, parts),
        " ".join(sorted(bag)),
    )


def _words_beside(parts: NameParts) -> set[str]:
    """Return words that stand with a name and are none of it: of credentials and titles, "née"."""
    return {*credential_words(parts.credentials), *MAIDEN_MARKERS, *(_TITLE_WORDS if parts.prefix else ())}


def _without_titles(names: list[str]) -> list[str]:
    return [word for word in names if word not in TITLES and word not in SUFFIXES]


def _native_reading(native: str, country: str) -> tuple[str, str] | None:
    """Return family name and given name in Latin letters; None where it cannot be told, as of Chinese characters in Japan."""
    if is_hangul(native):
        return korean_reading(native)
    if is_kana(native):
        return None if has_han(native) else japanese_reading(native)
    if has_han(native) and country not in OTHER_HAN_READINGS:
        name = read_native(native)
        return name.family_pinyin, name.given_pinyin
    return None


def _with_reading(
    reading: tuple[str, str], given: list[str], middle: list[str], family: list[str], bag: set[str]
) -> tuple[list[str], list[str], list[str]]:
    """Fill what the Latin cells leave open with the reading of the native name, and add its words to the bag."""
    family_read, given_read = reading
    bag.update(word for word in reading if word)
    if not family and not given:
        return ([given_read] if given_read else []), [], ([family_read] if family_read else [])
    if one_spelling("".join(family)) == family_read and all(map(is_pinyin, given)):
        given, middle = ([one_spelling("".join(given))] if given else [given_read]), []
        bag.update(given)
        return given, middle, [family_read]
    return given, middle, family


def _native_key(cells: NameCells, parts: NameParts) -> str | None:
    native = cells.native
    if native is None:
        shown = (parts.given, parts.middle, parts.family)
        foreign = " ".join(cell for cell in ((cells.given, cells.family) if cells.given or cells.family else shown) if cell)
        native = foreign if foreign and not foreign.isascii() and not words(foreign) else None
    return re.sub(r"\W", "", without_honorific(native).lower()) or None if native else None
