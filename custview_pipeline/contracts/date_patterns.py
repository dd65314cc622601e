"""Date patterns: the JDK's, which ODCS writes, in the strptime's that Python reads and the chrono's that polars reads."""

import re
from typing import Final

_FIELDS: Final[dict[str, str]] = {
    "yyyy": "%Y", "uuuu": "%Y", "yy": "%y", "uu": "%y",
    "MM": "%m", "M": "%m", "MMM": "%b", "LLL": "%b", "MMMM": "%B", "LLLL": "%B",
    "dd": "%d", "d": "%d", "EEE": "%a", "E": "%a", "EEEE": "%A", "DDD": "%j",
    "HH": "%H", "H": "%H", "hh": "%I", "h": "%I", "a": "%p", "mm": "%M", "m": "%M", "ss": "%S", "s": "%S",
    **{"S" * digits: "%f" for digits in range(1, 7)},
    "X": "%z", "XX": "%z", "XXX": "%z", "Z": "%z", "xx": "%z", "xxx": "%z",
}  # fmt: skip

_OF_ANY_WIDTH: Final = frozenset({"M", "d", "H", "h", "m", "s"})
_PIECES: Final = re.compile(
    r"'(?P<quoted>(?:[^']|'')*)'|(?P<field>([A-Za-z])\3*)|(?P<literal>[^A-Za-z'\[\]{}#])|(?P<other>.)", re.DOTALL
)
_STRPTIME_FIELDS: Final = frozenset("aAbBdfHIjmMpSyYz%")


def strptime_format(pattern: str) -> str:
    """Return the strptime format of a JDK date pattern (java.time.format.DateTimeFormatter).

    A pattern that holds a % is taken as a strptime format already.

    Raises:
        ValueError: A letter has no counterpart, a quote is not closed, or digits would run together.
    """
    if "%" in pattern:
        return _checked_strptime(pattern)
    pieces = list(_PIECES.finditer(pattern))
    for piece, following in zip(pieces, [*pieces[1:], None], strict=True):
        if piece["field"] in _OF_ANY_WIDTH and following is not None and _is_number(following["field"]):
            raise ValueError(f"{piece['field']!r} may be one digit or two, so a separator should follow it, or write it twice")
    translated = "".join(_translated(piece) for piece in pieces)
    if "%" not in translated:
        raise ValueError("the date pattern names no part of a date")
    return translated


def chrono_format(strptime: str) -> str:
    """Return the format that polars (Rust's chrono) reads as Python reads ``strptime``.

    chrono takes ``%f`` for nanoseconds and ``%z`` for an offset that may not be Z.
    """
    return strptime.replace(".%f", "%.f").replace("%z", "%#z")


def _translated(piece: re.Match[str]) -> str:
    if (quoted := piece["quoted"]) is not None:
        return (quoted.replace("''", "'") or "'").replace("%", "%%")
    if (field := piece["field"]) is not None:
        if field not in _FIELDS:
            raise ValueError(f"the date pattern uses {field!r}, which is not supported{_hint(field)}")
        return _FIELDS[field]
    if piece["other"] is not None:
        raise ValueError(
            "the date pattern opens a quote and does not close it"
            if piece["other"] == "'"
            else "optional parts of a date pattern are not supported"
        )
    return piece["literal"]


def _hint(field: str) -> str:
    intended = {"YYYY": "yyyy", "DD": "dd", "D": "d", "YY": "yy", "y": "yyyy", "u": "uuuu"}.get(field)
    return "" if intended is None else f"; did you mean {intended!r}?"


def _is_number(field: str | None) -> bool:
    return (
        field is not None
        and field in _FIELDS
        and _FIELDS[field] in {"%Y", "%y", "%m", "%d", "%H", "%I", "%M", "%S", "%f", "%j"}
        and field not in {"MMM", "MMMM", "LLL", "LLLL"}
    )


def _checked_strptime(pattern: str) -> str:
    for part in re.finditer(r"%(.?)", pattern):
        if part[1] not in _STRPTIME_FIELDS:
            raise ValueError(f"the date format uses '%{part[1]}', which is not supported")
    return pattern
