"""Values that occur more than once in a delivery, found without keeping any.

What is kept of a cell is an 8-byte digest (BLAKE2b) under a key that is drawn for one delivery and forgotten with it. Two of
5 million values share a digest by accident with a probability below one in a million.
"""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from custview_pipeline.validation.limits import presence

Digests = np.ndarray[tuple[int], np.dtype[np.uint64]]
Positions = np.ndarray[tuple[int], np.dtype[np.uint32]]

_DIGEST_BYTES: Final = 8
_KEY_BYTES: Final = 32


class Repeats:
    """Finds, over all frames added, the rows whose value another row has too.

    Args:
        columns: Headers of the columns that make the value together.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = tuple(columns)
        self._key = secrets.token_bytes(_KEY_BYTES)
        self._digests: list[Digests] = []
        self._positions: list[Positions] = []
        self._rows = 0

    def add(self, frame: pl.DataFrame) -> None:
        """Add the rows of a frame; those where all columns are blank do not count."""
        is_present = frame.select(pl.any_horizontal(presence(name) for name in self._columns)).to_series()
        self._digests.append(_digest_cells(frame.filter(is_present), self._columns, self._key))
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


def _digest_cells(frame: pl.DataFrame, columns: Sequence[str], key: bytes) -> Digests:
    texts = frame.select(pl.col(columns).str.strip_chars())
    digests = bytearray()
    for row in texts.iter_rows():
        digest = hashlib.blake2b(digest_size=_DIGEST_BYTES, key=key)
        for cell in row:
            digest.update(b"\x00" if cell is None else b"\x01%d:%b" % (len(cell), cell.encode()))
        digests += digest.digest()
    return np.frombuffer(bytes(digests), dtype="<u8")
