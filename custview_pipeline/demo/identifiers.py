"""Identifiers that keep their scheme's rules: social security, employer and Chinese numbers with their check characters."""

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from custview_pipeline.demo.chance import Chance, Numbers
from custview_pipeline.demo.pools import choose, load_pool

Characters = NDArray[np.str_]

# Campus prefixes that the IRS has given out (list of python-stdnum, stdnum/us/ein.dat).
_EIN_PREFIXES: Final = (
    "01",
    "04",
    "06",
    "11",
    "13",
    "20",
    "22",
    "26",
    "27",
    "31",
    "33",
    "36",
    "41",
    "45",
    "46",
    "47",
    "52",
    "58",
    "74",
    "81",
    "95",
)
_NEVER_ISSUED: Final = 666  # an area of social security numbers
_RIC_WEIGHTS: Final = np.array((7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2))  # GB 11643-1999
_RIC_CHECKS: Final = np.array(tuple("10X98765432"))
_USCC_WEIGHTS: Final = np.array((1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28))  # GB 32100-2015
_USCC_ALPHABET: Final = np.array(tuple("0123456789ABCDEFGHJKLMNPQRTUWXY"))


def us_ssn(count: int, chance: Chance) -> pl.Series:
    """Return ``count`` different social security numbers, written 123-45-6789, in ranges that are issued."""
    span = 898 * 99 * 9999
    rest, serial = np.divmod(chance.distinct(span, count), 9999)
    area, group = np.divmod(rest, 99)
    area = area + 1 + (area + 1 >= _NEVER_ISSUED)
    return _padded(area, 3) + "-" + _padded(group + 1, 2) + "-" + _padded(serial + 1, 4)


def us_ein(count: int, chance: Chance) -> pl.Series:
    """Return ``count`` employer identification numbers, written 12-3456789; they differ in their last seven digits."""
    return choose(_EIN_PREFIXES, chance, count) + "-" + _padded(chance.distinct(10**7, count), 7)


def cn_ric(births: pl.Series, genders: pl.Series, chance: Chance) -> pl.Series:
    """Return a Chinese resident identity number for each birth date and gender (m, f), with its check character."""
    county = load_pool("cn_counties").draw(chance, len(births))["code"]
    order = chance.whole(0, 498, len(births)) * 2 + (genders == "m").to_numpy()  # odd for men
    body = county + births.dt.strftime("%Y%m%d") + _padded(order, 3)
    check = _RIC_CHECKS[_characters(body).astype(np.int64) @ _RIC_WEIGHTS % 11]
    return body + pl.Series(check.astype(object), dtype=pl.String)


def cn_uscc(count: int, chance: Chance) -> pl.Series:
    """Return ``count`` unified social credit codes of companies, with the check character of the whole."""
    county = load_pool("cn_counties").draw(chance, count)["code"]
    organisation = _padded(chance.distinct(10**9, count), 9)
    body = "91" + county + organisation
    values = _characters(body).astype(np.int64) @ _USCC_WEIGHTS
    check = _USCC_ALPHABET[(31 - values % 31) % 31]
    return body + pl.Series(check.astype(object), dtype=pl.String)


def _padded(numbers: Numbers, length: int) -> pl.Series:
    return pl.Series(numbers).cast(pl.String).str.zfill(length)


def _characters(texts: pl.Series) -> Characters:
    """Return texts of 17 characters as a table of single characters."""
    return texts.to_numpy().astype("U17").view("U1").reshape(len(texts), 17)
