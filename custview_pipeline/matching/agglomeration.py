"""Joins the records of a component by the evidence across its parts, all components of one size at once."""

from typing import Final

import numpy as np

from custview_pipeline.matching.patterns import Floats, Ints

BEST_SHARE: Final = 0.4
"""Share of the best pair in the evidence across two parts, the rest being the mean of all pairs: the largest gain measured."""

_CELLS_AT_ONCE: Final = 4_000_000


def agglomerate(weights: Floats, match_weight: float) -> Ints:
    """Join the two parts with the most evidence across them until none is above the threshold.

    Evidence across two parts is the mean weight of all pairs across them, with a share of the best. The first largest wins a tie,
    so the result does not depend on the order of pairs. A weight of minus infinity is never joined across.

    Args:
        weights: Components of one size: (component, record, record), symmetric, bits; the diagonal does not count.
        match_weight: Bits of evidence above which parts are joined.

    Returns:
        (component, record): for each record the smallest place of its part.
    """
    step = max(1, _CELLS_AT_ONCE // weights.shape[1] ** 2)
    parts = [_agglomerate(weights[at : at + step], match_weight) for at in range(0, len(weights), step)]
    return np.concatenate([np.empty((0, weights.shape[1]), np.int64), *parts])


def _agglomerate(weights: Floats, match_weight: float) -> Ints:
    size = weights.shape[1]
    total = weights.copy()
    total[:, np.arange(size), np.arange(size)] = -np.inf
    best, evidence = total.copy(), total.copy()
    members = np.ones((len(total), size))
    part = np.tile(np.arange(size), (len(total), 1))
    active = np.arange(len(total))
    while len(active):
        flat = evidence[active].reshape(len(active), -1)
        place = flat.argmax(axis=1)
        is_joined = flat[np.arange(len(active)), place] > match_weight
        active, place = active[is_joined], place[is_joined]
        if len(active):
            one, other = np.minimum(*np.divmod(place, size)), np.maximum(*np.divmod(place, size))
            _join(active, one, other, (total, best, evidence, members))
            moved = part[active] == other[:, None]
            part[active] = np.where(moved, one[:, None], part[active])
    return part


def _join(active: Ints, one: Ints, other: Ints, state: tuple[Floats, Floats, Floats, Floats]) -> None:
    """Join part ``other`` into part ``one`` of each active component, and renew the evidence about it."""
    total, best, evidence, members = state
    joined = total[active, one] + total[active, other]
    strongest = np.maximum(best[active, one], best[active, other])
    members[active, one] += members[active, other]
    rows = np.arange(len(active))
    for row in (joined, strongest):
        row[rows, one] = row[rows, other] = -np.inf
    across = (1 - BEST_SHARE) * joined / (members[active, one][:, None] * members[active]) + BEST_SHARE * strongest
    for square, row in ((total, joined), (best, strongest), (evidence, across)):
        square[active, one] = row
        square[active, :, one] = row
        square[active, other] = -np.inf
        square[active, :, other] = -np.inf
