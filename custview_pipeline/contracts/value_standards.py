"""The dictionary of attributes as pandera schemas of standardised values, and as plain rows."""

from collections.abc import Mapping
from functools import cache
from typing import Final

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData

from custview_pipeline.contracts.attributes import ATTRIBUTES, LONGEST_TEXT, Attribute
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES

_LAST_DAY: Final = "the day of the delivery"


@cache
def standardised_schemas() -> Mapping[str, pa.DataFrameSchema]:
    """Return, by golden attribute, what its valid values keep: the schema of a frame of one column, ``value``.

    Its checks are called ``format``, ``length``, ``allowed`` and ``range``. Only attributes whose values have a closed form are
    in it: a name, an address or an occupation may be any text, an identifier is its scheme's. Whether a date lies in the
    future is told when it is read.
    """
    written = {name: _expressions(ATTRIBUTES[name]) for name in GOLDEN_ATTRIBUTES if name in ATTRIBUTES}
    return {name: _schema(name, kept) for name, kept in written.items() if kept}


def dictionary_rows() -> list[dict[str, str]]:
    """Return the dictionary, an attribute a row, in texts.

    The keys are name, meaning, meaning_zh, kind, type, length, format, range, allowed, required, critical, sensitivity,
    examples; what an attribute does not have is empty.
    """
    return [_row(attribute) for attribute in ATTRIBUTES.values()]


def _expressions(attribute: Attribute) -> dict[str, pl.Expr]:
    value, kept = pl.col("value"), {}
    if attribute.pattern is not None:
        kept["format"] = value.str.contains(f"^(?:{attribute.pattern})$")
    if attribute.longest < LONGEST_TEXT:
        kept["length"] = value.str.len_chars() <= attribute.longest
    if attribute.allowed:
        kept["allowed"] = value.is_in(list(attribute.allowed))
    if attribute.earliest is not None:
        kept["range"] = value >= attribute.earliest  # ISO 8601 sorts as text
    return kept


def _schema(name: str, kept: Mapping[str, pl.Expr]) -> pa.DataFrameSchema:
    checks = [_check(rule, expression) for rule, expression in kept.items()]
    return pa.DataFrameSchema({"value": pa.Column(pl.String, checks)}, name=name, strict=True)


def _check(rule: str, kept: pl.Expr) -> pa.Check:
    def judge(data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(kept)

    return pa.Check(judge, name=rule)


def _row(attribute: Attribute) -> dict[str, str]:
    return {
        "name": attribute.name,
        "meaning": attribute.meaning,
        "meaning_zh": attribute.meaning_zh,
        "kind": attribute.kind,
        "type": attribute.data_type,
        "length": str(attribute.longest),
        "format": attribute.format,
        "range": f"{attribute.earliest} to {_LAST_DAY}" if attribute.earliest else "",
        "allowed": ", ".join(attribute.allowed),
        "required": "optional" if attribute.is_optional else _yes(attribute.is_required),
        "critical": _yes(attribute.is_critical),
        "sensitivity": attribute.sensitivity,
        "examples": ", ".join(attribute.examples),
    }


def _yes(is_so: bool) -> str:  # noqa: FBT001 -- a cell of a table
    return "yes" if is_so else ""
