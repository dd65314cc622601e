"""Tests of ``custview_pipeline.matching.levels``, ``contact_levels`` and ``comparisons``: how two records compare."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.match_features import FEATURES
from custview_pipeline.matching.comparisons import COMPARISONS, comparison_named, describe_pattern
from custview_pipeline.matching.pairs import Pairs
from custview_pipeline.matching.patterns import LEVEL_BITS, count_patterns, level_at, pack, unpack
from custview_pipeline.matching.scoring import levels_of, patterns_of
from custview_pipeline_tests.factories import enterprise, features, person
from custview_pipeline_tests.matching.people import compared_among, couples

LI_A, LI_B, WU_A = (
    {"given": "wei", "family": family, "native_name": characters}
    for family, characters in (("li", "A"), ("li", "B"), ("wu", "A"))
)
SECOND_MAIL = {"email": "c@y.example", "emails": ["c@y.example", "b@x.example"]}
MADE_OF_NAME = {"is_email_from_name": True}
ELM, OAK = ({"house_number": number, "street": street} for number, street in (("1", "elmwood"), ("90", "oakwood")))
HERE, NEAR, THERE = ({"postal_code": code, "city": city} for code, city in (("10007", "a"), ("10008", "b"), ("90210", "c")))


def further(*addresses):
    """Build the lists of further addresses."""
    parts = {
        "house_number": "further_house_numbers", "street": "further_streets", "unit": "further_units",
        "city": "further_cities", "postal_code": "further_postal_codes",
    }  # fmt: skip
    return {name: [address.get(part) for address in addresses] for part, name in parts.items()}


def ids(*numbers, national=True):
    """Build what a record with these identifiers (scheme:value) has."""
    schemes = sorted({number.split(":")[0] for number in numbers})
    return {"identifiers": list(numbers)} | ({"national_ids": list(numbers), "national_id_schemes": schemes} if national else {})


PERSONS = [  # comparison, outcome, one record, the other
    ("given_name", "same", {"given": "ada"}, {"given": "ada"}),
    ("given_name", "nickname", {"given": "robert"}, {"given": "bob", "given_group": "robert"}),
    ("given_name", "nickname", {"given": "al", "given_groups": ["albert", "alan"]}, {"given": "lan", "given_groups": ["alan"]}),
    ("given_name", "one_edit", {"given": "martin"}, {"given": "matrin"}),
    ("given_name", "one_edit", {"given": "martin"}, {"given": "marvin"}),
    ("given_name", "initial", {"given": "martin"}, {"given_initial": "m"}),
    ("given_name", "sounds_alike", {"given": "martin"}, {"given": "margaret"}),
    ("given_name", "swapped", {"given": "ada", "family": "king"}, {"given": "king", "family": "ada"}),
    ("given_name", "elsewhere", {"given": "ada"}, {"given": "rose", "name_words": ["ada", "rose"]}),
    ("given_name", "differs", {"given": "ada"}, {"given": "otto"}),
    ("given_name", "differs", {"given": "ada"}, {"given_initial": "m"}),
    ("given_name", "differs", {"given": "king", "family": "ada"}, {"given": "otto", "family": "king"}),
    ("given_name", None, {"given": "ada"}, {"family": "king"}),
    ("family_name", "same", {"family": "king"}, {"family": "king"}),
    ("family_name", "one_edit", {"family": "winter"}, {"family": "wynter"}),
    ("family_name", "sounds_alike", {"family": "schmidt", "family_sound": "S"}, {"family": "zmit", "family_sound": "S"}),
    ("family_name", "elsewhere", {"family": "king"}, {"family": "rook", "name_words": ["king", "rook"]}),
    ("family_name", "begins_alike", {"family": "kingston"}, {"family": "kinloch"}),
    ("family_name", "differs", {"family": "king"}, {"family": "rook"}),
    ("family_name", None, {"given": "ada", "family": "king"}, {"given": "king", "family": "ada"}),
    ("family_name", "same", {"given": "king", "family": "king"}, {"given": "king", "family": "king"}),
    ("middle_name", "same", {"middle": "joan", "middle_initial": "j"}, {"middle": "joan", "middle_initial": "j"}),
    ("middle_name", "initial", {"middle": "joan", "middle_initial": "j"}, {"middle_initial": "j"}),
    ("middle_name", "initial", {"middle_initial": "j"}, {"middle_initial": "j"}),
    ("middle_name", "differs", {"middle": "joan", "middle_initial": "j"}, {"middle": "jill", "middle_initial": "j"}),
    ("middle_name", "differs", {"middle_initial": "j"}, {"middle_initial": "k"}),
    ("middle_name", None, {"middle_initial": "j"}, {}),
    ("name_suffix", "same", {"name_suffix": "jr"}, {"name_suffix": "jr"}),
    ("name_suffix", "differs", {"name_suffix": "jr"}, {"name_suffix": "sr"}),
    ("name_suffix", None, {"name_suffix": "jr"}, {}),
    ("birth_date", "same", {"birth_date": "1970-03-05"}, {"birth_date": "1970-03-05"}),
    ("birth_date", "same_first_of_january", {"birth_date": "1970-01-01"}, {"birth_date": "1970-01-01"}),
    ("birth_date", "one_part", {"birth_date": "1970-03-05"}, {"birth_date": "1970-05-03"}),
    ("birth_date", "one_part", {"birth_date": "1970-03-05"}, {"birth_date": "1970-03-09"}),
    ("birth_date", "one_part", {"birth_date": "1970-03-05"}, {"birth_date": "1970-04-05"}),
    ("birth_date", "one_part", {"birth_date": "1970-03-05"}, {"birth_date": "1990-03-05"}),
    ("birth_date", "year_day_unknown", {"birth_date": "1970-03-05"}, {"birth_date": "1970-01-01"}),
    ("birth_date", "year_day_unknown", {"birth_date": "1970-03-05"}, {"birth_year": "1970"}),
    ("birth_date", "year_day_unknown", {"birth_year": "1970"}, {"birth_year": "1970"}),
    ("birth_date", "year", {"birth_date": "1970-03-05"}, {"birth_date": "1970-08-09"}),
    ("birth_date", "month_or_day", {"birth_date": "1970-03-05"}, {"birth_date": "1982-03-09"}),
    ("birth_date", "differs", {"birth_date": "1970-03-05"}, {"birth_date": "1982-08-09"}),
    ("birth_date", None, {"birth_date": "1970-03-05"}, {}),
    ("email", "same", {"email": "a@x.example"}, {"email": "a@x.example"}),
    ("email", "same", {"email": "a@x.example", "emails": ["a@x.example", "b@x.example"]}, SECOND_MAIL),
    ("email", "same", {"email": "ada@x.example", **MADE_OF_NAME}, {"email": "ada@x.example", **MADE_OF_NAME}),
    ("email", "similar", {"email": "ak@x.example"}, {"email": "ak@y.example"}),
    ("email", "differs", {"email": "ak@x.example"}, {"email": "ko@x.example"}),
    ("email", None, {"email": "ada@x.example", **MADE_OF_NAME}, {"email": "ada@y.example"}),
    ("email", None, {"email": "ada@x.example"}, {}),
    ("phone", "same", {"phones": ["2025550143"]}, {"phones": ["2025550143"]}),
    ("phone", "same", {"phones": ["2025550143", "2025550999"]}, {"phones": ["3035550777", "2025550999"]}),
    ("phone", "similar", {"phones": ["2025550143"]}, {"phones": ["3035550143"]}),
    ("phone", "similar", {"phones": ["2025550143"]}, {"phones": ["2025550134"]}),
    ("phone", "similar", {"phones": ["3035550777", "2025550143"]}, {"phones": ["7075550888", "2025550134"]}),
    ("phone", "differs", {"phones": ["2025550143"]}, {"phones": ["3037770999"]}),
    ("phone", None, {"phones": ["2025550143"]}, {}),
    ("address", "same", {**ELM, **HERE}, {**ELM, **HERE}),
    ("address", "same", ELM, ELM),
    ("address", "same", {**ELM, "city": "a"}, {**ELM, "city": "a"}),
    ("address", "same", {**ELM, **HERE, "unit": "4"}, {**ELM, **HERE}),
    ("address", "other_unit", {**ELM, **HERE, "unit": "4"}, {**ELM, **HERE, "unit": "5"}),
    ("address", "place_unclear", {**ELM, **HERE}, {**ELM, **THERE}),
    ("address", "place_unclear", {**ELM, **HERE}, {"house_number": "1", "street": "elmwod", **HERE}),
    ("address", "house_and_place", {**ELM, **HERE}, {"house_number": "1", "street": "oakwood", **HERE}),
    ("address", "street_and_place", {**ELM, **HERE}, {"house_number": "9", "street": "elmwood", **HERE}),
    ("address", "street_and_place", {"street": "elmwood", **HERE}, {"street": "elmwod", **HERE}),
    ("address", "street", {**ELM, **HERE}, {"house_number": "9", "street": "elmwood", **THERE}),
    ("address", "postal_code", {**ELM, **HERE}, {**OAK, **HERE}),
    ("address", "area", HERE, NEAR),
    ("address", "area", {**ELM, "city": "a"}, {**OAK, "city": "a"}),
    ("address", "differs", HERE, THERE),
    ("address", None, {"city": "a"}, {"city": "a"}),
    ("address", None, {**ELM, **HERE}, {}),
    ("address", "same", {**OAK, **THERE, **further({**ELM, **HERE})}, {**ELM, **HERE}),
    ("address", "same", {**OAK, **further({**ELM, **HERE})}, {"street": "fir", **further({"street": "gum"}, {**ELM, **HERE})}),
    ("address", "other_unit", {**OAK, **further({**ELM, **HERE, "unit": "4"})}, {**ELM, **HERE, "unit": "5"}),
    ("address", "street_and_place", {**OAK, **THERE, **further({"street": "elmwood", **HERE})}, {"street": "elmwod", **HERE}),
    ("address", "differs", {**OAK, **THERE, **further({"street": "fir", **NEAR})}, {**ELM, **HERE, "city": "z"}),
    ("address", "same", {**ELM, **HERE, **further({**OAK, **THERE})}, {**ELM, **HERE}),
    ("address", None, {**ELM, **HERE, **further({**OAK, **THERE})}, {}),
    ("identifier", "same", ids("us.ssn:536224567"), ids("us.ssn:536224567")),
    ("identifier", "same", ids("us.ssn:536224567", "passport:x1"), ids("passport:x1")),
    ("identifier", "one_edit", ids("us.ssn:536224567"), ids("us.ssn:536224597")),
    ("identifier", "national_id_differs", ids("us.ssn:536224567"), ids("us.ssn:111223333")),
    ("identifier", "national_id_differs",
     ids("us.ssn:536224567") | {"identifiers": ["us.ssn:536224567", "policy:4711000"]},
     ids("us.ssn:111223333") | {"identifiers": ["us.ssn:111223333", "policy:4711000"]}),
    ("identifier", "differs", ids("loyalty:53622456", national=False), ids("loyalty:11122333", national=False)),
    ("identifier", None, ids("us.ssn:536224567"), ids("passport:x1234567")),
    ("identifier", None, ids("us.ssn:536224567"), {}),
    ("gender", "same", {"given": "ada", "gender": "f"}, {"given": "otto", "gender": "f"}),
    ("gender", "differs", {"given": "ada", "gender": "f"}, {"given": "otto", "gender": "m"}),
    ("gender", None, {"given": "ada", "gender": "f"}, {"given": "ada", "gender": "m"}),
    ("birth_place", "same", {"birth_place": "springfield"}, {"birth_place": "springfield"}),
    ("birth_place", "one_edit", {"birth_place": "springfield"}, {"birth_place": "sprinfgield"}),
    ("birth_place", "differs", {"birth_place": "springfield"}, {"birth_place": "shelbyville"}),
    ("birth_place", None, {"birth_place": "springfield"}, {}),
    ("occupation", "same", {"occupation": "baker"}, {"occupation": "baker"}),
    ("occupation", "differs", {"occupation": "baker"}, {"occupation": "miller"}),
    ("employer", "same", {"employer": "acmebolts"}, {"employer": "acmebolts"}),
    ("employer", "differs", {"employer": "acmebolts"}, {"employer": "northwind"}),
    ("native_name", "same", LI_A, LI_A),
    ("native_name", "differs", LI_A, LI_B),
    ("native_name", None, LI_A, WU_A),
]  # fmt: skip

ENTERPRISES = [
    ("enterprise_name", "same", {"words": ["northwind", "traders"]}, {"words": ["northwind", "traders"]}),
    ("enterprise_name", "same", {"words": ["acme"]}, {"words": ["borea"], "enterprise_names": ["borea", "acme"]}),
    ("enterprise_name", "one_edit", {"words": ["northwind", "traders"]}, {"words": ["northwind", "tradres"]}),
    ("enterprise_name", "most_words", {"words": ["northwind", "traders"]}, {"words": ["traders", "northwind"]}),
    ("enterprise_name", "contained", {"words": ["delta", "mill"]}, {"words": ["delta", "mill", "holding", "western"]}),
    ("enterprise_name", "many_words", {"words": ["ember", "gas"]}, {"words": ["fjord", "gas"]}),
    ("enterprise_name", "lead", {"words": ["one"], "enterprise_lead": "x"}, {"words": ["two"], "enterprise_lead": "x"}),
    ("enterprise_name", "some_words", {"words": ["a1", "b1", "c1", "d1"]}, {"words": ["a1", "b2", "c2", "d2"]}),
    ("enterprise_name", "differs", {"words": ["northwind", "traders"]}, {"words": ["acme", "bolts"]}),
    ("enterprise_name", None, {"words": ["northwind"]}, {}),
    ("phone", "similar", {"phones": ["2025550143"]}, {"phones": ["3035550143"]}),
    ("email", "same", {"email": "a@x.example"}, {"email": "a@x.example"}),
    ("email", "domain", {"email": "a@x.example"}, {"email": "b@x.example"}),
    ("email", "differs", {"email": "a@x.example"}, {"email": "a@y.example"}),
    ("email", None, {"email": "a@x.example"}, {}),
    ("address", "street", {**ELM, **HERE}, {"house_number": "9", "street": "elmwood", **THERE}),
    ("identifier", "national_id_differs", ids("us.ein:12345678"), ids("us.ein:87651234")),
]  # fmt: skip

CASES = [(EntityType.PERSON, *case) for case in PERSONS] + [(EntityType.ENTERPRISE, *case) for case in ENTERPRISES]
MAKE = {EntityType.PERSON: person, EntityType.ENTERPRISE: enterprise}


def compared_cases(entity_type):
    rows = [MAKE[entity_type](**facts) for of_type, *_, left, right in CASES if of_type == entity_type for facts in (left, right)]
    return compared_among(features(*rows), entity_type)


@pytest.fixture(scope="module")
def found():
    """Return the outcomes of every comparison of each case; all cases of a type are compared at once."""
    outcomes = []
    for entity_type in EntityType:
        pairs = couples(compared_cases(entity_type))
        for levels in zip(*levels_of(pairs, COMPARISONS[entity_type]), strict=True):
            named = zip(COMPARISONS[entity_type], levels, strict=True)
            outcomes.append({each.name: each.outcomes[level - 1] if level else None for each, level in named})
    return outcomes


@pytest.mark.parametrize(
    "place", range(len(CASES)), ids=[f"{n} {of_type} {name} {outcome}" for n, (of_type, name, outcome, *_) in enumerate(CASES)]
)
def test_two_records_compare(place, found):
    _, name, outcome, *_ = CASES[place]

    assert found[place][name] == outcome


@pytest.mark.parametrize("entity_type", EntityType)
def test_every_outcome_has_a_case(entity_type):
    tried = {(name, outcome) for of_type, name, outcome, *_ in CASES if of_type == entity_type}
    of_both = {(name, outcome) for _, name, outcome, *_ in CASES}  # contacts are compared alike
    alike = {"phone", "address", "identifier"}
    missing = {
        (comparison.name, outcome)
        for comparison in COMPARISONS[entity_type]
        for outcome in comparison.outcomes
        if (comparison.name, outcome) not in (of_both if comparison.name in alike else tried)
    }

    assert missing == set()


@pytest.mark.parametrize("entity_type", EntityType)
def test_both_orders_of_every_case_compare_alike(entity_type):
    pairs = couples(compared_cases(entity_type))
    turned = Pairs(pairs.compared, pairs.j, pairs.i)

    for comparison in COMPARISONS[entity_type]:
        assert comparison.compare(pairs).tolist() == comparison.compare(turned).tolist(), comparison.name


WORDS = st.sampled_from(["ada", "adam", "king", "kings", "rosa", "winter", "wynter"])
DATES = st.sampled_from(["1970-03-05", "1970-05-03", "1970-01-01", "1981-03-05"])
PHONES = st.lists(st.sampled_from(["2025550143", "2025550134", "3035550143", "7075550999"]), max_size=3, unique=True)
MAILS = st.sampled_from(["ada@x.example", "ada@y.example", "otto@x.example"])
NUMBERS = st.lists(st.sampled_from(["us.ssn:536224567", "us.ssn:536224597", "us.ssn:1112333", "pass:x1234567"]), unique=True)
ADDRESSES = st.fixed_dictionaries(
    {},
    optional={
        "house_number": st.sampled_from("12"),
        "street": st.sampled_from(["elmwood", "elmwod", "oakwood"]),
        "unit": st.sampled_from("45"),
        "city": st.sampled_from("ab"),
        "postal_code": st.sampled_from(["10007", "10008", "90210"]),
    },
)
FACTS = st.fixed_dictionaries(
    {},
    optional={
        "given": WORDS,
        "family": WORDS,
        "middle": WORDS,
        "middle_initial": st.sampled_from("ak"),
        "name_suffix": st.sampled_from(["jr", "sr"]),
        "birth_date": DATES,
        "email": MAILS,
        "emails": st.lists(MAILS, unique=True),
        "is_email_from_name": st.booleans(),
        "phones": PHONES,
        "gender": st.sampled_from("fm"),
        "native_name": st.sampled_from("AB"),
        "birth_place": WORDS,
        "given_groups": st.lists(WORDS, unique=True, max_size=2),
    },
)
PEOPLE = st.tuples(FACTS, ADDRESSES, st.lists(ADDRESSES, max_size=2), NUMBERS).map(
    lambda parts: person(**parts[0], **parts[1], **further(*parts[2]), **ids(*parts[3]))
)
FIRMS = st.tuples(
    st.lists(st.sampled_from(["acme", "bolts", "nuts", "acmee"]), max_size=3, unique=True), ADDRESSES, PHONES, st.none() | MAILS
).map(lambda parts: enterprise(words=parts[0], **parts[1], phones=parts[2], email=parts[3]))


def check_both_orders(rows, entity_type):
    """Compare every pair of records in both orders: as many levels as words for them, and the same."""
    compared = compared_among(features(*rows), entity_type)
    i, j = np.triu_indices(len(rows), 1)
    for comparison in COMPARISONS[entity_type]:
        one, other = (comparison.compare(Pairs(compared, *sides)).tolist() for sides in ((i, j), (j, i)))
        assert one == other, comparison.name
        assert max(one) <= len(comparison.labels)


@settings(max_examples=12, deadline=None)
@given(st.lists(PEOPLE, min_size=2, max_size=12))
def test_both_orders_of_a_pair_of_persons_compare_alike(rows):
    check_both_orders(rows, EntityType.PERSON)


@settings(max_examples=8, deadline=None)
@given(st.lists(FIRMS, min_size=2, max_size=8))
def test_both_orders_of_a_pair_of_enterprises_compare_alike(rows):
    check_both_orders(rows, EntityType.ENTERPRISE)


OF_TWO = {"differs", "one_edit", "similar", "nickname", "swapped", "other_unit", "place_unclear", "national_id_differs", "area"}


@settings(max_examples=12, deadline=None)
@given(PEOPLE)
def test_a_person_compared_with_a_copy_agrees_in_everything(row):
    pairs = couples(compared_among(features(row, row)))

    for comparison in COMPARISONS[EntityType.PERSON]:
        level = int(comparison.compare(pairs)[0])
        assert level == 0 or comparison.outcomes[level - 1] not in OF_TWO, comparison.name


def test_what_nobody_has_is_silent():
    pairs = couples(compared_among(features(person(given="ada"), person(given="otto"))))
    told = dict(zip(COMPARISONS[EntityType.PERSON], levels_of(pairs, COMPARISONS[EntityType.PERSON]), strict=True))

    assert {comparison.name for comparison, level in told.items() if level[0]} == {"given_name"}


@pytest.mark.parametrize("entity_type", EntityType)
def test_comparisons_speak_of_features_that_exist(entity_type):
    for comparison in COMPARISONS[entity_type]:
        assert set(comparison.features) <= set(FEATURES)


@pytest.mark.parametrize("entity_type", EntityType)
def test_every_level_has_a_name_and_words(entity_type):
    for comparison in COMPARISONS[entity_type]:
        assert comparison == comparison_named(entity_type, comparison.name)
        assert len(comparison.outcomes) == len(comparison.labels)
        assert all(0 < level <= len(comparison.labels) for level, _ in comparison.frequency)
        assert len(comparison.labels) < 1 << LEVEL_BITS


@given(st.lists(st.lists(st.integers(0, 15), min_size=14, max_size=14), min_size=1, max_size=6))
def test_levels_come_out_of_a_pattern_as_they_went_in(rows):
    levels = np.array(rows, np.uint8)
    patterns = pack(list(levels.T))

    assert unpack(patterns, 14).tolist() == rows
    assert [level_at(patterns, place).tolist() for place in range(14)] == levels.T.tolist()


def test_patterns_are_counted():
    counted = count_patterns(np.array([5, 3, 5]), weight=2.0)

    assert (counted.patterns.tolist(), counted.counts.tolist()) == ([3, 5], [2.0, 4.0])


def test_a_pattern_is_told_in_words():
    comparisons = COMPARISONS[EntityType.PERSON][:3]

    assert describe_pattern(1 | 6 << LEVEL_BITS, comparisons) == ["same given name", "family names differ"]


def test_patterns_do_not_depend_on_chunks_and_threads(monkeypatch):
    compared = compared_cases(EntityType.PERSON)
    i, j = np.triu_indices(compared.records.count, 1)
    whole = patterns_of(compared, COMPARISONS[EntityType.PERSON], i, j, 1)
    monkeypatch.setattr("custview_pipeline.matching.scoring.PAIRS_AT_ONCE", 1000)

    assert patterns_of(compared, COMPARISONS[EntityType.PERSON], i, j, 2).tolist() == whole.tolist()
