"""Tests of ``custview_pipeline.flows.decision_cases``: which decisions model and rules come to without being told."""

from dataclasses import replace

import polars as pl
import pytest

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.rulebook import Rulebook, parse_rulebook
from custview_pipeline.flows.current import current_crosswalk
from custview_pipeline.flows.decision_cases import Tried, judge_cases, weigh_against
from custview_pipeline.flows.decisions import add_decisions
from custview_pipeline.flows.models import active_models
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline.matching.comparisons import COMPARISONS
from custview_pipeline.matching.priors import packaged_model
from custview_pipeline_tests.factories import LATER
from custview_pipeline_tests.flows.foretold import RECORDS, SAID
from custview_pipeline_tests.flows.sealed_lake import remove, take_in

# Records 1, 2 and 121 are one person; 3 and 4 another; 5 lives with 3 and 4.
TRUE, FALSE = (1, 2), (1, 3)


def pair(left, right, decision, **cells):
    return {"decision": decision, "left_id": left, "right_id": right, **cells}


def of_record(decision, record_id, members, **cells):
    return {"decision": decision, "record_id": record_id, "member_ids": list(members), **cells}


def lock(*members):
    return {"decision": "lock", "member_ids": list(members)}


def decide(house, *said):
    """Store decisions and return their ids, in their order."""
    schema = {"left_id": pl.Int64, "right_id": pl.Int64, "record_id": pl.Int64, "member_ids": pl.List(pl.Int64), "slot": pl.Int16}
    default = {"decided_by": "ada", "decided_at": LATER, "origin": "steward", "reason": None}
    texts = {"decision": pl.String, "attribute": pl.String, "reason_code": pl.String, "reason": pl.String}
    rows = [{**default, "reason": str(number), **each} for number, each in enumerate(said)]
    others = {"decision_id": pl.String, "decided_by": pl.String, "decided_at": pl.Datetime("us", "UTC"), "origin": pl.String}
    named = [{"decision_id": f"case-{number:02}", **row} for number, row in enumerate(rows)]
    with house.lake.writer() as writer:
        add_decisions(writer, pl.DataFrame(named, schema={**schema, **texts, **others}), "decision")


def verdict(house, text="", **models):
    rulebook = parse_rulebook(text, file="new.yaml", source_systems=["crm", "web"]) if text else Rulebook()
    return judge_cases(house.lake.snapshot(), Tried(rulebook, house.contracts, **models), Unwatched())


def agrees(found):
    return dict(found.cases.select("decision_id", "agrees").iter_rows())


@pytest.mark.parametrize(
    ("said", "is_agreed"),
    [
        (pair(*TRUE, "match"), True),
        (pair(*TRUE, "not_a_match"), False),
        (pair(*FALSE, "match"), False),
        (pair(*FALSE, "not_a_match"), True),
        (of_record("split_off", 1, [2, 121]), False),
        (of_record("split_off", 3, [1, 2]), True),
        (lock(1, 2, 121), True),
        (lock(1, 2), False),
        (lock(1, 2, 121, 3), False),
    ],
    ids=lambda said: " ".join(map(str, said.values())) if isinstance(said, dict) else "",
)
def test_a_decision_about_records_agrees_where_matching_comes_to_it_by_itself(own_crowd, said, is_agreed):
    decide(own_crowd, said)
    found = verdict(own_crowd)

    assert agrees(found) == {"case-00": is_agreed}
    assert found.pairs.is_empty() == is_agreed


def test_it_is_the_same_once_a_run_has_linked_by_the_decisions(own_crowd):
    decide(own_crowd, pair(*TRUE, "not_a_match"), pair(*FALSE, "match"), of_record("split_off", 4, [3]))
    own_crowd.run("run-2")

    assert agrees(verdict(own_crowd)) == {"case-00": False, "case-01": False, "case-02": False}


def test_all_kinds_are_told_with_what_speaks_against_them(own_crowd):
    decide(own_crowd, pair(*FALSE, "match", reason_code="same_person"), lock(1, 2), pair(3, 4, "unsure"))
    found = verdict(own_crowd)

    assert found.cases.select("decision_id", "decision", "reason_code", "agrees").rows() == [
        ("case-00", "match", "same_person", False),
        ("case-01", "lock", None, False),
    ]
    weighed = weigh_against(found, ["case-00", "case-01"])
    assert weighed.select("decision_id", "left", "right", "decision").rows() == [
        ("case-00", "web:k1", "web:k3", "NO_MATCH"),
        ("case-01", "web:k1", "web:k121", "MATCH"),
    ]
    assert weighed["weight"][0] < 0 < weighed["weight"][1]
    assert weigh_against(found, []).is_empty()


def test_another_threshold_and_a_rule_make_cases_agree_and_disagree(own_crowd):
    decide(own_crowd, pair(1, 121, "match"), pair(1, 2, "not_a_match"))

    assert list(agrees(verdict(own_crowd)).values()) == [True, False]
    assert list(agrees(verdict(own_crowd, "matching: {match_weight: 40.0}")).values()) == [False, True]
    rule = "matching: {cannot_match: [{name: a typo, entity_type: person, when: {family_name: one_edit}}]}"
    found = verdict(own_crowd, rule)
    assert found.agreeing_count == 2
    assert set(weigh_against(found, found.cases["decision_id"].to_list())["rule"]) <= {"model", "a typo"}


def test_a_later_decision_about_a_pair_takes_the_place_of_the_earlier(own_crowd):
    decide(own_crowd, pair(*TRUE, "not_a_match"), pair(*TRUE, "match", decided_at=LATER.replace(hour=13)))

    assert agrees(verdict(own_crowd)) == {"case-01": True}


def test_decisions_about_records_that_are_gone_are_not_judged(own_crowd):
    decide(own_crowd, pair(*TRUE, "match"), pair(3, 4, "match"))
    remove(own_crowd.lake, 1, version=2)
    own_crowd.run("run-2")
    found = verdict(own_crowd)

    assert agrees(found) == {"case-01": True}
    assert found.unjudged_count == 1


def wanted_value(house, attribute="name"):
    """Return a customer's records, one whose value wins, and one that says another."""
    owned = current_crosswalk(house.lake.snapshot())
    ids = sorted(owned.filter(pl.col("cuid") == owned.filter(pl.col("record_id") == 5)["cuid"][0])["record_id"])
    winner = next(record for record in ids if record % 2 == 0)  # crm is trusted more than web
    other = next(record for record in ids if SAID[record, attribute] != SAID[winner, attribute])
    return ids, winner, other


@pytest.mark.parametrize(("text", "agreed"), [("", [True, False]), ("trust: {web: {default: 1.0}}", [False, True])])
def test_a_pinned_value_agrees_where_it_would_win_by_itself(own_crowd, text, agreed):
    ids, winner, other = wanted_value(own_crowd)
    decide(own_crowd, of_record("pin", winner, ids, attribute="name"), of_record("pin", other, ids, attribute="name"))
    own_crowd.run("run-2")

    found = verdict(own_crowd, text)

    assert list(agrees(found).values()) == agreed
    (against,) = found.values.rows()
    assert set(against[1:]) == {winner, other}


def test_a_value_that_a_steward_entered_agrees_where_another_record_wins_with_the_same(own_crowd):
    ids, winner, _ = wanted_value(own_crowd)
    record = RECORDS[winner - 1]
    entered = (
        replace(record, record_id=900, facts={}, values={"name": record.values["name"]}, source_system="steward"),
        replace(record, record_id=901, facts={}, values={"country": "FR"}, source_system="steward"),
    )
    take_in(own_crowd.lake, own_crowd.keyring, *entered)
    names = ("name", "country")
    decide(
        own_crowd,
        *(of_record("override", each.record_id, ids, attribute=name) for each, name in zip(entered, names, strict=True)),
    )
    own_crowd.run("run-2")

    assert agrees(verdict(own_crowd)) == {"case-00": True, "case-01": False}


def test_nothing_is_stored_and_without_decisions_there_are_no_cases(crowd):
    before = (crowd.lake.root / "manifest.json").read_bytes()
    found = verdict(crowd)

    assert (found.cases.height, found.agreeing_count, found.unjudged_count) == (0, 0, 0)
    assert (crowd.lake.root / "manifest.json").read_bytes() == before


def test_a_model_is_tried_without_being_put_to_use(own_crowd):
    decide(own_crowd, pair(*TRUE, "match"))
    model = packaged_model(EntityType.PERSON, COMPARISONS[EntityType.PERSON])
    (in_use,) = active_models(own_crowd.lake.snapshot()).values()
    found = verdict(own_crowd, models={EntityType.PERSON: replace(model, is_imported=True)})

    assert found.scales.model_version("person") != in_use.version
    assert active_models(own_crowd.lake.snapshot())[EntityType.PERSON].version == in_use.version


def test_a_model_that_a_run_would_not_use_is_refused(own_crowd):
    model = packaged_model(EntityType.PERSON, COMPARISONS[EntityType.PERSON])
    with pytest.raises(ProjectInvalid, match=r"does not compare what matching\.compare lets count"):
        verdict(
            own_crowd, "matching: {compare: {person: [given_name, email]}, cannot_match: []}", models={EntityType.PERSON: model}
        )


def test_where_other_things_are_compared_the_model_is_learned_as_a_run_would(own_crowd):
    decide(own_crowd, pair(*TRUE, "match"), pair(*FALSE, "not_a_match"))
    text = "matching: {compare: {person: [given_name, family_name, email, phone]}, cannot_match: []}"
    found = verdict(own_crowd, text)
    own_crowd.run("run-2", rulebook=parse_rulebook(text, file="new.yaml"))

    (in_use,) = active_models(own_crowd.lake.snapshot()).values()
    assert found.scales.model_version("person") == in_use.version
