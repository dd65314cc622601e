"""Values that occur more than once in a delivery, found without keeping any.

What is kept of a cell is polars' hash of 64 bits under a seed that is drawn for one delivery and forgotten with it: the hash is
not the same in every version of polars, and none is stored. Two of 5 million values share one by accident with a probability
below one in a million.
"""

import secrets
from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from custview_pipeline.validation.limits import presence

Digests = np.ndarray[tuple[int], np.dtype[np.uint64]]
Positions = np.ndarray[tuple[int], np.dtype[np.uint32]]

_SEED_BITS: Final = 64


class Repeats:
    """Finds, over all frames added, the rows whose value another row has too.

    Args:
        columns: Headers of the columns that make the value together.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = tuple(columns)
        self._seed = secrets.randbits(_SEED_BITS)
        self._digests: list[Digests] = []
        self._positions: list[Positions] = []
        self._rows = 0

    def add(self, frame: pl.DataFrame) -> None:
        """Add the rows of a frame; those where all columns are blank do not count."""
        is_present = frame.select(pl.any_horizontal(presence(name) for name in self._columns)).to_series()
        self._digests.append(_digest_cells(frame.filter(is_present), self._columns, self._seed))
        self._positions.append((is_present.arg_true() + self._rows).cast(pl.UInt32).to_numpy())
        self._rows += frame.height

    def count(self) -> int:
        """Return how many rows repeat an earlier one."""
        together = self._together()
        return len(together) - len(np.unique(together))

    def shared(self, owners: pl.Series) -> pl.Series:
        """Return the positions, UInt32 and in order, of the rows whose value a row of another owner has.

        Args:
            owners: What each row that was added belongs to, in their order; copies of a row have one owner.
        """
        positions = pl.Series("position", np.concatenate([np.empty(0, dtype=np.uint32), *self._positions]))
        rows = pl.DataFrame({"position": positions, "digest": self._together(), "owner": owners.gather(positions)})
        return rows.filter(pl.col("owner").n_unique().over("digest") > 1)["position"]

    def _together(self) -> Digests:
        return np.concatenate([np.empty(0, dtype=np.uint64), *self._digests])


def _digest_cells(frame: pl.DataFrame, columns: Sequence[str], seed: int) -> Digests:
    """Return a digest of the trimmed cells of each row."""
    # Each cell behind its length, so that none can pretend to be the end of another.
    trimmed = [pl.col(name).str.strip_chars() for name in columns]
    parts = [pl.concat_str(cell.str.len_bytes().cast(pl.String), pl.lit(":"), cell).fill_null("-") for cell in trimmed]
    digests: Digests = frame.select(pl.concat_str(parts).hash(seed)).to_series().to_numpy()
    return digests
