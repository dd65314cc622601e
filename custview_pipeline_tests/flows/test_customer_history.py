"""Tests of ``custview_pipeline.flows.customer_history``: where a customer id leads, now and at any time."""

from datetime import timedelta

import pytest

from custview_pipeline.contracts.matching_tables import CUID_HISTORY
from custview_pipeline.flows.customer_history import Standing, resolve
from custview_pipeline_tests.factories import NOW, cuid, cuid_history

DAYS = [NOW + timedelta(days=day) for day in range(6)]
STORY = (
    {"cuid": cuid(1), "happened_at": DAYS[0]},
    {"cuid": cuid(2), "happened_at": DAYS[0]},
    {"cuid": cuid(3), "happened_at": DAYS[0]},
    {"cuid": cuid(2), "event": "merged_into", "other_cuid": cuid(1), "happened_at": DAYS[1]},
    {"cuid": cuid(2), "event": "reactivated", "other_cuid": cuid(1), "happened_at": DAYS[2]},
    {"cuid": cuid(1), "event": "merged_into", "other_cuid": cuid(2), "happened_at": DAYS[3]},
    {"cuid": cuid(2), "event": "merged_into", "other_cuid": cuid(3), "happened_at": DAYS[4]},
    {"cuid": cuid(3), "event": "retired", "happened_at": DAYS[5]},
    {"cuid": cuid(4), "happened_at": DAYS[1]},
    {"cuid": cuid(4), "event": "split_from", "other_cuid": cuid(1), "happened_at": DAYS[1]},
    {"cuid": cuid(5), "happened_at": DAYS[0]},
    {"cuid": cuid(5), "event": "erased", "happened_at": DAYS[4]},
)


@pytest.fixture
def snapshot(empty_house):
    with empty_house.lake.writer() as writer, writer.commit("run-1") as commit:
        commit.append(CUID_HISTORY.name, cuid_history(*STORY))
    return empty_house.lake.snapshot()


@pytest.mark.parametrize(
    ("asked", "day", "leads_to", "standing"),
    [
        (2, 0, 2, Standing.ACTIVE),
        (2, 1, 1, Standing.ACTIVE),
        (2, 2, 2, Standing.ACTIVE),
        (1, 3, 2, Standing.ACTIVE),
        (1, 4, 3, Standing.ACTIVE),
        (2, None, 3, Standing.RETIRED),
        (4, None, 4, Standing.ACTIVE),
        (4, 0, 4, Standing.UNKNOWN),
        (5, 3, 5, Standing.ACTIVE),
        (5, None, 5, Standing.ERASED),
        (9, None, 9, Standing.UNKNOWN),
    ],
)
def test_an_id_leads_to_the_customer_that_it_is_or_was_then(snapshot, asked, day, leads_to, standing):
    found = resolve(snapshot, cuid(asked), None if day is None else DAYS[day])

    assert (found.cuid, found.leads_to, found.standing) == (cuid(asked), cuid(leads_to), standing)


def test_what_happened_on_the_way_is_told_in_its_order(snapshot):
    told = resolve(snapshot, cuid(1)).events

    assert [event.happened_at for event in told] == sorted(event.happened_at for event in told)
    assert {event.cuid for event in told} == {cuid(1), cuid(2), cuid(3)}
    split = resolve(snapshot, cuid(4)).events
    assert [(event.event, event.other_cuid) for event in split] == [("created", None), ("split_from", cuid(1))]
