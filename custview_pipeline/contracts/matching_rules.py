"""Rules that a steward writes beside the match model: pairs that must be one customer, pairs that cannot be."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.comparison_outcomes import COMPARISON_OUTCOMES
from custview_pipeline.contracts.written_model import WrittenModel
from custview_pipeline.contracts.yaml_text import KeyPath, YamlText, suggest

# What an edge names where no rule of the rulebook decided; no rule may be called so.
MODEL: Final = "model"
STEWARD: Final = "steward decision"
PROMISE: Final = "source promises unique customers"

_MOST_RULES: Final = 100  # of one kind; each costs a pass over every pair
_LONGEST_NAME: Final = 80


def _name(written: str) -> str:
    if written.strip() != written or not written.isprintable():
        raise ValueError("should be one line of text without spaces around it")
    if written.casefold() in (MODEL, STEWARD, PROMISE):
        raise ValueError(f"{written!r} says that no rule decided; choose another name")
    return written


def _outcomes(written: Any) -> tuple[str, ...]:
    """Return one outcome, or a list of them, in an order of its own: the order as written means nothing."""
    outcomes = [written] if isinstance(written, str) else written
    if not isinstance(outcomes, list | tuple) or not outcomes or not all(isinstance(outcome, str) for outcome in outcomes):
        raise ValueError("should be an outcome or a list of outcomes")
    return tuple(sorted(set(outcomes)))


def _some(conditions: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    if not conditions:
        raise ValueError("a rule needs a condition at least, such as {birth_date: same}")
    return conditions


class MatchRule(WrittenModel):
    """A rule that decides a pair of records whatever the weight of its evidence.

    Attributes:
        name: As edges and explanations show it.
        entity_type: Whom it is about; None: persons and enterprises alike.
        when: Outcomes by comparison (``contracts.comparison_outcomes``). Of each comparison that is named one of the outcomes
            must hold; where either record is silent none does.
    """

    name: Annotated[str, Field(min_length=1, max_length=_LONGEST_NAME), AfterValidator(_name)]
    entity_type: EntityType | None = None
    when: Annotated[dict[str, Annotated[tuple[str, ...], BeforeValidator(_outcomes)]], AfterValidator(_some)]

    def is_about(self, entity_type: EntityType) -> bool:
        """Return whether the rule is about records of this type."""
        return self.entity_type in (None, entity_type)


Rules = Annotated[tuple[MatchRule, ...], Field(max_length=_MOST_RULES)]

MUST_MATCH: Final = (
    MatchRule(
        name="same identifier and birth date",
        entity_type=EntityType.PERSON,
        when={"identifier": ("same",), "birth_date": ("same",)},
    ),
    MatchRule(
        name="same identifier and enterprise name",
        entity_type=EntityType.ENTERPRISE,
        when={"identifier": ("same",), "enterprise_name": ("same",)},
    ),
)
CANNOT_MATCH: Final = (
    MatchRule(name="Jr is not Sr", entity_type=EntityType.PERSON, when={"name_suffix": ("differs",)}),
    MatchRule(name="national ids differ", when={"identifier": ("national_id_differs",)}),
)


@dataclass(frozen=True, slots=True)
class PlacedRule:
    """A rule and where it is written; a default rule is written nowhere and its path is empty."""

    rule: MatchRule
    path: KeyPath


def check_rules(rules: Sequence[PlacedRule], compared: Mapping[EntityType, Sequence[str]], written: YamlText) -> None:
    """Refuse rules that cannot mean what their author wanted.

    Default rules are not held against ``compared``: where it leaves out what they need, they do not apply.

    Args:
        rules: All rules that hold, the default ones first.
        compared: The comparisons that count.
        written: The file that the paths are of.

    Raises:
        ProjectInvalid: A name is used twice; a comparison is unknown, not made for the entity type or does not count; an
            outcome is unknown. Names file and line.
    """
    names: set[str] = set()
    for placed in rules:
        name = placed.rule.name
        if name.casefold() in names:
            raise written.invalid(f"there is a rule {name!r} already", *placed.path, "name")
        names.add(name.casefold())
        if placed.path:
            _check_conditions(placed, compared, written)


def _check_conditions(placed: PlacedRule, compared: Mapping[EntityType, Sequence[str]], written: YamlText) -> None:
    for entity_type in filter(placed.rule.is_about, EntityType):
        for comparison, outcomes in placed.rule.when.items():
            path = (*placed.path, "when", comparison)
            if comparison not in COMPARISON_OUTCOMES[entity_type]:
                raise written.invalid(_no_comparison(comparison, entity_type, placed.rule), *path)
            if comparison not in compared[entity_type]:
                raise written.invalid(f"{comparison!r} does not count: matching.compare.{entity_type} leaves it out", *path)
            known = COMPARISON_OUTCOMES[entity_type][comparison]
            for outcome in outcomes:
                if outcome not in known:
                    what = f"no outcome {outcome!r} of {comparison} between {entity_type} records"
                    raise written.invalid(what + nearest_or_all(outcome, known), *_path_of(outcome, path, written))


def _no_comparison(name: str, entity_type: EntityType, rule: MatchRule) -> str:
    others = [other for other in EntityType if name in COMPARISON_OUTCOMES[other]]
    what = f"no comparison {name!r} of {entity_type} records"
    if others and rule.entity_type is None:
        return f"{what}; give the rule 'entity_type: {others[0]}'"
    return what + nearest_or_all(name, COMPARISON_OUTCOMES[entity_type])


def nearest_or_all(word: str, known: Iterable[str]) -> str:
    """Return the hint that names the known word nearest to ``word``, or all of them where none is near."""
    names = list(known)
    return suggest(word, names) or f"; known are {', '.join(names)}"


def _path_of(outcome: str, path: KeyPath, written: YamlText) -> KeyPath:
    """Return where an outcome is written: at the comparison, or as an item of its list."""
    at = (spot for spot, text in written.scalars.items() if spot[: len(path)] == path and text == outcome)
    return next(at, path)
