"""Fills a lake as the airlock does, from a few invented people, so that the flows behind it can be tested alone."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.contracts.match_index import OF_PHONES, Generation, IndexPart
from custview_pipeline.flows.airlock import RECORD_PLACE
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.vault import Rows
from custview_pipeline.standardisation.standardise import rule_set_version
from custview_pipeline_tests.factories import (
    NOW,
    TOKENISER,
    deliveries,
    features,
    index_claims,
    neighbours_of,
    person,
    protected_records,
    tokens,
)

OPEN = ("country", "loyalty_points")


@dataclass(frozen=True)
class Record:
    """One version of a source record.

    Attributes:
        facts: Features that matching compares; see ``factories.person``.
        values: What the record says, by golden attribute.
        invalid: Attributes of which the value breaks its field standard.
    """

    record_id: int
    facts: Mapping[str, Any]
    values: Mapping[str, str]
    source_system: str = "crm"
    version: int = 1
    invalid: Sequence[str] = ()
    cells: Mapping[str, Any] = field(default_factory=dict)


def take_in(lake: DeltaLake, keyring: Keyring, *records: Record, run_id: str = "run-0", is_delivered: bool = True) -> None:
    """Commit records as a delivery would: keys, sealed rows, index."""
    texts = features(*(person(**record.facts) for record in records))
    ids = pl.Series([record.record_id for record in records], dtype=pl.Int64)
    versions = pl.Series([record.version for record in records], dtype=pl.Int32)
    payloads = pl.Series([json.dumps({"raw": {}, "values": _values(record)}) for record in records], dtype=pl.String)
    sealed = keyring.vault().seal(RECORD_PLACE, Rows(ids, versions), payloads)
    rows = [
        {
            "record_id": record.record_id,
            "version": record.version,
            "source_system": record.source_system,
            "payload_sealed": blob,
            **record.cells,
        }
        for record, blob in zip(records, sealed.blobs, strict=True)
    ]
    with lake.writer() as writer, writer.commit(run_id) as commit:
        commit.add_keys(pl.DataFrame({"record_id": ids, "version": versions, "material": sealed.materials}))
        commit.append("protected_records", protected_records(*rows))
        made = tokens(texts, ids.to_list()).with_columns(versions.alias("version"))
        generation = Generation(rule_set_version(), 1).name
        commit.add_index(IndexPart.TOKENS, made, generation=generation)
        commit.add_index(IndexPart.NEIGHBOURHOODS, neighbours_of(texts.drop(OF_PHONES)), generation=generation)
        commit.add_index(IndexPart.PERSON_PHONES, neighbours_of(texts.select(OF_PHONES)), generation=generation)
        claims = index_claims(*(claim for record in records for claim in _claims(record)))
        commit.add_index(IndexPart.CLAIMS, claims, generation=generation)
        if is_delivered:
            commit.append("deliveries", deliveries({"delivered_at": NOW}))


def remove(lake: DeltaLake, record_id: int, *, version: int) -> None:
    """Commit the tombstone of a record."""
    gone = {"record_id": record_id, "version": version, "payload_sealed": None, "is_deleted": True}
    with lake.writer() as writer, writer.commit("run-0") as commit:
        commit.append("protected_records", protected_records(gone))


def _values(record: Record) -> list[dict[str, Any]]:
    return [
        {"attribute": name, "slot": 0, "value": value, "parts": None, "is_valid": name not in record.invalid}
        for name, value in record.values.items()
    ]


def _claims(record: Record) -> list[dict[str, Any]]:
    return [
        {
            "record_id": record.record_id,
            "version": record.version,
            "attribute": name,
            "token": TOKENISER.tokens(f"claim/{name}", pl.Series([value]), rule_version="1")[0],
            "is_valid": name not in record.invalid,
            "length": len(value),
            "open_value": value if name in OPEN and name not in record.invalid else None,
        }
        for name, value in record.values.items()
    ]
