"""The packaged pools that names, places and trades are drawn from; common values come often, as in life.

The lists were written by hand for this package: names by era and gender, cities with the first digits of their postal
codes and their dialling codes, streets composed of common words. Pinyin was added with pypinyin, codes of Chinese
counties come from python-stdnum. Nothing is taken from records of real people.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import polars as pl
from numpy.typing import NDArray

from custview_pipeline.demo.chance import Chance, Flags


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Rows to draw from.

    Attributes:
        rows: The pool's columns, all text.
        heights: Cumulative share of each row, ending at 1.
    """

    rows: pl.DataFrame
    heights: NDArray[np.float64]

    def draw(self, chance: Chance, count: int) -> pl.DataFrame:
        """Return ``count`` rows, each as often as its weight says."""
        places = np.searchsorted(self.heights, chance.fractions(count), side="right")
        return self.rows[np.minimum(places, len(self.heights) - 1)]


@cache
def load_pool(name: str, **only: str) -> Pool:
    """Return a packaged pool.

    Args:
        name: Name of its file without extension.
        **only: Keep the rows whose columns have these values, e.g. ``gender="f"``.
    """
    text = (resources.files("custview_pipeline.demo") / "pools" / f"{name}.csv").read_bytes()
    rows = pl.read_csv(text, infer_schema=False).fill_null("")
    for column, value in only.items():
        rows = rows.filter(pl.col(column) == value)
    if "weight" not in rows.columns:
        return Pool(rows, np.arange(1, rows.height + 1) / rows.height)
    weights = rows["weight"].cast(pl.Float64).to_numpy().cumsum()
    return Pool(rows.drop("weight"), weights / weights[-1])


def draw_by_group(groups: NDArray[np.str_], pools: Mapping[str, Pool], chance: Chance) -> pl.DataFrame:
    """Return one row for each entry of ``groups``, from the pool of that name; groups without a pool have nulls."""
    parts = []
    for group, pool in pools.items():
        places = np.flatnonzero(groups == group)
        parts.append(pool.draw(chance, len(places)).with_columns(place=pl.Series(places, dtype=pl.UInt32)))
    return gather_parts(parts, len(groups))


def gather_parts(parts: Sequence[pl.DataFrame], count: int) -> pl.DataFrame:
    """Return ``parts`` in one frame, each row at its ``place`` from 0 to ``count`` - 1; places that none has are null."""
    places = pl.DataFrame({"place": np.arange(count, dtype=np.uint32)})
    drawn = pl.concat(parts, how="diagonal")
    return places.join(drawn, on="place", how="left", maintain_order="left").drop("place")


def choose(values: Sequence[str | None], chance: Chance, count: int, weights: tuple[float, ...] = ()) -> pl.Series:
    """Return ``count`` of ``values``, evenly or by ``weights``."""
    places = chance.weighted(weights or (1.0,) * len(values), count)
    return pl.Series("value", values, dtype=pl.String).gather(places)


def one_way(draw: pl.Series, ways: Sequence[pl.Expr]) -> pl.Expr:
    """Return for each row the expression of ``ways`` that its ``draw``, counted from 0, points to."""
    written: pl.Expr = pl.lit(None, pl.String)
    for place, way in enumerate(ways):
        written = pl.when(draw == place).then(way).otherwise(written)
    return written


def where(flags: Flags, yes: pl.Series, no: pl.Series) -> pl.Series:
    """Return ``yes`` where the flag is set and ``no`` elsewhere."""
    return yes.zip_with(pl.Series(flags), no)
