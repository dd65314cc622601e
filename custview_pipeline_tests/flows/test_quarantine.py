"""Tests of ``custview_pipeline.flows.quarantine`` and ``flows.release``: refused rows, kept once, opened, released, forgotten."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.flows.quarantine import expire, list_refused, open_row, parse_id, shown_id, unsealed
from custview_pipeline.flows.release import Choice, Desk, release
from custview_pipeline.kernel.errors import ProjectInvalid, UnknownRow
from custview_pipeline_tests.flows.delivery_desk import row
from custview_pipeline_tests.interrupted import before_each_step, open_keys, steps_of

NAMELESS = row("1", name="", email="ada@example.org")
GOOD = row("2", "Otto Keating")
NO_NAME = "completeness__full_name__required"


@pytest.fixture
def strict(desk):
    """Return the desk with a contract that asks for a name."""
    desk.redefine("full_name", is_required=True)
    return desk


def let_go(desk, *quarantine_ids, **choice):
    keeper = Desk([desk.contract], "US", desk.keyring, 1, f"release-{desk.runs}")
    with desk.lake.writer() as writer:
        return release(keeper, writer, Choice(quarantine_ids=quarantine_ids, **choice))


def mended(desk):
    desk.redefine("full_name", is_required=False)
    return desk


@given(st.integers(-(2**63), 2**63 - 1))
def test_an_id_is_read_back_as_it_is_shown(number):
    assert parse_id(f" {shown_id(number).upper()} ") == number
    assert len(shown_id(number)) == 16


@pytest.mark.parametrize("written", ["", "12", "g" * 16, "-123456789012345", "0x12345678901234", "ada@example.org"])
def test_what_is_no_id_is_wrong_use(written):
    with pytest.raises(ProjectInvalid, match="not the id of a refused row") as raised:
        parse_id(written)
    assert not written or written not in str(raised.value)


def test_the_same_refused_row_is_kept_once_and_counts_in_every_delivery(strict):
    for number in range(3):
        found = strict.deliver(NAMELESS, GOOD, row(f"1{number}"))
        assert (found.refused_count, found.reasons) == (1, {NO_NAME: 1})
        assert strict.quarantined().height == 1
    counts = strict.lake.snapshot().read("deliveries").sort("delivered_at")
    assert counts["refused_count"].to_list() == [1, 1, 1]
    assert counts["origin"].unique().to_list() == ["source"]


def test_copies_within_a_delivery_and_rows_without_a_key_are_kept_once_too(desk):
    found = desk.deliver(row(None), row(None), row("1", "Ada"), row("1", "Ada"), row("1", "Otto"))
    assert (found.refused_count, desk.quarantined().height) == (5, 3)
    assert desk.deliver(row(None), row("1", "Ada"), row("1", "Otto"), GOOD).refused_count == 3
    assert desk.quarantined().height == 3


def test_a_row_with_other_content_is_kept_beside_the_former_one(strict):
    strict.deliver(NAMELESS)
    strict.deliver({**NAMELESS, "email": "other@example.org"})
    assert strict.quarantined()["content_digest"].n_unique() == 2


def test_rows_that_are_refused_for_another_reason_now_say_so_and_are_not_kept_twice(strict):
    strict.deliver(NAMELESS, GOOD)
    strict.redefine("email", max_length=5)
    assert strict.deliver(NAMELESS, GOOD).refused_count == 1
    (kept,) = strict.quarantined().iter_rows(named=True)
    assert sorted(kept["reasons"]) == [NO_NAME, "conformity__email__length"]


def test_a_refused_row_leaves_the_former_version_of_its_record_active(strict):
    strict.deliver(row("1", "Ada"), GOOD)
    strict.deliver(NAMELESS, GOOD)
    assert strict.stored_keys() == ["1", "2"]


def test_the_list_tells_what_is_refused_newest_first_and_of_one_source(strict):
    strict.deliver(NAMELESS)
    strict.deliver(row("3", name=""), NAMELESS)
    listed = list_refused(strict.lake.snapshot())
    assert listed["quarantined_at"].is_sorted(descending=True)
    assert listed["reasons"].to_list() == [[NO_NAME], [NO_NAME]]
    assert list_refused(strict.lake.snapshot(), "web").is_empty()


def test_a_row_is_opened_masked_or_whole(strict):
    strict.deliver(NAMELESS)
    (number,) = strict.quarantined()["quarantine_id"]
    snapshot = strict.lake.snapshot()
    masked = open_row(snapshot, strict.keyring, number, [strict.contract], is_masked=True)
    whole = open_row(snapshot, strict.keyring, number, [], is_masked=False)
    assert masked.cells.select("column", "value", "attribute").rows() == [
        ("source_key", "***", "source_key"), ("full_name", None, "full_name"), ("email", "a***@e***.org", "email"),
    ]  # fmt: skip
    assert whole.cells.select("column", "value", "attribute").rows() == [
        ("source_key", "1", None),
        ("full_name", None, None),
        ("email", "ada@example.org", None),
    ]
    assert masked.refused.reasons == [NO_NAME]


def test_an_unknown_row_is_told_of_by_its_id(desk):
    desk.deliver(GOOD)
    with pytest.raises(UnknownRow, match=shown_id(-5)):
        open_row(desk.lake.snapshot(), desk.keyring, -5, [], is_masked=True)
    with pytest.raises(UnknownRow, match=shown_id(-5)):
        let_go(desk, -5)


def test_released_rows_enter_as_any_delivered_row_does(strict):
    strict.deliver(NAMELESS, GOOD)
    (report,) = let_go(mended(strict))
    assert (report.released_count, report.refused_count, report.superseded_count) == (1, 0, 0)
    assert (strict.stored_keys(), strict.quarantined().height) == (["1", "2"], 0)
    last = strict.lake.snapshot().read("deliveries").sort("delivered_at").row(-1, named=True)
    assert (last["origin"], last["row_count"], last["new_count"], last["refused_count"]) == ("quarantine", 1, 1, 0)
    snapshot = strict.lake.snapshot()
    records = snapshot.read("protected_records", ["record_id", "version"])
    for part in ("tokens", "claims"):
        assert records.join(snapshot.read_index(part), on=["record_id", "version"], how="anti").is_empty()
    strict.redefine("full_name", is_required=True)
    strict.redefine("full_name", is_required=False)
    assert strict.deliver(NAMELESS, GOOD, row("3")).changed_count == 2, "rules changed: all is worked on anew"
    assert strict.deliver(NAMELESS, GOOD, row("4")).unchanged_count == 2


def test_what_is_released_cannot_be_opened_where_it_was(strict):
    strict.deliver(NAMELESS, row("3", name=""), GOOD)
    before, copy = strict.quarantined(), strict.root / "copy"
    shutil.copytree(strict.lake.root, copy)
    let_go(mended(strict), before["quarantine_id"][0])

    def opened(lake):
        return unsealed(lake.snapshot(), strict.keyring, before["quarantine_id"], before["row_sealed"])

    assert opened(strict.lake).is_null().to_list() == [True, False]
    assert opened(DeltaLake(copy, strict.keyring))[0] is None, "nor in a copy of the lake made before"


def test_rows_that_are_still_refused_stay_with_the_reasons_of_now(strict):
    strict.deliver(NAMELESS, GOOD)
    strict.redefine("email", max_length=5)
    (report,) = let_go(mended(strict))
    assert (report.released_count, report.refused_count) == (0, 1)
    assert report.reasons == {"conformity__email__length": 1}
    assert strict.quarantined()["reasons"].to_list() == [["conformity__email__length"]]


def test_nothing_is_written_where_nothing_changes(strict):
    strict.deliver(NAMELESS, GOOD)
    before = strict.lake.snapshot().manifest
    let_go(strict)
    let_go(strict, source_system="web")
    assert strict.lake.snapshot().manifest == before


def test_a_row_whose_record_has_a_later_version_is_discarded(strict):
    strict.deliver(NAMELESS, GOOD)
    strict.deliver(row("1", "Ada Mended"), GOOD)
    (report,) = let_go(mended(strict))
    assert (report.released_count, report.superseded_count) == (0, 1)
    assert (strict.stored_keys(), strict.quarantined().height) == (["1", "2"], 0)
    versions = strict.lake.snapshot().read("protected_records", ["source_key", "version"])
    assert versions.filter(source_key="1")["version"].to_list() == [1]


def test_a_row_of_a_record_that_is_gone_since_is_discarded_and_one_that_came_later_is_not(strict):
    strict.deliver(row("1", "Ada"), GOOD)
    strict.deliver(NAMELESS, GOOD)
    (report,) = let_go(mended(strict))
    assert report.released_count == 1
    assert strict.lake.snapshot().read("protected_records").filter(source_key="1")["version"].sort().to_list() == [1, 2]
    strict.redefine("full_name", is_required=True)
    strict.deliver(row("1", "", "b@example.org"), GOOD)
    strict.deliver(GOOD)
    (report,) = let_go(mended(strict))
    assert (report.superseded_count, strict.stored_keys()) == (1, ["2"])


def test_of_two_refused_rows_of_one_record_the_later_enters(strict):
    strict.deliver(NAMELESS)
    strict.deliver({**NAMELESS, "email": "later@example.org"}, GOOD)
    (report,) = let_go(mended(strict))
    assert (report.released_count, report.superseded_count) == (1, 1)
    assert strict.deliver({**NAMELESS, "email": "later@example.org"}, GOOD).changed_count == 2
    assert strict.deliver({**NAMELESS, "email": "later@example.org"}, GOOD, row("3")).unchanged_count == 2


def test_of_rows_that_share_a_key_none_is_released_unless_one_is_chosen(desk):
    desk.deliver(row("1", "Ada"), row("1", "Otto"), GOOD)
    (report,) = let_go(desk)
    assert (report.refused_count, report.reasons) == (2, {"uniqueness__source_key__unique": 2})
    (report,) = let_go(desk, desk.quarantined()["quarantine_id"][0])
    assert (report.released_count, desk.stored_keys()) == (1, ["1", "2"])
    (report,) = let_go(desk)
    assert (report.superseded_count, desk.quarantined().height) == (1, 0)


def test_rows_without_a_key_and_shared_values_stay_while_the_contract_refuses_them(desk):
    desk.redefine("email", is_unique=True)
    desk.deliver(row(None), row("1", email="a@example.org"), row("2", email="a@example.org"), row("3"))
    (report,) = let_go(desk)
    assert (report.refused_count, report.released_count) == (3, 0)
    desk.redefine("email", is_unique=False)
    (report,) = let_go(desk, rule="uniqueness__email__unique")
    assert (report.released_count, desk.stored_keys()) == (2, ["1", "2", "3"])
    assert desk.quarantined()["reasons"].to_list() == [["completeness__source_key__required"]]


def test_rows_are_read_as_the_contract_of_now_says(strict):
    strict.deliver(NAMELESS, GOOD)
    columns = tuple(column for column in strict.contract.columns if column.name != "email")
    strict.contract = replace(strict.contract, columns=(*columns, replace(columns[0], name="town", attribute="city")))
    mended(strict).redefine("town", is_required=False, is_unique=False)
    assert let_go(strict)[0].released_count == 1


def test_rows_of_a_source_without_a_contract_cannot_be_judged(strict):
    strict.deliver(NAMELESS)
    with strict.lake.writer() as writer, pytest.raises(ProjectInvalid, match="no contract describes crm"):
        release(Desk([], "US", strict.keyring, 1, "run"), writer, Choice())


@pytest.mark.parametrize(("days", "count"), [(29, 0), (31, 1)])
def test_what_is_older_than_its_retention_is_shredded(strict, days, count):
    strict.deliver(NAMELESS, GOOD)
    before = strict.quarantined()
    with strict.lake.writer() as writer:
        assert expire(writer, datetime.now(UTC) + timedelta(days=days), run_id="night") == count
    assert strict.quarantined().height == 1 - count
    opened = unsealed(strict.lake.snapshot(), strict.keyring, before["quarantine_id"], before["row_sealed"])
    assert opened.is_null().to_list() == [bool(count)]


def test_a_row_that_was_shredded_is_taken_off_the_list(strict):
    strict.deliver(NAMELESS, GOOD)
    (number,) = strict.quarantined()["quarantine_id"]
    lost = pl.DataFrame({"record_id": [number], "version": [0]}, {"record_id": pl.Int64, "version": pl.Int32})
    with strict.lake.writer() as writer, writer.commit("lost") as commit:
        commit.forget_keys(lost)
    with pytest.raises(UnknownRow, match="was shredded"):
        open_row(strict.lake.snapshot(), strict.keyring, number, [], is_masked=True)
    (report,) = let_go(mended(strict))
    assert (report.shredded_count, report.released_count, strict.quarantined().height) == (1, 0, 0)


class Interrupted(BaseException):
    """The process would have been killed here."""


def state_of(desk):
    records = desk.lake.snapshot().read("protected_records", ["source_key", "version", "content_digest"])
    deliveries = desk.lake.snapshot().read("deliveries", ["origin", "new_count", "refused_count"])
    return sorted(records.rows()), desk.quarantined()["reasons"].to_list(), sorted(deliveries.rows())


def interrupt_before(step):
    """Return what undoes that the step of this number, counted from 0, is not reached."""
    left = [step]

    def count(_):
        if not left[0]:
            raise Interrupted
        left[0] -= 1

    return before_each_step(count)


def assert_done_once(desk, every):
    """Interrupt a release before every so-manieth step, the last one included, and finish it.

    Keys are put back with the lake: under today's keys an older lake lacks what was shredded since.
    """
    desk.keyring = open_keys(desk.root / "keys")
    desk.deliver(NAMELESS, row("3", name=""), row(None), GOOD)
    mended(desk)
    before, kept = state_of(desk), desk.root.parent / "kept"
    shutil.copytree(desk.root, kept)
    steps = steps_of(lambda: let_go(desk))
    after = state_of(desk)
    assert before != after
    assert steps.count("DeltaLake.replace_manifest") == 1
    in_place = steps.index("DeltaLake.replace_manifest") + 1
    for step in range(len(steps) - 1, -1, -every):
        shutil.rmtree(desk.root)
        shutil.copytree(kept, desk.root)
        desk.keyring = open_keys(desk.root / "keys")
        undo = interrupt_before(step)
        try:
            with pytest.raises(Interrupted):
                let_go(desk)
        finally:
            undo()
        assert state_of(desk) == (before if step <= in_place else after), steps[step]
        let_go(desk)
        assert state_of(desk) == after, steps[step]
        floors = desk.lake.snapshot().shard_floors()
        assert all(min(desk.keyring.shard_keys().generations[shard]) == floor for shard, floor in floors.items())


@pytest.mark.slow
@pytest.mark.thorough
def test_a_release_that_is_interrupted_loses_nothing_and_is_done_once(strict):
    assert_done_once(strict, every=6)


@pytest.mark.faults
@pytest.mark.thorough
def test_a_release_that_is_interrupted_anywhere_loses_nothing_and_is_done_once(strict):
    assert_done_once(strict, every=1)
