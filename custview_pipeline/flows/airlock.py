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

from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS, QUARANTINED_RECORDS, RECORD_ISSUES
from custview_pipeline.contracts.match_index import CLAIMS, TOKENS
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.standardised_record import StandardisedBatch
from custview_pipeline.flows.examine import Pending, examine, refused_rows
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.protection.keyring import AirlockKeys
from custview_pipeline.protection.neighbourhoods import neighbourhoods
from custview_pipeline.protection.record_identity import key_tokens, source_keys
from custview_pipeline.protection.tokens import Tokeniser
from custview_pipeline.protection.vault import Place, Rows
from custview_pipeline.standardisation.standardise import rule_set_version
from custview_pipeline.validation.tally import Tally

PAYLOAD_SCHEMA: Final = 1  # version of the JSON that is sealed
RECORD_PLACE: Final = Place("protected_records", PAYLOAD_SCHEMA)
QUARANTINE_PLACE: Final = Place("quarantined_records", PAYLOAD_SCHEMA)
QUARANTINE_VERSION: Final = 0  # a quarantined row has no versions

_OPEN_ATTRIBUTES: Final = frozenset(name for name, attribute in GOLDEN_ATTRIBUTES.items() if attribute.is_open)


@dataclass(frozen=True, slots=True)
class Airlock:
    """What the airlock of one delivery needs; it goes to each worker through a pipe.

    Attributes:
        contract: The contract of the source.
        region: Default country of the project.
        keys: Keys to seal and tokenise with.
        delivery_id: The delivery.
        now: From when on the sealed versions hold, UTC.
    """

    contract: SourceContract
    region: str
    keys: AirlockKeys
    delivery_id: str
    now: datetime


class Admission(NamedTuple):
    """What one batch became; nothing in it is readable.

    Attributes:
        protected: Rows of protected_records.
        quarantined: Rows of quarantined_records; without those that are there already.
        refused: record_id, content_digest, reasons of every row refused.
        issues: Rows of record_issues: what accepted rows are warned of.
        keys: record_id, version, material: what the key table must hold before the rows are stored.
        tokens, neighbourhoods, claims: Rows of the match index.
        tally: Counts by rule.
    """

    protected: pl.DataFrame
    quarantined: pl.DataFrame
    refused: pl.DataFrame
    issues: pl.DataFrame
    keys: pl.DataFrame
    tokens: pl.DataFrame
    neighbourhoods: pl.DataFrame
    claims: pl.DataFrame
    tally: Tally


def generation_of(keys: AirlockKeys) -> str:
    """Return what tokens have in common that may be compared: the rules that made the values comparable, and the token key."""
    return f"{rule_set_version()};key={keys.token_version}"


def admit(airlock: Airlock, pending: Pending) -> Admission:
    """Standardise, validate, seal and tokenise one batch.

    Raises:
        Redacted: A library failed; the message quotes nothing.
    """
    with silenced(f"{airlock.contract.source_system}: the airlock"):
        batch, screened = examine(airlock.contract, airlock.region, pending)
        accepted, refused = screened.is_accepted, refused_rows(pending, screened)
        protected, keys = _seal_records(airlock, pending, batch, accepted)
        quarantined, quarantine_keys = _seal_refused(airlock, pending.raw, refused.filter(~pl.col("is_quarantined")))
        tokeniser = airlock.keys.tokeniser()
        kept = batch.features.filter(accepted)
        ids = pending.marks.filter(accepted).select("record_id", "version")
        tokens = pl.concat([ids, tokeniser.tokenise_features(kept, rule_version=rule_set_version())], how="horizontal")
        tokens = tokens.with_columns(generation=pl.lit(generation_of(airlock.keys)))
        return Admission(
            protected=protected,
            quarantined=quarantined,
            refused=refused.select("record_id", "content_digest", "reasons"),
            issues=_issues(airlock, batch, pending.marks, accepted),
            keys=pl.concat([keys, quarantine_keys]),
            tokens=tokens.select(TOKENS.names()),
            neighbourhoods=neighbourhoods(kept, tokeniser, rule_version=rule_set_version()),
            claims=_claims(batch, pending.marks, accepted, tokeniser, _open_attributes(airlock.contract)),
            tally=screened.tally,
        )


def _issues(airlock: Airlock, batch: StandardisedBatch, marks: pl.DataFrame, accepted: pl.Series) -> pl.DataFrame:
    """Return the rows of record_issues; they name fields and rules, and hold no value."""
    owners = marks.select("record_id", "version").with_row_index("row").cast({"row": pl.UInt32}).filter(accepted)
    warned = batch.issues.unique(["row", "attribute", "rule"], maintain_order=True)
    named = warned.join(owners, on="row", how="inner", maintain_order="left").with_columns(
        source_system=pl.lit(airlock.contract.source_system), delivery_id=pl.lit(airlock.delivery_id)
    )
    return named.select(RECORD_ISSUES.types.names())


def _open_attributes(contract: SourceContract) -> frozenset[str]:
    """Return the attributes whose values may be stored readable: of the open ones those that no column calls personal."""
    return _OPEN_ATTRIBUTES - {column.attribute for column in contract.columns if column.is_personal}


def _seal_records(
    airlock: Airlock, pending: Pending, batch: StandardisedBatch, accepted: pl.Series
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows of protected_records and their key material."""
    marks, records = pending.marks.filter(accepted), batch.records.filter(accepted)
    payloads = _payloads(pending.raw, batch).filter(accepted)
    rows = Rows(marks["record_id"], marks["version"])
    sealed = airlock.keys.vault().seal(RECORD_PLACE, rows, payloads)
    key_column = airlock.contract.key_column
    source_key = source_keys(pending.raw[key_column.name]).filter(accepted)
    if key_column.is_personal:
        source_key = key_tokens(airlock.keys.id_key, airlock.contract.source_system, source_key)
    is_country_open = pl.lit("country" in _open_attributes(airlock.contract))
    protected = records.select("entity_type", "country", "updated_at").with_columns(
        pl.when(is_country_open).then("country").alias("country"),
        marks["record_id"],
        marks["version"],
        marks["content_digest"],
        source_key.alias("source_key"),
        sealed.blobs.alias("payload_sealed"),
        source_system=pl.lit(airlock.contract.source_system),
        delivery_id=pl.lit(airlock.delivery_id),
        is_deleted=pl.lit(value=False),
        valid_from_at=pl.lit(airlock.now, PROTECTED_RECORDS.types["valid_from_at"]),
    )
    keys = pl.DataFrame({"record_id": marks["record_id"], "version": marks["version"], "material": sealed.materials})
    return protected.select(PROTECTED_RECORDS.types.names()), keys


def _payloads(raw: pl.DataFrame, batch: StandardisedBatch) -> pl.Series:
    """Return what is sealed of each row: JSON of the raw row and of the standardised values."""
    value = pl.struct("attribute", "slot", "value", "parts", "is_valid")
    values = batch.values.group_by("row", maintain_order=True).agg(values=value)
    joined = batch.records.select("row").join(values, on="row", how="left", maintain_order="left")
    return joined.select(pl.struct(raw=pl.lit(raw.to_struct("raw")), values="values").struct.json_encode()).to_series()


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


def _claims(
    batch: StandardisedBatch, marks: pl.DataFrame, accepted: pl.Series, tokeniser: Tokeniser, open_attributes: frozenset[str]
) -> pl.DataFrame:
    """Return what each accepted record says about each attribute, as tokens and measures."""
    owners = marks.select("record_id", "version").with_row_index("row").cast({"row": pl.UInt32}).filter(accepted)
    values = batch.values.join(owners, on="row", how="inner", maintain_order="left")
    claims = [
        said.with_columns(token=tokeniser.tokens(f"claim/{attribute}", said["comparable"], rule_version=rule_set_version()))
        for (attribute,), said in values.partition_by("attribute", as_dict=True, maintain_order=True).items()
    ]
    if not claims:
        return pl.DataFrame(schema=CLAIMS)
    is_open = pl.col("attribute").is_in(open_attributes)  # an invalid value may be anything, a name too: it stays sealed
    return (
        pl.concat(claims)
        .with_columns(length=pl.col("value").str.len_chars(), open_value=pl.when(is_open & pl.col("is_valid")).then("value"))
        .select(pl.col(name).cast(dtype) for name, dtype in CLAIMS.items())
    )
