"""Tests of ``custview_pipeline.flows.upkeep``: a compacted lake says what it said, and the next run has as little to do."""

from datetime import UTC, datetime

import polars as pl
import pytest

from custview_pipeline.contracts.golden_tables import CUSTOMER_CORE
from custview_pipeline.contracts.match_index import VALUE_PARTS, IndexPart
from custview_pipeline.contracts.matching_tables import MATCH_EDGES, MATCH_GROUPS, REVIEW_TASKS
from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.contracts.stewardship_tables import REVIEW_DECISIONS
from custview_pipeline.flows.current import (
    current_crosswalk,
    current_edges,
    current_groups,
    current_index,
    current_records,
    current_tasks,
)
from custview_pipeline.flows.erasure_index import fuzzy_tokens
from custview_pipeline.flows.publish import current_core
from custview_pipeline.flows.upkeep import Compaction, compact, vacuum
from custview_pipeline_tests.factories import NOW
from custview_pipeline_tests.flows.conftest import OTTO, House
from custview_pipeline_tests.flows.erasing import Estate, found_in
from custview_pipeline_tests.flows.sealed_lake import Record, remove, take_in

DERIVED = {MATCH_EDGES.name, REVIEW_TASKS.name, MATCH_GROUPS.name, CUSTOMER_CORE.name}
MOVED = {"given": "ada", "family": "winterbourne", "birth_date": "1961-04-17", "phones": ["2025550999"]}


def _crowd(count: int) -> list[Record]:
    """Return people who have nothing to do with anybody: beside them a change is a small one."""
    names = [f"{number:06b}".replace("0", "ka").replace("1", "tu") for number in range(count)]
    return [
        Record(
            1000 + number,
            {
                "given": f"g{name}",
                "family": f"f{name}",
                "birth_date": f"{1920 + number}-{1 + number % 12:02d}-{1 + number % 28:02d}",
            },
            {"name": f"G{name} F{name}"},
        )
        for number, name in enumerate(names)
    ]


def stir(house: House) -> None:
    """Let records change, come and go in several small runs."""
    take_in(house.lake, house.keyring, *_crowd(24), is_delivered=False)
    house.run("run-1")
    for version in (2, 3):
        take_in(house.lake, house.keyring, Record(1, MOVED, {"name": "Ada Winterbourne"}, version=version), is_delivered=False)
        take_in(house.lake, house.keyring, Record(3, OTTO, {"name": f"Otto {version}"}, version=version), is_delivered=False)
        house.run(f"run-{version}")
    remove(house.lake, 60, version=2)
    house.run("run-4")


@pytest.fixture(scope="module")
def stirred(tmp_path_factory) -> Estate:
    """Return an estate after several small runs, not to be changed."""
    estate = Estate.settled(tmp_path_factory.mktemp("stirred") / "estate")
    stir(estate.house)
    return estate


@pytest.fixture
def estate(stirred, tmp_path) -> Estate:
    return stirred.copied(tmp_path / "estate")


def compacted(house, run_id="compaction"):
    with house.lake.writer() as writer:
        return compact(writer, run_id=run_id)


def vacuumed(house, keep_days=0):
    with house.lake.writer() as writer:
        return vacuum(writer, keep_days=keep_days)


def what_holds(house):
    """Return everything that a reader can learn of now, and the histories."""
    snapshot = house.lake.snapshot()
    records = current_records(snapshot)
    now = [current_edges(snapshot), current_tasks(snapshot), current_groups(snapshot), current_core(snapshot), records]
    now += [current_index(snapshot, part, records) for part in (IndexPart.TOKENS, IndexPart.CLAIMS)]
    history = [snapshot.read(name) for name in sorted(CONTRACTS.keys() - DERIVED)]
    return [*now, current_crosswalk(snapshot), *(ordered(frame) for frame in history)]


def ordered(frame):
    scalars = [name for name, kind in frame.schema.items() if not kind.is_nested()]
    return frame.sort(scalars)


def assert_same(before, after):
    for was, is_now in zip(before, after, strict=True):
        assert was.equals(is_now), was.columns


@pytest.fixture(scope="module")
def kept(stirred, tmp_path_factory) -> tuple[Estate, Compaction]:
    """Return the same estate after a compaction and a vacuum, not to be changed, and what the compaction did."""
    estate = stirred.copied(tmp_path_factory.mktemp("kept") / "estate")
    done = compacted(estate.house)
    vacuumed(estate.house)
    return estate, done


def test_a_compacted_lake_says_what_it_said(stirred, kept):
    estate, done = kept
    assert {"protected_records", "crosswalk", "golden_records", "golden_lineage"} <= set(done.tables)
    assert done.index_segments > 10
    assert done.key_segments > 2
    assert done.outdated_count > 0
    assert done.waiting == {}
    assert_same(what_holds(stirred.house), what_holds(estate.house))
    assert estate.values() == stirred.values()


def test_every_table_and_part_lies_in_one_file_then(kept):
    estate, _ = kept
    for folder in (estate.lake.root / "tables").iterdir():
        assert len(list(folder.glob("*.parquet"))) <= 1, folder.name
    parts = [path.name.split("-")[0] for path in (estate.lake.root / "index").iterdir()]
    assert len(parts) == len(set(parts))
    assert len(list((estate.lake.root / "keys").iterdir())) == 1


@pytest.mark.parametrize(
    ("table", "key"), [(MATCH_EDGES, ["left_id", "right_id"]), (MATCH_GROUPS, ["record_id"]), (CUSTOMER_CORE, ["cuid"])]
)
def test_rows_that_hold_no_more_are_left_out_of_derived_tables(kept, table, key):
    rows = kept[0].read(table.name)
    assert rows.height == rows.select(key).n_unique()


def test_the_index_is_of_the_records_of_now_and_every_value_in_it_is_of_one(stirred, kept):
    before, snapshot = stirred.lake.snapshot(), kept[0].lake.snapshot()
    assert before.index_owners(IndexPart.TOKENS).height > current_records(before).height
    owners = snapshot.index_owners(IndexPart.TOKENS)
    assert owners.sort("record_id").equals(current_records(snapshot).select("record_id", "version"))
    held = fuzzy_tokens(snapshot.read_index(IndexPart.TOKENS))
    for part in VALUE_PARTS:
        rows = snapshot.read_index(part)
        assert rows["token"].is_in(held.implode()).all(), part
        assert rows.height == rows.n_unique(), part


def test_the_next_run_finds_nothing_to_do_and_a_second_compaction_neither(kept, tmp_path):
    estate = kept[0].copied(tmp_path / "estate")
    again = compacted(estate.house)
    assert (again.tables, again.outdated_count, again.index_segments, again.key_segments) == ((), 0, 0, 0)
    reports = estate.house.run("after")
    assert reports.linkage.is_unchanged
    assert reports.survival.is_unchanged
    assert reports.publication.is_unchanged


def test_the_next_change_is_a_small_one_and_ends_as_if_nothing_had_been_compacted(estate, tmp_path):
    other = estate.copied(tmp_path / "other")
    compacted(estate.house)
    vacuumed(estate.house)
    reports = []
    for each in (estate, other):
        take_in(each.lake, each.keyring, Record(3, MOVED, {"name": "Otto Keating"}, version=4), is_delivered=False)
        remove(each.lake, 2, version=2)
        reports.append(each.house.run("after"))
    assert [report.linkage.is_whole for report in reports] == [False, False]
    assert [report.survival.is_whole for report in reports] == [False, False]
    assert [report.publication.is_whole for report in reports] == [False, False]
    assert estate.customers() == other.customers()
    assert estate.values() == other.values()
    found = [current_edges(each.lake.snapshot()).drop("version") for each in (estate, other)]
    assert found[0].equals(found[1])
    assert estate.broken_promises() == other.broken_promises()


def test_a_table_waits_for_a_stage_that_has_not_worked_on_its_newest_rows(estate):
    take_in(estate.lake, estate.keyring, Record(3, MOVED, {"name": "Otto"}, version=4), is_delivered=False)
    before = estate.lake.snapshot().marks()
    done = compacted(estate.house)
    assert set(done.waiting) == {"protected_records"}
    assert {"matching", "survivorship"} <= set(done.waiting["protected_records"])
    assert "protected_records" not in done.tables
    assert "golden_records" in done.tables
    assert estate.lake.snapshot().marks().keys() == before.keys()
    assert not estate.house.run("after").linkage.is_whole
    assert compacted(estate.house).waiting == {}


def test_a_table_that_was_not_there_when_a_stage_ran_is_one_that_it_has_not_worked_on(estate):
    said = {"decision_id": "d1", "left_id": 1, "right_id": 3, "decision": "not_a_match", "decided_by": "ada", "decided_at": NOW}
    answer = pl.DataFrame([said | {"origin": "steward"}], schema=REVIEW_DECISIONS.types)
    with estate.lake.writer() as writer, writer.commit("steward") as commit:
        commit.append(REVIEW_DECISIONS.name, answer)
    assert compacted(estate.house).waiting == {REVIEW_DECISIONS.name: ("matching", "survivorship")}


def test_an_erasure_after_a_compaction_leaves_no_trace_in_what_was_retired(estate):
    compacted(estate.house)
    assert estate.lake.snapshot().manifest.retired
    entry = estate.ask_customer_of(1)
    estate.carry_out()
    assert not any(segment.is_of_index for segment in estate.lake.snapshot().manifest.retired)
    certificate = estate.certify(entry)
    assert found_in(certificate) == {}
    compacted(estate.house)
    vacuumed(estate.house)
    assert found_in(estate.certify(entry)) == {}


@pytest.mark.slow
def test_a_compaction_after_an_erasure_is_no_trace_of_what_was_erased(estate):
    entry = estate.ask_customer_of(3)
    estate.carry_out()
    estate.house.run("after")
    compacted(estate.house)
    assert found_in(estate.certify(entry)) == {}


def test_a_lake_without_anything_is_compacted_too(empty_house):
    done = compacted(empty_house)
    assert (done.tables, done.index_segments, done.key_segments) == ((), 0, 0)
    assert vacuumed(empty_house).file_count == 0


def test_readers_of_before_read_on_until_the_vacuum_of_their_day(estate):
    reader = estate.lake.snapshot()
    expected = {name: reader.read(name).height for name in CONTRACTS}
    tokens = reader.read_index(IndexPart.TOKENS)
    ids = pl.Series([1, 3], dtype=pl.Int64)
    keys = reader.materials(ids, pl.Series([1, 1], dtype=pl.Int32))
    compacted(estate.house)
    removed = vacuumed(estate.house, keep_days=7)
    assert removed.file_count == 0
    assert {name: reader.read(name).height for name in CONTRACTS} == expected
    assert reader.read_index(IndexPart.TOKENS).equals(tokens)
    assert reader.materials(ids, pl.Series([1, 1], dtype=pl.Int32)).equals(keys)
    assert vacuumed(estate.house, keep_days=0).byte_count > 0
    assert estate.lake.snapshot().manifest.committed_at <= datetime.now(UTC)
