"""The elections of some customers under one set of terms: rules by entity type, trust, decisions of stewards, and the day."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import polars as pl

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.survivorship_rules import ElectionRule, Survivorship
from custview_pipeline.survivorship.claims import weigh_claims
from custview_pipeline.survivorship.elect import elect


class Terms(NamedTuple):
    """What elections are held by.

    Attributes:
        rules: Survivorship rules.
        trust: source_system, attribute, trust (0 to 1): one row a pair; who is not in it is not trusted.
        pins: What stewards decided, ``survivorship.pins.PINS``.
        today: The day that ages are counted to.
    """

    rules: Survivorship
    trust: pl.DataFrame
    pins: pl.DataFrame
    today: date


def hold_elections(claims: pl.DataFrame, customers: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """Return the outcome of ``elect`` for all attributes of some customers.

    Args:
        claims: Current ones of ``own_claims``.
        customers: cuid, entity_type of each of them.
        terms: What the elections are held by.
    """
    rules = {kind: _rules_of(terms.rules, kind) for kind in EntityType}
    if len(set(map(_frozen, rules.values()))) == 1:
        return _elect(claims, rules[EntityType.PERSON], terms)
    enterprises = customers.filter(pl.col("entity_type") == EntityType.ENTERPRISE.value)["cuid"]
    is_enterprise = claims["cuid"].is_in(enterprises.cast(claims.schema["cuid"]).implode())
    by_type = {EntityType.ENTERPRISE: claims.filter(is_enterprise), EntityType.PERSON: claims.filter(~is_enterprise)}
    return pl.concat([_elect(theirs, rules[kind], terms) for kind, theirs in by_type.items()]).sort("election", "rank")


def _rules_of(rules: Survivorship, entity_type: EntityType) -> dict[str, ElectionRule]:
    return {attribute: rules.of(attribute, entity_type) for attribute in GOLDEN_ATTRIBUTES}


def _frozen(rules: Mapping[str, ElectionRule]) -> tuple[tuple[str, ElectionRule], ...]:
    return tuple(rules.items())


def _elect(claims: pl.DataFrame, rules: Mapping[str, ElectionRule], terms: Terms) -> pl.DataFrame:
    half_lives = pl.DataFrame(
        {"attribute": list(rules), "half_life_days": [rule.half_life_days for rule in rules.values()]},
        schema={"attribute": pl.String, "half_life_days": pl.Float64},
    )
    trust = terms.trust.join(half_lives, on="attribute", how="left", maintain_order="left")
    return elect(weigh_claims(claims, trust, today=terms.today), rules, terms.pins, today=terms.today)
