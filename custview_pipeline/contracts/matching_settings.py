"""The part ``matching`` of the rulebook: thresholds, limits, the comparisons that count, rules beside the model."""

from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.comparison_outcomes import COMPARISON_OUTCOMES
from custview_pipeline.contracts.matching_rules import (
    CANNOT_MATCH,
    MUST_MATCH,
    PlacedRule,
    Rules,
    check_rules,
    nearest_or_all,
)
from custview_pipeline.contracts.written_model import WrittenModel
from custview_pipeline.contracts.yaml_text import YamlText


def _comparison(name: str, field: ValidationInfo) -> str:
    """Refuse a name that is no comparison of the entity type that the field is named after."""
    known = COMPARISON_OUTCOMES[EntityType(str(field.field_name))]
    if name not in known:
        raise ValueError(f"no comparison of {field.field_name} records{nearest_or_all(name, known)}")
    return name


def _in_order(names: tuple[str, ...], field: ValidationInfo) -> tuple[str, ...]:
    return tuple(name for name in COMPARISON_OUTCOMES[EntityType(str(field.field_name))] if name in names)


Bits = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=1)]
Comparisons = Annotated[tuple[Annotated[str, AfterValidator(_comparison)], ...], Field(min_length=1), AfterValidator(_in_order)]


class Compared(WrittenModel):
    """The comparisons that count, by entity type, in the order in which they are made."""

    person: Comparisons = tuple(COMPARISON_OUTCOMES[EntityType.PERSON])
    enterprise: Comparisons = tuple(COMPARISON_OUTCOMES[EntityType.ENTERPRISE])

    def __getitem__(self, entity_type: EntityType) -> tuple[str, ...]:
        """Return those of one entity type."""
        return self.person if entity_type is EntityType.PERSON else self.enterprise


class RecordLimits(WrittenModel):
    """Numbers of records by entity type."""

    person: Count
    enterprise: Count

    def __getitem__(self, entity_type: EntityType) -> int:
        """Return that of one entity type."""
        return self.person if entity_type is EntityType.PERSON else self.enterprise


class MaxComponent(RecordLimits):
    """Most records in a component that is closed pair by pair."""

    person: Count = 300
    enterprise: Count = 300


class SuspiciousSize(RecordLimits):
    """Records of one customer beyond which a steward is asked."""

    person: Count = 25
    enterprise: Count = 60


class Matching(WrittenModel):
    """When two records are one customer.

    Attributes:
        match_weight: Evidence in bits above which a pair is a MATCH.
        review_weight: Evidence in bits from which it is a POSSIBLE_MATCH, for a steward to decide.
        block_cap: Records that may share a blocking token before the token is too common to block by.
        pair_budget: Most candidate pairs a record may bring, on average.
        max_component: Most records in a component that is closed pair by pair.
        suspicious_size: A customer with more records becomes a review task.
        must_match: Rules that make a pair a MATCH; the first that holds is the one named.
        cannot_match: Rules that keep two records apart; they go before ``must_match``.
        compare: The comparisons that count.
    """

    match_weight: Bits = 0.5
    review_weight: Bits = -1.0
    block_cap: Count = 150
    pair_budget: Count = 100
    max_component: MaxComponent = MaxComponent()
    suspicious_size: SuspiciousSize = SuspiciousSize()
    must_match: Rules = MUST_MATCH
    cannot_match: Rules = CANNOT_MATCH
    compare: Compared = Compared()

    @model_validator(mode="after")
    def _weights_in_order(self) -> "Matching":
        if self.review_weight > self.match_weight:
            raise ValueError("review_weight should not lie above match_weight")
        return self


def check_matching(matching: Matching, written: YamlText) -> None:
    """Refuse what only the rules, the comparisons that count and the defaults together show to be wrong.

    Raises:
        ProjectInvalid: As ``check_rules`` says; names file and line.
    """
    rules = [
        PlacedRule(rule, ("matching", kind, place) if kind in matching.model_fields_set else ())
        for kind in ("must_match", "cannot_match")
        for place, rule in enumerate(getattr(matching, kind))
    ]
    compared = {entity_type: matching.compare[entity_type] for entity_type in EntityType}
    check_rules(sorted(rules, key=lambda placed: bool(placed.path)), compared, written)
