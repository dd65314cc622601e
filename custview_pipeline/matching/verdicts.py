"""What the rules of the rulebook say of packed patterns: pairs that must be one customer, pairs that cannot be."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.matching_rules import MatchRule
from custview_pipeline.matching.comparisons import Comparison
from custview_pipeline.matching.patterns import LEVEL_BITS, Bools, Ints, level_at

RuleNumbers = npt.NDArray[np.int16]

_LEVELS: Final = 1 << LEVEL_BITS


@dataclass(frozen=True, slots=True)
class PatternRule:
    """One rule.

    Attributes:
        name: As edges show it.
        entity_type: Whom it is about; None: everybody.
        when: Outcomes by comparison. Of each comparison that is named one of the outcomes must hold; silence is no outcome.
    """

    name: str
    entity_type: EntityType | None
    when: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class _Condition:
    """What one comparison of a pattern has to say: its place, and whether each level, by number, satisfies the rule."""

    place: int
    satisfies: Bools


def rules_about(entity_type: EntityType, rules: Iterable[MatchRule]) -> tuple[PatternRule, ...]:
    """Return the written rules that are about records of one entity type, in their order."""
    return tuple(
        PatternRule(rule.name, rule.entity_type, {name: frozenset(outcomes) for name, outcomes in rule.when.items()})
        for rule in rules
        if rule.is_about(entity_type)
    )


class PatternRules:
    """Rules about the records of one entity type, read against the patterns of certain comparisons.

    A rule that needs a comparison which is not among these never applies.
    """

    def __init__(self, must: Sequence[PatternRule], cannot: Sequence[PatternRule], comparisons: tuple[Comparison, ...]) -> None:
        """Take the rules in their order, and the comparisons in the order of the packed patterns.

        Raises:
            ValueError: A comparison has no such outcome; the rulebook was not read by ``parse_rulebook``.
        """
        self._rules = (tuple(must), tuple(cannot))
        self._must = [_conditions(rule, comparisons) for rule in must]
        self._cannot = [_conditions(rule, comparisons) for rule in cannot]

    @property
    def must_names(self) -> tuple[str, ...]:
        """Return the names that the numbers of ``must`` stand for: the first is number 1."""
        return tuple(rule.name for rule in self._rules[0])

    @property
    def cannot_names(self) -> tuple[str, ...]:
        """Return the names that the numbers of ``cannot`` stand for: the first is number 1."""
        return tuple(rule.name for rule in self._rules[1])

    def among(self, comparisons: tuple[Comparison, ...]) -> "PatternRules":
        """Return the same rules for patterns of other comparisons."""
        return PatternRules(*self._rules, comparisons)

    def must(self, patterns: Ints) -> RuleNumbers:
        """Return of each pattern the number of the first rule by which the pair must be one customer.

        Returns:
            Numbers from 1 on; 0 where no rule holds, and where a rule says that the pair cannot be.
        """
        numbers = _first_that_holds(self._must, patterns)
        held = np.flatnonzero(numbers)
        numbers[held[self.cannot(patterns[held]) > 0]] = 0
        return numbers

    def cannot(self, patterns: Ints) -> RuleNumbers:
        """Return of each pattern the number of the first rule by which the pair cannot be one customer; 0 where none holds."""
        return _first_that_holds(self._cannot, patterns)


def _conditions(rule: PatternRule, comparisons: tuple[Comparison, ...]) -> tuple[_Condition, ...] | None:
    """Return what a rule demands of patterns of these comparisons; None where they do not say it."""
    places = {comparison.name: place for place, comparison in enumerate(comparisons)}
    if not places.keys() >= rule.when.keys():
        return None
    return tuple(
        _Condition(places[name], _satisfying(comparisons[places[name]], outcomes)) for name, outcomes in rule.when.items()
    )


def _satisfying(comparison: Comparison, outcomes: frozenset[str]) -> Bools:
    satisfies = np.zeros(_LEVELS, np.bool_)
    satisfies[[comparison.outcomes.index(outcome) + 1 for outcome in outcomes]] = True
    return satisfies


def _first_that_holds(rules: Sequence[tuple[_Condition, ...] | None], patterns: Ints) -> RuleNumbers:
    numbers = np.zeros(len(patterns), np.int16)
    for number in range(len(rules), 0, -1):  # backwards, so that the first rule that holds is the last to write
        conditions = rules[number - 1]
        if conditions is not None:
            numbers[_rows_where(conditions, patterns)] = number
    return numbers


def _rows_where(conditions: tuple[_Condition, ...], patterns: Ints) -> Ints:
    """Return the rows whose pattern satisfies all conditions; each condition is asked of what the ones before left."""
    first, *others = conditions
    rows = np.flatnonzero(first.satisfies[level_at(patterns, first.place)])
    for condition in others:
        rows = rows[condition.satisfies[level_at(patterns[rows], condition.place)]]
    return rows
