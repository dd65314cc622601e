"""Countries by any of their names and codes: ISO 3166 as pycountry has it, common names in ``country_aliases.csv``."""

import csv
import gettext
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

import pycountry

from custview_pipeline.standardisation.reading import Reading
from custview_pipeline.standardisation.text import fold, word_set

MONTH_FIRST: Final = word_set("""US PR GU VI AS MP FM MH PW PH""")
CHINESE_WRITING: Final = frozenset({"CN", "TW", "HK", "MO", "SG"})
_CHINESE: Final = ("zh_CN", "zh_TW", "zh_HK")
# Languages whose names of countries are known: those that most countries and their neighbours write.
_FURTHER_LANGUAGES: Final = word_set(
    """de fr es it pt pt_BR nl sv da nb_NO fi is pl cs sk sl hr sr hu ro bg el tr ru uk et lv lt ja ko ar he fa hi th vi id ms"""
)
_SHORTEST_FOREIGN: Final = 4  # Ao is Vietnamese for Austria
_INVERTED: Final = re.compile(r"([^,]+), *([^,]+)")  # Bahamas, The
_TWICE: Final = re.compile(r"([^()]+?) *\((.+)\)|(.+?) +[-\u2013] +(.+)")  # US - United States
_SAINT: Final = re.compile(r"\b(?:st|ste)\b\.?(?=[ -]?[a-z])")


def _key(text: str) -> str:
    folded = _SAINT.sub("saint", fold(text).replace("&", " and ")).strip().removeprefix("the ")
    return re.sub(r"[^a-z]", "", folded) or text.strip().casefold()


def _names(country: pycountry.db.Country) -> list[str]:
    return [getattr(country, kind) for kind in ("name", "common_name", "official_name") if hasattr(country, kind)]


def _translated(language: str) -> Iterator[tuple[str, str]]:
    translation = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=[language])
    for country in pycountry.countries:
        for name in _names(country):
            yield _key(translation.gettext(name)), country.alpha_2


@cache
def countries_by_name() -> dict[str, str]:
    """Return ISO 3166 alpha-2 codes by code (alpha-2, alpha-3, numeric) and by English and Chinese name, as keys of ``_key``."""
    found: dict[str, str] = {}
    for country in pycountry.countries:
        found |= dict.fromkeys((country.alpha_2.lower(), country.alpha_3.lower(), country.numeric), country.alpha_2)
    with (files("custview_pipeline.standardisation.codes") / "country_aliases.csv").open(encoding="utf-8") as lines:
        aliases = [(_key(name), line["alpha_2"]) for line in csv.DictReader(lines) for name in line["names"].split("|")]
    english = [(_key(name), country.alpha_2) for country in pycountry.countries for name in _names(country)]
    for key, code in (*aliases, *english, *(pair for language in _CHINESE for pair in _translated(language))):
        found.setdefault(key, code)
    return found


@cache
def _by_foreign_name() -> dict[str, str]:
    """Return codes by names in further languages, where no two countries share one."""
    found: dict[str, set[str]] = {}
    for language in _FURTHER_LANGUAGES:
        for key, code in _translated(language):
            if not key.isascii() or len(key) >= _SHORTEST_FOREIGN:
                found.setdefault(key, set()).add(code)
    return {key: codes.pop() for key, codes in found.items() if len(codes) == 1}


@lru_cache(10_000)
def country_of(text: str) -> str | None:
    """Return the ISO 3166 alpha-2 code of a country in any spelling; None where the text names none."""
    if inverted := _INVERTED.fullmatch(text):
        return _named(text) or _named(f"{inverted[2]} {inverted[1]}")
    if twice := _TWICE.fullmatch(text):
        codes = {_named(part) for part in twice.groups() if part}
        return _named(text) or (codes.pop() if len(codes) == 1 else None)
    return _named(text)


def _named(text: str) -> str | None:
    key = _key(text)
    if key == "na" and text.casefold() != key:
        return None  # N/A says that none is known; NA is Namibia
    return countries_by_name().get(key) or _by_foreign_name().get(key)


def read_country(text: str) -> tuple[Reading]:
    """Return the ISO 3166 alpha-2 code of a country in any spelling; what is not one is kept as given."""
    code = country_of(text)
    if code is None:
        return (Reading(text, text.upper(), None, "not_a_country"),)
    return (Reading(code, code, code),)


def is_country(text: str) -> bool:
    """Return whether ``text`` names a country: the code NA is Namibia, not a placeholder."""
    return country_of(text) is not None
