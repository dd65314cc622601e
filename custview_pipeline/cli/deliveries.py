"""The commands about deliveries: ``custview deliveries list``, ``approve``, ``reject``."""

import secrets
from pathlib import Path
from typing import Annotated, Final

import typer

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.cli.deliveries_pages import deliveries_as_json, print_decided, print_deliveries
from custview_pipeline.cli.entry import ProjectOption, open_project, told_errors
from custview_pipeline.cli.held_lake import HeldLake
from custview_pipeline.cli.permission import LONGEST_REASON, os_user
from custview_pipeline.cli.terminal import results
from custview_pipeline.contracts.access import LONGEST_NAME
from custview_pipeline.flows.deliveries import Decision, decide, list_deliveries
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import ProjectInvalid

app: Final = typer.Typer(
    no_args_is_help=True,
    help="Deliveries: what became of them, and those that would delete many records and wait until a person believes them.",
    epilog="Example: custview deliveries list --source crm",
)

IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="Id of a delivery that was held, as the list shows it.", show_default=False)
]
ByOption = Annotated[
    str | None, typer.Option("--by", metavar="NAME", help="Who decides; else the system's user.", show_default=False)
]
WhyOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept, so name no customer.")]


@app.command("list", epilog="Example: custview deliveries list --source crm --limit 50 --json")
def list_all(
    project: ProjectOption = None,
    *,
    source: Annotated[
        str | None, typer.Option("--source", "-s", metavar="SOURCE", help="Of one source system only.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Most deliveries to list, the last ones first.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """List the deliveries that were held, and what became of the last ones: rows read, new, changed, late, deleted, refused."""
    with told_errors():
        opened, keyring = open_project(project)
        listed = list_deliveries(DeltaLake(opened.lake, keyring).snapshot(), source, limit=limit)
        if as_json:
            results().print(deliveries_as_json(listed), soft_wrap=True, markup=False)
        else:
            print_deliveries(listed)


@app.command(epilog='Example: custview deliveries approve 9f3a5c0e7b1d2468 --by ada --reason "the branch was sold"')
def approve(delivery: IdArgument, project: ProjectOption = None, *, reason: WhyOption, by: ByOption = None) -> None:
    """Believe a delivery that was held: the next run takes it in, and deletes what it does not hold, unless the files changed."""
    _decide(project, delivery, by, reason, is_approved=True)


@app.command(epilog='Example: custview deliveries reject 9f3a5c0e7b1d2468 --by ada --reason "the export broke off"')
def reject(delivery: IdArgument, project: ProjectOption = None, *, reason: WhyOption, by: ByOption = None) -> None:
    """Do not believe a delivery that was held: it is left out until the files change."""
    _decide(project, delivery, by, reason, is_approved=False)


def _decide(project: Path | None, held_id: str, by: str | None, reason: str, *, is_approved: bool) -> None:
    with told_errors(), settings.secrets_withheld():
        name = _text(by if by is not None else os_user(), "--by", LONGEST_NAME)
        decision = Decision(is_approved, name, _text(reason, "--reason", LONGEST_REASON))
        opened, keyring = open_project(project)
        run_id = f"decision-{secrets.token_hex(8)}"
        with HeldLake(opened, keyring, run_id).writer() as writer:
            decided = decide(writer, held_id, decision, run_id=run_id)
        print_decided(decided)


def _text(written: str, option: str, longest: int) -> str:
    text = written.strip()
    if not text or len(text) > longest or not text.isprintable():
        raise ProjectInvalid(f"{option} must be a text of at most {longest} characters, on one line")
    return text
