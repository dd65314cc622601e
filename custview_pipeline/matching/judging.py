"""Who decides about a pair: a steward, the promise of a source, a rule of the rulebook, or the model."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from custview_pipeline.contracts.matching_rules import MODEL, PROMISE, STEWARD
from custview_pipeline.matching.patterns import Bools, Ints
from custview_pipeline.matching.records import Records
from custview_pipeline.matching.verdicts import PatternRules

_ROW_BITS: Final = 32


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

    def __init__(
        self, records: Records, rules: PatternRules, decided: pl.DataFrame | None = None, exclusive: pl.DataFrame | None = None
    ) -> None:
        """Take what is decided beside the model.

        Args:
            records: The records.
            rules: Rules of the rulebook.
            decided: left_id, right_id, is_match of steward decisions; those about other records are left out.
            exclusive: record_id, source_system of records whose source has each customer once.
        """
        self._rules = rules
        self.names = (MODEL, STEWARD, PROMISE, *rules.cannot_names, *rules.must_names)
        self.decided = decided_rows(records, decided)
        i, j, is_match = self.decided
        packed = (i << _ROW_BITS) | j
        order = np.argsort(packed)
        self._decided, self._is_match = packed[order], is_match[order]
        self._source = _source_codes(records, exclusive)

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


def _source_codes(records: Records, exclusive: pl.DataFrame | None) -> Ints | None:
    """Return a number for the source of each record that promises unique customers, 0 for the others; None where none does."""
    if exclusive is None or exclusive.is_empty():
        return None
    coded = exclusive.with_columns(code=pl.col("source_system").rank("dense").cast(pl.Int64))
    rows = pl.DataFrame({"record_id": records.record_ids}).join(
        coded.select("record_id", "code"), on="record_id", how="left", maintain_order="left"
    )
    return rows["code"].fill_null(0).to_numpy()
