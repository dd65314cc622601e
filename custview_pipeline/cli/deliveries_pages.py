"""Pages about deliveries: those that were held, the last ones, a decision."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import polars as pl
from rich.markup import escape
from rich.table import Table

from custview_pipeline.cli.terminal import age, printable, results
from custview_pipeline.flows.deliveries import Listed
from custview_pipeline.flows.holding import Standing

_COUNTS: Final = ("read", "new", "changed", "unchanged", "deleted", "late", "superseded", "warned", "refused")
_TOLD: Final = {
    Standing.HELD: "waits for a decision",
    Standing.APPROVED: "approved",
    Standing.REJECTED: "rejected",
}


def print_deliveries(listed: Listed) -> None:
    """Print the deliveries that were held, and the last ones with their counts."""
    console, now = results(), datetime.now(UTC)
    if not listed.held.is_empty():
        console.print(_held_table(listed.held, now))
        if (listed.held["status"] == Standing.HELD.value).any():
            console.print("look at the files, then: custview deliveries approve ID --reason TEXT, or reject ID --reason TEXT")
        console.print()
    if listed.deliveries.is_empty():
        console.print("no deliveries to show")
        return
    console.print(_last_table(listed.deliveries, now))


def deliveries_as_json(listed: Listed) -> str:
    """Return the same as JSON: ``held`` and ``deliveries``, each a list of rows; times are ISO 8601, UTC."""
    rows = {"held": listed.held.rows(named=True), "deliveries": listed.deliveries.rows(named=True)}
    return json.dumps(rows, ensure_ascii=False, indent=1, default=datetime.isoformat)


def print_decided(decided: pl.DataFrame) -> None:
    """Print what was decided.

    Args:
        decided: What ``flows.deliveries.decide`` returns.
    """
    (row,) = decided.rows(named=True)
    deleted = f"{row['deleted_count']:,} records"
    follows = {
        Standing.APPROVED: f"next: custview run takes it in and deletes {deleted}, unless the files changed",
        Standing.REJECTED: "it is left out until the files change",
    }[Standing(row["status"])]
    results().print(f"{row['source_system']}: delivery {row['held_id']} {row['status']} by {printable(row['decided_by'])}")
    results().print(follows)


def _held_table(held: pl.DataFrame, now: datetime) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("held", "source", "age"):
        table.add_column(column, no_wrap=True)
    for column in ("read", "known", "would delete"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("decision", min_width=12, overflow="fold")
    for row in held.iter_rows(named=True):
        counts = (f"{row[name]:,}" for name in ("row_count", "known_count", "deleted_count"))
        table.add_row(row["held_id"], row["source_system"], age(row["held_at"], now), *counts, _decision(row))
    return table


def _decision(row: Mapping[str, Any]) -> str:
    told = _TOLD[Standing(row["status"])]
    by = f" by {printable(row['decided_by'])}: {printable(row['reason'])}" if row["decided_by"] else ""
    return f"{told}{by}"


def _last_table(deliveries: pl.DataFrame, now: datetime) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("delivery", "source", "age"):
        table.add_column(column, no_wrap=True)
    for column in _COUNTS:
        table.add_column(column, justify="right", no_wrap=True)
    for row in deliveries.iter_rows(named=True):
        origin = "" if row["origin"] == "source" else " (quarantine)"
        counts = (f"{row[f'{name}_count']:,}" for name in ("row", *_COUNTS[1:]))
        source = f"{escape(row['source_system'])}{origin}"
        table.add_row(row["delivery_id"], source, age(row["delivered_at"], now), *counts)
    return table
