"""Which rule of the contract a broken field standard counts for, and how severe that makes it."""

from collections.abc import Iterable
from typing import Final

import polars as pl

from custview_pipeline.validation.rules import CONFORMS, PLAUSIBLE, FieldRule

MISSING: Final = "completeness"  # of a placeholder: it stands for no value, so no value is wrong
_KIND: Final = ("attribute", "rule", "dimension")


def name_issues(issues: pl.DataFrame, rules: Iterable[FieldRule]) -> pl.DataFrame:
    """Return the issues of a batch with ``name``, the name of the rule each one breaks, and with that rule's severity.

    A placeholder breaks none: its name is null. A value that cannot be true breaks ``plausible`` where the attribute has that
    rule; all else that is wrong with a value breaks ``conforms``.

    Args:
        issues: Schema ``ISSUES``.
        rules: Those of the contract.
    """
    of_fields = {(rule.attribute, rule.rule): rule for rule in rules if rule.quality is None and rule.column is None}
    kinds = issues.select(_KIND).unique(maintain_order=True).rows()
    broken = [_rule_of(attribute, rule, dimension, of_fields) for attribute, rule, dimension in kinds]
    known = pl.DataFrame(kinds, schema=dict.fromkeys(_KIND, pl.String), orient="row").with_columns(
        pl.Series("name", [rule and rule.name for rule in broken], dtype=pl.String),
        pl.Series("raised", [rule and rule.severity for rule in broken], dtype=pl.String),
    )
    severity = pl.when(pl.col("raised") == "error").then("raised").otherwise("severity")
    joined = issues.join(known, on=_KIND, how="left", maintain_order="left")
    return joined.with_columns(severity=severity).drop("raised")


def _rule_of(attribute: str, rule: str, dimension: str, of_fields: dict[tuple[str, str], FieldRule]) -> FieldRule | None:
    if dimension == MISSING:
        return None
    if dimension == "consistency":
        return of_fields.get((attribute, rule))
    plausible = of_fields.get((attribute, PLAUSIBLE)) if dimension == "accuracy" else None
    return plausible or of_fields.get((attribute, CONFORMS))
