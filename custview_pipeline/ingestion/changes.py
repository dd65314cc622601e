"""What of a delivery is new, changed, unchanged, late or gone, told by keyed ids, digests and times; no value is looked at."""

from enum import StrEnum
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.base import UTC_TIME
from custview_pipeline.ingestion.rivals import COUNTS, judge_rivals


class RowStatus(StrEnum):
    """What a delivered row is, compared with what is known."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    DELETED = "deleted"  # the source says that the record was deleted, whether or not it was known
    LATE = "late"  # older than what is known of its record
    REPEATED = "repeated"  # the same row again in one delivery
    SUPERSEDED = "superseded"  # the same delivery says something newer of the record
    CONFLICTING = "conflicting"  # the same key with another content in one delivery, and nothing tells which is the newer
    KEYLESS = "keyless"
    SUPPRESSED = "suppressed"  # of a record that was erased, and that is not to come back


SURVEY: Final = pl.Schema(
    {"record_id": pl.Int64(), "content_digest": pl.Int64(), "updated_at": UTC_TIME, "is_deleted": pl.Boolean()}
)
KNOWN: Final = pl.Schema({"version": pl.Int32(), **SURVEY})
DELETED: Final = pl.Schema({"record_id": pl.Int64(), "version": pl.Int32(), "updated_at": UTC_TIME, "was_held": pl.Boolean()})
NOBODY: Final = pl.Series("record_id", [], pl.Int64)


class Changes(NamedTuple):
    """The outcome for one delivery.

    Attributes:
        rows: One row a delivered row, in order: record_id, content_digest, status, version (the one to store it under), known_at
            (the time that is known of its record; null where none is, or where it was read in another way).
        deleted: ``DELETED``, one row a tombstone to be stored: version (of the tombstone), updated_at (when the source says that
            it was; null where it only does not hold the record any more), was_held (whether the record was held until now).
        absent_count: Records held until now that a snapshot does not hold.
        returning_count: Delivered rows of records that were erased, whether they are suppressed or enter anew.
    """

    rows: pl.DataFrame
    deleted: pl.DataFrame
    absent_count: int = 0
    returning_count: int = 0

    def count(self, *statuses: RowStatus) -> int:
        """Return how many delivered rows have one of these statuses."""
        return int(self.rows["status"].is_in([str(status) for status in statuses]).sum())

    def with_known_times(self, stored: pl.DataFrame) -> pl.DataFrame:
        """Return rows that are to be stored, with the time that is known of their record where they tell none."""
        return with_known_times(stored, self.rows.filter(pl.col("status") == RowStatus.CHANGED.value))

    @property
    def deleted_count(self) -> int:
        """Return how many records that were held until now are deleted."""
        return int(self.deleted["was_held"].sum())


def with_known_times(stored: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows that are to be stored, with the time that is known of their record where they tell none.

    Otherwise a row without a time would have every older row win that comes after it.

    Args:
        stored: Its columns record_id, version, updated_at are read; one row a record.
        rows: record_id, version, known_at of the rows that they were made of.
    """
    known = rows.filter(pl.col("known_at").is_not_null()).select("record_id", "version", "known_at")
    joined = stored.join(known, on=["record_id", "version"], how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("updated_at", "known_at").alias("updated_at")).drop("known_at")


class Returning(NamedTuple):
    """Records that were erased and that a source delivers again.

    Attributes:
        record_ids: Which, Int64.
        is_suppressed: Whether their rows are left out; otherwise they enter as any new row does.
    """

    record_ids: pl.Series = NOBODY
    is_suppressed: bool = True


def find_changes(
    survey: pl.DataFrame, known: pl.DataFrame, *, is_snapshot: bool, is_redone: bool, returning: Returning | None = None
) -> Changes:
    """Compare a delivery with what is known of its source.

    A row that is older, by updated_at, than what is known of its record is late and changes nothing. Where times are equal or
    missing, the row delivered last counts; so it does where rows are worked on again, for what is known was read in another way.
    A snapshot with late rows is an old one: it neither deletes what changed after its newest row, nor brings back what was
    deleted and has not changed since.

    What is known of a record is the last time that a version of it told, not that of the last row that said the same with a later
    time: to keep that of a snapshot would mean a row for each of its records whenever a source stamps all of them. A delivery of
    changes holds only what changed, so there such a row is a change: then deliveries end in the same state in whatever order they
    come.

    Args:
        survey: ``SURVEY``, one row a delivered row; record_id is null where the key is missing, updated_at where no time is told,
            is_deleted says that the source calls the record deleted.
        known: ``KNOWN``, the current version of each record of the source.
        is_snapshot: Whether the delivery holds every record, so that absent ones are deleted.
        is_redone: Whether the contract's columns changed, so that even rows with the same content are worked on again.
        returning: Records that were erased, of those delivered; none by default.
    """
    returning = returning or Returning()
    is_returning = pl.col("record_id").is_in(returning.record_ids.implode()).fill_null(value=False) & ~pl.col("is_deleted")
    compared = _compared(survey, known, is_snapshot=is_snapshot, is_redone=is_redone).with_columns(is_returning=is_returning)
    status = _status(is_snapshot=is_snapshot, is_redone=is_redone, is_suppressed=returning.is_suppressed)
    next_version = (pl.col("version").fill_null(0) + 1).cast(pl.Int32)
    judged = compared.with_columns(status=status, next_version=next_version)
    known_at = pl.lit(None, UTC_TIME) if is_redone else pl.col("known_at")
    absent = _absent(judged, known) if is_snapshot else DELETED.to_frame()
    return Changes(
        judged.select("record_id", "content_digest", "status", version="next_version", known_at=known_at),
        pl.concat([absent, _said_deleted(judged, returning.record_ids, is_snapshot=is_snapshot)]),
        absent_count=absent.height,
        returning_count=int(judged["is_returning"].sum()),
    )


def _compared(survey: pl.DataFrame, known: pl.DataFrame, *, is_snapshot: bool, is_redone: bool) -> pl.DataFrame:
    """Return each delivered row with its rival's verdict and what is known of its record; ``is_late`` is never null."""
    before = known.select("record_id", "version", known_digest="content_digest", known_at="updated_at", was_deleted="is_deleted")
    joined = survey.with_columns(rival=judge_rivals(survey, is_snapshot=is_snapshot)).join(
        before, on="record_id", how="left", maintain_order="left"
    )
    is_older = (pl.col("updated_at") < pl.col("known_at")).fill_null(value=False)
    compared = joined.with_columns(is_late=is_older & (pl.col("rival") == COUNTS) & pl.lit(not is_redone))
    if is_snapshot and compared["is_late"].any():
        is_no_newer = pl.col("was_deleted") & ~pl.col("is_deleted") & (pl.col("updated_at") <= pl.col("known_at"))
        compared = compared.with_columns(is_late=pl.col("is_late") | is_no_newer.fill_null(value=False))
    return compared


def _status(*, is_snapshot: bool, is_redone: bool, is_suppressed: bool) -> pl.Expr:
    is_moved = _is_moved() & pl.lit(not is_snapshot)
    is_as_known = (pl.col("content_digest") == pl.col("known_digest")) & ~pl.col("was_deleted") & pl.lit(not is_redone)
    decided = [
        (pl.col("record_id").is_null(), RowStatus.KEYLESS),
        (pl.col("is_returning") & pl.lit(is_suppressed), RowStatus.SUPPRESSED),
        (pl.col("is_deleted") & pl.col("is_late"), RowStatus.LATE),
        (pl.col("is_deleted"), RowStatus.DELETED),
        (pl.col("version").is_null(), RowStatus.NEW),
        (is_as_known & ~is_moved, RowStatus.UNCHANGED),
        (pl.col("is_late"), RowStatus.LATE),
    ]
    status = pl.lit(RowStatus.CHANGED.value)
    for condition, found in reversed(decided[2:]):
        status = pl.when(condition).then(pl.lit(found.value)).otherwise(status)
    status = pl.when(pl.col("rival") == COUNTS).then(status).otherwise(pl.col("rival"))
    for condition, found in reversed(decided[:2]):
        status = pl.when(condition).then(pl.lit(found.value)).otherwise(status)
    return status


def _is_moved() -> pl.Expr:
    """Return whether a row tells a later time than is known of its record, or the first one."""
    return ((pl.col("updated_at") > pl.col("known_at")) | pl.col("known_at").is_null()).fill_null(value=False) & pl.col(
        "updated_at"
    ).is_not_null()


def _absent(judged: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return ``DELETED`` of the held records that a snapshot does not hold."""
    gone = known.filter(~pl.col("is_deleted")).join(judged.select("record_id").drop_nulls(), on="record_id", how="anti")
    if judged["is_late"].any():
        newest = judged["updated_at"].max()
        gone = gone.filter(~(pl.col("updated_at") > pl.lit(newest, UTC_TIME)).fill_null(value=False))
    version = (pl.col("version") + 1).cast(pl.Int32)
    return gone.select("record_id", version, updated_at=pl.lit(None, UTC_TIME), was_held=pl.lit(value=True))


def _said_deleted(judged: pl.DataFrame, erased: pl.Series, *, is_snapshot: bool) -> pl.DataFrame:
    """Return ``DELETED`` of the records that the source calls deleted.

    Of a record that is not held there is a tombstone only where it keeps an older row out that may still come: in deliveries of
    changes, where the time of the deletion is told. None is made of a record that was erased: of that one nothing is to be kept.
    """
    said = judged.filter(pl.col("status") == RowStatus.DELETED.value)
    was_held = ~pl.col("was_deleted").fill_null(value=True)
    keeps_out = _is_moved() & pl.lit(not is_snapshot) & ~pl.col("record_id").is_in(erased.implode())
    wanted = said.filter(was_held | keeps_out)
    return wanted.select("record_id", version="next_version", updated_at="updated_at", was_held=was_held)
