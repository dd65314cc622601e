"""The line of each of many addresses: what ``AddressCells.line`` makes of one, as an expression of the columns."""

from collections.abc import Callable
from typing import Final

import polars as pl

from custview_pipeline.standardisation.addresses.addresses import LINE_BREAKS, UNIT
from custview_pipeline.standardisation.text import HAN

_LINES: Final = ("address", "address_line1", "address_line2")
# Nothing that JSON escapes.
PLAIN_TEXT: Final = r"[ !#-\[\]-~]"


def plain_line() -> pl.Expr:
    """Return the line of the columns of ``AddressCells`` without ``po_box``, commas for line breaks; null where there is none.

    Right for lines in letters and digits of ASCII and in Chinese characters; others may come out otherwise.
    """
    whole, first, second = (pl.col(name).replace("", None) for name in _LINES)
    house, street = (pl.col(name).replace("", None) for name in ("house_number", "street_name"))
    lines = pl.concat_str(first, second, separator=", ", ignore_nulls=True).replace("", None)
    parts = pl.concat_str(
        pl.concat_str(house, street, separator=" ", ignore_nulls=True).replace("", None),
        _unit_with_type(),
        separator=", ",
        ignore_nulls=True,
    )
    closed = pl.when(house.str.contains(r"^[0-9]+$")).then(house + "号").otherwise(house)
    numbered = pl.concat_str(street, closed, ignore_nulls=True)
    chinese = pl.concat_str(numbered, pl.col("unit").replace("", None), separator=" ", ignore_nulls=True)
    parts = pl.when(street.str.contains(f"[{HAN}]")).then(chinese).otherwise(parts)
    line = pl.coalesce(whole, lines, parts).str.strip_chars(" ,").str.replace_all(LINE_BREAKS.pattern, ", ")
    return line.replace("", None)


def _unit_with_type() -> pl.Expr:
    unit = pl.col("unit").replace("", None)
    is_bare = unit.str.contains(r"^[#\w-]{1,6}$") & ~unit.str.contains(f"(?i){UNIT.pattern}")
    return pl.when(is_bare).then("Unit " + unit.str.strip_chars_start("#")).otherwise(unit)


def as_json(names: tuple[str, ...]) -> pl.Expr:
    """Return the filled columns as one JSON object; their texts are of ``PLAIN_TEXT``."""
    fields = [pl.concat_str(pl.lit(f'"{name}": "'), name, pl.lit('"')) for name in sorted(names)]
    return pl.concat_str(pl.lit("{"), pl.concat_str(fields, separator=", ", ignore_nulls=True), pl.lit("}"))


def read_each_once(texts: pl.Series, function: Callable[[str], str | None]) -> pl.Series:
    """Return what texts come to, each different one read once; null for null."""
    distinct = texts.drop_nulls().unique()
    if distinct.is_empty():
        return texts
    read = pl.Series([function(text) for text in distinct.to_list()], dtype=pl.String)
    return texts.replace_strict(distinct, read, default=None, return_dtype=pl.String)
