"""Who decides about a pair: a steward, the promise of a source, a rule of the rulebook, or the model."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from custview_pipeline.contracts.matching_rules import MODEL, PROMISE, STEWARD
from custview_pipeline.matching.patterns import Bools, Ints
from custview_pipeline.matching.records import Records
from custview_pipeline.matching.verdicts import PatternRules

_ROW_BITS: Final = 32


class Told(NamedTuple):
    """What is said of records whatever their evidence; None where nothing is.

    Attributes:
        decided: left_id, right_id, is_match of steward decisions; those about other records are left out.
        exclusive: record_id, source_system of records whose source has each customer once.
        locked: record_id, lock (a number) of records of locked customers: two of which one is locked, or that are of two locks,
            are not one customer unless they are decided to be.
        answered: left_id, right_id, is_match of the decisions that a model may learn from; those of ``decided`` by default.
        entered: record_id, anchor of records that hold a value a steward entered: each is compared as its anchor is, for the one
            thing that it says is no evidence of who it is.
    """

    decided: pl.DataFrame | None = None
    exclusive: pl.DataFrame | None = None
    locked: pl.DataFrame | None = None
    answered: pl.DataFrame | None = None
    entered: pl.DataFrame | None = None


NOTHING_TOLD: Final = Told()


@dataclass(frozen=True, slots=True)
class Judged:
    """What was said about pairs.

    Attributes:
        is_must, is_cannot: Whether both are one customer, or never, whatever the model says; never both.
        rule: Number of the name in ``Judge.names``.
    """

    is_must: Bools
    is_cannot: Bools
    rule: npt.NDArray[np.int16]


class Judge:
    """Applies, in this order: steward decisions, promises of sources, cannot-match rules, must-match rules."""

    def __init__(self, records: Records, rules: PatternRules, told: Told | None = None) -> None:
        """Take what is decided beside the model.

        Args:
            records: The records.
            rules: Rules of the rulebook.
            told: What stewards and sources say.
        """
        told = told or Told()
        self._rules = rules
        self.names = (MODEL, STEWARD, PROMISE, *rules.cannot_names, *rules.must_names)
        self.decided = decided_rows(records, told.decided)
        i, j, is_match = self.decided
        packed = (i << _ROW_BITS) | j
        order = np.argsort(packed)
        self._decided, self._is_match = packed[order], is_match[order]
        self._source = _codes(records, told.exclusive, "source_system")
        self._lock = _codes(records, told.locked, "lock")

    def judge(self, i: Ints, j: Ints, pattern: Ints) -> Judged:
        """Say of pairs of rows, in any order, what is decided beside the model."""
        cannot, must = self._rules.cannot(pattern), self._rules.must(pattern)
        rule = np.zeros(len(i), np.int16)
        first_cannot = self.names.index(PROMISE) + 1
        first_must = first_cannot + len(self._rules.cannot_names)
        rule[must > 0] = must[must > 0] + (first_must - 1)
        rule[cannot > 0] = cannot[cannot > 0] + (first_cannot - 1)
        is_cannot = cannot > 0
        if self._source is not None:
            promised = (self._source[i] == self._source[j]) & (self._source[i] > 0)
            rule[promised] = self.names.index(PROMISE)
            is_cannot |= promised
        if self._lock is not None:
            is_kept_out = self._lock[i] != self._lock[j]
            rule[is_kept_out] = self.names.index(STEWARD)
            is_cannot |= is_kept_out
        is_must = (must > 0) & ~is_cannot
        if len(self._decided):
            packed = (np.minimum(i, j) << _ROW_BITS) | np.maximum(i, j)
            place = np.minimum(np.searchsorted(self._decided, packed), len(self._decided) - 1)
            told = self._decided[place] == packed
            rule[told] = self.names.index(STEWARD)
            is_must = np.where(told, self._is_match[place], is_must)
            is_cannot = np.where(told, ~self._is_match[place], is_cannot)
        return Judged(is_must, is_cannot, rule)


def decided_rows(records: Records, decided: pl.DataFrame | None) -> tuple[Ints, Ints, Bools]:
    """Return rows ``i < j`` of the decided pairs among these records, ordered, each once, and whether they match.

    Answers about one pair that differ keep it apart, in whatever order they come.
    """
    if decided is None or decided.is_empty():
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.bool_)
    rows = pl.DataFrame({"record_id": records.record_ids, "row": np.arange(records.count)})
    found = (
        decided.join(rows.rename({"record_id": "left_id", "row": "i"}), on="left_id", how="inner")
        .join(rows.rename({"record_id": "right_id", "row": "j"}), on="right_id", how="inner")
        .filter(pl.col("i") != pl.col("j"))
        .with_columns(i=pl.min_horizontal("i", "j"), j=pl.max_horizontal("i", "j"))
        .group_by("i", "j")
        .agg(pl.col("is_match").all())
        .sort("i", "j")
    )
    return found["i"].to_numpy(), found["j"].to_numpy(), found["is_match"].to_numpy()


def compared_as(records: Records, entered: pl.DataFrame | None) -> Ints | None:
    """Return of each row the row that it is compared as: its own, or that of its anchor; None where all are their own."""
    if entered is None or entered.is_empty():
        return None
    rows = pl.DataFrame({"record_id": records.record_ids, "row": np.arange(records.count)})
    anchored = entered.join(rows, on="record_id", how="inner").join(
        rows.rename({"record_id": "anchor", "row": "anchor_row"}), on="anchor", how="inner"
    )
    found = np.arange(records.count)
    found[anchored["row"].to_numpy()] = anchored["anchor_row"].to_numpy()
    return found


def _codes(records: Records, named: pl.DataFrame | None, column: str) -> Ints | None:
    """Return a number for what a column says of each record, 0 where nothing; None where nothing is said of any."""
    if named is None or named.is_empty():
        return None
    coded = named.with_columns(code=pl.col(column).rank("dense").cast(pl.Int64))
    rows = pl.DataFrame({"record_id": records.record_ids}).join(
        coded.select("record_id", "code"), on="record_id", how="left", maintain_order="left"
    )
    return rows["code"].fill_null(0).to_numpy()
