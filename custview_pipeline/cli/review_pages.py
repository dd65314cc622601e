"""Pages of the review queue: the list, what was assigned."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

import polars as pl
from rich.markup import escape
from rich.table import Table

from custview_pipeline.cli.terminal import age, messages, printable, results
from custview_pipeline.matching.edge_words import say_bits
from custview_pipeline.stewardship.queue import ITEMS, WAITING, ItemKind

QUESTIONS: Final[Mapping[str, str]] = {  # by why an item is asked
    "possible_match": "may be one customer",
    "contradicted_match": "a match, but other records disagree",
    "rule_conflict": "a match, but a rule forbids it",
    "contradicted_customer": "may be two customers",
    "large_customer": "many records: one customer?",
    "contested_value": "which value holds?",
    "held_delivery": "is it to be believed?",
}
BLIND_QUESTION: Final = "one customer or two?"
_KIND_WORDS: Final = {
    ItemKind.PAIR: ("pair", "pairs"),
    ItemKind.CUSTOMER: ("customer", "customers"),
    ItemKind.VALUE: ("value", "values"),
    ItemKind.DELIVERY: ("delivery", "deliveries"),
}
_SHAPES: Final[Mapping[str, Mapping[str, Any]]] = {  # of columns, where they are not as wide as what they hold
    "effect": {"no_wrap": True, "justify": "right"},
    "bits": {"no_wrap": True, "justify": "right"},
    "question": {"min_width": 14},
    "about": {"min_width": 19},
    "for": {"min_width": 10},
}
_TELLING: Final = ("reason", "weight", "probability", "effect")  # what would tell how matching sees it


def as_blind(items: pl.DataFrame) -> pl.DataFrame:
    """Return items without what tells how matching sees them: by their ids, for the order of effects would tell too."""
    hidden = (pl.lit(None, ITEMS[name]).alias(name) for name in _TELLING)
    return items.with_columns(*hidden).sort("item_id")


def print_queue(items: pl.DataFrame, matching: pl.DataFrame, *, is_blind: bool) -> None:
    """Print items of the review queue.

    Args:
        items: Those that are listed.
        matching: All that match what was asked for, to be counted.
        is_blind: Whether the items come without what matching thinks of them.
    """
    console = results()
    if items.is_empty():
        console.print(
            "no item of the queue is as you asked" if matching.is_empty() else f"{_counted(matching)}; --limit lists some"
        )
        return
    console.print(_queue_table(items, datetime.now(UTC), is_blind=is_blind))
    console.print()
    console.print(f"{items.height:,} of {_counted(matching)}")
    blind = " --blind" if is_blind else ""
    console.print(f"next: custview review show {items['item_id'][0]}{blind}")


def queue_as_json(items: pl.DataFrame, *, is_blind: bool) -> str:
    """Return items as JSON, a list of rows; days and times are ISO 8601, UTC. A blind list leaves out what matching thinks."""
    rows = items.drop(_TELLING) if is_blind else items
    return json.dumps(rows.rows(named=True), ensure_ascii=False, indent=1, default=_in_iso)


def print_assigned(items: Sequence[str], to: str | None, due_on: date | None, *, is_stored: bool) -> None:
    """Print what was assigned, and whether it still waits for a run to let the lake go."""
    what = f"item {items[0]}" if len(items) == 1 else f"{len(items):,} items"
    until = f", due {due_on:%Y-%m-%d}" if due_on else ""
    results().print(f"{what} given back to the queue" if to is None else f"{what} assigned to {printable(to)}{until}")
    if not is_stored:
        messages().print("a run holds the lake: it is kept, and the run takes it in before its next stage")


def about(row: Mapping[str, Any]) -> str:
    """Return what an item is about, for a cell of a table: customers, a value of one, a delivery."""
    cuids = " ".join(row["cuids"] or ())
    match ItemKind(row["kind"]):
        case ItemKind.VALUE:
            return f"{row['attribute']} of {cuids}"
        case ItemKind.DELIVERY:
            return f"delivery of {escape(row['source_system'])} that deletes {row['record_count']:,} records"
        case _:
            return cuids


def whose(row: Mapping[str, Any], today: date) -> str:
    """Return who is to decide and until when, as console markup; empty where nobody is."""
    if row["assigned_to"] is None:
        return ""
    due = row["due_on"]
    if due is None:
        return printable(row["assigned_to"])
    until = f"due {due:%Y-%m-%d}"
    return f"{printable(row['assigned_to'])}, " + (f"[bold red]over{until}[/]" if due < today else until)


def _queue_table(items: pl.DataFrame, now: datetime, *, is_blind: bool) -> Table:
    """Return the table; columns that say nothing here are left out, so that it fits 80 characters."""
    columns = _columns(items, now, is_blind=is_blind)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in columns:
        table.add_column(name, **_SHAPES.get(name, {"no_wrap": True}))
    for row in items.iter_rows(named=True):
        table.add_row(*(cell(row) for cell in columns.values()))
    return table


def _columns(items: pl.DataFrame, now: datetime, *, is_blind: bool) -> dict[str, Callable[[Mapping[str, Any]], str]]:
    """Return by its header how the cell of a column is made of a row."""
    is_waiting, has_owner = items["status"].is_in(list(WAITING)).all(), items["assigned_to"].is_not_null().any()
    columns: dict[str, tuple[bool, Callable[[Mapping[str, Any]], str]]] = {
        "item": (True, lambda row: str(row["item_id"])),
        "effect": (is_waiting and not is_blind, lambda row: f"{row['effect']:.2f}"),
        "bits": (is_waiting and not is_blind and not has_owner, lambda row: _bits(row["weight"])),
        "question": (True, question),
        "about": (True, about),
        "found": (True, lambda row: age(row["found_at"], now) if row["found_at"] else ""),
        "status": (not is_waiting, lambda row: str(row["status"])),
        "for": (bool(has_owner), lambda row: whose(row, now.date())),
    }
    return {name: cell for name, (is_shown, cell) in columns.items() if is_shown}


def _bits(weight: float | None) -> str:
    return "" if weight is None else say_bits(weight)


def question(row: Mapping[str, Any]) -> str:
    """Return what is asked; of a blind pair or customer not why."""
    if row["reason"] is not None:
        return QUESTIONS[row["reason"]]
    return {ItemKind.VALUE: QUESTIONS["contested_value"], ItemKind.DELIVERY: QUESTIONS["held_delivery"]}.get(
        ItemKind(row["kind"]), BLIND_QUESTION
    )


def _counted(items: pl.DataFrame) -> str:
    """Return how many items there are, by kind."""
    counts = dict(items.group_by("kind").len().iter_rows())
    said = [f"{count:,} {words[count != 1]}" for kind, words in _KIND_WORDS.items() if (count := int(counts.get(kind.value, 0)))]
    if len(said) == 1:
        return said[0]
    return f"{items.height:,} items: {', '.join(said)}"


def _in_iso(value: object) -> str:
    if isinstance(value, date):  # a time is one too
        return value.isoformat()
    raise TypeError(type(value).__name__)
