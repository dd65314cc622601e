"""Values that stewards chose: which candidates of which elections their decisions speak for."""

from typing import Final

import polars as pl

from custview_pipeline.contracts.stewardship_tables import OVERRIDE

PINS: Final = pl.Schema(
    {
        "record_id": pl.Int64(),  # whose value speaks
        "attribute": pl.String(),
        "slot": pl.Int16(),  # which of its values; null: any of them
        "decided_at": pl.Datetime("us", "UTC"),
        "decision_id": pl.String(),
        "kind": pl.String(),  # pin or override
    }
)


def pinned_elections(claims: pl.DataFrame, pins: pl.DataFrame) -> pl.DataFrame:
    """Return the claims of the elections that a steward decided.

    Args:
        claims: Candidates, with ``election``.
        pins: ``PINS``, of any records.

    Returns:
        Their columns, and ``pin_order`` (0 without a decision; the newest decision has the largest) and ``is_override``.
    """
    decided = claims.filter(pl.col("record_id").is_in(pins["record_id"].implode()))
    chosen = _chosen(decided, pins)
    theirs = claims.filter(pl.col("election").is_in(chosen["election"].implode()))
    marked = theirs.join(chosen, on=["election", "record_id", "slot"], how="left", maintain_order="left")
    return marked.with_columns(pl.col("pin_order").fill_null(0), pl.col("is_override").fill_null(value=False))


def _chosen(candidates: pl.DataFrame, pins: pl.DataFrame) -> pl.DataFrame:
    """Return election, record_id, slot, pin_order, is_override of the candidates that a decision is about."""
    decisions = pins.sort("decided_at", "decision_id").select(
        "record_id",
        pl.col("attribute").cast(candidates.schema["attribute"], strict=False),
        pinned_slot="slot",
        is_override=pl.col("kind") == OVERRIDE,
        pin_order=pl.int_range(1, pl.len() + 1, dtype=pl.Int32),
    )
    about = candidates.select("election", "record_id", "slot", "attribute").join(
        decisions, on=["record_id", "attribute"], how="inner"
    )
    meant = about.filter(pl.col("pinned_slot").is_null() | (pl.col("pinned_slot") == pl.col("slot")))
    last = meant.sort("pin_order").unique(["election", "record_id", "slot"], keep="last", maintain_order=True)
    return last.select("election", "record_id", "slot", "pin_order", "is_override")
