"""Tests of ``custview_pipeline.flows.change_feed``: reading from a cursor, and what an erasure tells."""

import polars as pl
import pytest

from custview_pipeline.contracts.golden_tables import CHANGE_FEED
from custview_pipeline.flows.change_feed import last_sequence, read_changes
from custview_pipeline.kernel.errors import UnknownCursor
from custview_pipeline_tests.factories import NOW, cuid, table
from custview_pipeline_tests.flows.erasing import Estate
from custview_pipeline_tests.flows.memory_lake import MemoryLake


def feed(*sequences):
    default = {
        "cuid": cuid(1), "golden_version": 1, "event": "updated", "changed_attributes": [], "run_id": "run-1", "happened_at": NOW,
    }  # fmt: skip
    return table(CHANGE_FEED.types, default, tuple({"sequence": number, "change_id": str(number)} for number in sequences))


@pytest.fixture
def lake():
    lake = MemoryLake()
    lake.append("change_feed", feed(4, 3))
    lake.append("change_feed", feed(6, 5))
    return lake


@pytest.mark.parametrize(
    ("after", "limit", "found"),
    [
        (None, None, [3, 4, 5, 6]),
        (None, 2, [3, 4]),
        (2, None, [3, 4, 5, 6]),
        (4, None, [5, 6]),
        (4, 1, [5]),
        (6, None, []),
        (99, None, []),
    ],
    ids=["all that is kept", "the earliest", "from the start", "from a cursor", "one", "from the end", "beyond the end"],
)
def test_changes_are_read_in_their_order_from_a_cursor_on(lake, after, limit, found):
    assert read_changes(lake, after=after, limit=limit)["sequence"].to_list() == found


@pytest.mark.parametrize("after", [0, 1])
def test_a_cursor_before_what_is_kept_is_told_from_the_end(lake, after):
    with pytest.raises(UnknownCursor, match=f"changes {after + 1} to 2 are not kept any more: .* go on after 2"):
        read_changes(lake, after=after, limit=None)


def test_the_last_number_is_known_and_0_where_nothing_was_told(lake):
    assert (last_sequence(lake), last_sequence(MemoryLake())) == (6, 0)


@pytest.fixture
def estate(tmp_path):
    return Estate.settled(tmp_path / "estate")


def told_since(estate, sequence):
    rows = estate.read("change_feed").filter(pl.col("sequence") > sequence).sort("sequence")
    CHANGE_FEED.assert_holds(rows)
    return rows.select("cuid", "event", "golden_version", "changed_attributes").rows()


def test_an_erased_customer_is_told_once_and_what_was_told_before_stays(estate):
    customer, before = estate.customers()[1], estate.read("change_feed")
    estate.ask_customer_of(1)
    estate.carry_out()

    assert told_since(estate, before.height) == [(customer, "erased", None, [])]
    assert estate.read("change_feed").sort("sequence").head(before.height).equals(before.sort("sequence"))
    estate.carry_out()
    assert told_since(estate, before.height + 1) == []


def test_a_customer_that_goes_on_without_some_of_its_values_is_told_with_their_names(estate):
    customer, last = estate.customers()[1], estate.read("change_feed").height
    estate.ask_records(1)
    estate.carry_out()
    ((told, event, version, attributes),) = told_since(estate, last)

    assert (told, event, version) == (customer, "updated", 1)
    assert {"name", "phone", "country"} == set(attributes)


def test_the_next_run_tells_of_the_version_that_it_makes_under_another_id(estate):
    customer = estate.customers()[1]
    estate.ask_records(1)
    estate.carry_out()
    estate.house.run("run-2")
    rows = estate.read("change_feed").filter((pl.col("cuid") == customer) & (pl.col("event") == "updated"))

    assert rows.sort("sequence")["golden_version"].to_list() == [1, 2]
    assert not estate.read("change_feed")["change_id"].is_duplicated().any()
    assert not estate.read("change_feed")["sequence"].is_duplicated().any()


def test_a_customer_that_goes_on_is_shown_under_the_version_that_follows(estate):
    customer = estate.customers()[1]
    estate.ask_records(1)
    estate.carry_out()
    core = estate.read("customer_core").filter(pl.col("cuid") == customer)

    assert core.select("version", "is_active", "record_count").rows() == [(2, True, 2)], "counted anew by the next run"
    estate.house.run("run-2")
    newest = estate.read("customer_core").filter(pl.col("cuid") == customer).sort("version").row(-1, named=True)
    assert (newest["version"], newest["record_count"]) == (3, 1)
