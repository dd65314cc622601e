"""The survivorship rules of the rulebook: which value of a customer's records survives, by entity type and attribute."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self, get_args

from pydantic import AfterValidator, Field, model_validator

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.written_model import WrittenModel
from custview_pipeline.contracts.yaml_text import KeyPath, suggest

Strategy = Literal["most_trusted", "most_recent", "most_frequent", "most_complete", "longest", "earliest", "any"]
Aggregate = Literal["min", "max", "sum"]
Keep = Literal["best", "all"]

STRATEGIES: Final[tuple[Strategy, ...]] = get_args(Strategy)
LAST_STRATEGY: Final[Strategy] = "any"  # it leaves no two candidates equal, so nothing after it can decide
_LONGEST_AGE: Final = 36_500  # days


def _sorted(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise ValueError("names no source")
    return tuple(sorted(set(names)))


def _golden(name: str) -> str:
    if name not in GOLDEN_ATTRIBUTES:
        raise ValueError(f"no golden attribute{suggest(name, GOLDEN_ATTRIBUTES)}")
    return name


Days = Annotated[int, Field(strict=True, ge=1, le=_LONGEST_AGE)]
Sources = Annotated[tuple[str, ...], AfterValidator(_sorted)]


class Preference(WrittenModel):
    """One thing by which a candidate goes before another; the conditions say for which candidates it speaks.

    Attributes:
        strategy: What is looked at.
        only_from: Source systems, sorted; a candidate of another one loses against theirs.
        newer_than_days: A candidate that changed so many days ago, or earlier, loses against those that changed later.
        if_valid: Whether an invalid candidate has no part in it. A valid one goes before it in any case.
    """

    strategy: Strategy
    only_from: Sources | None = None
    newer_than_days: Days | None = None
    if_valid: Annotated[bool, Field(strict=True)] = False

    @property
    def is_conditional(self) -> bool:
        """Return whether it speaks for some candidates only."""
        return self.only_from is not None or self.newer_than_days is not None or self.if_valid


def _useful(preferences: tuple[Preference, ...]) -> tuple[Preference, ...]:
    if not preferences:
        raise ValueError("names no strategy")
    for place, preference in enumerate(preferences):
        if preference in preferences[:place]:
            raise ValueError(f"{preference.strategy!r} is named twice, and the second one can never decide")
        if preference.strategy == LAST_STRATEGY and not preference.is_conditional and preference is not preferences[-1]:
            raise ValueError(f"nothing after {LAST_STRATEGY!r} can ever decide")
    return preferences


Preferences = Annotated[tuple[Preference, ...], AfterValidator(_useful)]
_DEFAULT: Final = (
    Preference(strategy="most_trusted"),
    Preference(strategy="most_recent"),
    Preference(strategy="most_frequent"),
)


class DefaultRule(WrittenModel):
    """What holds for every attribute without a rule of its own.

    Attributes:
        prefer: In order of preference; the first that tells two candidates apart decides.
        half_life_days: Days after which a value is trusted half as much; None: age takes no trust.
    """

    prefer: Preferences | None = None
    half_life_days: Days | None = None


class AttributeRule(DefaultRule):
    """What holds for one attribute.

    Attributes:
        keep: ``best`` keeps the winner alone, ``all`` each different valid value beside it.
        aggregate: Of an open number: the smallest, the largest, or the sum of what the records say.
    """

    keep: Keep | None = None
    aggregate: Aggregate | None = None

    @model_validator(mode="after")
    def _one_outcome(self) -> Self:
        if self.keep == "all" and self.aggregate is not None:
            raise ValueError(f"'keep: all' and 'aggregate: {self.aggregate}' contradict each other")
        return self


AttributeRules = dict[Annotated[str, AfterValidator(_golden)], AttributeRule]


class RulesOfType(WrittenModel):
    """Rules for customers of one entity type; what they do not say is said by those for all."""

    default: DefaultRule | None = None
    attributes: AttributeRules = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ElectionRule:
    """The rule that holds for one attribute of one entity type, everything filled in.

    Attributes:
        prefer: In order of preference.
        half_life_days: Days after which a value is trusted half as much; None: age takes no trust.
        keeps_all: Whether each different valid value is kept beside the winner.
        aggregate: What is made of open numbers; None where one of them is elected.
    """

    prefer: tuple[Preference, ...] = _DEFAULT
    half_life_days: int | None = None
    keeps_all: bool = False
    aggregate: Aggregate | None = None


class Survivorship(WrittenModel):
    """Which value of a customer's records survives.

    Attributes:
        default: For every attribute not named.
        attributes: By golden attribute.
        person: For persons, before the general rules.
        enterprise: For enterprises, before the general rules.
    """

    default: DefaultRule = DefaultRule(prefer=_DEFAULT)
    attributes: AttributeRules = Field(default_factory=dict)
    person: RulesOfType = RulesOfType()
    enterprise: RulesOfType = RulesOfType()

    def of(self, attribute: str, entity_type: EntityType) -> ElectionRule:
        """Return the rule that holds for one golden attribute of customers of one type.

        What one rule does not say is said by the next: that of the type for the attribute, that of all for the attribute, the
        default of the type, the default of all. ``keep`` and ``aggregate`` are one thing to say.
        """
        stated = [rule for _, rule in self.chain(attribute, entity_type)]
        prefer = next((rule.prefer for rule in stated if rule.prefer is not None), _DEFAULT)
        half_life = next((rule.half_life_days for rule in stated if rule.half_life_days is not None), None)
        outcomes = [(rule.keep, rule.aggregate) for rule in stated if isinstance(rule, AttributeRule)]
        keep, aggregate = next((outcome for outcome in outcomes if outcome != (None, None)), (None, None))
        return ElectionRule(prefer, half_life, keep == "all", aggregate)

    def chain(self, attribute: str, entity_type: EntityType) -> Iterator[tuple[KeyPath, DefaultRule]]:
        """Yield the rules that may say something about an attribute, the nearest first, each with its place in the rulebook."""
        own: RulesOfType = getattr(self, entity_type.value)
        if attribute in own.attributes:
            yield (entity_type.value, "attributes", attribute), own.attributes[attribute]
        if attribute in self.attributes:
            yield ("attributes", attribute), self.attributes[attribute]
        if own.default is not None:
            yield (entity_type.value, "default"), own.default
        yield ("default",), self.default
