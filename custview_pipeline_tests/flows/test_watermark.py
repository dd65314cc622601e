"""From when on a program that extracts changes is asked for them, and when it is asked for all."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint

import pytest

from custview_pipeline.adapters import python_source
from custview_pipeline.adapters.lake_snapshot import LakeSnapshot
from custview_pipeline.adapters.python_source import ENTRY_POINTS
from custview_pipeline.adapters.sources import open_source
from custview_pipeline.contracts.source_server import RowsOfProgram
from custview_pipeline.flows.deliver import Intake, deliver
from custview_pipeline.flows.watermark import changed_since
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline_tests.factories import source_contract
from custview_pipeline_tests.flows.delivery_desk import Desk

HELD = []


def program(_contract_id, since):
    """Give the rows that changed since."""
    return [row for row in HELD if since is None or datetime.fromisoformat(row["updated_at"]) >= since]


@dataclass
class ProgramDesk(Desk):
    """Where deliveries of one program arrive."""

    asked: list = field(default_factory=list)
    region: str = "US"

    def take(self, *, is_whole=False):
        """Take in what the program gives, of all it has or of what changed."""
        self.runs += 1
        with self.lake.writer() as writer:
            since = None if is_whole else changed_since(writer.snapshot(), self.contract, self.region)
            self.asked.append(since)
            source, keys = open_source(self.root, self.contract, since=since), self.keyring.airlock_keys()
            intake = Intake(self.contract, source, self.region, keys, 1, f"run-{self.runs}", Unwatched(), is_whole=is_whole)
            return deliver(intake, writer)

    def is_asked_for_all(self):
        """Return whether the next run would ask for all rows."""
        return changed_since(self.lake.snapshot(), self.contract, self.region) is None


@pytest.fixture
def desk(tmp_path, keyring, monkeypatch):
    entry = EntryPoint("our", f"{__name__}:program", ENTRY_POINTS)
    monkeypatch.setattr(python_source, "entry_points", lambda *, group: [entry] if group == ENTRY_POINTS else [])
    contract = source_contract(
        "crm", "full_name", "email", "updated_at", "phone",
        max_refused_share=1.0, origin=RowsOfProgram("our"), file_format="python", extract="changes",
    )  # fmt: skip
    days = [(datetime.now(UTC) - timedelta(days=day)).isoformat() for day in range(1, 10)]
    rows = [
        {
            "source_key": f"K{number}",
            "full_name": f"Ada Person{chr(65 + number)}",
            "email": None,
            "updated_at": day,
            "phone": None,
        }
        for number, day in enumerate(days)
    ]
    monkeypatch.setattr(f"{__name__}.HELD", rows)
    made = ProgramDesk(tmp_path, keyring, contract)
    made.redefine("source_key", is_required=True, is_unique=True)
    return made


def test_only_changes_are_asked_for_while_the_contract_stays_as_it_is(desk):
    assert desk.is_asked_for_all()
    assert desk.take().row_count == 9
    assert not desk.is_asked_for_all()
    HELD[4].update(full_name="Ada Other", updated_at=datetime.now(UTC).isoformat())
    found = desk.take()
    assert (found.row_count, found.changed_count) == (2, 1)


def test_a_column_that_means_something_else_has_every_record_read_anew_once(desk):
    desk.take()
    desk.redefine("full_name", attribute="legal_name")
    assert desk.is_asked_for_all()
    HELD[4].update(full_name="Ada Other", updated_at=datetime.now(UTC).isoformat())
    found = desk.take()
    assert (found.row_count, found.changed_count) == (9, 9)
    assert {version for _, version in desk.current()} == {2}
    assert not desk.is_asked_for_all()
    assert desk.take().changed_count == 0
    assert desk.asked[1] is None
    assert desk.asked[2] is not None


def test_what_a_column_says_to_people_has_nothing_read_anew(desk):
    desk.take()
    desk.redefine("full_name", description="Name on the card")
    assert not desk.is_asked_for_all()


def test_another_default_country_has_every_record_read_anew(desk):
    desk.take()
    desk.region = "CN"
    assert desk.is_asked_for_all()


def test_where_keys_may_have_been_forgotten_every_record_is_read(desk, monkeypatch):
    desk.take()
    monkeypatch.setattr(LakeSnapshot, "key_mark", lambda _snapshot: "0" * 16)
    assert desk.is_asked_for_all()
    HELD[4].update(full_name="Ada Other", updated_at=datetime.now(UTC).isoformat())
    found = desk.take()
    assert (found.row_count, found.changed_count) == (9, 1)
    assert not desk.is_asked_for_all()


def test_a_reading_that_was_refused_leaves_all_to_be_read(desk):
    desk.take()
    desk.redefine("full_name", attribute="legal_name")
    meant = desk.contract
    desk.redefine("email", is_required=True)
    desk.contract = replace(desk.contract, max_refused_share=0.0)
    assert desk.take().refusal is not None
    desk.contract = meant
    assert desk.take().changed_count == 9
