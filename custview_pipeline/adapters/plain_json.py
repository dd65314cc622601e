"""Lines of JSON that polars reads as ``json_files`` would, many at a time: flat objects whose fields stand in one order.

Polars refuses what is no JSON as Python does, but takes the first of two fields of one name, writes 1.50 as 1.5, -0 as 0, and
half of a surrogate pair as NUL. So it is given only lines that match a pattern in which none of these can stand.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

_TEXT: Final = r'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u(?:[0-9a-ce-fA-CE-F][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}))*"'
_WHOLE: Final = "(?:0|-?[1-9][0-9]{0,17})"
_OTHER_NUMBER: Final = r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?"


def read_plain_json(
    lines: pl.Series, columns: Sequence[str], examples: Sequence[Mapping[str, Any]]
) -> tuple[pl.Series, pl.DataFrame]:
    """Read the lines that are plain.

    Args:
        lines: Lines of a file, String.
        columns: The fields that are wanted.
        examples: The objects of some of these lines; their fields tell the order.

    Returns:
        Which lines were read, and their rows: the columns as text.
    """
    is_plain = lines.str.contains(_plain_line(_order(examples), columns))
    schema = dict.fromkeys(columns, pl.String)
    try:
        if is_plain.any():
            written = "\n".join(lines.filter(is_plain).to_list()).encode()
            rows = pl.read_ndjson(written, schema=schema)
            if rows.height == is_plain.sum():
                return is_plain, rows.select(pl.when(pl.all() != "").then(pl.all()))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        pass  # one of them is no JSON after all: which, the other reader tells
    return pl.repeat(value=False, n=len(lines), dtype=pl.Boolean, eager=True), pl.DataFrame(schema=schema)


def _order(examples: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return all fields; one that the former objects lack stands behind the one before it."""
    order: list[str] = []
    for example in examples:
        place = 0
        for name in example:
            if name not in order:
                order.insert(place, name)
            place = order.index(name) + 1
    return order


def _plain_line(order: Sequence[str], columns: Sequence[str]) -> str:
    """Return the pattern of an object that has each of these fields once or not at all, in this order."""
    fields = []
    for name in order:
        number = _WHOLE if name in columns else _OTHER_NUMBER
        key = re.escape(json.dumps(name, ensure_ascii=False))
        fields.append(f"(?:{key}: ?(?:{_TEXT}|{number}|true|false|null)(?:, ?|}}))?")
    return rf"^\{{{''.join(fields)}\s*$"
