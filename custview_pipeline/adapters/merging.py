"""Which files are worth merging: many small ones are, beside a large one they cost more than they save."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Final

LARGE_BYTES: Final = 64 * 2**20
"""A file of that size is never merged with others."""

MERGED_BYTES: Final = 2 * LARGE_BYTES
"""About the size that merged files are given: large still where a part of their rows is left out."""

DOMINANCE: Final = 4
"""A file more than so many times as large as what it would be merged with is left alone, so that a byte is written again only
when a quarter of what it lies among is new: in nights, a number of times that grows with the logarithm of the lake."""


def small_count(sizes: Sequence[int]) -> int:
    """Return how many of some sizes, in ascending order, are to be merged, in any order; 0 where there are not two."""
    before = [0, *accumulate(sizes)]
    small = [place for place, size in enumerate(sizes) if _is_small(size, before[place])]
    return max(small, default=-1) + 1


def tail(sizes: Sequence[int]) -> int:
    """Return from which place on files in an order that has to stay are to be merged; their number where there are not two."""
    first_free = max((place + 1 for place, size in enumerate(sizes) if size >= LARGE_BYTES), default=0)
    behind = [sum(sizes[place + 1 :]) for place in range(len(sizes))]
    places = range(first_free, len(sizes) - 1)
    return next((place for place in places if _is_small(sizes[place], behind[place])), len(sizes))


def _is_small(size: int, others: int) -> bool:
    return size < LARGE_BYTES and size <= DOMINANCE * others
