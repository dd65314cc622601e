"""Lists of the names of golden attributes, one list a row: few different ones among many customers."""

from collections.abc import Mapping

import polars as pl

NAMES = pl.List(pl.String)


def list_names(frame: pl.DataFrame, holds: Mapping[str, pl.Expr]) -> pl.Series:
    """Return for each row the names of the conditions that hold, in their order; one that is null does not.

    Args:
        frame: The rows.
        holds: Conditions by name, at most 63.
    """
    bits = [pl.when(condition).then(1 << place).otherwise(0).cast(pl.Int64) for place, condition in enumerate(holds.values())]
    patterns = frame.select(pattern=pl.sum_horizontal(bits))
    found = patterns["pattern"].unique()
    lists = [[name for place, name in enumerate(holds) if pattern >> place & 1] for pattern in found]
    known = pl.DataFrame({"pattern": found, "names": pl.Series(lists, dtype=NAMES)})
    return patterns.join(known, on="pattern", how="left", maintain_order="left")["names"]
