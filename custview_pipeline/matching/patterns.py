"""Packed patterns: the levels of all comparisons of a pair in one integer, and how many pairs have each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Levels = npt.NDArray[np.uint8]

LEVEL_BITS: Final = 4  # bits of a packed pattern that one comparison takes: levels 0 to 15
_LEVEL_MASK: Final = 15


@dataclass(frozen=True, slots=True)
class PatternCounts:
    """Packed patterns and how many pairs have each; both arrays of one length, patterns ascending."""

    patterns: Ints
    counts: Floats


def pack(levels: Sequence[Levels]) -> Ints:
    """Return one integer a pair: four bits a comparison, the first comparison lowest."""
    packed = np.zeros(len(levels[0]), np.int64)
    for place, level in enumerate(levels):
        packed |= level.astype(np.int64) << (LEVEL_BITS * place)
    return packed


def unpack(patterns: Ints, comparison_count: int) -> Ints:
    """Return the levels of packed patterns: one row a pattern, one column a comparison."""
    return np.stack([(patterns >> (LEVEL_BITS * place)) & _LEVEL_MASK for place in range(comparison_count)], axis=1)


def level_at(patterns: Ints, place: int) -> Ints:
    """Return the level of the comparison at one place of packed patterns."""
    return (patterns >> (LEVEL_BITS * place)) & _LEVEL_MASK


def count_patterns(patterns: Ints, weight: float = 1.0) -> PatternCounts:
    """Count how often each pattern occurs; each counts for ``weight`` pairs."""
    found, counts = np.unique(patterns, return_counts=True)
    return PatternCounts(found, counts.astype(np.float64) * weight)
