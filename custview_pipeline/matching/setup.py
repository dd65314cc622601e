"""What matching is given: thresholds, limits and rules by entity type, and a model with what it froze."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.matching.blocking import BlockingLimits
from custview_pipeline.matching.frequencies import Frequencies
from custview_pipeline.matching.model import MatchModel
from custview_pipeline.matching.verdicts import PatternRules

_GROWN: Final = 2  # times as many records as frequencies were counted on


@dataclass(frozen=True, slots=True)
class TypeSettings:
    """What the rulebook says about one entity type.

    Attributes:
        compared: Names of the comparisons that count.
        rules: Rules beside the model.
        largest_component: Records beyond which a component is cut at stronger pairs, and no customer grows.
        suspicious_size: Records beyond which a customer is shown to a steward.
    """

    compared: tuple[str, ...]
    rules: PatternRules
    largest_component: int
    suspicious_size: int


@dataclass(frozen=True, slots=True)
class MatchSettings:
    """What the rulebook says about matching, and what the machine allows.

    Attributes:
        match_weight: Bits of evidence above which records are one customer.
        review_weight: Bits from which on a pair is a POSSIBLE_MATCH.
        limits: Caps and budgets of blocking.
        types: By entity type.
        threads: How many processors work at once.
    """

    match_weight: float
    review_weight: float
    limits: BlockingLimits
    types: Mapping[EntityType, TypeSettings]
    threads: int


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a model version holds: with it records are scored as before, whatever came since.

    Attributes:
        model: The model.
        frequencies: What was counted when it was learned; None: it is to be counted now.
    """

    model: MatchModel
    frequencies: Frequencies | None

    def has_grown(self, record_count: int) -> bool:
        """Tell whether there are so many records by now that their frequencies should be counted anew."""
        return self.frequencies is not None and record_count >= _GROWN * max(1, self.frequencies.record_count)
