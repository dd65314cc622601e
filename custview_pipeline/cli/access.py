"""The commands about who saw what and who may: ``custview access verify``, ``log``, ``check``."""

from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from custview_pipeline.adapters.access_log import AccessLog, logged
from custview_pipeline.adapters.current_project import find_project
from custview_pipeline.adapters.key_files import key_directory
from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.cli.access_pages import print_access, print_entries, print_policy
from custview_pipeline.cli.entry import FAILED, ProjectOption, open_project, told_errors
from custview_pipeline.kernel.errors import ProjectInvalid

app: Final = typer.Typer(
    no_args_is_help=True,
    help="Who may see values, who saw which, and whether the log of that is whole.",
    epilog="Example: custview access verify",
)


@app.command(epilog="Example: custview access verify --project my-project")
def verify(
    project: ProjectOption = None,
    *,
    known_gaps: Annotated[
        list[int] | None,
        typer.Option(
            "--known-gap",
            metavar="NUMBER",
            help="Entry that tells of a gap you have looked into; repeatable. Exit code 2 where it tells of none.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Check the access log: that every entry is as it was written, in its place, and that none was cut off.

    Names the first entry that is not. Exit code 1 then, and where the log did not fit its anchor when an entry was written.
    """
    known = frozenset(known_gaps or ())
    with told_errors():
        opened, keyring = open_project(project)
        report = AccessLog(opened.lake, key_directory(opened.name), keyring).verify()
        told = {gap.sequence for gap in report.gaps}
        print_access(report, known)
        if report.broken is None and known - told:  # behind a break no gap is looked for
            numbers = ", ".join(map(str, sorted(known - told)))
            raise ProjectInvalid(f"--known-gap {numbers}: no such entry tells of a gap")
    raise typer.Exit(FAILED if report.broken or told - known else 0)


@app.command(epilog="Example: custview access log --user ada --since 2026-01-01")
def log(
    project: ProjectOption = None,
    *,
    user: Annotated[
        str | None, typer.Option("--user", "-u", metavar="USER", help="Of one user only.", show_default=False)
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="From this day on, UTC: 2026-01-31.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one entry a line, for scripts.")] = False,
) -> None:
    """Print the entries of the access log as they stand; custview access verify tells whether they can be trusted."""
    with told_errors():
        earliest = None if since is None else _moment(since)
        lake = load_project(find_project(project)).lake
        print_entries(logged(lake), user=user, since=earliest, as_json=as_json)


@app.command(epilog="Example: custview access check --project my-project")
def check(project: ProjectOption = None) -> None:
    """Print who may see what, by access.yaml; what it does not name is denied."""
    with told_errors():
        opened = load_project(find_project(project))
        print_policy(opened.access, opened.access_file)


def _moment(written: str) -> datetime:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise ProjectInvalid("--since must be a date, such as 2026-01-31") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
