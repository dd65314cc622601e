"""Refused rows: listed, opened, and forgotten when they are too old to keep."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.intake_tables import QUARANTINED_RECORDS
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.flows.airlock import QUARANTINE_PLACE, QUARANTINE_VERSION
from custview_pipeline.kernel.errors import ProjectInvalid, UnknownRow
from custview_pipeline.kernel.ports import Commit, LakeWriter, Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.masking import mask
from custview_pipeline.protection.vault import Rows, Sealed

RETENTION: Final = timedelta(days=30)
_ID_DIGITS: Final = 16
_BITS: Final = 64


class Refused(NamedTuple):
    """What is stored readable of one row in quarantine."""

    quarantine_id: int
    source_system: str
    delivery_id: str
    reasons: tuple[str, ...]
    quarantined_at: datetime


class RefusedRow(NamedTuple):
    """One row in quarantine, opened.

    Attributes:
        refused: What is stored readable of it.
        cells: column, attribute (null where the contract reads it no more), value; in the order in which the row was sealed.
    """

    refused: Refused
    cells: pl.DataFrame


def shown_id(quarantine_id: int) -> str:
    """Return the id of a refused row as people see it: 16 hexadecimal digits."""
    return f"{quarantine_id % (1 << _BITS):0{_ID_DIGITS}x}"


def parse_id(written: str) -> int:
    """Return the id that ``shown_id`` shows so; case does not matter.

    Raises:
        ProjectInvalid: It is none.
    """
    digits = written.strip()
    if len(digits) != _ID_DIGITS or not set(digits) <= set("0123456789abcdefABCDEF"):
        raise ProjectInvalid(f"not the id of a refused row: expected {_ID_DIGITS} hexadecimal digits, as the list shows them")
    number = int(digits, 16)
    return number - (1 << _BITS) if number >> (_BITS - 1) else number


def list_refused(snapshot: Snapshot, source_system: str | None = None) -> pl.DataFrame:
    """Return the rows in quarantine, the newest first: quarantine_id, source_system, delivery_id, reasons, quarantined_at."""
    stored = snapshot.read(
        QUARANTINED_RECORDS.name, ["quarantine_id", "source_system", "delivery_id", "reasons", "quarantined_at"]
    )
    wanted = stored if source_system is None else stored.filter(pl.col("source_system") == source_system)
    return wanted.sort("quarantined_at", "quarantine_id", descending=[True, False])


def open_row(
    snapshot: Snapshot, keyring: Keyring, quarantine_id: int, contracts: Sequence[SourceContract], *, is_masked: bool
) -> RefusedRow:
    """Return one refused row; the caller has logged it before where it is not masked.

    Raises:
        UnknownRow: There is none with this id.
        UnsealFailed: The sealed row was altered or moved.
    """
    with silenced("opening a refused row"):
        (row,) = chosen_rows(snapshot, [quarantine_id]).iter_rows(named=True)
        text = unsealed(snapshot, keyring, pl.Series([quarantine_id]), pl.Series([row["row_sealed"]], dtype=pl.Binary))[0]
        if text is None:
            raise UnknownRow("this refused row was shredded")
        cells = pl.DataFrame(list(_cells(text).items()), schema={"column": pl.String, "value": pl.String}, orient="row")
        attributes = {
            column.name: column.attribute
            for contract in contracts
            if contract.source_system == row["source_system"]
            for column in contract.columns
        }
        attribute = pl.col("column").replace_strict(attributes, default=None, return_dtype=pl.String)
        cells = cells.select("column", "value", attribute=attribute)
        refused = Refused(*(row[name] for name in Refused._fields))
        return RefusedRow(refused, _masked(cells) if is_masked else cells)


def chosen_rows(snapshot: Snapshot, quarantine_ids: Sequence[int]) -> pl.DataFrame:
    """Return the rows with these ids.

    Raises:
        UnknownRow: One of them is not in quarantine.
    """
    wanted = list(dict.fromkeys(quarantine_ids))
    found = snapshot.read(QUARANTINED_RECORDS.name).filter(pl.col("quarantine_id").is_in(wanted))
    if missing := [shown_id(number) for number in wanted if number not in set(found["quarantine_id"])]:
        raise UnknownRow(f"not in quarantine: {', '.join(missing)}")
    return found


def unsealed(snapshot: Snapshot, keyring: Keyring, quarantine_ids: pl.Series, blobs: pl.Series) -> pl.Series:
    """Return refused rows as they were sealed, JSON of the contract's columns; null where a row was shredded.

    Raises:
        UnsealFailed: A sealed row was altered or moved.
    """
    versions = pl.repeat(QUARANTINE_VERSION, len(quarantine_ids), dtype=pl.Int32, eager=True)
    rows = Rows(quarantine_ids.cast(pl.Int64), versions)
    sealed = Sealed(blobs, snapshot.materials(*rows))
    return keyring.vault().unseal(QUARANTINE_PLACE, rows, sealed).cast(pl.String)


def expire(lake: LakeWriter, now: datetime, *, run_id: str) -> int:
    """Shred the rows that have been in quarantine for longer than ``RETENTION``; return how many.

    Args:
        lake: The lake, held for writing.
        now: The moment, UTC.
        run_id: The run.
    """
    with silenced("retention of the quarantine"):
        stored = lake.snapshot().read(QUARANTINED_RECORDS.name)
        is_old = stored["quarantined_at"] < now - RETENTION
        if is_old.any():
            with lake.commit(run_id) as commit:
                shred_rows(commit, stored.filter(is_old)["quarantine_id"])
                commit.replace(QUARANTINED_RECORDS.name, stored.filter(~is_old))
        return int(is_old.sum())


def with_reasons_of_now(stored: pl.DataFrame, judged: pl.DataFrame) -> pl.DataFrame:
    """Return rows of quarantined_records, those that were judged again with the reasons of now.

    Args:
        stored: Rows of quarantined_records.
        judged: ``quarantine_id``, ``reasons_now``.
    """
    now = judged.select("quarantine_id", "reasons_now")
    joined = stored.join(now, on="quarantine_id", how="left", maintain_order="left")
    return joined.with_columns(reasons=pl.coalesce("reasons_now", "reasons")).drop("reasons_now")


def shred_rows(commit: Commit, quarantine_ids: pl.Series) -> None:
    """Forget the keys of refused rows, as part of the commit that takes them off the list."""
    version = pl.lit(QUARANTINE_VERSION, pl.Int32)
    commit.forget_keys(quarantine_ids.alias("record_id").to_frame().with_columns(version=version))


def _cells(text: str) -> dict[str, str | None]:
    return {str(name): value for name, value in json.loads(text).items()}


def _masked(cells: pl.DataFrame) -> pl.DataFrame:
    """A refused row may hold anything anywhere, so every cell is masked, open attributes too."""
    masks = [
        None if value is None else mask(attribute or "", value) for attribute, value in cells.select("attribute", "value").rows()
    ]
    return cells.with_columns(pl.Series("value", masks, dtype=pl.String))
