"""Which customers a change concerns, and which records are theirs: told by what was appended since a stage last worked."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.golden_tables import GOLDEN_RECORDS
from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS
from custview_pipeline.contracts.matching_tables import CROSSWALK
from custview_pipeline.contracts.stewardship_tables import REVIEW_DECISIONS
from custview_pipeline.flows.current import settings_in, versions_in
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.versions import newest

# What of a table names what a row of it touches.
_TOUCHING: Final = {GOLDEN_RECORDS.name: ["cuid", "version"], REVIEW_DECISIONS.name: ["record_id"]}
_RECORD_COLUMNS: Final = ("record_id", "version", "source_system", "entity_type", "updated_at")


class Touched(NamedTuple):
    """What may differ since a stage last worked.

    Attributes:
        record_ids: Records that changed or moved, or whose value a steward chose or chooses no more, Int64.
        cuids: Customers, String, sorted: theirs, those they were moved from, and those whose golden records changed.
        golden_since: Version of golden_records that the stage worked on; None where it does not read them.
    """

    record_ids: pl.Series
    cuids: pl.Series
    golden_since: int | None


def touched_since(snapshot: Snapshot, stage: str, mark: str) -> Touched | None:
    """Return what may differ since a stage last worked.

    Args:
        snapshot: The lake.
        stage: The stage.
        mark: Its mark as of now.

    Returns:
        None where everything may differ: the stage never worked, is set otherwise now, or more than appending was done.
    """
    former = snapshot.consumed(stage)
    if former is None or settings_in(former) != settings_in(mark):
        return None
    since = versions_in(former)
    appended = {table: _appended(snapshot, table, version) for table, version in since.items()}
    told = {table: rows for table, rows in appended.items() if rows is not None}
    if len(told) < len(appended):
        return None
    records = [rows["record_id"].drop_nulls() for table, rows in told.items() if table != GOLDEN_RECORDS.name]
    customers = [rows["cuid"] for table, rows in told.items() if table == GOLDEN_RECORDS.name]
    record_ids = pl.concat([pl.Series("record_id", [], pl.Int64), *records]).unique()
    cuids = pl.concat([_owners(snapshot, record_ids, told[CROSSWALK.name]), *customers]).unique().sort()
    return Touched(record_ids, cuids, since.get(GOLDEN_RECORDS.name))


def _appended(snapshot: Snapshot, table: str, version: int | None) -> pl.DataFrame | None:
    """Return what rows touch that were appended to a table since a version; None where it cannot be told."""
    names = _TOUCHING.get(table, ["record_id", "version"])
    if version is None:
        # Of the first decisions all are new; without the other tables there was nothing to work on.
        return snapshot.read(table, names) if table == REVIEW_DECISIONS.name else None
    return snapshot.appended_since(table, version, names)


def _owners(snapshot: Snapshot, record_ids: pl.Series, moves: pl.DataFrame) -> pl.Series:
    """Return the customers that records are of, and were of before the first of these moves.

    Args:
        snapshot: The lake.
        record_ids: The records.
        moves: record_id, version of the rows that were appended to the crosswalk.
    """
    names, is_theirs = ["record_id", "version", "cuid"], pl.col("record_id").is_in(record_ids.implode())
    rows = snapshot.read(CROSSWALK.name, names, where=is_theirs)
    first = moves.group_by("record_id").agg(first=pl.col("version").min())
    last_before = pl.coalesce(pl.col("first") - 1, pl.col("version").max().over("record_id"))
    held = rows.join(first, on="record_id", how="left").filter(pl.col("version") >= last_before)
    return held["cuid"].drop_nulls()


def golden_now(snapshot: Snapshot, touched: Touched | None, columns: Sequence[str]) -> pl.DataFrame:
    """Return columns of the newest golden record of each customer that was touched, or by default of each; ended ones too.

    Args:
        snapshot: The lake.
        touched: What was touched.
        columns: Names, cuid and version among them.
    """
    if touched is None:
        return newest(snapshot.read(GOLDEN_RECORDS.name, columns), ["cuid"])
    appended = None
    if touched.golden_since is not None:
        appended = snapshot.appended_since(GOLDEN_RECORDS.name, touched.golden_since, columns)
    if appended is None:
        return newest(snapshot.read(GOLDEN_RECORDS.name, columns, where=is_of(touched.cuids)), ["cuid"])
    # Whose record changed has a new version, which is in a small file; to filter the others out of all costs far more.
    rest = touched.cuids.filter(~touched.cuids.is_in(appended["cuid"].implode()))
    if not rest.is_empty():
        appended = pl.concat([appended, snapshot.read(GOLDEN_RECORDS.name, columns, where=is_of(rest))])
    return newest(appended, ["cuid"])


def is_of(cuids: pl.Series) -> pl.Expr:
    """Return whether a row is of one of these customers."""
    return pl.col("cuid").is_in(cuids.implode())


def members_of(snapshot: Snapshot, cuids: pl.Series | None, columns: Sequence[str] = ()) -> pl.DataFrame:
    """Return record_id, cuid and more ``columns`` of the crosswalk as it holds now, of some customers or, by default, of all."""
    names = ["record_id", "version", "cuid", *columns]
    if cuids is None:
        return newest(snapshot.read(CROSSWALK.name, names), ["record_id"]).drop_nulls("cuid").drop("version")
    ever = snapshot.read(CROSSWALK.name, ["record_id"], where=is_of(cuids))["record_id"].unique()
    rows = snapshot.read(CROSSWALK.name, names, where=pl.col("record_id").is_in(ever.implode()))
    return newest(rows, ["record_id"]).filter(is_of(cuids)).drop("version")


def records_now(snapshot: Snapshot, record_ids: pl.Series | None) -> pl.DataFrame:
    """Return record_id, version, source_system, entity_type, updated_at of the records that their sources still hold.

    Args:
        snapshot: The lake.
        record_ids: Of which records; all by default.
    """
    wanted = None if record_ids is None else pl.col("record_id").is_in(record_ids.implode())
    stored = snapshot.read(PROTECTED_RECORDS.name, [*_RECORD_COLUMNS, "is_deleted"], where=wanted)
    return newest(stored, ["record_id"]).filter(~pl.col("is_deleted")).select(_RECORD_COLUMNS)


def count_active(snapshot: Snapshot, table: str) -> int:
    """Return how many customers are active by the newest version of their rows: cuid, version, is_active."""
    known = snapshot.read(table, ["cuid"])["cuid"].n_unique()
    ended = snapshot.read(table, ["cuid"], where=~pl.col("is_active"))["cuid"].unique()
    rows = snapshot.read(table, ["cuid", "version", "is_active"], where=is_of(ended))
    return known - newest(rows, ["cuid"]).filter(~pl.col("is_active")).height
