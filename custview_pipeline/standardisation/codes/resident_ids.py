"""Chinese resident identity numbers (GB 11643): county, date of birth, order, check character."""

import re
from functools import cache
from typing import Final

import polars as pl
from stdnum import numdb
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

_STILL: Final = 9999
# Residence permits of people from Hong Kong, Macau and Taiwan. Source: State Council, measures of 2018, article 7.
_RESIDENCE_PERMITS: Final = {"810000": _STILL, "820000": _STILL, "830000": _STILL}
RESIDENT_ID_FORM: Final = r"^[0-9]{17}[0-9Xx]$"
_FIRST_GENERATION: Final = re.compile("[0-9]{15}")
_WEIGHTS: Final = tuple(pow(2, 17 - place, 11) for place in range(17))


@cache
def last_years() -> dict[str, int]:
    """Return the last year in which each county code of GB/T 2260 was in force, as python-stdnum lists them (``cn/loc``).

    python-stdnum also refuses a county that is younger than the person. But the code is that of the county where the number was
    given, which for whoever was born before 1984 is years after birth: only a county that ended before birth speaks against it.
    """
    found = dict(_RESIDENCE_PERMITS)
    for _, province, _, _, children in numdb.get("cn/loc").prefixes:
        for _, county, _, properties, _ in children:
            found[province + county] = max(_last_year(period) for period in properties["county"].split(","))
    return found


def _last_year(period: str) -> int:
    end = period.partition("]")[0].partition("-")[2] if period.startswith("[") else ""
    return int(end) if end else _STILL


def with_century(number: str) -> str:
    """Return a number of 15 digits, as they were given until 1999, with century and check character; any other as it is.

    GB 11643-1999 made the longer ones out of the shorter: same county, birth and order, all of the twentieth century.
    """
    if _FIRST_GENERATION.fullmatch(number) is None:
        return number
    longer = f"{number[:6]}19{number[6:]}"
    return longer + ric.calc_check_digit(f"{longer}0")


def is_resident_id(number: str) -> bool:
    """Return whether 18 characters are a resident ID: check character, date of birth, and a county that outlasted it."""
    try:
        born = ric.get_birth_date(number)
        is_checked = ric.calc_check_digit(number) == number[-1]
    except (ValidationError, ValueError):
        return False
    return is_checked and last_years().get(number[:6], 0) >= born.year


def resident_id_expression(column: str) -> pl.Expr:
    """Return whether a column's numbers, all of ``RESIDENT_ID_FORM`` and in capitals, are resident IDs: as ``is_resident_id``."""
    number = pl.col(column)
    digits = number.str.slice(0, 17).cast(pl.Int64)
    total = pl.sum_horizontal(digits // 10 ** (16 - place) % 10 * weight for place, weight in enumerate(_WEIGHTS))
    check = ((1 - total) % 11).cast(pl.String).replace("10", "X")
    born = number.str.slice(6, 8).str.to_date("%Y%m%d", strict=False).dt.year()
    counties = last_years()
    last = number.str.slice(0, 6).replace_strict([*counties], [*counties.values()], default=0, return_dtype=pl.Int32)
    return ((check == number.str.slice(17)) & (born >= 1) & (born <= last)).fill_null(value=False)
