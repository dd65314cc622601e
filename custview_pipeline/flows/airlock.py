"""The airlock: rows of a source go in readable and come out sealed, good and bad alike.

Everything between the two doors happens in the memory of one process. There is no asset, file or log there, because each of
those would be a place to find a name in.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS, QUARANTINED_RECORDS, RECORD_ISSUES
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.standardised_record import StandardisedBatch
from custview_pipeline.flows.examine import Pending, examine, refused_rows
from custview_pipeline.flows.index_rows import Findable, IndexRows, index_rows, open_attributes, owners_of
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.protection.keyring import AirlockKeys
from custview_pipeline.protection.record_identity import key_tokens, source_keys
from custview_pipeline.protection.vault import Place, Rows
from custview_pipeline.validation.tally import Tally

PAYLOAD_SCHEMA: Final = 1  # version of the JSON that is sealed
RECORD_PLACE: Final = Place("protected_records", PAYLOAD_SCHEMA)
QUARANTINE_PLACE: Final = Place("quarantined_records", PAYLOAD_SCHEMA)
QUARANTINE_VERSION: Final = 0  # a quarantined row has no versions

VALUE: Final = pl.Struct(
    {"attribute": pl.String, "slot": pl.UInt8, "value": pl.String, "parts": pl.String, "is_valid": pl.Boolean}
)
"""One standardised value in the JSON that is sealed."""


@dataclass(frozen=True, slots=True)
class Airlock:
    """What the airlock of one delivery needs; it goes to each worker through a pipe.

    Attributes:
        contract: The contract of the source.
        region: Default country of the project.
        keys: Keys to seal and tokenise with.
        delivery_id: The delivery.
        now: From when on the sealed versions hold, UTC.
        generations: Generations of the match index to make rows for.
    """

    contract: SourceContract
    region: str
    keys: AirlockKeys
    delivery_id: str
    now: datetime
    generations: tuple[str, ...]


class Admission(NamedTuple):
    """What one batch became; nothing in it is readable.

    Attributes:
        protected: Rows of protected_records.
        quarantined: Rows of quarantined_records; without those that are there already.
        refused: record_id, content_digest, reasons of every row refused.
        issues: Rows of record_issues: what accepted rows are warned of.
        keys: record_id, version, material: what the key table must hold before the rows are stored.
        indexed: Rows of the match index by generation.
        tally: Counts by rule.
    """

    protected: pl.DataFrame
    quarantined: pl.DataFrame
    refused: pl.DataFrame
    issues: pl.DataFrame
    keys: pl.DataFrame
    indexed: dict[str, IndexRows]
    tally: Tally


def admit(airlock: Airlock, pending: Pending) -> Admission:
    """Standardise, validate, seal and tokenise one batch.

    Raises:
        Redacted: A library failed; the message quotes nothing.
    """
    with silenced(f"{airlock.contract.source_system}: the airlock"):
        batch, screened = examine(airlock.contract, airlock.region, pending)
        accepted, refused = screened.is_accepted, refused_rows(pending, screened)
        protected, keys = seal_records(airlock, pending, batch, accepted)
        quarantined, quarantine_keys = _seal_refused(airlock, pending.raw, refused.filter(~pl.col("is_quarantined")))
        wanted = Findable(batch, owners_of(pending.marks, accepted), open_attributes(airlock.contract))
        return Admission(
            protected=protected,
            quarantined=quarantined,
            refused=refused.select("record_id", "content_digest", "reasons"),
            issues=record_issues(
                batch,
                wanted.owners.with_columns(delivery_id=pl.lit(airlock.delivery_id)),
                source_system=airlock.contract.source_system,
            ),
            keys=pl.concat([keys, quarantine_keys]),
            indexed=index_rows(wanted, airlock.keys, airlock.generations),
            tally=screened.tally,
        )


def values_of(batch: StandardisedBatch) -> pl.Series:
    """Return the standardised values of each row of a batch as they are sealed, ``values``: List(``VALUE``), null without any."""
    value = pl.struct(*(field.name for field in VALUE.fields))
    values = batch.values.group_by("row", maintain_order=True).agg(values=value)
    return batch.records.select("row").join(values, on="row", how="left", maintain_order="left")["values"].cast(pl.List(VALUE))


def record_issues(batch: StandardisedBatch, owners: pl.DataFrame, *, source_system: str) -> pl.DataFrame:
    """Return the rows of record_issues; they name fields and rules, and hold no value.

    Args:
        batch: The standardised batch.
        owners: row, record_id, version and delivery_id of those of its rows that are wanted.
        source_system: The source.
    """
    warned = batch.issues.unique(["row", "attribute", "rule"], maintain_order=True)
    named = warned.join(owners, on="row", how="inner", maintain_order="left")
    return named.with_columns(source_system=pl.lit(source_system)).select(RECORD_ISSUES.types.names())


def seal_records(
    airlock: Airlock, pending: Pending, batch: StandardisedBatch, is_wanted: pl.Series
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows of protected_records and their key material.

    Args:
        airlock: The airlock.
        pending: The rows of the batch as they came, and their marks.
        batch: The same rows, standardised.
        is_wanted: Which of them are stored.
    """
    marks, records = pending.marks.filter(is_wanted), batch.records.filter(is_wanted)
    rows = Rows(marks["record_id"], marks["version"])
    payloads = _payloads(pending.raw, batch).filter(is_wanted)
    sealed = airlock.keys.vault().seal(RECORD_PLACE, rows, payloads)
    is_country_open = pl.lit("country" in open_attributes(airlock.contract))
    protected = records.select("entity_type", "country", "updated_at").with_columns(
        pl.when(is_country_open).then("country").alias("country"),
        marks["record_id"],
        marks["version"],
        marks["content_digest"],
        _stored_keys(airlock, pending.raw).filter(is_wanted),
        sealed.blobs.alias("payload_sealed"),
        source_system=pl.lit(airlock.contract.source_system),
        delivery_id=pl.lit(airlock.delivery_id),
        is_deleted=pl.lit(value=False),
        valid_from_at=pl.lit(airlock.now, PROTECTED_RECORDS.types["valid_from_at"]),
    )
    keys = pl.DataFrame({"record_id": marks["record_id"], "version": marks["version"], "material": sealed.materials})
    return protected.select(PROTECTED_RECORDS.types.names()), keys


def _stored_keys(airlock: Airlock, raw: pl.DataFrame) -> pl.Series:
    """Return the key of each row as it is stored: as the source has it, or its token where the contract calls it personal."""
    column, source_system = airlock.contract.key_column, airlock.contract.source_system
    keys = source_keys(raw[column.name])
    return (key_tokens(airlock.keys.id_key, source_system, keys) if column.is_personal else keys).alias("source_key")


def _payloads(raw: pl.DataFrame, batch: StandardisedBatch) -> pl.Series:
    """Return what is sealed of each row: JSON of the raw row and of the standardised values."""
    return values_of(batch).to_frame().select(pl.struct(pl.lit(raw.to_struct("raw")), "values").struct.json_encode()).to_series()


def _seal_refused(airlock: Airlock, raw: pl.DataFrame, refused: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows of quarantined_records and their key material."""
    ids = pl.Series("quarantine_id", np.frombuffer(secrets.token_bytes(8 * refused.height), np.int64))
    versions = pl.Series("version", np.full(refused.height, QUARANTINE_VERSION, np.int32))
    texts = raw[refused["row"]].select(pl.struct(pl.all()).struct.json_encode()).to_series()
    sealed = airlock.keys.vault().seal(QUARANTINE_PLACE, Rows(ids, versions), texts)
    quarantined = refused.select("record_id", "content_digest", "reasons").with_columns(
        ids,
        sealed.blobs.alias("row_sealed"),
        source_system=pl.lit(airlock.contract.source_system),
        delivery_id=pl.lit(airlock.delivery_id),
        quarantined_at=pl.lit(airlock.now, QUARANTINED_RECORDS.types["quarantined_at"]),
    )
    keys = pl.DataFrame({"record_id": ids, "version": versions, "material": sealed.materials})
    return quarantined.select(QUARANTINED_RECORDS.types.names()), keys
