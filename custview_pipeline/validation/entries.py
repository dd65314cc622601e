"""The contract's quality entries, and values that must be unique, judged over the rows of a delivery.

Both look at the whole delivery, unchanged rows included; so they are judged where all rows are read, not in the airlock that
only new and changed rows enter.
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
        rules = rules_of(contract)
        self._entries = {rule.name: Repeats(columns) for rule in rules if (columns := _columns_together(rule))}
        self._limits = {rule.name: Repeats([column]) for rule in rules if (column := _unique_column(rule, contract))}

    def add(self, raw: pl.DataFrame) -> None:
        """Count the rows of one batch: the contract's columns, all text."""
        self._cells += count_cells(raw, self._contract)
        for repeats in (*self._entries.values(), *self._limits.values()):
            repeats.add(raw)

    def broken(self) -> dict[str, int]:
        """Return, by the name of each quality entry, how many rows or values it counts."""
        return {**self._cells, **{name: repeats.count() for name, repeats in self._entries.items()}}

    def repeated(self, record_ids: pl.Series) -> pl.DataFrame:
        """Return the rows that break a limit ``unique`` of another column than the key: position (UInt32) and rule (its name).

        Every row breaks it whose value a row of another key has too, the first one as well: none of them is known to be right.

        Args:
            record_ids: The record of each row that was added, in their order, so that copies of a row do not break it.
        """
        found = [repeats.shared(record_ids).to_frame().with_columns(rule=pl.lit(name)) for name, repeats in self._limits.items()]
        return pl.concat([pl.DataFrame(schema={"position": pl.UInt32, "rule": pl.String}), *found])


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


def _columns_together(rule: FieldRule) -> tuple[str, ...]:
    """Return the columns whose repeats a quality entry counts."""
    if rule.quality is None or not rule.is_executable or not is_about_repeats(rule):
        return ()
    return (rule.column,) if rule.column else rule.quality.argument("properties")


def _unique_column(rule: FieldRule, contract: SourceContract) -> str | None:
    """Return the column of a limit ``unique``; not for the key, whose repeats are told by the record ids."""
    is_limit = rule.quality is None and rule.dimension == "uniqueness"
    return rule.column if is_limit and rule.column != contract.key_column.name else None


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
