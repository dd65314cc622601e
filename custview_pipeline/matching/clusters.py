"""From scored pairs to customers: components are closed, then joined by the evidence across their parts."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

COMPONENT_WEIGHT: Final = -4.0  # bits from which on a pair makes a component
_STEP: Final = 3.0  # bits by which too large a component is cut, again and again
_STRONGEST_CUT: Final = 24.0
_LEAST_WEIGHT, _MOST_WEIGHT = -12.0, 24.0  # bits: no single pair says more
_CANNOT_LINK: Final = -np.inf  # a finite weight could be outvoted across two large parts
# Share of the best pair in the evidence across two parts, the rest being the mean of all pairs: the largest single gain measured.
_BEST_SHARE: Final = 0.4


@dataclass(frozen=True, slots=True)
class Components:
    """Records linked by chains of pairs.

    Attributes:
        label: Component of each record, by row number.
        size: Size of each component, by label.
        cut: Pairs left out because their component was too large.
    """

    label: Ints
    size: Ints
    cut: int


def components(i: Ints, j: Ints, weight: Floats, *, records: int, largest: int) -> Components:
    """Link records by pairs; components over ``largest`` records keep only ever stronger pairs."""
    kept, floor = np.ones(len(i), dtype=bool), COMPONENT_WEIGHT
    label = _label(i, j, records)
    while floor < _STRONGEST_CUT and np.bincount(label).max(initial=0) > largest:
        floor += _STEP
        size = np.bincount(label)
        kept &= (size[label[i]] <= largest) | (weight > floor)
        label = _label(i[kept], j[kept], records)
    return Components(label, np.bincount(label), int((~kept).sum()))


def _label(i: Ints, j: Ints, records: int) -> Ints:
    ones = np.ones(len(i), dtype=np.int8)
    found = connected_components(coo_matrix((ones, (i, j)), shape=(records, records)), directed=False)[1]
    return np.asarray(found, dtype=np.int64)


def agree(found: Components, pairs: pl.DataFrame, *, records: int, match_weight: float) -> Ints:
    """Decide the clusters.

    Args:
        found: The components.
        pairs: Every pair inside a component: ``i``, ``j``, ``weight`` (bits), ``is_forbidden``.
        records: Number of records.
        match_weight: Bits of evidence across two parts above which they are joined.

    Returns:
        For each row number the smallest row number of its cluster.
    """
    component = found.label[pairs["i"].to_numpy()]
    order = np.lexsort((pairs["j"].to_numpy(), pairs["i"].to_numpy(), component))
    component = component[order]
    i, j = pairs["i"].to_numpy()[order].astype(np.int64), pairs["j"].to_numpy()[order].astype(np.int64)
    weight = np.clip(pairs["weight"].to_numpy()[order], _LEAST_WEIGHT, _MOST_WEIGHT)
    weight[pairs["is_forbidden"].to_numpy()[order]] = _CANNOT_LINK
    founder = np.arange(records, dtype=np.int64)
    if not len(i):
        return founder
    cuts = np.flatnonzero(np.r_[True, component[1:] != component[:-1], True])
    weakest = np.minimum.reduceat(weight, cuts[:-1])
    for start, end, low in zip(cuts[:-1], cuts[1:], weakest, strict=True):
        if low > match_weight:  # a clique of agreement
            founder[j[start:end]] = i[start]
        else:
            for group in _agglomerate(i[start:end], j[start:end], weight[start:end], match_weight):
                founder[group] = group[0]
    return founder


def _agglomerate(i: Ints, j: Ints, weight: Floats, match_weight: float) -> list[Ints]:
    """Join the two parts with the most evidence across them until none is above the threshold.

    Evidence across two parts is the mean weight of all pairs across them, with a share of the best. The first largest wins a
    tie, and nodes are in the order of row numbers, so the result does not depend on the order of pairs.
    """
    nodes, places = np.unique(np.concatenate([i, j]), return_inverse=True)
    count = len(nodes)
    total: npt.NDArray[Any] = np.zeros((count, count))
    total[places[: len(i)], places[len(i) :]] = weight
    total += total.T
    np.fill_diagonal(total, -np.inf)
    best, evidence, members = total.copy(), total.copy(), np.ones(count)
    groups = {place: [place] for place in range(count)}
    while len(groups) > 1:
        a, b = divmod(int(evidence.argmax()), count)
        if evidence[a, b] <= match_weight:
            break
        total[a] += total[b]
        best[a] = np.maximum(best[a], best[b])
        members[a] += members[b]
        total[a, a] = total[a, b] = -np.inf
        total[:, a], best[:, a] = total[a], best[a]
        groups[a] += groups.pop(b)
        row = (1 - _BEST_SHARE) * total[a] / (members[a] * members) + _BEST_SHARE * best[a]
        row[[a, b]] = -np.inf
        evidence[a], evidence[:, a] = row, row
        evidence[b], evidence[:, b] = -np.inf, -np.inf
        total[b], total[:, b] = -np.inf, -np.inf
    return [nodes[np.array(sorted(group))] for group in groups.values()]
