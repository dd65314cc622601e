"""Counts of kept and broken rules: made batch by batch, in any process, and added up."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.standardised_record import StandardisedBatch
from custview_pipeline.validation.entries import count_cells
from custview_pipeline.validation.limits import presence
from custview_pipeline.validation.rules import CONFORMS, FieldRule, rules_of


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts over any number of batches; it can be pickled, and holds no value.

    Attributes:
        rows: Rows judged.
        refused: Rows refused.
        judged: By rule name, the rows or values that it was applied to.
        failed: By rule name, those that broke it.
    """

    rows: int = 0
    refused: int = 0
    judged: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.rows + other.rows, self.refused + other.refused, self.judged + other.judged, self.failed + other.failed)

    @classmethod
    def total(cls, tallies: Iterable["Tally"]) -> "Tally":
        """Return all of them added up; the order does not matter."""
        return sum(tallies, cls())


def tally_batch(
    raw: pl.DataFrame, standardised: StandardisedBatch, is_accepted: pl.Series, reasons: pl.DataFrame, contract: SourceContract
) -> Tally:
    """Count one batch.

    Args:
        raw: The contract's columns, all text.
        standardised: The same rows, standardised.
        is_accepted: One Boolean a row.
        reasons: Why rows are refused (schema ``ISSUES``).
        contract: The source's contract.
    """
    rules = rules_of(contract)
    present = raw.select(presence(column.name) for column in contract.columns)
    return Tally(
        rows=raw.height,
        refused=int((~is_accepted).sum()),
        judged=Counter({rule.name: _judged(rule, present, contract) for rule in rules if rule.is_executable}),
        failed=_broken_limits(reasons, rules) + _broken_standards(standardised, rules) + count_cells(raw, contract),
    )


def _judged(rule: FieldRule, present: pl.DataFrame, contract: SourceContract) -> int:
    """Return how many cells the rule looked at: blank ones break ``required`` only, and count for entries."""
    if rule.quality is not None or rule.dimension == "completeness":
        return present.height
    if rule.column is not None:
        return int(present[rule.column].sum())
    carrying = [column.name for column in contract.carrying(rule.attribute)]
    return int(present.select(pl.any_horizontal(carrying).sum()).item())


def _broken_limits(reasons: pl.DataFrame, rules: Iterable[FieldRule]) -> Counter[str]:
    names = {(rule.attribute, rule.rule): rule.name for rule in rules if rule.quality is None}
    counts = reasons.group_by("attribute", "rule").len()
    return Counter({names[attribute, rule]: count for attribute, rule, count in counts.iter_rows() if (attribute, rule) in names})


def _broken_standards(standardised: StandardisedBatch, rules: Iterable[FieldRule]) -> Counter[str]:
    names = {rule.attribute: rule.name for rule in rules if rule.rule == CONFORMS and rule.quality is None}
    counts = standardised.issues.unique(["row", "attribute"]).group_by("attribute").len()
    return Counter({names[attribute]: count for attribute, count in counts.iter_rows() if attribute in names})
