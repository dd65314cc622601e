"""The rules of the rulebook read as a steward would read them."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.comparison_outcomes import COMPARISON_OUTCOMES
from custview_pipeline.contracts.matching_rules import CANNOT_MATCH, MUST_MATCH
from custview_pipeline.matching.comparisons import COMPARISONS
from custview_pipeline.matching.patterns import LEVEL_BITS
from custview_pipeline.matching.verdicts import PatternRule, PatternRules, rules_about

PERSON = COMPARISONS[EntityType.PERSON]
ENTERPRISE = COMPARISONS[EntityType.ENTERPRISE]
BY_NAME = {comparison.name: comparison for comparison in PERSON}

Said = dict[str, str]


def pattern(said: Said, comparisons=PERSON) -> int:
    """Return the packed pattern of a pair of which the comparisons say this; the others are silent."""
    names = [comparison.name for comparison in comparisons]
    levels = {name: comparisons[names.index(name)].outcomes.index(outcome) + 1 for name, outcome in said.items()}
    return sum(level << (LEVEL_BITS * names.index(name)) for name, level in levels.items())


def rule(name: str, **when: str) -> PatternRule:
    """Return a rule; several outcomes of a comparison are parted by spaces."""
    return PatternRule(name, None, {comparison: frozenset(outcomes.split()) for comparison, outcomes in when.items()})


def read_plainly(rules: Sequence[PatternRule], said: Said) -> int:
    """Return the number of the first rule that holds, read as it is written; 0 where none does."""
    for number, each in enumerate(rules, 1):
        if all(said.get(comparison) in outcomes for comparison, outcomes in each.when.items()):
            return number
    return 0


def verdict(rules: PatternRules, *pairs: Said) -> tuple[list[int], list[int]]:
    patterns = np.array([pattern(said) for said in pairs], np.int64)
    return rules.must(patterns).tolist(), rules.cannot(patterns).tolist()


def test_the_words_of_the_rulebook_are_those_of_the_comparisons():
    told = {each: {one.name: one.outcomes for one in comparisons} for each, comparisons in COMPARISONS.items()}
    assert told == COMPARISON_OUTCOMES
    assert [tuple(told[each]) for each in told] == [tuple(COMPARISON_OUTCOMES[each]) for each in told]


@pytest.mark.parametrize(
    ("said", "must", "cannot"),
    [
        ({"identifier": "same", "birth_date": "same"}, "same identifier and birth date", None),
        ({"identifier": "same", "birth_date": "same", "family_name": "differs"}, "same identifier and birth date", None),
        ({"identifier": "same", "birth_date": "same", "name_suffix": "same"}, "same identifier and birth date", None),
        ({"identifier": "same", "birth_date": "same", "name_suffix": "differs"}, None, "Jr is not Sr"),
        ({"name_suffix": "differs", "identifier": "national_id_differs"}, None, "Jr is not Sr"),
        ({"identifier": "same", "birth_date": "one_part"}, None, None),
        ({"identifier": "same"}, None, None),
        ({"identifier": "differs", "birth_date": "same"}, None, None),
        ({"identifier": "national_id_differs", "birth_date": "same"}, None, "national ids differ"),
        ({}, None, None),
    ],
)
def test_the_default_rules_about_persons(said, must, cannot):
    rules = PatternRules(rules_about(EntityType.PERSON, MUST_MATCH), rules_about(EntityType.PERSON, CANNOT_MATCH), PERSON)
    (must_number,), (cannot_number,) = verdict(rules, said)
    assert (None, *rules.must_names)[must_number] == must
    assert (None, *rules.cannot_names)[cannot_number] == cannot


@pytest.mark.parametrize(
    ("said", "must", "cannot"),
    [
        ({"identifier": "same", "enterprise_name": "same"}, 1, 0),
        ({"identifier": "same", "enterprise_name": "contained"}, 0, 0),
        ({"identifier": "national_id_differs", "enterprise_name": "same"}, 0, 1),
    ],
)
def test_the_default_rules_about_enterprises(said, must, cannot):
    about = EntityType.ENTERPRISE
    rules = PatternRules(rules_about(about, MUST_MATCH), rules_about(about, CANNOT_MATCH), ENTERPRISE)
    patterns = np.array([pattern(said, ENTERPRISE)])
    assert (rules.must(patterns).tolist(), rules.cannot(patterns).tolist()) == ([must], [cannot])


def test_a_rule_is_told_to_its_entity_type_alone():
    assert [each.name for each in rules_about(EntityType.PERSON, CANNOT_MATCH)] == ["Jr is not Sr", "national ids differ"]
    assert [each.name for each in rules_about(EntityType.ENTERPRISE, CANNOT_MATCH)] == ["national ids differ"]


def test_the_first_rule_that_holds_is_the_one_named():
    rules = PatternRules(
        [rule("a", email="same", phone="same"), rule("b", email="same similar"), rule("c", phone="same")], [], PERSON
    )
    pairs = [{"email": "same", "phone": "same"}, {"email": "similar", "phone": "same"}, {"phone": "same"}, {"phone": "differs"}]
    assert verdict(rules, *pairs) == ([1, 2, 3, 0], [0, 0, 0, 0])


def test_a_rule_that_needs_a_comparison_which_is_not_made_never_applies():
    rules = PatternRules([rule("a", email="same", phone="same"), rule("b", email="same")], [rule("c", gender="differs")], PERSON)
    used = (BY_NAME["given_name"], BY_NAME["email"])
    fewer = rules.among(used)
    patterns = np.array([pattern({"email": "same"}, used), pattern({"given_name": "same"}, used)])
    assert fewer.must(patterns).tolist() == [2, 0]
    assert fewer.cannot(patterns).tolist() == [0, 0]
    assert (fewer.must_names, fewer.cannot_names) == (("a", "b"), ("c",))


def test_no_rules_and_no_patterns_say_nothing():
    nothing = PatternRules([], [], PERSON)
    assert verdict(nothing, {"email": "same"}) == ([0], [0])
    assert nothing.must(np.array([], np.int64)).dtype == np.int16
    assert len(PatternRules([rule("a", email="same")], [], PERSON).must(np.array([], np.int64))) == 0


def some_outcomes(name: str) -> st.SearchStrategy[str]:
    return st.sets(st.sampled_from(BY_NAME[name].outcomes), min_size=1).map(" ".join)


SAID = st.fixed_dictionaries({}, optional={name: st.sampled_from(each.outcomes) for name, each in BY_NAME.items()})
NAMES = st.lists(st.sampled_from(list(BY_NAME)), min_size=1, max_size=3, unique=True)
RULE = NAMES.flatmap(lambda names: st.fixed_dictionaries({name: some_outcomes(name) for name in names}))
RULES = st.lists(RULE, max_size=4).map(lambda written: [rule(str(place), **when) for place, when in enumerate(written)])


@given(st.lists(SAID, max_size=12), RULES, RULES)
def test_patterns_are_judged_as_a_reader_of_the_rules_would(pairs, must, cannot):
    read = [(read_plainly(must, said), read_plainly(cannot, said)) for said in pairs]
    assert verdict(PatternRules(must, cannot, PERSON), *pairs) == (
        [0 if forbidden else number for number, forbidden in read],
        [forbidden for _, forbidden in read],
    )
