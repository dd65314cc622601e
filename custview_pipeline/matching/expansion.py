"""Pairs out of blocks: all pairs inside groups of rows, and all combinations of two lists, without a Python loop per group."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from custview_pipeline.matching.patterns import Ints

_AT_ONCE: Final = 2_000_000  # combinations of lists, so that records with long ones do not take all memory
Counts = npt.NDArray[np.integer[Any]]


def runs(keys: Ints) -> tuple[Ints, Ints]:
    """Return start and length of each run of equal values in an ordered array."""
    if not len(keys):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    return starts, np.diff(np.r_[starts, len(keys)])


def pairs_within(rows: Ints, starts: Ints, lengths: Ints) -> tuple[Ints, Ints]:
    """Return all pairs inside groups of rows, in the order of the rows.

    Args:
        rows: Rows, group after group.
        starts: Where each group starts in ``rows``.
        lengths: How many rows each group has.

    Returns:
        Two arrays: the earlier row and the later row of each pair.
    """
    left, right = [np.empty(0, rows.dtype)], [np.empty(0, rows.dtype)]
    order = np.argsort(lengths, kind="stable")
    firsts, counts = runs(lengths[order])
    for first, count in zip(firsts, counts, strict=True):
        size = int(lengths[order[first]])
        if size > 1:
            groups = rows[starts[order[first : first + count], None] + np.arange(size)]
            one, other = np.triu_indices(size, 1)
            left.append(groups[:, one].ravel())
            right.append(groups[:, other].ravel())
    return np.concatenate(left), np.concatenate(right)


def portions(counts: Ints) -> Iterator[Ints]:
    """Yield places in turn, so many at once that their counts together stay near ``_AT_ONCE``."""
    total = np.cumsum(counts)
    cuts = np.searchsorted(total, np.arange(_AT_ONCE, total[-1] if len(total) else 0, _AT_ONCE))
    yield from np.split(np.arange(len(counts)), np.unique(cuts))


def combinations(lengths: Counts, other_lengths: Counts) -> tuple[Ints, Ints, Ints]:
    """Return all combinations of the elements of two lists, for many pairs of lists.

    Args:
        lengths: Length of the first list of each pair.
        other_lengths: Length of the second.

    Returns:
        Which pair each combination is of, the place in its first list, the place in its second.
    """
    others = other_lengths.astype(np.int64)
    counts = lengths.astype(np.int64) * others
    pair = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(pair)) - np.repeat(np.cumsum(counts) - counts, counts)
    return pair, within // others[pair], within % others[pair]
