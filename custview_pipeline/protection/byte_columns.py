"""Columns of byte strings as Arrow lays them out, so that a loop touches no Python object that it does not need."""

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa


class ByteColumn(NamedTuple):
    """A column without nulls.

    Attributes:
        offsets: Where each value starts, and where the last one ends.
        data: The bytes of all values.
    """

    offsets: npt.NDArray[np.int64]
    data: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, values: pl.Series) -> Self:
        """Return a String (as UTF-8) or Binary series as bytes; a null as no bytes."""
        if len(values) == 0:
            return cls(np.zeros(1, np.int64), np.empty(0, np.uint8))
        column = values.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
        _, offsets, data = column.buffers()
        window = np.frombuffer(offsets, np.int64)[column.offset : column.offset + len(column) + 1]
        return cls(window, np.frombuffer(data if data is not None else b"", np.uint8))

    @classmethod
    def of_lengths(cls, lengths: npt.NDArray[np.int64]) -> Self:
        """Return room for values of these lengths, all zero."""
        offsets = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        return cls(offsets, np.zeros(int(offsets[-1]), np.uint8))

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Bytes of each value."""
        return np.diff(self.offsets)

    def first_bytes(self, count: int) -> npt.NDArray[np.uint8]:
        """Return the first ``count`` bytes of each value, one row a value; none may be shorter."""
        if len(self.data) and (self.lengths == count).all():
            return self.data[self.offsets[0] : self.offsets[-1]].reshape(-1, count)
        return self._starts(count)[self.offsets[:-1]].view(np.uint8).reshape(-1, count)

    def set_first_bytes(self, rows: npt.NDArray[np.uint8]) -> None:
        """Write each row to the start of its value; none may be shorter."""
        count = rows.shape[1]
        self._starts(count)[self.offsets[:-1]] = np.ascontiguousarray(rows).view(f"V{count}").reshape(-1)

    def to_series(self, name: str) -> pl.Series:
        """Return the values as a Binary series."""
        buffers = [None, pa.py_buffer(self.offsets), pa.py_buffer(self.data)]
        column = pa.Array.from_buffers(pa.large_binary(), len(self.offsets) - 1, buffers)
        return pl.Series(name, column, dtype=pl.Binary)

    def _starts(self, count: int) -> npt.NDArray[np.void]:
        """Return a view whose item i is the ``count`` bytes from byte i on."""
        return np.ndarray((max(0, len(self.data) - count + 1),), dtype=f"V{count}", buffer=self.data, strides=(1,))


def rows_to_series(name: str, rows: npt.NDArray[np.uint8]) -> pl.Series:
    """Return a matrix of bytes as a Binary series, one value a row."""
    offsets = np.arange(len(rows) + 1, dtype=np.int64) * rows.shape[1]
    return ByteColumn(offsets, np.ascontiguousarray(rows).reshape(-1)).to_series(name)


def spread(values: pl.Series, is_filled: pl.Series) -> pl.Series:
    """Return the values in the rows that are filled, and null in the others."""
    positions = (is_filled.cum_sum().cast(pl.Int64) - 1).set(~is_filled, None)
    return values.gather(positions)
