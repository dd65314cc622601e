"""What is known of a source before a delivery: its records, and its rows in quarantine."""

import polars as pl

from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS, QUARANTINED_RECORDS
from custview_pipeline.ingestion.changes import KNOWN
from custview_pipeline.kernel.ports import Snapshot


def known_records(snapshot: Snapshot, source_system: str) -> pl.DataFrame:
    """Return ``KNOWN``, the current version of each record of a source, in no certain order."""
    is_of_source = pl.col("source_system") == source_system
    stored = snapshot.read(PROTECTED_RECORDS.name, KNOWN.names(), where=is_of_source)
    # Most records never change; the others are few enough to be sorted out, which for all of them costs ten times as much.
    later = stored.filter(pl.col("version") > 1)
    latest = later.sort("version").unique("record_id", keep="last")
    return pl.concat([stored.filter(~pl.col("record_id").is_in(later["record_id"].unique().implode())), latest])


def readable(snapshot: Snapshot, known: pl.DataFrame) -> pl.DataFrame:
    """Return what is known, without the content of records that nothing opens any more: delivered again, they are sealed anew.

    Such are, in a lake that was restored from a backup, the neighbours in the key table of records that were erased since.
    """
    is_lost = snapshot.materials(known["record_id"], known["version"]).is_null() & ~known["is_deleted"]
    return known.with_columns(content_digest=pl.when(~is_lost).then("content_digest"))


def quarantined_rows(snapshot: Snapshot, source_system: str) -> pl.DataFrame:
    """Return the open columns of the rows of a source that are in quarantine."""
    columns = [name for name in QUARANTINED_RECORDS.types if name != "row_sealed"]
    return snapshot.read(QUARANTINED_RECORDS.name, columns).filter(pl.col("source_system") == source_system)
