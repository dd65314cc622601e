"""Tests of ``custview_pipeline.flows.answer_effect``: what is foretold of an answer is what the next run then does."""

import shutil

import polars as pl
import pytest

from custview_pipeline.contracts.golden_tables import GOLDEN_RECORDS
from custview_pipeline.contracts.rulebook import Rulebook, parse_rulebook
from custview_pipeline.contracts.stewardship_tables import REVIEW_DECISIONS
from custview_pipeline.flows.answer_effect import Rules, foretell_answer
from custview_pipeline.flows.current import current_crosswalk
from custview_pipeline.flows.decisions import add_decisions
from custview_pipeline.protection.wrapped_keys import Purpose
from custview_pipeline_tests.factories import LATER
from custview_pipeline_tests.flows.conftest import a_house
from custview_pipeline_tests.flows.foretold import RECORDS, happened
from custview_pipeline_tests.flows.sealed_lake import take_in

KEPT_APART = "matching: {cannot_match: [{name: a typo, entity_type: person, when: {family_name: one_edit}}]}"


@pytest.fixture(scope="module")
def base(tmp_path_factory, keyring):
    """Return a house of many duplicates that was run once, not to be changed."""
    house = a_house(tmp_path_factory.mktemp("answers") / "lake", keyring)
    take_in(house.lake, keyring, *RECORDS)
    house.run("run-1")
    return house


@pytest.fixture
def house(base, tmp_path):
    shutil.copytree(base.lake.root, tmp_path / "lake")
    return a_house(tmp_path / "lake", base.keyring)


def rules_of(house, rulebook=None):
    return Rules(rulebook or Rulebook(), house.contracts, house.keyring.current(Purpose.ID)[1])


def owners(house):
    return dict(current_crosswalk(house.lake.snapshot()).select("record_id", "cuid").iter_rows())


def sizes(owned, pair):
    """Return by customer of two records how many records it has."""
    customers = list(owned.values())
    return {owned[record]: customers.count(owned[record]) for record in pair}


def pairs_of(house):
    """Return two records of one customer of several, two of one of exactly two, and two of two customers."""
    members = {}
    for record, cuid in sorted(owners(house).items()):
        members.setdefault(cuid, []).append(record)
    large = max(members.values(), key=lambda own: (len(own), own))
    two = next(own for own in members.values() if len(own) == 2)
    alone, other = [own for own in members.values() if own not in (large, two)][:2]
    return {"of several": (large[0], large[-1]), "of two": tuple(two), "of two customers": (alone[0], other[0])}


def say(house, pair, decision):
    row = {"left_id": pair[0], "right_id": pair[1], "decision": decision, "decided_by": "ada", "decided_at": LATER}
    schema = {"decided_at": REVIEW_DECISIONS.types["decided_at"]}
    with house.lake.writer() as writer:
        add_decisions(writer, pl.DataFrame([row | {"origin": "steward"}], schema_overrides=schema), "said")


@pytest.mark.parametrize(
    ("which", "decision"),
    [
        ("of two customers", "match"),
        ("of several", "not_a_match"),
        pytest.param("of two customers", "not_a_match", marks=[pytest.mark.slow, pytest.mark.thorough]),
        pytest.param("of several", "match", marks=[pytest.mark.slow, pytest.mark.thorough]),
        pytest.param("of two", "match", marks=[pytest.mark.slow, pytest.mark.thorough]),
        pytest.param("of two", "not_a_match", marks=[pytest.mark.slow, pytest.mark.thorough]),
    ],
)
def test_what_is_foretold_comes_true(house, which, decision):
    pair = pairs_of(house)[which]
    before, owned = house.lake.snapshot(), owners(house)
    effect = foretell_answer(before, rules_of(house), pair, decision)
    assert house.lake.snapshot().table_version(REVIEW_DECISIONS.name) is None

    say(house, pair, decision)
    house.run("run-2")
    done = happened(before, house.lake.snapshot(), "run-2")

    assert effect is not None
    assert dict(effect.before) == sizes(owned, pair)
    own = [record for record in owned if owned[record] in dict(effect.before)]
    now = owners(house)
    assert dict(effect.after) == {now[record]: list(now.values()).count(now[record]) for record in own}
    assert effect.others_count == sum(owned[record] not in dict(effect.before) for record, *_ in done.moves)
    assert set(effect.values.select("cuid", "attribute", "change").iter_rows()) == done.values
    assert effect.has_any == bool(done.moves or done.values)


def test_an_answer_that_says_what_holds_changes_nothing(house):
    pair = pairs_of(house)["of two"]
    effect = foretell_answer(house.lake.snapshot(), rules_of(house), pair, "match")
    assert not effect.has_any
    assert effect.before == effect.after


def test_under_another_rulebook_than_the_last_run_had_nothing_is_foretold(house):
    rulebook = parse_rulebook(KEPT_APART, file="rulebook.yaml", source_systems=["crm", "web"])
    assert foretell_answer(house.lake.snapshot(), rules_of(house, rulebook), pairs_of(house)["of two"], "match") is None


def test_nothing_is_stored(house):
    versions = {name: house.lake.snapshot().table_version(name) for name in ("crosswalk", GOLDEN_RECORDS.name, "match_edges")}
    foretell_answer(house.lake.snapshot(), rules_of(house), pairs_of(house)["of several"], "not_a_match")
    assert {name: house.lake.snapshot().table_version(name) for name in versions} == versions
