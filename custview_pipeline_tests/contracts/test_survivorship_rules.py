"""Survivorship rules as people write them, and the rule that comes of them for an attribute."""

import pytest

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.rulebook import Rulebook, parse_rulebook
from custview_pipeline.contracts.survivorship_rules import ElectionRule, Preference
from custview_pipeline.kernel.errors import ProjectInvalid

PERSON, ENTERPRISE = EntityType


def read(text):
    return parse_rulebook(text, file="r.yaml", source_systems=["crm", "billing"]).survivorship


def said(rule):
    """Return the strategies of a rule, and what else it says."""
    return [each.strategy for each in rule.prefer], rule.half_life_days, rule.keeps_all, rule.aggregate


WHOLE = """\
survivorship:
  default: [most_trusted, most_recent]
  attributes:
    phone: {prefer: [most_recent, most_trusted], keep: all}
    email:
      half_life_days: 730
      prefer:
        - most_trusted: {only_from: [crm, billing], newer_than_days: 365, if_valid: true}
        - most_recent
        - any:
    employee_count: {aggregate: max}
    loyalty_points:
      aggregate: sum
  person:
    default: {half_life_days: 100}
    attributes:
      phone: {keep: best}
      loyalty_points: {keep: all}
  enterprise:
    default: [earliest]
    attributes: {address: [longest]}
"""


@pytest.mark.parametrize(
    ("attribute", "entity_type", "rule"),
    [
        ("name", PERSON, (["most_trusted", "most_recent"], 100, False, None)),
        ("legal_name", ENTERPRISE, (["earliest"], None, False, None)),
        ("phone", PERSON, (["most_recent", "most_trusted"], 100, False, None)),
        ("phone", ENTERPRISE, (["most_recent", "most_trusted"], None, True, None)),
        ("email", PERSON, (["most_trusted", "most_recent", "any"], 730, False, None)),
        ("address", PERSON, (["most_trusted", "most_recent"], 100, False, None)),
        ("address", ENTERPRISE, (["longest"], None, False, None)),
        ("employee_count", ENTERPRISE, (["earliest"], None, False, "max")),
        ("loyalty_points", PERSON, (["most_trusted", "most_recent"], 100, True, None)),
        ("loyalty_points", ENTERPRISE, (["earliest"], None, False, "sum")),
    ],
)
def test_the_nearest_rule_that_says_something_holds(attribute, entity_type, rule):
    assert said(read(WHOLE).of(attribute, entity_type)) == rule


def test_conditions_are_read():
    first, *others = read(WHOLE).of("email", PERSON).prefer

    assert first == Preference(strategy="most_trusted", only_from=("billing", "crm"), newer_than_days=365, if_valid=True)
    assert not any(each.is_conditional for each in others)


@pytest.mark.parametrize("written", ["survivorship: {}", "survivorship:", "matching: {}"])
def test_without_rules_the_default_ones_hold(written):
    text = written if written != "survivorship:" else "survivorship: {default: [most_trusted, most_recent, most_frequent]}"

    assert read(text) == Rulebook().survivorship
    assert {read(text).of(name, kind) for name in GOLDEN_ATTRIBUTES for kind in EntityType} == {ElectionRule()}


@pytest.mark.parametrize(
    "other",
    [
        "survivorship: {default: [most_recent]}",
        "survivorship: {default: {half_life_days: 9}}",
        "survivorship: {attributes: {phone: {keep: all}}}",
        "survivorship: {person: {default: [most_recent]}}",
        "survivorship: {attributes: {phone: [most_recent: {if_valid: true}]}}",
    ],
)
def test_another_rule_is_another_version_of_the_rulebook(other):
    assert parse_rulebook(other, file="r").version != Rulebook().version


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("{attributes: {phone: [most_recent]}}", "{attributes: {phone: {prefer: [most_recent]}}}"),
        ("{default: [most_recent]}", "{default: {prefer: [{most_recent: {}}]}}"),
        ("{default: [any: {only_from: [crm, billing]}]}", "{default: [any: {only_from: [billing, crm, crm]}]}"),
    ],
    ids=["a list", "a word", "the order of sources"],
)
def test_short_and_long_forms_mean_the_same(text, other):
    rulebooks = [parse_rulebook(f"survivorship: {each}", file="r") for each in (text, other)]

    assert rulebooks[0].version == rulebooks[1].version


def at(*lines):
    """Return rules of an attribute whose first line is line 4 of the rulebook."""
    return "survivorship:\n  attributes:\n    email:\n" + "".join(f"      {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("survivorship: 3\n", "r.yaml:1: 'survivorship': should be keys with values, such as default: [most_recent]"),
        ("survivorship:\n", "r.yaml:1: 'survivorship': should be keys with values"),
        ("survivorship:\n  defualt: [any]\n", "r.yaml:2: unknown key 'survivorship.defualt'; did you mean 'default'?"),
        (
            "survivorship:\n  default: most_recent\n",
            "r.yaml:2: 'survivorship.default': should be a list of strategies, such as [most_recent]",
        ),
        ("survivorship:\n  default:\n", "r.yaml:2: 'survivorship.default': should be a list of strategies"),
        (
            "survivorship:\n  attributes: [email]\n",
            "r.yaml:2: 'survivorship.attributes': should be keys with values, such as email:",
        ),
        (
            "survivorship:\n  attributes:\n    email:\n",
            "r.yaml:3: 'survivorship.attributes.email': should be a list of strategies",
        ),
        (
            "survivorship:\n  person:\n    attributes:\n      email: longest\n",
            "r.yaml:4: 'survivorship.person.attributes.email': should be a list of strategies, such as [longest], or keys:",
        ),
        ("survivorship:\n  default: 3\n", "such as [most_recent], or keys: prefer, half_life_days"),
        (
            "survivorship:\n  default:\n    - most_recent\n    - newest\n",
            "r.yaml:4: no strategy 'newest'; known are most_trusted",
        ),
        (
            "survivorship:\n  default:\n    - any\n    - most_recent\n",
            "r.yaml:2: 'survivorship.default.prefer': nothing after 'any'",
        ),
        ("survivorship:\n  default:\n    - [any]\n", "r.yaml:3: a preference is one strategy, such as most_recent"),
        ("survivorship:\n  default: {aggregate: sum}\n", "r.yaml:2: unknown key 'survivorship.default.aggregate'"),
        ("survivorship:\n  default: {keep: all}\n", "r.yaml:2: unknown key 'survivorship.default.keep'"),
        ("survivorship:\n  people: {}\n", "r.yaml:2: unknown key 'survivorship.people'"),
        ("survivorship:\n  person: [any]\n", "r.yaml:2: 'survivorship.person': should be keys with values, such as default:"),
        ("survivorship:\n  enterprise:\n", "r.yaml:2: 'survivorship.enterprise': should be keys with values, such as default:"),
        (
            "survivorship:\n  person:\n    attributes:\n      nmae: [any]\n",
            "r.yaml:4: 'survivorship.person.attributes.nmae': no golden attribute; did you mean 'name'?",
        ),
        (
            "survivorship:\n  person:\n    attributes:\n      legal_name: [any]\n",
            "r.yaml:4: customers of type person have no legal_name",
        ),
        (at("prefer: []"), "r.yaml:4: 'survivorship.attributes.email.prefer': names no strategy"),
        (
            at("keep: best", "prefer: most_recent"),
            "r.yaml:5: 'survivorship.attributes.email.prefer': should be a list of strategies, such as [most_recent]",
        ),
        (at("prefer: {longest: {}}"), "r.yaml:4: 'survivorship.attributes.email.prefer': should be a list of strategies"),
        (
            at("prefer:", "  - most_recent:", "      if_valid: true", "      only_from: crm"),
            "r.yaml:7: 'survivorship.attributes.email.prefer.0.only_from': should be a list of source systems, such as [crm]",
        ),
        (at("prefer:", "  - most_recent: {only_from: }"), "only_from': should be a list of source systems, such as [crm]"),
        (at("prefers: [any]"), "r.yaml:4: unknown key 'survivorship.attributes.email.prefers'"),
        (at("prefer:", "  - most_recent", "  - longest", "  - most_recent"), "'most_recent' is named twice"),
        (at("prefer:", "  - {most_recent: {}, longest: {}}"), "r.yaml:5: a preference is one strategy, such as most_recent"),
        (at("prefer:", "  - most_recent: 3"), "r.yaml:5: the conditions of most_recent are keys with values"),
        (
            at("prefer:", "  - most_recent:", "      only_form: [crm]"),
            "r.yaml:6: no condition 'only_form'; did you mean 'only_from'?",
        ),
        (
            at("prefer:", "  - most_recent:", "      if_valid: true", "      only_from:", "        - crm", "        - bililng"),
            "r.yaml:9: 'bililng' is no source of a contract; did you mean 'billing'?",
        ),
        (at("prefer:", "  - most_recent:", "      only_from: []"), "r.yaml:6: "),
        (at("prefer:", "  - any", "  - most_recent:", "      newer_than_days: 0"), "r.yaml:7: "),
        (at("prefer:", "  - most_recent:", "      newer_than_days: 1.5"), "r.yaml:6: "),
        (at("prefer:", "  - most_recent:", "      if_valid: maybe"), "r.yaml:6: "),
        (at("half_life_days: 0"), "r.yaml:4: 'survivorship.attributes.email.half_life_days'"),
        (at("half_life_days: true"), "r.yaml:4: 'survivorship.attributes.email.half_life_days'"),
        (at("keep: both"), "r.yaml:4: 'survivorship.attributes.email.keep': should be 'best' or 'all'"),
        (at("keep: best", "aggregate: sum"), "r.yaml:5: 'email' is no open number, so it has no sum; numbers are employee_count"),
        (
            "survivorship:\n  attributes:\n    loyalty_points:\n      keep: all\n      aggregate: sum\n",
            "r.yaml:3: 'survivorship.attributes.loyalty_points': 'keep: all' and 'aggregate: sum' contradict each other",
        ),
        (
            "survivorship:\n  attributes:\n    loyalty_points: {aggregate: mean}\n",
            "r.yaml:3: 'survivorship.attributes.loyalty_points.aggregate': should be 'min', 'max' or 'sum'",
        ),
    ],
)
def test_a_rule_that_can_mean_nothing_names_file_and_line(text, message):
    with pytest.raises(ProjectInvalid) as raised:
        read(text)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not any(word in str(raised.value) for word in ("instance", "tuple", "dictionary", "NoneType"))
