"""Builds decisions of stewards for tests, in a few words each."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import polars as pl

from custview_pipeline.contracts.stewardship_tables import REVIEW_DECISIONS
from custview_pipeline_tests.factories import NOW


def decision(name: str, kind: str, *records: int, at: int = 0, origin: str = "steward") -> dict[str, Any]:
    """Return a row of review_decisions: of a pair its two records, of the others the record first where it has one.

    Args:
        name: Its id.
        kind: What is decided.
        records: What it is about.
        at: Minutes after ``NOW``.
        origin: steward or sample.
    """
    if kind in {"match", "not_a_match", "unsure"}:
        about: dict[str, Any] = {"left_id": min(records), "right_id": max(records)}
    elif kind == "lock":
        about = {"member_ids": list(records)}
    else:
        about = {"record_id": records[0], "member_ids": list(records[1:])}
    told = {"decision_id": name, "decision": kind, "decided_by": "ada", "decided_at": NOW + timedelta(minutes=at)}
    return {**dict.fromkeys(REVIEW_DECISIONS.types), **told, "origin": origin, **about}


def decisions(*rows: dict[str, Any] | Sequence[Any]) -> pl.DataFrame:
    """Return rows of review_decisions; the n-th of plain (kind, record, ...) is called d<n> and made in the n-th minute."""
    named = [
        row if isinstance(row, dict) else decision(f"d{number}", row[0], *row[1:], at=number)
        for number, row in enumerate(rows, 1)
    ]
    return pl.DataFrame(named, schema=REVIEW_DECISIONS.types)
