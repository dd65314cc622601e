"""Names of enterprises: legal form apart, and what remains as comparable words."""

import re
from functools import cache
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.standardisation.text import HAN, fold, to_json, word_set

ENTERPRISE: Final = pl.Schema(
    {
        "value": pl.String(),
        "comparable": pl.String(),
        "rule": pl.String(),
        "parts": pl.String(),
        "part_count": pl.UInt8(),
        "enterprise_name": pl.String(),
        "words": pl.String(),  # separated by spaces
    }
)
# Legal form as shown -> its spellings, folded, dots gone. Forms of the US, GB, AU, DE, FR, CN and neighbours.
_LEGAL_FORMS: Final[dict[str, str]] = {
    "Inc": "inc|incorporated",
    "LLC": "llc|l l c|limited liability company",
    "Corp": "corp|corporation",
    "Co": "co|company",
    "Co Ltd": "co ltd|company limited|co limited",
    "Ltd": "ltd|limited",
    "LP": "lp|limited partnership",
    "LLP": "llp|limited liability partnership",
    "PLLC": "pllc",
    "PC": "pc|professional corporation",
    "PLC": "plc|public limited company",
    "CIC": "cic|community interest company",
    "Pty Ltd": "pty ltd|pty limited|proprietary limited",
    "Pvt Ltd": "pvt ltd|private limited|pte ltd",
    "GmbH": "gmbh|gesellschaft mit beschrankter haftung",
    "GmbH & Co KG": "gmbh & co kg|gmbh und co kg|gmbh co kg",
    "AG": "ag|aktiengesellschaft",
    "KG": "kg",
    "OHG": "ohg",
    "UG": "ug|ug haftungsbeschrankt",
    "eV": "ev",
    "eG": "eg",
    "SE": "se",
    "SA": "sa|societe anonyme",
    "SARL": "sarl|societe a responsabilite limitee",
    "SAS": "sas",
    "SASU": "sasu",
    "EURL": "eurl",
    "SNC": "snc",
    "SCI": "sci",
    "BV": "bv",
    "NV": "nv",
    "SpA": "spa",
    "SRL": "srl",
    "SL": "sl",
    "AB": "ab",
    "AS": "as",
    "ApS": "aps",
    "Oy": "oy",
    "KK": "kk|kabushiki kaisha",
}
_CHINESE_FORMS: Final = (
    "股份有限公司",
    "有限责任公司",
    "有限責任公司",
    "有限公司",
    "集团公司",
    "股份公司",
    "总公司",
    "分公司",
    "公司",
    "合伙企业",
    "个体工商户",
    "株式会社",
)
_AMBIGUOUS_FORMS: Final = frozenset(
    {"AB", "AS", "SE", "SL", "eV", "eG", "Oy", "KK", "SpA", "SAS", "SCI", "SNC", "PC", "LP", "UG", "KG"}
)
# Words that say no more than "an enterprise", wherever they stand.
_EMPTY_WORDS: Final = word_set(
    """inc llc ltd co corp corporation company the incorporated limited plc llp lp gmbh sa pte pvt pty pllc"""
)
_LONGEST_FORM: Final = 5
_RUNS: Final = re.compile(f"[a-z0-9]+|[{HAN}]+")
_NAMES_AN_ENTERPRISE: Final = re.compile(
    r"\b(?:inc|llc|ltd|limited|corp|corporation|company|co|plc|llp|gmbh|ag|sarl|sas|bv|nv|pty|pvt|bank|trust|foundation|association|university|college|school|church|"
    r"hospital|clinic|center|centre|services|solutions|systems|group|holdings|partners|associates|industries|enterprises|technologies|"
    r"international|institute|society|club|agency|council|department|ministry|restaurant|hotel|store|shop|motors|logistics|consulting)\b"
)
_CHINESE_ENTERPRISE: Final = re.compile(
    r"(?:公司|集团|银行|大学|学校|学院|医院|中心|厂|店|协会|基金会|研究所|事务所|委员会|酒店|企业|工作室)$"
)


class EnterpriseName(NamedTuple):
    """One name of an enterprise.

    Attributes:
        shown: The name with its legal form in one spelling.
        name: The name without legal form.
        legal_form: The legal form; None where the name has none.
        words: Comparable words, legal forms and "the" left out; empty where nothing remains.
    """

    shown: str
    name: str
    legal_form: str | None
    words: tuple[str, ...]


@cache
def _forms() -> dict[str, str]:
    return {_squeeze(spelling): form for form, spellings in _LEGAL_FORMS.items() for spelling in spellings.split("|")}


def _squeeze(text: str) -> str:
    return re.sub(r"[^a-z]", "", fold(text))


def parse_enterprise_name(text: str) -> EnterpriseName:
    """Return name, legal form and comparable words of an enterprise; the case of letters is kept as given."""
    name, form = _split_chinese(text) or _split_latin(text)
    joint = "" if form in _CHINESE_FORMS else " "
    return EnterpriseName(f"{name}{joint}{form}" if form else name, name, form, comparable_words(name))


def _split_chinese(text: str) -> tuple[str, str] | None:
    bare = text.replace(" ", "")
    form = next((form for form in _CHINESE_FORMS if bare.endswith(form) and len(bare) > len(form)), None)
    return (bare.removesuffix(form), form) if form else None


def _split_latin(text: str) -> tuple[str, str | None]:
    pieces = text.split(" ")
    for count in range(min(_LONGEST_FORM, len(pieces) - 1), 0, -1):
        written = "".join(pieces[-count:])
        form = _forms().get(_squeeze(written))
        if form is not None and _is_meant(written, form, text):
            name = " ".join(pieces[:-count]).rstrip(" ,;-")
            if re.search(r"\w", name):
                return name, form
    return text, None


def _is_meant(written: str, form: str, text: str) -> bool:
    """Return whether letters that may be a word or an initial are a legal form: only as it is written, and not among capitals."""
    if form not in _AMBIGUOUS_FORMS:
        return True
    return written.strip(" ,").replace(".", "") == form and not text.isupper()


def comparable_words(name: str) -> tuple[str, ...]:
    """Return the words of a name that are compared; what stands in brackets behind Chinese characters is left out."""
    latin = re.sub(r"[^a-z0-9 ]", " ", fold(name).replace("'", "").replace(".", "")).split()
    bare = re.sub(r"[(].*?[)]", "", name)
    chinese = [run for run in _RUNS.findall(bare) if not run.isascii()] if not name.isascii() else []
    return tuple(word for word in [*latin, *chinese] if word not in _EMPTY_WORDS)


def read_enterprise_name(text: str) -> tuple[tuple[object, ...]]:
    """Return one tuple of ``ENTERPRISE`` for a name of an enterprise."""
    parsed = parse_enterprise_name(text)
    parts = {"name": parsed.name, "legal_form": parsed.legal_form}
    key = "".join(parsed.words)
    rule = None if re.search(r"\w", parsed.name) else "not_a_name"
    return (
        (
            parsed.shown,
            key or parsed.shown.casefold(),
            rule,
            to_json(parts),
            sum(map(bool, parts.values())),
            key or None,
            " ".join(parsed.words),
        ),
    )


def names_enterprise(text: str) -> bool:
    """Return whether a name in a field that may hold either is an enterprise's, by its legal form or kind of house."""
    if not text.isascii() and _CHINESE_ENTERPRISE.search(re.sub(r"\W", "", text)):
        return True
    return _NAMES_AN_ENTERPRISE.search(re.sub(r"[^a-z ]", " ", fold(text).replace(".", ""))) is not None
