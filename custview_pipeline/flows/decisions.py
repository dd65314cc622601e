"""The answers of stewards about pairs of records: kept as they came, withdrawn but never changed."""

import hashlib
from collections.abc import Collection
from datetime import datetime
from typing import Final

import polars as pl

from custview_pipeline.contracts.matching_tables import REVIEW_DECISIONS
from custview_pipeline.kernel.ports import LakeWriter, Snapshot
from custview_pipeline.kernel.redaction import silenced

IS_MATCH: Final = "match"
NOT_A_MATCH: Final = "not_a_match"
UNSURE: Final = "unsure"
BY_STEWARD: Final = "steward"
IN_SAMPLE: Final = "sample"
_ID_DIGITS: Final = 16
_SAID: Final = ("left_id", "right_id", "decision", "decided_by", "decided_at", "origin")


def standing_answers(snapshot: Snapshot) -> pl.DataFrame:
    """Return every answer that was not withdrawn; rows of review_decisions."""
    stored = snapshot.read(REVIEW_DECISIONS.name)
    return stored.join(stored.filter(pl.col("withdrawn_at").is_not_null()), on="decision_id", how="anti")


def current_decisions(snapshot: Snapshot) -> pl.DataFrame:
    """Return what was said last about each pair, sure or not: the newest answer not withdrawn; rows of review_decisions.

    What matching links by, ``decided_pairs``, may be another answer.
    """
    return _last(standing_answers(snapshot), "decided_at")


def decided_pairs(snapshot: Snapshot) -> pl.DataFrame:
    """Return the pairs that somebody is sure of, as matching takes them: left_id, right_id, is_match; by pair.

    An answer of a steward goes before one to a sample, whatever its time, and the newer before the older. One who is unsure says
    nothing, and so takes no answer back.
    """
    sure = standing_answers(snapshot).filter(pl.col("decision") != UNSURE)
    said = _last(sure, pl.col("origin") == BY_STEWARD, "decided_at")
    return said.select("left_id", "right_id", is_match=pl.col("decision") == IS_MATCH)


def add_decisions(lake: LakeWriter, decisions: pl.DataFrame, run_id: str) -> int:
    """Store answers; what is stored already, said by the same person at the same moment, is not stored again.

    Args:
        lake: The lake, held for writing.
        decisions: ``left_id``, ``right_id`` (in either order), ``decision``, ``reason``, ``decided_by``, ``decided_at`` (UTC) and
            ``origin``.
        run_id: The run.

    Returns:
        How many were new.
    """
    with silenced("storing decisions"):
        given = decisions.with_columns(
            left_id=pl.min_horizontal("left_id", "right_id"), right_id=pl.max_horizontal("left_id", "right_id")
        )
        ids = pl.Series("decision_id", [_id_of(said) for said in given.select(_SAID).rows()], dtype=pl.String)
        rows = given.with_columns(ids, withdrawn_at=pl.lit(None)).unique("decision_id", maintain_order=True)
        known = lake.snapshot().read(REVIEW_DECISIONS.name, ["decision_id"])
        rows = rows.join(known, on="decision_id", how="anti", maintain_order="left")
        rows = rows.select(pl.col(name).cast(dtype) for name, dtype in REVIEW_DECISIONS.types.items())
        if not rows.is_empty():
            with lake.commit(run_id) as commit:
                commit.append(REVIEW_DECISIONS.name, rows)
        return rows.height


def withdraw_decisions(lake: LakeWriter, decision_ids: Collection[str], now: datetime, run_id: str) -> int:
    """Take answers back that hold now; return how many those were.

    Args:
        lake: The lake, held for writing.
        decision_ids: Their ids.
        now: The moment, UTC.
        run_id: The run.
    """
    with silenced("withdrawing decisions"):
        holding = standing_answers(lake.snapshot()).filter(pl.col("decision_id").is_in(list(decision_ids)))
        if not holding.is_empty():
            with lake.commit(run_id) as commit:
                commit.append(REVIEW_DECISIONS.name, holding.with_columns(withdrawn_at=pl.lit(now, pl.Datetime("us", "UTC"))))
        return holding.height


def _last(answers: pl.DataFrame, *order: str | pl.Expr) -> pl.DataFrame:
    """Return the answer about each pair that comes last in some order; by pair."""
    ordered = answers.sort("left_id", "right_id", *order, "decision_id")
    return ordered.unique(["left_id", "right_id"], keep="last", maintain_order=True)


def _id_of(said: tuple[object, ...]) -> str:
    return hashlib.sha256(repr(said).encode()).hexdigest()[:_ID_DIGITS]
