"""Carries out what the ledger of erasures asks for: in one commit, from keys to index to tables, before anything else is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final, Protocol

import polars as pl

from custview_pipeline.contracts.erasure import CarriedOut, Erasure, LedgerLine
from custview_pipeline.contracts.golden_tables import CHANGE_FEED, CUSTOMER_CORE, GOLDEN_RECORDS
from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS, QUARANTINED_RECORDS
from custview_pipeline.contracts.matching_tables import CUID_HISTORY
from custview_pipeline.contracts.stewardship_tables import REVIEW_DECISIONS
from custview_pipeline.flows.airlock import QUARANTINE_VERSION
from custview_pipeline.flows.change_feed import erased_changes
from custview_pipeline.flows.current import current_crosswalk
from custview_pipeline.flows.erasure_index import erase_from_index
from custview_pipeline.flows.erasure_request import ask_for_joined
from custview_pipeline.flows.erasure_scope import (
    CUSTOMER_COLUMNS,
    FOUNDER,
    RECORD_COLUMNS,
    Marks,
    Scope,
    concerns,
    find_scope,
    naming_columns,
    naming_tables,
    without_members,
    without_values_of,
)
from custview_pipeline.kernel.errors import LedgerDamaged
from custview_pipeline.kernel.ports import Commit, LakeWriter, Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.kernel.versions import newest
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import Purpose
from custview_pipeline.stewardship.said_pairs import is_about_nobody
from custview_pipeline.survivorship.changes import cleared_values
from custview_pipeline.views.core import build_core, renew_core

PACKAGE: Final = "custview-pipeline"


class Ledger(Protocol):
    """The ledger of erasures, which is kept outside of the lake."""

    def lines(self) -> tuple[LedgerLine, ...]:
        """Return every line, the oldest first."""
        ...

    def append(self, *lines: LedgerLine) -> None:
        """Write lines and force them to disk."""
        ...


@dataclass(frozen=True, slots=True)
class Carried:
    """What one commit erased.

    Attributes:
        erasure_ids: The entries of the ledger that it carried out.
        record_count: Records that the lake held.
        customer_count: Customers that ended.
        rows: Rows erased, or cleared of what came from the records, by table.
    """

    erasure_ids: tuple[str, ...]
    record_count: int
    customer_count: int
    rows: Mapping[str, int] = field(default_factory=dict)


def carry_out_pending(lake: LakeWriter, keyring: Keyring, ledger: Ledger, *, run_id: str) -> tuple[Carried, ...]:
    """Carry out what the ledger asks for and this lake has not done yet, and note in the ledger that it was done.

    Whoever takes the right to write calls it before anything else. So a queued erasure takes effect before the next stage, one
    that was killed goes on, and a lake that was restored from a backup erases again.

    Raises:
        LedgerDamaged: The ledger lacks an erasure that the lake knows of.
        CustviewError: It cannot be done; then nothing else may be done either.
    """
    lines = ledger.lines()
    asked = [line for line in lines if isinstance(line, Erasure)]
    _assert_whole(asked, lake.snapshot().erasures())
    done = {line.erasure_id for line in lines if isinstance(line, CarriedOut)}.union(lake.snapshot().erasures())
    asked += _ask_for_joined(lake, keyring, ledger, [entry for entry in asked if entry.erasure_id not in done])
    carried = carry_out(lake, keyring, asked, run_id=run_id)
    fresh = {erasure_id for each in carried for erasure_id in each.erasure_ids}
    noted = {line.erasure_id for line in lines if isinstance(line, CarriedOut)} - fresh
    unnoted = [entry.erasure_id for entry in asked if entry.erasure_id in {*lake.snapshot().erasures()} - noted]
    if unnoted:  # a process that was killed behind its commit did not come to note it
        now, package = datetime.now(UTC), version(PACKAGE)
        ledger.append(
            *(CarriedOut(erasure_id=each, carried_out_at=now, run_id=run_id, package_version=package) for each in unnoted)
        )
    return carried


def _ask_for_joined(lake: LakeWriter, keyring: Keyring, ledger: Ledger, entries: Sequence[Erasure]) -> list[Erasure]:
    """Ask for what became part of the customers while their erasures waited, and return the entries."""
    if not entries:
        return []
    snapshot, (_, id_key), now = lake.snapshot(), keyring.current(Purpose.ID), datetime.now(UTC)
    with silenced("finding what is to be erased"):
        joined = [more for entry in entries if (more := ask_for_joined(snapshot, id_key, entry, now=now)) is not None]
    ledger.append(*joined)
    return joined


def _assert_whole(asked: Sequence[Erasure], carried_out: Sequence[str]) -> None:
    """Refuse to go on without the marks of erased records: their sources would bring them back unnoticed.

    Raises:
        LedgerDamaged: An erasure that was carried out is not in the ledger.
    """
    lost = {*carried_out} - {entry.erasure_id for entry in asked}
    if lost:
        raise LedgerDamaged(
            f"this lake carried out {len(lost)} {'erasure' if len(lost) == 1 else 'erasures'} that the ledger does not name: put "
            "erasures.jsonl back into the key directory, or restore the newest key backup; without it their sources would bring "
            "the persons back"
        )


def carry_out(lake: LakeWriter, keyring: Keyring, entries: Sequence[Erasure], *, run_id: str) -> tuple[Carried, ...]:
    """Erase what the entries name that were not carried out in this lake yet; all together, in one commit.

    Raises:
        CustviewError: It cannot be done; the last good state stays.
    """
    snapshot = lake.snapshot()
    done = set(snapshot.erasures())
    pending = [entry for entry in entries if entry.erasure_id not in done]
    if not pending:
        return ()
    _, id_key = keyring.current(Purpose.ID)
    with silenced("finding what is to be erased"):
        scope = find_scope(snapshot, id_key, _marks(pending))
    with silenced(f"erasing {', '.join(entry.erasure_id for entry in pending)}"), lake.commit(run_id) as commit:
        rows = _erase(snapshot, commit, scope, run_id=run_id)
        for entry in pending:
            commit.carry_out(entry.erasure_id)
    ids = tuple(entry.erasure_id for entry in pending)
    return (Carried(ids, len(scope.record_ids), len(scope.ended), rows),)


def _marks(entries: Sequence[Erasure]) -> Marks:
    records = {mark for entry in entries for mark in entry.record_marks}
    customers = {mark for entry in entries for mark in entry.customer_marks}
    return Marks(pl.Series("mark", sorted(records), pl.Int64), pl.Series("mark", sorted(customers), pl.Int64))


def _erase(snapshot: Snapshot, commit: Commit, scope: Scope, *, run_id: str) -> dict[str, int]:
    """Erase keys, then index, then rows; return how many rows by table."""
    commit.purge(*naming_tables())  # also where nothing is held: former versions may hold something
    if scope.record_ids.is_empty() and scope.ended.is_empty():
        return {}
    _forget_keys(snapshot, commit, scope.record_ids)
    erase_from_index(commit, scope.record_ids)
    rows = {table: _remove_rows(snapshot, commit, table, scope) for table in naming_tables()}
    _clear_decisions(snapshot, commit, scope.record_ids)
    cleared = _clear_golden_records(snapshot, commit, scope)
    ended = _clear_history(snapshot, commit, scope, run_id=run_id)
    told = erased_changes(snapshot, ended, cleared, run_id=run_id, now=datetime.now(UTC))
    if not told.is_empty():
        commit.append(CHANGE_FEED.name, told)
    return {table: count for table, count in rows.items() if count}


def _forget_keys(snapshot: Snapshot, commit: Commit, record_ids: pl.Series) -> None:
    """Forget the key material of every version of the records, and of their refused rows."""
    is_theirs = pl.col("record_id").is_in(record_ids.implode())
    versions = snapshot.read(PROTECTED_RECORDS.name, ["record_id", "version"]).filter(is_theirs)
    refused = snapshot.read(QUARANTINED_RECORDS.name, ["quarantine_id", "record_id"]).filter(is_theirs)
    quarantined = refused.select(record_id="quarantine_id", version=pl.lit(QUARANTINE_VERSION, pl.Int32))
    commit.forget_keys(pl.concat([versions, quarantined]))


def _remove_rows(snapshot: Snapshot, commit: Commit, table: str, scope: Scope) -> int:
    """Remove the rows of a table that are of an erased record, or of a customer that ended.

    Returns:
        How many rows are concerned, those too that stay and are only to be cleared.
    """
    held = snapshot.read(table, naming_columns(table))
    count = int(held.select(concerns(table, scope.record_ids, scope.ended).sum()).item())
    removed = [(column, scope.record_ids) for column in RECORD_COLUMNS.get(table, ())]
    removed += [(column, scope.ended) for column in CUSTOMER_COLUMNS.get(table, ())]
    for column, values in removed if count else ():
        commit.remove(table, column, values)
    return count


def _clear_decisions(snapshot: Snapshot, commit: Commit, record_ids: pl.Series) -> None:
    """Take erased records out of the decisions about several records, and their reasons, which may name them.

    One of which nothing is left goes whole.
    """
    removed = RECORD_COLUMNS[REVIEW_DECISIONS.name]
    is_removed = pl.any_horizontal(pl.col(name).is_in(record_ids.implode()).fill_null(value=False) for name in removed)
    cleared = without_members(snapshot.read(REVIEW_DECISIONS.name).filter(~is_removed), record_ids)
    if not cleared.is_empty():
        commit.remove(REVIEW_DECISIONS.name, "decision_id", cleared["decision_id"])
        left = cleared.filter(~is_about_nobody())
        commit.append(REVIEW_DECISIONS.name, left.with_columns(reason=pl.lit(None, pl.String)))


def _clear_golden_records(snapshot: Snapshot, commit: Commit, scope: Scope) -> pl.DataFrame:
    """Take out of the customers that go on what came from erased records, until values are elected anew.

    Returns:
        cuid, golden_version, changed_attributes of the customers that lost a value.
    """
    stored = snapshot.read(GOLDEN_RECORDS.name).filter(pl.col("cuid").is_in(scope.remaining.implode()))
    cleared = without_values_of(stored, scope.record_ids, scope.sums)
    if not stored.is_empty():
        commit.remove(GOLDEN_RECORDS.name, "cuid", scope.remaining)
        commit.append(GOLDEN_RECORDS.name, cleared)
    published = snapshot.read(CUSTOMER_CORE.name).filter(pl.col("cuid").is_in(scope.remaining.implode()))
    if not published.is_empty():
        crosswalk = current_crosswalk(snapshot).filter(~pl.col("record_id").is_in(scope.record_ids.implode()))
        active = newest(cleared, ["cuid"]).filter("is_active")
        # A customer that all records have left since it was published is not shown any more.
        shown = active.join(crosswalk, on="cuid", how="semi").join(published.filter("is_active"), on="cuid", how="semi")
        commit.remove(CUSTOMER_CORE.name, "cuid", scope.remaining)
        commit.append(CUSTOMER_CORE.name, renew_core(build_core(shown, crosswalk), published, now=datetime.now(UTC)))
    return cleared_values(newest(stored, ["cuid"]), newest(cleared, ["cuid"]))


def _clear_history(snapshot: Snapshot, commit: Commit, scope: Scope, *, run_id: str) -> pl.Series:
    """Leave of the customers that ended that they were erased, and of no customer that an erased record founded it.

    Returns:
        The customers of whom that was not told before.
    """
    history = snapshot.read(CUID_HISTORY.name)
    founded = history.filter(pl.col(FOUNDER).is_in(scope.record_ids.implode()))
    told = history.filter(pl.col("event") == "erased")["cuid"]
    ended = scope.ended.filter(~scope.ended.is_in(told.implode())).alias("cuid").to_frame()
    now = pl.lit(datetime.now(UTC), CUID_HISTORY.types["happened_at"])
    erased = ended.with_columns(event=pl.lit("erased"), run_id=pl.lit(run_id), happened_at=now)
    if not founded.is_empty():
        commit.remove(CUID_HISTORY.name, FOUNDER, scope.record_ids)
    unfounded = founded.with_columns(pl.lit(None, pl.Int64).alias(FOUNDER))
    told_now = pl.concat([unfounded, erased], how="diagonal").select(CUID_HISTORY.types.names())
    if not told_now.is_empty():
        commit.append(CUID_HISTORY.name, told_now)
    return ended["cuid"]
