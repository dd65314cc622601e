"""Countries by any of their names and codes; names are CLDR's, as phonenumbers packages them, in ``countries.csv``."""

import csv
import re
from functools import cache
from importlib.resources import files
from typing import Final

from custview_pipeline.standardisation.reading import Reading
from custview_pipeline.standardisation.text import fold, word_set

MONTH_FIRST: Final = word_set("""US PR GU VI AS MP FM MH PW PH""")
CHINESE_WRITING: Final = frozenset({"CN", "TW", "HK", "MO", "SG"})


def _key(text: str) -> str:
    return re.sub(r"[^a-z]", "", fold(text)) or text.strip().casefold()


@cache
def countries_by_name() -> dict[str, str]:
    """Return ISO 3166 alpha-2 codes by every known name and code, folded to letters alone."""
    found: dict[str, str] = {}
    with (files("custview_pipeline.standardisation") / "countries.csv").open(encoding="utf-8") as lines:
        for line in csv.DictReader(lines):
            for name in (line["alpha_2"], line["alpha_3"], line["english"], line["chinese"], *line["also"].split("|")):
                if name:
                    found.setdefault(_key(name), line["alpha_2"])
    return found


def read_country(text: str) -> tuple[Reading]:
    """Return the ISO 3166 alpha-2 code of a country in any spelling; what is not one is kept as given."""
    code = countries_by_name().get(_key(text))
    if code is None:
        return (Reading(text, text.upper(), None, "not_a_country"),)
    return (Reading(code, code, code),)


def is_country(text: str) -> bool:
    """Return whether ``text`` names a country: the code NA is Namibia, not a placeholder."""
    return _key(text) in countries_by_name()
