"""A desk where deliveries of one small source arrive, and what is stored of them."""

import csv
import io
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.flows.deliver import Delivery, Intake, deliver
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline.protection.keyring import Keyring

HEADERS = ("source_key", "full_name", "email")


def row(key: str | None, name: str = "Ada Winterbourne", email: str | None = None) -> dict[str, str | None]:
    return {"source_key": key, "full_name": name, "email": email}


@dataclass
class Desk:
    """Where deliveries of one source arrive."""

    root: Path
    keyring: Keyring
    contract: SourceContract
    runs: int = 0

    @property
    def lake(self) -> DeltaLake:
        """Return its lake."""
        return DeltaLake(self.root / "lake", self.keyring)

    def put(self, *rows: dict[str, str | None]) -> None:
        """Write the source's file."""
        text = io.StringIO()
        writer = csv.DictWriter(text, HEADERS)
        writer.writeheader()
        writer.writerows(rows)
        file = self.root / "data/crm/rows.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.getvalue(), encoding="utf-8")

    def take(self) -> Delivery:
        """Take in what the file holds."""
        self.runs += 1
        files = SourceFiles(self.root, self.contract)
        keys = self.keyring.airlock_keys()
        with self.lake.writer() as writer:
            return deliver(Intake(self.contract, files, "US", keys, 1, f"run-{self.runs}", Unwatched()), writer)

    def deliver(self, *rows: dict[str, str | None]) -> Delivery:
        """Write the file and take it in."""
        self.put(*rows)
        return self.take()

    def redefine(self, name: str, **changes) -> None:
        """Change what the contract says of a column."""
        columns = tuple(replace(column, **changes) if column.name == name else column for column in self.contract.columns)
        self.contract = replace(self.contract, columns=columns)

    def stored_keys(self) -> list[str]:
        """Return the keys of the records that are held now, sorted."""
        records = self.lake.snapshot().read("protected_records", ["record_id", "source_key", "version", "is_deleted"])
        current = records.sort("version").unique("record_id", keep="last").filter(~pl.col("is_deleted"))
        return sorted(current["source_key"])

    def quarantined(self) -> pl.DataFrame:
        """Return the rows in quarantine, in the order in which they came."""
        return self.lake.snapshot().read("quarantined_records").sort("quarantined_at", "quarantine_id")
