"""The commands about refused rows: ``custview quarantine list``, ``show``, ``release``."""

import secrets
from typing import Annotated, Final

import typer

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.erasure_ledger import ErasureLedger
from custview_pipeline.adapters.key_files import key_directory
from custview_pipeline.cli.entry import ProjectOption, open_project, told_errors
from custview_pipeline.cli.held_lake import HeldLake
from custview_pipeline.cli.permission import AsOption, PurposeOption, ReasonOption, Said, log_reveal
from custview_pipeline.cli.quarantine_pages import print_refused, print_releases, print_row
from custview_pipeline.flows.quarantine import list_refused, open_row, parse_id, shown_id
from custview_pipeline.flows.release import Choice, Desk, release
from custview_pipeline.kernel import settings
from custview_pipeline.protection.permission import Act, Wish

app: Final = typer.Typer(
    no_args_is_help=True,
    help="Refused rows: list them, look at one, release them after the contract was mended.",
    epilog="Example: custview quarantine list --source crm",
)

SourceOption = Annotated[
    str | None, typer.Option("--source", "-s", metavar="SOURCE", help="Of one source system only.", show_default=False)
]


@app.command("list", epilog="Example: custview quarantine list --source crm --limit 100")
def list_rows(
    project: ProjectOption = None,
    *,
    source: SourceOption = None,
    limit: Annotated[int, typer.Option(min=0, help="Most rows to name by their ids, the newest first.")] = 20,
) -> None:
    """List refused rows: how many by source and reason, how old they are, and their ids. No value is shown."""
    with told_errors():
        opened, keyring = open_project(project)
        print_refused(list_refused(DeltaLake(opened.lake, keyring).snapshot(), source), limit)


@app.command(epilog='Example: custview quarantine show 9f3a5c0e7b1d2468 --reveal --reason "to mend it in the CRM"')
def show(
    row: Annotated[str, typer.Argument(metavar="ID", help="Id of the row, as the list shows it.", show_default=False)],
    project: ProjectOption = None,
    *,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show the cells themselves, where access.yaml allows it; logged.")
    ] = False,
    user: AsOption = None,
    purpose: PurposeOption = None,
    reason: ReasonOption = "",
) -> None:
    """Print one refused row: each cell, masked, and why it was refused."""
    with told_errors():
        known = parse_id(row)
        opened, keyring = open_project(project)
        lake = DeltaLake(opened.lake, keyring)
        if reveal:
            said = Said(user, purpose, reason)
            log_reveal(opened, keyring, f"quarantine show {shown_id(known)}", Wish(Act.REFUSED_ROW), said)
        print_row(open_row(lake.snapshot(), keyring, known, opened.contracts, is_masked=not reveal))


@app.command(
    "release", epilog="Example: custview quarantine release --source crm --reason-rule completeness__full_name__required"
)
def release_rows(
    rows: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="Ids of rows; else all that the options choose.", show_default=False),
    ] = None,
    project: ProjectOption = None,
    *,
    source: SourceOption = None,
    reason_rule: Annotated[
        str | None, typer.Option(metavar="RULE", help="Of those, the rows that broke this rule.", show_default=False)
    ] = None,
) -> None:
    """Judge refused rows by the contract of now; those that it accepts enter, and the next run matches them.

    Mend the contract first. A row that is still refused stays, with the reasons of now. One whose record has a later version by
    now is discarded. What entered or was discarded is shredded in quarantine. Of rows that share one key none is released,
    unless you name the one that is right.
    """
    with told_errors(), settings.secrets_withheld():
        named = tuple(parse_id(row) for row in rows or ())
        opened, keyring = open_project(project)
        run_id, ledger = f"release-{secrets.token_hex(8)}", ErasureLedger(key_directory(opened.name))
        with HeldLake(opened, keyring, run_id).writer() as writer:
            workers, erased = settings.worker_count(), ledger.record_marks()
            desk = Desk(opened.contracts, opened.region, keyring, workers, run_id, erased)
            releases = release(desk, writer, Choice(named, source, reason_rule))
        print_releases(releases)
