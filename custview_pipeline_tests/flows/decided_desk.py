"""A desk of one small source whose customers stewards decide about, and what holds of them after each run."""

import copy
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from custview_pipeline.adapters.decision_inbox import DecisionInbox
from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.erasure_ledger import ErasureLedger
from custview_pipeline.contracts.decision_batch import DecisionBatch
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.contracts.steward_source import with_steward
from custview_pipeline.flows import rotation
from custview_pipeline.flows.current import current_crosswalk
from custview_pipeline.flows.deciding import Stored, store_batch
from custview_pipeline.flows.decision_rows import Stated
from custview_pipeline.flows.erase import carry_out_pending
from custview_pipeline.flows.erasure_request import Chosen, ask_for
from custview_pipeline.flows.erasure_request import Stated as Asked
from custview_pipeline.flows.link import Linkage, link
from custview_pipeline.flows.named_records import Member, Registry, find_record
from custview_pipeline.flows.override import Desk as EntryDesk
from custview_pipeline.flows.override import Entry, override
from custview_pipeline.flows.renew_index import bring_up_to_date
from custview_pipeline.flows.suppress import NO_MARKS
from custview_pipeline.flows.survive import survive
from custview_pipeline.kernel.identifiers import Cuid
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline.kernel.versions import newest
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import Purpose
from custview_pipeline_tests.factories import source_contract
from custview_pipeline_tests.flows.delivery_desk import Desk
from custview_pipeline_tests.interrupted import open_keys

ATTRIBUTES = ("full_name", "birth_date", "email", "phone", "country")
ADA = {
    "full_name": "Ada Winterbourne", "birth_date": "1961-04-17", "email": "ada@example.org", "phone": "+12025550143",
    "country": "US",
}  # fmt: skip
OTTO = {
    "full_name": "Otto Keating", "birth_date": "1980-11-02", "email": "otto@example.org", "phone": "+12025559876",
    "country": "US",
}  # fmt: skip
NAMES = ("Berta Oakley", "Clara Jarvis", "Doris Fairfax", "Emil Thatcher", "Freda Lockwood", "Gustav Merrick")


def stranger(number: int) -> dict[str, str]:
    """Return the row of somebody whom nobody decides about."""
    given = NAMES[number].split()[0].lower()
    return {
        "source_key": f"s{number}", "full_name": NAMES[number], "birth_date": f"197{number}-02-03",
        "email": f"{given}@example.org", "phone": f"+1202555{number:04}", "country": "US",
    }  # fmt: skip


def of(facts: dict[str, str], key: str, **changes: str) -> dict[str, str]:
    """Return a row about somebody."""
    return {"source_key": key, **facts, **changes}


FIRST = (
    of(ADA, "a1"),
    of(ADA, "a2", email="a.winterbourne@example.org"),
    of(ADA, "a3"),
    of(OTTO, "o1"),
    of(OTTO, "o2"),
    *(stranger(number) for number in range(len(NAMES))),
)


class Decided:
    """A desk, its keys, and the flows behind it."""

    def __init__(self, root: Path, keyring: Keyring | None = None, runs: int = 0) -> None:
        self.root = root
        contract = source_contract("crm", *ATTRIBUTES, max_refused_share=1.0, max_deleted_share=1.0)
        self.desk = Desk(root, keyring or open_keys(root / "keys"), contract, runs)
        self.desk.redefine("source_key", is_required=True, is_unique=True)
        self.rows = list(FIRST)

    @classmethod
    def settled(cls, root: Path) -> "Decided":
        """Return one whose first delivery went through every flow."""
        place = cls(root)
        place.desk.deliver(*place.rows)
        place.run()
        return place

    def copied(self, root: Path) -> "Decided":
        """Return a copy, keys and all."""
        shutil.copytree(self.root, root)
        other = Decided(root, None, self.desk.runs)
        other.rows = copy.copy(self.rows)
        return other

    @property
    def keyring(self) -> Keyring:
        """Return its keys."""
        return self.desk.keyring

    @property
    def lake(self) -> DeltaLake:
        """Return its lake."""
        return self.desk.lake

    @property
    def inbox(self) -> DecisionInbox:
        """Return the inbox of its lake."""
        return DecisionInbox(self.lake.root)

    @property
    def id_key(self) -> bytes:
        """Return the key of ids and marks."""
        return self.keyring.current(Purpose.ID)[1]

    @property
    def ledger(self) -> ErasureLedger:
        """Return its ledger of erasures."""
        return ErasureLedger(self.root / "keys")

    def run(self, *, is_whole: bool = False) -> Linkage:
        """Pass the lake through matching and survivorship."""
        self.desk.runs += 1
        run_id, rulebook = f"run-{self.desk.runs}", Rulebook()
        with self.lake.writer() as writer:
            bring_up_to_date(writer, self.desk.renewal())
            linkage = link(writer, rulebook, self.id_key, run_id=run_id, progress=Unwatched(), is_whole=is_whole)
            contracts = with_steward([self.desk.contract])
            survive(writer, contracts, rulebook, run_id=run_id, progress=Unwatched(), is_whole=is_whole)
        return linkage

    def deliver(self, *rows: dict[str, str]) -> None:
        """Deliver further rows with those that are there, and run."""
        self.rows += rows
        self.desk.deliver(*self.rows)
        self.run()

    def drop(self, *keys: str) -> None:
        """Deliver what the source holds without some records, and run."""
        self.rows = [row for row in self.rows if row["source_key"] not in keys]
        self.desk.deliver(*self.rows)
        self.run()

    def member(self, key: str) -> Member:
        """Return a record by its key."""
        return find_record(Registry(self.lake.snapshot(), self.id_key, NO_MARKS), f"crm:{key}", "the record")

    def owners(self) -> dict[str, str]:
        """Return the customer of each record by its key."""
        return dict(current_crosswalk(self.lake.snapshot()).select("source_key", "cuid").rows())

    def cuid(self, key: str) -> Cuid:
        """Return the customer of a record."""
        return Cuid(self.owners()[key])

    def are_one(self, *keys: str) -> bool:
        """Return whether records are of one customer."""
        owners = self.owners()
        return len({owners[key] for key in keys}) == 1

    def winner(self, key: str, attribute: str) -> str | None:
        """Return the key of the record whose value of an attribute the customer of a record has."""
        snapshot = self.lake.snapshot()
        golden = newest(snapshot.read("golden_records"), ["cuid"]).filter(pl.col("cuid") == self.cuid(key))
        pointer = golden[attribute][0]
        if pointer is None:
            return None
        stored = snapshot.read("protected_records", ["record_id", "source_key"])
        return str(stored.filter(pl.col("record_id") == pointer["record_id"])["source_key"][0])

    def stated(self, **said: Any) -> Stated:
        """Return who decides, now."""
        return Stated("ada", datetime.now(UTC), **said)

    def decide(self, rows: pl.DataFrame, *, supersede: bool = False) -> Stored:
        """Store decisions."""
        batch = DecisionBatch.of(rows, said_by="ada", said_at=datetime.now(UTC), supersede=supersede)
        return self.store(batch)

    def store(self, batch: DecisionBatch) -> Stored:
        """Store a batch."""
        with self.lake.writer() as writer:
            return store_batch(writer, batch, run_id="decision")

    def withdraw(self, *decision_ids: str) -> Stored:
        """Take decisions back."""
        return self.store(DecisionBatch(said_by="otto", said_at=datetime.now(UTC), withdrawals=decision_ids))

    def enter(self, key: str, attribute: str, value: str, scheme: str | None = None) -> str:
        """Enter a value for the customer of a record; return the id of the decision."""
        with self.lake.writer() as writer:
            entry = Entry(self.cuid(key), attribute, value, scheme)
            return override(writer, EntryDesk(self.keyring, "US", "override"), entry, self.stated())

    def erase(self, chosen: Chosen) -> None:
        """Erase, and run."""
        self.ledger.append(ask_for(chosen, self.id_key, Asked("ada", "asked for", None), now=datetime.now(UTC)))
        with self.lake.writer() as writer:
            carry_out_pending(writer, self.keyring, self.ledger, run_id="erasure")
        self.run()

    def erase_record(self, key: str) -> None:
        """Erase one record, and run."""
        self.erase(Chosen(pl.Series([self.member(key).record_id]), pl.Series("cuid", [], pl.String)))

    def rotate(self, purpose: Purpose) -> None:
        """Rotate a key, and run."""
        contracts = [self.desk.contract]
        rotation.rotate(self.lake, self.keyring, contracts, "US", purpose, run_id="rotation", progress=Unwatched())
        self.run()
