"""Records as people name them, ``source_system:source_key`` or a record id, and what became of one that is not there."""

import re
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS, QUARANTINED_RECORDS
from custview_pipeline.flows.current import RECORD_COLUMNS, current_crosswalk
from custview_pipeline.kernel.errors import UnknownRecord
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.kernel.versions import newest
from custview_pipeline.protection.record_identity import record_ids, source_keys
from custview_pipeline.protection.suppression import suppression_marks

_NUMBER: Final = re.compile(r"-?[0-9]{1,19}")
_SOURCE: Final = re.compile(r"[a-z][a-z0-9_]*")
_LONGEST: Final = 2**63


class Member(NamedTuple):
    """A record that its source still holds.

    Attributes:
        version: Its current version.
        source_key: Key in the source; a token where the contract calls it personal.
        cuid: The customer it belongs to; None where it was not matched yet.
    """

    record_id: int
    version: int
    source_system: str
    source_key: str
    entity_type: str
    cuid: str | None


class Registry(NamedTuple):
    """What names are looked up in.

    Attributes:
        snapshot: The lake.
        id_key: The purpose key ``id``.
        erased: Marks of the records that were erased (``protection.suppression``), Int64.
    """

    snapshot: Snapshot
    id_key: bytes
    erased: pl.Series


def find_record(registry: Registry, written: str, nth: str) -> Member:
    """Return the record that somebody names.

    Args:
        registry: What it is looked up in.
        written: ``source_system:source_key``, the key as the source has it or as the crosswalk shows it; or a record id.
        nth: How messages call it: the first record, the second.

    Raises:
        UnknownRecord: It is not understood, or no current record has this name; says what became of it. What was written is
            not repeated: a key may be personal.
    """
    with silenced("looking up a record"):
        source, key = _parsed(written, nth)
        named = record_ids(registry.id_key, source, source_keys(pl.Series([key], dtype=pl.String)))[0] if source else int(key)
        is_named = pl.lit(value=False) if named is None else pl.col("record_id") == named
        is_stored_so = (pl.col("source_system") == source) & (pl.col("source_key") == key.strip())
        stored = newest(
            registry.snapshot.read(PROTECTED_RECORDS.name, RECORD_COLUMNS, where=is_named | is_stored_so), ["record_id"]
        )
        held = stored.filter(~pl.col("is_deleted"))
        if held.is_empty():
            raise UnknownRecord(f"{nth} {_what_became(registry, named, is_deleted=not stored.is_empty())}")
        return members(registry.snapshot, held.sort(is_named, descending=True).head(1))[0]


def members(snapshot: Snapshot, records: pl.DataFrame) -> tuple[Member, ...]:
    """Return current records with the customers that they belong to, by source and key.

    Args:
        snapshot: The lake.
        records: record_id, version, source_system, source_key, entity_type.
    """
    owners = current_crosswalk(snapshot).select("record_id", "cuid")
    known = records.join(owners, on="record_id", how="left").sort("source_system", "source_key", "record_id")
    return tuple(Member(*row) for row in known.select(Member._fields).iter_rows())


def _parsed(written: str, nth: str) -> tuple[str, str]:
    """Return source system and key; without a source system the key is a record id."""
    source, colon, key = written.strip().partition(":")
    if colon and _SOURCE.fullmatch(source) and key.strip():
        return source, key
    if not colon and _NUMBER.fullmatch(source) and -_LONGEST <= int(source) < _LONGEST:
        return "", source
    raise UnknownRecord(f"{nth} is not understood: name it SOURCE:KEY, such as crm:4711, or by its record id")


def _what_became(registry: Registry, record_id: int | None, *, is_deleted: bool) -> str:
    """Return in words why there is no current record of this id."""
    id_of = pl.Series("record_id", [record_id], pl.Int64)
    if record_id is not None and suppression_marks(registry.id_key, id_of).is_in(registry.erased.implode()).item():
        return "was erased"
    if is_deleted:
        return "is not held by its source any more, so it belongs to no customer"
    refused = registry.snapshot.read(QUARANTINED_RECORDS.name, ["record_id"])["record_id"]
    if record_id is not None and (refused == record_id).any():
        return "is known by refused rows only: custview quarantine list names them, with the reasons"
    return "is in the lake under no such name: look at source system and key"
