"""The commands, their options and exit codes."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from custview_pipeline.adapters.current_project import find_project, is_missing_demo
from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.new_project import draft_project, write_project
from custview_pipeline.adapters.project_directory import load_contract, load_project, project_around, region_for
from custview_pipeline.adapters.source_files import one_file
from custview_pipeline.adapters.sources import open_source
from custview_pipeline.adapters.written_tables import TableFormat, format_of, write_table
from custview_pipeline.cli import (
    access,
    changes,
    cuid,
    deliveries,
    erase,
    evaluate,
    explain,
    history,
    keys,
    model,
    quarantine,
    receipt,
    review,
    rulebook,
    sample_review,
    upkeep,
)
from custview_pipeline.cli.dictionary_pages import print_attribute, print_dictionary
from custview_pipeline.cli.entry import FAILED, ProjectOption, open_project, told_errors
from custview_pipeline.cli.moments import AsOfOption
from custview_pipeline.cli.pages import print_demo, print_portrait, print_revealed, revealed_as_json
from custview_pipeline.cli.permission import AsOption, PurposeOption, ReasonOption, Said, log_reveal
from custview_pipeline.cli.progress import LiveProgress
from custview_pipeline.cli.summary import print_summary
from custview_pipeline.cli.terminal import messages, results
from custview_pipeline.cli.trial_page import print_trial, trial_as_json
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.project import PROJECT_FILE, Project
from custview_pipeline.contracts.value_standards import dictionary_rows
from custview_pipeline.contracts.yaml_text import suggest
from custview_pipeline.demo.world import generate
from custview_pipeline.flows.export import (
    Export,
    export_crosswalk,
    export_edges,
    export_golden,
    export_issues,
    export_quality,
    export_quality_history,
)
from custview_pipeline.flows.judge import judge
from custview_pipeline.flows.portrait import portray
from custview_pipeline.flows.portrait import reveal as reveal_values
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import ProjectInvalid, UnknownCustomer
from custview_pipeline.kernel.identifiers import Cuid, parse_cuid
from custview_pipeline.kernel.silent_process import silence_process
from custview_pipeline.protection.permission import Act, Wish

app = typer.Typer(
    rich_markup_mode="markdown",  # in the other mode a paragraph is broken where its source line is
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="One trusted view of each customer, with no readable personal data at rest.",
    epilog="Exit codes: 0 good; 1 the run failed or a blocking check failed; 2 the command, the project or a contract is wrong; "
    "3 rulebook diff: something would change.",
)


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
    with told_errors():
        print_demo(generate(directory, records=records, seed=seed))


@app.command(epilog="Example: custview init my-project --from exports/customers.csv")
def init(
    directory: Annotated[Path, typer.Argument(help="Where to write the project.")],
    *,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            readable=True,
            show_default=False,
            help="CSV, JSON lines, Parquet or Excel file of your own, to draft its contract from; it stays where it is.",
        ),
    ] = None,
) -> None:
    """Write a new project: custview.yaml, a contract to start from, a rulebook.

    With --from the contract describes your file: what each column means and how sure that is stands in its comments. In a project
    that is there already only the contract is added.
    """
    with told_errors():
        console = results()
        for path in draft_project(directory, source) if source else write_project(directory):
            console.print(f"wrote {escape(str(path))}")
        if source:
            console.print(f"{escape(str(source))} stays where it is, the contract refers to it; no value of it was written")
        described = "look over the contract" if source else "describe your source in the contract"
        region = load_project(directory).region
        console.print(f"what names no country is read as of {region}: the region in {escape(str(directory / PROJECT_FILE))}")
        console.print(f"next: {described}, then custview run --project {escape(str(directory))}")


@app.command(epilog="Example: custview validate new.csv --contract my-project/contracts/crm.odcs.yaml")
def validate(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="The file to judge; else what the contract's server holds.", exists=True, dir_okay=False, show_default=False
        ),
    ] = None,
    *,
    contract: Annotated[
        Path, typer.Option("--contract", "-c", metavar="FILE", help="The contract it should keep.", exists=True, dir_okay=False)
    ],
    project: Annotated[
        Path | None,
        typer.Option(
            "--project", "-p", help="Project whose region holds; else the one that the contract is in.", show_default=False
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Judge a file, or what the source holds, as a delivery would be judged, and store nothing.

    Rows are judged as if the source were new: all of them, and no record is known. Exit code 1 where the gate would refuse the
    delivery or a rule of severity error is broken.
    """
    with told_errors(), settings.secrets_withheld():
        described, region = load_contract(contract), region_for(contract, project)
        source = one_file(file, described) if file else open_source(project or project_around(contract), described)
        with LiveProgress() as progress:
            trial = judge(described, source, region, workers=settings.worker_count(), progress=progress)
        if as_json:
            results().print(trial_as_json(trial), soft_wrap=True, markup=False)
        else:
            print_trial(trial, region)
    raise typer.Exit(0 if trial.is_good else FAILED)


@app.command(epilog="Example: custview run --project my-project --source crm --whole")
def run(
    project: ProjectOption = None,
    *,
    source: Annotated[str | None, typer.Option("--source", "-s", help="Take in this source alone.", show_default=False)] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Compare, match and check everything, not what changed alone; as every night.")
    ] = False,
) -> None:
    """Run the main job: take in every source, match, elect golden records, build views, audit.

    It is the job ``refresh`` of the Dagster UI, run here and recorded there.
    """
    with told_errors(), settings.secrets_withheld():
        directory = _directory(project)
        opened = load_project(directory)
        _refuse_unknown(source, opened)
        from custview_pipeline.launch import refresh  # noqa: PLC0415 -- Dagster takes seconds to load; other commands do without

        with LiveProgress() as progress:
            is_good = refresh(opened, progress, source=source, is_whole=whole)
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
    with told_errors():
        directory = _directory(project)
        load_project(directory)
        from custview_pipeline.launch import serve  # noqa: PLC0415 -- see run

        messages().print(f"starting the UI at http://{host}:{port}; Ctrl-C ends it and the daemon", soft_wrap=True)
        code = serve(directory, host=host, port=port, say=lambda line: messages().print(escape(line), soft_wrap=True))
    raise typer.Exit(code)


@app.command(epilog='Example: custview show CUQM8403JRZBQKMZVAM --reveal --as ada --reason "customer asked for a copy"')
def show(  # noqa: PLR0913 -- each is an option of the command
    cuid: Annotated[str, typer.Argument(metavar="CUID", help="Customer id; case and dashes are free.", show_default=False)],
    project: ProjectOption = None,
    *,
    as_of: AsOfOption = None,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show what access.yaml lets you see in full; logged.")] = False,
    user: AsOption = None,
    purpose: PurposeOption = None,
    reason: ReasonOption = "",
) -> None:
    """Print one customer: each value, masked, with its source and why it won; now, or as it was at any moment.

    What was erased since is gone from every earlier time too, and is said to be.
    """
    with told_errors():
        known = _parse(cuid)
        opened, keyring = open_project(project)
        in_full: tuple[str, ...] = ()
        if reveal:
            what = f"show {known}" if as_of is None else f"show {known} as of {as_of:%Y-%m-%dT%H:%M:%S}"
            in_full = log_reveal(opened, keyring, what, Wish(Act.SHOW), Said(user, purpose, reason)).full
        snapshot = DeltaLake(opened.lake, keyring).snapshot()
        print_portrait(portray(snapshot, keyring, known, in_full=in_full, as_of=as_of))


@app.command(
    epilog="Example: custview reveal CUQM8403JRZBQKMZVAM --field email --field phone --as ada --purpose customer_request "
    '--reason "asked for a copy, ticket 4711"'
)
def reveal(  # noqa: PLR0913 -- each is an option of the command
    cuid: Annotated[str, typer.Argument(metavar="CUID", help="Customer id; case and dashes are free.", show_default=False)],
    project: ProjectOption = None,
    *,
    fields: Annotated[
        list[str],
        typer.Option("--field", "-f", metavar="FIELD", help="Attribute to reveal; may be repeated.", show_default=False),
    ],
    reason: ReasonOption,
    user: AsOption = None,
    purpose: PurposeOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Print some values of one customer, as access.yaml lets you see them: in full or masked.

    Who asked, what for and why is in the access log before the first value is opened; what is denied is logged too.
    """
    with told_errors():
        known, wanted = _parse(cuid), _golden(fields)
        opened, keyring = open_project(project)
        grant = log_reveal(opened, keyring, f"reveal {known}", Wish(Act.REVEAL, wanted), Said(user, purpose, reason))
        values = reveal_values(DeltaLake(opened.lake, keyring).snapshot(), keyring, known, wanted, in_full=grant.full)
        if as_json:
            results().print(revealed_as_json(known, values), soft_wrap=True, markup=False)
        else:
            print_revealed(known, values)


@app.command(epilog="Example: custview export crosswalk --format parquet --output crosswalk.parquet")
def export(  # noqa: PLR0913 -- each is an option of the command
    what: Annotated[Export, typer.Argument(help="Which table.")],
    project: ProjectOption = None,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")],
    table_format: Annotated[
        TableFormat | None,
        typer.Option("--format", "-f", help="Format of the file; else by its ending, else csv.", show_default=False),
    ] = None,
    reveal: Annotated[bool, typer.Option("--reveal", help="golden: what access.yaml lets you see in full; logged.")] = False,
    user: AsOption = None,
    purpose: PurposeOption = None,
    reason: ReasonOption = "",
) -> None:
    """Write a table to a file: crosswalk, edges, golden records (masked), warnings, quality scores or their history."""
    with told_errors():
        if reveal and what is not Export.GOLDEN:
            raise ProjectInvalid(f"--reveal is for golden records; {what} holds no sealed value")
        opened, keyring = open_project(project)
        snapshot = DeltaLake(opened.lake, keyring).snapshot()
        in_full: tuple[str, ...] = ()
        if reveal:
            in_full = log_reveal(opened, keyring, "export golden", Wish(Act.EXPORT), Said(user, purpose, reason)).full
        frame = {
            Export.CROSSWALK: lambda: export_crosswalk(snapshot),
            Export.EDGES: lambda: export_edges(snapshot),
            Export.GOLDEN: lambda: export_golden(snapshot, keyring, in_full=in_full),
            Export.ISSUES: lambda: export_issues(snapshot),
            Export.QUALITY: lambda: export_quality(snapshot),
            Export.QUALITY_HISTORY: lambda: export_quality_history(snapshot),
        }[what]()
        write_table(frame, output, table_format or format_of(output))
        messages().print(f"wrote {frame.height:,} rows to {escape(str(output))}")


@app.command(epilog="Example: custview dictionary phone")
def dictionary(
    attribute: Annotated[str | None, typer.Argument(help="One attribute, in full; else all of them.", show_default=False)] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Print the dictionary of attributes: what contracts may say that a column means, and what its values keep."""
    with told_errors():
        rows = [row for row in dictionary_rows() if attribute in {None, row["name"]}]
        if not rows:
            known = (row["name"] for row in dictionary_rows())
            raise ProjectInvalid(f"no attribute {attribute!r}{suggest(attribute or '', known)}")
        if as_json:
            results().print(json.dumps(rows, ensure_ascii=False, indent=1), soft_wrap=True, markup=False)
        elif attribute is None:
            print_dictionary(rows)
        else:
            print_attribute(rows[0])


app.command(epilog=erase.EPILOG)(erase.erase)
app.command(epilog=explain.EPILOG, context_settings=explain.CONTEXT)(explain.explain)
app.command("evaluate", epilog=evaluate.EPILOG)(evaluate.evaluate_customers)
app.command(epilog=changes.EPILOG)(changes.changes)
app.command(epilog=receipt.EPILOG)(receipt.receipt)
app.command(epilog=history.EPILOG)(history.diff)
app.command(epilog=upkeep.EPILOG)(upkeep.compact)
app.command(epilog=sample_review.EPILOG)(sample_review.sample_review)
app.add_typer(deliveries.app, name="deliveries")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(review.app, name="review")
app.add_typer(keys.app, name="keys")
app.add_typer(access.app, name="access")
app.add_typer(model.app, name="model")
app.add_typer(cuid.app, name="cuid")
app.add_typer(rulebook.app, name="rulebook")


def main() -> None:
    """Run the command line; an error that no command tells of is told by kind and place."""
    silence_process()
    typer.main.get_command(app)()  # called itself, ``app`` would put typer's own hook for such errors in the place of ours


def _directory(given: Path | None) -> Path:
    """Return the current project's directory; the demo is made where it is meant and absent."""
    directory = find_project(given)
    if is_missing_demo(directory):
        print_demo(generate(directory))
    return directory


def _refuse_unknown(source: str | None, project: Project) -> None:
    known = [contract.source_system for contract in project.contracts]
    if source is not None and source not in known:
        raise ProjectInvalid(f"no source {source!r} in this project{suggest(source, known)}")


def _parse(cuid: str) -> Cuid:
    try:
        return parse_cuid(cuid)
    except UnknownCustomer as error:
        raise ProjectInvalid(str(error)) from None


def _golden(names: list[str]) -> tuple[str, ...]:
    for name in names:
        if name not in GOLDEN_ATTRIBUTES:
            raise ProjectInvalid(f"no attribute {name!r} of a customer{suggest(name, GOLDEN_ATTRIBUTES)}")
    return tuple(dict.fromkeys(names))
