"""The cells and the parts of one person's name; which of them are Chinese, by characters or by letters."""

import re
from typing import Final, NamedTuple

from custview_pipeline.standardisation.codes.countries import CHINESE_WRITING
from custview_pipeline.standardisation.names.chinese_names import (
    CHINESE_SURNAMES,
    ChineseName,
    is_pinyin,
    one_spelling,
    read_chinese_name,
)
from custview_pipeline.standardisation.names.scripts import east_asian_of, has_east_asian
from custview_pipeline.standardisation.text import word_pairs, word_set, words

TITLES_SHOWN: Final = word_pairs(
    """mister Mr doctor Dr professor Prof reverend Rev honorable Hon honourable Hon captain Capt sergeant
    Sgt lieutenant Lt colonel Col general Gen missus Mrs"""
)
HONORIFICS: Final = ("先生", "女士", "小姐", "太太")
TITLES: Final = word_set("""mr mrs ms dr miss sir prof rev lady lord dame mx""")
# Surnames of Hong Kong, Macau, Taiwan and overseas as written there (Cantonese, Wade-Giles, Hokkien). Of general knowledge.
ROMANISED_SURNAMES: Final = word_set(
    """chan wong lee cheung lam ng leung lau ho yip tsang kwok chow chu mak poon fung tse tam law lui lo yeung hui choi siu tang
    kwan to yu yuen so tong ma lai ko kong au chung mok szeto ip ngai shum sin pang chiu wan cheng hung ting cheuk tsui
    chen lin huang chang li wu liu tsai yang hsu kuo hung chiu tseng liao lai chou yeh su chiang lu hsieh hsiao tsao
    tan lim ong goh ang koh teo tay sim chua yeo neo foo heng"""
)
_SYLLABLES: Final = 2  # of a given name that is told by its syllables
ROMANISED_SYLLABLE: Final = (
    "(?:(?:[bcdfghjklmnpstwyz]|ch|kw|gw|ng|sh|hs|ts|tz|sz)?(?:[aeiou]{1,3}|y)(?:ng|n|m|k|p|t|h|r|u|i)?|ng|tsz)"
)
_ROMANISED: Final = re.compile(ROMANISED_SYLLABLE)
_CARE_OF: Final = re.compile(r"(?:^|[ ,;]+)(?:c/o[.:]? +)+", re.IGNORECASE)
_HONORIFIC: Final = re.compile(f"(?<=.)(?:{'|'.join(HONORIFICS)})$")
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
    credentials: str = ""
    nickname: str = ""
    former: str = ""
    native: str = ""

    def display(self, country: str) -> str:
        """Return the whole name in one line; where Chinese is written, a Chinese name has its family name first."""
        given = [self.given, self.middle]
        syllables, family = words(" ".join(given)), words(self.family)
        has_family_first = country in CHINESE_WRITING and (
            is_chinese(syllables, family, country) or is_romanised(syllables, family)
        )
        order = [self.family, *given] if has_family_first else [*given, self.family]
        return (
            " ".join(part for part in (self.prefix, *order, self.suffix, self.credentials) if part)
            or self.native
            or self.nickname
        )


def without_care_of(text: str) -> str:
    """Return a name without at whose house it is: Jane Doe c/o John Roe."""
    return next(filter(None, _CARE_OF.split(text)), text) if "/" in text else text


def divide_scripts(cells: NameCells) -> NameCells:
    """Move Chinese characters, kana and hangul to ``native``, so that the other cells are of an alphabet."""
    if not any(cell and has_east_asian(cell) for cell in cells[:4]):
        return cells
    written = {field: east_asian_of(getattr(cells, field) or "") for field in ("full", "given", "middle", "family")}
    whole = " ".join(_native_words(cells.full or ""))
    native = cells.native or (
        f"{written['family']} {written['middle']}{written['given']}".strip() if written["family"] or written["given"] else whole
    )
    rest = {field: _without_east_asian(getattr(cells, field)) for field in written}
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
    family, _, given = " ".join(_native_words(without_honorific(native))).partition(" ")
    return read_chinese_name(family, given.replace(" ", ""))


def without_honorific(native: str) -> str:
    """Return a name in Chinese characters without "Mr" or "Ms" behind it."""
    return _HONORIFIC.sub("", native)


def _without_east_asian(text: str | None) -> str | None:
    if not text or not has_east_asian(text):
        return text
    for char in set(east_asian_of(text)):
        text = text.replace(char, " ")
    bare = re.sub(r"[()\[\]·,]", " ", text)
    return " ".join(bare.split()) or None


def _native_words(text: str) -> list[str]:
    return [word for word in (east_asian_of(part) for part in text.split()) if word]


def is_chinese(given: list[str], family: list[str], country: str) -> bool:
    """Return whether Latin letters spell a Chinese name: Xiao Ming is then one given name, xiaoming."""
    if len(family) != 1 or not given or family[0] not in CHINESE_SURNAMES or not all(map(is_pinyin, given)):
        return False
    return country in CHINESE_WRITING or len(given) > 1


def is_romanised(given: list[str], family: list[str]) -> bool:
    """Return whether words are a Chinese name as Hong Kong, Taiwan or Singapore writes it: Chan, Tai Man. Kept as it is."""
    return (
        len(family) == 1
        and len(given) == _SYLLABLES
        and family[0] in ROMANISED_SURNAMES
        and all(map(_ROMANISED.fullmatch, given))
    )
