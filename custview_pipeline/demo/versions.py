"""Tricks with values that are all true: of another time, another script, another habit of writing a name.

Each trick takes the records it befalls and draws, and returns the columns it changes, in the same order.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

import polars as pl

from custview_pipeline.demo.chance import Chance
from custview_pipeline.demo.pools import load_pool

_WAYS: Final = 12  # a draw below it picks one of up to four ways of writing evenly
_LEGAL_FORMS: Final[Mapping[str, Sequence[str]]] = {
    "Inc.": ("Incorporated", "Inc", "INC"),
    "LLC": ("L.L.C.", "Limited Liability Company", "llc"),
    "Corp.": ("Corporation", "Corp"),
    "Co.": ("Company", "Co"),
    "L.P.": ("LP", "Limited Partnership"),
    "Ltd": ("Limited", "Ltd.", "LTD"),
    "PLC": ("plc", "Public Limited Company"),
    "LLP": ("L.L.P.", "Limited Liability Partnership"),
    "Co., Ltd.": ("Company Limited", "Co Ltd", "Ltd.", "Limited"),
    "有限公司": ("有限责任公司",),
    "有限责任公司": ("有限公司",),
    "股份有限公司": ("股份公司",),
}


@cache
def nicknames() -> dict[str, tuple[str, ...]]:
    """Return the nicknames of each given name that has some."""
    rows = load_pool("nicknames").rows
    return {name: tuple(rows.filter(pl.col("name") == name)["nickname"]) for name in rows["name"].unique(maintain_order=True)}


def use_former_home(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """The source still has the address from before the move."""
    return records.select(home="former_home", is_stale=pl.lit(value=True))


def use_second_mailbox(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """The customer gave another e-mail address here."""
    return records.select(email="second_email")


def use_family_mailbox(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """The customer gave the mailbox of the family here."""
    return records.select(email="family_email")


def use_office_mailbox(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """The customer gave the info@ mailbox of the employer here."""
    return records.select(email="office_email")


def use_second_mobile(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """The source has a mobile number from before a change."""
    return records.select(mobile="second_mobile", is_stale=pl.lit(value=True))


def use_office_switchboard(records: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """The customer gave the employer's switchboard, often with an extension."""
    number = pl.Series(chance.whole(100, 989, records.height)).cast(pl.String)
    words = pl.Series("words", chance.weighted((40.0, 30.0, 30.0), records.height))
    extension = pl.when(words == 0).then(" x" + number).when(words == 1).then(" ext. " + number)
    return records.select(landline="office_phone", extension=extension)


def use_maiden_name(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """The source has the name from before the marriage."""
    return records.select(family="former_family", is_stale=pl.lit(value=True))


def use_nickname(records: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """William is Bill here."""
    return records.select(given=_rewritten("given", nicknames(), records.height, chance))


def shorten_middle_name(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """The middle name is an initial here."""
    return records.select(pl.col("middle").str.head(1))


def drop_middle_name(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """There is no middle name here."""
    return records.select("middle").clear(records.height)


def drop_suffix(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """Neither Jr nor Sr here: which of the two is it?"""
    return records.select("suffix").clear(records.height)


def shorten_given_name(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """The given name is an initial here."""
    return records.select(pl.col("given").str.head(1))


def write_native_script(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """The name is in Chinese characters here; elsewhere it may be in pinyin."""
    return records.select(
        given=pl.col("native_given"),
        family=pl.col("native_family"),
        middle=pl.lit(None, pl.String),
        enterprise_core=pl.col("native_core"),
        legal_form=pl.col("native_form"),
        branch=pl.when(pl.col("branch").is_not_null()).then(pl.col("city") + "分公司"),
        is_native=pl.lit(value=True),
    )


def romanise_address(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """The Chinese address is in pinyin and English here."""
    names = ("street", "unit", "district", "city", "region")
    return records.select(*(pl.col(f"{name}_latin").alias(name) for name in names), is_romanised=pl.lit(value=True))


def vary_legal_form(records: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """Inc is Incorporated here, Ltd is Limited."""
    return records.select(legal_form=_rewritten("legal_form", _LEGAL_FORMS, records.height, chance))


def drop_legal_form(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """The enterprise goes without its legal form here."""
    return records.select("legal_form").clear(records.height)


def drop_branch(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """The branch has just the name of its parent here."""
    return records.select("branch").clear(records.height)


def _rewritten(column: str, ways: Mapping[str, Sequence[str]], count: int, chance: Chance) -> pl.Expr:
    """Return the column with each value replaced by one of its ``ways``."""
    draw = pl.Series(chance.whole(0, _WAYS - 1, count)).cast(pl.String)
    mapping = {f"{value}|{way}": others[way % len(others)] for value, others in ways.items() for way in range(_WAYS)}
    return (pl.col(column) + "|" + draw).replace_strict(mapping, default=pl.col(column))
