"""Tests of ``custview_pipeline.flows.customer_diff``: what changed between two moments, and what did it."""

import dataclasses
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.contracts.stewardship_tables import REVIEW_DECISIONS
from custview_pipeline.contracts.survivorship_rules import AttributeRule, Survivorship
from custview_pipeline.flows.change_causes import CauseKind, Causes, Place, RecordVersion, Span
from custview_pipeline.flows.customer_diff import Change, diff_customer
from custview_pipeline.flows.decisions import as_decisions
from custview_pipeline.flows.portrait import KEPT
from custview_pipeline.kernel.errors import ProjectInvalid, UnknownCustomer
from custview_pipeline.kernel.identifiers import Cuid
from custview_pipeline_tests.factories import NOW, cuid, pointer
from custview_pipeline_tests.flows.conftest import ADA, OTTO
from custview_pipeline_tests.flows.sealed_lake import Record, take_in
from custview_pipeline_tests.flows.test_as_of import change, make_story, owners

DAWN = datetime(2001, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def story(tmp_path_factory, keyring):
    return make_story(tmp_path_factory.mktemp("story"), keyring)


def diff(story, record_id, first=None, second=None, **how):
    span = (first or story.first, second or story.second)
    return diff_customer(story.house.lake.snapshot(), story.house.keyring, Cuid(story.before[record_id]), span, **how)


def values(found):
    """Return how each value differs and because of what."""
    return {each.attribute: (each.change, each.cause.kind, each.cause.name) for each in found.values}


def records(found):
    return {each.source_key: (each.change, each.cause and each.cause.kind) for each in found.records}


def test_a_value_that_a_delivery_changed_is_told_with_both_sides(story):
    found = diff(story, 1, in_full=["phone"])

    assert values(found) == {
        "phone": (Change.CHANGED, CauseKind.DELIVERY, "d2"),
        "country": (Change.WENT, CauseKind.DELIVERY, "d2"),
    }
    (phone,) = [each for each in found.values if each.attribute == "phone"]
    assert phone.before is not None
    assert phone.after is not None
    assert (phone.before.value, phone.after.value) == ("+12025550143", "+12025550199")
    assert phone.after.source_system == "crm"
    assert records(found) == {"k1": (Change.CHANGED, CauseKind.DELIVERY)}
    assert (found.before.cuid, found.after.cuid, found.events) == (story.before[1], story.before[1], ())


def test_values_are_masked_unless_they_may_be_seen(story):
    (phone,) = [each for each in diff(story, 1).values if each.attribute == "phone"]
    assert [side and side.value for side in (phone.before, phone.after)] == ["+1 *** *** 0143", "+1 *** *** 0199"]


def test_a_merge_is_told_from_the_side_of_the_one_that_went_on(story):
    (heir, merged) = (3, 61) if story.before[3] == story.after[3] else (61, 3)
    found = diff(story, heir)

    assert [(event.event, event.cuid) for event in found.events] == [("merged_into", story.before[merged])]
    assert records(found)[f"k{merged}"] == (Change.CAME, CauseKind.MERGE)
    assert values(found)["phone"] == (
        Change.CAME,
        *((CauseKind.MERGE, story.before[merged]) if merged == 61 else (CauseKind.DELIVERY, "d2")),
    )


def test_a_merge_is_told_from_the_side_of_the_one_that_ended(story):
    (heir, merged) = (3, 61) if story.before[3] == story.after[3] else (61, 3)
    found = diff(story, merged)

    assert (found.before.cuid, found.after.cuid) == (story.before[merged], story.before[heir])
    assert found.after.note.startswith(f"merged into {story.before[heir]} by ")
    assert records(found)[f"k{heir}"] == (Change.CAME, CauseKind.MERGE)
    change = {"name": Change.CHANGED} if merged == 61 else {"phone": Change.CAME}  # of the names that of the smaller id wins
    assert {name: values(found)[name] for name in change} == {
        name: (how, CauseKind.MERGE, story.before[merged]) for name, how in change.items()
    }


def test_a_customer_that_ended_lost_everything_to_a_deletion(story):
    found = diff(story, 62)

    assert (found.after.cuid, records(found)) == (None, {"k62": (Change.WENT, CauseKind.DELETION)})
    assert found.after.note.startswith("this customer had no records on ")
    assert values(found) == {"name": (Change.WENT, CauseKind.DELETION, "d2")}


def test_a_customer_that_did_not_exist_yet_got_everything_by_deliveries(story):
    found = diff(story, 1, first=DAWN, second=story.first)

    assert (found.before.cuid, {change for change, _, _ in values(found).values()}) == (None, {Change.CAME})
    assert found.before.note.startswith("no customer had this id on ")
    assert {kind for _, kind, _ in values(found).values()} == {CauseKind.DELIVERY}


def test_between_a_moment_and_itself_nothing_changes(story):
    for record_id in (1, 3):
        found = diff(story, record_id, first=story.first, second=story.first)
        assert (found.values, found.records, found.events) == ((), (), ())


def test_a_split_is_followed_back_to_the_customer_that_it_came_from(once_run):
    """Ada's two records turn out to be two persons."""
    before = owners(once_run)
    first = datetime.now(UTC)
    other = {"given": "zelda", "family": "quimby", "birth_date": "1999-09-09", "phones": ["2025557777"]}
    change(once_run, Record(2, other, {"name": "Zelda Quimby"}, source_system="web", version=2, cells={"delivery_id": "d2"}))
    second, after = datetime.now(UTC), owners(once_run)
    (parted,) = [record for record in (1, 2) if after[record] != before[1]]

    found = diff_customer(once_run.lake.snapshot(), once_run.keyring, Cuid(after[parted]), (first, second))

    assert (found.before.cuid, found.after.cuid) == (before[1], after[parted])
    assert f"split from {before[1]}" in found.before.note
    assert ("split_from", before[1]) in [(event.event, event.other_cuid) for event in found.events]
    assert records(found)[f"k{3 - parted}"] == (Change.WENT, CauseKind.SPLIT)
    assert CauseKind.SPLIT in {kind for _, kind, _ in values(found).values()}


@pytest.mark.parametrize(
    ("named", "span", "error", "said"),
    [
        (None, (NOW, DAWN), ProjectInvalid, "the first date must not be after the second"),
        (None, (DAWN, DAWN), UnknownCustomer, "no customer had this id on 2001-01-01"),
        (cuid(7), (DAWN, NOW), UnknownCustomer, "no customer has this id"),
    ],
)
def test_where_there_is_nothing_to_compare_that_is_said(story, named, span, error, said):
    with pytest.raises(error, match=said):
        diff_customer(story.house.lake.snapshot(), story.house.keyring, Cuid(named or story.before[1]), span)


# Causes alone: a customer of two records, whose e-mail address changes on day 5.

DAYS = [NOW + timedelta(days=day) for day in range(10)]
BEFORE, AFTER = Place(1, 1, 0, "most_trusted"), Place(2, 1, 0, "most_trusted")


def crosswalk(record_id, *owned):
    return [
        {"record_id": record_id, "version": version, "cuid": owner, "run_id": f"run-{day}", "valid_from_at": DAYS[day]}
        for version, (day, owner) in enumerate(owned, 1)
    ]


def versions(record_id, *days, deleted=()):
    return [
        {"record_id": record_id, "version": n, "delivery_id": f"d{day}", "is_deleted": n in deleted, "valid_from_at": DAYS[day]}
        for n, day in enumerate(days, 1)
    ]


def golden(version, day, record_id, **cells):
    email = None if record_id is None else pointer(record_id)
    return {
        "version": version,
        "valid_from_at": DAYS[day],
        "run_id": f"run-{day}",
        "rulebook_version": "r1",
        "email": email,
        **cells,
    }


def pinned(record_id, day, withdrawn=None):
    moment = None if withdrawn is None else DAYS[withdrawn]
    said = {"decision_id": f"pin-{day}", "record_id": record_id, "attribute": "email"}
    return {**said, "decided_at": DAYS[day], "withdrawn_at": moment}


PARTED = {"event": "split_from", "cuid": "A", "other_cuid": "C", "happened_at": DAYS[6], "run_id": "run-6"}
BOTH = (*crosswalk(1, (0, "A")), *crosswalk(2, (0, "A")))
OLD = (*versions(1, 0), *versions(2, 0))
ELECTED = (golden(1, 0, 1), golden(2, 5, 2))


@pytest.mark.parametrize(
    ("stored", "sides", "cause"),
    [
        ({}, (BEFORE, AFTER), (CauseKind.ELECTION, "", 5)),
        ({"golden": [golden(1, 0, 1), golden(2, 5, 2, rulebook_version="r2")]}, (BEFORE, AFTER), (CauseKind.RULES, "r2", 5)),
        ({"decisions": [pinned(2, 4)]}, (BEFORE, AFTER._replace(reason="pinned")), (CauseKind.DECISION, "pin-4", 4)),
        (
            {"decisions": [pinned(2, 3), pinned(2, 4)]},
            (BEFORE, AFTER._replace(reason="overridden")),
            (CauseKind.DECISION, "pin-4", 4),
        ),
        ({"decisions": [pinned(1, 0, 4)]}, (BEFORE._replace(reason="pinned"), AFTER), (CauseKind.DECISION, "pin-0", 4)),
        ({"decisions": [pinned(2, 6)]}, (BEFORE, AFTER), (CauseKind.ELECTION, "", 5)),
        (
            {"records": [*versions(1, 0), *versions(2, 4)], "crosswalk": [*BOTH[:1], *crosswalk(2, (5, "A"))]},
            (BEFORE, AFTER),
            (CauseKind.DELIVERY, "d4", 4),
        ),
        ({"records": [*versions(1, 0, 4), *versions(2, 0)]}, (BEFORE, AFTER), (CauseKind.DELIVERY, "d4", 4)),
        ({"crosswalk": [*BOTH[:1], *crosswalk(2, (0, "B"), (5, "A"))]}, (BEFORE, AFTER), (CauseKind.SPLIT, "B", 5)),
        (
            {
                "crosswalk": [*BOTH[:1], *crosswalk(2, (0, "B"), (5, "A"))],
                "history": [{"event": "merged_into", "cuid": "B", "other_cuid": "A", "happened_at": DAYS[5], "run_id": "run-5"}],
            },
            (BEFORE, AFTER),
            (CauseKind.MERGE, "B", 5),
        ),
        ({"crosswalk": [*crosswalk(1, (0, "A"), (5, "C")), *BOTH[1:]]}, (BEFORE, AFTER), (CauseKind.SPLIT, "C", 5)),
        (
            {
                "crosswalk": [*crosswalk(1, (0, "A"), (5, None)), *BOTH[1:]],
                "records": [*versions(1, 0, 4, deleted=[2]), *versions(2, 0)],
            },
            (BEFORE, AFTER),
            (CauseKind.DELETION, "d4", 4),
        ),
        ({"decisions": [pinned(2, 0)]}, (BEFORE, AFTER._replace(reason="pinned")), (CauseKind.DECISION, "pin-0", 5)),
        (
            {"crosswalk": [*BOTH[:1], *crosswalk(2, (0, "B"), (5, "A"))], "decisions": [pinned(2, 0)]},
            (BEFORE, AFTER._replace(reason="pinned")),
            (CauseKind.SPLIT, "B", 5),
        ),
        ({"crosswalk": [*crosswalk(1, (0, "C")), *BOTH[1:]], "history": [PARTED]}, (BEFORE, AFTER), (CauseKind.SPLIT, "C", 6)),
        (
            {"crosswalk": [*crosswalk(1, (0, "C")), *BOTH[1:]], "history": [PARTED | {"event": "reactivated"}]},
            (BEFORE, AFTER),
            (CauseKind.SPLIT, "C", 6),
        ),
        ({"crosswalk": [*crosswalk(1, (0, "C")), *BOTH[1:]]}, (BEFORE, AFTER), (CauseKind.ELECTION, "", 5)),
        (
            {
                "crosswalk": [*crosswalk(1, (0, "A"), (5, None)), *BOTH[1:]],
                "records": [*versions(1, 0, 1, deleted=[2]), *versions(2, 0)],
            },
            (BEFORE, AFTER),
            (CauseKind.DELETION, "d1", 5),
        ),
        ({"golden": [golden(1, 0, 2), golden(2, 5, 1), golden(3, 6, 2)]}, (BEFORE, AFTER), (CauseKind.ELECTION, "", 6)),
        ({"golden": [golden(1, 0, 2), golden(2, 5, 2)]}, (BEFORE, AFTER), (CauseKind.ELECTION, "", 5)),
        ({"golden": [golden(1, 0, None), golden(2, 5, None)]}, (BEFORE, None), (CauseKind.ELECTION, "", 5)),
        ({"golden": [golden(1, 0, 1), golden(2, 5, None)]}, (BEFORE, None), (CauseKind.ELECTION, "", 5)),
        ({"golden": [golden(1, 0, None), golden(2, 5, 2), golden(3, 6, 2)]}, (None, AFTER), (CauseKind.ELECTION, "", 5)),
    ],
)
def test_what_changed_a_value(stored, sides, cause):
    everything = {"crosswalk": BOTH, "records": OLD, "golden": ELECTED, "history": (), "decisions": (), **stored}
    causes = Causes(span=Span(DAYS[1], DAYS[8]), former="A", cuid="A", **everything)
    found = causes.of_value("email", *sides)
    assert (found.kind, found.name, found.happened_at) == (cause[0], cause[1], DAYS[cause[2]])


def summed(*record_ids):
    """Return the place of a sum of the first versions of some records."""
    said = RecordVersion(record_ids[0], 1)
    return Place(*said, 0, "summed", str(len(record_ids)), frozenset(RecordVersion(each, 1) for each in record_ids))


@pytest.mark.parametrize(
    ("stored", "sides", "cause"),
    [
        ({"crosswalk": [*BOTH[:1], *crosswalk(2, (0, "B"), (5, "A"))]}, (BEFORE, summed(1, 2)), (CauseKind.SPLIT, "B", 5)),
        ({"crosswalk": [*BOTH[:1], *crosswalk(2, (0, "A"), (5, "B"))]}, (summed(1, 2), BEFORE), (CauseKind.SPLIT, "B", 5)),
        ({"records": [*versions(1, 0), *versions(2, 4)]}, (BEFORE, summed(1, 2)), (CauseKind.DELIVERY, "d4", 4)),
        (
            {"crosswalk": [*crosswalk(1, (0, "A")), *crosswalk(2, (0, "B"), (3, "A")), *crosswalk(3, (0, "B"), (5, "A"))]},
            (BEFORE, summed(1, 2, 3)),
            (CauseKind.SPLIT, "B", 5),
        ),
        ({}, (summed(1, 2), summed(1, 2)), (CauseKind.ELECTION, "", 8)),
    ],
    ids=["a part came", "a part went", "a part was delivered", "two parts came", "no part did"],
)
def test_what_changed_a_sum_is_what_brought_or_took_its_parts(stored, sides, cause):
    everything = {"crosswalk": BOTH, "records": OLD, "golden": (), "history": (), "decisions": (), **stored}
    found = Causes(span=Span(DAYS[1], DAYS[8]), former="A", cuid="A", **everything).of_value("loyalty_points", *sides)
    assert (found.kind, found.name, found.happened_at) == (cause[0], cause[1], DAYS[cause[2]])


PLACES = st.sampled_from([None, BEFORE, AFTER, BEFORE._replace(reason="pinned"), AFTER._replace(reason="pinned"), summed(1, 2)])
DAY = st.integers(0, 9)
OWNERS = st.lists(st.tuples(DAY, st.sampled_from(["A", "B", "C", None])), min_size=1, max_size=3).map(
    lambda owned: sorted(owned, key=lambda each: each[0])
)
HAPPENED = st.builds(
    lambda event, names, day: {
        "event": event, "cuid": names[0], "other_cuid": names[1], "happened_at": DAYS[day], "run_id": f"run-{day}"
    },
    st.sampled_from(["merged_into", "split_from", "reactivated"]),
    st.sampled_from([("A", "B"), ("B", "A"), ("A", "C")]),
    DAY,
)  # fmt: skip


@given(
    owned=st.tuples(OWNERS, OWNERS),
    brought=st.tuples(st.sets(DAY, min_size=1, max_size=3), st.sets(DAY, min_size=1, max_size=3)),
    elected=st.lists(st.sampled_from([1, 2, None]), min_size=1, max_size=9),
    history=st.lists(HAPPENED, max_size=3),
    pins=st.lists(st.builds(pinned, st.sampled_from([1, 2]), DAY, st.none() | DAY), max_size=3),
    asked=st.tuples(st.sampled_from(["A", "B"]), PLACES, PLACES),
)
def test_every_cause_lies_between_the_moments(owned, brought, elected, history, pins, asked):
    former, *sides = asked
    causes = Causes(
        span=Span(DAYS[3], DAYS[6]),
        former=former,
        cuid="A",
        crosswalk=[row for record, rows in enumerate(owned, 1) for row in crosswalk(record, *rows)],
        records=[row for record, days in enumerate(brought, 1) for row in versions(record, *sorted(days), deleted=[len(days)])],
        golden=[golden(day + 1, day, record) for day, record in enumerate(elected) if day <= 6],
        history=sorted(history, key=lambda row: row["happened_at"]),
        decisions=pins,
    )
    told = [causes.of_value("email", *sides), *(causes.of_kept("email", *each) for each in ((None, AFTER), (BEFORE, None)))]
    told += [cause for record in (1, 2) for cause in (causes.of_joining(record), causes.of_leaving(record)) if cause]
    assert [cause for cause in told if not causes.span.holds(cause.happened_at)] == []


PHONES = Rulebook(survivorship=Survivorship(attributes={"phone": AttributeRule(keep="all")}))
SUMS = Rulebook(survivorship=Survivorship(attributes={"loyalty_points": AttributeRule(aggregate="sum")}))


def deliver(house, *records, rulebook):
    """Take records in as of now, run by a rulebook, and return the moment after."""
    now = datetime.now(UTC)
    stamped = [dataclasses.replace(record, cells={"valid_from_at": now, "delivery_id": "d2"}) for record in records]
    take_in(house.lake, house.keyring, *stamped, is_delivered=False)
    house.run(f"run-at-{now:%H%M%S%f}", rulebook=rulebook, is_whole=True)
    return datetime.now(UTC)


def with_phone(version, phone):
    values = {"name": "A. Winterbourne", "email": "ada@example.org"} | ({"phone": phone} if phone else {})
    return Record(2, ADA, values, source_system="web", version=version)


def test_values_that_are_kept_beside_the_winner_come_and_go_with_what_did_it(once_run):
    ada, first = Cuid(owners(once_run)[1]), datetime.now(UTC)
    second = deliver(once_run, with_phone(2, "+12025550177"), rulebook=PHONES)
    third = deliver(once_run, with_phone(3, "+12025550188"), rulebook=PHONES)
    fourth = deliver(once_run, with_phone(4, "+12025550143"), rulebook=PHONES)  # what the other record says

    def phones(*span):
        found = diff_customer(once_run.lake.snapshot(), once_run.keyring, ada, span, in_full=["phone"])
        changes = [each for each in found.values if each.attribute == "phone"]
        assert {reason for each in changes for side in (each.before, each.after) if side for reason in [side.reason]} <= {KEPT}
        assert {(each.cause.kind, each.cause.name) for each in changes} <= {(CauseKind.DELIVERY, "d2")}
        return [(each.change, *(side and side.value for side in (each.before, each.after))) for each in changes]

    assert phones(first, second) == [(Change.CAME, None, "+12025550177")]
    assert phones(second, third) == [(Change.CAME, None, "+12025550188"), (Change.WENT, "+12025550177", None)]
    assert phones(third, fourth) == [(Change.WENT, "+12025550188", None)]
    assert phones(first, fourth) == []


def test_values_that_another_rulebook_keeps_came_by_it(once_run):
    ada = Cuid(owners(once_run)[1])
    first = deliver(once_run, with_phone(2, "+12025550177"), rulebook=Rulebook())
    second = deliver(once_run, rulebook=PHONES)
    found = diff_customer(once_run.lake.snapshot(), once_run.keyring, ada, (first, second))
    assert values(found) == {"phone": (Change.CAME, CauseKind.RULES, PHONES.version)}


def test_a_sum_that_a_merge_changed_is_told_to_be_by_the_merge(empty_house):
    points = [Record(1, ADA, {"name": "Ada", "loyalty_points": "3"}), Record(3, OTTO, {"name": "Otto", "loyalty_points": "4"})]
    first = deliver(empty_house, *points, rulebook=SUMS)
    before = owners(empty_house)
    second = deliver(empty_house, Record(3, ADA, {"name": "Otto", "loyalty_points": "4"}, version=2), rulebook=SUMS)
    heir = owners(empty_house)[1]
    found = diff_customer(empty_house.lake.snapshot(), empty_house.keyring, Cuid(heir), (first, second))
    (change,) = [each for each in found.values if each.attribute == "loyalty_points"]

    assert change.before is not None
    assert change.after is not None
    assert {change.before.value, change.after.value} <= {"3", "4", "7"}
    assert (change.after.value, change.before.part_count, change.after.part_count) == ("7", 0, 2)
    assert (change.cause.kind, change.cause.name) == (CauseKind.MERGE, ({*before.values()} - {heir}).pop())


def test_a_pin_of_a_steward_is_told_as_the_cause(once_run):
    first, ada = datetime.now(UTC), Cuid(owners(once_run)[1])
    stated = pl.DataFrame({"decision": ["pin"], "record_id": [2], "member_ids": [[1, 2]], "attribute": ["name"]}).with_columns(
        decided_by=pl.lit("ada"), decided_at=pl.lit(datetime.now(UTC)), origin=pl.lit("steward")
    )
    with once_run.lake.writer() as writer, writer.commit("review") as commit:
        commit.append(REVIEW_DECISIONS.name, as_decisions(stated))
    once_run.run("run-2", rulebook=Rulebook())
    found = diff_customer(once_run.lake.snapshot(), once_run.keyring, ada, (first, datetime.now(UTC)))

    decision_id = once_run.lake.snapshot().read(REVIEW_DECISIONS.name)["decision_id"][0]
    assert values(found) == {"name": (Change.CHANGED, CauseKind.DECISION, decision_id)}
    assert ADA["given"] == "ada"
