"""An erased record that its source delivers again: left out, or let in and reported, as its contract says."""

import shutil
from dataclasses import replace

import polars as pl
import pytest

from custview_pipeline.adapters.erasure_ledger import ErasureLedger
from custview_pipeline.adapters.key_files import FileKeyProvider, KeyDirectory
from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.flows.deliver import Intake, deliver
from custview_pipeline.flows.erase import carry_out_pending
from custview_pipeline.flows.erasure_request import NamedRecord, Stated, ask_for, choose_records
from custview_pipeline.flows.release import Choice, release
from custview_pipeline.flows.release import Desk as ReleaseDesk
from custview_pipeline.flows.suppress import NO_MARKS, Suppression
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.suppression import suppression_marks
from custview_pipeline.protection.wrapped_keys import Purpose
from custview_pipeline_tests.factories import NOW, source_contract
from custview_pipeline_tests.flows.delivery_desk import Desk, row

PEOPLE = [row(str(number), f"Ada Winterbourne {'abcdefgh'[number]}", f"{number}@example.org") for number in range(4)]
ID_KEY = bytes(range(32))


class _ErasingDesk(Desk):
    """A desk with a ledger, at which deliveries know what was erased."""

    @property
    def ledger(self):
        return ErasureLedger(self.root / "keys")

    def take(self):
        self.runs += 1
        files = SourceFiles(self.root, self.contract)
        with self.lake.writer() as writer:
            intake = Intake(
                self.contract, files, "US", self.keyring.airlock_keys(), 1, f"run-{self.runs}", Unwatched(),
                suppressed=self.ledger.record_marks(),
            )  # fmt: skip
            return deliver(intake, writer)

    def erase(self, *keys):
        id_key = self.keyring.current(Purpose.ID)[1]
        chosen = choose_records(self.lake.snapshot(), id_key, [NamedRecord("crm", key) for key in keys])
        self.ledger.append(ask_for(chosen, id_key, Stated("ada", "asked for", None), now=NOW))
        with self.lake.writer() as writer:
            carry_out_pending(writer, self.keyring, self.ledger, run_id="erasure")

    def let_in(self):
        self.contract = replace(self.contract, refuses_erased=False)


def open_desk(root):
    keyring = Keyring.open(FileKeyProvider(root / "keys"), KeyDirectory(root / "keys"))
    contract = source_contract("crm", "full_name", "email", max_refused_share=1.0, file="contracts/crm.odcs.yaml")
    desk = _ErasingDesk(root, keyring, contract)
    desk.redefine("source_key", is_required=True, is_unique=True)
    return desk


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """Return a desk at which four records were delivered and one of them was erased, not to be changed."""
    desk = open_desk(tmp_path_factory.mktemp("used") / "desk")
    desk.deliver(*PEOPLE)
    desk.erase("1")
    return desk


@pytest.fixture
def desk(used, tmp_path):
    shutil.copytree(used.root, tmp_path / "desk")
    desk = open_desk(tmp_path / "desk")
    desk.runs = used.runs
    return desk


def counts(delivery):
    return {
        name: getattr(delivery, f"{name}_count")
        for name in ("row", "new", "changed", "unchanged", "deleted", "refused", "suppressed")
        if getattr(delivery, f"{name}_count")
    }


def test_the_next_snapshot_does_not_bring_an_erased_record_back(desk):
    found = desk.deliver(*PEOPLE, row("5", "Otto Keating"))

    assert counts(found) == {"row": 5, "new": 1, "unchanged": 3, "suppressed": 1}
    assert (found.refusal, desk.stored_keys()) == (None, ["0", "2", "3", "5"])
    assert desk.quarantined().is_empty()
    stored = desk.lake.snapshot().read("deliveries").sort("delivered_at")
    assert stored["suppressed_count"].to_list() == [0, 1]


@pytest.mark.parametrize(
    "rows",
    [
        [row("1", "Somebody Else", "else@example.org")],
        [row(" 1 ", "Ada Winterbourne b"), row("1", "Ada Winterbourne b")],
        [row("1", "Ada Winterbourne b"), row("1", "Otto Keating")],
        [row("1", None, "no address")],
    ],
    ids=["changed", "repeated", "conflicting", "invalid"],
)
def test_whatever_is_delivered_under_its_key_is_left_out(desk, rows):
    found = desk.deliver(*(PEOPLE[number] for number in (0, 2, 3)), *rows)

    assert counts(found) == {"row": 3 + len(rows), "unchanged": 3, "suppressed": len(rows)}
    assert desk.stored_keys() == ["0", "2", "3"]


def test_an_erased_record_that_a_snapshot_no_longer_has_is_not_deleted_again(desk):
    found = desk.deliver(*(PEOPLE[number] for number in (0, 2)))
    assert counts(found) == {"row": 2, "unchanged": 2, "deleted": 1}


def test_the_same_files_are_still_as_before(desk):
    assert desk.take().is_unchanged


def test_a_row_that_is_left_out_makes_no_other_row_break_a_rule(desk):
    desk.redefine("email", is_unique=True)
    found = desk.deliver(*PEOPLE, row("9", "Ada Winterbourne b", "1@example.org"), row("0", None))
    assert found.reasons == {"uniqueness__source_key__unique": 2}

    found = desk.deliver(row("1", "x", "2@example.org"), *PEOPLE, row("9", "Ada Winterbourne b", "3@example.org"))
    verdict = next(verdict for verdict in found.verdicts if verdict.rule.name == "uniqueness__email__unique")
    assert (verdict.failed, found.reasons) == (2, {"uniqueness__email__unique": 1})


def test_rows_that_are_left_out_count_for_no_share(desk):
    desk.contract = replace(desk.contract, max_refused_share=0.3)
    desk.erase("0", "2")
    found = desk.deliver(*PEOPLE, row(None), row("6", "Ines Keating"))
    assert (found.refusal is None, found.suppressed_count, found.refused_count) == (False, 3, 1)


def test_a_delivery_of_erased_records_alone_is_taken_in_where_nothing_else_was_known(desk):
    desk.erase("0", "2", "3")
    found = desk.deliver(*reversed(PEOPLE))
    assert counts(found) == {"row": 4, "suppressed": 4}
    assert (found.refusal, desk.stored_keys()) == (None, [])


def test_where_the_contract_lets_it_an_erased_record_comes_back_as_a_new_one_and_is_counted(desk):
    desk.let_in()
    found = desk.take()
    assert counts(found) == {"row": 4, "new": 1, "unchanged": 3, "suppressed": 1}
    assert desk.stored_keys() == ["0", "1", "2", "3"]

    found = desk.deliver(*PEOPLE[:3], row("1", "Somebody Else"))
    assert found.suppressed_count == 0, "it is held again, and so delivered as any other"


def test_one_that_came_back_stays_and_is_kept_up_to_date_when_the_contract_refuses_again(desk):
    desk.let_in()
    desk.take()
    desk.contract = replace(desk.contract, refuses_erased=True)
    found = desk.deliver(PEOPLE[0], row("1", "Somebody Else"), *PEOPLE[2:])
    assert counts(found) == {"row": 4, "changed": 1, "unchanged": 3}

    assert desk.deliver(PEOPLE[0], *PEOPLE[2:]).deleted_count == 1
    found = desk.deliver(*PEOPLE)
    assert counts(found) == {"row": 4, "unchanged": 3, "suppressed": 1}
    assert desk.stored_keys() == ["0", "2", "3"]


def test_a_refused_row_of_an_erased_record_is_not_released(desk):
    desk.let_in()
    desk.redefine("full_name", is_required=True)
    found = desk.deliver(PEOPLE[0], row("1", None), row("4", None), *PEOPLE[2:])
    assert (found.refused_count, found.suppressed_count) == (2, 1)
    desk.redefine("full_name", is_required=False)
    desk.contract = replace(desk.contract, refuses_erased=True)
    keeper = ReleaseDesk([desk.contract], "US", desk.keyring, 1, "release", erased=desk.ledger.record_marks())
    with desk.lake.writer() as writer:
        (released,) = release(keeper, writer, Choice())

    assert (released.released_count, released.suppressed_count, released.refused_count) == (1, 1, 0)
    assert desk.stored_keys() == ["0", "2", "3", "4"]
    assert desk.quarantined().is_empty()
    stored = desk.lake.snapshot().read("deliveries").filter(pl.col("origin") == "quarantine")
    assert stored.select("row_count", "new_count", "unchanged_count", "suppressed_count").rows() == [(2, 1, 0, 1)]


@pytest.mark.parametrize("marks", [NO_MARKS, suppression_marks(ID_KEY, pl.Series([5, 6]))], ids=["none", "some"])
def test_a_row_without_a_key_is_of_no_erased_record(marks):
    suppression = Suppression(ID_KEY, marks, pl.Series([6], dtype=pl.Int64), is_refusing=True)
    found = suppression.returning(pl.Series([None, 5, 6, 7], dtype=pl.Int64))
    assert found.to_list() == [False, not marks.is_empty(), False, False]
