"""Pages about refused rows: the list, one row, what a release did."""

from collections.abc import Iterable
from datetime import UTC, datetime

import polars as pl
from rich.markup import escape
from rich.table import Table

from custview_pipeline.cli.terminal import age, printable, results
from custview_pipeline.flows.quarantine import RefusedRow, shown_id
from custview_pipeline.flows.release import Release


def print_refused(refused: pl.DataFrame, limit: int) -> None:
    """Print refused rows by source and reason, and the newest by their ids.

    Args:
        refused: What ``flows.quarantine.list_refused`` returns.
        limit: Rows to name at most.
    """
    console, now = results(), datetime.now(UTC)
    if refused.is_empty():
        console.print("no refused rows")
        return
    console.print(_reasons_table(refused, now))
    if limit:
        console.print()
        console.print(_ids_table(refused.head(limit), now))
    if 0 < limit < refused.height:
        console.print(f"and {refused.height - limit:,} older ones; --limit names more")


def print_row(opened: RefusedRow) -> None:
    """Print one refused row, its cells as they are handed in: masked, or logged before."""
    console, row = results(), opened.refused
    console.print(
        f"[bold]{shown_id(row.quarantine_id)}[/]  {row.source_system}, delivery {row.delivery_id}, "
        f"refused {row.quarantined_at:%Y-%m-%d %H:%M} UTC"
    )
    for reason in row.reasons:
        console.print(f"refused by {escape(reason)}")
    console.print()
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("column", no_wrap=True)
    table.add_column("attribute", no_wrap=True)
    table.add_column("value", min_width=12, overflow="fold")
    for column, value, attribute in opened.cells.select("column", "value", "attribute").iter_rows():
        table.add_row(printable(column), attribute or "", "[dim](empty)[/]" if value is None else printable(value))
    console.print(table)


def print_releases(releases: Iterable[Release]) -> None:
    """Print what became of the rows that were to be released."""
    console, is_any, is_entered = results(), False, False
    for release in releases:
        is_any, is_entered = True, is_entered or release.released_count > 0
        shredded = f", {release.shredded_count:,} had been shredded" if release.shredded_count else ""
        erased = release.suppressed_count
        suppressed = f", {erased:,} discarded, for their records were erased" if erased else ""
        console.print(
            f"{release.source_system}: {release.released_count:,} released, {release.refused_count:,} still refused, "
            f"{release.superseded_count:,} discarded for a later version{shredded}{suppressed}"
        )
        for rule, count in release.reasons.items():
            console.print(f"still refused in {release.source_system}: {count:,} {_rows(count)} by {escape(rule)}")
    if not is_any:
        console.print("no refused row fits: custview quarantine list names them")
    if is_entered:
        console.print("next: custview run matches them")


def _rows(count: int) -> str:
    return "row" if count == 1 else "rows"


def _reasons_table(refused: pl.DataFrame, now: datetime) -> Table:
    table = Table("source", "reason", box=None, header_style="bold", pad_edge=False)
    for column in ("rows", "newest", "oldest"):
        table.add_column(column, justify="right", no_wrap=True)
    at = pl.col("quarantined_at")
    counted = refused.explode("reasons").group_by("source_system", "reasons").agg(pl.len(), newest=at.max(), oldest=at.min())
    counted = counted.sort("source_system", "len", "reasons", descending=[False, True, False])
    for source, reason, count, newest, oldest in counted.iter_rows():
        table.add_row(source, escape(reason), f"{count:,}", age(newest, now), age(oldest, now))
    return table


def _ids_table(refused: pl.DataFrame, now: datetime) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("id", "source", "delivery", "age"):
        table.add_column(column, no_wrap=True)
    table.add_column("reasons", min_width=12, overflow="fold")
    for row in refused.iter_rows(named=True):
        reasons = escape(", ".join(row["reasons"]))
        known = (row["source_system"], row["delivery_id"], age(row["quarantined_at"], now))
        table.add_row(shown_id(row["quarantine_id"]), *known, reasons)
    return table
