"""Tests of ``custview_pipeline.flows.rulebook_effect``: what is foretold is what a run over everything then does."""

import re
from dataclasses import replace

import polars as pl
import pytest

from custview_pipeline.contracts.rulebook import Rulebook, parse_rulebook
from custview_pipeline.flows.current import current_crosswalk, current_edges
from custview_pipeline.flows.decisions import add_decisions
from custview_pipeline.flows.effect_examples import examples_of
from custview_pipeline.flows.rulebook_effect import Wanted, foretell
from custview_pipeline.kernel.errors import LakeError
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline.protection.wrapped_keys import Purpose
from custview_pipeline_tests.factories import LATER
from custview_pipeline_tests.flows.foretold import RECORDS, Happened, happened
from custview_pipeline_tests.flows.sealed_lake import take_in

QUICK = {
    "a higher threshold": "matching: {match_weight: 12.0, review_weight: 4.0}",
    "a rule that keeps apart": "matching: {cannot_match: [{name: a typo, entity_type: person, when: {family_name: one_edit}}]}",
    "trust in the other source": "trust: {web: {default: 0.95, email: 0.2}}",
    "keeping all": "survivorship: {attributes: {email: {keep: all}, country: {prefer: [most_recent], keep: all}}}",
    "all at once": """
matching: {match_weight: 9.0, review_weight: 2.0, must_match: [{name: one number, when: {phone: same}}]}
survivorship: {default: [most_recent], attributes: {phone: {keep: all, half_life_days: 100}}}
trust: {crm: {default: 0.3}}
""",
}
MORE = {
    "a lower threshold": "matching: {match_weight: -8.0, review_weight: -9.0}",
    "a review weight alone": "matching: {review_weight: -12.0}",
    "a rule that joins": "matching: {must_match: [{name: one number, when: {phone: same}}]}",
    "small components": "matching: {max_component: {person: 2, enterprise: 2}}",
    "fewer comparisons": "matching: {compare: {person: [given_name, family_name, email]}, cannot_match: []}",
    "another order of preference": "survivorship: {default: [longest, most_recent]}",
    "rules by attribute": "survivorship: {attributes: {name: [earliest], country: [most_frequent, most_recent]}}",
    "a condition": "survivorship: {default: [most_trusted: {only_from: [web]}, most_recent]}",
    "a half life": "survivorship: {attributes: {email: {half_life_days: 30}, phone: {half_life_days: 90}}}",
}
CASES = [
    *(pytest.param(text, id=name) for name, text in QUICK.items()),
    *(pytest.param(text, id=name, marks=[pytest.mark.slow, pytest.mark.thorough]) for name, text in MORE.items()),
]


def rulebook_of(text):
    return parse_rulebook(text, file="new.yaml", source_systems=["crm", "web"])


def foretold(house, rulebook):
    wanted = Wanted(rulebook, house.contracts, house.keyring.current(Purpose.ID)[1])
    return foretell(house.lake.snapshot(), wanted, Unwatched())


def as_told(effect):
    """Return what was foretold in the terms of what happened."""
    opened, closed = (
        set(effect.tasks.filter(pl.col("change") == change).select("left_id", "right_id").iter_rows())
        for change in ("opened", "closed")
    )
    return Happened(
        counts={name: after for name, (_, after) in effect.counts.items()},
        events=set(effect.events.select("cuid", "event", "other_cuid").iter_rows()),
        moves=set(effect.moves.select("record_id", "before", "after").iter_rows()),
        opened=opened,
        closed=closed,
        values=set(effect.values.select("cuid", "attribute", "change").iter_rows()),
        version_count=effect.version_count,
    )


def answer(house, left, right, decision):
    said = {
        "left_id": left,
        "right_id": right,
        "decision": decision,
        "decided_by": "ada",
        "decided_at": LATER,
        "origin": "steward",
    }
    with house.lake.writer() as writer:
        add_decisions(writer, pl.DataFrame([said]), "decision")


@pytest.mark.parametrize("text", CASES)
def test_a_run_over_everything_does_just_what_was_foretold(own_crowd, text):
    rulebook, before = rulebook_of(text), own_crowd.lake.snapshot()
    effect = foretold(own_crowd, rulebook)

    own_crowd.run("run-2", rulebook=rulebook, is_whole=True)

    assert as_told(effect) == happened(before, own_crowd.lake.snapshot(), "run-2")
    assert effect.has_any
    assert not foretold(own_crowd, rulebook).has_any


@pytest.mark.slow
def test_the_way_back_is_foretold_too_with_the_ids_that_come_back(own_crowd):
    other = rulebook_of("matching: {match_weight: -8.0, review_weight: -9.0}")
    own_crowd.run("run-2", rulebook=other)
    before, effect = own_crowd.lake.snapshot(), foretold(own_crowd, Rulebook())

    own_crowd.run("run-3", is_whole=True)

    assert as_told(effect) == happened(before, own_crowd.lake.snapshot(), "run-3")
    assert effect.happening("reactivated").height > 0


def test_what_people_decided_holds_under_another_rulebook_as_well(own_crowd):
    (pair,) = (
        current_edges(own_crowd.lake.snapshot())
        .filter(pl.col("decision") == "MATCH")
        .select("left_id", "right_id")
        .head(1)
        .rows()
    )
    answer(own_crowd, *pair, "not_a_match")
    own_crowd.run("run-2")
    rulebook, before = rulebook_of(QUICK["all at once"]), own_crowd.lake.snapshot()
    effect = foretold(own_crowd, rulebook)

    own_crowd.run("run-3", rulebook=rulebook, is_whole=True)

    after = own_crowd.lake.snapshot()
    assert as_told(effect) == happened(before, after, "run-3")
    owner = dict(current_crosswalk(after).select("record_id", "cuid").iter_rows())
    assert owner[pair[0]] != owner[pair[1]]


def test_what_came_since_the_last_run_is_foretold_with_the_rest_and_said_to_be(own_crowd):
    assert not foretold(own_crowd, Rulebook()).is_late
    newcomers = (replace(RECORDS[0], record_id=900), replace(RECORDS[4], record_id=901))
    take_in(own_crowd.lake, own_crowd.keyring, *newcomers)
    before, effect = own_crowd.lake.snapshot(), foretold(own_crowd, Rulebook())

    own_crowd.run("run-2")

    told = as_told(effect)
    assert effect.is_late
    assert told._replace(values=set()) == happened(before, own_crowd.lake.snapshot(), "run-2")._replace(values=set())
    assert {record for record, before, _ in told.moves if before is None} == {900, 901}


def test_the_rulebook_in_use_changes_nothing(crowd):
    effect = foretold(crowd, Rulebook())

    assert not effect.has_any
    assert (effect.version_count, effect.learned, effect.values.height) == (0, (), 0)


def test_nothing_is_stored(crowd):
    before = (crowd.lake.root / "manifest.json").read_bytes()
    files = sorted(str(path) for path in crowd.lake.root.rglob("*"))
    foretold(crowd, rulebook_of(QUICK["all at once"]))

    assert (crowd.lake.root / "manifest.json").read_bytes() == before
    assert sorted(str(path) for path in crowd.lake.root.rglob("*")) == files


def test_a_model_that_would_be_learned_is_named(crowd):
    assert foretold(crowd, rulebook_of(MORE["fewer comparisons"])).learned == ("person",)


def test_before_the_first_run_there_is_nothing_to_foretell(house):
    with pytest.raises(LakeError, match="custview run makes the first"):
        foretold(house, Rulebook())


def test_examples_name_customers_and_records_and_no_values(crowd):
    effect = foretold(crowd, rulebook_of(QUICK["all at once"]))
    examples = examples_of(crowd.lake.snapshot(), effect, 2)

    assert examples.values.group_by("attribute", "change").len()["len"].max() == 2
    assert examples.events.group_by("event").len()["len"].max() <= 2
    named = [*examples.moves["record"], *examples.tasks["left"], *examples.values["before"].drop_nulls()]
    assert named
    assert all(re.fullmatch(r"(crm|web):k\d+", name) for name in named)
    assert examples_of(crowd.lake.snapshot(), effect, 0).values.is_empty()
