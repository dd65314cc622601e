"""Which pairs a model is learned from: drawn by fixed rules, so that the order of records and of pairs does not matter."""

from typing import Final

import numpy as np

from custview_pipeline.matching.patterns import Bools, Ints

RANDOM_PAIRS: Final = 500_000  # pairs from which the agreement of strangers is learned
CANDIDATE_PAIRS: Final = 1_000_000  # about so many candidates are learned from; of fewer all
_STEP: Final = np.uint64(0x9E3779B97F4A7C15)  # golden ratio, as in splitmix64
_PLACES: Final = 2**32


def random_pairs(records: int) -> tuple[Ints, Ints]:
    """Return rows of pairs drawn evenly with a fixed seed, each once; all of them where they are few."""
    if records * (records - 1) // 2 <= RANDOM_PAIRS:
        one, other = np.triu_indices(records, 1)
        return one, other
    generator = np.random.default_rng(1)
    drawn, others = (generator.integers(0, records, RANDOM_PAIRS) for _ in range(2))
    i, j = np.minimum(drawn, others), np.maximum(drawn, others)
    pairs = np.unique((i * records + j)[i < j])
    return pairs // records, pairs % records


def sampled(left_ids: Ints, right_ids: Ints, most: int = CANDIDATE_PAIRS) -> tuple[Bools, float]:
    """Choose about ``most`` of some pairs of records, by their ids alone.

    Returns:
        Which are chosen, and how many pairs each of them stands for.
    """
    if len(left_ids) <= most:
        return np.ones(len(left_ids), np.bool_), 1.0
    mixed = (left_ids.view(np.uint64) * _STEP) ^ right_ids.view(np.uint64)
    place = (mixed * _STEP) >> np.uint64(32)
    chosen = place < np.uint64(most / len(left_ids) * _PLACES)
    return chosen, len(left_ids) / max(1, int(chosen.sum()))
