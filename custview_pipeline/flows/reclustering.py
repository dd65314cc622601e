"""Matches the records of a lake again with the model in use, to see what other thresholds would give; nothing is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from custview_pipeline.audit.blind_sample import NEAR_MISS_BITS
from custview_pipeline.contracts.match_index import IndexPart
from custview_pipeline.flows.current import current_index, current_records
from custview_pipeline.flows.evaluate import ClustersAt
from custview_pipeline.flows.match_state import neighbourhoods_of
from custview_pipeline.flows.weighing import Scales
from custview_pipeline.kernel.ports import Progress
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.matching.match import clusters_at, match

_STAGE = "matching"


def reclustering(scales: Scales, progress: Progress) -> ClustersAt:
    """Return what clusters the current records at other thresholds; rules count, decisions of stewards do not.

    Args:
        scales: The lake, its models and settings.
        progress: Told how many records and thresholds there are.
    """

    def clusters(thresholds: Sequence[float]) -> Mapping[float, pl.DataFrame]:
        with silenced("clustering anew"):
            tokens, near = _index(scales)
            progress.step(_STAGE, f"records at {len(thresholds)} thresholds", tokens.height)
            records = current_records(scales.snapshot)
            promised = records.filter(pl.col("source_system").is_in(list(scales.exclusive))).select("record_id", "source_system")
            return clusters_at(tokens, near, scales.settings, scales.known, thresholds, promised)

    return clusters


def near_misses(scales: Scales, progress: Progress) -> pl.DataFrame:
    """Return the candidate pairs down to those just too weak to be stored: left_id, right_id, weight (bits).

    Those that are stored are among them.

    Args:
        scales: The lake, its models and settings.
        progress: Told what is compared.

    Raises:
        PairBudgetExceeded: The pairs do not fit in memory.
    """
    with silenced("finding near misses"):
        tokens, near = _index(scales)
        lower = replace(scales.settings, review_weight=scales.settings.review_weight - NEAR_MISS_BITS)
        found = match(tokens, near, lower, lambda what, count: progress.step(_STAGE, what, count), known=scales.known)
        return pl.concat(part.edges.select("left_id", "right_id", "weight") for part in found)


def _index(scales: Scales) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return tokens and neighbourhoods of the current records."""
    tokens = current_index(scales.snapshot, IndexPart.TOKENS, current_records(scales.snapshot))
    return tokens, neighbourhoods_of(scales.snapshot, tokens, scales.known)
