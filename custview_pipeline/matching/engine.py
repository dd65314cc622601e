"""The in-memory DuckDB that matching runs on; it holds tokens and row numbers, never a readable value."""

from types import TracebackType
from typing import Any, Self

import duckdb
import numpy as np
import polars as pl

from custview_pipeline.kernel.errors import PairBudgetExceeded, Redacted


class Engine:
    """One connection, closed at the end of a ``with``.

    Errors of DuckDB are re-raised without their text, which may quote cells.
    """

    def __init__(self, *, threads: int, memory_gib: float) -> None:
        self._connection = duckdb.connect(
            ":memory:",
            config={"threads": threads, "memory_limit": f"{memory_gib:.2f}GiB", "preserve_insertion_order": False},
        )
        self._connection.execute("set temp_directory = ''").fetchall()  # never spill tokens to a disk

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._connection.close()

    def run(self, sql: str) -> None:
        """Execute one statement."""
        self._rows(sql)

    def value(self, sql: str) -> Any:
        """Return the first cell of the first row."""
        return self._rows(sql)[0][0]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return all rows."""
        return self._rows(sql)

    def arrays(self, sql: str) -> dict[str, np.ndarray[Any, Any]]:
        """Return the columns of a result as numpy arrays."""
        try:
            return self._connection.sql(sql).fetchnumpy()
        except duckdb.Error as error:
            raise _redacted(error) from None

    def frame(self, sql: str) -> pl.DataFrame:
        """Return a result as a polars frame."""
        try:
            frame: pl.DataFrame = self._connection.sql(sql).pl()
        except duckdb.Error as error:
            raise _redacted(error) from None
        return frame

    def load(self, name: str, frame: pl.DataFrame) -> None:
        """Create a table from a polars frame."""
        self._connection.register("incoming", frame.to_arrow())
        self.run(f"create or replace table {name} as select * from incoming")
        self._connection.unregister("incoming")

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(sql).fetchall()
        except duckdb.Error as error:
            raise _redacted(error) from None


def _redacted(error: duckdb.Error) -> Exception:
    """Return an error of ours that names the kind of failure and quotes nothing."""
    if isinstance(error, duckdb.OutOfMemoryException):
        return PairBudgetExceeded("matching ran out of memory; lower matching.pair_budget or matching.block_cap in rulebook.yaml")
    return Redacted(f"matching failed inside DuckDB: {type(error).__name__}")
