"""A lake of which something may be erased, with keys and a ledger of its own, and what is known of it afterwards."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.erasure_ledger import ErasureLedger
from custview_pipeline.adapters.key_files import FileKeyProvider, KeyDirectory
from custview_pipeline.adapters.stored_files import StoredFiles
from custview_pipeline.contracts.erasure import Erasure
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS, QUARANTINED_RECORDS
from custview_pipeline.contracts.key_backups import BackupNote
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.flows.assess import assess
from custview_pipeline.flows.certificate import Certificate, Holdings, certify
from custview_pipeline.flows.current import current_crosswalk
from custview_pipeline.flows.erase import Carried, carry_out_pending
from custview_pipeline.flows.erasure_request import Chosen, Stated, ask_for, choose_customer
from custview_pipeline.flows.reveal import golden_values, open_values
from custview_pipeline.kernel.identifiers import Cuid
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import Purpose
from custview_pipeline_tests.flows.conftest import FIRST_DELIVERY, House, a_house
from custview_pipeline_tests.flows.sealed_lake import take_in

STATED = Stated("ada", "asked for in writing", "GDPR Art. 17")


@dataclass(frozen=True)
class Estate:
    """A house with a ledger beside keys of its own.

    Attributes:
        root: Holds ``lake`` and ``keys``.
    """

    root: Path
    house: House

    @classmethod
    def open(cls, root: Path) -> "Estate":
        """Return the one in a folder; its keys are made at the first use."""
        return cls(root, a_house(root / "lake", Keyring.open(FileKeyProvider(root / "keys"), KeyDirectory(root / "keys"))))

    @classmethod
    def settled(cls, root: Path) -> "Estate":
        """Return one in a folder through which the flows have passed once."""
        estate = cls.open(root)
        take_in(estate.lake, estate.keyring, *FIRST_DELIVERY)
        estate.house.run()
        return estate

    def copied(self, root: Path) -> "Estate":
        """Return a copy of it, keys and all."""
        shutil.copytree(self.root, root)
        return Estate.open(root)

    @property
    def lake(self) -> DeltaLake:
        """Return its lake."""
        return self.house.lake

    @property
    def keyring(self) -> Keyring:
        """Return its keys."""
        return self.house.keyring

    @property
    def ledger(self) -> ErasureLedger:
        """Return its ledger."""
        return ErasureLedger(self.root / "keys")

    @property
    def id_key(self) -> bytes:
        """Return the key of marks and ids."""
        return self.keyring.current(Purpose.ID)[1]

    def read(self, table: str) -> pl.DataFrame:
        """Return all rows of a table."""
        return self.lake.snapshot().read(table)

    def customers(self) -> dict[int, str]:
        """Return the customer of each record."""
        return dict(current_crosswalk(self.lake.snapshot()).select("record_id", "cuid").rows())

    def values(self) -> dict[tuple[int, str], str | None]:
        """Return what can be read of every record: its values by record and attribute."""
        snapshot = self.lake.snapshot()
        golden = snapshot.read("golden_records").filter("is_active").sort("version").unique("cuid", keep="last")
        shown = open_values(snapshot, self.keyring, golden_values(golden))
        return {(record, attribute): value for record, attribute, value in shown.select("record_id", "attribute", "value").rows()}

    def ask(self, chosen: Chosen) -> Erasure:
        """Enter an erasure into the ledger."""
        entry = ask_for(chosen, self.id_key, STATED, now=datetime.now(UTC))
        self.ledger.append(entry)
        return entry

    def ask_customer_of(self, record_id: int) -> Erasure:
        """Enter the erasure of the customer that a record is of."""
        return self.ask(choose_customer(self.lake.snapshot(), Cuid(self.customers()[record_id])))

    def ask_records(self, *record_ids: int) -> Erasure:
        """Enter the erasure of some records."""
        return self.ask(Chosen(pl.Series(record_ids, dtype=pl.Int64), pl.Series([], dtype=pl.String)))

    def carry_out(self, run_id: str = "erasure-1") -> tuple[Carried, ...]:
        """Carry out what the ledger asks for."""
        with self.lake.writer() as writer:
            return carry_out_pending(writer, self.keyring, self.ledger, run_id=run_id)

    def broken_promises(self) -> dict[str, int]:
        """Return the promises between the tables that are broken, and how often."""
        with self.lake.writer() as writer:
            found = assess(writer, self.house.contracts, Rulebook(), run_id="audit").promises
        return {promise.name: promise.broken_count for promise in found if promise.broken_count}

    def certify(
        self, entry: Erasure, *copies: Path, backups: Iterable[BackupNote] = (), now: datetime | None = None
    ) -> Certificate:
        """Search for what was erased."""
        searched = {folder.name: StoredFiles(folder, self.keyring) for folder in copies}
        files = StoredFiles(self.lake.root, self.keyring)
        holdings = Holdings(self.lake.snapshot(), files, searched, self.keyring, self.house.contracts)
        return certify(entry.erasure_id, holdings, self.ledger.lines(), tuple(backups), now=now or datetime.now(UTC))


def found_in(certificate: Certificate) -> dict[str, int]:
    """Return where something was found, and how much."""
    return {place.name: place.found_count for place in certificate.places if place.found_count}


def pointers(golden: pl.DataFrame) -> set[int]:
    """Return the records that golden records point to, in any version."""
    columns = [golden.select(pl.col(name).struct.field("record_id")).to_series() for name in GOLDEN_ATTRIBUTES]
    return set(pl.concat([column.alias("record_id") for column in columns]).drop_nulls())


def refused(*rows: dict[str, object]) -> pl.DataFrame:
    """Build rows of quarantined_records; nothing is sealed in them."""
    default = {
        "source_system": "crm", "delivery_id": "d1", "content_digest": 0, "row_sealed": b"sealed", "reasons": ["a__b__c"],
    }  # fmt: skip
    return pl.DataFrame([{**default, **row} for row in rows], schema=QUARANTINED_RECORDS.types)


def record_ids_in(estate: Estate, table: str = PROTECTED_RECORDS.name) -> set[int]:
    """Return the records that a table holds."""
    return set(estate.read(table)["record_id"].drop_nulls())
