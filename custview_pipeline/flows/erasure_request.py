"""Who is to be erased: the records of a customer, or records that are named, and the ledger's entry that says so."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.erasure import Erasure
from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS, QUARANTINED_RECORDS
from custview_pipeline.contracts.matching_tables import CROSSWALK, CUID_HISTORY
from custview_pipeline.kernel.errors import UnknownCustomer
from custview_pipeline.kernel.identifiers import Cuid
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.kernel.versions import newest
from custview_pipeline.protection.record_identity import record_ids, source_keys
from custview_pipeline.protection.suppression import customer_marks, suppression_marks

_ID_BYTES: Final = 8


class Chosen(NamedTuple):
    """What is to be erased.

    Attributes:
        record_ids: Records, Int64.
        cuids: The customer that they make, and those that were merged into it; none where records were named.
    """

    record_ids: pl.Series
    cuids: pl.Series


class NamedRecord(NamedTuple):
    """A record as people name it."""

    source_system: str
    source_key: str


class Stated(NamedTuple):
    """What is stated about an erasure.

    Attributes:
        who: Name of the user.
        reason: Why.
        legal_basis: On what ground, where one is named.
    """

    who: str
    reason: str
    legal_basis: str | None


def choose_customer(snapshot: Snapshot, cuid: Cuid) -> Chosen:
    """Return the records of a customer, those that their source has deleted too.

    A record belongs to the customer that it belonged to last: this one, or one that was merged into it.

    Raises:
        UnknownCustomer: No record is of this customer; the message says what became of it.
    """
    with silenced("looking up a customer"):
        history = snapshot.read(CUID_HISTORY.name)
        cuids = _with_merged(history, cuid)
        rows = snapshot.read(CROSSWALK.name, ["record_id", "version", "cuid"]).drop_nulls("cuid")
        own = newest(rows, ["record_id"]).filter(pl.col("cuid").is_in(cuids))
        if own.is_empty():
            raise UnknownCustomer(_why_unknown(history, cuid))
        return Chosen(own["record_id"], pl.Series("cuid", cuids, pl.String))


def choose_records(snapshot: Snapshot, id_key: bytes, named: Sequence[NamedRecord]) -> Chosen:
    """Return the records with these keys, linked or not, accepted or refused.

    Raises:
        UnknownCustomer: The lake holds one of them nowhere; the message has its place among those named, and not its key.
    """
    with silenced("looking up records"):
        tables = (PROTECTED_RECORDS.name, QUARANTINED_RECORDS.name)
        held = pl.concat([snapshot.read(table, ["record_id"])["record_id"].drop_nulls() for table in tables]).unique()
        ids = pl.concat([record_ids(id_key, name.source_system, source_keys(pl.Series([name.source_key]))) for name in named])
        if unknown := (~ids.is_in(held.implode()).fill_null(value=False)).arg_true().to_list():
            places = ", ".join(str(place + 1) for place in unknown)
            raise UnknownCustomer(f"the lake holds no record that was named in place {places}: look at source system and key")
        return Chosen(ids.unique(), pl.Series("cuid", [], pl.String))


def ask_for(chosen: Chosen, id_key: bytes, stated: Stated, *, now: datetime) -> Erasure:
    """Return the entry of the ledger.

    Args:
        chosen: What is to be erased.
        id_key: The purpose key ``id``.
        stated: Who asks, and why.
        now: The moment, UTC.
    """
    return Erasure(
        erasure_id=secrets.token_hex(_ID_BYTES),
        requested_at=now,
        who=stated.who,
        reason=stated.reason,
        legal_basis=stated.legal_basis,
        record_marks=tuple(suppression_marks(id_key, chosen.record_ids).sort()),
        customer_marks=tuple(customer_marks(id_key, chosen.cuids).sort()),
    )


def ask_for_joined(snapshot: Snapshot, id_key: bytes, entry: Erasure, *, now: datetime) -> Erasure | None:
    """Return a further entry for records that became the customer's after an erasure was asked for; None where there are none.

    Only for an erasure that was never carried out: in an older lake, a record under the same id may be of somebody else.
    """
    marked = pl.Series("mark", entry.customer_marks, pl.Int64)
    if marked.is_empty():
        return None
    rows = newest(snapshot.read(CROSSWALK.name, ["record_id", "version", "cuid"]), ["record_id"]).drop_nulls("cuid")
    theirs = rows.filter(customer_marks(id_key, rows["cuid"]).is_in(marked.implode()))["record_id"]
    known = pl.Series("mark", entry.record_marks, pl.Int64)
    joined = theirs.filter(~suppression_marks(id_key, theirs).is_in(known.implode()))
    if joined.is_empty():
        return None
    stated = Stated(entry.who, f"records that joined the customer while erasure {entry.erasure_id} waited", entry.legal_basis)
    return ask_for(Chosen(joined, pl.Series("cuid", [], pl.String)), id_key, stated, now=now)


def _with_merged(history: pl.DataFrame, cuid: Cuid) -> list[str]:
    """Return a customer id and all that were merged into it, directly or not."""
    merged = history.filter(pl.col("event") == "merged_into").select("other_cuid", "cuid").rows()
    known, found = {str(cuid)}, {str(cuid)}
    while found:
        found = {former for heir, former in merged if heir in found} - known
        known |= found
    return sorted(known)


def _why_unknown(history: pl.DataFrame, cuid: Cuid) -> str:
    own = history.filter(pl.col("cuid") == cuid)
    happened = {event: (other, at) for event, other, at in own.select("event", "other_cuid", "happened_at").iter_rows()}
    if "erased" in happened:
        return f"this customer was erased on {happened['erased'][1]:%Y-%m-%d}"
    if "merged_into" in happened:
        return f"this customer was merged into {happened['merged_into'][0]}, which holds its records: erase that one"
    return "this customer has no records any more" if happened else "no customer has this id"
