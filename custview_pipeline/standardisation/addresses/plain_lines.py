"""The line of each of many addresses: what ``AddressCells.line`` makes of one, as an expression of the columns."""

from collections.abc import Collection, Mapping
from typing import Final

import polars as pl

from custview_pipeline.standardisation.addresses.addresses import LINE_BREAKS, UNIT
from custview_pipeline.standardisation.text import HAN

_LINES: Final = ("address", "address_line1", "address_line2")
# Nothing that JSON escapes.
PLAIN_TEXT: Final = r"[ !#-\[\]-~]"


def plain_cells(cells: pl.DataFrame, countries: Collection[str], forms: Mapping[str, str]) -> pl.DataFrame:
    """Return ``code``, ``country``, ``line`` and, as ``<name>_cell``, the cells of place and postal code of plain addresses.

    Args:
        cells: ``code``, the fields of ``AddressCells`` and ``country``.
        countries: Those whose addresses are kept; one with a post office box in a column of its own is left out.
        forms: What ``city``, ``region`` and ``postal_code`` look like where they are filled.
    """
    are_plain = [pl.col(name).is_null() | pl.col(name).str.contains(form) for name, form in forms.items()]
    kept = cells.filter(pl.col("country").is_in(countries), pl.col("po_box").is_null(), *are_plain)
    return kept.select("code", "country", line=plain_line(), **{f"{name}_cell": pl.col(name) for name in forms})


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
