"""Tests of ``custview_pipeline.flows.customer_diff``: what changed between two moments, and what did it."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.contracts.stewardship_tables import REVIEW_DECISIONS
from custview_pipeline.flows.change_causes import CauseKind, Causes, Place, Span
from custview_pipeline.flows.customer_diff import Change, diff_customer
from custview_pipeline.flows.decisions import as_decisions
from custview_pipeline.kernel.errors import ProjectInvalid, UnknownCustomer
from custview_pipeline.kernel.identifiers import Cuid
from custview_pipeline_tests.factories import NOW, cuid, pointer
from custview_pipeline_tests.flows.conftest import ADA
from custview_pipeline_tests.flows.sealed_lake import Record
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
        ({"golden": [golden(1, 0, 1), golden(2, 5, None)]}, (BEFORE, None), (CauseKind.ELECTION, "", 5)),
        ({"golden": [golden(1, 0, None), golden(2, 5, 2), golden(3, 6, 2)]}, (None, AFTER), (CauseKind.ELECTION, "", 5)),
    ],
)
def test_what_changed_a_value(stored, sides, cause):
    everything = {"crosswalk": BOTH, "records": OLD, "golden": ELECTED, "history": (), "decisions": (), **stored}
    causes = Causes(span=Span(DAYS[1], DAYS[8]), former="A", cuid="A", **everything)
    found = causes.of_value("email", *sides)
    assert (found.kind, found.name, found.happened_at) == (cause[0], cause[1], DAYS[cause[2]])


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
