"""Names of enterprises: legal form apart, and what remains as comparable words."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.standardisation.names.legal_forms import joined_forms, split_form, split_joined_form
from custview_pipeline.standardisation.names.name_cells import without_care_of
from custview_pipeline.standardisation.names.scripts import to_latin
from custview_pipeline.standardisation.text import HAN, fold, to_json, word_pairs, word_set

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
# Words that say no more than "an enterprise", wherever they stand.
_EMPTY_WORDS: Final = word_set(
    """inc llc ltd co corp corporation company the and und et incorporated limited plc llp lp gmbh sa pte pvt pty pllc"""
)
# What is often written short, and in two ways. Of general knowledge.
_ONE_SPELLING: Final = word_pairs(
    """ctr center ctrs centers cntr center centre center centres centers intl international natl national assn association assoc
    association univ university svc service svcs services dept department govt government mfg manufacturing mgmt management
    bros brothers inst institute hosp hospital elem elementary acad academy theatre theater organisation organization saint st
    sainte ste mount mt fort ft"""
)
_RUNS: Final = re.compile(f"[a-z0-9]+|[{HAN}]+")
_TRADING_AS: Final = re.compile(r"[ ,;(]+(?:d/b/a|dba|d\.b\.a|t/a|trading as|doing business as)[.:]? +", re.IGNORECASE)


class EnterpriseName(NamedTuple):
    """One name of an enterprise.

    Attributes:
        shown: The name with its legal form in one spelling.
        name: The name without legal form.
        legal_form: The legal form; None where the name has none.
        words: Comparable words, legal forms and "the" left out; empty where nothing remains.
        trading_name: What follows "d/b/a"; None where nothing does.
    """

    shown: str
    name: str
    legal_form: str | None
    words: tuple[str, ...]
    trading_name: str | None = None


def parse_enterprise_name(text: str) -> EnterpriseName:
    """Return name, legal form and comparable words of an enterprise; the case of letters is kept as given."""
    registered, trading = _without_asides(text)
    name, form, is_before = _split(registered)
    shown = _shown(name, form, is_before=is_before)
    if trading:
        shown = f"{shown} dba {trading}"
    return EnterpriseName(shown, name, form, comparable_words(name), trading)


def _without_asides(text: str) -> tuple[str, str | None]:
    """Return the name without whom it is in care of, and what it trades as."""
    text = without_care_of(text)
    head, *tail = _TRADING_AS.split(text, maxsplit=1)
    return (head, tail[0].rstrip(" )") or None) if head and tail else (text, None)


def _split(text: str) -> tuple[str, str | None, bool]:
    joined = None if text.isascii() else split_joined_form(text)
    return joined or split_form(text) or (text, None, False)


def _shown(name: str, form: str | None, *, is_before: bool) -> str:
    if not form:
        return name
    joint = "" if form in joined_forms() else " "
    return f"{form}{joint}{name}" if is_before else f"{name}{joint}{form}"


def comparable_words(name: str) -> tuple[str, ...]:
    """Return the words of a name that are compared; what stands in brackets behind Chinese characters is left out."""
    latin = re.sub(r"[^a-z0-9 ]", " ", fold(to_latin(name)).replace("'", "").replace(".", "")).split()
    chinese = []
    if not name.isascii():
        chinese = [run for run in _RUNS.findall(re.sub(r"[(].*?[)]", "", name)) if not run.isascii()]
    return tuple(_ONE_SPELLING.get(word, word) for word in [*latin, *chinese] if word not in _EMPTY_WORDS)


@lru_cache(50_000)
def read_enterprise_name(text: str) -> tuple[tuple[object, ...]]:
    """Return one tuple of ``ENTERPRISE`` for a name of an enterprise."""
    parsed = parse_enterprise_name(text)
    parts = {"name": parsed.name, "legal_form": parsed.legal_form, "trading_name": parsed.trading_name}
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
