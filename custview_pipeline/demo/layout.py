"""Names, addresses, countries and telephones put together as sources show them; expressions over the columns of the records."""

from typing import Final

import polars as pl

from custview_pipeline.demo.chance import Chance
from custview_pipeline.demo.pools import choose
from custview_pipeline.demo.telephones import write_numbers

_COUNTRY_NAMES: Final = {
    "US": ("US", "USA", "United States", "U.S.A."),
    "GB": ("GB", "UK", "United Kingdom", "Great Britain"),
    "CN": ("CN", "China", "中国", "CHN"),
}
_COUNTRY_WEIGHTS: Final = (40.0, 34.0, 22.0, 4.0)
_IS_CHINESE: Final = pl.col("country") == "CN"
_IS_CHINESE_SCRIPT: Final = _IS_CHINESE & ~pl.col("is_romanised")
_IS_FLAT_FIRST: Final = pl.col("country") == "GB"


def text_or_none(text: pl.Expr) -> pl.Expr:
    """Return the text; null where it is empty."""
    return pl.when(text != "").then(text)


def full_name(family_first: pl.Series) -> pl.Expr:
    """Return a person's whole name; where ``family_first`` is 1, as "Family, Given Middle Suffix"."""
    parts = pl.concat_str("given", "middle", "family", "suffix", separator=" ", ignore_nulls=True)
    behind = pl.concat_str("given", "middle", "suffix", separator=" ", ignore_nulls=True)
    listed = pl.concat_str("family", text_or_none(behind), separator=", ", ignore_nulls=True)
    native = pl.concat_str("family", "given", ignore_nulls=True)
    return pl.when("is_native").then(native).when(family_first == 1).then(listed).otherwise(parts)


def enterprise_name() -> pl.Expr:
    """Return an enterprise's whole name: core, legal form, branch; in Chinese without spaces."""
    parts = ("enterprise_core", "legal_form", "branch")
    return (
        pl.when("is_native")
        .then(pl.concat_str(parts, ignore_nulls=True))
        .otherwise(pl.concat_str(parts, separator=" ", ignore_nulls=True))
    )


def one_line_address() -> pl.Expr:
    """Return the whole address in one line, in the order of its country; null where there is none."""
    town = pl.concat_str("region", "postal_code", separator=" ", ignore_nulls=True)
    american = _joined(_street_line(), pl.col("unit"), pl.col("city"), text_or_none(town))
    british = _joined(pl.col("unit"), _street_line(), pl.col("city"), pl.col("postal_code"))
    region = pl.when(pl.col("region") != pl.col("city")).then("region")
    romanised = _joined(pl.col("unit"), _street_line(), pl.col("district"), pl.col("city"), region)
    romanised = pl.concat_str(romanised, "postal_code", separator=" ", ignore_nulls=True)
    chinese = pl.concat_str(region, "city", "district", _street_line(), "unit", ignore_nulls=True)
    return text_or_none(
        pl.when(_IS_CHINESE_SCRIPT)
        .then(chinese)
        .when(_IS_CHINESE)
        .then(romanised)
        .when(_IS_FLAT_FIRST)
        .then(british)
        .otherwise(american)
    )


def address_lines() -> tuple[pl.Expr, pl.Expr]:
    """Return the two lines above the city."""
    chinese = pl.concat_str("district", _street_line(), ignore_nulls=True)
    romanised = _joined(_street_line(), pl.col("district"))
    first = pl.when(_IS_CHINESE_SCRIPT).then(chinese).when(_IS_CHINESE).then(romanised).otherwise(_street_line())
    return text_or_none(first), pl.col("unit")


def country_names(chance: Chance, count: int) -> pl.Expr:
    """Trick: spelling of countries. Return each record's country in one of the ways in which people write it."""
    written = pl.col("country")
    for code, names in _COUNTRY_NAMES.items():
        written = pl.when(pl.col("country") == code).then(choose(names, chance, count, _COUNTRY_WEIGHTS)).otherwise(written)
    return written


def phones(records: pl.DataFrame, column: str, chance: Chance, *, otherwise: str | None = None) -> pl.Expr:
    """Return a column of numbers as people write them, with extension; where it is empty, the column ``otherwise``."""
    number = pl.coalesce(column, otherwise) if otherwise else pl.col(column)
    numbers = records.select(number).to_series()
    extension = pl.when(number == pl.col("office_phone")).then("extension").fill_null("")
    return pl.lit(write_numbers(numbers, records["country"], chance)) + extension


def _street_line() -> pl.Expr:
    romanised = pl.concat_str(pl.lit("No. ") + pl.col("house_number"), "street", separator=" ", ignore_nulls=True)
    chinese = pl.concat_str("street", pl.col("house_number") + "号", ignore_nulls=True)
    western = pl.concat_str("house_number", "street", separator=" ", ignore_nulls=True)
    return text_or_none(pl.when(_IS_CHINESE_SCRIPT).then(chinese).when(_IS_CHINESE).then(romanised).otherwise(western))


def _joined(*parts: pl.Expr) -> pl.Expr:
    return pl.concat_str(parts, separator=", ", ignore_nulls=True)
