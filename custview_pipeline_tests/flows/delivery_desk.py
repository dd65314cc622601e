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
        with self.lake.writer() as writer:
            keys = self.keyring.airlock_keys()
            return deliver(Intake(self.contract, files, "US", keys, 1, f"run-{self.runs}", Unwatched()), writer)

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

    def stored_keys(self) -> list[str]:
        """Return the keys of the records that are held now, sorted."""
        records = self.lake.snapshot().read("protected_records", ["record_id", "source_key", "version", "is_deleted"])
        current = records.sort("version").unique("record_id", keep="last").filter(~pl.col("is_deleted"))
        return sorted(current["source_key"])

    def quarantined(self) -> pl.DataFrame:
        """Return the rows in quarantine, in the order in which they came."""
        return self.lake.snapshot().read("quarantined_records").sort("quarantined_at", "quarantine_id")
