"""What the cells of a column look like, as shares of those that are filled: e-mail addresses, telephones, dates, identifiers.

Light regular expressions over distinct cells; what a value really is the field standards decide when it is delivered.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

import polars as pl
import pycountry
from stdnum import lei
from stdnum.cn import ric, uscc
from stdnum.exceptions import ValidationError

from custview_pipeline.contracts.date_patterns import chrono_format, strptime_format

_MOST_CHECKED: Final = 500  # distinct cells whose check digits are tried

_SHAPES: Final[Mapping[str, str]] = {
    "email": r"^[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>.]{2,}$",
    "phone": r"(?i)^(?:tel\.?:?\s*)?\+?[\d(][\d\s().\-/]{5,22}\d(?:\s*(?:x|ext\.?|extension|#)\s*\d{1,6})?$",
    "written_phone": r"^(?:\+\d|00\d|\(\d)|\d[\s().\-/]+\d",  # a telephone and no plain number
    "ssn": r"^\d{3}-\d{2}-\d{4}$",
    "ein": r"^\d{2}-\d{7}$",
    "zip": r"^\d{5}(?:-\d{4})?$",
    "url": r"(?i)^(?:https?://|www\.)\S+\.\S+$",
    "address": r"(?i)^(?:no\.? ?)?\d+[\w/-]* .*[a-z].*,.*[a-z]|^p\.?o\.? box .*,|[\u4e00-\u9fff]{2,}(?:路|街|道|巷|弄)",
    "digit": r"\d",
    "han": r"[\u4e00-\u9fff]",
    "whole_number": r"^[+-]?\d+$",
    "number": r"^[+-]?\d+(?:[.,]\d+)?$",
    "resident_id": r"^\d{17}[\dXx]$",
    "credit_code": r"^[0-9A-HJ-NPQRTUWXY]{18}$",
    "lei": r"^[0-9A-Z]{18}\d{2}$",
}
_CHECKS: Final = {"resident_id": ric, "credit_code": uscc, "lei": lei}
_WORDS: Final[Mapping[str, str]] = {
    "entity_type": "person individual private consumer company enterprise organisation organization business corporation "
    "corporate legal natural firma privat entreprise empresa azienda particulier 个人 企业 公司 单位",
    "gender": "m f w d x male female man woman mann frau homme femme hombre mujer uomo donna 男 女",
    "prefix": "mr mr. mrs mrs. ms ms. miss mx dr dr. prof prof. sir madam rev rev. herr frau monsieur madame m. mme mlle "
    "sr sr. sra sra. don dona sig. sig.ra dott. dhr. mevr. 先生 女士 小姐 博士 教授",
    "boolean": "true false yes no y n 0 1 ja nein oui non si vero falso 是 否",
}

# JDK patterns and the shape each needs: the reader alone would take two digits for a year of four.
_DATES: Final[Mapping[str, str]] = {
    "yyyy-MM-dd": r"^\d{4}-\d{1,2}-\d{1,2}$",
    "yyyy/MM/dd": r"^\d{4}/\d{1,2}/\d{1,2}$",
    "yyyy.MM.dd": r"^\d{4}\.\d{1,2}\.\d{1,2}$",
    "yyyyMMdd": r"^(?:19|20)\d{6}$",
    "MM/dd/yyyy": r"^\d{1,2}/\d{1,2}/\d{4}$",
    "dd/MM/yyyy": r"^\d{1,2}/\d{1,2}/\d{4}$",
    "MM-dd-yyyy": r"^\d{1,2}-\d{1,2}-\d{4}$",
    "dd-MM-yyyy": r"^\d{1,2}-\d{1,2}-\d{4}$",
    "dd.MM.yyyy": r"^\d{1,2}\.\d{1,2}\.\d{4}$",
    "MM/dd/yy": r"^\d{1,2}/\d{1,2}/\d{2}$",
    "dd/MM/yy": r"^\d{1,2}/\d{1,2}/\d{2}$",
    "dd.MM.yy": r"^\d{1,2}\.\d{1,2}\.\d{2}$",
    "dd-MMM-yyyy": r"(?i)^\d{1,2}-[a-z]{3}-\d{4}$",
    "dd MMM yyyy": r"(?i)^\d{1,2} [a-z]{3} \d{4}$",
    "dd MMMM yyyy": r"(?i)^\d{1,2} [a-z]{3,9} \d{4}$",
    "MMM dd, yyyy": r"(?i)^[a-z]{3} \d{1,2}, \d{4}$",
    "MMMM dd, yyyy": r"(?i)^[a-z]{3,9} \d{1,2}, \d{4}$",
    "yyyy年MM月dd日": r"^\d{4}年\d{1,2}月\d{1,2}日$",
}
_TIMES: Final[Mapping[str, str]] = {
    "HH:mm": r" \d{1,2}:\d{2}$",
    "HH:mm:ss": r" \d{1,2}:\d{2}:\d{2}$",
    "HH:mm:ss.SSS": r" \d{1,2}:\d{2}:\d{2}\.\d{3}$",
}
_ISO_MOMENT: Final = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?$"
ISO: Final = "ISO 8601"


def shares_of(cells: pl.Series) -> dict[str, float]:
    """Return, by the name of each shape, the share of cells that have it, 0 to 1; of no cells, nothing.

    Args:
        cells: Filled cells, trimmed, String; copies count.
    """
    if cells.is_empty():
        return {}
    counted = cells.alias("cell").value_counts()
    small = pl.col("cell").str.to_lowercase()
    kept = {
        **{name: pl.col("cell").str.contains(pattern) for name, pattern in _SHAPES.items()},
        **{name: small.is_in(words.split()) for name, words in _WORDS.items()},
        "country": small.is_in(list(_country_names())),
    }
    shares = counted.select((has * pl.col("count")).sum().alias(name) for name, has in kept.items())
    found: dict[str, float] = {name: value / cells.len() for name, value in shares.row(0, named=True).items()}
    for name, module in _CHECKS.items():
        found[name] = _checked_share(counted, _SHAPES[name], module) if found[name] else 0.0
    return found


def date_patterns_of(cells: pl.Series) -> dict[str, float]:
    """Return the JDK patterns that read the cells, with the share that each reads, the best first; ``ISO`` for ISO 8601 moments.

    Args:
        cells: Filled cells, trimmed, String; copies count.
    """
    if cells.is_empty():
        return {}
    shares = {ISO: cells.filter(cells.str.contains(_ISO_MOMENT)).len() / cells.len()}
    for pattern, shape in _dated_shapes():
        fitting = cells.filter(cells.str.contains(shape))
        if not fitting.is_empty():
            read = fitting.str.to_datetime(chrono_format(strptime_format(pattern)), strict=False, time_unit="us")
            shares[pattern] = read.drop_nulls().len() / cells.len()
    return dict(sorted(((name, share) for name, share in shares.items() if share), key=lambda item: -item[1]))


def _dated_shapes() -> list[tuple[str, str]]:
    """Return patterns and shapes of dates, and of dates with a time of day."""
    dates = list(_DATES.items())
    moments = [(f"{date} {time}", shape.removesuffix("$") + clock) for date, shape in dates for time, clock in _TIMES.items()]
    return [*((f"{date}", shape) for date, shape in dates), *moments]


def _checked_share(counted: pl.DataFrame, shape: str, module: object) -> float:
    """Return the share of cells whose check digits hold, over some of them: others have the shape by chance."""
    fitting = counted.filter(pl.col("cell").str.contains(shape))
    some = fitting["cell"].head(_MOST_CHECKED)
    share_valid = sum(_is_valid(module, cell) for cell in some) / max(1, some.len())
    return share_valid * int(fitting["count"].sum()) / int(counted["count"].sum())


def _is_valid(module: object, cell: str) -> bool:
    try:
        module.validate(cell)  # type: ignore[attr-defined]  # modules of stdnum share this function and no type
    except (ValidationError, KeyError):  # a county that the library does not know is a KeyError
        return False
    return True


@cache
def _country_names() -> frozenset[str]:
    """Return codes and English names of countries, small (ISO 3166, as pycountry has it), and what people write for three."""
    kinds = ("alpha_2", "alpha_3", "name", "common_name", "official_name")
    names = (getattr(country, kind, "") for country in pycountry.countries for kind in kinds)
    written = "uk|usa|u.s.a.|u.s.|great britain|england|scotland|wales|russia|deutschland|espana|españa|italia|中国|美国|英国"
    return frozenset({name.lower() for name in names if name} | set(written.split("|")))
