"""What is below its target, and how far."""

from typing import Final

import polars as pl

from custview_pipeline.contracts.audit_tables import AUDIT_FINDINGS

_SERIOUS_GAP: Final = 0.2  # a score this far below its target is an error, else a warning


def findings_of(scores: pl.DataFrame) -> pl.DataFrame:
    """Return a finding (``AUDIT_FINDINGS``) for each score below its target.

    Args:
        scores: Rows of ``QUALITY_SCORES``.
    """
    gap = pl.col("target") - pl.col("score")
    return (
        scores.filter(~pl.col("is_on_target"))
        .with_columns(
            finding_id=pl.format("{}.{}.{}", "source_system", "attribute", "dimension"),
            severity=pl.when(gap >= _SERIOUS_GAP).then(pl.lit("error")).otherwise(pl.lit("warning")),
            actual=pl.col("score"),
            found_at=pl.col("measured_at"),
        )
        .select(AUDIT_FINDINGS.types.names())
    )
