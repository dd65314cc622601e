"""Pages that commands print: the demo world, one customer."""

import json
from collections.abc import Mapping
from typing import Any, Final

import polars as pl
from rich.markup import escape
from rich.table import Table

from custview_pipeline.cli.terminal import printable, results
from custview_pipeline.demo.world import DemoSummary
from custview_pipeline.flows.as_of import say_moment
from custview_pipeline.flows.portrait import Portrait, Shown
from custview_pipeline.kernel.identifiers import Cuid, group_cuid

NO_KEY: Final = "(no key)"
EVENTS: Final[Mapping[str, str]] = {
    "created": "created",
    "merged_into": "merged into",
    "split_from": "split from",
    "retired": "retired: its sources hold no record of it any more",
    "reactivated": "came back out of",
    "erased": "erased",
}
_REASONS: Final[Mapping[str, str]] = {
    "only_candidate": "only value known",
    "confirmed_by_others": "records agree",
    "valid": "the valid one",
    "tie_smaller_record_id": "tie, smaller record id",
    "kept": "kept too",
    "pinned": "pinned by a steward",
    "overridden": "entered by a steward",
    "within_condition": "keeps the condition",
    "open_number": "the readable number",
    "summed": "part of the sum",
    "not_pinned": "a steward chose another",
    "earlier_decision": "a later decision holds",
    "no_open_number": "no readable number",
    "later": "changed later",
}


def print_demo(summary: DemoSummary) -> None:
    """Print what was generated."""
    sources = ", ".join(f"{source} {count:,}" for source, count in summary.by_source.items())
    results().print(
        f"demo world in {escape(str(summary.directory))}: "
        f"{summary.records:,} records of {summary.customers:,} customers ({sources})"
    )


def print_portrait(portrait: Portrait) -> None:
    """Print one customer, now or as it was: values with their sources, and the source records."""
    console, count = results(), portrait.records.height
    of = "1 source record" if count == 1 else f"{count} source records"
    console.print(f"[bold]{group_cuid(portrait.cuid)}[/]  {portrait.entity_type}, {of}")
    if portrait.as_of is not None:
        console.print(f"as of {say_moment(portrait.as_of)}; had been so since {portrait.valid_from_at:%Y-%m-%d %H:%M} UTC")
    if portrait.erased_count:
        was = "1 source record was" if portrait.erased_count == 1 else f"{portrait.erased_count} source records were"
        console.print(f"{was} erased since: what they said is gone")
    console.print()
    console.print(_values_table(portrait))
    console.print()
    console.print(_records_table(portrait))


def print_revealed(cuid: Cuid, values: pl.DataFrame) -> None:
    """Print some values of one customer.

    Args:
        cuid: The customer.
        values: What ``flows.portrait.reveal`` returns.
    """
    console = results()
    console.print(f"[bold]{group_cuid(cuid)}[/]")
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column("attribute", no_wrap=True)
    table.add_column("value", min_width=12, overflow="fold")
    for attribute, value, shown in values.iter_rows():
        table.add_row(attribute, _as_said(value, Shown(shown)))
    console.print(table)


def revealed_as_json(cuid: Cuid, values: pl.DataFrame) -> str:
    """Return the same as JSON: ``cuid``, and of each value ``attribute``, ``value`` and how it is ``shown``."""
    return json.dumps({"cuid": cuid, "values": list(values.iter_rows(named=True))}, indent=1)


def _as_said(value: str | None, shown: Shown) -> str:
    if value is None:
        return NO_KEY if shown is Shown.NO_KEY else "[dim](no value known)[/]"
    return f"{printable(value)}  [dim](masked for your role)[/]" if shown is Shown.MASKED else printable(value)


def why_won(row: Mapping[str, Any]) -> str:
    """Return in words why a value won.

    Args:
        row: ``reason``, ``source_count``, ``is_contested`` of ``Portrait.values`` and, of a sum, ``part_count``.
    """
    reason, source_count = row["reason"] or "", row["source_count"] or 0
    said = [reason_in_words(reason)]
    if row.get("part_count"):
        said = [f"{sum_in_words(row['part_count'])} from {source_count} source{'s' if source_count > 1 else ''}"]
    elif source_count > 1:
        agreed = f"{source_count} sources agree"
        said = [agreed] if reason == "confirmed_by_others" else [*said, agreed]
    return ", ".join([*said, "contested"] if row["is_contested"] else said)


def sum_in_words(part_count: int) -> str:
    """Return of how many values a sum is made, in words."""
    return f"sum of {part_count} values"


def reason_in_words(reason: str) -> str:
    """Return why a candidate won or lost, in words."""
    return _REASONS.get(reason, reason.replace("_", " "))


def _values_table(portrait: Portrait) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("attribute", no_wrap=True)
    table.add_column("value", min_width=12, overflow="fold")
    table.add_column("source", no_wrap=True)
    table.add_column("trust", no_wrap=True, justify="right")
    table.add_column("why", min_width=12)
    for row in portrait.values.iter_rows(named=True):
        value = NO_KEY if row["value"] is None else row["value"]
        trust = f"{row['trust_score']:.2f}"
        table.add_row(row["attribute"], printable(value), row["source_system"], trust, why_won(row))
    return table


def _records_table(portrait: Portrait) -> Table:
    table = Table("source", "key", "updated", box=None, header_style="bold", pad_edge=False)
    for source, key, updated in portrait.records.iter_rows():
        table.add_row(source, printable(key), f"{updated:%Y-%m-%d}" if updated else "")
    return table
