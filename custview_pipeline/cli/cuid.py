"""The commands ``custview cuid``: where a customer id leads, and what happened to it."""

import json
from typing import Annotated

import typer
from rich.table import Table

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.cli.entry import FAILED, ProjectOption, open_project, told_errors
from custview_pipeline.cli.moments import AsOfOption
from custview_pipeline.cli.pages import EVENTS
from custview_pipeline.cli.terminal import results
from custview_pipeline.flows.customer_history import Resolution, Standing, resolve
from custview_pipeline.kernel.identifiers import group_cuid, parse_cuid

app = typer.Typer(
    no_args_is_help=True,
    help="Customer ids: for life, through merges and splits.",
    epilog="Example: custview cuid resolve CUQM-8403-JRZB-QKMZ-VAM",
)


@app.callback()
def cuid() -> None:
    """Hold the commands about customer ids; the help of ``app`` is what is shown."""


@app.command("resolve", epilog="Example: custview cuid resolve CUQM-8403-JRZB-QKMZ-VAM --as-of 2026-03-31")
def resolve_cuid(
    name: Annotated[str, typer.Argument(metavar="CUID", help="A customer id, as old as may be.", show_default=False)],
    project: ProjectOption = None,
    *,
    as_of: AsOfOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Say which customer an id stands for, through all merges, splits and erasures, and what happened on the way.

    Exit code 1 where it leads to no customer that is active.
    """
    with told_errors():
        opened, keyring = open_project(project)
        found = resolve(DeltaLake(opened.lake, keyring).snapshot(), parse_cuid(name), as_of)
        print_as_json(found) if as_json else print_resolution(found)
    if found.standing is not Standing.ACTIVE:
        raise typer.Exit(FAILED)


def print_resolution(found: Resolution) -> None:
    """Print where an id leads, and what happened on the way."""
    console, own, heir = results(), group_cuid(found.cuid), group_cuid(found.leads_to)
    if found.standing is Standing.UNKNOWN:
        console.print(f"{own}: no customer had this id then")
        return
    console.print(f"{own} is {heir}, {found.standing}" if own != heir else f"{own} is {found.standing}")
    table = Table("when (UTC)", "customer", "what", "other customer", "run", box=None)
    for event in found.events:
        other = "" if event.other_cuid is None else group_cuid(event.other_cuid)
        table.add_row(f"{event.happened_at:%Y-%m-%d %H:%M}", group_cuid(event.cuid), EVENTS[event.event], other, event.run_id)
    console.print(table)


def print_as_json(found: Resolution) -> None:
    """Print the same as one JSON object."""
    events = [event._asdict() | {"happened_at": event.happened_at.isoformat()} for event in found.events]
    typer.echo(json.dumps(found._asdict() | {"events": events}, indent=2))
