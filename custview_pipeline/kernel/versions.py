"""Tables that only grow: the newest version of a key is what holds."""

from collections.abc import Sequence

import polars as pl


def newest(frame: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Keep, for each key, the row with the largest ``version``; rows come out in the order of the key."""
    return frame.sort(*key, "version").unique(subset=list(key), keep="last", maintain_order=True)
