"""Digests of stored rows, by which a receipt knows them again whatever files they lie in by then."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import polars as pl

from custview_pipeline.contracts.base import TableContract
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.golden_tables import GOLDEN_RECORDS
from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS
from custview_pipeline.contracts.receipt import Evidence, StoredRow, canonical_digest
from custview_pipeline.flows.erasure_scope import MEMBER_COLUMNS, RECORD_COLUMNS

# A rotation of keys seals the payload anew: whether it is what it was is told by opening it, and by its keyed content digest. An
# erasure of any record of the customer clears the digest of all candidates; those that matter here are cited themselves.
_UNCITED: Final[Mapping[str, frozenset[str]]] = {
    PROTECTED_RECORDS.name: frozenset({"payload_sealed"}),
    GOLDEN_RECORDS.name: frozenset({"candidates_digest"}),
}


def cite(
    what: str,
    table: TableContract,
    rows: pl.DataFrame,
    columns: Sequence[str] | None = None,
    *,
    parts: Collection[int] = (),
) -> Evidence:
    """Return rows of a table as a receipt cites them.

    Args:
        what: What they are in the receipt.
        table: Their table.
        rows: At least these columns of them.
        columns: What is digested beside the key; by default all that says the same after keys were rotated.
        parts: Source records that the rows are about and do not name: the parts of a sum.
    """
    named = table.types.names() if columns is None else [*table.key, *columns]
    cited = tuple(name for name in dict.fromkeys(named) if name not in _UNCITED.get(table.name, ()))
    stored = tuple(
        StoredRow(
            key=row_key(table, row),
            sha256=row_digest(table.name, cited, row),
            record_ids=tuple(sorted({*_records_of(table.name, row), *parts})),
        )
        for row in rows.select(cited).iter_rows(named=True)
    )
    return Evidence(what=what, table=table.name, columns=cited, rows=stored)


def row_digest(table: str, columns: Sequence[str], row: Mapping[str, Any]) -> str:
    """Return the SHA-256 of some columns of a row, with the name of its table; 64 hex digits."""
    return canonical_digest({"table": table, "row": {name: _plain(row[name]) for name in columns}})


def row_key(table: TableContract, row: Mapping[str, Any]) -> dict[str, str | int | None]:
    """Return the key of a row as a receipt writes it: moments as texts."""
    return {name: _plain(row[name]) for name in table.key}


def _records_of(table: str, row: Mapping[str, Any]) -> set[int]:
    """Return the source records that a row names: where one is erased, the row goes with it, or is changed."""
    named = [row[name] for name in RECORD_COLUMNS.get(table, ()) if name in row]
    if table == GOLDEN_RECORDS.name:
        named += [row[name]["record_id"] for name in GOLDEN_ATTRIBUTES if row.get(name) is not None]
    for name in MEMBER_COLUMNS.get(table, ()):
        named += row[name] or ()
    return {each for each in named if isinstance(each, int)}


def _plain(cell: Any) -> Any:
    """Return a cell as JSON has it."""
    match cell:
        case datetime() | date():
            return cell.isoformat()
        case bytes():
            return cell.hex()
        case dict():
            # Without its empty fields: one that is added to a struct later changes no digest of before.
            return {name: _plain(each) for name, each in cell.items() if each is not None}
        case list():
            return [_plain(each) for each in cell]
        case _:
            return cell
