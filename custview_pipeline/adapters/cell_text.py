"""A value of Python as the text that an export to CSV would have: moments in ISO 8601, numbers without an exponent."""

import json
from collections.abc import Callable, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from functools import singledispatch
from typing import Final

import polars as pl

from custview_pipeline.kernel.errors import SourceUnreadable

_COLUMNS_ARE: Final = "the contract's columns are text, numbers and dates"


class HoldsBytes(Exception):
    """A value is bytes, which no column of a contract is."""


class HoldsDuration(Exception):
    """A value is a duration, which no column of a contract is."""


@singledispatch
def cell_text(value: object) -> str | None:
    """Return the text of one value; null for nothing, for an empty text, and for what is not a number.

    Raises:
        HoldsBytes: It is bytes.
        HoldsDuration: It is a duration.
    """
    return str(value) or None


@cell_text.register(type(None))
def _(value: None) -> None:
    return value


@cell_text.register
def _(value: bool) -> str:  # noqa: FBT001 -- a cell, no switch
    return "true" if value else "false"


@cell_text.register
def _(value: float) -> str | None:
    text = _plain(Decimal(repr(value)))
    return text and text.removesuffix(".0")


@cell_text.register
def _(value: Decimal) -> str | None:
    return _plain(value)


@cell_text.register
def _(value: date | time) -> str:  # a datetime is a date, too
    return value.isoformat()


@cell_text.register(dict)
@cell_text.register(list)
@cell_text.register(tuple)
def _(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


@cell_text.register
def _(_value: bytes | bytearray | memoryview) -> str:
    raise HoldsBytes


@cell_text.register
def _(_value: timedelta) -> str:
    raise HoldsDuration


def text_column(name: str, values: Sequence[object], unreadable: Callable[[str], SourceUnreadable]) -> pl.Series:
    """Return the values of a column as text.

    Args:
        name: Its header.
        values: Its cells.
        unreadable: Makes the error, which names the source.

    Raises:
        SourceUnreadable: A cell is bytes or a duration.
    """
    try:
        return pl.Series(name, [cell_text(value) for value in values], dtype=pl.String)
    except HoldsBytes:
        raise unreadable(f"{name!r} holds bytes; {_COLUMNS_ARE}") from None
    except HoldsDuration:
        raise unreadable(f"{name!r} holds durations; {_COLUMNS_ARE}") from None


def _plain(number: Decimal) -> str | None:
    return None if number.is_nan() else format(number, "f") if number.is_finite() else str(number)
