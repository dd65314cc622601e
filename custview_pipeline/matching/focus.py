"""What of some records is to be matched where only a few of them changed: pairs with these, and the groups they touch."""

from dataclasses import dataclass

import numpy as np

from custview_pipeline.matching.patterns import Bools, Ints


@dataclass(frozen=True, slots=True)
class Focus:
    """The changed records among some, and the groups that the others were in.

    Attributes:
        is_changed: By row: whether the record is new or changed.
        group: By row: a number for the group that a record was in before, where that is decided anew; else 0.
    """

    is_changed: Bools
    group: Ints

    def includes(self, i: Ints, j: Ints) -> Bools:
        """Return which pairs of rows are to be compared: one has changed, or both were in one group before."""
        alike: Bools = (self.group[i] == self.group[j]) & (self.group[i] > 0)
        return alike | self.is_changed[i] | self.is_changed[j]

    def touched(self, linked: Ints, by_rank: Ints) -> Bools:
        """Return which records the change touched: those that changed, those of groups that are here, and whoever they link to.

        Args:
            linked: Label of linked records, by rank.
            by_rank: Row of each rank.
        """
        is_here = (self.is_changed | (self.group > 0))[by_rank]
        reached = np.zeros(len(linked), np.bool_)
        reached[linked[is_here]] = True
        touched: Bools = reached[linked]
        return touched
