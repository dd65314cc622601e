"""A desk where deliveries of one small source arrive, and what is stored of them."""

import csv
import io
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.flows.airlock import RECORD_PLACE
from custview_pipeline.flows.current import current_records
from custview_pipeline.flows.deliver import Delivery, Intake, deliver
from custview_pipeline.flows.renewal import Renewal
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.vault import Rows, Sealed

HEADERS = ("source_key", "full_name", "email")
TIMED_HEADERS = (*HEADERS, "updated_at", "deletion_flag")


def row(key: str | None, name: str = "Ada Winterbourne", email: str | None = None) -> dict[str, str | None]:
    return {"source_key": key, "full_name": name, "email": email}


def timed(key: str, name: str, day: int | None, *, is_deleted: bool = False) -> dict[str, str | None]:
    """Build a row that tells the day of May on which it changed last."""
    told = None if day is None else f"2026-05-{day:02d}T08:00:00Z"
    return {**row(key, f"Ada Winterbourne {name}"), "updated_at": told, "deletion_flag": "Y" if is_deleted else "N"}


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
        writer = csv.DictWriter(text, list(dict.fromkeys(column.name for column in self.contract.columns)))
        writer.writeheader()
        writer.writerows(rows)
        file = self.root / "data/crm/rows.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.getvalue(), encoding="utf-8")

    def take(self, *, is_whole: bool = False) -> Delivery:
        """Take in what the file holds."""
        self.runs += 1
        files = SourceFiles(self.root, self.contract)
        with self.lake.writer() as writer:
            keys = self.keyring.airlock_keys()
            intake = Intake(self.contract, files, "US", keys, 1, f"run-{self.runs}", Unwatched(), is_whole=is_whole)
            return deliver(intake, writer)

    def deliver(self, *rows: dict[str, str | None]) -> Delivery:
        """Write the file and take it in."""
        self.put(*rows)
        return self.take()

    def renewal(self) -> Renewal:
        """Return what renewing what the lake holds needs."""
        return Renewal(self.keyring, [self.contract], "US", 1, f"renewal-{self.runs}", Unwatched())

    def redefine(self, name: str, **changes) -> None:
        """Change what the contract says of a column."""
        columns = tuple(replace(column, **changes) if column.name == name else column for column in self.contract.columns)
        self.contract = replace(self.contract, columns=columns)

    def tokenised(self, generation: str | None = None) -> list[tuple[int, int]]:
        """Return record_id, version of the rows of a generation of the match index, sorted; by default of the one in use."""
        return sorted(self.lake.snapshot().read_index("tokens", generation=generation).select("record_id", "version").rows())

    def current(self) -> list[tuple[int, int]]:
        """Return record_id, version of the records that are held now, sorted."""
        return sorted(current_records(self.lake.snapshot()).select("record_id", "version").rows())

    def payloads(self) -> dict[tuple[int, int], dict[str, Any]]:
        """Return what is sealed of each version of each record, opened."""
        snapshot = self.lake.snapshot()
        stored = snapshot.read("protected_records").drop_nulls("payload_sealed")
        rows = Rows(stored["record_id"], stored["version"])
        texts = self.keyring.vault().unseal(RECORD_PLACE, rows, Sealed(stored["payload_sealed"], snapshot.materials(*rows)))
        return {(record, version): json.loads(text) for record, version, text in zip(*rows, texts, strict=True) if text}

    def names(self) -> dict[str, str]:
        """Return the name of each record that is held now, by its key."""
        payloads, records = (
            self.payloads(),
            self.lake.snapshot().read("protected_records", ["record_id", "version", "source_key"]),
        )
        keys = {(record, version): key for record, version, key in records.rows()}
        return {keys[owner]: payloads[owner]["raw"]["full_name"] for owner in self.current()}

    def stored_keys(self) -> list[str]:
        """Return the keys of the records that are held now, sorted."""
        records = self.lake.snapshot().read("protected_records", ["record_id", "source_key", "version", "is_deleted"])
        current = records.sort("version").unique("record_id", keep="last").filter(~pl.col("is_deleted"))
        return sorted(current["source_key"])

    def quarantined(self) -> pl.DataFrame:
        """Return the rows in quarantine, in the order in which they came."""
        return self.lake.snapshot().read("quarantined_records").sort("quarantined_at", "quarantine_id")
