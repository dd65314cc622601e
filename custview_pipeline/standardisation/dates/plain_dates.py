"""Birth dates written with digits, many at a time: the contract's format, ISO 8601, day and month by region, Chinese signs."""

import re
from datetime import date
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.standardisation.dates.dates import EARLIEST_YEAR, PLACEHOLDER_DATES, TIME_OF_DAY, day_of_format

_NO_TEXT: Final = pl.lit(None, pl.String)
_FORMAT: Final = re.compile(r"%([Yymd])([-/. 年月]?)%([Yymd])([-/. 年月]?)%([Yymd])(日?)")
_NAMED_MONTH: Final = re.compile("%[bB]")
_WIDTHS: Final = {"Y": 4, "y": 2, "m": 2, "d": 2}
_SEPARATORS: Final = {"/": "-", ".": "-", " ": "-", "年": "-", "月": "-", "日": ""}


class _Form(NamedTuple):
    """How a date is written: ``order`` is of Y or y, m, d; without separators every part has its full width."""

    order: str
    pattern: str
    is_separated: bool = True


def _separated(order: str, first: str, second: str, end: str = "") -> _Form:
    digits = {"Y": "[0-9]{4}", "y": "[0-9]{2}", "m": "[0-9]{1,2}", "d": "[0-9]{1,2}"}
    parts = [digits[part] for part in order]
    return _Form(order, f"^{parts[0]}{first}{parts[1]}{second}{parts[2]}{end}$")


def _compact(order: str) -> _Form:
    return _Form(order, f"^[0-9]{{{sum(_WIDTHS[part] for part in order)}}}$", is_separated=False)


_YEAR_FIRST: Final = (_separated("Ymd", "[-/.年]", "[-/.月]", "日?"), _compact("Ymd"))
_MONTH_FIRST: Final = tuple(_separated(order, "[-/. ]", "[-/. ]") for order in ("mdY", "mdy"))
_DAY_FIRST: Final = tuple(_separated(order, "[-/. ]", "[-/. ]") for order in ("dmY", "dmy"))


def read_plain_birth_dates(cells: pl.DataFrame, date_format: str | None, *, is_month_first: bool, today: date) -> pl.DataFrame:
    """Return the readings of whole dates that are valid, as ``read_birth_date`` would give them.

    Args:
        cells: ``code`` and ``cell``.
        date_format: As of ``read_birth_date``; no cell is read here where it is neither of digits and separators nor has a named
            month (which no date of digits keeps).
        is_month_first: Likewise.
        today: Likewise.
    """
    left = cells.select("code", written=pl.col("cell").str.replace(TIME_OF_DAY, "").str.strip_chars(), iso=_NO_TEXT)
    found = [left.clear()]
    for form in _forms(day_of_format(date_format), is_month_first=is_month_first):
        has_form = pl.col("written").str.contains(form.pattern)
        dated = left.filter(has_form)
        if not dated.is_empty():
            dated = dated.with_columns(iso=_date(form, today))
            left = pl.concat([left.filter(~has_form), dated.filter(pl.col("iso").is_null())])
            found.append(dated.drop_nulls("iso"))
    return _readings(pl.concat(found), today)


def _forms(day_format: str | None, *, is_month_first: bool) -> tuple[_Form, ...]:
    """Return forms in the order in which ``read_birth_date`` tries them; none where the format may read digits otherwise."""
    known = (*_YEAR_FIRST, *_MONTH_FIRST, *_DAY_FIRST) if is_month_first else (*_YEAR_FIRST, *_DAY_FIRST, *_MONTH_FIRST)
    if day_format is None or _NAMED_MONTH.search(day_format):
        return known
    contracted = _form_of(day_format)
    return (contracted, *known) if contracted else ()


def _form_of(day_format: str) -> _Form | None:
    found = _FORMAT.fullmatch(day_format)
    if found is None or len({part.lower() for part in found.group(1, 3, 5)}) < len("ymd"):
        return None
    order, separators = "".join(found.group(1, 3, 5)), [re.escape(sign) for sign in found.group(2, 4, 6)]
    if all(separators[:2]):
        return _separated(order, *separators)
    return None if any(separators) else _compact(order)


def _date(form: _Form, today: date) -> pl.Expr:
    """Return ISO 8601; null where the calendar has no such day. Of two digits the year is the last that is not after today."""
    written = pl.col("written")
    if form.is_separated:
        split = written.str.replace_many(_SEPARATORS).str.split_exact("-", 2).struct
        parts = {part: split.field(f"field_{place}") for place, part in enumerate(form.order)}
    else:
        starts = [sum(_WIDTHS[part] for part in form.order[:place]) for place in range(len(form.order))]
        parts = {part: written.str.slice(start, _WIDTHS[part]) for start, part in zip(starts, form.order, strict=True)}
    day = [parts["m"].str.zfill(2), parts["d"].str.zfill(2)]
    if "Y" in parts:
        return _in_calendar([parts["Y"], *day])
    century = today.year // 100
    late, early = (_in_calendar([pl.lit(str(prefix)) + parts["y"], *day]) for prefix in (century, century - 1))
    return pl.when(late <= today.isoformat()).then(late).otherwise(early)


def _in_calendar(parts: list[pl.Expr]) -> pl.Expr:
    iso = pl.concat_str(parts, separator="-")
    is_day = iso.str.to_date("%Y-%m-%d", strict=False).is_not_null() & (iso >= str(EARLIEST_YEAR))
    return pl.when(is_day).then(iso)


def _readings(dated: pl.DataFrame, today: date) -> pl.DataFrame:
    iso = pl.col("iso")
    sure = dated.filter((iso <= today.isoformat()) & ~iso.is_in(sorted(PLACEHOLDER_DATES)))
    return sure.select(
        "code",
        position=pl.lit(0),
        value="iso",
        comparable="iso",
        feature="iso",
        rule=_NO_TEXT,
        parts=_NO_TEXT,
        part_count=pl.lit(1),
    )
