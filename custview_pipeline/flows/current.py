"""What holds now: the newest, living rows of the append-only tables and of the match index."""

from typing import Final

import polars as pl

from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS
from custview_pipeline.contracts.match_index import Generation, IndexPart
from custview_pipeline.contracts.matching_tables import CROSSWALK
from custview_pipeline.kernel.errors import IndexOutdated
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.versions import newest
from custview_pipeline.standardisation.standardise import rule_set_version

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
    """Return the rows of a part of the match index that belong to the current version of a current record.

    Raises:
        IndexOutdated: It was made by other rules than today's; what was delivered since is not in it.
    """
    if rules_of_index(snapshot) not in {None, rule_set_version()}:
        raise IndexOutdated("the match index was made by other rules than these: run the main job, which brings it up to date")
    return snapshot.read_index(part).join(records.select("record_id", "version"), on=["record_id", "version"], how="semi")


def rules_of_index(snapshot: Snapshot) -> str | None:
    """Return the versions of the rules that the match index in use was made by; None where there is none."""
    name, _ = snapshot.index_generations()
    return None if name is None else Generation.named(name).rules


def mark_of(snapshot: Snapshot, *tables: str, settings: str) -> str:
    """Return a mark of what a stage works on: versions of its tables, rules of the match index, and what it is set to.

    The token key is not part of it: under another one the same values are equal.
    """
    versions = " ".join(f"{table}={snapshot.table_version(table)}" for table in tables)
    return f"{versions} {rules_of_index(snapshot)} {settings}"
