"""What holds now: the newest, living rows of the append-only tables and of the match index."""

from typing import Final

import polars as pl

from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS
from custview_pipeline.contracts.match_index import IndexPart
from custview_pipeline.contracts.matching_tables import CROSSWALK
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.versions import newest

RECORD_COLUMNS: Final = (
    "record_id", "version", "source_system", "source_key", "entity_type", "country", "updated_at", "is_deleted",
)  # fmt: skip


def current_records(snapshot: Snapshot) -> pl.DataFrame:
    """Return ``RECORD_COLUMNS`` of every record that its source still holds, by record id."""
    stored = snapshot.read(PROTECTED_RECORDS.name, RECORD_COLUMNS)
    return newest(stored, ["record_id"]).filter(~pl.col("is_deleted"))


def current_crosswalk(snapshot: Snapshot) -> pl.DataFrame:
    """Return the crosswalk as it holds now: record_id, source_system, source_key, cuid, by record id."""
    stored = snapshot.read(CROSSWALK.name)
    holding = newest(stored, ["record_id"]).drop_nulls("cuid")
    return holding.select("record_id", "source_system", "source_key", "cuid")


def current_index(snapshot: Snapshot, part: IndexPart, records: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a part of the match index that belong to the current version of a current record."""
    return snapshot.read_index(part).join(records.select("record_id", "version"), on=["record_id", "version"], how="semi")


def mark_of(snapshot: Snapshot, *tables: str, settings: str) -> str:
    """Return a mark of what a stage works on: versions of its tables, and what it is set to."""
    versions = " ".join(f"{table}={snapshot.table_version(table)}" for table in tables)
    return f"{versions} {settings}"
