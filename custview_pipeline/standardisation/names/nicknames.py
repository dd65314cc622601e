"""Nicknames and the formal names they stand for, by the package ``nicknames``."""

import csv
from collections import Counter
from functools import cache
from importlib.resources import files
from typing import Final

import polars as pl

from custview_pipeline.standardisation.text import word_set

MOST_GROUPS: Final = 6
# Formal names that many people have. Each stands for itself alone, or John would meet Jonathan and Mary Marie through what the
# package lists of them; and of what a nickname may stand for they come first. Of general knowledge.
COMMON_NAMES: Final = word_set(
    """aaron abigail adrian alan albert alexander alfred alice alicia alison allen allison amanda amelia amy andrea andrew angela
    anna anne anthony antonio arthur ashley barbara benjamin bernard beverly brenda brian bryan caleb cameron carl caroline
    carolyn catherine charles charlotte cheryl chester christian christina christine christopher clara clarence clifford
    crystal cynthia daniel danielle david deborah debra dennis derek diana diane dominic donald donna dorothy douglas duncan
    edgar edith edmund edward edwin eileen elaine eleanor elizabeth ellen emily emma eric ernest esther eugene evelyn felix
    florence frances francis franklin frederick gabriel gareth gary geoffrey george gerald geraldine gilbert gloria gregory
    hannah harold harriet heather helen henry herbert howard hubert hugh ian irene isaac isabella ivan jacob jacqueline james
    jane janet janice jean jeffery jeffrey jennifer jeremy jessica joan joanna john johnathan jonathan joseph josephine joshua
    joyce judith julia julian julie justin katherine kathleen kathryn kelly kenneth kevin kimberly laura lauren laurence
    lawrence leonard leslie lillian linda lisa lloyd lois louis louise lucas lucille luke madeline malcolm marcus margaret
    maria marie marilyn marion marjorie mark marsha martha martin mary matthew maureen megan melanie melissa michael michelle
    mildred miranda monica nancy natalie nathan nathaniel neil nicholas nicole norman oliver olivia pamela patricia patrick
    paul paula peter philip phillip priscilla rachel ralph raymond rebecca regina reginald richard robert roberta roger roland
    ronald rosa rose rosemary roy rupert russell ryan samantha samuel sandra sara sarah scott sharon sheila shirley sidney
    simon sophia stella stephanie stephen steven stuart susan suzanne terence teresa theodore theresa thomas timothy valerie
    vanessa veronica victor victoria vincent virginia vivian walter wendy wilfred william winifred"""
)
# Entries of the package that are none: Bill and Billy are William.
_MISTAKEN: Final = frozenset({("robert", "bill"), ("robert", "billy")})


@cache
def formal_names() -> dict[str, tuple[str, ...]]:
    """Return for each nickname the formal names it may stand for: the common ones first, then those with most nicknames.

    A common name stands for no other. Where the package has two names as nicknames of each other, the one with more
    nicknames is the formal one.
    """
    pairs = _pairs()
    size = Counter(formal for formal, _ in pairs)
    found: dict[str, list[str]] = {}
    for formal, nickname in sorted(pairs, key=lambda pair: (pair[0] not in COMMON_NAMES, -size[pair[0]], pair)):
        is_mutual = (nickname, formal) in pairs and formal not in COMMON_NAMES
        if nickname not in COMMON_NAMES and not (is_mutual and (size[formal], nickname) <= (size[nickname], formal)):
            found.setdefault(nickname, []).append(formal)
    return {nickname: tuple(formals) for nickname, formals in found.items()}


@cache
def given_names() -> frozenset[str]:
    """Return the names, formal and short, that the package knows."""
    return frozenset(name for pair in _pairs() for name in pair)


def groups_of(given: pl.Expr) -> pl.Expr:
    """Return the list of every formal name that a given name may stand for, itself too, in the order of the alphabet."""
    lists = {nickname: " ".join(sorted([nickname, *formals[: MOST_GROUPS - 1]])) for nickname, formals in formal_names().items()}
    return given.replace_strict(lists, default=given).str.split(" ")


def group_of(given: pl.Expr) -> pl.Expr:
    """Return the first of the formal names that a given name may stand for, or itself."""
    return given.replace({nickname: formals[0] for nickname, formals in formal_names().items()})


@cache
def _pairs() -> frozenset[tuple[str, str]]:
    """Return every formal name with each of its nicknames."""
    with (files("nicknames") / "names.csv").open(encoding="utf-8") as lines:
        pairs = {(line["name1"].lower(), line["name2"].lower()) for line in csv.DictReader(lines)}
    return frozenset(pairs - _MISTAKEN)
