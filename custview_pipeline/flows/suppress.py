"""Keeps erased records out: recognises them in a delivery by the marks of the ledger."""

from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.protection.suppression import suppression_marks

NO_MARKS: Final = pl.Series("mark", [], pl.Int64)


class Suppression(NamedTuple):
    """Which delivered rows are of records that were erased.

    A record that came back when its contract let it is held again, and is no stranger to its source any more: its rows are
    delivered as any others are.

    Attributes:
        id_key: The purpose key ``id``.
        marks: Suppression marks of all erased records.
        held: Record ids that the lake holds of this source.
        is_refusing: Whether the rows are left out (``on_erased: refuse``), or enter and are only counted.
    """

    id_key: bytes
    marks: pl.Series
    held: pl.Series
    is_refusing: bool

    def returning(self, record_ids: pl.Series) -> pl.Series:
        """Return of each record id whether it was erased and the lake does not hold it; false for null."""
        if self.marks.is_empty():
            return pl.repeat(value=False, n=len(record_ids), eager=True)
        is_erased = suppression_marks(self.id_key, record_ids).is_in(self.marks.implode()).fill_null(value=False)
        return is_erased & ~record_ids.is_in(self.held.implode()).fill_null(value=False)
