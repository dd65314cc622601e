"""How good each field of a batch is, in rows: what could be judged in each dimension of quality, and what was found wanting."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import polars as pl

from custview_pipeline.contracts.attributes import ATTRIBUTES, IDENTIFIERS
from custview_pipeline.contracts.consistency_rules import CONSISTENCY_RULES
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.trust import entity_types_of
from custview_pipeline.validation.issues import MISSING
from custview_pipeline.validation.rules import FieldRule, is_between_fields

Measures = Counter[tuple[str, str]]
"""Rows by attribute and dimension."""

_OF_VALUES: Final = ("conformity", "accuracy")


def cells_given(present: pl.DataFrame, contract: SourceContract) -> pl.DataFrame:
    """Return, by attribute, how many of its columns each row fills.

    Args:
        present: Whether each cell holds more than white space, by header.
        contract: Tells the attribute of each column.
    """
    carried = {column.attribute: [each.name for each in contract.carrying(column.attribute)] for column in contract.columns}
    return present.select(pl.sum_horizontal(headers).cast(pl.Int64).alias(name) for name, headers in carried.items())


def measured_rows(given: pl.DataFrame, entity_types: pl.Series, rules: Sequence[FieldRule]) -> Measures:
    """Return the rows that can be judged.

    Completeness is asked of rows whose entity type can have the attribute, everything else of rows that fill it; consistency of
    rows that fill all fields of a rule.

    Args:
        given: What ``cells_given`` returns.
        entity_types: Of each row; null where it is not known.
        rules: Those of the contract.
    """
    counts = {name: int((given[name] > 0).sum()) for name in given.columns}
    measured: Measures = Counter()
    for name, count in counts.items():
        measured[name, MISSING] = int(_can_have(name, entity_types).sum())
        measured[name, "conformity"] = count
        if ATTRIBUTES[name].reference:
            measured[name, "accuracy"] = count
    for rule in rules:
        if rule.dimension == "uniqueness" and rule.quality is None:
            measured[rule.attribute, "uniqueness"] = counts[rule.attribute]
    for name in given.columns:
        comparable = [_is_comparable(rule, given.columns) for rule in rules if is_between_fields(rule) and rule.attribute == name]
        if comparable:
            measured[name, "consistency"] = int(given.select(pl.any_horizontal(comparable).sum()).item())
    return measured


def comparable_rows(given: pl.DataFrame, rule: FieldRule) -> int:
    """Return the rows that fill all fields of a rule between fields."""
    return int(given.select(_is_comparable(rule, given.columns).sum()).item())


def flawed_rows(given: pl.DataFrame, entity_types: pl.Series, reasons: pl.DataFrame, issues: pl.DataFrame) -> Measures:
    """Return the rows that were found wanting.

    Args:
        given: What ``cells_given`` returns.
        entity_types: Of each row; null where it is not known.
        reasons: Broken limits (``ISSUES``).
        issues: Broken field standards (``ISSUES``).
    """
    flaws = pl.concat([_places(reasons), _places(issues), _refused_by_scheme(issues)])
    counted = flaws.filter(pl.col("dimension") != MISSING).unique().group_by("attribute", "dimension").len()
    flawed: Measures = Counter({(name, dimension): count for name, dimension, count in counted.iter_rows()})
    placeholders = issues.filter(pl.col("dimension") == MISSING).group_by("attribute", "row").len()
    for name in given.columns:
        held = placeholders.filter(pl.col("attribute") == name)
        is_lacking = (given[name] == 0).scatter(held["row"], given[name].gather(held["row"]) <= held["len"])
        flawed[name, MISSING] = int((is_lacking & _can_have(name, entity_types)).sum())
    return flawed


def _places(reasons: pl.DataFrame) -> pl.DataFrame:
    return reasons.select("row", "attribute", "dimension")


def _refused_by_scheme(issues: pl.DataFrame) -> pl.DataFrame:
    """A scheme refuses a number as a whole, be it for its form or its check digit: either way nobody was given that number."""
    wrong = issues.filter(pl.col("attribute").is_in(IDENTIFIERS) & pl.col("dimension").is_in(_OF_VALUES))
    return _places(wrong.with_columns(dimension=pl.lit("accuracy")))


def _can_have(attribute: str, entity_types: pl.Series) -> pl.Series:
    having = [str(kind) for kind in entity_types_of(attribute)]
    return entity_types.is_in(having).fill_null(value=True)


def _is_comparable(rule: FieldRule, attributes: Iterable[str]) -> pl.Expr:
    carried = set(attributes)
    alternatives = [needed for needed in CONSISTENCY_RULES[rule.rule].needs if carried.issuperset(needed)]
    return pl.any_horizontal(pl.all_horizontal(pl.col(name) > 0 for name in needed) for needed in alternatives)
