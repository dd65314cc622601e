"""Tricks of mere appearance: abbreviations, capitals, longer postal codes.

Each trick takes the records it befalls and draws, and returns the columns it changes, in the same order.
"""

from typing import Final

import polars as pl

from custview_pipeline.demo.chance import Chance

_STREET_KINDS: Final = {
    " Street": " St", " Avenue": " Ave", " Drive": " Dr", " Road": " Rd", " Lane": " Ln", " Court": " Ct", " Boulevard": " Blvd",
    " Place": " Pl", " Circle": " Cir", " Trail": " Trl", " Terrace": " Ter", " Close": " Cl", " Gardens": " Gdns",
    " Crescent": " Cres", " Grove": " Gr",
}  # fmt: skip
_POINTS: Final = {"N ": "North ", "S ": "South ", "E ": "East ", "W ": "West "}
_TEXTS: Final = ("given", "middle", "family", "suffix", "enterprise_core", "legal_form", "branch", "street", "unit", "city")


def abbreviate_street(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """Street is St here, Avenue is Ave."""
    return records.select(pl.col("street").str.replace_many(list(_STREET_KINDS), list(_STREET_KINDS.values())))


def abbreviate_with_full_stop(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """Street is St. here."""
    return records.select(
        pl.col("street").str.replace_many(list(_STREET_KINDS), [f"{short}." for short in _STREET_KINDS.values()])
    )


def spell_out_point(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """N Main Street is North Main Street here."""
    point = pl.col("street").str.head(2).replace(_POINTS)
    return records.select(street=point + pl.col("street").str.slice(2))


def abbreviate_unit(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """Apt 4 is #4 here, Suite 4 is Ste 4, Flat 4 is Apartment 4."""
    ways = {"Apt ": "#", "Unit ": "#", "Suite ": "Ste ", "Flat ": "Apartment "}
    return records.select(pl.col("unit").str.replace_many(list(ways), list(ways.values())))


def extend_zip_code(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """A ZIP code with the four digits more; one home has always the same."""
    more = (pl.col("home") * 7919 % 9000 + 1000).cast(pl.String)
    return records.select(postal_code=pl.col("postal_code") + "-" + more)


def close_up_postcode(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """A British postcode without its space."""
    return records.select(pl.col("postal_code").str.replace(" ", "", literal=True))


def write_in_capitals(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """THE RECORD IS IN CAPITALS."""
    return records.select(pl.col(_TEXTS).str.to_uppercase())


def write_in_small_letters(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """The record is in small letters."""
    return records.select(pl.col(_TEXTS).str.to_lowercase())


def leave_spaces(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """Spaces before and behind the family name, and two within the street."""
    return records.select(
        family=pl.lit(" ") + pl.col("family") + "  ", street=pl.col("street").str.replace(" ", "  ", literal=True)
    )
