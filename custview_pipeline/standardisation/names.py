"""Names of persons: the parts as shown, and the words that are compared."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.standardisation.chinese_names import (
    CHINESE_SURNAMES,
    ChineseName,
    han_of,
    is_pinyin,
    one_spelling,
    read_chinese_name,
)
from custview_pipeline.standardisation.countries import CHINESE_WRITING
from custview_pipeline.standardisation.name_templates import parse_name
from custview_pipeline.standardisation.text import has_han, has_uniform_case, to_json, word_pairs, word_set, words

TITLES: Final = word_set("""mr mrs ms dr miss sir prof rev lady lord dame mx""")
SUFFIXES: Final = {"jr": "jr", "junior": "jr", "sr": "sr", "senior": "sr", "ii": "ii", "iii": "iii", "iv": "iv"}
_SUFFIXES_SHOWN: Final = word_pairs("""jr Jr junior Jr sr Sr senior Sr ii II iii III iv IV v V phd PhD esq Esq""")
_TITLES_SHOWN: Final = word_pairs(
    """mister Mr doctor Dr professor Prof reverend Rev honorable Hon honourable Hon captain Capt sergeant
    Sgt lieutenant Lt colonel Col general Gen missus Mrs"""
)
_PARTICLES: Final = word_set("""de da das do dos del della der den di du la le van von ten ter zu y e af av bin ibn""")
_OTHER_HAN_READINGS: Final = frozenset({"JP", "KR", "VN"})
_SHORT_CAPITALS: Final = 3

PERSON: Final = pl.Schema(
    {
        "value": pl.String(),
        "comparable": pl.String(),
        "rule": pl.String(),
        "parts": pl.String(),
        "part_count": pl.UInt8(),
        "given": pl.String(),
        "middle": pl.String(),
        "family": pl.String(),
        "name_suffix": pl.String(),
        "native_name": pl.String(),
        "name_words": pl.String(),  # separated by spaces
    }
)


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
        is_chinese = country in CHINESE_WRITING and _is_chinese(words(" ".join(given)), words(self.family), country)
        order = [self.family, *given] if is_chinese else [*given, self.family]
        return " ".join(part for part in (self.prefix, *order, self.suffix) if part) or self.native or self.nickname


class ComparableName(NamedTuple):
    """What matching compares of a name."""

    given: str | None
    middle: str | None
    family: str | None
    name_suffix: str | None
    native_name: str | None
    name_words: str


def read_person_name(*cells: str | None) -> list[tuple[object, ...]]:
    """Return one tuple of ``PERSON`` for a person's name; none where every cell is empty.

    Args:
        cells: The fields of ``NameCells``, then the country (ISO 3166 alpha-2).
    """
    *given_cells, country = cells
    name = _divide_scripts(NameCells(*given_cells))
    if not any(name):
        return []
    parts = _shown_parts(name, country or "")
    comparable = _comparable(name, parts, country or "")
    display = parts.display(country or "")
    rule = None if any(char.isalpha() for char in display) else "not_a_name"
    key = " ".join(words(display)) or comparable.native_name or display.casefold()
    return [(display, key, rule, to_json(parts._asdict()), max(1, sum(map(bool, parts))), *comparable)]


def _divide_scripts(cells: NameCells) -> NameCells:
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
    name, written = _read_native(cells.native), cells.full.split()
    for k in range(1, len(written)):
        head, tail = (one_spelling("".join(words(" ".join(part)))) for part in (written[:k], written[k:]))
        if (head, tail) == (name.family_pinyin, name.given_pinyin):
            return cells._replace(full=None, family=" ".join(written[:k]), given=" ".join(written[k:]))
        if (tail, head) == (name.family_pinyin, name.given_pinyin):
            return cells._replace(full=None, given=" ".join(written[:k]), family=" ".join(written[k:]))
    return cells


def _read_native(native: str) -> ChineseName:
    family, _, given = " ".join(_han_words(native)).partition(" ")
    return read_chinese_name(family, given.replace(" ", ""))


def _without_han(text: str | None) -> str | None:
    if not text or not has_han(text):
        return text
    for char in set(han_of(text)):
        text = text.replace(char, " ")
    bare = re.sub(r"[()\[\]·,]", " ", text)
    return " ".join(bare.split()) or None


def _shown_parts(cells: NameCells, country: str) -> NameParts:
    given, middle, family = cells.given or "", cells.middle or "", cells.family or ""
    prefix, suffix, nickname = cells.prefix or "", cells.suffix or "", ""
    given, found_prefix = _take_titles(given)
    if cells.full and (not given or not family or _is_same_name(cells)):
        parsed = _parse_full_name(cells.full, country)
        given, family = given or parsed.given, family or ("" if cells.given and parsed.family == cells.given else parsed.family)
        middle, prefix, suffix, nickname = (
            middle or parsed.middle,
            prefix or parsed.prefix,
            suffix or parsed.suffix,
            parsed.nickname,
        )
    family, found_suffix = _take_suffixes(family)
    if not (given or family):
        given, found_prefix = found_prefix, ""
    raw = NameParts(prefix or found_prefix, given, middle, family, suffix or found_suffix, nickname, cells.native or "")
    return _spell(raw)


def _is_same_name(cells: NameCells) -> bool:
    """Return whether the full name holds just what the columns of its parts hold, so that it may add a middle name or a title."""
    parsed = parse_name(cells.full or "")
    return words(parsed.first) == words(cells.given) and words(parsed.last) == words(cells.family)


def _parse_full_name(text: str, country: str) -> NameParts:
    parsed = parse_name(text)
    first, last, title = parsed.first, parsed.last, parsed.title
    if title and not (first and last) and not set(words(title)) <= TITLES:
        # "King Smith": a word that can be a title, and must be the given name here
        title, first, last = "", title, last or first
    given = f"{parsed.middle} {last}".strip()
    if "," not in text and _has_family_first(first, given, country):
        return NameParts(title, given, "", first, parsed.suffix, parsed.nickname)
    return NameParts(title, first, parsed.middle, last, parsed.suffix, parsed.nickname)


def _has_family_first(first: str, rest: str, country: str) -> bool:
    """Return whether a Chinese name is written family name first: "Wang Xiaoming" in China, "WANG Xiaoming" anywhere."""
    if not rest or not _is_chinese(words(rest), words(first), "CN"):
        return False
    return country in CHINESE_WRITING or (first.isupper() and not rest.isupper() and len(first) > 1)


def _take_titles(text: str) -> tuple[str, str]:
    tokens = text.split()
    titles = [token for token in tokens if token.lower().strip(".") in TITLES]
    return (" ".join(token for token in tokens if token not in titles), " ".join(titles)) if titles else (text, "")


def _take_suffixes(text: str) -> tuple[str, str]:
    tokens = text.replace(",", " ").split()
    suffixes = [token for token in tokens[1:] if token.lower().strip(".") in SUFFIXES]
    return (" ".join(token for token in tokens if token not in suffixes), " ".join(suffixes)) if suffixes else (text, "")


def _spell(parts: NameParts) -> NameParts:
    has_no_case = has_uniform_case(" ".join(parts[:5]))
    title = " ".join(_TITLES_SHOWN.get(word.lower(), _capitalise(word)) for word in _bare(parts.prefix).split())
    suffix = " ".join(_SUFFIXES_SHOWN.get(word.lower(), word) for word in _bare(parts.suffix).split())
    given, middle, family = (_spell_part(part, has_no_case=has_no_case) for part in (parts.given, parts.middle, parts.family))
    return NameParts(title, given, middle, family, suffix, _spell_part(parts.nickname, has_no_case=has_no_case), parts.native)


def _bare(text: str) -> str:
    return " ".join(re.sub(r"[.,]+", " ", text).split()) if "." in text or "," in text else text


@lru_cache(100_000)
def _spell_part(part: str, *, has_no_case: bool) -> str:
    part = _bare(part)
    if not part.islower() and not (part.isupper() and (has_no_case or len(part) > _SHORT_CAPITALS)):
        return part
    *head, last = part.split()
    return " ".join([*(word.lower() if word.lower() in _PARTICLES else _capitalise(word) for word in head), _capitalise(last)])


def _capitalise(word: str) -> str:
    if not has_uniform_case(word):
        return word
    pieces = re.split(r"(['-])", word.lower())
    capitalised = "".join(
        piece if len(piece) == 1 and k and k == len(pieces) - 1 and pieces[k - 1] != "-" else piece.capitalize()
        for k, piece in enumerate(pieces)
    )
    return re.sub(r"^Mc([a-z])", lambda found: f"Mc{found[1].upper()}", capitalised)


def _comparable(cells: NameCells, parts: NameParts, country: str) -> ComparableName:
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
    elif _is_chinese(syllables := given if len(given) > 1 else given + middle, family, country):
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
    name = _read_native(cells.native or "")
    reading = [word for word in (name.family_pinyin, name.given_pinyin) if word]
    bag.update(reading)
    if not family and not given:
        return ([name.given_pinyin] if name.given_pinyin else []), [], ([name.family_pinyin] if name.family_pinyin else [])
    if one_spelling("".join(family)) == name.family_pinyin and all(map(is_pinyin, given)):
        given, middle = ([one_spelling("".join(given))] if given else [name.given_pinyin]), []
        bag.update(given)
        return given, middle, [name.family_pinyin]
    return given, middle, family


def _han_words(text: str) -> list[str]:
    return [word for word in (han_of(part) for part in text.split()) if word]


def _is_chinese(given: list[str], family: list[str], country: str) -> bool:
    """Return whether Latin letters spell a Chinese name: Xiao Ming is then one given name, xiaoming."""
    if len(family) != 1 or not given or family[0] not in CHINESE_SURNAMES or not all(map(is_pinyin, given)):
        return False
    return country in CHINESE_WRITING or len(given) > 1


def _native_key(cells: NameCells) -> str | None:
    native = cells.native
    if native is None:
        foreign = " ".join(
            cell for cell in ((cells.given, cells.family) if cells.given or cells.family else (cells.full,)) if cell
        )
        native = foreign if foreign and not foreign.isascii() and not words(foreign) else None
    return re.sub(r"\W", "", native.lower()) or None if native else None
