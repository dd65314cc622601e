"""Names of persons: the parts as shown, and the words that are compared."""

import re
from functools import lru_cache
from typing import Final

import polars as pl

from custview_pipeline.standardisation.comparable_names import compare_name
from custview_pipeline.standardisation.countries import CHINESE_WRITING
from custview_pipeline.standardisation.name_cells import SUFFIXES, TITLES, NameCells, NameParts, divide_scripts, is_chinese
from custview_pipeline.standardisation.name_templates import parse_name
from custview_pipeline.standardisation.text import has_uniform_case, to_json, word_pairs, word_set, words

_SUFFIXES_SHOWN: Final = word_pairs("""jr Jr junior Jr sr Sr senior Sr ii II iii III iv IV v V phd PhD esq Esq""")
_TITLES_SHOWN: Final = word_pairs(
    """mister Mr doctor Dr professor Prof reverend Rev honorable Hon honourable Hon captain Capt sergeant
    Sgt lieutenant Lt colonel Col general Gen missus Mrs"""
)
_PARTICLES: Final = word_set("""de da das do dos del della der den di du la le van von ten ter zu y e af av bin ibn""")
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


def read_person_name(*cells: str | None) -> list[tuple[object, ...]]:
    """Return one tuple of ``PERSON`` for a person's name; none where every cell is empty.

    Args:
        cells: The fields of ``NameCells``, then the country (ISO 3166 alpha-2).
    """
    *given_cells, country = cells
    name = divide_scripts(NameCells(*given_cells))
    if not any(name):
        return []
    parts = _shown_parts(name, country or "")
    comparable = compare_name(name, parts, country or "")
    display = parts.display(country or "")
    rule = None if any(char.isalpha() for char in display) else "not_a_name"
    key = " ".join(words(display)) or comparable.native_name or display.casefold()
    return [(display, key, rule, to_json(parts._asdict()), max(1, sum(map(bool, parts))), *comparable)]


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
    if not rest or not is_chinese(words(rest), words(first), "CN"):
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
