"""Counts of kept and broken rules: made batch by batch, in any process, and added up."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import NamedTuple

import polars as pl

from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.validation.entries import count_cells
from custview_pipeline.validation.issues import MISSING
from custview_pipeline.validation.limits import presence
from custview_pipeline.validation.measures import Measures, cells_given, comparable_rows, flawed_rows, measured_rows
from custview_pipeline.validation.rules import FieldRule, is_between_fields, rules_of


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts over any number of batches; it can be pickled, and holds no value.

    Attributes:
        rows: Rows judged.
        refused: Rows refused.
        warned: Rows accepted with a warning: a value breaks its field standard, or two fields contradict each other. A
            placeholder is no value and no warning.
        judged: By rule name, the rows or values that it was applied to.
        failed: By rule name, those that broke it.
        measured: By attribute and dimension of quality, the rows that could be judged; refused ones are among them.
        flawed: By attribute and dimension, those found wanting.
    """

    rows: int = 0
    refused: int = 0
    warned: int = 0
    judged: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    measured: Measures = field(default_factory=Counter)
    flawed: Measures = field(default_factory=Counter)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @classmethod
    def total(cls, tallies: Iterable["Tally"]) -> "Tally":
        """Return all of them added up; the order does not matter."""
        return sum(tallies, cls())


class Judged(NamedTuple):
    """What became of the rows of a batch.

    Attributes:
        records: ``row``, ``entity_type``.
        issues: Broken field standards: ``ISSUES`` and ``name`` (``issues.name_issues``).
        reasons: Why rows are refused (``ISSUES``).
        is_accepted: One Boolean a row.
    """

    records: pl.DataFrame
    issues: pl.DataFrame
    reasons: pl.DataFrame
    is_accepted: pl.Series


def tally_batch(raw: pl.DataFrame, judged: Judged, contract: SourceContract) -> Tally:
    """Count one batch.

    Args:
        raw: The contract's columns, all text.
        judged: What became of its rows.
        contract: The source's contract.
    """
    rules = rules_of(contract)
    present = raw.select(presence(column.name) for column in contract.columns)
    given, entity_types = cells_given(present, contract), _entity_types(raw.height, judged.records)
    return Tally(
        rows=raw.height,
        refused=int((~judged.is_accepted).sum()),
        warned=_warned(judged),
        judged=Counter({rule.name: _judged(rule, present, given) for rule in rules if rule.is_executable}),
        failed=_broken_limits(judged.reasons, rules) + _broken_standards(judged.issues) + count_cells(raw, contract),
        measured=measured_rows(given, entity_types, rules),
        flawed=flawed_rows(given, entity_types, judged.reasons, judged.issues),
    )


def _entity_types(height: int, records: pl.DataFrame) -> pl.Series:
    rows = pl.select(row=pl.int_range(height, dtype=pl.UInt32))
    return rows.join(records.select("row", "entity_type"), on="row", how="left", maintain_order="left")["entity_type"]


def _warned(judged: Judged) -> int:
    told = judged.issues.filter(pl.col("dimension") != MISSING)["row"].unique()
    return int(judged.is_accepted.gather(told).sum())


def _judged(rule: FieldRule, present: pl.DataFrame, given: pl.DataFrame) -> int:
    """Return how many cells the rule looked at: blank ones break ``required`` only, and count for entries."""
    if rule.quality is not None or rule.dimension == "completeness":
        return present.height
    if rule.column is not None:
        return int(present[rule.column].sum())
    return comparable_rows(given, rule) if is_between_fields(rule) else int((given[rule.attribute] > 0).sum())


def _broken_limits(reasons: pl.DataFrame, rules: Sequence[FieldRule]) -> Counter[str]:
    names = {(rule.attribute, rule.rule): rule.name for rule in rules if rule.quality is None and rule.column is not None}
    counts = reasons.group_by("attribute", "rule").len()
    return Counter({names[attribute, rule]: count for attribute, rule, count in counts.iter_rows() if (attribute, rule) in names})


def _broken_standards(issues: pl.DataFrame) -> Counter[str]:
    broken = issues.select("row", "name").drop_nulls().unique()
    return Counter(dict(broken.group_by("name").len().iter_rows()))
