"""The rulebook as people write it."""

import json

import pytest
from pydantic import ValidationError

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.comparison_outcomes import COMPARISON_OUTCOMES
from custview_pipeline.contracts.matching_settings import Matching
from custview_pipeline.contracts.rulebook import Rulebook, parse_rulebook
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline_tests.contracts.written_contracts import contract


@pytest.mark.parametrize("text", [None, "", "# nothing yet\n", "matching: {}\n"])
def test_every_key_has_a_default(text):
    rulebook = parse_rulebook(text, file="rulebook.yaml")
    assert rulebook == Rulebook()
    assert rulebook.matching.review_weight <= rulebook.matching.match_weight
    rule = rulebook.survivorship.of("phone", EntityType.PERSON)
    assert [preference.strategy for preference in rule.prefer] == ["most_trusted", "most_recent", "most_frequent"]
    assert (rule.half_life_days, rule.keeps_all, rule.aggregate) == (None, False, None)


def test_what_is_written_is_read():
    text = """\
matching: {match_weight: 3, review_weight: 0.5}
survivorship:
  default: [most_recent]
  attributes:
    phone: [most_frequent, most_recent]
trust:
  shop: {default: 0.8, city: 0.2}
quality_targets: {completeness: 0.7}
"""
    rulebook = parse_rulebook(text, file="rulebook.yaml", source_systems=["shop"])
    assert rulebook.matching.match_weight == 3.0
    rules = [rulebook.survivorship.of(attribute, EntityType.PERSON) for attribute in ("phone", "email")]
    assert [[preference.strategy for preference in rule.prefer] for rule in rules] == [
        ["most_frequent", "most_recent"],
        ["most_recent"],
    ]
    assert rulebook.trust == {"shop": {"default": 0.8, "address": 0.2}}
    assert (rulebook.quality_targets.completeness, rulebook.quality_targets.conformity) == (0.7, 0.95)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("matching:\n  match_weigth: 1\n", "r.yaml:2: unknown key 'matching.match_weigth'; did you mean 'match_weight'?"),
        ("matchin: {}\n", "r.yaml:1: unknown key 'matchin'; did you mean 'matching'?"),
        ("matching:\n  match_weight: high\n", "r.yaml:2: 'matching.match_weight': should be a valid number"),
        ("matching:\n  block_cap: 0\n", "r.yaml:2: 'matching.block_cap': should be greater than or equal to 1"),
        ("matching:\n  block_cap: true\n", "r.yaml:2: 'matching.block_cap': should be a valid integer"),
        ("matching:\n  match_weight: 1e999\n", "should be a finite number"),
        ("\nmatching:\n  review_weight: 5\n", "r.yaml:2: 'matching': review_weight should not lie above match_weight"),
        ("survivorship:\n  default: [newest]\n", "r.yaml:2: no strategy 'newest'; known are most_trusted, most_recent"),
        ("survivorship:\n  default: []\n", "r.yaml:2: 'survivorship.default.prefer': names no strategy"),
        (
            "survivorship:\n  attributes:\n    phon: [most_recent]\n",
            "r.yaml:3: 'survivorship.attributes.phon': no golden attribute; did you mean 'phone'?",
        ),
        (
            "trust:\n  shop:\n    phonee: 0.5\n",
            "r.yaml:3: 'trust.shop.phonee': no attribute of a golden record; did you mean 'phone'?",
        ),
        ("trust:\n  shop:\n    phone: 2\n", "r.yaml:3: 'trust.shop.phone': should be less than or equal to 1"),
        ("trust:\n  shop: {city: 0.1, unit: 0.2}\n", "r.yaml:2: 'trust.shop': 'unit' is a part of 'address'"),
        ("trust:\n  shopp: {default: 0.1}\n", "r.yaml:2: trust in 'shopp', which no contract describes; did you mean 'shop'?"),
        ("quality_targets: {completeness: 90}\n", "should be less than or equal to 1"),
        ("- a\n", "expected keys"),
    ],
)
def test_what_cannot_be_used_names_file_and_line(text, message):
    with pytest.raises(ProjectInvalid) as raised:
        parse_rulebook(text, file="r.yaml", source_systems=["shop"])
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


EARLIER = """\
matching:
  must_match:
    - name: same mailbox
      entity_type: person
      when: {email: same, given_name: [same, nickname]}
"""


def test_rules_of_matching_are_read_and_replace_the_default_ones():
    matching = parse_rulebook(EARLIER, file="r").matching
    (rule,) = matching.must_match
    assert (rule.name, rule.entity_type) == ("same mailbox", EntityType.PERSON)
    assert rule.when == {"email": ("same",), "given_name": ("nickname", "same")}
    assert matching.cannot_match == Matching().cannot_match
    assert parse_rulebook("matching: {must_match: [], cannot_match: []}", file="r").matching.cannot_match == ()


def test_limits_by_entity_type_keep_their_default_where_one_is_not_stated():
    matching = parse_rulebook("matching: {max_component: {person: 50}, suspicious_size: {enterprise: 9}}", file="r").matching
    assert [matching.max_component[each] for each in EntityType] == [50, 300]
    assert [matching.suspicious_size[each] for each in EntityType] == [25, 9]


def test_the_comparisons_that_count_keep_their_order_whatever_the_order_as_written():
    compare = parse_rulebook("matching: {compare: {person: [phone, family_name, phone]}}", file="r").matching.compare
    assert compare[EntityType.PERSON] == ("family_name", "phone")
    assert compare[EntityType.ENTERPRISE] == tuple(COMPARISON_OUTCOMES[EntityType.ENTERPRISE])


def test_default_rules_are_not_held_against_the_comparisons_that_count():
    assert parse_rulebook("matching: {compare: {person: [phone]}}", file="r").matching.must_match == Matching().must_match


def test_every_comparison_and_outcome_can_be_named_by_a_rule():
    for entity_type, comparisons in COMPARISON_OUTCOMES.items():
        rules = [
            {"name": name, "entity_type": entity_type.value, "when": {name: list(outcomes)}}
            for name, outcomes in comparisons.items()
        ]
        written = json.dumps({"matching": {"must_match": rules}})
        assert len(parse_rulebook(written, file="r").matching.must_match) == len(comparisons)


def rules(*lines: str) -> str:
    """Return a rulebook whose first rule begins on line 3, and has more lines."""
    return "matching:\n  cannot_match:\n    - name: first\n" + "".join(f"      {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (rules(), "r.yaml:3: the key 'matching.cannot_match.0.when' is missing"),
        (rules("when: {}"), "r.yaml:4: 'matching.cannot_match.0.when': a rule needs a condition at least"),
        (rules("wen: {email: same}"), "r.yaml:4: unknown key 'matching.cannot_match.0.wen'; did you mean 'when'?"),
        (rules("when: {email: 3}"), "r.yaml:4: 'matching.cannot_match.0.when.email': should be an outcome or a list of outcomes"),
        (
            rules("when: {email: []}"),
            "r.yaml:4: 'matching.cannot_match.0.when.email': should be an outcome or a list of outcomes",
        ),
        (rules("when: {email: [same, 3]}"), "r.yaml:4: 'matching.cannot_match.0.when.email': should be an outcome or a list"),
        (rules("when: [email]"), "r.yaml:4: 'matching.cannot_match.0.when': should be a valid dictionary"),
        (
            rules("when:", "  phone: same", "  emial: same"),
            "r.yaml:6: no comparison 'emial' of person records; did you mean 'email'?",
        ),
        (
            rules("when: {zodiac: same}", "entity_type: enterprise"),
            "r.yaml:4: no comparison 'zodiac' of enterprise records; known are enterprise_name, phone, email, address",
        ),
        (
            rules("entity_type: enterprise", "when:", "  phone: same", "  birth_date: same"),
            "r.yaml:7: no comparison 'birth_date' of enterprise records; known are enterprise_name",
        ),
        (
            rules("when: {birth_date: same}"),
            "r.yaml:4: no comparison 'birth_date' of enterprise records; give the rule 'entity_type: person'",
        ),
        (
            rules("when: {email: similar}"),
            "r.yaml:4: no outcome 'similar' of email between enterprise records; known are same, domain, differs",
        ),
        (
            rules("entity_type: person", "when:", "  birth_date:", "    - same", "    - one_prat"),
            "r.yaml:8: no outcome 'one_prat' of birth_date between person records; did you mean 'one_part'?",
        ),
        (
            rules("entity_type: people", "when: {email: same}"),
            "r.yaml:4: 'matching.cannot_match.0.entity_type': should be 'person'",
        ),
        (
            rules("when: {phone: same}") + "    - when: {phone: differs}\n      name: First\n",
            "r.yaml:6: there is a rule 'First' already",
        ),
        (
            "matching:\n  must_match:\n    - when: {phone: same}\n      name: jr is not sr\n",
            "r.yaml:4: there is a rule 'jr is not sr' already",
        ),
        (
            "matching:\n  must_match: [{name: model, when: {phone: same}}]\n",
            "r.yaml:2: 'matching.must_match.0.name': 'model' says",
        ),
        ("matching:\n  must_match: [{name: 'a ', when: {phone: same}}]\n", "should be one line of text without spaces around it"),
        (
            rules("entity_type: person", "when: {email: same}") + "  compare: {person: [given_name, phone]}\n",
            "r.yaml:5: 'email' does not count: matching.compare.person leaves it out",
        ),
        (
            "matching:\n  compare:\n    person:\n      - phone\n      - fone\n",
            "r.yaml:5: 'matching.compare.person.1': no comparison of person records; did you mean 'phone'?",
        ),
        (
            "matching:\n  compare: {persons: [phone]}\n",
            "r.yaml:2: unknown key 'matching.compare.persons'; did you mean 'person'?",
        ),
        ("matching:\n  compare: {person: []}\n", "r.yaml:2: 'matching.compare.person'"),
        ("matching:\n  max_component: 300\n", "r.yaml:2: 'matching.max_component': should be a valid dictionary"),
        ("matching:\n  max_component: {person: 0}\n", "r.yaml:2: 'matching.max_component.person': should be greater"),
        (
            "matching:\n  max_component: {person: 9, enterprize: 9}\n",
            "unknown key 'matching.max_component.enterprize'; did you mean",
        ),
    ],
)
def test_a_rule_that_cannot_be_meant_names_file_and_line(text, message):
    with pytest.raises(ProjectInvalid) as raised:
        parse_rulebook(text, file="r.yaml")
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("changed", "is_another"),
    [
        (EARLIER, False),
        (EARLIER.replace("[same, nickname]", "[nickname, same, same]"), False),
        (EARLIER.replace("{email: same, given_name: [same, nickname]}", "{given_name: [same, nickname], email: [same]}"), False),
        (EARLIER.replace("nickname", "swapped"), True),
        (EARLIER.replace("same mailbox", "one mailbox"), True),
        (EARLIER + "  compare: {person: [given_name, email]}\n", True),
        (EARLIER + "  suspicious_size: {person: 20}\n", True),
    ],
)
def test_the_version_covers_the_rules_of_matching(changed, is_another):
    before, after = (parse_rulebook(text, file="r").version for text in (EARLIER, changed))
    assert (before != after) is is_another


def test_the_version_follows_the_effective_rules_alone():
    default = Rulebook().version
    assert len(default) == 12
    assert parse_rulebook("quality_targets: {completeness: 0.9} # as ever\n", file="r").version == default
    assert parse_rulebook("quality_targets: {completeness: 0.8}\n", file="r").version != default


def test_the_rulebook_cannot_be_changed():
    with pytest.raises(ValidationError):
        Rulebook().matching = None  # type: ignore[assignment] # the point of the test


@pytest.mark.parametrize(
    ("trust", "attribute", "expected"),
    [
        ("{}", "phone", 0.9),
        ("{}", "birth_date", 0.5),
        ("{shop: {default: 0.3}}", "phone", 0.3),
        ("{shop: {default: 0.3}}", "birth_date", 0.3),
        ("{shop: {birth_date: 0.1}}", "birth_date", 0.1),
        ("{shop: {birth_date: 0.1}}", "phone", 0.9),
        ("{other: {default: 0.1}}", "phone", 0.9),
    ],
)
def test_trust_in_the_rulebook_goes_before_the_contract(trust, attribute, expected):
    assert parse_rulebook(f"trust: {trust}\n", file="r").trust_score(contract(), attribute) == expected
