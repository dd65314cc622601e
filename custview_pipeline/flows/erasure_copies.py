"""Tries to open what was erased in a copy of the lake that was made before, with the keys of now."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from custview_pipeline.flows.airlock import QUARANTINE_PLACE, QUARANTINE_VERSION, RECORD_PLACE
from custview_pipeline.flows.erasure_search import LakeFiles, Place, Wanted, every_file, search_files
from custview_pipeline.kernel.errors import UnsealFailed
from custview_pipeline.protection.key_table import KeyTable, open_segments, shard_of
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.vault import Place as SealedPlace
from custview_pipeline.protection.vault import Rows, Sealed


@dataclass(frozen=True, slots=True)
class SearchedCopy:
    """What a copy of the lake still tells of what was erased.

    Attributes:
        name: What the copy is called.
        sealed_count: Sealed rows of it.
        opened_count: Those of them that the keys of now open.
        places: What lies there unsealed: source keys, tokens, edges, as in the lake before.
        unreadable_count: Files of it that could not be searched.
        closed_count: Segments of its match index that no key opens any more, for that version of the key ``index`` is destroyed.
    """

    name: str
    sealed_count: int
    opened_count: int
    places: tuple[Place, ...]
    unreadable_count: int
    closed_count: int


class _SealedTable(NamedTuple):
    """A table with sealed rows: columns of what they are sealed for, of the version and of the blob."""

    name: str
    place: SealedPlace
    row_id: str
    version: str | None
    blob: str


_SEALED = (
    _SealedTable("protected_records", RECORD_PLACE, "record_id", "version", "payload_sealed"),
    _SealedTable("quarantined_records", QUARANTINE_PLACE, "quarantine_id", None, "row_sealed"),
)


def search_copy(wanted: Wanted, name: str, files: LakeFiles, keyring: Keyring) -> SearchedCopy:
    """Search a copy of the lake, and try to open each sealed row with every segment of its own key table.

    Raises:
        KeyUnavailable: The copy was sealed under keys that are newer than these.
    """
    sealed = opened = 0
    places, closed = tuple(search_files(wanted.strict(), files, keyring)), files.closed_segments()
    unreadable = {place.name: place.unreadable_count for place in places}
    for table in _SEALED:
        rows, torn = _sealed_rows(wanted, table, files)
        unreadable[every_file(table.name)] = max(torn, unreadable[every_file(table.name)])  # these are the same files
        tables = list(_key_tables(rows["id"], files, keyring))
        sealed += rows.height
        opened += sum(_opens(row, table, tables, keyring) for row in rows.iter_slices(1))
    found = tuple(place for place in places if place.found_count)
    return SearchedCopy(name, sealed, opened, found, sum(unreadable.values()) - closed, closed)


def _sealed_rows(wanted: Wanted, table: _SealedTable, files: LakeFiles) -> tuple[pl.DataFrame, int]:
    """Return id, version, blob of the sealed rows of erased records in every file, each once; and how many cannot be read."""
    torn = 0
    found = [pl.DataFrame(schema={"id": pl.Int64, "version": pl.Int32, "blob": pl.Binary})]
    columns = dict.fromkeys(["record_id", table.row_id, *([table.version] if table.version else []), table.blob])
    for frame in files.tables(table.name, list(columns)):
        if frame is None:
            torn += 1
            continue
        records = wanted.records(frame["record_id"].drop_nulls().unique())
        version = pl.col(table.version) if table.version else pl.lit(QUARANTINE_VERSION, pl.Int32)
        theirs = frame.filter(pl.col("record_id").is_in(records.implode()))
        found.append(theirs.select(id=table.row_id, version=version, blob=table.blob).drop_nulls())
    return pl.concat(found).unique(), torn


def _key_tables(ids: pl.Series, files: LakeFiles, keyring: Keyring) -> Iterator[KeyTable]:
    """Yield what the keys of now open of each segment of the key table, of the shards of some ids."""
    if ids.is_empty():
        return
    shards = set(shard_of(ids).unique())
    for segment in files.key_segments():
        if segment is not None:
            try:
                yield open_segments(dict([segment]), keyring.shard_keys(), shards=shards)
            except UnsealFailed:  # altered, or of other keys: ``search_files`` counts it as unreadable
                continue


def _opens(row: pl.DataFrame, table: _SealedTable, tables: list[KeyTable], keyring: Keyring) -> bool:
    """Return whether one sealed row can be read by what any segment holds."""
    rows = Rows(row["id"], row["version"])
    for keys in tables:
        try:
            if keyring.vault().unseal(table.place, rows, Sealed(row["blob"], keys.materials(*rows)))[0] is not None:
                return True
        except UnsealFailed:
            continue
    return False
