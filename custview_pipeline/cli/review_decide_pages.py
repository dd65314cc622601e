"""Pages about steward decisions: one that was made, some that were withdrawn, a list."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

import polars as pl
from rich.markup import escape
from rich.table import Table

from custview_pipeline.cli.terminal import messages, printable, results
from custview_pipeline.contracts.decision_batch import Refusal
from custview_pipeline.flows.decision_subjects import Subject

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


class Listed(NamedTuple):
    """Decisions to show.

    Attributes:
        rows: Rows of review_decisions with ``is_waiting``.
        total: How many there are.
        subjects: The records that they are about, by record id; those that were erased are missing.
        waiting_count: Batches that wait for a run to end.
        refusals: Batches that were refused.
    """

    rows: pl.DataFrame
    total: int
    subjects: Mapping[int, Subject]
    waiting_count: int
    refusals: Sequence[Refusal]

    def name(self, record_id: int) -> str:
        """Return ``SOURCE:KEY`` of a record; its id where it was erased."""
        subject = self.subjects.get(record_id)
        return str(record_id) if subject is None else subject.name

    def customer(self, record_ids: Sequence[int]) -> str:
        """Return the customers that records belong to now; empty where they belong to none."""
        known = (self.subjects[each].cuid for each in record_ids if each in self.subjects)
        return " and ".join(dict.fromkeys(cuid for cuid in known if cuid is not None))


def print_decisions(listed: Listed) -> None:
    """Print decisions, how many wait, and what was refused of those that waited."""
    console = results()
    if listed.rows.is_empty():
        console.print("no decisions")
    else:
        console.print(_table(listed))
    if listed.total > listed.rows.height:
        console.print(f"{listed.total - listed.rows.height:,} more: --limit shows them")
    if count := listed.waiting_count:
        console.print(f"{count} {'batch waits' if count == 1 else 'batches wait'} for the run that holds the lake")
    for refusal in listed.refusals:
        who = "" if refusal.said_by is None else f" of {printable(refusal.said_by)}"
        when = "" if refusal.said_at is None else f", {refusal.said_at:%Y-%m-%d %H:%M} UTC"
        console.print(f"[bold red]refused[/] what was handed in{who}{when}: {printable(refusal.why)}")


def decisions_as_json(listed: Listed) -> str:
    """Return the same as JSON: ``decisions`` (rows; times are ISO 8601, UTC), ``records``, ``waiting_count``, ``refused``.

    ``records`` has name and CUID of the records that the decisions are about, by record id.
    """
    told = {
        "decisions": listed.rows.rows(named=True),
        "records": {str(record_id): subject._asdict() for record_id, subject in listed.subjects.items()},
        "waiting_count": listed.waiting_count,
        "refused": [refusal.model_dump(mode="json") for refusal in listed.refusals],
    }
    return json.dumps(told, ensure_ascii=False, indent=1, default=date.isoformat)


def _table(listed: Listed) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("id", "decision", "about", "by", "at (UTC)", "why", "state"):
        table.add_column(name, no_wrap=name in {"id", "decision"})
    for row in listed.rows.iter_rows(named=True):
        why = ", ".join(each for each in (row["reason_code"], row["reason"]) if each)
        cells = (_about(row, listed), row["decided_by"], _at(row["decided_at"]), why, _state(row))
        table.add_row(row["decision_id"], row["decision"], *(printable(cell) for cell in cells))
    return table


def _state(row: Mapping[str, Any]) -> str:
    """Return whether a decision was withdrawn, or waits."""
    waits = "waits" if row["is_waiting"] else ""
    if row["withdrawn_at"] is None:
        return waits
    withdrawn = f"withdrawn {_at(row['withdrawn_at'])} by {row['withdrawn_by'] or 'nobody named'}"
    return f"{withdrawn}, {waits}" if waits else withdrawn


def _about(row: Mapping[str, Any], listed: Listed) -> str:
    """Return what a decision is about, by the names that commands take."""
    if row["left_id"] is not None:
        return f"{listed.name(row['left_id'])} and {listed.name(row['right_id'])}"
    members, record = row["member_ids"] or [], row["record_id"]
    if row["attribute"] is not None:
        customer = listed.customer([record]) or listed.customer(members)  # what was entered is of no customer before a run
        return f"{row['attribute']} of {customer or 'no customer'}, by {listed.name(record)}"
    named = ", ".join(listed.name(each) for each in members[:_MOST_MEMBERS])
    others = f"{named} and {len(members) - _MOST_MEMBERS} more" if len(members) > _MOST_MEMBERS else named
    return f"{listed.customer(members) or 'no customer'}: {others}" if record is None else f"{listed.name(record)} from {others}"


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
