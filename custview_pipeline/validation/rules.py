"""Every rule that a delivery of a source is judged by, known from the contract before anything is read."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from custview_pipeline.contracts.attributes import ATTRIBUTES, judged_with
from custview_pipeline.contracts.consistency_rules import CONSISTENCY_RULES
from custview_pipeline.contracts.odcs_quality import snake_case
from custview_pipeline.contracts.source_contract import QualityRule, Severity, SourceColumn, SourceContract
from custview_pipeline.contracts.standardised_record import ISSUES

TABLE: Final = "table"
CONFORMS: Final = "conforms"
PLAUSIBLE: Final = "plausible"

_DIMENSIONS: Final = {"required": "completeness", "unique": "uniqueness"}  # of limits; the others are conformity


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One rule.

    Attributes:
        name: ``<dimension>__<attribute or table>__<rule>``, unique within the contract; the name of its check.
        attribute: The attribute it is about; ``table``, or the column's name in snake case where that carries none.
        rule: required, unique, pattern, length, range, allowed; conforms, plausible; a rule between fields; or the name of a
            quality entry. Where several columns carry the attribute, the column's name follows a limit and an entry.
        dimension: accuracy, completeness, conformity, consistency, coverage, timeliness, uniqueness.
        severity: What a failure is. A row that breaks a limit or a field standard of severity error is refused.
        description: One line for a reader outside engineering.
        is_executable: False where the pipeline only reports that the rule exists.
        column: Header of the column; None where the rule is about several, or the table.
        quality: The contract's quality entry, where the rule is one.
    """

    name: str
    attribute: str
    rule: str
    dimension: str
    severity: Severity
    description: str
    is_executable: bool = True
    column: str | None = None
    quality: QualityRule | None = None


def rules_of(contract: SourceContract) -> tuple[FieldRule, ...]:
    """Return all rules: limits of each column, field standards of each attribute, rules between fields, quality entries.

    Limits refuse a row (``unique`` every row that shares the value, where it is new or changed); a broken field standard marks a
    value as invalid, or refuses the row where the contract says ``on_invalid: refuse``; fields that contradict each other are a
    warning; a quality entry judges the delivery.
    """
    attributes = dict.fromkeys(column.attribute for column in contract.columns)
    return tuple(
        _named(
            [
                *(rule for column in contract.columns for rule in _limits(column, contract)),
                *(rule for attribute in attributes for rule in _standards(attribute, contract)),
                *_between_fields(contract),
                *(_entry(quality, contract) for quality in contract.quality),
            ]
        )
    )


def rule_of(contract: SourceContract, column: SourceColumn, limit: str) -> FieldRule:
    """Return the rule of one limit (required, unique, ...) of one column.

    Raises:
        KeyError: The contract does not set that limit.
    """
    wanted = _rule_word(limit, column, contract)
    for rule in rules_of(contract):
        if rule.column == column.name and rule.quality is None and rule.rule == wanted:
            return rule
    raise KeyError(limit)


def is_between_fields(rule: FieldRule) -> bool:
    """Return whether the rule compares fields of a record with each other."""
    return rule.quality is None and rule.column is None and rule.rule in CONSISTENCY_RULES


def reasons_for(rule: FieldRule, rows: Iterable[int]) -> pl.DataFrame:
    """Return the reasons, as ``contracts.standardised_record.ISSUES``, that ``rows`` of a batch break ``rule``."""
    said = {"attribute": rule.attribute, "rule": rule.rule, "dimension": rule.dimension, "severity": rule.severity}
    literals = [pl.lit(text, dtype=pl.String).alias(name) for name, text in said.items()]
    return pl.DataFrame({"row": pl.Series(list(rows), dtype=pl.UInt32)}).with_columns(literals).select(ISSUES.names())


def limits_of(column: SourceColumn) -> dict[str, str]:
    """Return the limits that the contract sets for a column, each with its description."""
    limits = {
        "required": "must not be empty" if column.is_required else None,
        "unique": "must not occur twice" if column.is_unique else None,
        "pattern": f"matches {column.pattern}" if column.pattern is not None else None,
        "length": _between(column.min_length, column.max_length, "characters"),
        "range": _between(column.minimum, column.maximum, "") or _between(column.earliest, column.latest, ""),
        "allowed": f"is one of {len(column.allowed)} allowed values" if column.allowed else None,
    }
    return {limit: description for limit, description in limits.items() if description is not None}


def _between(low: float | str | None, high: float | str | None, unit: str) -> str | None:
    if low is None and high is None:
        return None
    bounds = f"from {low} to {high}" if None not in (low, high) else f"at least {low}" if high is None else f"at most {high}"
    return f"{bounds} {unit}".strip()


def _limits(column: SourceColumn, contract: SourceContract) -> Iterator[FieldRule]:
    for limit, description in limits_of(column).items():
        yield FieldRule(
            name="",
            attribute=column.attribute,
            rule=_rule_word(limit, column, contract),
            dimension=_DIMENSIONS.get(limit, "conformity"),
            severity="error",
            description=f"{column.name}: {description}",
            column=column.name,
        )


def _standards(attribute: str, contract: SourceContract) -> Iterator[FieldRule]:
    """Only the standards of dates can tell what is written well and cannot be true."""
    is_refused = any(column.refuses_invalid for column in contract.columns if column.attribute in judged_with(attribute))
    severity: Severity = "error" if is_refused else "warning"
    kept = FieldRule("", attribute, CONFORMS, "conformity", severity, f"{attribute} keeps its field standard")
    yield kept
    if ATTRIBUTES[attribute].kind == "date":
        yield replace(kept, rule=PLAUSIBLE, dimension="accuracy", description=f"{attribute} is neither impossible nor to come")


def _between_fields(contract: SourceContract) -> Iterator[FieldRule]:
    for name, rule in CONSISTENCY_RULES.items():
        attribute = rule.attribute(contract)
        if attribute is not None:
            yield FieldRule("", attribute, name, "consistency", "warning", rule.meaning)


def _entry(quality: QualityRule, contract: SourceContract) -> FieldRule:
    column = next((column for column in contract.columns if column.name == quality.column), None)
    about = quality.column or TABLE
    return FieldRule(
        name="",
        attribute=column.attribute if column else snake_case(about) or "column",
        rule=_rule_word(quality.name, column, contract) if column else quality.name,
        dimension=quality.dimension,
        severity=quality.severity,
        description=quality.description or f"{about}: {_stated(quality)}",
        is_executable=quality.is_executable,
        column=quality.column,
        quality=quality,
    )


def _stated(quality: QualityRule) -> str:
    if quality.operator is None:
        return f"a {quality.metric} rule that the pipeline does not execute"
    unit = " percent" if quality.unit == "percent" else ""
    return f"{quality.metric} {quality.operator} {' and '.join(f'{number:g}' for number in quality.threshold)}{unit}"


def _rule_word(rule: str, column: SourceColumn, contract: SourceContract) -> str:
    """Two phones may both be required; then each rule names its column."""
    siblings = contract.carrying(column.attribute)
    if len(siblings) == 1:
        return rule
    return f"{rule}_{snake_case(column.name) or siblings.index(column) + 1}"


def _named(rules: list[FieldRule]) -> Iterator[FieldRule]:
    taken: set[str] = set()
    for rule in rules:
        word, copies = rule.rule, 1
        while (name := f"{rule.dimension}__{rule.attribute}__{word}") in taken:
            copies += 1
            word = f"{rule.rule}_{copies}"
        taken.add(name)
        yield replace(rule, name=name, rule=word)
