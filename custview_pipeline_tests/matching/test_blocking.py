"""Tests of ``custview_pipeline.matching.blocking``, ``features`` and ``levels``: who meets whom, and how they compare."""

from contextlib import contextmanager

import pytest

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.match_features import FEATURES, FLAGS
from custview_pipeline.matching import blocking
from custview_pipeline.matching.blocking import BlockingLimits, RuleYield, block, within_budget
from custview_pipeline.matching.comparisons import COMPARISONS, describe_pattern
from custview_pipeline.matching.engine import Engine
from custview_pipeline.matching.features import OTHERS, Prepared
from custview_pipeline.matching.levels import compare, comparisons_in_use
from custview_pipeline.matching.rules import NEIGHBOUR_RULES, STRONG_RULES, WEAK_RULES
from custview_pipeline_tests.factories import enterprise, features, neighbours_of, person, tokens

LIMITS = BlockingLimits(block_cap=150, pair_budget=40)


@contextmanager
def prepared(*rows, entity_type=EntityType.PERSON):
    texts = features(*rows)
    with Engine(threads=1, memory_gib=0.5) as engine:
        yield engine, Prepared(engine, entity_type, neighbours_of(texts), tokens(texts))


def blocked(*rows, limits=LIMITS, entity_type=EntityType.PERSON):
    """Return the pairs that meet, by place in ``rows``, and what each rule brought."""
    with prepared(*rows, entity_type=entity_type) as (engine, made):
        yields = block(engine, made, limits)
        return engine.rows("select i, j from candidates"), {brought.rule: brought for brought in yields}


def compared(left, right, *others):
    """Return in words how the first two records compare."""
    entity_type = EntityType.ENTERPRISE if left["is_enterprise"] else EntityType.PERSON
    with prepared(left, right, *others, entity_type=entity_type) as (engine, made):
        comparisons = comparisons_in_use(entity_type, made)
        engine.run("create table pairs as select 0 i, 1 j")
        compare(engine, comparisons, "pairs", "compared")
        pattern = engine.value("select pattern from compared")
        return {comparison.name for comparison in comparisons}, set(describe_pattern(pattern, comparisons))


@pytest.mark.parametrize(
    ("sizes", "cap", "budget", "expected"),
    [
        ([], 10, 10, RuleYield("rule", 0, 0, 0, 0)),
        ([(2, 4, 4), (3, 1, 3)], 10, 10, RuleYield("rule", 7, 3, 0, 0)),
        ([(2, 4, 4), (3, 1, 3)], 10, 7, RuleYield("rule", 7, 3, 0, 0)),
        ([(2, 4, 4), (3, 1, 3)], 10, 6, RuleYield("rule", 4, 2, 1, 3)),
        ([(2, 4, 4), (3, 2, 6), (4, 1, 6)], 3, 99, RuleYield("rule", 10, 3, 1, 6)),
        ([(2, 4, 4), (3, 2, 6), (4, 1, 6)], 1, 99, RuleYield("rule", 0, 0, 7, 16)),
        ([(2, 4, 4)], 10, -5, RuleYield("rule", 0, 0, 4, 4)),
    ],
    ids=["no blocks", "all fit", "exactly", "over the budget", "over the cap", "all over the cap", "nothing left of the budget"],
)
def test_the_smallest_blocks_come_first_and_what_does_not_fit_is_counted(sizes, cap, budget, expected):
    assert within_budget("rule", sizes, cap=cap, budget=budget) == expected


def test_a_block_over_the_cap_brings_no_pairs_and_is_counted():
    crowd = [person(phones=["2025550100"]) for _ in range(6)]
    pairs, rules = blocked(*crowd, person(phones=["2025550177"]), person(phones=["2025550177"]), limits=BlockingLimits(5, 40))

    assert rules["phones"] == RuleYield("phones", 1, 2, 1, 15)
    assert (6, 7) in pairs


def test_all_rules_together_keep_within_the_budget(monkeypatch):
    monkeypatch.setattr(blocking, "_LEAST_BUDGET", 0)
    rows = [person(given="ada", family=f"king{n % 2}", phones=[f"20255501{n % 3:02}"], postal_code="10001") for n in range(12)]
    pairs, rules = blocked(*rows, limits=BlockingLimits(150, 1))

    assert sum(brought.pairs for brought in rules.values()) <= 12
    assert len(pairs) <= 12
    assert sum(brought.dropped_pairs for brought in rules.values()) > 0


def test_a_rule_has_a_budget_of_its_own(monkeypatch):
    monkeypatch.setattr(blocking, "_LEAST_BUDGET", 0)
    _, rules = blocked(*(person(family="king") for _ in range(4)), limits=BlockingLimits(150, 1000))

    assert rules["family"].pairs == 0, "a weak rule may bring a pair a record"
    assert rules["family"].dropped_pairs == 6


def test_neighbours_keep_within_the_budget_and_what_they_drop_is_counted(monkeypatch):
    monkeypatch.setattr(blocking, "_LEAST_BUDGET", 0)
    rows = [person(family=family, given="ada", birth_date="1970-03-05") for family in ("kings", "kingz") for _ in range(3)]
    _, rules = blocked(*rows, limits=BlockingLimits(1, 1))

    assert rules["family one edit apart + given_group"].pairs == 0
    assert rules["family one edit apart + given_group"].dropped_pairs == 9


def test_pairs_are_distinct_and_in_order():
    pairs, _ = blocked(*(person(given="ada", family="king", phones=["2025550100"], email="a@x.example") for _ in range(3)))

    assert pairs == [(0, 1), (0, 2), (1, 2)]


MEETINGS = {
    "names swapped": ({"given": "ada", "family": "king"}, {"given": "king", "family": "ada"}),
    "letter added": ({"given": "rosa", "family": "bishop"}, {"given": "rosa", "family": "bischop"}),
    "letters swapped": ({"given": "martin", "family": "oakley"}, {"given": "matrin", "family": "oakley"}),
    "one phone of two": ({"phones": ["2025550143", "2025550999"]}, {"phones": ["2025550143"]}),
    "digits swapped": ({"phones": ["2025551143"]}, {"phones": ["2025551134"]}),
    "phone tail": ({"phones": ["2025552143"]}, {"phones": ["3035552143"]}),
    "one digit": ({"identifiers": ["us.ssn:536224567"]}, {"identifiers": ["us.ssn:536224597"]}),
    "house": ({"house_number": "12", "street": "willow"}, {"house_number": "12", "street": "willow"}),
}


@pytest.fixture(scope="module")
def met():
    """Return the pairs of all meetings together."""
    pairs, _ = blocked(*(person(**facts) for meeting in MEETINGS.values() for facts in meeting))
    return set(pairs)


@pytest.mark.parametrize("meeting", MEETINGS)
def test_records_that_share_something_meet(meeting, met):
    place = 2 * list(MEETINGS).index(meeting)

    assert (place, place + 1) in met


def test_a_mailbox_named_after_its_owner_is_no_reason_to_meet():
    rows = [person(email=f"ada@{domain}.example", is_email_from_name=True) for domain in ("a", "b", "c")]

    assert blocked(*rows)[0] == []


def test_records_two_edits_apart_do_not_meet_for_that():
    _, rules = blocked(*(person(given=given, birth_date="1970-03-05") for given in ("maria", "ariam")))

    assert rules["given one edit apart + birth_date"].pairs == 0


@pytest.mark.parametrize("rules", [STRONG_RULES, WEAK_RULES])
def test_rules_name_features_that_exist(rules):
    for rule in rules:
        assert set(rule.features) <= set(FEATURES) - set(FLAGS)


def test_neighbour_rules_seek_typos_in_features_that_have_neighbours():
    for feature, others in NEIGHBOUR_RULES:
        assert FEATURES[feature].fuzzy_from is not None
        assert set(others) <= set(FEATURES)


PERSONS = [
    ({"given": "ada"}, {"given": "ada"}, "same given name"),
    ({"given": "robert"}, {"given": "bob", "given_group": "robert"}, "given names are nicknames"),
    ({"given": "martin"}, {"given": "matrin"}, "given names differ by one edit"),
    ({"given": "martin"}, {"given_initial": "m"}, "same initial"),
    ({"given": "martin"}, {"given": "marvin", "given_prefix": "mar"}, "given names differ by one edit"),
    ({"given": "martin"}, {"given": "margaret"}, "given names sound or begin alike"),
    ({"given": "ada", "family": "king"}, {"given": "king", "family": "ada"}, "given and family name swapped"),
    ({"given": "ada"}, {"given": "rose", "name_words": ["ada", "rose"]}, "given name appears elsewhere in the name"),
    ({"given": "ada"}, {"given": "otto"}, "given names differ"),
    ({"family": "winter"}, {"family": "wynter"}, "family names differ by one edit"),
    ({"family": "king"}, {"family": "rook", "name_words": ["king", "rook"]}, "family name appears elsewhere in the name"),
    ({"family": "king"}, {"family": "rook"}, "family names differ"),
    ({"name_suffix": "jr"}, {"name_suffix": "sr"}, "suffixes differ"),
    ({"birth_date": "1970-03-05"}, {"birth_date": "1970-03-05"}, "same birth date"),
    ({"birth_date": "1970-01-01"}, {"birth_date": "1970-01-01"}, "same birth date, a first of January"),
    (
        {"birth_date": "1970-03-05"},
        {"birth_date": "1970-05-03"},
        "birth dates differ in one part, or day and month are swapped",
    ),
    ({"birth_date": "1970-03-05"}, {"birth_date": "1970-01-01"}, "same birth year, day unknown"),
    ({"birth_date": "1970-03-05"}, {"birth_year": "1970"}, "same birth year, day unknown"),
    ({"birth_date": "1970-03-05"}, {"birth_date": "1970-08-09"}, "same birth year only"),
    ({"birth_date": "1970-03-05"}, {"birth_date": "1982-08-09"}, "birth years differ"),
    ({"email": "a@x.example"}, {"email": "a@x.example"}, "same e-mail address"),
    ({"email": "ak@x.example"}, {"email": "ak@y.example"}, "similar e-mail addresses"),
    ({"phones": ["2025550143"]}, {"phones": ["3035550143"]}, "similar phones"),
    ({"phones": ["2025550143"]}, {"phones": ["2025550134"]}, "similar phones"),
    ({"identifiers": ["us.ssn:536224567"]}, {"identifiers": ["us.ssn:536224597"]}, "identifiers differ by one edit"),
    ({"identifiers": ["us.ssn:536224567"]}, {"identifiers": ["us.ssn:111223333"]}, "identifiers differ"),
    ({"street": "elm", "house_number": "1"}, {"street": "elm", "house_number": "1"}, "same address"),
    ({"street": "willow", "postal_code": "10007"}, {"street": "wilow", "postal_code": "10007"}, "same street and place"),
    ({"postal_code": "10007"}, {"postal_code": "10008"}, "same area or city"),
    ({"postal_code": "10007"}, {"postal_code": "90210"}, "addresses differ"),
]  # fmt: skip


@pytest.fixture(scope="module")
def told():
    """Return in words how the two persons of each case compare; all are compared at once."""
    rows = [person(**facts) for left, right, _ in PERSONS for facts in (left, right)]
    with prepared(*rows) as (engine, made):
        comparisons = comparisons_in_use(EntityType.PERSON, made)
        engine.run(f"create table pairs as select (2 * range)::int i, (2 * range + 1)::int j from range({len(PERSONS)})")
        compare(engine, comparisons, "pairs", "compared")
        return [describe_pattern(pattern, comparisons) for (pattern,) in engine.rows("select pattern from compared order by i")]


@pytest.mark.parametrize("case", range(len(PERSONS)), ids=[f"{expected} {n}" for n, (_, _, expected) in enumerate(PERSONS)])
def test_two_persons_compare(case, told):
    assert PERSONS[case][2] in told[case]


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (["northwind", "traders"], ["northwind", "traders"], "same enterprise name"),
        (["northwind", "traders"], ["northwind", "tradres"], "enterprise names differ by one edit"),
        (["northwind", "traders"], ["traders", "northwind"], "most words of the names agree"),
        (["northwind", "traders"], ["northwind", "traders", "holding", "western"], "one name holds the other"),
        (["northwind", "traders"], ["acme", "bolts"], "enterprise names differ"),
    ],
)
def test_two_enterprises_compare(left, right, expected):
    assert expected in compared(enterprise(words=left), enterprise(words=right), enterprise(words=left))[1]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"given": "ada"}, {"family": "king"}),
        ({"name_suffix": "jr"}, {"given": "ada"}),
        ({"email": "a@x.example"}, {"phones": ["2025550143"]}),
        ({"email": "ada@x.example", "is_email_from_name": True}, {"email": "ada@y.example"}),
        ({"identifiers": ["us.ssn:536224567"]}, {"identifiers": ["passport:x1234567"]}),
    ],
    ids=["names", "suffix", "contacts", "mailboxes named after their owner", "identifiers of two schemes"],
)
def test_where_one_side_is_silent_nothing_is_compared(left, right):
    assert compared(person(**left), person(**right), person(**left), person(**right))[1] == set()


def test_what_nobody_has_is_not_compared():
    assert compared(person(given="ada"), person(given="otto"))[0] == {"given_name"}


@pytest.mark.parametrize("entity_type", EntityType)
def test_comparisons_speak_of_features_that_exist(entity_type):
    for comparison in COMPARISONS[entity_type]:
        assert set(comparison.features) <= set(FEATURES)


def test_common_values_weigh_less_than_rare_ones():
    with prepared(*[person(given="ada", phones=["2025550100"])] * 3, person(given="otto"), person()) as (engine, _):
        shares = engine.rows("select distinct exp(lf_given) from records where given is not null order by 1")
        phone = engine.value("select max(exp(lf_phones)) from records where len(phones) > 0")

    records = 5 + OTHERS
    assert [share for (share,) in shares] == pytest.approx([1 / records, 3 / records])
    assert phone == pytest.approx(3 / records)
