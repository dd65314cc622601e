"""nameparser's own answers, once per shape of a name: ordinary words make room for placeholders, and are put back."""

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Final, NamedTuple

from nameparser import HumanName
from nameparser.config import CONSTANTS

_ORDINARY: Final = re.compile(r"(?<![A-Za-z0-9'.])[A-Za-z]{3,}(?![A-Za-z0-9'.])")
_PLACED: Final = re.compile("[Zz][Qq][A-Ha-h][Xx]")
_MOST_WORDS: Final = 8
_TITLES: Final = ("titles", "first_name_titles")
_NO_WORDS: Final = ("regexes", "nickname_delimiters", "maiden_delimiters")
_ROMAN_NUMBERS: Final = frozenset({"i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"})


class ParsedName(NamedTuple):
    """A person's name in the parts that nameparser tells; empty strings where there are none."""

    title: str
    first: str
    middle: str
    last: str
    suffix: str
    nickname: str
    maiden: str


def parse_name(text: str) -> ParsedName:
    """Return ``HumanName(text)``'s parts; equal to it for every text (asserted in tests)."""
    if not text.isascii() or _PLACED.search(text):
        return _ask(text)
    ordinary: list[str] = []

    def place(found: re.Match[str]) -> str:
        word = found[0]
        if word.lower() in special_words() or len(ordinary) >= _MOST_WORDS:
            return word
        letter = chr(97 + len(ordinary))
        placed = f"zq{letter}x"
        for is_case, form in ((word.isupper(), placed.upper()), (word.islower(), placed), (word.istitle(), placed.capitalize())):
            if is_case:
                ordinary.append(word)
                return form
        return word

    template = _ask(_ORDINARY.sub(place, text))
    if not ordinary:
        return template
    return ParsedName(
        *(_PLACED.sub(lambda found: ordinary[ord(found[0][2].lower()) - 97], part) if part else part for part in template)
    )


@lru_cache(50_000)
def _ask(text: str) -> ParsedName:
    name = HumanName(text)
    return ParsedName(name.title, name.first, name.middle, name.last, name.suffix, name.nickname, name.maiden)


@cache
def special_words() -> frozenset[str]:
    """Return every word that nameparser's configuration knows, and the Roman numbers that its grammar takes for suffixes."""
    return _ROMAN_NUMBERS | _known(*_word_settings())


@cache
def title_words() -> frozenset[str]:
    """Return the words that are titles before a name and nothing else."""
    return _known(*_TITLES) - _known(*(name for name in _word_settings() if name not in _TITLES)) - _ROMAN_NUMBERS


def _word_settings() -> list[str]:
    return [name for name in dir(CONSTANTS) if not name.startswith("_") and name not in _NO_WORDS]


def _known(*names: str) -> frozenset[str]:
    found: set[str] = set()
    for name in names:
        setting = getattr(CONSTANTS, name, None)
        if isinstance(setting, Iterable) and not isinstance(setting, str):
            found.update(part for word in setting for part in re.findall(r"[a-z0-9']+", str(word).lower()))
    return frozenset(found)
