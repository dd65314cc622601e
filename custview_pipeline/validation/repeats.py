"""Values that occur more than once in a delivery, counted without keeping any.

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

_DIGEST_BYTES: Final = 8
_KEY_BYTES: Final = 32


class Repeats:
    """Counts, over all frames added, the rows whose value an earlier row has too.

    Args:
        columns: Headers of the columns that make the value together.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = tuple(columns)
        self._key = secrets.token_bytes(_KEY_BYTES)
        self._digests: list[Digests] = []

    def add(self, frame: pl.DataFrame) -> None:
        """Add the rows of a frame; those where all columns are blank do not count."""
        self._digests.append(_digest_cells(frame, self._columns, self._key))

    def count(self) -> int:
        """Return how many rows repeat an earlier one."""
        together = np.concatenate([np.empty(0, dtype=np.uint64), *self._digests])
        return len(together) - len(np.unique(together))


def _digest_cells(frame: pl.DataFrame, columns: Sequence[str], key: bytes) -> Digests:
    texts = frame.filter(pl.any_horizontal(presence(name) for name in columns)).select(pl.col(columns).str.strip_chars())
    digests = bytearray()
    for row in texts.iter_rows():
        digest = hashlib.blake2b(digest_size=_DIGEST_BYTES, key=key)
        for cell in row:
            digest.update(b"\x00" if cell is None else b"\x01%d:%b" % (len(cell), cell.encode()))
        digests += digest.digest()
    return np.frombuffer(bytes(digests), dtype="<u8")
