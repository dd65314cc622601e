"""Words by which a source says of a row that its record was deleted."""

from typing import Final

import polars as pl

# Besides plain words: t is PostgreSQL's true in a CSV file, d the operation of a deletion in Debezium and AWS DMS, X the true of
# SAP's deletion flags.
_DELETED: Final = ("true", "t", "1", "y", "yes", "x", "d", "delete", "deleted", "是", "已删除")


def are_deleted(cells: pl.Series) -> pl.Series:
    """Return of each cell whether it says that the record was deleted; one that is empty or not understood does not.

    Args:
        cells: Raw cells of a column that carries ``deletion_flag``; case and white space around do not matter.
    """
    return cells.str.strip_chars().str.to_lowercase().is_in(_DELETED).fill_null(value=False)
