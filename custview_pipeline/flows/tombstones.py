"""Tombstones: rows of protected_records of records that are gone. They hold no payload."""

import polars as pl

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS
from custview_pipeline.flows.airlock import Airlock
from custview_pipeline.ingestion.changes import DELETED
from custview_pipeline.kernel.ports import Snapshot


def tombstones(snapshot: Snapshot, deleted: pl.DataFrame, keys: pl.DataFrame, airlock: Airlock) -> pl.DataFrame:
    """Return the rows to be stored.

    Args:
        snapshot: The lake as it was before.
        deleted: ``DELETED``, what the delivery deletes.
        keys: record_id, source_key: keys of the records that the source calls deleted.
        airlock: The airlock of the delivery.
    """
    if deleted.is_empty():
        return PROTECTED_RECORDS.empty()
    is_known = pl.col("version") > 1
    rows = pl.concat([_of_known(snapshot, deleted.filter(is_known)), _of_unknown(deleted.filter(~is_known), keys, airlock)])
    return rows.with_columns(
        delivery_id=pl.lit(airlock.delivery_id),
        payload_sealed=pl.lit(None, pl.Binary),
        is_deleted=pl.lit(value=True),
        valid_from_at=pl.lit(airlock.now, PROTECTED_RECORDS.types["valid_from_at"]),
    ).select(PROTECTED_RECORDS.types.names())


def _of_known(snapshot: Snapshot, deleted: pl.DataFrame) -> pl.DataFrame:
    """Return open columns of the version before; where the source tells when it deleted the record, with that time."""
    wanted = pl.col("record_id").is_in(deleted["record_id"].implode())
    stored = snapshot.read(PROTECTED_RECORDS.name, _open_columns(), where=wanted)
    said = deleted.select("record_id", next_version="version", version=pl.col("version") - 1, deleted_at="updated_at")
    gone = stored.join(said, on=["record_id", "version"], how="inner")
    return gone.with_columns(version="next_version", updated_at=pl.coalesce("deleted_at", "updated_at")).select(stored.columns)


def _of_unknown(deleted: pl.DataFrame, keys: pl.DataFrame, airlock: Airlock) -> pl.DataFrame:
    """Return the same of records that were never held: nothing is known of them but that they are gone, and since when."""
    named = deleted.join(keys.unique("record_id"), on="record_id", how="inner").select([*DELETED, "source_key"])
    types = {name: PROTECTED_RECORDS.types[name] for name in _open_columns()}
    return named.select(
        "record_id",
        "version",
        "source_key",
        "updated_at",
        source_system=pl.lit(airlock.contract.source_system),
        entity_type=pl.lit(EntityType.PERSON.value),  # no row of a record may lack it; of a tombstone nobody reads it
        country=pl.lit(None, pl.String),
        delivery_id=pl.lit(airlock.delivery_id),
        content_digest=pl.lit(0, pl.Int64),
        is_deleted=pl.lit(value=True),
        valid_from_at=pl.lit(airlock.now, types["valid_from_at"]),
    ).select(list(types))


def _open_columns() -> list[str]:
    return [name for name in PROTECTED_RECORDS.types if name != "payload_sealed"]
