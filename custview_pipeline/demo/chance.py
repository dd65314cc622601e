"""Seeded draws: every random choice of the demo world comes from here, so that a seed gives the same world everywhere."""

import zlib

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Chance:
    """A stream of draws for one purpose.

    Each purpose has a stream of its own: a trick that is added later does not change what the others do.

    Args:
        seed: The world's seed.
        purpose: What the draws are for; a checksum of it, not Python's salted hash, enters the stream's seed.
    """

    def __init__(self, seed: int, purpose: str) -> None:
        self._seed = seed
        self._purpose = purpose
        self._generator = np.random.Generator(np.random.PCG64([seed, zlib.crc32(purpose.encode())]))

    def apart(self, purpose: str) -> "Chance":
        """Return a stream for a part of this purpose, independent of what was drawn here."""
        return Chance(self._seed, f"{self._purpose}/{purpose}")

    def happens(self, count: int, share: float) -> Flags:
        """Return ``count`` flags, true with probability ``share``."""
        return self._generator.random(count) < share

    def fractions(self, count: int) -> NDArray[np.float64]:
        """Return ``count`` numbers from 0 up to, but not including, 1."""
        return self._generator.random(count)

    def whole(self, low: int, high: int, count: int) -> Numbers:
        """Return ``count`` whole numbers from ``low`` to ``high``, both included."""
        return self._generator.integers(low, high, size=count, endpoint=True, dtype=np.int64)

    def whole_below(self, limits: Numbers) -> Numbers:
        """Return one whole number for each limit, from 0 up to, but not including, it; 0 where the limit is below 1."""
        return np.minimum((self.fractions(len(limits)) * limits).astype(np.int64), np.maximum(limits - 1, 0))

    def distinct(self, span: int, count: int) -> Numbers:
        """Return ``count`` different whole numbers from 0 up to, but not including, ``span``, in random order."""
        return self._generator.choice(span, size=count, replace=False)

    def weighted(self, weights: tuple[float, ...], count: int) -> Numbers:
        """Return ``count`` positions in ``weights``, each as often as its weight says."""
        heights = np.cumsum(weights) / sum(weights)
        return np.minimum(np.searchsorted(heights, self.fractions(count), side="right"), len(weights) - 1)
