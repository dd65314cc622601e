"""Tests of ``custview_pipeline.survivorship.changes``."""

from datetime import timedelta

import polars as pl
import pytest

from custview_pipeline.contracts.golden_tables import CHANGE_FEED, GOLDEN_LINEAGE
from custview_pipeline.survivorship.changes import KEPT, Told, cleared_values, number_changes, tell_changes
from custview_pipeline.survivorship.golden import KNOWN_COLUMNS, GoldenChange
from custview_pipeline_tests.factories import LATER, NOW, cuid, cuid_history, golden_records, pointer, table

SAID = pl.Schema({**{name: GOLDEN_LINEAGE.types[name] for name in KEPT if name != "rank"}, "token": pl.Int64})
GONE = {"cuid": cuid(1), "version": 2, "is_active": False}


def lineage(*rows):
    default = {
        "cuid": cuid(1), "version": 2, "record_version": 1, "slot": 0, "source_system": "crm", "rank": 1, "is_kept": True,
        "reason": "only_candidate", "trust_score": 0.5, "rulebook_version": "r1",
    }  # fmt: skip
    return table(GOLDEN_LINEAGE.types, default, rows)


def said(*rows):
    return table(SAID, {"cuid": cuid(1), "attribute": "email", "record_version": 1, "slot": 0}, rows)


def told(*records, before=(), history=(), won=(), now=(), says=()):
    """Return the rows of the feed by what is appended to golden_records, what held before and what explains it."""
    change = GoldenChange(golden_records(*records), lineage(*now), golden_records(*before).select(KNOWN_COLUMNS))
    found = tell_changes(
        change, Told(cuid_history(*history), lineage(*won).select(KEPT), said(*says)), after=10, run_id="run-1", now=LATER
    )
    CHANGE_FEED.assert_holds(found)
    return found


MERGED = {"cuid": cuid(1), "event": "merged_into", "other_cuid": cuid(2)}
SPLIT = {"cuid": cuid(1), "event": "split_from", "other_cuid": cuid(2)}
RETIRED = {"cuid": cuid(1), "event": "retired"}


@pytest.mark.parametrize(
    ("record", "before", "history", "event", "other"),
    [
        ({"cuid": cuid(1)}, [], [], "created", None),
        ({"cuid": cuid(1)}, [], [SPLIT], "split", cuid(2)),
        ({"cuid": cuid(1), "version": 2}, [{"cuid": cuid(1)}], [], "updated", None),
        ({"cuid": cuid(1), "version": 2}, [{"cuid": cuid(1)}], [SPLIT], "updated", None),
        ({"cuid": cuid(1), "version": 3}, [GONE], [MERGED], "reactivated", None),
        (GONE, [{"cuid": cuid(1)}], [MERGED], "merged", cuid(2)),
        (GONE, [{"cuid": cuid(1)}], [RETIRED], "retired", None),
        (GONE, [{"cuid": cuid(1)}], [SPLIT], "retired", None),
        (GONE, [{"cuid": cuid(1)}], [MERGED, {**RETIRED, "happened_at": NOW + timedelta(1)}], "retired", None),
        (GONE, [{"cuid": cuid(1)}], [{**MERGED, "happened_at": NOW + timedelta(1)}, RETIRED], "merged", cuid(2)),
    ],
    ids=[
        "new",
        "split off",
        "changed",
        "changed, once split off",
        "back again",
        "merged",
        "without records",
        "without records, once split off",
        "without records, once merged",
        "merged, once without records",
    ],
)
def test_the_event_is_what_happened_last(record, before, history, event, other):
    row = told(record, before=before, history=history).row(0, named=True)

    assert (row["event"], row["other_cuid"], row["golden_version"]) == (event, other, record.get("version", 1))


def test_changes_are_numbered_on_and_have_ids_of_their_own():
    found = told({"cuid": cuid(1)}, {"cuid": cuid(3), "version": 2}, before=[{"cuid": cuid(3)}])

    assert found.select("sequence", "change_id").rows() == [(11, f"{cuid(1)}-1-created"), (12, f"{cuid(3)}-2-updated")]
    assert found["run_id"].to_list() == ["run-1", "run-1"]
    assert found["happened_at"].to_list() == [LATER, LATER]


def test_of_a_new_customer_all_that_it_has_is_named_and_of_one_that_ended_nothing():
    has = {"email": pointer(1), "country": pointer(1, value="GB")}
    found = told({"cuid": cuid(1), **has}, {**GONE, "cuid": cuid(2)}, before=[{"cuid": cuid(2), **has}])

    assert found["changed_attributes"].to_list() == [["email", "country"], []]


EMAIL = {"attribute": "email", "record_id": 1}


@pytest.mark.parametrize(
    ("won", "now", "says", "changed"),
    [
        ([EMAIL], [EMAIL], [], []),
        ([EMAIL], [{**EMAIL, "record_version": 2}], [{**EMAIL, "token": 7}, {**EMAIL, "record_version": 2, "token": 7}], []),
        (
            [EMAIL],
            [{**EMAIL, "record_version": 2}],
            [{**EMAIL, "token": 7}, {**EMAIL, "record_version": 2, "token": 8}],
            ["email"],
        ),
        ([EMAIL], [{**EMAIL, "record_id": 2}], [{**EMAIL, "token": 7}, {**EMAIL, "record_id": 2, "token": 7}], []),
        ([EMAIL], [{**EMAIL, "record_version": 2}], [{**EMAIL, "record_version": 2, "token": 7}], ["email"]),
        ([EMAIL], [{**EMAIL, "slot": 1}], [EMAIL, {**EMAIL, "slot": 1}], ["email"]),
        ([], [EMAIL], [{**EMAIL, "token": 7}], ["email"]),
        ([EMAIL], [], [{**EMAIL, "token": 7}], ["email"]),
        ([EMAIL], [{**EMAIL, "attribute": "phone"}], [], ["email", "phone"]),
        ([], [{**EMAIL, "rank": 2, "is_kept": False}], [], []),
    ],
    ids=[
        "the same",
        "the same in a later version of the record",
        "another in a later version of the record",
        "the same of another record",
        "not known any more what it was",
        "cannot be compared",
        "there is one now",
        "there is none any more",
        "of two attributes",
        "a loser",
    ],
)
def test_attributes_are_named_whose_value_is_or_may_be_another(won, now, says, changed):
    row = told({"cuid": cuid(1), "version": 2}, before=[{"cuid": cuid(1)}], won=won, now=now, says=says).row(0, named=True)

    assert row["changed_attributes"] == changed


SECOND = {**EMAIL, "record_id": 2, "rank": 2}


@pytest.mark.parametrize(
    ("won", "now", "says", "changed"),
    [
        ([EMAIL, SECOND], [EMAIL, SECOND], [{**SECOND, "token": 8}], []),
        ([EMAIL], [EMAIL, SECOND], [{**SECOND, "token": 8}], ["email"]),
        ([EMAIL, SECOND], [EMAIL], [{**SECOND, "token": 8}], ["email"]),
        (
            [EMAIL, SECOND],
            [EMAIL, {**SECOND, "record_version": 2}],
            [{**SECOND, "token": 8}, {**SECOND, "record_version": 2, "token": 8}],
            [],
        ),
        (
            [EMAIL, SECOND],
            [EMAIL, {**SECOND, "record_version": 2}],
            [{**SECOND, "token": 8}, {**SECOND, "record_version": 2, "token": 9}],
            ["email"],
        ),
        ([EMAIL, SECOND], [EMAIL, SECOND], [], ["email"]),
    ],
    ids=["the same", "one more", "one less", "the same in a later version", "another", "not known any more what it was"],
)
def test_values_that_are_kept_beside_the_winner_are_told_too(won, now, says, changed):
    said_rows = [{name: cell for name, cell in row.items() if name != "rank"} for row in says]
    row = told({"cuid": cuid(1), "version": 2}, before=[{"cuid": cuid(1)}], won=won, now=now, says=said_rows).row(0, named=True)

    assert row["changed_attributes"] == changed


def test_a_golden_record_that_lost_values_without_a_new_version_is_told():
    before = golden_records(
        {"cuid": cuid(1), "email": pointer(1), "phone": pointer(1)},
        {"cuid": cuid(2), "email": pointer(2)},
        {**GONE, "cuid": cuid(3), "email": pointer(1)},
    )
    after = golden_records(
        {"cuid": cuid(1), "phone": pointer(1)}, {"cuid": cuid(2), "email": pointer(2)}, {**GONE, "cuid": cuid(3)}
    )

    assert cleared_values(before, after).rows() == [(cuid(1), 1, ["email"])]


def test_without_changes_nothing_is_told():
    assert told().is_empty()
    assert number_changes(told().rename({"sequence": "former"}), after=0, run_id="run-1", now=NOW).is_empty()
