"""The commands, their options and exit codes."""

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from custview_pipeline.adapters.access_log import log_access
from custview_pipeline.adapters.current_project import find_project, is_missing_demo
from custview_pipeline.adapters.delta_lake import MANIFEST_FILE, DeltaLake
from custview_pipeline.adapters.new_project import write_project
from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.adapters.project_keys import open_keyring
from custview_pipeline.adapters.written_tables import TableFormat, format_of, write_table
from custview_pipeline.cli.pages import print_demo, print_portrait
from custview_pipeline.cli.progress import LiveProgress
from custview_pipeline.cli.summary import print_summary
from custview_pipeline.cli.terminal import messages, results
from custview_pipeline.contracts.project import Project
from custview_pipeline.demo.world import generate
from custview_pipeline.flows.export import Export, export_crosswalk, export_edges, export_golden, export_quality
from custview_pipeline.flows.portrait import portray
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import CustviewError, LakeError, ProjectInvalid, UnknownCustomer
from custview_pipeline.kernel.identifiers import Cuid, parse_cuid
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.protection.keyring import Keyring

FAILED, WRONG_USE = 1, 2

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="One trusted view of each customer, with no readable personal data at rest.",
    epilog="Exit codes: 0 good; 1 the run failed or a blocking check failed; 2 the command, the project or a contract is wrong.",
)

ProjectOption = Annotated[
    Path | None,
    typer.Option(
        "--project",
        "-p",
        help="Project directory; else CUSTVIEW_PROJECT, else the working directory, else the demo.",
        show_default=False,
    ),
]


ReasonOption = Annotated[str, typer.Option(metavar="TEXT", help="Why they are revealed; needed with --reveal.")]


def _print_version(asked: bool) -> None:  # noqa: FBT001 -- typer calls it so
    if asked:
        results().print(f"custview {version('custview-pipeline')}")
        raise typer.Exit


@app.callback()
def custview(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Hold the options that stand before any command; the help of ``app`` is what is shown."""


@app.command(epilog="Example: custview demo .custview/demo --records 100000")
def demo(
    directory: Annotated[Path, typer.Argument(help="Where to write the demo project.")] = Path(".custview/demo"),
    *,
    records: Annotated[int, typer.Option(min=100, help="Source records over all four systems.")] = 5000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same world, byte for byte.")] = 1,
) -> None:
    """Generate the demo world: four source systems of an invented company."""
    with _errors():
        print_demo(generate(directory, records=records, seed=seed))


@app.command(epilog="Example: custview init my-project")
def init(directory: Annotated[Path, typer.Argument(help="Where to write the project.")]) -> None:
    """Write a new project: custview.yaml, a contract to start from, a rulebook."""
    with _errors():
        console = results()
        for path in write_project(directory):
            console.print(f"wrote {escape(str(path))}")
        console.print(f"next: describe your source in the contract, then custview run --project {escape(str(directory))}")


@app.command(epilog="Example: custview run --project my-project")
def run(project: ProjectOption = None) -> None:
    """Run the main job: take in every source, match, elect golden records, build views, audit.

    It is the job ``refresh`` of the Dagster UI, run here and recorded there.
    """
    with _errors(), settings.secrets_withheld():
        directory = _directory(project)
        opened = load_project(directory)
        from custview_pipeline.launch import refresh  # noqa: PLC0415 -- Dagster takes seconds to load; other commands do without

        with LiveProgress() as progress:
            is_good = refresh(opened, progress)
        print_summary(opened, progress, is_good=is_good)
    raise typer.Exit(0 if is_good else FAILED)


@app.command(epilog="Example: custview up --project my-project --port 3000")
def up(
    project: ProjectOption = None,
    *,
    host: Annotated[str, typer.Option(help="Address the UI listens on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port the UI listens on.")] = 3000,
) -> None:
    """Start the Dagster UI and its daemon: sensors and the nightly schedule are on until Ctrl-C."""
    with _errors():
        directory = _directory(project)
        load_project(directory)
        from custview_pipeline.launch import serve  # noqa: PLC0415 -- see run

        messages().print(f"starting the UI at http://{host}:{port}; Ctrl-C ends it and the daemon", soft_wrap=True)
        code = serve(directory, host=host, port=port)
    raise typer.Exit(code)


@app.command(epilog='Example: custview show CUQM8403JRZBQKMZVAM --reveal --reason "customer asked for a copy"')
def show(
    cuid: Annotated[str, typer.Argument(metavar="CUID", help="Customer id; case and dashes are free.", show_default=False)],
    project: ProjectOption = None,
    *,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show the values themselves; logged.")] = False,
    reason: ReasonOption = "",
) -> None:
    """Print one customer: each value, masked, with its source and why it won."""
    with _errors():
        known = _parse(cuid)
        opened, keyring = _open(project)
        lake = DeltaLake(opened.lake, keyring)
        if reveal:
            _log(opened, keyring, what=f"show {known}", reason=reason)
        print_portrait(portray(lake.snapshot(), keyring, known, is_masked=not reveal))


@app.command(epilog="Example: custview export crosswalk --format parquet --output crosswalk.parquet")
def export(
    what: Annotated[Export, typer.Argument(help="Which table.")],
    project: ProjectOption = None,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")],
    table_format: Annotated[
        TableFormat | None,
        typer.Option("--format", "-f", help="Format of the file; else by its ending, else csv.", show_default=False),
    ] = None,
    reveal: Annotated[bool, typer.Option("--reveal", help="golden: the values themselves instead of masks; logged.")] = False,
    reason: ReasonOption = "",
) -> None:
    """Write a table to a file: crosswalk, edges, golden records (masked) or quality scores."""
    with _errors():
        if reveal and what is not Export.GOLDEN:
            raise ProjectInvalid(f"--reveal is for golden records; {what} holds no sealed value")
        opened, keyring = _open(project)
        snapshot = DeltaLake(opened.lake, keyring).snapshot()
        if reveal:
            _log(opened, keyring, what="export golden", reason=reason)
        frame = {
            Export.CROSSWALK: lambda: export_crosswalk(snapshot),
            Export.EDGES: lambda: export_edges(snapshot),
            Export.GOLDEN: lambda: export_golden(snapshot, keyring, is_masked=not reveal),
            Export.QUALITY: lambda: export_quality(snapshot),
        }[what]()
        write_table(frame, output, table_format or format_of(output))
        messages().print(f"wrote {frame.height:,} rows to {escape(str(output))}")


def main() -> None:
    """Run the command line."""
    app()


@contextmanager
def _errors() -> Iterator[None]:
    """Turn an error into one line on standard error and the exit code that scripts trust; what a library says is not shown."""
    try:
        with silenced("the command"):
            yield
    except CustviewError as error:
        messages().print(f"[bold red]error[/] {escape(str(error))}", soft_wrap=True)
        sys.exit(WRONG_USE if isinstance(error, ProjectInvalid) else FAILED)


def _directory(given: Path | None) -> Path:
    """Return the current project's directory; the demo is made where it is meant and absent."""
    directory = find_project(given)
    if is_missing_demo(directory):
        print_demo(generate(directory))
    return directory


def _parse(cuid: str) -> Cuid:
    try:
        return parse_cuid(cuid)
    except UnknownCustomer as error:
        raise ProjectInvalid(str(error)) from None


def _open(given: Path | None) -> tuple[Project, Keyring]:
    """Return the current project and its keys; nothing is made where there is none."""
    opened = load_project(find_project(given))
    if not (opened.lake / MANIFEST_FILE).exists():
        raise LakeError(f"nothing is stored yet in {opened.lake}: custview run makes the first customers")
    return opened, open_keyring(opened.name, opened.lake)


def _log(opened: Project, keyring: Keyring, *, what: str, reason: str) -> None:
    """Log a reveal before anything is opened."""
    if not reason.strip():
        raise ProjectInvalid("--reveal needs --reason TEXT")
    log_access(opened.lake, keyring, who=getpass.getuser(), what=what, reason=reason.strip())
