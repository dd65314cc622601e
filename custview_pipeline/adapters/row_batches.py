"""From frames of any size to batches of so many rows, and what no cell of any source may hold."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import polars as pl

from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.kernel.errors import SourceUnreadable

_LONGEST_CELL: Final = 1_000_000  # bytes; a cell like this is an attachment or a mistake


def wanted_columns(contract: SourceContract, columns: Sequence[str] | None) -> list[str]:
    """Return the headers to read, in the contract's order; all that it describes where none are named.

    Raises:
        ValueError: The contract does not describe one of ``columns``.
    """
    described = list(dict.fromkeys(column.name for column in contract.columns))
    if columns is None:
        return described
    if unknown := set(columns) - set(described):
        raise ValueError(f"no column of {contract.source_system}: {sorted(unknown)}")
    return [name for name in described if name in columns]


def in_batches(frames: Iterator[pl.DataFrame], rows: int) -> Iterator[pl.DataFrame]:
    """Yield the rows of all frames in frames of ``rows`` rows; only the last has fewer."""
    held: list[pl.DataFrame] = []
    count = 0
    for frame in frames:
        rest = frame
        while rest.height:
            piece, rest = rest.head(rows - count), rest.slice(rows - count)
            held.append(piece)
            count += piece.height
            if count == rows:
                yield pl.concat(held)
                held, count = [], 0
    if held:
        yield pl.concat(held)


def refuse_cells(unreadable: Callable[[str], SourceUnreadable], frame: pl.DataFrame, first_row: int) -> None:
    """Refuse what no cell of a customer's record holds, and what would keep a run busy for minutes.

    Args:
        unreadable: Makes the error, which names source and file.
        frame: The cells, String.
        first_row: Position in the file of the first of them, counted from 0.

    Raises:
        SourceUnreadable: A cell holds a NUL byte or is longer than any; names row and column.
    """
    for fault, holds in (
        ("holds a NUL byte", pl.all().str.contains("\x00", literal=True)),
        (f"holds more than {_LONGEST_CELL:,} bytes", pl.all().str.len_bytes() > _LONGEST_CELL),
    ):
        found = frame.select(holds.arg_true().first())
        for name, row in zip(found.columns, found.row(0), strict=True):
            if row is not None:
                raise unreadable(f"row {first_row + row + 1:,}: {name!r} {fault}")
