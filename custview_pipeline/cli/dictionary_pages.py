"""The dictionary of attributes, as ``custview dictionary`` prints it."""

from collections.abc import Mapping, Sequence
from typing import Final

from rich.markup import escape
from rich.table import Table

from custview_pipeline.cli.terminal import results

_SHOWN: Final = ("type", "sensitivity", "critical")  # beside name and meaning; the page of one attribute has all


def print_dictionary(rows: Sequence[Mapping[str, str]]) -> None:
    """Print all attributes, a line each.

    Args:
        rows: What ``contracts.value_standards.dictionary_rows`` returns.
    """
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("attribute", no_wrap=True)
    for name in _SHOWN:
        table.add_column(name, no_wrap=True)
    table.add_column("meaning", min_width=12, overflow="fold")
    for row in rows:
        table.add_row(row["name"], *(escape(row[name]) for name in _SHOWN), escape(row["meaning"]))
    console = results()
    console.print(table)
    console.print()
    console.print(f"custview dictionary {rows[0]['name']} prints one in full")


def print_attribute(row: Mapping[str, str]) -> None:
    """Print one attribute in full; what it does not have is left out."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, text in row.items():
        if text:
            table.add_row(name.replace("_", " "), escape(text))
    results().print(table)
