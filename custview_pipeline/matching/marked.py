"""Whether a number is among many: first asked of a small table by its low bits, and only if it may be, sought."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from custview_pipeline.matching.patterns import Bools, Ints

_LEAST_BITS, _MOST_BITS = 8, 24
_PLACES_A_VALUE_BITS: Final = 4  # sixteen places of the table for each value, within limits


@dataclass(frozen=True, slots=True)
class Marked:
    """Distinct numbers, ascending, and the table of their low bits.

    Attributes:
        values: The numbers.
    """

    values: Ints
    _is_marked: Bools

    @classmethod
    def of(cls, values: Ints) -> "Marked":
        """Take ascending numbers."""
        bits = min(_MOST_BITS, max(_LEAST_BITS, len(values).bit_length() + _PLACES_A_VALUE_BITS))
        is_marked = np.zeros(1 << bits, np.bool_)
        is_marked[values & (len(is_marked) - 1)] = True
        return cls(values, is_marked)

    def may_hold(self, sought: Ints) -> Bools:
        """Return whether each number may be among them: never false of one that is."""
        found: Bools = self._is_marked[sought & (len(self._is_marked) - 1)]
        return found

    def hold(self, sought: Ints) -> Bools:
        """Return whether each number is among them."""
        found = self.may_hold(sought)
        likely = np.flatnonzero(found)
        if len(likely):
            place = np.minimum(np.searchsorted(self.values, sought[likely]), len(self.values) - 1)
            found[likely] = self.values[place] == sought[likely]
        return found
