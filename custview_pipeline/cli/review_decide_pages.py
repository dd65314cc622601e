"""Pages about steward decisions: one that was made, some that were withdrawn, a list."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

import polars as pl
from rich.markup import escape
from rich.table import Table

from custview_pipeline.cli.terminal import messages, printable, results
from custview_pipeline.contracts.decision_batch import Refusal

_MOST_MEMBERS: Final = 3  # records of a decision about many that a line names
_WAITS: Final = "kept: a run holds the lake, and takes it in before its next stage"
_STORED: Final = "stored: the next run goes by it"


def print_decided(decision: str, decision_id: str, *, is_stored: bool) -> None:
    """Print that something was decided, its id on standard output."""
    results().print(decision_id, markup=False)
    messages().print(f"{decision}; {_STORED if is_stored else _WAITS}; custview review withdraw {escape(decision_id)} undoes it")


def print_withdrawn(decision_ids: Sequence[str], *, is_stored: bool) -> None:
    """Print that decisions were withdrawn."""
    count = f"{len(decision_ids)} {'decision' if len(decision_ids) == 1 else 'decisions'}"
    messages().print(f"withdrew {count}; {_STORED if is_stored else _WAITS}")


def print_decisions(listed: pl.DataFrame, count: int, waiting: int, refusals: Sequence[Refusal]) -> None:
    """Print decisions, how many wait, and what was refused of those that waited.

    Args:
        listed: Rows of review_decisions to show.
        count: How many there are.
        waiting: Batches that wait for a run to end.
        refusals: Batches that were refused.
    """
    console = results()
    if listed.is_empty():
        console.print("no decisions")
    else:
        console.print(_table(listed))
    if count > listed.height:
        console.print(f"{count - listed.height:,} more: --limit shows them")
    if waiting:
        console.print(f"{waiting} more {'batch waits' if waiting == 1 else 'batches wait'} for the run that holds the lake")
    for refusal in refusals:
        who = "" if refusal.said_by is None else f" of {printable(refusal.said_by)}"
        when = "" if refusal.said_at is None else f", {refusal.said_at:%Y-%m-%d %H:%M} UTC"
        console.print(f"[bold red]refused[/] what was handed in{who}{when}: {printable(refusal.why)}")


def decisions_as_json(listed: pl.DataFrame, waiting: int, refusals: Sequence[Refusal]) -> str:
    """Return the same as JSON: ``decisions`` (rows; times are ISO 8601, UTC), ``waiting_count``, ``refused``."""
    told = {
        "decisions": listed.rows(named=True),
        "waiting_count": waiting,
        "refused": [refusal.model_dump(mode="json") for refusal in refusals],
    }
    return json.dumps(told, ensure_ascii=False, indent=1, default=date.isoformat)


def _table(listed: pl.DataFrame) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("id", "decision", "about", "by", "at (UTC)", "why", "withdrawn"):
        table.add_column(name, no_wrap=name in {"id", "decision"})
    for row in listed.iter_rows(named=True):
        why = ", ".join(each for each in (row["reason_code"], row["reason"]) if each)
        withdrawn = (
            "" if row["withdrawn_at"] is None else f"{_at(row['withdrawn_at'])} by {row['withdrawn_by'] or 'nobody named'}"
        )
        cells = (_about(row), row["decided_by"], _at(row["decided_at"]), why, withdrawn)
        table.add_row(row["decision_id"], row["decision"], *(printable(cell) for cell in cells))
    return table


def _about(row: dict[str, object]) -> str:
    """Return by ids what a decision is about."""
    if row["left_id"] is not None:
        return f"{row['left_id']} and {row['right_id']}"
    members = row["member_ids"] if isinstance(row["member_ids"], list) else []
    named = ", ".join(map(str, members[:_MOST_MEMBERS]))
    others = f"{named} and {len(members) - _MOST_MEMBERS} more" if len(members) > _MOST_MEMBERS else named
    if row["attribute"] is not None:
        return f"{row['attribute']} of {row['record_id']}"
    return others if row["record_id"] is None else f"{row['record_id']} from {others}"


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
