"""The cells and the parts of one person's name; which of them are Chinese, by characters or by letters."""

import re
from typing import Final, NamedTuple

from custview_pipeline.standardisation.chinese_names import (
    CHINESE_SURNAMES,
    ChineseName,
    han_of,
    is_pinyin,
    one_spelling,
    read_chinese_name,
)
from custview_pipeline.standardisation.countries import CHINESE_WRITING
from custview_pipeline.standardisation.text import has_han, word_set, words

TITLES: Final = word_set("""mr mrs ms dr miss sir prof rev lady lord dame mx""")
SUFFIXES: Final = {"jr": "jr", "junior": "jr", "sr": "sr", "senior": "sr", "ii": "ii", "iii": "iii", "iv": "iv"}


class NameCells(NamedTuple):
    """The cells of one person's name; ``former`` joins further family_name columns."""

    full: str | None = None
    given: str | None = None
    middle: str | None = None
    family: str | None = None
    former: str | None = None
    prefix: str | None = None
    suffix: str | None = None
    native: str | None = None


class NameParts(NamedTuple):
    """A name as shown, part by part."""

    prefix: str = ""
    given: str = ""
    middle: str = ""
    family: str = ""
    suffix: str = ""
    nickname: str = ""
    native: str = ""

    def display(self, country: str) -> str:
        """Return the whole name in one line; where Chinese is written, a Chinese name has its family name first."""
        given = [self.given, self.middle]
        has_family_first = country in CHINESE_WRITING and is_chinese(words(" ".join(given)), words(self.family), country)
        order = [self.family, *given] if has_family_first else [*given, self.family]
        return " ".join(part for part in (self.prefix, *order, self.suffix) if part) or self.native or self.nickname


def divide_scripts(cells: NameCells) -> NameCells:
    """Move Chinese characters to ``native``, so that the other cells are Latin (or another alphabet)."""
    if not any(cell and has_han(cell) for cell in cells[:4]):
        return cells
    han = {field: han_of(getattr(cells, field) or "") for field in ("full", "given", "middle", "family")}
    whole = " ".join(_han_words(cells.full or ""))
    native = cells.native or (
        f"{han['family']} {han['middle']}{han['given']}".strip() if han["family"] or han["given"] else whole
    )
    rest = {field: _without_han(getattr(cells, field)) for field in han}
    return _orient(cells._replace(native=native, **rest))


def _orient(cells: NameCells) -> NameCells:
    """Tell the family name in Latin letters by the Chinese characters beside them: Wang Xiaoming 王小明."""
    if not cells.full or cells.given or cells.family or not cells.native:
        return cells
    name, written = read_native(cells.native), cells.full.split()
    for k in range(1, len(written)):
        head, tail = (one_spelling("".join(words(" ".join(part)))) for part in (written[:k], written[k:]))
        if (head, tail) == (name.family_pinyin, name.given_pinyin):
            return cells._replace(full=None, family=" ".join(written[:k]), given=" ".join(written[k:]))
        if (tail, head) == (name.family_pinyin, name.given_pinyin):
            return cells._replace(full=None, given=" ".join(written[:k]), family=" ".join(written[k:]))
    return cells


def read_native(native: str) -> ChineseName:
    """Return the reading of a name in Chinese characters; a blank in it divides family name and given name."""
    family, _, given = " ".join(_han_words(native)).partition(" ")
    return read_chinese_name(family, given.replace(" ", ""))


def _without_han(text: str | None) -> str | None:
    if not text or not has_han(text):
        return text
    for char in set(han_of(text)):
        text = text.replace(char, " ")
    bare = re.sub(r"[()\[\]·,]", " ", text)
    return " ".join(bare.split()) or None


def _han_words(text: str) -> list[str]:
    return [word for word in (han_of(part) for part in text.split()) if word]


def is_chinese(given: list[str], family: list[str], country: str) -> bool:
    """Return whether Latin letters spell a Chinese name: Xiao Ming is then one given name, xiaoming."""
    if len(family) != 1 or not given or family[0] not in CHINESE_SURNAMES or not all(map(is_pinyin, given)):
        return False
    return country in CHINESE_WRITING or len(given) > 1
