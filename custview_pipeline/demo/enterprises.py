"""Enterprises and their branches: names, legal forms, trades, and what each branch shares with its parent."""

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from custview_pipeline.demo.chance import Chance
from custview_pipeline.demo.identifiers import cn_uscc, us_ein
from custview_pipeline.demo.mailboxes import plain_letters
from custview_pipeline.demo.places import make_places, share_buildings
from custview_pipeline.demo.pools import choose, load_pool, one_way
from custview_pipeline.demo.telephones import make_landlines

COUNTRIES: Final = ("US", "CN", "GB")
COUNTRY_WEIGHTS: Final = (55.0, 25.0, 20.0)
_FORMS: Final = {
    "US": (("Inc.", "LLC", "Corp.", "Co.", "L.P."), (40.0, 40.0, 10.0, 8.0, 2.0)),
    "GB": (("Ltd", "PLC", "LLP"), (86.0, 6.0, 8.0)),
    "CN": (("有限公司", "有限责任公司", "股份有限公司"), (76.0, 14.0, 10.0)),
}
_LATIN_FORM: Final = "Co., Ltd."  # of Chinese enterprises in English


def make_enterprises(count: int, chance: Chance) -> pl.DataFrame:
    """Return ``count`` enterprises, with the columns of their head office or branch.

    Columns: those of ``PLACES``, ``enterprise_core`` (name without legal form), ``legal_form``, ``native_core`` and
    ``native_form`` (China), ``branch`` (what tells a branch from its parent; null for others), ``parent`` (row of the parent,
    else null), ``industry`` (NAICS), ``email``, ``website``, ``landline``, ``ein``, ``uscc``.
    """
    countries = np.array(COUNTRIES)[chance.weighted(COUNTRY_WEIGHTS, count)]
    places = share_buildings(make_places(countries, chance.apart("places")), chance.apart("buildings"))
    enterprises = places.with_columns(_names(places, chance.apart("names")))
    enterprises = _with_contacts(enterprises, chance.apart("contacts"))
    return open_branches(enterprises, countries, chance.apart("branches"))


def _names(places: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    count = places.height
    trade = load_pool("trades").draw(chance, count)
    surname, partner = (load_pool("us_family_names").draw(chance, count)["name"] for _ in range(2))
    coined = load_pool("coined_names").draw(chance, count)["name"]
    word = load_pool("cn_trading_words").draw(chance, count)
    style = pl.Series("style", chance.weighted((30.0, 14.0, 36.0, 12.0, 8.0), count))
    western = (
        pl.lit(surname + " " + trade["name"]),
        pl.lit(surname + " & " + partner + " " + trade["name"]),
        pl.lit(coined + " " + trade["name"]),
        pl.col("city") + " " + trade["name"],
        pl.lit(surname + " Brothers " + trade["name"]),
    )
    is_chinese = pl.col("country") == "CN"
    chinese = pl.col("city_latin") + " " + word["latin"] + " " + trade["name"]
    forms = {country: choose(names, chance, count, weights) for country, (names, weights) in _FORMS.items()}
    return places.select(
        enterprise_core=pl.when(is_chinese).then(chinese).otherwise(one_way(style, western)),
        native_core=pl.when(is_chinese).then(pl.col("city") + word["name"] + trade["native"]),
        legal_form=pl.when(is_chinese)
        .then(pl.lit(_LATIN_FORM))
        .when(pl.col("country") == "US")
        .then(forms["US"])
        .otherwise(forms["GB"]),
        native_form=pl.when(is_chinese).then(forms["CN"]),
        industry=trade["naics"],
    )


def _with_contacts(enterprises: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    count = enterprises.height
    ending = pl.col("country").replace_strict({"US": ".com", "GB": ".co.uk", "CN": ".com.cn"})
    domain = plain_letters("enterprise_core").str.head(24) + ending
    desk = choose(("info", "sales", "office", "accounts", "hello", "contact"), chance, count, (50.0, 16.0, 12.0, 10.0, 6.0, 6.0))
    missing = pl.repeat(None, count, dtype=pl.String, eager=True)
    return enterprises.with_columns(
        website=pl.lit("https://www.") + domain,
        email=desk + "@" + domain,
        landline=make_landlines(enterprises, chance),
        ein=pl.when(pl.col("country") == "US").then(us_ein(count, chance)).otherwise(missing),
        uscc=pl.when(pl.col("country") == "CN").then(cn_uscc(count, chance)).otherwise(missing),
    )


def open_branches(enterprises: pl.DataFrame, countries: NDArray[np.str_], chance: Chance, share: float = 0.16) -> pl.DataFrame:
    """Trick: branches. Some enterprises are another's branch at its own address: the parent's name, website, often its number.

    A branch is a customer of its own. Its name says so ("Dallas Branch") or does not; it has no tax number.
    """
    count = enterprises.height
    flags = chance.happens(count, share)
    parent = _parents(flags, countries, chance)
    of_parent = enterprises[np.maximum(parent, 0)]
    is_branch = pl.Series(parent >= 0)
    inherited = ["enterprise_core", "native_core", "legal_form", "native_form", "website", "industry", "email"]
    shares_number = is_branch & pl.Series(chance.happens(count, 0.3))
    return enterprises.with_columns(
        *(pl.when(is_branch).then(of_parent[name]).otherwise(pl.col(name)).alias(name) for name in inherited),
        *(pl.when(~is_branch).then(pl.col(name)).alias(name) for name in ("ein", "uscc")),
        landline=pl.when(shares_number).then(of_parent["landline"]).otherwise(pl.col("landline")),
        branch=pl.when(is_branch).then(_branch_names(enterprises, chance)),
        parent=pl.when(is_branch).then(pl.Series(parent)),
    )


def _parents(flags: NDArray[np.bool_], countries: NDArray[np.str_], chance: Chance) -> NDArray[np.int64]:
    """Return the row of the parent of each flagged row, an unflagged one of its country; -1 for the rest."""
    parent = np.full(len(flags), -1, dtype=np.int64)
    for country in COUNTRIES:
        parents = np.flatnonzero(~flags & (countries == country))
        branches = np.flatnonzero(flags & (countries == country))
        if len(parents):
            parent[branches] = parents[chance.whole(0, len(parents) - 1, len(branches))]
    return parent


def _branch_names(enterprises: pl.DataFrame, chance: Chance) -> pl.Expr:
    draw = pl.Series("draw", chance.weighted((40.0, 30.0, 30.0), enterprises.height))
    city = pl.coalesce("city_latin", "city")
    return one_way(draw, (city + " Branch", "- " + city, "(" + city + ")"))
