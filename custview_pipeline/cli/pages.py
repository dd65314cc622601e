"""Pages that commands print: the demo world, one customer."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from custview_pipeline.demo.world import DemoSummary
from custview_pipeline.flows.portrait import Portrait
from custview_pipeline.kernel.identifiers import group_cuid

console = Console(highlight=False)


def print_demo(summary: DemoSummary) -> None:
    """Print what was generated."""
    sources = ", ".join(f"{source} {count:,}" for source, count in summary.by_source.items())
    console.print(
        f"demo world in {summary.directory}: {summary.records:,} records of {summary.customers:,} customers ({sources})"
    )


def print_portrait(portrait: Portrait) -> None:
    """Print one customer: values with their sources, and the source records."""
    console.print(f"[bold]{group_cuid(portrait.cuid)}[/]  {portrait.entity_type}, {portrait.records.height} source records")
    values = Table("attribute", "value", "source", "trust", "sources agree", "why", box=None, header_style="bold", pad_edge=False)
    for row in portrait.values.iter_rows(named=True):
        value = "(erased)" if row["value"] is None else row["value"]
        why = f"{row['reason']}, contested" if row["is_contested"] else row["reason"]
        trust = f"{row['trust_score']:.2f}"
        values.add_row(row["attribute"], escape(value), row["source_system"], trust, str(row["source_count"]), why)
    console.print(values)
    records = Table("source", "key", "updated", box=None, header_style="bold", pad_edge=False)
    for source, key, updated in portrait.records.iter_rows():
        records.add_row(source, escape(key), f"{updated:%Y-%m-%d}" if updated else "")
    console.print(records)
