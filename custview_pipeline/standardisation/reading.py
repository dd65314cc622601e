"""What one cell comes to, and how a column of cells is read once per distinct value."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

import polars as pl


class Reading(NamedTuple):
    """One standardised value of one cell or group of cells.

    Attributes:
        value: As shown to a person who may see it; None where the cell says nothing (a placeholder).
        comparable: Equal where two values mean the same.
        feature: What matching compares; None where the value is no evidence.
        rule: The field standard that it breaks; None where it keeps all.
        parts: JSON object of the parts of a group.
        part_count: Parts that are filled.
    """

    value: str | None
    comparable: str | None = None
    feature: str | None = None
    rule: str | None = None
    parts: str | None = None
    part_count: int = 1


_PLACE: Final = {"code": pl.UInt32(), "position": pl.UInt16()}
READING: Final = pl.Schema(
    {
        "value": pl.String(),
        "comparable": pl.String(),
        "feature": pl.String(),
        "rule": pl.String(),
        "parts": pl.String(),
        "part_count": pl.UInt8(),
    }
)


Quick = Callable[[pl.DataFrame], pl.DataFrame]


def read_distinct(
    cells: pl.DataFrame,
    keys: Sequence[str],
    read: Callable[..., Iterable[tuple[object, ...]]],
    schema: pl.Schema = READING,
    *,
    quick: Quick | None = None,
) -> pl.DataFrame:
    """Read every distinct combination of cells once.

    Args:
        cells: ``row`` and the columns of ``keys``.
        keys: Columns handed to ``read``, in this order.
        read: What a combination comes to: none, one or several tuples in the order of ``schema``.
        schema: Columns of such a tuple.
        quick: Reads many combinations at once. It gets ``code`` and the columns of ``keys``, a row a combination, and returns
            ``code``, ``position`` and the columns of ``schema`` for the combinations that it is sure of; of these it returns just
            what ``read`` would (asserted in tests). The others go to ``read``.

    Returns:
        ``row``, ``position`` (0, 1, ... within the cell) and the columns of ``schema``, in the order of row and position.
    """
    distinct = cells.select(keys).unique(maintain_order=True).with_row_index("code")
    parts = [] if quick is None else [typed(quick(distinct), schema)]
    left = distinct.join(parts[0].select("code"), on="code", how="anti", maintain_order="left") if parts else distinct
    readings = pl.concat([*parts, _read_each(left, read, schema)])
    coded = cells.join(distinct, on=list(keys), how="left", nulls_equal=True, maintain_order="left").select("row", "code")
    return coded.join(readings, on="code", how="inner", maintain_order="left_right").drop("code")


def read_each_once(texts: pl.Series, function: Callable[[str], str | None]) -> pl.Series:
    """Return what texts come to, each different one read once; null for null."""
    distinct = texts.drop_nulls().unique()
    if distinct.is_empty():
        return texts.cast(pl.String)
    read = pl.Series([function(text) for text in distinct.to_list()], dtype=pl.String)
    return texts.replace_strict(distinct, read, default=None, return_dtype=pl.String)


def _read_each(distinct: pl.DataFrame, read: Callable[..., Iterable[tuple[object, ...]]], schema: pl.Schema) -> pl.DataFrame:
    found: list[tuple[object, ...]] = []
    for code, *key in distinct.iter_rows():
        found.extend((code, position, *reading) for position, reading in enumerate(read(*key)))
    columns = zip(*found, strict=True) if found else [()] * (len(schema) + len(_PLACE))
    full = {**_PLACE, **schema}
    return pl.DataFrame([pl.Series(name, column, dtype=full[name]) for name, column in zip(full, columns, strict=True)])


def typed(readings: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """Return ``code``, ``position`` and the columns of ``schema``, in this order and of these types."""
    return readings.select(pl.col(name).cast(kind) for name, kind in {**_PLACE, **schema}.items())
