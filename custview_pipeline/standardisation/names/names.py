"""Names of persons: the parts as shown, and the words that are compared."""

import re
from functools import lru_cache
from typing import Final

import polars as pl

from custview_pipeline.standardisation.names.comparable_names import compare_name
from custview_pipeline.standardisation.names.name_cells import (
    SUFFIXES,
    TITLES,
    TITLES_SHOWN,
    NameCells,
    NameParts,
    divide_scripts,
    without_care_of,
)
from custview_pipeline.standardisation.names.name_order import ends_with_patronymic, has_family_first, join_surnames
from custview_pipeline.standardisation.names.name_templates import parse_name
from custview_pipeline.standardisation.names.post_nominals import split_suffixes
from custview_pipeline.standardisation.names.scripts import latin_words
from custview_pipeline.standardisation.text import has_uniform_case, to_json, word_pairs, word_set, words

_SUFFIXES_SHOWN: Final = word_pairs("""jr Jr junior Jr sr Sr senior Sr ii II iii III iv IV v V phd PhD esq Esq""")
_PARTICLES: Final = word_set("""de da das do dos del della der den di du la le van von ten ter zu y e af av bin ibn""")
# Scottish and Irish surnames with a second capital, for names all in capitals; Mack, Macy and Machado have none.
_MAC: Final = re.compile(
    "Mac(alister|allister|arthur|aulay|beth|bride|callum|carthy|cormack|dermott|donald|donnell|dougall|duff|ewan|farlane|gill"
    "|gowan|gregor|innes|intyre|lachlan|laren|lean|lennan|leod|millan|nab|namara|naughton|neil|neill|nicol|phail|pherson|queen|rae"
    "|tavish|vicar)$"
)
_MC: Final = re.compile("Mc(.+)")
_NUMBERS: Final = word_pairs("2nd II 3rd III 4th IV 5th V")
_ORDINAL: Final = re.compile(r"[ ,]+(2nd|3rd|4th|5th)\.?$", re.IGNORECASE)
_INITIALS: Final = re.compile(r"[A-Za-z](?:[. ]+[A-Za-z])+\.?")
_BORN: Final = re.compile(r"(?:n[ée]e|born|geb\.?|geborene) ", re.IGNORECASE)
_SHORT_CAPITALS: Final = 3
_MOST_READINGS: Final = 4

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
    written = NameCells(*given_cells)
    name = divide_scripts(written._replace(full=without_care_of(written.full)) if written.full else written)
    if not any(name):
        return []
    parts = _settled(_shown_parts(name, country or ""), name, country or "")
    comparable = compare_name(name, parts, country or "")
    display = parts.display(country or "") or next(cell for cell in name if cell)
    rule = None if any(char.isalpha() for char in display) else "not_a_name"
    key = comparable.native_name if display == parts.native else " ".join(latin_words(display)) or comparable.native_name
    return [(display, key or display.casefold(), rule, to_json(parts._asdict()), max(1, sum(map(bool, parts))), *comparable)]


def _settled(parts: NameParts, cells: NameCells, country: str) -> NameParts:
    """Return the parts whose display is read as itself: of names that are a puzzle, those that the display itself is read as."""
    if not cells.full or cells.given or cells.family:
        return parts
    for _ in range(_MOST_READINGS):
        display = parts.display(country)
        again = _shown_parts(divide_scripts(NameCells(display)), country)
        if again.display(country) == display or not display:
            return parts
        parts = again._replace(nickname=parts.nickname, former=parts.former, native=parts.native)
    return NameParts(given=cells.full, native=parts.native)


def _shown_parts(cells: NameCells, country: str) -> NameParts:
    given, middle, family = cells.given or "", cells.middle or "", cells.family or ""
    prefix, suffix, nickname, former = cells.prefix or "", cells.suffix or "", "", ""
    given, found_prefix = _take_titles(given)
    if cells.full and (not given or not family or _is_same_name(cells)):
        parsed = _parse_full_name(cells.full, country)
        given, family = given or parsed.given, family or ("" if cells.given and parsed.family == cells.given else parsed.family)
        middle, prefix, suffix, nickname, former = (
            middle or parsed.middle,
            prefix or parsed.prefix,
            suffix or parsed.suffix,
            parsed.nickname,
            parsed.former,
        )
    family, found_suffix = _take_suffixes(family)
    if not (given or family):
        given, found_prefix = found_prefix, ""
    generation, credentials = split_suffixes(suffix or found_suffix)
    return _spell(
        NameParts(prefix or found_prefix, given, middle, family, generation, credentials, nickname, former, cells.native or "")
    )


def _is_same_name(cells: NameCells) -> bool:
    """Return whether the full name holds just what the columns of its parts hold, so that it may add a middle name or a title."""
    parsed = parse_name(cells.full or "")
    return words(parsed.first) == words(cells.given) and words(parsed.last) == words(cells.family)


def _parse_full_name(text: str, country: str) -> NameParts:
    parsed = parse_name(_ORDINAL.sub(_as_number, text))
    first, last, title = parsed.first, parsed.last, parsed.title
    if title and not (first and last) and not set(words(title)) <= TITLES:
        # "King Smith": a word that can be a title, and must be the given name here
        title, first, last = "", title, last or first
    given = f"{parsed.middle} {last}".strip()
    if "," not in text and has_family_first(first, given, country):
        return NameParts(title, given, "", first, parsed.suffix, "", parsed.nickname, parsed.maiden)
    middle, suffix = _with_initial(parsed.middle, parsed.suffix, is_inverted="," in text)
    if not middle and _INITIALS.fullmatch(first):
        first, middle = _bare(first).split(" ", 1)
    if "," not in text and middle and last:
        if ends_with_patronymic(middle, last):
            first, middle, last = middle, last, first
        else:
            middle, last = join_surnames(middle, last, country)
    former = parsed.maiden or _former_name(parsed.nickname)
    return NameParts(title, first, middle, last, suffix, "", "" if former else parsed.nickname, former)


def _as_number(found: re.Match[str]) -> str:
    return f" {_NUMBERS[found[1].lower()]}"


def _former_name(nickname: str) -> str:
    """Return the name at birth that stands in brackets, where nicknames do: (née Smith)."""
    found = _BORN.match(nickname)
    return nickname[found.end() :] if found else ""


def _with_initial(middle: str, suffix: str, *, is_inverted: bool) -> tuple[str, str]:
    """Take I and V behind "Last, First" for initials: there they are numbers to nameparser."""
    return (suffix, "") if is_inverted and not middle and suffix.lower() in {"i", "v"} else (middle, suffix)


def _take_titles(text: str) -> tuple[str, str]:
    tokens = text.split()
    titles = [token for token in tokens if token.lower().strip(".") in TITLES]
    return (" ".join(token for token in tokens if token not in titles), " ".join(titles)) if titles else (text, "")


def _take_suffixes(text: str) -> tuple[str, str]:
    tokens = text.replace(",", " ").split()
    suffixes = [token for token in tokens[1:] if token.lower().strip(".") in SUFFIXES]
    return (" ".join(token for token in tokens if token not in suffixes), " ".join(suffixes)) if suffixes else (text, "")


def _spell(parts: NameParts) -> NameParts:
    has_no_case = has_uniform_case(f"{parts.given} {parts.middle} {parts.family}")
    given, middle, family = (spell_part(part, has_no_case=has_no_case) for part in (parts.given, parts.middle, parts.family))
    nickname = spell_part(parts.nickname, has_no_case=has_no_case)
    return parts._replace(prefix=spell_title(parts.prefix), given=given, middle=middle, family=family, nickname=nickname)


@lru_cache(10_000)
def spell_title(title: str) -> str:
    """Return titles as shown: doctor is Dr."""
    return " ".join(TITLES_SHOWN.get(word.lower(), _capitalise(word)) for word in _bare(title).split())


def _bare(text: str) -> str:
    return " ".join(re.sub(r"[.,]+", " ", text).split()) if "." in text or "," in text else text


@lru_cache(100_000)
def spell_part(part: str, *, has_no_case: bool) -> str:
    """Return the words of one part as shown.

    Args:
        part: Given, middle or family names.
        has_no_case: Whether the case of the whole name's letters says nothing.
    """
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
    scottish = _MAC.match(capitalised) or _MC.match(capitalised)
    return f"{capitalised[: scottish.start(1)]}{scottish[1].capitalize()}" if scottish else capitalised
