"""Moments at which a record was made or changed, as UTC."""

import re
from datetime import UTC, datetime
from typing import Final

# After ISO 8601, these; the month-first ones are tried first where the region writes dates so.
_MONTH_FIRST: Final = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%m/%d/%Y")
_DAY_FIRST: Final = (
    *tuple(form.replace("%m/%d", "%d/%m") for form in _MONTH_FIRST),
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
)
_OTHERS: Final = (
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%Y%m%d%H%M%S",
    "%d-%b-%Y %H:%M:%S",
    "%d-%b-%Y",
    "%d %b %Y %H:%M:%S",
    "%d %b %Y",
    "%a, %d %b %Y %H:%M:%S %z",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日",
)
_EPOCH: Final = re.compile(r"(\d{9,10})(?:\.(\d{1,6})\d*)?")
_EPOCH_MILLISECONDS: Final = re.compile(r"\d{12,13}")
_ZONE_NAME: Final = re.compile(r"\s*(?:UTC|GMT)$", re.IGNORECASE)


def _parse(text: str, date_format: str | None, *, is_month_first: bool) -> datetime | None:
    if _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(float(text), UTC)
    if _EPOCH_MILLISECONDS.fullmatch(text):
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    orders = (_MONTH_FIRST, _DAY_FIRST) if is_month_first else (_DAY_FIRST, _MONTH_FIRST)
    for form in (*((date_format,) if date_format else ()), *orders[0], *orders[1], *_OTHERS):
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - a source without an offset means UTC, see below
        except ValueError:
            continue
    return None


def read_timestamp(text: str, date_format: str | None, *, is_month_first: bool) -> datetime | None:
    """Return the moment in UTC; one without an offset is taken to be UTC already. None where it cannot be read.

    Args:
        text: ISO 8601, seconds or milliseconds since 1970, or a common written form.
        date_format: The contract's strptime format.
        is_month_first: Whether 03/04/2024 is the fourth of March.
    """
    try:
        moment = _parse(_ZONE_NAME.sub("+00:00", text), date_format, is_month_first=is_month_first)
        if moment is None:
            return None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (OverflowError, OSError):
        return None
