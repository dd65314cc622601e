"""``custview changes``: what became of customers, from a cursor on."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import polars as pl
import typer
from rich.markup import escape
from rich.table import Table

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.written_tables import TableFormat, write_table
from custview_pipeline.cli.entry import ProjectOption, open_project, told_errors
from custview_pipeline.cli.terminal import messages, results
from custview_pipeline.flows.change_feed import read_changes
from custview_pipeline.kernel.errors import ProjectInvalid

EPILOG: Final = "Example: custview changes --after 1200 --format jsonl --output changes.jsonl"
_AT_MOST: Final = 1000


class ChangeFormat(StrEnum):
    """How changes are told."""

    TABLE = "table"
    JSONL = "jsonl"


def changes(
    project: ProjectOption = None,
    *,
    after: Annotated[
        int | None,
        typer.Option("--after", metavar="CURSOR", min=0, help="Cursor of the last change that was read.", show_default=False),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most changes to tell, the earliest first.")] = _AT_MOST,
    output_format: Annotated[
        ChangeFormat | None,
        typer.Option("--format", "-f", help="A table to look at, or JSON lines; JSON lines in a file.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="File to write JSON lines to.", show_default=False)
    ] = None,
) -> None:
    """Tell what became of customers since a cursor: created, updated, merged, split, retired, erased, reactivated.

    Each change has a cursor to go on from, and an id by which one that is read twice is known. No value is told, only names.
    """
    with told_errors():
        if output is not None and output_format is ChangeFormat.TABLE:
            raise ProjectInvalid("a file is written as JSON lines: leave --format table out")
        opened, keyring = open_project(project)
        found = read_changes(DeltaLake(opened.lake, keyring).snapshot(), after=after, limit=limit + 1)
        told = as_lines(found.head(limit))
        if output is not None:
            write_table(told, output, TableFormat.JSON)
            messages().print(f"wrote {told.height:,} {_noun(told.height)} to {escape(str(output))}")
        elif output_format is ChangeFormat.JSONL:
            results().print(told.write_ndjson(), soft_wrap=True, markup=False, end="")
        else:
            results().print(_page(told))
        if found.height > limit:
            messages().print(f"there are more: custview changes --after {told['cursor'][-1]}")


def as_lines(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows of change_feed as consumers read them: the cursor first, times as ISO 8601.

    Args:
        rows: Rows of change_feed.
    """
    timed = rows.rename({"sequence": "cursor"}).with_columns(pl.col("happened_at").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"))
    return timed.select("cursor", pl.exclude("cursor"))


def _page(told: pl.DataFrame) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("cursor", "when", "customer", "event", "other customer", "attributes that changed"):
        table.add_column(column, justify="right" if column == "cursor" else "left")
    for row in _cells(told):
        table.add_row(*row)
    return table


def _cells(told: pl.DataFrame) -> Iterator[tuple[str, ...]]:
    names = ("cursor", "happened_at", "cuid", "event", "other_cuid", "changed_attributes")
    for cursor, when, cuid, event, other, attributes in told.select(names).iter_rows():
        yield str(cursor), f"{when[:16]}Z", cuid, event, other or "", ", ".join(attributes)


def _noun(count: int) -> str:
    return "change" if count == 1 else "changes"
