"""The checks that a value passed, or broke, as its contract states them and as they were stored with its record."""

from collections.abc import Collection

import polars as pl

from custview_pipeline.contracts.receipt import CitedCheck, Outcome
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.trust import golden_attributes_of
from custview_pipeline.validation.rules import FieldRule, rules_of


def feeding(contract: SourceContract | None, attribute: str) -> tuple[str, ...]:
    """Return the attributes of a contract that make a golden attribute: of an address its parts. Itself, without a contract."""
    carried = () if contract is None else (column.attribute for column in contract.columns)
    return tuple(dict.fromkeys([name for name in carried if attribute in golden_attributes_of(name)] or [attribute]))


def checks_of(contract: SourceContract | None, attributes: Collection[str], issues: pl.DataFrame) -> tuple[CitedCheck, ...]:
    """Return the rules about some attributes and what came of each, in the order of the contract.

    A limit, and a field standard that refuses, is kept by every record that was taken in; of the others it is stored which the
    record breaks. What the contract does not state any more is returned where the record breaks it.

    Args:
        contract: The contract in use; None where none describes the source any more.
        attributes: Attributes of the contract.
        issues: Rows of record_issues of the record about these attributes.
    """
    broken = {(row["attribute"], row["rule"]): row for row in issues.iter_rows(named=True)}
    rules = [] if contract is None else [rule for rule in rules_of(contract) if rule.attribute in attributes]
    stated = {(rule.attribute, rule.rule) for rule in rules}
    former = [
        CitedCheck(
            **{name: row[name] for name in ("attribute", "rule", "dimension", "severity")}, description="", outcome="broken"
        )
        for place, row in broken.items()
        if place not in stated
    ]
    return (*(_check(rule, is_broken=(rule.attribute, rule.rule) in broken) for rule in rules), *former)


def _check(rule: FieldRule, *, is_broken: bool) -> CitedCheck:
    return CitedCheck(
        attribute=rule.attribute,
        rule=rule.rule,
        dimension=rule.dimension,
        severity=rule.severity,
        description=rule.description,
        outcome=_outcome(rule, is_broken=is_broken),
    )


def _outcome(rule: FieldRule, *, is_broken: bool) -> Outcome:
    if not rule.is_executable:
        return "not_executed"
    if rule.quality is not None:
        return "of_delivery"
    return "broken" if is_broken else "kept"
