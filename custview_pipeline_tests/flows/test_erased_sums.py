"""What an erasure does to numbers that were added up: those that an erased record is a part of go, and no others."""

import polars as pl
import pytest

from custview_pipeline.contracts.rulebook import parse_rulebook
from custview_pipeline_tests.flows.conftest import ADA, OTTO
from custview_pipeline_tests.flows.erasing import Estate, found_in
from custview_pipeline_tests.flows.sealed_lake import Record, take_in

SUMMED = parse_rulebook("survivorship: {attributes: {loyalty_points: {aggregate: sum}}}", file="r.yaml")
KEPT = parse_rulebook("survivorship: {attributes: {loyalty_points: {keep: all}}}", file="r.yaml")


def points(record_id, value, **cells):
    values = {"name": "Ada Winterbourne"} if value is None else {"name": "Ada Winterbourne", "loyalty_points": value}
    return Record(record_id, ADA, values, **cells)


def settled(root, *records, rulebook=SUMMED):
    """Return an estate where Ada and Otto are customers."""
    estate = Estate.open(root)
    take_in(estate.lake, estate.keyring, *records, Record(9, OTTO, {"name": "Otto Keating"}))
    estate.house.run(rulebook=rulebook)
    return estate


def moved_out(estate, record_id):
    """Have a record say that it is Otto, who is another customer."""
    take_in(estate.lake, estate.keyring, Record(record_id, OTTO, {"name": "Otto Keating"}, version=2))
    estate.house.run("run-2", rulebook=SUMMED)
    assert estate.customers()[record_id] == estate.customers()[9] != estate.customers()[1]


def erase(estate, record_id):
    entry = estate.ask_records(record_id)
    estate.carry_out()
    assert found_in(estate.certify(entry)) == {}


def sums(estate, of_record=1):
    """Return what each version of the customer of a record says, and whether its candidates are known still."""
    theirs = estate.read("golden_records").filter(pl.col("cuid") == estate.customers()[of_record]).sort("version")
    said = theirs["loyalty_points"].struct.field("value").to_list()
    return list(zip(said, (theirs["candidates_digest"] != 0).to_list(), strict=True))


def test_a_sum_stays_where_the_erased_record_had_no_part_in_it(tmp_path):
    estate = settled(tmp_path / "estate", points(1, "7"), points(2, "5"), points(3, None))
    moved_out(estate, 3)
    before = sums(estate)
    assert [said for said, _ in before] == ["12", "12"]
    erase(estate, 3)
    assert sums(estate) == before

    estate.house.run("run-3", rulebook=SUMMED)
    assert sums(estate) == before


@pytest.mark.parametrize(("erased", "left"), [(1, "7"), (2, "9")], ids=["the part that leads it", "another"])
def test_a_sum_goes_with_a_part_of_it_and_the_next_run_adds_up_what_is_left(tmp_path, erased, left):
    estate = settled(tmp_path / "estate", points(1, "7"), points(2, "5"), points(3, "2"))
    stays = 1 if erased != 1 else 2
    erase(estate, erased)
    assert sums(estate, stays) == [(None, False)]

    estate.house.run("run-2", rulebook=SUMMED)
    assert sums(estate, stays)[1:] == [(left, True)]
    assert estate.broken_promises() == {}


@pytest.mark.slow
@pytest.mark.thorough
def test_of_history_the_versions_go_that_the_erased_record_was_a_part_of(tmp_path):
    estate = settled(tmp_path / "estate", points(1, "7"), points(2, "5"), points(3, "2"))
    moved_out(estate, 3)
    assert [said for said, _ in sums(estate)] == ["14", "12"]
    erase(estate, 3)
    assert sums(estate) == [(None, False), ("12", True)]

    estate.house.run("run-3", rulebook=SUMMED)
    assert sums(estate) == [(None, False), ("12", True)]


@pytest.mark.slow
@pytest.mark.thorough
def test_a_sum_of_a_customer_that_all_its_records_left_goes_with_a_part_too(tmp_path):
    others = (Record(each, OTTO, {"name": "Otto Keating"}) for each in (10, 11))
    estate = settled(tmp_path / "estate", points(1, "7"), points(2, "5"), *others)
    former = estate.customers()[1]
    for record in (1, 2):
        take_in(estate.lake, estate.keyring, Record(record, OTTO, {"name": "Otto Keating"}, version=2))
    estate.house.run("run-2", rulebook=SUMMED)
    assert former not in estate.customers().values()
    erase(estate, 2)

    theirs = estate.read("golden_records").filter(pl.col("cuid") == former).sort("version")
    assert theirs["loyalty_points"].to_list() == [None] * theirs.height


def test_a_number_with_others_kept_beside_it_is_no_sum(tmp_path):
    estate = settled(tmp_path / "estate", points(1, "7"), points(2, "5", source_system="web"), rulebook=KEPT)
    assert [said for said, _ in sums(estate)] == ["7"]
    erase(estate, 2)

    assert [said for said, _ in sums(estate)] == ["7"]
