"""From scored pairs to customers: components are closed pair by pair, then joined by the evidence across their parts."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from custview_pipeline.matching.agglomeration import agglomerate
from custview_pipeline.matching.expansion import pairs_within, runs
from custview_pipeline.matching.patterns import Bools, Floats, Ints

COMPONENT_WEIGHT: Final = -4.0  # bits from which on a pair makes a component
_STEP: Final = 3.0  # bits by which too large a component is cut, again and again
_STRONGEST_CUT: Final = 24.0
_LEAST_WEIGHT, _MOST_WEIGHT = -12.0, 24.0  # bits: no single pair says more
_MUST_LINK: Final = 1e6  # outweighs every mean, but never a cannot-link
_CANNOT_LINK: Final = -np.inf  # a finite weight could be outvoted across two large parts
CONTRADICTION_WEIGHT: Final = -10.0  # bits below which a pair inside a cluster asks for a person
_PAIRS_AT_ONCE: Final = 8_000_000  # pairs inside components that are weighed before their clusters are decided


@dataclass(frozen=True, slots=True)
class Components:
    """Records linked by chains of pairs.

    Attributes:
        linked: Label of the records that are linked by chains of pairs, however many, by row number.
        label: Component of each record, by row number: the same, unless too many are linked.
        size: Size of each component, by label.
        cut_count: Pairs left out because their component was too large.
        sliced_count: Records in components that stayed too large and were cut into slices of the largest size.
    """

    linked: Ints
    label: Ints
    size: Ints
    cut_count: int
    sliced_count: int


class Inside(NamedTuple):
    """What is known of pairs inside components.

    Attributes:
        weight: Bits.
        is_must, is_cannot: Whether a rule or a steward says that both are one customer, or never.
    """

    weight: Floats
    is_must: Bools
    is_cannot: Bools


class Contradictions(NamedTuple):
    """Pairs of one customer that speak strongly against it: rows, and bits."""

    i: Ints
    j: Ints
    weight: Floats


Weigh = Callable[[Ints, Ints], Inside]


def components(i: Ints, j: Ints, weight: Floats, *, records: int, largest: int) -> Components:
    """Link records by pairs; components over ``largest`` records keep only ever stronger pairs, and are sliced at last."""
    kept, floor = np.ones(len(i), dtype=bool), COMPONENT_WEIGHT
    linked = label = _label(i, j, records)
    while floor < _STRONGEST_CUT and np.bincount(label).max(initial=0) > largest:
        floor += _STEP
        size = np.bincount(label)
        kept &= (size[label[i]] <= largest) | (weight > floor)
        label = _label(i[kept], j[kept], records)
    size = np.bincount(label)
    sliced = int(size[size > largest].sum())
    if sliced:
        label = _sliced(label, largest)
    return Components(linked, label, np.bincount(label), int((~kept).sum()), sliced)


def _label(i: Ints, j: Ints, records: int) -> Ints:
    ones = np.ones(len(i), dtype=np.int8)
    found = connected_components(coo_matrix((ones, (i, j)), shape=(records, records)), directed=False)[1]
    return np.asarray(found, dtype=np.int64)


def _sliced(label: Ints, largest: int) -> Ints:
    """Cut components into slices of at most so many records, in the order of rows."""
    order = np.argsort(label, kind="stable")
    starts, lengths = runs(label[order])
    place = np.arange(len(order)) - np.repeat(starts, lengths)
    sliced = np.empty_like(label)
    sliced[order] = np.unique(label[order] * len(label) + place // largest, return_inverse=True)[1]
    return sliced


def decide(found: Components, weigh: Weigh, thresholds: Sequence[float]) -> tuple[list[Ints], Contradictions]:
    """Decide the clusters.

    Args:
        found: The components.
        weigh: Returns what is known of pairs of rows.
        thresholds: Bits of evidence across two parts above which they are joined.

    Returns:
        For each threshold the smallest row number of the cluster of each row; and the pairs that contradict the clusters of the
        first threshold most.
    """
    founders = [np.arange(len(found.label), dtype=np.int64) for _ in thresholds]
    against = [Contradictions(*(np.empty(0, np.int64),) * 2, np.empty(0))]
    for rows in _by_size(found):
        count, size = rows.shape
        i, j = pairs_within(rows.ravel(), np.arange(count) * size, np.full(count, size))
        inside = weigh(i, j)
        weight = joint_weight(inside).reshape(count, -1)
        for founder, threshold in zip(founders, thresholds, strict=True):
            founder[rows] = rows[np.arange(count)[:, None], _parts(weight, size, threshold)]
        against.append(_contradictions(i, j, np.where(inside.is_must, np.inf, inside.weight), founders[0]))
    return founders, Contradictions(*(np.concatenate(column) for column in zip(*against, strict=True)))


def _contradictions(i: Ints, j: Ints, weight: Floats, founder: Ints) -> Contradictions:
    """Return of each cluster the pair inside it with the lowest weight, where it speaks strongly against the cluster."""
    low = np.flatnonzero((weight < CONTRADICTION_WEIGHT) & (founder[i] == founder[j]))
    order = low[np.lexsort((j[low], i[low], weight[low], founder[i[low]]))]
    first = order[np.unique(founder[i[order]], return_index=True)[1]]
    return Contradictions(i[first], j[first], weight[first])


def joint_weight(inside: Inside) -> Floats:
    """Return the bits that count for joining: within limits, with must-links and cannot-links."""
    weight = np.clip(inside.weight, _LEAST_WEIGHT, _MOST_WEIGHT)
    weight[inside.is_must] = _MUST_LINK
    weight[inside.is_cannot] = _CANNOT_LINK
    return weight


def _parts(weight: Floats, size: int, match_weight: float) -> Ints:
    """Return for each record of each component the smallest place of its part."""
    parts = np.zeros((len(weight), size), np.int64)
    parts[:] = np.arange(size)
    is_clique = weight.min(axis=1) > match_weight
    parts[is_clique] = 0
    open_ones = np.flatnonzero(~is_clique & (weight.max(axis=1) > match_weight))
    one, other = np.triu_indices(size, 1)
    square = np.full((len(open_ones), size, size), -np.inf)
    square[:, one, other] = square[:, other, one] = weight[open_ones]
    parts[open_ones] = agglomerate(square, match_weight)
    return parts


def _by_size(found: Components) -> Iterator[Ints]:
    """Yield rows of components (component, record) of one size at a time, in portions."""
    order = np.argsort(found.label, kind="stable")
    starts, lengths = runs(found.label[order])
    for size in np.unique(lengths[lengths > 1]):
        chosen = starts[lengths == size]
        step = max(1, _PAIRS_AT_ONCE // (size * (size - 1) // 2))
        for at in range(0, len(chosen), step):
            yield order[chosen[at : at + step, None] + np.arange(size)]
