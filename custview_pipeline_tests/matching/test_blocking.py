"""Tests of ``custview_pipeline.matching.blocking``: who meets whom, under which caps and budgets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.match_features import FEATURES, FLAGS
from custview_pipeline.kernel.errors import PairBudgetExceeded
from custview_pipeline.matching import blocking
from custview_pipeline.matching.blocking import BlockingLimits, RuleYield, block, largest_within
from custview_pipeline.matching.frequencies import Frequencies
from custview_pipeline.matching.pairs import NEAR_FEATURES
from custview_pipeline.matching.rules import EXACT_RULES, NEIGHBOUR_RULES, STRONG_RULES, WEAK_RULES
from custview_pipeline_tests.factories import enterprise, features, person
from custview_pipeline_tests.matching.people import compared_among

LIMITS = BlockingLimits(block_cap=150, pair_budget=40)


def blocked(*rows, limits=LIMITS, entity_type=EntityType.PERSON, frozen=None):
    """Return the pairs that meet, by record id from 1 on, what each rule brought, and the frequencies that would be frozen."""
    compared = compared_among(features(*rows), entity_type, frequencies=frozen)
    found = block(compared, limits, is_frozen=frozen is not None)
    ids = compared.records.record_ids
    pairs = sorted(tuple(sorted(pair)) for pair in zip(ids[found.i].tolist(), ids[found.j].tolist(), strict=True))
    return pairs, {brought.rule: brought for brought in found.yields}, compared.frequencies.with_oversize(found.oversize)


@pytest.fixture
def tight(monkeypatch):
    """Give rules no pairs but those of their budget."""
    monkeypatch.setattr(blocking, "_LEAST_BUDGET", 0)


@pytest.mark.parametrize(
    ("sizes", "cap", "budget", "largest"),
    [
        ({}, 10, 10, 0),
        ({2: 4, 3: 1}, 10, 10, 3),
        ({2: 4, 3: 1}, 10, 7, 3),
        ({2: 4, 3: 1}, 10, 6, 2),
        ({2: 4, 3: 2, 4: 1}, 3, 99, 3),
        ({2: 4, 3: 2, 4: 1}, 1, 99, 0),
        ({2: 4, 9: 1}, 5, 99, 2),
        ({2: 4}, 10, 3, 0),
        ({2: 4}, 10, -5, 0),
    ],
    ids=[
        "no blocks", "all fit", "exactly", "over the budget", "over the cap", "all over the cap", "a gap at the cap",
        "not all of one size fit", "nothing left of the budget",
    ],
)  # fmt: skip
def test_the_smallest_blocks_come_first(sizes, cap, budget, largest):
    lengths = np.array([size for size, count in sizes.items() for _ in range(count)], np.int64)

    assert largest_within(lengths, lengths * (lengths - 1) // 2, budget=budget, cap=cap) == largest


@settings(max_examples=50)
@given(st.lists(st.integers(2, 30)), st.integers(0, 40), st.integers(-10, 900), st.randoms(use_true_random=False))
def test_blocks_keep_within_the_budget_and_one_size_is_treated_alike(lengths, cap, budget, random):
    sizes = np.array(lengths, np.int64)
    pairs = sizes * (sizes - 1) // 2
    largest = largest_within(sizes, pairs, budget=budget, cap=cap)

    assert pairs[sizes <= largest].sum() <= max(0, budget)
    assert largest <= cap
    larger = sizes[(sizes > largest) & (sizes <= cap)]
    assert not len(larger) or pairs[sizes <= larger.min()].sum() > budget, "another size would have fitted"
    order = random.sample(range(len(sizes)), len(sizes))
    assert largest_within(sizes[order], pairs[order], budget=budget, cap=cap) == largest


def test_a_block_over_the_cap_brings_no_pairs_and_is_counted():
    crowd = [person(given=f"a{n}", phones=["2025550100"]) for n in range(6)]
    pairs, rules, _ = blocked(
        *crowd, person(phones=["2025550177"]), person(phones=["2025550177"], given="otto"), limits=BlockingLimits(5, 40)
    )

    assert rules["phones"] == RuleYield("phones", 1, 2, 1, 15, 6)
    assert (7, 8) in pairs


@pytest.mark.usefixtures("tight")
def test_all_rules_together_keep_within_the_budget():
    rows = [
        person(given="ada", family=f"king{n % 2}", phones=[f"20255501{n % 3:02}"], postal_code="10001", email=f"m{n}@x.example")
        for n in range(12)
    ]
    pairs, rules, _ = blocked(*rows, limits=BlockingLimits(150, 1))

    assert sum(brought.pairs for brought in rules.values()) <= 12
    assert len(pairs) <= 12
    assert sum(brought.dropped_pairs for brought in rules.values()) > 0


@pytest.mark.usefixtures("tight")
def test_a_rule_has_a_budget_of_its_own():
    rows = [person(family="king", birth_date=f"197{n}-03-0{n + 1}") for n in range(4)]
    _, rules, _ = blocked(*rows, limits=BlockingLimits(150, 1000))

    assert (rules["family"].pairs, rules["family"].dropped_pairs) == (0, 6), "a weak rule may bring half a pair a record"


@pytest.mark.usefixtures("tight")
def test_neighbours_keep_within_the_budget_and_what_they_drop_is_counted():
    rows = [person(family=family, given="ada", birth_date="1970-03-05") for family in ("kings", "kingz") for _ in range(3)]
    _, rules, _ = blocked(*rows, limits=BlockingLimits(1, 1))
    brought = rules["family one edit apart + given_group"]

    assert (brought.pairs, brought.dropped_pairs, brought.largest_dropped) == (0, 9, 9)


def test_pairs_are_distinct_and_in_order():
    compared = compared_among(
        features(*(person(given="ada", family="king", phones=["2025550100"], email="a@x.example") for _ in range(3)))
    )
    found = block(compared, LIMITS, is_frozen=False)

    assert list(zip(found.i.tolist(), found.j.tolist(), strict=True)) == [(0, 1), (0, 2), (1, 2)]


MEETINGS = {
    "names swapped": ({"given": "ada", "family": "king"}, {"given": "king", "family": "ada"}),
    "letter added": ({"given": "rosa", "family": "bishop"}, {"given": "rosa", "family": "bischop"}),
    "letters swapped": ({"given": "martin", "family": "oakley"}, {"given": "matrin", "family": "oakley"}),
    "one phone of two": ({"phones": ["2025550143", "2025550999"]}, {"phones": ["2025550143"]}),
    "one e-mail address of two": ({"emails": ["a@x.example", "b@x.example"]}, {"emails": ["b@x.example"]}),
    "digits swapped": ({"phones": ["2025551143"]}, {"phones": ["2025551134"]}),
    "phone tail": ({"phones": ["2025552143"]}, {"phones": ["3035552143"]}),
    "one digit": ({"identifiers": ["us.ssn:536224567"]}, {"identifiers": ["us.ssn:536224597"]}),
    "house": ({"house_number": "12", "street": "willow"}, {"house_number": "12", "street": "willow"}),
    "nickname": ({"given": "jack", "given_group": "john", "family": "dunmore"}, {"given": "john", "family": "dunmore"}),
    "native name": ({"native_name": "A"}, {"native_name": "A"}),
}


@pytest.fixture(scope="module")
def met():
    """Return the pairs of all meetings together."""
    pairs, _, _ = blocked(*(person(**facts) for meeting in MEETINGS.values() for facts in meeting))
    return set(pairs)


@pytest.mark.parametrize("meeting", MEETINGS)
def test_records_that_share_something_meet(meeting, met):
    number = 2 * list(MEETINGS).index(meeting) + 1

    assert (number, number + 1) in met


def test_enterprises_meet_by_a_typo_in_their_name():
    pairs, _, _ = blocked(
        enterprise(words=["northwind"]), enterprise(words=["nortwhind"]), enterprise(words=["acme"]),
        entity_type=EntityType.ENTERPRISE,
    )  # fmt: skip

    assert pairs == [(1, 2)]


def test_a_mailbox_named_after_its_owner_is_no_reason_to_meet():
    rows = [person(email=f"ada@{domain}.example", is_email_from_name=True) for domain in ("a", "b", "c")]

    assert blocked(*rows)[0] == []


def test_records_two_edits_apart_do_not_meet_for_that():
    _, rules, _ = blocked(
        person(given="maria", birth_date="1970-03-05"),
        person(given="ariam", birth_date="1970-03-05"),
        person(given="karla"),
        person(given="karlo"),
    )

    assert rules["given one edit apart + birth_date"].pairs == 0


def test_records_that_are_equal_in_everything_meet_in_a_chain_however_many_they_are():
    pairs, rules, _ = blocked(
        *[person(given="ada", phones=["2025550100"])] * 6, person(given="otto"), limits=BlockingLimits(5, 0)
    )

    assert rules["phones"].pairs == 0
    linked = {record for pair in pairs for record in pair}
    assert (len(pairs) >= 5, linked) == (True, {1, 2, 3, 4, 5, 6})


def test_pairs_that_do_not_fit_in_memory_stop_the_run_and_say_what_helps():
    with pytest.raises(PairBudgetExceeded, match=r"pair_budget.*block_cap"):
        blocked(*[person(given="ada")] * 100, limits=BlockingLimits(150, 40, memory_gib=1e-6))


CROWD = [person(given=f"a{n}", phones=["2025550100"]) for n in range(6)]


def test_with_frozen_frequencies_a_block_that_was_too_large_stays_left_out():
    small = BlockingLimits(5, 40)
    pairs, _, frozen = blocked(*CROWD, limits=small)

    assert [len(keys) for keys in (frozen.oversize["phones"], frozen.oversize["phone_tails + given_initial"])] == [1, 1]
    again, rules, _ = blocked(*CROWD[:3], limits=small, frozen=Frequencies.from_frame(frozen.to_frame()))
    assert again == [pair for pair in pairs if max(pair) <= 3]
    assert (rules["phones"].pairs, rules["phones"].dropped_pairs) == (0, 3)


@pytest.mark.usefixtures("tight")
def test_with_frozen_frequencies_a_block_that_was_not_too_large_stays_used():
    small = BlockingLimits(5, 1)
    _, rules, frozen = blocked(*CROWD[:4], person(given="otto"), limits=BlockingLimits(5, 40))
    assert rules["phones"].pairs == 6

    _, rules, _ = blocked(*CROWD, limits=small, frozen=Frequencies.from_frame(frozen.to_frame()))
    assert (rules["phones"].pairs, rules["phones"].dropped_pairs) == (15, 0)


def test_with_frozen_frequencies_a_crowd_that_came_since_is_left_out_all_the_same(monkeypatch):
    monkeypatch.setattr(blocking, "_LARGEST_FROZEN_BLOCK", 5)
    _, _, frozen = blocked(*CROWD[:4], limits=BlockingLimits(5, 40))
    _, rules, _ = blocked(*CROWD, limits=BlockingLimits(5, 40), frozen=frozen)

    assert (rules["phones"].pairs, rules["phones"].dropped_pairs, rules["phones"].largest_dropped) == (0, 15, 6)
    assert rules["phones"].newly_dropped == 1, "the model did not name it: that is told"


def test_with_frozen_frequencies_a_block_that_grew_over_the_cap_keeps_its_pairs():
    _, _, frozen = blocked(*CROWD[:4], limits=BlockingLimits(5, 40))
    _, rules, _ = blocked(*CROWD, limits=BlockingLimits(5, 40), frozen=frozen)

    assert (rules["phones"].pairs, rules["phones"].newly_dropped) == (15, 0)


@pytest.mark.parametrize("rules", [EXACT_RULES, STRONG_RULES, WEAK_RULES], ids=["exact", "strong", "weak"])
def test_rules_name_features_that_exist(rules):
    for rule in rules:
        assert set(rule.features) <= set(FEATURES) - set(FLAGS)
        assert sum(FEATURES[feature].is_list for feature in rule.features) <= 1, "only one of them may be a list"
        assert rule.unless is None or rule.unless in FLAGS


def test_rules_have_names_of_their_own():
    names = [rule.name for rule in (*EXACT_RULES, *STRONG_RULES, *WEAK_RULES, *NEIGHBOUR_RULES)]

    assert len(set(names)) == len(names)


def test_neighbour_rules_seek_typos_in_features_that_have_neighbours():
    for rule in NEIGHBOUR_RULES:
        assert FEATURES[rule.feature].fuzzy_from is not None
        assert rule.feature in NEAR_FEATURES
        assert set(rule.others) <= {name for name, feature in FEATURES.items() if not feature.is_list}
