"""The contract's quality entries, counted over the rows of a delivery.

An entry judges the whole delivery, unchanged rows included; so it is counted where all rows are read, not in the airlock
that only new and changed rows enter.
"""

from collections import Counter
from typing import Final

import polars as pl

from custview_pipeline.contracts.source_contract import QualityRule, SourceContract
from custview_pipeline.validation.limits import presence
from custview_pipeline.validation.repeats import Repeats
from custview_pipeline.validation.rules import FieldRule, rules_of

_COUNTED_BY_CELL: Final = frozenset({"nullValues", "missingValues", "invalidValues"})


class DeliveryCount:
    """What only the whole delivery can tell; add every batch, changed or not.

    Args:
        contract: The source's contract.
    """

    def __init__(self, contract: SourceContract) -> None:
        self._contract = contract
        self._cells: Counter[str] = Counter()
        self._repeats = {
            rule.name: Repeats(columns) for rule in rules_of(contract) if (columns := _columns_without_repeats(rule, contract))
        }

    def add(self, raw: pl.DataFrame) -> None:
        """Count the rows of one batch: the contract's columns, all text."""
        self._cells += count_cells(raw, self._contract)
        for repeats in self._repeats.values():
            repeats.add(raw)

    def broken(self) -> dict[str, int]:
        """Return, by rule name, how many rows or values break the rule."""
        return {**self._cells, **{name: repeats.count() for name, repeats in self._repeats.items()}}


def count_cells(raw: pl.DataFrame, contract: SourceContract) -> Counter[str]:
    """Return, by rule name, the cells that nullValues, missingValues and invalidValues count; zeros included."""
    entries = [rule for rule in rules_of(contract) if rule.is_executable and rule.quality and rule.column]
    counted = [(rule.name, rule.quality) for rule in entries if rule.quality and rule.quality.metric in _COUNTED_BY_CELL]
    if not counted:
        return Counter()
    sums = raw.select(_is_counted(quality).sum().alias(name) for name, quality in counted)
    return Counter({name: int(count) for name, count in zip(sums.columns, sums.row(0), strict=True)})


def is_about_repeats(rule: FieldRule) -> bool:
    """Return whether the rule is a quality entry that counts duplicates."""
    return rule.quality is not None and rule.quality.metric == "duplicateValues"


def _columns_without_repeats(rule: FieldRule, contract: SourceContract) -> tuple[str, ...]:
    """Return the columns whose repeats are counted; not for the limit of the key, whose rows are refused one by one."""
    if not rule.is_executable:
        return ()
    if rule.quality is None:
        is_limit = rule.dimension == "uniqueness" and rule.column != contract.key_column.name
        return (rule.column,) if is_limit and rule.column else ()
    if not is_about_repeats(rule):
        return ()
    return (rule.column,) if rule.column else rule.quality.argument("properties")


def _is_counted(quality: QualityRule) -> pl.Expr:
    header = quality.column or ""
    text, is_present = pl.col(header).str.strip_chars(), presence(header)
    if quality.metric == "nullValues":
        return pl.col(header).is_null()
    if quality.metric == "missingValues":
        return ~is_present | text.is_in(list(quality.argument("missingValues"))).fill_null(value=False)
    is_valid = pl.lit(value=True)
    if allowed := quality.argument("validValues"):
        is_valid = is_valid & text.is_in(list(allowed))
    for pattern in quality.argument("pattern"):
        is_valid = is_valid & text.str.contains(pattern)
    return is_present & ~is_valid.fill_null(value=False)
