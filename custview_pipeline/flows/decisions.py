"""The decisions of people about records and values: kept as they came, withdrawn but never changed."""

import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

import polars as pl

from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS
from custview_pipeline.contracts.stewardship_tables import OVERRIDE, PAIR_DECISIONS, PIN, REVIEW_DECISIONS, SPLIT_OFF
from custview_pipeline.flows.entered_records import in_order_of_anchor, tombstones_of
from custview_pipeline.kernel.ports import LakeWriter, Snapshot, TableCommit
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.stewardship.said_pairs import anchors, holding_pairs, locks

_ID_DIGITS: Final = 16
_OF_PAIR: Final = ("left_id", "right_id", "decision", "decided_by", "decided_at", "origin")
_OF_OTHERS: Final = ("decision", "record_id", "member_ids", "attribute", "slot", "decided_by", "decided_at", "origin")


def standing_answers(snapshot: Snapshot) -> pl.DataFrame:
    """Return every decision that was not withdrawn, of every kind; rows of review_decisions."""
    return stored_decisions(snapshot).filter(pl.col("withdrawn_at").is_null())


def stored_decisions(snapshot: Snapshot) -> pl.DataFrame:
    """Return every decision once, those that were withdrawn too: rows of review_decisions."""
    stored = snapshot.read(REVIEW_DECISIONS.name)
    return stored.sort("decision_id", "withdrawn_at", nulls_last=True).unique("decision_id", keep="first", maintain_order=True)


def current_decisions(snapshot: Snapshot) -> pl.DataFrame:
    """Return what was said last about each pair, sure or not: the newest not withdrawn; rows of review_decisions.

    What matching links by, ``decided_pairs``, may be another decision.
    """
    ordered = standing_answers(snapshot).filter(pl.col("decision").is_in(PAIR_DECISIONS))
    ordered = ordered.sort("left_id", "right_id", "decided_at", "decision_id")
    return ordered.unique(["left_id", "right_id"], keep="last", maintain_order=True)


def decided_pairs(snapshot: Snapshot) -> pl.DataFrame:
    """Return the pairs that somebody is sure of, as matching takes them: left_id, right_id, is_match; by pair.

    They are what was answered about pairs; of a record split off that it is none of those it was with; of a locked customer that
    its records are one; of a value entered that it belongs to one of them. A decision of a steward goes before an answer to a
    sample, whatever its time, and the newer before the older. One who is unsure says nothing, and so takes nothing back.
    """
    return holding_pairs(_anchored_answers(snapshot))


def answered_pairs(snapshot: Snapshot) -> pl.DataFrame:
    """Return the pairs that a model may learn from: left_id, right_id, is_match; by pair.

    They are answers about the evidence of two records. That a customer is locked, or a value was entered for it, is none: a
    record that says one thing has no evidence to be with the others, and pairs of a large customer would outnumber all answers.
    """
    standing = standing_answers(snapshot)
    return holding_pairs(standing.filter(pl.col("decision").is_in([*PAIR_DECISIONS, SPLIT_OFF])))


def locked_records(snapshot: Snapshot) -> pl.DataFrame:
    """Return record_id and lock of the records of locked customers, as matching takes them.

    Two records of which one is locked, or that are of two locks, are not one customer, unless ``decided_pairs`` says so.
    """
    return locks(_anchored_answers(snapshot))


def entered_values(snapshot: Snapshot) -> pl.DataFrame:
    """Return record_id and anchor of the values entered that hold: the record of its customer that matching ties each to."""
    return anchors(_anchored_answers(snapshot))


def pinned_values(snapshot: Snapshot) -> pl.DataFrame:
    """Return whose value a steward wants: record_id, attribute, slot, decided_at, decision_id, kind.

    ``slot`` is empty where any value of the record will do; ``kind`` is pin or override. Of several about one customer the newest
    holds.
    """
    wanted = standing_answers(snapshot).filter(pl.col("decision").is_in([PIN, OVERRIDE]))
    return wanted.select("record_id", "attribute", "slot", "decided_at", "decision_id", kind="decision").sort(
        "decided_at", "decision_id"
    )


def as_decisions(given: pl.DataFrame) -> pl.DataFrame:
    """Return decisions as rows of review_decisions, each with its id: what one person says twice at one moment has one.

    Args:
        given: Columns of review_decisions. ``decision``, ``decided_by``, ``decided_at`` (UTC) and ``origin`` are needed;
            ``left_id`` and ``right_id`` may come in either order; what is absent is empty.
    """
    absent = (pl.lit(None, dtype).alias(name) for name, dtype in REVIEW_DECISIONS.types.items() if name not in given.columns)
    rows = given.with_columns(*absent).select(pl.col(name).cast(dtype) for name, dtype in REVIEW_DECISIONS.types.items())
    rows = rows.with_columns(
        left_id=pl.min_horizontal("left_id", "right_id"),
        right_id=pl.max_horizontal("left_id", "right_id"),
        member_ids=pl.col("member_ids").list.unique().list.sort(),
    )
    made = pl.Series("made", [_id_of(row) for row in rows.iter_rows(named=True)], dtype=pl.String)
    return rows.with_columns(decision_id=pl.coalesce("decision_id", made)).unique("decision_id", maintain_order=True)


def add_decisions(lake: LakeWriter, decisions: pl.DataFrame, run_id: str) -> int:
    """Store decisions as they are; what is stored already, said by the same person at the same moment, is not stored again.

    Nobody is asked whether they contradict others: for those of stewards there is ``flows.deciding.store_batch``.

    Args:
        lake: The lake, held for writing.
        decisions: See ``as_decisions``.
        run_id: The run.

    Returns:
        How many were new.
    """
    with silenced("storing decisions"):
        rows = not_stored(lake.snapshot(), as_decisions(decisions))
        if not rows.is_empty():
            with lake.commit(run_id) as commit:
                commit.append(REVIEW_DECISIONS.name, rows)
        return rows.height


def not_stored(snapshot: Snapshot, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the decisions that are not stored yet, whether or not they were withdrawn since."""
    known = snapshot.read(REVIEW_DECISIONS.name, ["decision_id"])
    return rows.join(known, on="decision_id", how="anti", maintain_order="left")


def withdraw_decisions(lake: LakeWriter, decision_ids: Collection[str], now: datetime, run_id: str, withdrawn_by: str) -> int:
    """Take decisions back that hold now; return how many those were.

    Args:
        lake: The lake, held for writing.
        decision_ids: Their ids.
        now: The moment, UTC.
        run_id: The run.
        withdrawn_by: Who takes them back.
    """
    with silenced("withdrawing decisions"):
        snapshot = lake.snapshot()
        holding = standing_answers(snapshot).filter(pl.col("decision_id").is_in(list(decision_ids)))
        if not holding.is_empty():
            with lake.commit(run_id) as commit:
                append_withdrawals(commit, snapshot, holding, now, withdrawn_by)
        return holding.height


def append_withdrawals(commit: TableCommit, snapshot: Snapshot, holding: pl.DataFrame, now: datetime, withdrawn_by: str) -> None:
    """Take decisions back within a commit; the record of a value that a steward entered goes with its decision.

    Args:
        commit: The commit.
        snapshot: The lake as it was when the commit began.
        holding: Rows of review_decisions that hold.
        now: The moment, UTC.
        withdrawn_by: Who takes them back.
    """
    moment = pl.lit(now, REVIEW_DECISIONS.types["withdrawn_at"])
    commit.append(REVIEW_DECISIONS.name, holding.with_columns(withdrawn_at=moment, withdrawn_by=pl.lit(withdrawn_by)))
    gone = tombstones_of(snapshot, holding.filter(pl.col("decision") == OVERRIDE)["record_id"], now)
    if not gone.is_empty():
        commit.append(PROTECTED_RECORDS.name, gone)


def _anchored_answers(snapshot: Snapshot) -> pl.DataFrame:
    return in_order_of_anchor(snapshot, standing_answers(snapshot))


def _id_of(row: Mapping[str, Any]) -> str:
    names = _OF_PAIR if row["decision"] in PAIR_DECISIONS else _OF_OTHERS
    return hashlib.sha256(repr(tuple(row[name] for name in names)).encode()).hexdigest()[:_ID_DIGITS]
