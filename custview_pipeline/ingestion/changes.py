"""What of a delivery is new, changed, unchanged or gone, told by keyed ids and digests; no value is looked at."""

from enum import StrEnum
from typing import Final, NamedTuple

import polars as pl


class RowStatus(StrEnum):
    """What a delivered row is, compared with what is known."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REPEATED = "repeated"  # the same row again in one delivery
    CONFLICTING = "conflicting"  # the same key with another content in one delivery
    KEYLESS = "keyless"
    SUPPRESSED = "suppressed"  # of a record that was erased, and that is not to come back


SURVEY: Final = pl.Schema({"record_id": pl.Int64, "content_digest": pl.Int64})
KNOWN: Final = pl.Schema({"record_id": pl.Int64, "version": pl.Int32, "content_digest": pl.Int64, "is_deleted": pl.Boolean})
NOBODY: Final = pl.Series("record_id", [], pl.Int64)


class Changes(NamedTuple):
    """The outcome for one delivery.

    Attributes:
        rows: One row a delivered row, in order: record_id, content_digest, status, version (the one to store it under).
        deleted: record_id, version (of the tombstone): known records that a snapshot no longer holds.
        returning_count: Delivered rows of records that were erased, whether they are suppressed or enter anew.
    """

    rows: pl.DataFrame
    deleted: pl.DataFrame
    returning_count: int = 0

    def count(self, *statuses: RowStatus) -> int:
        """Return how many delivered rows have one of these statuses."""
        return int(self.rows["status"].is_in([str(status) for status in statuses]).sum())


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

    Args:
        survey: ``SURVEY``, one row a delivered row; record_id is null where the key is missing.
        known: ``KNOWN``, the current version of each record of the source.
        is_snapshot: Whether the delivery holds every record, so that absent ones are deleted.
        is_redone: Whether the contract's columns changed, so that even rows with the same content are worked on again.
        returning: Records that were erased, of those delivered; none by default.
    """
    returning = returning or Returning()
    is_returning = pl.col("record_id").is_in(returning.record_ids.implode()).fill_null(value=False)
    numbered = survey.with_row_index("position")
    before = known.select("record_id", "version", "is_deleted", known_digest="content_digest")
    joined = numbered.join(before, on="record_id", how="left", maintain_order="left")
    copies = pl.col("content_digest").n_unique().over("record_id")
    first = pl.col("position").min().over("record_id")
    same = (pl.col("content_digest") == pl.col("known_digest")) & ~pl.col("is_deleted") & pl.lit(not is_redone)
    status = (
        pl.when(pl.col("record_id").is_null())
        .then(pl.lit(RowStatus.KEYLESS.value))
        .when(is_returning & pl.lit(returning.is_suppressed))
        .then(pl.lit(RowStatus.SUPPRESSED.value))
        .when(copies > 1)
        .then(pl.lit(RowStatus.CONFLICTING.value))
        .when(pl.col("position") != first)
        .then(pl.lit(RowStatus.REPEATED.value))
        .when(pl.col("version").is_null())
        .then(pl.lit(RowStatus.NEW.value))
        .when(same)
        .then(pl.lit(RowStatus.UNCHANGED.value))
        .otherwise(pl.lit(RowStatus.CHANGED.value))
    )
    next_version = (pl.col("version").fill_null(0) + 1).cast(pl.Int32)
    rows = joined.select("record_id", "content_digest", status=status, version=next_version)
    alive = known.filter(~pl.col("is_deleted"))
    gone = alive.join(survey.drop_nulls("record_id"), on="record_id", how="anti") if is_snapshot else alive.clear()
    deleted = gone.select("record_id", version=(pl.col("version") + 1).cast(pl.Int32))
    return Changes(rows, deleted, returning_count=rows.filter(is_returning).height)
