"""Builders of election rules and decisions, as tests write them."""

import polars as pl

from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.survivorship_rules import ElectionRule, Preference
from custview_pipeline.survivorship.elect import elect
from custview_pipeline.survivorship.pins import PINS
from custview_pipeline_tests.factories import NOW, claims, table

DEFAULT = ("most_trusted", "most_recent", "most_frequent")
TODAY = NOW.date()


def rule(*prefer, **cells):
    """Build a rule from strategies, each a word or a dictionary of its fields."""
    stated = [Preference.model_validate(each if isinstance(each, dict) else {"strategy": each}) for each in prefer or DEFAULT]
    return ElectionRule(tuple(stated), **cells)


def pins(*rows):
    """Build decisions about values; each names a record."""
    default = {"attribute": "email", "decided_at": NOW, "kind": "pin"}
    return table(PINS, default, tuple({"decision_id": f"d{number}", **row} for number, row in enumerate(rows, 1)))


def judged(frame, *, decided=(), today=TODAY, **rules):
    """Return the outcome of an election; attributes without a rule have the default one."""
    by_attribute = dict.fromkeys(GOLDEN_ATTRIBUTES, rule()) | rules
    return elect(frame, by_attribute, pins(*decided), today=today)


def ranked(*rows, **how):
    """Return the outcome of an election among claims."""
    return judged(claims(*rows), **how)


def winner(*rows, **how):
    """Return the first winner."""
    return ranked(*rows, **how).filter(pl.col("rank") == 1).row(0, named=True)


def reasons(*rows, **how):
    """Return why each candidate won or lost, by record."""
    return dict(ranked(*rows, **how).select("record_id", "reason").rows())
