"""What was known of a pair when a decision about it was checked: one that waits is not taken in on other evidence."""

from typing import Final

import polars as pl

from custview_pipeline.contracts.decision_batch import DecisionBatch
from custview_pipeline.flows.steward_pack import evidence_of
from custview_pipeline.kernel.ports import Snapshot

# No secret: a batch waits in the lake, where versions, levels and rules stand open. Packs leave it, and have a key of their own.
_KEY: Final = b"decision evidence"


def evidence_now(snapshot: Snapshot, rows: pl.DataFrame) -> pl.Series:
    """Return a digest of what is known of each pair: versions, levels, what decided; null where one of its records is gone.

    Args:
        snapshot: The lake.
        rows: Rows of review_decisions about pairs.
    """
    return evidence_of(snapshot, _KEY, rows.select("left_id", "right_id"))["evidence"]


def stale_decisions(snapshot: Snapshot, batch: DecisionBatch, rows: pl.DataFrame) -> list[str]:
    """Return ids of decisions that were checked on other evidence than the lake has now.

    Args:
        snapshot: The lake.
        batch: The decisions as they were handed in; those without evidence are never stale.
        rows: Those of them to look at, rows of review_decisions.
    """
    noted = {each.decision_id: each.evidence for each in batch.decisions if each.evidence is not None}
    asked = rows.filter(pl.col("decision_id").is_in(list(noted)))
    if asked.is_empty():
        return []
    now = zip(asked["decision_id"], evidence_now(snapshot, asked), strict=True)
    return [decision_id for decision_id, evidence in now if evidence != noted[decision_id]]
