"""Moments at which a record was made or changed, as UTC."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

import polars as pl

from custview_pipeline.contracts.base import UTC_TIME
from custview_pipeline.standardisation.dates.dates import PLACEHOLDER_DATES

# After the contract's format and ISO 8601, these; the month-first ones are tried first where the region writes dates so.
_MONTH_FIRST: Final = (
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y %H:%M:%S.%f",
    "%m/%d/%Y",
    "%m/%d/%y %H:%M",
    "%m/%d/%y",
)
_DAY_FIRST: Final = (
    *tuple(form.replace("%m/%d", "%d/%m") for form in _MONTH_FIRST),
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%d.%m.%y",
)
_OTHERS: Final = (
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%Y-%m-%d %H:%M:%S",  # 2024-3-4 9:05:00, which ISO 8601 does not know
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%Y-%m-%d %I:%M:%S %p",
    "%Y.%m.%d %H:%M:%S",
    "%Y.%m.%d %H:%M",
    "%Y.%m.%d",
    "%Y%m%d%H%M%S",
    "%Y%m%d%H%M%S%f",
    "%d-%b-%Y %H:%M:%S",
    "%d-%b-%Y %H:%M",
    "%d-%b-%Y",
    "%d %b %Y %H:%M:%S",
    "%d %b %Y",
    "%b %d, %Y %I:%M %p",
    "%b %d, %Y",
    "%B %d, %Y",
    "%b %d %Y %I:%M%p",  # SQL Server's default
    "%d-%b-%y %I.%M.%S.%f %p",  # Oracle's
    "%d-%b-%y",
    "%a %b %d %H:%M:%S %Y",  # ctime
    "%a %b %d %H:%M:%S UTC %Y",  # date
    "%a %b %d %H:%M:%S GMT %Y",
    "%a, %d %b %Y %H:%M:%S %z",  # RFC 5322
    "%a, %d %b %Y %H:%M:%S",  # RFC 9110, its GMT left out
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H时%M分%S秒",
    "%Y年%m月%d日 %H:%M",
    "%Y年%m月%d日",
)
# Java puts the zone's name behind its offset: 2024-03-04T10:00-05:00[America/New_York].
_ZONE_NAME: Final = re.compile(r"\s*(?:UTC|GMT)$|(?<=[Z0-9])\[[\w/+-]+\]$", re.IGNORECASE)
_LONGEST_DAY: Final = len("20240304")
_SECONDS: Final = re.compile(r"\d{9,10}(?:\.\d+)?", re.ASCII)
# By the number of digits: what is counted since 1970 in milli-, micro- or nanoseconds, within 1973 to 2286.
_PARTS_OF_A_SECOND: Final = {12: 10**3, 13: 10**3, 16: 10**6, 19: 10**9}
# 202403041530 is a minute of 2024; as milliseconds it would be a day of 1976, and so would any of these years.
_MINUTE: Final = re.compile(r"(?:19[7-9]|20\d)\d{9}", re.ASCII)
_SERIAL: Final = re.compile(r"\d{5}(?:\.\d+)?", re.ASCII)
_SERIAL_EPOCH: Final = datetime(1899, 12, 30, tzinfo=UTC)  # of Excel's 1900 system, from March 1900 on
_FIRST_SERIAL, _LAST_SERIAL = 30_000, 73_051  # 18 February 1982 to the end of 2099

_DAY: Final = "[1-8][0-9]{3}-[0-9]{2}-[0-9]{2}"  # no offset takes these years beyond the calendar
_TIME: Final = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
_OFFSET: Final = "(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])?"
_PLAIN: Final = f"^{_DAY}(?:[T ]{_TIME}{_OFFSET})?$"
_PLAIN_SECOND: Final = f"^{_DAY}[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z?$"
_PLACEHOLDER_DAYS: Final = [date.fromisoformat(day) for day in sorted(PLACEHOLDER_DATES) if not day.startswith("0000")]
# Formats of contracts under which a plain ISO 8601 moment means what it means without.
_HARMLESS: Final = re.compile(r"%Y-%m-%d(?:[T ]%H:%M(?::%S(?:\.%f)?)?(?:Z|%z)?)?|.*/.*", re.DOTALL)


def read_timestamps(texts: pl.Series, date_format: str | None, *, is_month_first: bool) -> pl.Series:
    """Return ``read_timestamp`` of every text, in microseconds; null where a text is null or cannot be read.

    Args:
        texts: Cleaned cells.
        date_format: The contract's strptime format.
        is_month_first: Whether 03/04/2024 is the fourth of March.
    """
    is_harmless = date_format is None or _HARMLESS.fullmatch(date_format) is not None
    if not is_harmless:
        return _read_distinct(texts, pl.lit(None, UTC_TIME), date_format, is_month_first=is_month_first)
    seconds = texts.rename("text").to_frame().select(_plain_second()).to_series()
    left = texts.set(seconds.is_not_null(), None)
    if left.null_count() == len(left):
        return seconds.rename(texts.name)
    others = _read_distinct(left, _plain_moment(), date_format, is_month_first=is_month_first)
    return seconds.zip_with(seconds.is_not_null(), others).rename(texts.name)


def _read_distinct(texts: pl.Series, plain: pl.Expr, date_format: str | None, *, is_month_first: bool) -> pl.Series:
    """Return the moments of texts, each different one read once: by ``plain``, else one by one."""
    distinct = texts.drop_nulls().unique().rename("text").to_frame()
    known = distinct.with_columns(moment=plain)
    left = known.filter(pl.col("moment").is_null())["text"]
    read = [read_timestamp(text, date_format, is_month_first=is_month_first) for text in left.to_list()]
    every = pl.concat([known.drop_nulls(), pl.DataFrame([left, pl.Series("moment", read, UTC_TIME)])])
    return texts.replace_strict(every["text"], every["moment"], default=None, return_dtype=UTC_TIME)


def _plain_second() -> pl.Expr:
    """Return the moment of the column ``text`` where it is ISO 8601 to the second, in UTC; null elsewhere."""
    text = pl.when(pl.col("text").str.contains(_PLAIN_SECOND)).then("text")
    written = text.str.slice(0, 10) + "T" + text.str.slice(11, 8)
    moment = written.str.to_datetime("%Y-%m-%dT%H:%M:%S", time_unit="us", time_zone="UTC", strict=False)
    return pl.when(~moment.dt.date().is_in(_PLACEHOLDER_DAYS)).then(moment)


def _plain_moment() -> pl.Expr:
    """Return the moment of the column ``text`` where it is ISO 8601 with hyphens and colons; null elsewhere."""
    text = pl.when(pl.col("text").str.contains(_PLAIN)).then("text")
    offset = text.str.slice(11).str.extract("([+-][0-9:]{5})$", 1)
    written = pl.concat_str(
        text.str.slice(0, 10), text.str.slice(11).str.extract(f"^({_TIME})", 1).fill_null("00:00"), separator="T"
    )
    whole = pl.when(written.str.len_bytes() > len("2024-03-04T05:06")).then(written).otherwise(written + ":00")
    moment = whole.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", time_zone="UTC", strict=False)
    minutes = offset.str.slice(1, 2).cast(pl.Int64) * 60 + offset.str.slice(4, 2).cast(pl.Int64)
    ahead = pl.when(offset.str.starts_with("-")).then(-minutes).otherwise(minutes).fill_null(0)
    told = moment - pl.duration(minutes=ahead)
    return pl.when(~told.dt.date().cast(pl.String).is_in(sorted(PLACEHOLDER_DATES))).then(told)


def read_timestamp(text: str, date_format: str | None, *, is_month_first: bool) -> datetime | None:
    """Return the moment in UTC; one without an offset is taken to be UTC already. None where it cannot be read.

    A day that systems fill in where they know none (9999-12-31) is no moment either.

    Args:
        text: What the contract's format reads; ISO 8601; a common written form; 9 or 10 digits are seconds since 1970, 12 or 13
            milliseconds, 16 microseconds, 19 nanoseconds; five, from 30000 (18 February 1982) to the end of 2099, perhaps with a
            fraction, are a day of Excel's 1900 system.
        date_format: The contract's strptime format.
        is_month_first: Whether 03/04/2024 is the fourth of March.
    """
    try:
        moment = _by_format(text, date_format) if date_format else None
        bare = _ZONE_NAME.sub("", text)
        moment = moment or _counted(bare) or _written(bare, is_month_first=is_month_first)
        if moment is None:
            return None
        told = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        return None if told.date().isoformat() in PLACEHOLDER_DATES else told
    except (OverflowError, OSError):
        return None


def _counted(text: str) -> datetime | None:
    if _SECONDS.fullmatch(text):
        return datetime.fromtimestamp(float(text), UTC)
    if _SERIAL.fullmatch(text) and _FIRST_SERIAL <= float(text) < _LAST_SERIAL:
        # Excel keeps a moment to the millisecond.
        return _SERIAL_EPOCH + timedelta(milliseconds=round(float(text) * 86_400_000))
    parts = _PARTS_OF_A_SECOND.get(len(text)) if text.isascii() and text.isdecimal() else None
    if parts is None:
        return None
    minute = _by_format(text, "%Y%m%d%H%M") if _MINUTE.fullmatch(text) else None
    return minute or datetime.fromtimestamp(int(text) // parts, UTC) + timedelta(microseconds=int(text) % parts * 10**6 // parts)


def _written(text: str, *, is_month_first: bool) -> datetime | None:
    try:
        # Python takes any character for ISO 8601's T, the ninth of many digits too.
        if not (text.isdecimal() and len(text) > _LONGEST_DAY):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    orders = (_MONTH_FIRST, _DAY_FIRST) if is_month_first else (_DAY_FIRST, _MONTH_FIRST)
    found = (_by_format(text, form) for form in (*orders[0], *orders[1], *_OTHERS))
    return next((moment for moment in found if moment is not None), None)


def _by_format(text: str, date_format: str) -> datetime | None:
    try:
        return datetime.strptime(text, date_format)  # noqa: DTZ007 - a source without an offset means UTC
    except ValueError:
        return None
