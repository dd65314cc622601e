"""The rulebook as people write it."""

import pytest
from pydantic import ValidationError

from custview_pipeline.contracts.rulebook import Rulebook, parse_rulebook
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline_tests.contracts.written_contracts import contract


@pytest.mark.parametrize("text", [None, "", "# nothing yet\n", "matching: {}\n"])
def test_every_key_has_a_default(text):
    rulebook = parse_rulebook(text, file="rulebook.yaml")
    assert rulebook == Rulebook()
    assert rulebook.matching.review_weight <= rulebook.matching.match_weight
    assert rulebook.survivorship.of("phone") == ("most_trusted", "most_recent", "most_frequent")


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
    assert (rulebook.survivorship.of("phone"), rulebook.survivorship.of("email")) == (
        ("most_frequent", "most_recent"),
        ("most_recent",),
    )
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
        ("survivorship:\n  default: [newest]\n", "r.yaml:2: 'survivorship.default.0': should be 'most_trusted'"),
        ("survivorship:\n  default: []\n", "r.yaml:2: 'survivorship.default'"),
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
