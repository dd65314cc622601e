"""Tables that only grow: the newest version of a key is what holds."""

from collections.abc import Mapping, Sequence

import polars as pl


def newest(frame: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Keep, for each key, the row with the largest ``version``; rows come out in the order of the key."""
    # The rows are picked by their narrow columns: golden records are hundreds of bytes wide.
    narrow = frame.select(*key, "version", place=pl.int_range(pl.len(), dtype=pl.UInt32))
    chosen = narrow.sort(*key, "version").unique(subset=list(key), keep="last", maintain_order=True)["place"]
    return frame[chosen]


def next_versions(
    held: pl.DataFrame, wanted: pl.DataFrame, key: Sequence[str], ended: Mapping[str, pl.Expr], *, made_by: str | None = None
) -> pl.DataFrame:
    """Return the rows to append to a table so that of some keys just the wanted rows hold.

    Args:
        held: The newest rows of these keys, with ``version``, those among them that hold no more.
        wanted: The rows that are to hold, without it.
        key: Names the rows.
        ended: What to write into rows that are to hold no more.
        made_by: Column that tells of a row which run made it: it makes no row another one.

    Returns:
        Rows with the columns of ``held``: those that are new or differ, under their next version, and the ended ones.
    """
    content = [name for name in wanted.columns if name not in {*key, made_by}]
    before = held.select(*key, "version", *(pl.col(name).alias(f"{name}_held") for name in content))
    joined = wanted.join(before, on=list(key), how="left", maintain_order="left")
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_held")) for name in content)
    added = joined.filter(pl.col("version").is_null() | differs).with_columns(version=pl.col("version").fill_null(0) + 1)
    unwanted = held.join(wanted, on=list(key), how="anti", maintain_order="left")
    holds = pl.any_horizontal(pl.col(name).ne_missing(value) for name, value in ended.items() if name != made_by)
    gone = unwanted.filter(holds).with_columns(version=pl.col("version") + 1, **ended)
    return pl.concat([added.select(held.columns).cast(held.schema), gone.cast(held.schema)])
