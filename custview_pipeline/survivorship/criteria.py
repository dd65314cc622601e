"""What candidates are ordered by: the preferences of a rule as columns, each with the reason why one loses by it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.survivorship_rules import ElectionRule, Preference
from custview_pipeline.survivorship.reasons import EARLIER_DECISION, INVALID, LOST_BY, NO_NUMBER, NOT_PINNED, OUTSIDE

# What each strategy looks at; "any" looks at nothing.
_COLUMNS: Final[Mapping[str, str]] = {
    "most_trusted": "trust_order",
    "most_recent": "updated_at",
    "earliest": "updated_at",
    "most_frequent": "vote_count",
    "most_complete": "part_count",
    "longest": "length",
}
_SMALLER_FIRST: Final = frozenset({"earliest", "smallest"})
_OUTCOMES: Final = {"min": "smallest", "max": "largest"}
NUMBER: Final = "number"


class Criterion(NamedTuple):
    """One column that candidates are ordered by.

    Attributes:
        column: Its name.
        lost_because: Why a candidate lost that falls behind in it.
        is_descending: Whether the larger value goes first; a null goes last in any case.
        expression: What the column is made of; None where the candidates have it.
    """

    column: str
    lost_because: pl.Expr | str
    is_descending: bool = True
    expression: pl.Expr | None = None


def criteria_of(rule: ElectionRule, today: date, *, has_pins: bool) -> list[Criterion]:
    """Return what candidates are ordered by, the most important first.

    Args:
        rule: The rule of their attribute.
        today: The day that ages are counted to.
        has_pins: Whether a steward decided: candidates have ``pin_order`` then, 0 without a decision, and no number is computed.
    """
    found = [Criterion("is_valid", INVALID)]
    if has_pins:
        by_decision = pl.when(pl.col("pin_order") > 0).then(pl.lit(EARLIER_DECISION)).otherwise(pl.lit(NOT_PINNED))
        found.insert(0, Criterion("pin_order", by_decision))
    elif rule.aggregate is not None:
        number = pl.col("open_value").cast(pl.Float64, strict=False)
        found.append(Criterion("has_number", NO_NUMBER, expression=number.is_not_null()))
        if rule.aggregate in _OUTCOMES:
            found.append(_by(_OUTCOMES[rule.aggregate], NUMBER, number))
    for place, preference in enumerate(rule.prefer):
        found += _of_preference(preference, place, today)
    return found


def names_of(criteria: Sequence[Criterion]) -> list[str]:
    """Return the columns of criteria, each once."""
    return list(dict.fromkeys(criterion.column for criterion in criteria))


def _by(strategy: str, column: str, expression: pl.Expr | None = None) -> Criterion:
    return Criterion(column, LOST_BY[strategy], strategy not in _SMALLER_FIRST, expression)


def _of_preference(preference: Preference, place: int, today: date) -> list[Criterion]:
    """Return the criteria of one preference; one with conditions has columns of its own, for it may come twice."""
    column = _COLUMNS.get(preference.strategy)
    if not preference.is_conditional:
        return [] if column is None else [_by(preference.strategy, column)]
    keeps = _keeps(preference, today)
    found = [Criterion(f"keeps_{place}", OUTSIDE, expression=keeps)]
    if column is not None:
        # Who fails the condition is equal here to all others who do, so that the next preference decides among them.
        found.append(_by(preference.strategy, f"preferred_{place}", pl.when(keeps).then(column)))
    return found


def _keeps(preference: Preference, today: date) -> pl.Expr:
    kept = [pl.lit(value=True)]
    if preference.only_from is not None:
        kept.append(pl.col("source_system").cast(pl.String).is_in(list(preference.only_from)))
    if preference.newer_than_days is not None:
        kept.append(age_in_days(today) < preference.newer_than_days)
    if preference.if_valid:
        kept.append(pl.col("is_valid"))
    return pl.all_horizontal(kept).fill_null(value=False)


def age_in_days(today: date) -> pl.Expr:
    """Return the whole days since the record of a claim changed, not below 0; null where its source does not tell."""
    return (pl.lit(today) - pl.col("updated_at").dt.date()).dt.total_days().clip(lower_bound=0)
