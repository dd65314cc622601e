"""Tests of ``flows.rotation`` and ``flows.reencrypt``: keys change while deliveries, matching and readers go on."""

import shutil
from dataclasses import replace

import polars as pl
import pytest

from custview_pipeline.adapters.delta_tables import stored_files
from custview_pipeline.contracts.erasure import Erasure
from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS, QUARANTINED_RECORDS
from custview_pipeline.contracts.match_index import Generation
from custview_pipeline.flows import rotation
from custview_pipeline.flows.erase import carry_out
from custview_pipeline.flows.quarantine import open_row, unsealed
from custview_pipeline.flows.rotation import RotationReport, continue_rotations, is_under_way, rotate
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline.protection.suppression import suppression_marks
from custview_pipeline.protection.wrapped_keys import KeyState, Purpose
from custview_pipeline.standardisation import standardise as standardising
from custview_pipeline.standardisation.standardise import rule_set_version
from custview_pipeline_tests.factories import NOW, source_contract
from custview_pipeline_tests.flows.delivery_desk import Desk, row
from custview_pipeline_tests.interrupted import open_keys

PEOPLE = [row(str(number), f"Ada Winterbourne {'abcdefgh'[number]}", f"ada{number}@example.org") for number in range(6)]
ROTATED = (Purpose.VAULT, Purpose.TOKEN, Purpose.INDEX)


@pytest.fixture(scope="module")
def settled(tmp_path_factory):
    """Return a desk with keys of its own, where three deliveries and a refused row came; it is not to be changed."""
    root = tmp_path_factory.mktemp("settled")
    desk = Desk(root, open_keys(root / "keys"), source_contract("crm", "full_name", "email", max_refused_share=1.0))
    desk.redefine("source_key", is_required=True, is_unique=True)
    desk.redefine("full_name", is_required=True)
    desk.deliver(*PEOPLE[:3], row("9", ""))
    desk.deliver(*PEOPLE[:5])
    desk.deliver(*PEOPLE[1:], row("8", "Otto Keating"))
    return desk


@pytest.fixture
def desk(settled, tmp_path, monkeypatch):
    """Return a copy of the settled desk, to go on with."""
    monkeypatch.setattr(rotation, "_PAUSE_SECONDS", 0)
    shutil.copytree(settled.root, tmp_path / "desk")
    return Desk(tmp_path / "desk", open_keys(tmp_path / "desk" / "keys"), settled.contract, settled.runs)


class Between(Unwatched):
    """Does something between two turns, while the lake is free."""

    def __init__(self, act):
        self.act, self.steps = act, []

    def step(self, stage, what, count):
        """Note the step and act."""
        self.steps.append((stage, what, count))
        self.act()


def turn(desk, purpose, between=lambda: None):
    progress = Between(between)
    report = rotate(
        desk.lake,
        desk.keyring,
        [desk.contract],
        "US",
        purpose,
        run_id="rotation",
        progress=progress,
        records_a_turn=2,
    )
    return report, progress.steps


def night(desk, **named):
    with desk.lake.writer() as writer:
        return continue_rotations(writer, desk.keyring, [desk.contract], "US", run_id="night", **named)


def versions(desk, purpose):
    return [(key.version, key.state) for key in desk.keyring.versions(purpose)]


def sealed_under(desk):
    """Return the versions of the vault key that rows lying on disk are sealed under, in files of former versions too."""
    tables = desk.lake.root / "tables"
    blobs = [
        pl.read_parquet(file, columns=[column])[column]
        for table, column in ((PROTECTED_RECORDS, "payload_sealed"), (QUARANTINED_RECORDS, "row_sealed"))
        for file in stored_files(tables / table.name)
    ]
    return {int.from_bytes(blob[2:4]) for blob in pl.concat(blobs).drop_nulls()}


def made_under(desk):
    """Return what shows the versions of a key that something is under, by key."""
    active, _ = desk.lake.snapshot().index_generations()
    return {
        Purpose.VAULT: sealed_under(desk),
        Purpose.TOKEN: {Generation.named(active).token_version},
        Purpose.INDEX: {int(file.name.split("-k")[1].split("-")[0]) for file in (desk.lake.root / "index").iterdir()},
    }


def refused_texts(desk):
    rows = desk.quarantined()
    return unsealed(desk.lake.snapshot(), desk.keyring, rows["quarantine_id"], rows["row_sealed"]).to_list()


def read_all(desk, lost=()):
    """Read what a reader would, under keys of its own, and return it."""
    reader = replace(desk, keyring=open_keys(desk.root / "keys"))
    assert set(reader.current()) <= {*reader.tokenised(), *lost}
    return reader.payloads(), refused_texts(reader)


@pytest.mark.parametrize("purpose", ROTATED)
def test_a_rotation_leaves_nothing_under_the_former_key_and_everything_readable(desk, purpose):
    before, stored = read_all(desk), desk.lake.snapshot().read("protected_records").drop("payload_sealed")
    report, steps = turn(desk, purpose, lambda: read_all(desk))
    assert (report.purpose, report.from_version, report.to_version, report.is_complete) == (purpose, 1, 2, True)
    assert read_all(desk) == before
    same = ["record_id", "version"]
    assert desk.lake.snapshot().read("protected_records").drop("payload_sealed").sort(same).equals(stored.sort(same))
    assert versions(desk, purpose) == [(2, KeyState.CURRENT)]
    assert made_under(desk) == {Purpose.VAULT: {1}, Purpose.TOKEN: {1}, Purpose.INDEX: {1}} | {purpose: {2}}
    assert all(stage == f"{purpose} key" for stage, _, _ in steps)
    assert len(steps) > 1


@pytest.mark.slow
@pytest.mark.parametrize("purpose", ROTATED)
def test_a_key_is_rotated_again_and_again(desk, purpose):
    before = read_all(desk)
    for version in (2, 3):
        assert turn(desk, purpose)[0].to_version == version
    assert read_all(desk) == before
    assert made_under(desk)[purpose] == {3}


@pytest.mark.parametrize("purpose", ROTATED)
def test_a_reader_that_opened_its_keys_before_reads_on(desk, purpose):
    reader = replace(desk, keyring=open_keys(desk.root / "keys"))
    before = reader.payloads()

    def read():
        assert reader.payloads() == before
        assert set(reader.current()) <= set(reader.tokenised())

    turn(desk, purpose, read)
    read()


@pytest.mark.parametrize("purpose", ROTATED)
def test_an_empty_lake_takes_the_next_key_at_once(desk, purpose, tmp_path):
    desk.root = tmp_path / "empty"
    report, steps = turn(desk, purpose)
    assert (report.is_complete, report.records, report.segments, steps) == (True, 0, 0, [])
    assert versions(desk, purpose) == [(2, KeyState.CURRENT)]


@pytest.mark.parametrize("purpose", ROTATED)
@pytest.mark.parametrize("count", [0, 2])
def test_a_rotation_that_was_begun_is_brought_to_its_end_and_no_other_one_is_begun(desk, purpose, count):
    before = read_all(desk)

    class Stopped(Exception):
        pass

    def stop():
        nonlocal count
        count -= 1
        if count < 0:
            raise Stopped

    if count == 0:
        desk.keyring.add(purpose)
    else:
        try:
            turn(desk, purpose, stop)
        except Stopped:
            assert is_under_way(desk.keyring, purpose)
        else:
            return  # it takes fewer turns
    report, _ = turn(desk, purpose)
    assert (report.from_version, report.to_version) == (1, 2)
    assert versions(desk, purpose) == [(2, KeyState.CURRENT)]
    assert read_all(desk) == before


@pytest.mark.parametrize("purpose", ROTATED)
def test_deliveries_between_the_turns_are_under_the_new_key_in_the_end(desk, purpose):
    numbers = iter("abcdefghij")
    given = [*PEOPLE[1:], row("8", "Otto Keating")]

    def take_another():
        given.append(row(next(numbers), "Berta Oakley"))
        given[0] = row("1", f"Ada {len(given) * 'x'}")
        found = desk.deliver(*given, row(None))
        assert (found.new_count, found.changed_count) == (1, 1)
        read_all(desk)

    turn(desk, purpose, take_another)
    assert len(given) > 6
    assert made_under(desk)[purpose] == {2}
    assert set(desk.current()) <= set(desk.tokenised())
    assert desk.deliver(*given).unchanged_count == len(given)


@pytest.mark.parametrize("purpose", ROTATED)
def test_rows_that_are_shredded_meanwhile_hold_nothing_up(desk, purpose):
    lost = []

    def shred_one():
        record_id, version = next(pair for pair in desk.current() if pair not in lost)
        lost.append((record_id, version))
        refused = desk.quarantined()["quarantine_id"].to_list()[:1]
        with desk.lake.writer() as writer, writer.commit("shred") as commit:
            ids, versions = [record_id, *refused], [version, *(0 for _ in refused)]
            commit.forget_keys(
                pl.DataFrame({"record_id": ids, "version": versions}, {"record_id": pl.Int64, "version": pl.Int32})
            )

    shred_one()
    before = read_all(desk)
    report, _ = turn(desk, purpose, shred_one if purpose is Purpose.TOKEN else lambda: None)
    assert report.is_complete
    after = read_all(desk, lost)
    assert after[0] == {key: value for key, value in before[0].items() if key not in lost}
    assert after[1] == before[1] == [None]
    if purpose is Purpose.VAULT:
        assert made_under(desk)[purpose] == {1, 2}, "what nothing opens stays as it is"


@pytest.mark.parametrize("purpose", ROTATED)
def test_an_erasure_between_two_turns_is_whole(desk, purpose):
    (number, version), *_ = desk.current()
    _, id_key = desk.keyring.current(Purpose.ID)
    marks = suppression_marks(id_key, pl.Series("record_id", [number], pl.Int64))
    entry = Erasure(erasure_id="0" * 16, requested_at=NOW, who="tester", reason="asked for", record_marks=tuple(marks))

    def erase():
        with desk.lake.writer() as writer:
            carry_out(writer, desk.keyring, [entry], run_id="erasure")

    before = read_all(desk)
    turn(desk, purpose, erase)
    after = read_all(desk)
    assert after[0] == {key: payload for key, payload in before[0].items() if key[0] != number}
    assert after[1] == before[1]
    assert (number, version) not in desk.current()
    assert (number, version) not in desk.tokenised()
    assert made_under(desk)[purpose] == {2}


def test_a_contract_that_changes_meanwhile_changes_no_record_until_its_next_delivery(desk):
    before = read_all(desk)
    turn(desk, Purpose.TOKEN, lambda: desk.redefine("email", attribute="occupation"))
    assert read_all(desk) == before
    assert desk.take().changed_count == 6
    assert set(desk.current()) <= set(desk.tokenised())


def test_other_rules_meanwhile_make_the_next_generation_under_them_and_the_next_key(desk, monkeypatch):
    def change():
        monkeypatch.setitem(standardising.RULE_SETS, "names", "99")

    turn(desk, Purpose.TOKEN, change)
    assert desk.lake.snapshot().index_generations() == (Generation(rule_set_version(), 2).name, None)
    assert "names=99" in rule_set_version()
    assert desk.tokenised() == desk.current()


def test_a_delivery_under_other_rules_in_the_middle_of_a_rotation_is_not_lost(desk, monkeypatch):
    def change():
        monkeypatch.setitem(standardising.RULE_SETS, "names", "99")
        desk.deliver(*PEOPLE, row("7", "Berta Oakley"))

    turn(desk, Purpose.TOKEN, change)
    assert made_under(desk)[Purpose.TOKEN] == {2}
    assert desk.tokenised() == desk.current()


def test_a_former_key_of_an_older_lake_is_not_retired_while_the_index_needs_it(desk):
    desk.keyring.add(Purpose.TOKEN)
    desk.keyring.promote(Purpose.TOKEN)
    assert versions(desk, Purpose.TOKEN) == [(1, KeyState.FORMER), (2, KeyState.CURRENT)]
    report, _ = turn(desk, Purpose.TOKEN)
    assert (report.from_version, report.to_version, report.records) == (1, 2, 6)
    assert versions(desk, Purpose.TOKEN) == [(2, KeyState.CURRENT)]
    assert made_under(desk)[Purpose.TOKEN] == {2}


def test_old_material_is_not_kept_with_the_new(desk):
    def entries():
        names = desk.lake.snapshot().manifest.key_segments
        return len(names)

    assert entries() > 1
    turn(desk, Purpose.VAULT)
    assert entries() == 1


@pytest.mark.parametrize("purpose", [Purpose.ID, Purpose.KEYTABLE, Purpose.LOG])
def test_keys_under_which_nothing_is_made_anew_rotate_in_another_way(desk, purpose):
    with pytest.raises(ProjectInvalid, match=f"the {purpose} key"):
        turn(desk, purpose)


def test_a_token_key_is_not_rotated_without_the_contract_of_every_source(desk):
    desk.contract = replace(desk.contract, source_system="web")
    with pytest.raises(ProjectInvalid, match="no contract describes crm: "):
        turn(desk, Purpose.TOKEN)
    assert not is_under_way(desk.keyring, Purpose.TOKEN)


def test_nights_begin_no_rotation(desk):
    before = desk.lake.snapshot().manifest
    assert night(desk) == ()
    assert desk.lake.snapshot().manifest == before


@pytest.mark.parametrize("purpose", ROTATED)
def test_nights_bring_a_rotation_to_its_end_in_portions(desk, purpose):
    before = read_all(desk)
    desk.keyring.add(purpose)
    reports = []
    while is_under_way(desk.keyring, purpose):
        reports += night(desk, budget=2)
        assert len(reports) < 20
        read_all(desk)
    assert reports[-1].is_complete
    assert all(report.records <= 5 for report in reports), "but for one delivery that has more"
    assert len(reports) > 1
    assert read_all(desk) == before
    assert made_under(desk)[purpose] == {2}


def test_one_night_is_enough_for_a_small_lake(desk):
    for purpose in ROTATED:
        desk.keyring.add(purpose)
    assert [(report.purpose, report.is_complete) for report in night(desk)] == [
        (Purpose.TOKEN, True),
        (Purpose.VAULT, True),
        (Purpose.INDEX, True),
    ]
    assert made_under(desk) == {purpose: {2} for purpose in ROTATED}


def test_a_source_without_a_contract_holds_a_rotation_up_and_not_the_night(desk):
    desk.keyring.add(Purpose.TOKEN)
    desk.keyring.add(Purpose.INDEX)
    desk.contract = replace(desk.contract, source_system="web")
    held_up, done = night(desk)
    assert held_up == RotationReport(Purpose.TOKEN, 1, 2, held_up=held_up.held_up)
    assert held_up.held_up is not None
    assert held_up.held_up.startswith("no contract describes crm: ")
    assert done.is_complete


def test_a_refused_row_opens_after_each_rotation(desk):
    (number,) = desk.quarantined()["quarantine_id"]
    before = open_row(desk.lake.snapshot(), desk.keyring, number, [], is_masked=False).cells
    for purpose in ROTATED:
        turn(desk, purpose)
        assert open_row(desk.lake.snapshot(), desk.keyring, number, [], is_masked=False).cells.equals(before)
