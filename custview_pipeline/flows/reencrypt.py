"""Seals what is stored under a former key anew: rows of the vault under another vault key, segments under another index key."""

from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.base import TableContract
from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS, QUARANTINED_RECORDS
from custview_pipeline.flows.airlock import QUARANTINE_PLACE, QUARANTINE_VERSION, RECORD_PLACE
from custview_pipeline.flows.renewal import RECORDS_A_SEGMENT, Renewal, Turn, versions_in
from custview_pipeline.flows.survey import BATCH_ROWS
from custview_pipeline.kernel.ports import Commit, LakeWriter, Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.protection.byte_columns import spread
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.vault import VERSION, XAES_256_GCM, Place, Rows, Sealed, Vault
from custview_pipeline.protection.wrapped_keys import KeyState, Purpose


class _Store(NamedTuple):
    """A table with sealed rows."""

    table: TableContract
    place: Place
    record_id: str  # column
    version: pl.Expr
    blob: str  # column

    def rows(self, frame: pl.DataFrame) -> Rows:
        columns = frame.select(pl.col(self.record_id).alias("record_id"), self.version.cast(pl.Int32).alias("version"))
        return Rows(*columns)


class _Renewed(NamedTuple):
    """Some rows of a table, those that were stale sealed anew, and the key material of these."""

    rows: pl.DataFrame
    keys: pl.DataFrame


_STORES: Final = (
    _Store(PROTECTED_RECORDS, RECORD_PLACE, "record_id", pl.col("version"), "payload_sealed"),
    _Store(QUARANTINED_RECORDS, QUARANTINE_PLACE, "quarantine_id", pl.lit(QUARANTINE_VERSION), "row_sealed"),
)


def vault_turn(lake: LakeWriter, renewal: Renewal, limit: int) -> Turn:
    """Take one turn at sealing rows anew that are under a former vault key; when there is none left, retire the former keys.

    A turn takes whole deliveries, for these lie together. Rows that were shredded stay as they are: nothing opens them.

    Args:
        lake: The lake, held for writing.
        renewal: The keys.
        limit: How many rows, but for one delivery that has more.

    Raises:
        UnsealFailed: A sealed row was altered or moved.
    """
    keyring = renewal.keyring
    promote(keyring, Purpose.VAULT)
    former = versions_in(keyring, Purpose.VAULT, KeyState.FORMER)
    if not former:
        return Turn(is_complete=True)
    with silenced("sealing rows anew"):
        snapshot = lake.snapshot()
        for store in _STORES:
            deliveries = _first_deliveries(snapshot, store, _is_stale(keyring, store), limit)
            if len(deliveries):
                with lake.commit(renewal.run_id) as commit:
                    return Turn(records=_seal_anew(snapshot, commit, keyring, store, deliveries))
        with lake.commit(renewal.run_id) as commit:
            commit.reseal_keys()  # without the former material of the rows, and in one segment
            commit.purge(*(store.table.name for store in _STORES))
    for version in former:
        keyring.retire(Purpose.VAULT, version)
    return Turn(is_complete=True)


def index_turn(lake: LakeWriter, renewal: Renewal, limit: int) -> Turn:
    """Take one turn at writing segments anew that are under a former index key; when there is none left, retire the former keys.

    Args:
        lake: The lake, held for writing.
        renewal: The keys.
        limit: How many records, about: a segment counts as ``RECORDS_A_SEGMENT``.

    Raises:
        LakeDamaged, WrongKey: A segment cannot be read.
    """
    keyring, written = renewal.keyring, 0
    promote(keyring, Purpose.INDEX)
    if lake.snapshot().index_key_versions() - {keyring.current(Purpose.INDEX)[0]}:
        with lake.commit(renewal.run_id) as commit:
            before = commit.reencrypt_index(0)
            left = commit.reencrypt_index(max(1, limit // RECORDS_A_SEGMENT))
            written = before - left
        if left:
            return Turn(segments=written)
    for version in versions_in(keyring, Purpose.INDEX, KeyState.FORMER):
        keyring.retire(Purpose.INDEX, version)
    return Turn(segments=written, is_complete=True)


def promote(keyring: Keyring, purpose: Purpose) -> None:
    """Put the next version of a key in use where there is one; called while the lake is held, so that nobody seals meanwhile."""
    if versions_in(keyring, purpose, KeyState.NEXT):
        keyring.promote(purpose)


def _is_stale(keyring: Keyring, store: _Store) -> pl.Expr:
    """Return whether a row is sealed, and under another vault key than the current one."""
    current, _ = keyring.current(Purpose.VAULT)
    header = bytes((VERSION, XAES_256_GCM)) + current.to_bytes(2, "big")
    return pl.col(store.blob).is_not_null() & ~pl.col(store.blob).bin.starts_with(header)


def _first_deliveries(snapshot: Snapshot, store: _Store, is_stale: pl.Expr, limit: int) -> pl.Series:
    """Return deliveries with rows to be sealed anew, of together not more than ``limit`` such rows, but at least one."""
    columns = [name for name in ("record_id", "version", "quarantine_id", "delivery_id") if name in store.table.types]
    stale = snapshot.read(store.table.name, columns, where=is_stale)
    openable = stale.filter(snapshot.materials(*store.rows(stale)).is_not_null())
    counted = openable.group_by("delivery_id", maintain_order=True).len()
    is_first = pl.int_range(pl.len()) == 0
    return counted.filter(is_first | (pl.col("len").cum_sum() <= limit))["delivery_id"]


def _seal_anew(snapshot: Snapshot, commit: Commit, keyring: Keyring, store: _Store, deliveries: pl.Series) -> int:
    """Replace the rows of deliveries by the same rows under the current key; return how many were sealed anew."""
    name = store.table.name
    stored = snapshot.read(name, where=pl.col("delivery_id").is_in(deliveries.implode()))
    vault, is_stale = keyring.vault(), _is_stale(keyring, store)
    renewed = [_renewed(snapshot, vault, store, batch, is_stale) for batch in stored.iter_slices(BATCH_ROWS)]
    commit.add_keys(pl.concat([each.keys for each in renewed]))
    commit.remove(name, "delivery_id", deliveries)
    commit.append(name, pl.concat([each.rows for each in renewed]))
    return sum(each.keys.height for each in renewed)


def _renewed(snapshot: Snapshot, vault: Vault, store: _Store, stored: pl.DataFrame, is_stale: pl.Expr) -> _Renewed:
    rows = store.rows(stored)
    materials = snapshot.materials(*rows)
    is_due = stored.select(is_stale & materials.is_not_null()).to_series()
    due = Rows(*(column.filter(is_due) for column in rows))
    former = Sealed(stored[store.blob].filter(is_due), materials.filter(is_due))
    sealed = vault.seal(store.place, due, vault.unseal(store.place, due, former))
    blobs = pl.coalesce(spread(sealed.blobs, is_due), pl.col(store.blob)).alias(store.blob)
    return _Renewed(stored.with_columns(blobs), pl.DataFrame([*due, sealed.materials]))
