"""Verifies receipts: whether the stored rows that one cites are still what they were, and which of them are not."""

import hmac
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.base import TableContract
from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS
from custview_pipeline.contracts.matching_tables import MATCH_EDGES, MATCH_RUNS
from custview_pipeline.contracts.receipt import Evidence, Receipt, StoredRow
from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.flows.airlock import RECORD_PLACE
from custview_pipeline.flows.erasure_scope import MEMBER_COLUMNS
from custview_pipeline.flows.receipt import seal_of
from custview_pipeline.flows.row_digests import row_digest, row_key
from custview_pipeline.kernel.errors import ProjectInvalid, UnsealFailed
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.suppression import suppression_marks
from custview_pipeline.protection.vault import Rows, Sealed
from custview_pipeline.protection.wrapped_keys import Purpose

Key = tuple[Any, ...]
_VERSIONS_OF: Final[Mapping[str, tuple[str, ...]]] = {"golden_lineage": ("cuid",)}
"""What has versions as a whole, where that is not what the key without ``version`` names."""


class State(StrEnum):
    """What became of a stored row that a receipt cites."""

    HOLDS = "holds"
    REPLACED = "replaced"  # a newer version holds, or it was withdrawn or judged anew, all in order
    ERASED = "erased"  # a record that it is about was erased
    ALTERED = "altered"  # it is not what it was
    MISSING = "missing"  # it, or the key that opens it, is not there, and nothing tells why


class CheckedRow(NamedTuple):
    """A stored row that a receipt cites, and what became of it.

    Attributes:
        what: What it is in the receipt.
        table: Its table.
        key: Its key.
        state: What became of it.
        version: The version that holds now, where it is another one.
    """

    what: str
    table: str
    key: Mapping[str, str | int | None]
    state: State
    version: int | None


class Verification(NamedTuple):
    """What became of a receipt.

    Attributes:
        is_unchanged: Whether it says what it said when it was issued, by this lake.
        rows: The stored rows that it cites, in its order; none of a receipt that was changed, for what it cites proves nothing.
    """

    is_unchanged: bool
    rows: tuple[CheckedRow, ...]

    @property
    def is_sound(self) -> bool:
        """Return whether nothing was altered and nothing is missing; what was replaced or erased since is no damage."""
        return self.is_unchanged and not any(row.state in (State.ALTERED, State.MISSING) for row in self.rows)


class Witness(NamedTuple):
    """What receipts are verified against.

    Attributes:
        snapshot: The lake.
        keyring: Its keys.
        erased: Suppression marks of the records that were erased, Int64.
    """

    snapshot: Snapshot
    keyring: Keyring
    erased: pl.Series


class _Stored(NamedTuple):
    """What is stored now beside the rows of one group.

    Attributes:
        rows: The rows that are cited, by key.
        newest: The version that holds now, by what has versions.
        payloads: What became of the sealed payloads of records, by key.
        withdrawn: Keys of decisions that were withdrawn since.
    """

    rows: Mapping[Key, dict[str, Any]]
    newest: Mapping[Key, int]
    payloads: Mapping[Key, State]
    withdrawn: frozenset[Key]


def verify_receipt(witness: Witness, receipt: Receipt) -> Verification:
    """Return what became of a receipt and of everything that it cites.

    Sealed records are opened, for their seal tells whether they were altered; nothing of them is returned.

    Raises:
        ProjectInvalid: It cites a table, a column or a key that this version of the package does not have.
    """
    with silenced("verifying a receipt"):
        if not _is_unchanged(witness.keyring, receipt):
            return Verification(is_unchanged=False, rows=())
        for group in receipt.evidence:
            _assert_known(group)
        rows = [row for group in receipt.evidence for row in _checked(witness, receipt.issued_at, group)]
        return Verification(is_unchanged=True, rows=tuple(rows))


def _is_unchanged(keyring: Keyring, receipt: Receipt) -> bool:
    digest = receipt.digest()
    # As bytes, for whoever changed it may have written any letters there.
    return digest == receipt.sha256 and hmac.compare_digest(seal_of(keyring, digest).encode(), receipt.seal.encode())


def _assert_known(group: Evidence) -> None:
    table = CONTRACTS.get(group.table)
    if table is None or not {*group.columns} <= {*table.types}:
        raise ProjectInvalid(f"the receipt cites columns of the {group.what} that lakes of this version do not have")
    if any({*row.key} != {*table.key} for row in group.rows):
        raise ProjectInvalid(f"the receipt names rows of the {group.what} as lakes of this version do not")


def _checked(witness: Witness, issued_at: datetime, group: Evidence) -> Iterator[CheckedRow]:
    """Yield what became of the rows of one group."""
    table, stored = CONTRACTS[group.table], _stored(witness, group)
    for cited in group.rows:
        newest = stored.newest.get(tuple(cited.key[name] for name in _versioned(table)))
        is_newer = newest is not None and newest != cited.key["version"]
        key = tuple(cited.key[name] for name in table.key)
        if key in stored.rows and row_digest(group.table, group.columns, stored.rows[key]) == cited.sha256:
            was_replaced = is_newer or key in stored.withdrawn
            state = stored.payloads.get(key, State.REPLACED if was_replaced else State.HOLDS)
        else:
            state = _why_not(witness, issued_at, group, cited, stored.rows.get(key))
        yield CheckedRow(group.what, group.table, cited.key, state, newest if is_newer else None)


def _why_not(witness: Witness, issued_at: datetime, group: Evidence, cited: StoredRow, row: Mapping[str, Any] | None) -> State:
    """Return why a row is not what it was, or not there (None)."""
    if _is_erased(witness, group, cited, row):
        return State.ERASED
    if group.table == MATCH_EDGES.name and _is_judged_anew(witness.snapshot, issued_at, is_there=row is not None):
        return State.REPLACED
    return State.MISSING if row is None else State.ALTERED


def _is_erased(witness: Witness, group: Evidence, cited: StoredRow, row: Mapping[str, Any] | None) -> bool:
    """Return whether a record was erased that a row is about, so that the row went with it, or lost what came from it.

    A decision about several records loses the erased ones from its list, and nothing else.
    """
    _, id_key = witness.keyring.current(Purpose.ID)
    named = pl.Series(cited.record_ids, dtype=pl.Int64)
    erased = named.filter(suppression_marks(id_key, named).is_in(witness.erased.implode())).to_list()
    lists = [name for name in MEMBER_COLUMNS.get(group.table, ()) if name in group.columns]
    if not erased or row is None or not lists:
        return bool(erased)
    whole = {name: sorted({*(row[name] or ()), *erased}) for name in lists}
    return row_digest(group.table, group.columns, {**row, **whole}) == cited.sha256


def _is_judged_anew(snapshot: Snapshot, issued_at: datetime, *, is_there: bool) -> bool:
    """Return whether an edge may be another one, or gone, in order: edges are derived, and keep no history.

    Any run may end one, and compaction then leaves it out; a run over everything may write them all anew, from version 1 on.
    """
    since = snapshot.read(MATCH_RUNS.name, ["scope"], where=pl.col("happened_at") > issued_at)["scope"]
    return bool((since == "whole").any()) if is_there else not since.is_empty()


def _stored(witness: Witness, group: Evidence) -> _Stored:
    table = CONTRACTS[group.table]
    first, columns = table.key[0], list(dict.fromkeys([*table.key, *group.columns]))
    cited = pl.Series([row.key[first] for row in group.rows], dtype=table.types[first])
    stored = witness.snapshot.read(table.name, columns, where=pl.col(first).is_in(cited.implode()))
    rows = {tuple(row_key(table, row).values()): row for row in stored.iter_rows(named=True)}
    newest: dict[Key, int] = {}
    if "version" in table.key:
        versions = stored.group_by(_versioned(table)).agg(pl.col("version").max())
        newest = {key: version for *key_list, version in versions.iter_rows() for key in [tuple(key_list)]}
    is_withdrawn = "withdrawn_at" in table.key
    withdrawn = stored.filter(pl.col("withdrawn_at").is_not_null())["decision_id"] if is_withdrawn else ()
    payloads = _payloads(witness, group) if table.name == PROTECTED_RECORDS.name else {}
    return _Stored(rows, newest, payloads, frozenset((decision_id, None) for decision_id in withdrawn))


def _versioned(table: TableContract) -> tuple[str, ...]:
    """Return the columns that name what has versions."""
    return _VERSIONS_OF.get(table.name, tuple(name for name in table.key if name != "version"))


def _payloads(witness: Witness, group: Evidence) -> dict[Key, State]:
    """Return of the cited records that cannot be opened why: altered, or without a key. Keys are record id and version."""
    ids = pl.Series([row.key["record_id"] for row in group.rows], dtype=pl.Int64)
    columns = ["record_id", "version", "payload_sealed"]
    stored = witness.snapshot.read(PROTECTED_RECORDS.name, columns, where=pl.col("record_id").is_in(ids.implode()))
    sealed = stored.filter(pl.col("payload_sealed").is_not_null())
    materials = witness.snapshot.materials(sealed["record_id"], sealed["version"])
    found = {}
    for place, (record_id, version, _) in enumerate(sealed.iter_rows()):
        if materials[place] is None:
            found[record_id, version] = State.MISSING
        elif not _opens(witness.keyring, sealed[place], materials[place : place + 1]):
            found[record_id, version] = State.ALTERED
    return found


def _opens(keyring: Keyring, sealed: pl.DataFrame, material: pl.Series) -> bool:
    try:
        rows = Rows(sealed["record_id"], sealed["version"])
        keyring.vault().unseal(RECORD_PLACE, rows, Sealed(sealed["payload_sealed"], material))
    except UnsealFailed:
        return False
    return True
