"""Tests of ``custview_pipeline.flows.effective_rules``: every rule that holds, where it is written, what differs."""

import pytest

from custview_pipeline.contracts.rulebook import Rulebook, parse_rulebook
from custview_pipeline.contracts.survivorship_text import spell_out
from custview_pipeline.contracts.yaml_text import parse_yaml
from custview_pipeline.flows.effective_rules import RuleChange, changed_rules, effective_rules
from custview_pipeline_tests.factories import source_contract

CRM = source_contract("crm", "full_name", "email", trust=0.9, trust_by_attribute={"email": 0.6}, file="contracts/crm.odcs.yaml")
WRITTEN = """\
matching:
  match_weight: 0.5
  block_cap: 99
  must_match:
    - name: one mailbox
      when: {email: same}
survivorship:
  default: [most_recent, longest]
  attributes:
    email:
      half_life_days: 730
      prefer:
        - most_trusted: {only_from: [crm], if_valid: true}
        - most_recent
    phone: {keep: all}
trust:
  crm: {given_name: 0.2}
"""


def rules(text=None):
    """Return value and origin of each rule by its key."""
    written = None if text is None else spell_out(parse_yaml(text, file="rulebook.yaml"))
    found = effective_rules(parse_rulebook(text, file="rulebook.yaml"), written, [CRM])
    assert len({rule.key for rule in found}) == len(found)
    return {rule.key: (rule.value, rule.origin) for rule in found}


@pytest.mark.parametrize(
    ("key", "value", "origin"),
    [
        ("matching.match_weight", "0.5", "rulebook.yaml:2"),  # written, though it says what the default does
        ("matching.review_weight", "-1.0", "default"),
        ("matching.block_cap", "99", "rulebook.yaml:3"),
        ("matching.must_match[one mailbox].when.email", "same", "rulebook.yaml:6"),
        ("matching.cannot_match[Jr is not Sr].when.name_suffix", "differs", "default"),
        ("matching.max_component.person", "300", "default"),
        ("survivorship.default.prefer", "most_recent, longest", "rulebook.yaml:8"),
        ("survivorship.attributes.email.half_life_days", "730", "rulebook.yaml:11"),
        ("survivorship.attributes.email.prefer", "most_trusted (only_from crm; if_valid true), most_recent", "rulebook.yaml:12"),
        ("survivorship.attributes.phone.keep", "all", "rulebook.yaml:15"),
        ("quality_targets.accuracy", "0.98", "default"),
        ("trust.crm.default", "0.9", "contracts/crm.odcs.yaml"),
        ("trust.crm.email", "0.6", "contracts/crm.odcs.yaml"),
        ("trust.crm.name", "0.2", "rulebook.yaml:17"),
    ],
)
def test_each_rule_is_told_with_the_line_it_is_written_on(key, value, origin):
    assert rules(WRITTEN)[key] == (value, origin)


@pytest.mark.parametrize("text", [None, "", "# nothing yet\n"], ids=["no file", "an empty file", "a comment"])
def test_without_a_rule_written_all_are_defaults_and_the_contracts_say_whom_to_trust(text):
    assert {origin for _, origin in rules(text).values()} == {"default", "contracts/crm.odcs.yaml"}


def test_a_source_that_the_rulebook_trusts_in_general_is_trusted_by_it_in_everything():
    found = rules("trust: {crm: {default: 0.4}}")

    assert found["trust.crm.default"] == ("0.4", "rulebook.yaml:1")
    assert not {key for key in found if key.startswith("trust.crm.")} - {"trust.crm.default"}


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("", []),
        ("matching: {match_weight: 0.5}", []),
        ("matching: {match_weight: 3.0}", [RuleChange("matching.match_weight", "0.5", "3.0")]),
        ("trust: {crm: {phone: 0.5}}", [RuleChange("trust.crm.phone", None, "0.5")]),
        (
            "survivorship: {default: [longest]}",
            [RuleChange("survivorship.default.prefer", "most_trusted, most_recent, most_frequent", "longest")],
        ),
        (
            "matching: {cannot_match: []}",
            [
                RuleChange("matching.cannot_match", None, "none"),
                RuleChange("matching.cannot_match[Jr is not Sr].entity_type", "person", None),
                RuleChange("matching.cannot_match[Jr is not Sr].when.name_suffix", "differs", None),
                RuleChange("matching.cannot_match[national ids differ].when.identifier", "national_id_differs", None),
            ],
        ),
    ],
    ids=lambda text: text if isinstance(text, str) else "",
)
def test_what_differs_is_told_rule_by_rule(text, changes):
    assert list(changed_rules(Rulebook(), parse_rulebook(text, file="new.yaml"))) == changes
