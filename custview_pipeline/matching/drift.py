"""How far what a change brings differs from what a model was used on: pairs, matches and levels of agreement."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from custview_pipeline.matching.found import MATCH, MatchedType
from custview_pipeline.matching.patterns import LEVEL_BITS, Floats

_LEVELS: Final = 1 << LEVEL_BITS
LEAST_CHANGED: Final = 200  # records; of fewer, a share is chance
LEAST_MATCHES: Final = 200
MOST_PAIRS: Final = 3.0  # times as many pairs a record as before, or as few
MOST_MATCHES: Final = 2.0  # times as many matches a record, or as few
MOST_SHIFT: Final = 0.25
"""Total variation distance of the levels of one comparison: a quarter of the matches agree otherwise than they used to."""


@dataclass(frozen=True, slots=True)
class Volume:
    """What matching found about some records of one entity type.

    Attributes:
        records: How many.
        compared: For each record the pairs compared that it is in, added up.
        matches: The same of the matches.
        levels: Share of each level of each comparison among the matches, sixteen a comparison.
    """

    records: int
    compared: int
    matches: int
    levels: tuple[float, ...]


def volume_of(part: MatchedType, changed: pl.Series | None) -> Volume:
    """Count what was found about all records, or about those that changed."""
    edges = part.edges.filter(pl.col("decision") == MATCH)
    if changed is None:
        return Volume(part.clusters.height, part.met_count, 2 * edges.height, _levels(part, edges))
    wanted = changed.implode()
    left, right = edges["left_id"].is_in(wanted), edges["right_id"].is_in(wanted)
    count = int(part.clusters["record_id"].is_in(wanted).sum())
    return Volume(count, part.met_count, len(left.arg_true()) + len(right.arg_true()), _levels(part, edges.filter(left | right)))


def level_shift(now: Volume, before: Volume) -> float | None:
    """Return the largest total variation distance of a comparison's levels, 0 to 1; None where there are too few matches."""
    if min(now.matches, before.matches) < LEAST_MATCHES or len(now.levels) != len(before.levels):
        return None
    distance = np.abs(_by_comparison(now) - _by_comparison(before)).sum(axis=1) / 2
    return float(min(1.0, distance.max(initial=0.0)))


def drifted(entity_type: str, now: Volume, before: Volume) -> tuple[str, ...]:
    """Return in words what differs so much that the model should be learned anew; nothing of a change of few records."""
    if now.records < LEAST_CHANGED or not before.records:
        return ()
    told = []
    for what, most, one, other in (
        ("pairs to compare", MOST_PAIRS, now.compared / now.records, before.compared / before.records),
        ("matches", MOST_MATCHES, now.matches / now.records, before.matches / before.records),
    ):
        if max(one, other) > most * max(min(one, other), 1 / now.records):
            told.append(f"{one:.2f} {what} a record instead of {other:.2f}")
    shift = level_shift(now, before)
    if shift is not None and shift > MOST_SHIFT:
        told.append(f"{shift:.0%} of the matches agree otherwise than before")
    return tuple(f"{entity_type} records of this run drift from the model: {each}; custview model train" for each in told)


def _by_comparison(volume: Volume) -> Floats:
    return np.array(volume.levels, np.float64).reshape(-1, _LEVELS)


def _levels(part: MatchedType, edges: pl.DataFrame) -> tuple[float, ...]:
    """Return the share of each level of each comparison of the model among some edges."""
    if part.model is None or edges.is_empty():
        return ()
    patterns: npt.NDArray[np.int64] = edges["pattern"].to_numpy()
    shares = [
        np.bincount((patterns >> (LEVEL_BITS * place)) & (_LEVELS - 1), minlength=_LEVELS) / len(patterns)
        for place in range(len(part.model.comparisons))
    ]
    return tuple(float(share) for share in np.round(np.concatenate(shares), 4))
