"""Industry codes by scheme: which sectors, sections and divisions a classification has."""

import re
from functools import cache
from typing import Final, NamedTuple

from custview_pipeline.standardisation.reading import Reading
from custview_pipeline.standardisation.text import comparable_text

# What has the shape of a code in any of the classifications; the first group is a section's letter.
_ANY: Final = re.compile(r"([A-Z]?)\s?([0-9]{1,6}|[0-9]{2}\.[0-9]{1,2}(?:\.[0-9])?)", re.ASCII)
_NAME: Final = re.compile("^(?:NAICS|ISIC|NACE|UK SIC|SIC)[: ]+")
_TITLE: Final = re.compile(r" *[-:\u2013] *[^\W\d_].*$", re.DOTALL)
_DECIMAL: Final = re.compile(r"^([0-9]{3,6})\.0$")
# Sectors of several numbers, which the Census Bureau writes so, are told by the first.
_SECTORS: Final = frozenset({"31-33", "44-45", "48-49"})
_SECTION: Final = re.compile(r"[A-Z]", re.ASCII)


class Classification(NamedTuple):
    """One classification of industries.

    Attributes:
        divisions: Sections and their divisions: "A 01-03 B 05-09"; divisions without sections: "11 21-23".
        digits: Numbers of digits that a code may have, the two of its division included.
    """

    divisions: str
    digits: tuple[int, ...]

    @property
    def sections(self) -> dict[str, str]:
        """Return the section of each division; an empty one where the classification has none."""
        section = ""
        found: dict[str, str] = {}
        for word in self.divisions.split():
            if word.isalpha():
                section = word
                continue
            first, _, last = word.partition("-")
            found |= {f"{number:02}": section for number in range(int(first), int(last or first) + 1)}
        return found


_ISIC: Final = """A 01-03 B 05-09 C 10-33 D 35 E 36-39 F 41-43 G 45-47 H 49-53 I 55-56 J 58-63 K 64-66 L 68 M 69-75 N 77-82 O 84
    P 85 Q 86-88 R 90-93 S 94-96 T 97-98 U 99"""
# Sources: US Census Bureau, NAICS 2022 (sectors 31-33, 44-45 and 48-49 are one each); UN Statistics Division, ISIC rev. 4;
# Eurostat, NACE rev. 2 (the divisions of ISIC rev. 4); ONS, UK SIC 2007 (those of NACE, five digits); GB/T 4754-2017;
# US SIC 1987.
CLASSIFICATIONS: Final[dict[str, Classification]] = {
    "naics": Classification("11 21-23 31-33 42 44-45 48-49 51-56 61-62 71-72 81 92", (2, 3, 4, 5, 6)),
    "isic": Classification(_ISIC, (2, 3, 4)),
    "nace": Classification(_ISIC, (2, 3, 4, 5, 6)),
    "uksic": Classification(_ISIC, (2, 3, 4, 5)),
    "gbt4754": Classification(
        """A 01-05 B 06-12 C 13-43 D 44-46 E 47-50 F 51-52 G 53-60 H 61-62 I 63-65 J 66-69 K 70 L 71-72 M 73-75 N 76-79 O 80-82
        P 83 Q 84-85 R 86-90 S 91-96 T 97""",
        (2, 3, 4),
    ),
    "sic": Classification(
        "A 01-02 07-09 B 10 12-14 C 15-17 D 20-39 E 40-49 F 50-51 G 52-59 H 60-65 67 I 70 72-73 75-76 78-84 86-89 J 91-97 99",
        (2, 3, 4),
    ),
}
# Contracts write isic_rev4, naics.2022, GB/T 4754-2017, nace_rev2, uk.sic. Other revisions have other divisions, NAICS' all have
# the same sectors.
_BY_NAME: Final = re.compile(
    r"(naics)(?:rev)?(?:[0-9]{4})?|(isic)(?:(?:rev)?4)?|(nace)(?:(?:rev)?2)?|(uksic)(?:2007)?|(gbt?4754)(?:2017)?|((?:us)?sic)(?:1987)?"
)
_OTHER_NAMES: Final = {"gb4754": "gbt4754", "ussic": "sic"}


@cache
def classification_of(scheme: str) -> Classification | None:
    """Return the classification of a contract's scheme (naics, isic, nace, uk.sic, gbt4754, sic); None for another revision."""
    named = _BY_NAME.fullmatch(re.sub(r"[^a-z0-9]", "", scheme.lower()))
    name = named[named.lastindex or 0] if named else ""
    return CLASSIFICATIONS.get(_OTHER_NAMES.get(name, name))


@cache
def _sections(classification: Classification) -> dict[str, str]:
    return classification.sections


def read_industry_code(text: str, scheme: str | None = None) -> tuple[Reading]:
    """Return an industry code in capitals without blanks.

    The value of a golden record is stored open, so only what has the shape of a code is valid: words may be anything, and
    digits with dashes, with blanks or in three groups of two are dates and phone numbers.

    Args:
        text: A cleaned cell.
        scheme: The contract's; with one that ``classification_of`` knows, sector, section and division must exist.
    """
    written = text.strip().upper()
    classification = classification_of(scheme) if scheme else None
    shown = _code(written) if classification is None else _code_of(written, classification)
    if shown is None:
        return (Reading(text, comparable_text(text), None, "not_an_industry_code"),)
    return (Reading(shown, shown),)


def _code(written: str) -> str | None:
    found = _ANY.fullmatch(written)
    return "".join(found.groups()) if found else None


def _code_of(written: str, classification: Classification) -> str | None:
    """Return the code of a known classification, perhaps written with the classification's name, a title or as a decimal."""
    sections = _sections(classification)
    written = _TITLE.sub("", _DECIMAL.sub(r"\1", _NAME.sub("", written)))
    if written in _SECTORS and written[:2] in sections and not any(sections.values()):
        return written[:2]
    if _SECTION.fullmatch(written):
        return written if written in sections.values() else None
    found = _ANY.fullmatch(written)
    if found is None:
        return None
    section, number = found.groups()
    digits = number.replace(".", "")
    fits = len(digits) in classification.digits and digits[:2] in sections
    return section + number if fits and section in {"", sections[digits[:2]]} else None
