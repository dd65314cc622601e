"""The command ``custview evaluate``: how good the customers are, by a truth that somebody knows or by what people decided."""

from pathlib import Path
from typing import Annotated, Final, NamedTuple

import polars as pl
import typer
from rich.markup import escape

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.written_rows import read_rows
from custview_pipeline.adapters.written_tables import TableFormat, write_table
from custview_pipeline.cli.entry import ProjectOption, open_project, told_errors
from custview_pipeline.cli.evaluate_decisions import Asked, evaluate_decisions
from custview_pipeline.cli.evaluate_pages import evaluation_as_json, print_evaluation
from custview_pipeline.cli.progress import LiveProgress
from custview_pipeline.cli.terminal import messages, results
from custview_pipeline.cli.threshold_plot import assert_can_plot, write_plot
from custview_pipeline.contracts.project import Project
from custview_pipeline.flows.evaluate import TRUTH_COLUMNS, Truth, evaluate, find_truth, threshold_curve
from custview_pipeline.flows.reclustering import reclustering
from custview_pipeline.flows.weighing import scales_of
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.protection.wrapped_keys import Purpose

EPILOG: Final = "Example: custview evaluate --truth truth.csv --worst 10 --curve curve.csv --plot curve.png"
_MOST_THRESHOLDS: Final = 200


class _Curve(NamedTuple):
    """What is asked of the threshold curve: where to write it, and its thresholds."""

    table: Path | None
    plot: Path | None
    thresholds: tuple[float, ...]


class _Truth(NamedTuple):
    """The truth, how many of the worst to name, and whether to print JSON."""

    file: Path
    rows: pl.DataFrame
    worst: int
    as_json: bool


def evaluate_customers(  # noqa: PLR0913 -- each is an option of the command
    project: ProjectOption = None,
    *,
    truth: Annotated[
        Path | None,
        typer.Option(
            "--truth",
            metavar="FILE",
            help="CSV: source_system, source_key, entity of each record.",
            exists=True,
            dir_okay=False,
            show_default=False,
        ),
    ] = None,
    decisions: Annotated[
        bool, typer.Option("--decisions", help="Hold model and rules against what people decided, in the place of a truth.")
    ] = False,
    rulebook: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="decisions: try this rulebook.", exists=True, dir_okay=False, show_default=False),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="FILE|VERSION", help="decisions: try the models of a file, or a stored one.", show_default=False),
    ] = None,
    at_least: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            min=0.0,
            max=1.0,
            help="decisions: exit 1 where a smaller share, 0 to 1, comes out; else where fewer do than with what is in use.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="decisions: how many that do not come out to list.")] = 20,
    source_column: Annotated[str, typer.Option(metavar="NAME", help="Column of the source system.")] = "source_system",
    key_column: Annotated[str, typer.Option(metavar="NAME", help="Column of the record's key in it.")] = "source_key",
    entity_column: Annotated[str, typer.Option(metavar="NAME", help="Column of who it is.")] = "entity",
    worst: Annotated[int, typer.Option(min=0, help="Largest customers, worst merges and worst splits to name, each.")] = 5,
    curve: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the scores at other thresholds to this CSV file.", show_default=False),
    ] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw them in this PNG file.", show_default=False)] = None,
    lowest: Annotated[float, typer.Option(metavar="BITS", help="Lowest threshold of the curve.")] = -4.0,
    highest: Annotated[float, typer.Option(metavar="BITS", help="Highest threshold of the curve.")] = 20.0,
    step: Annotated[float, typer.Option(metavar="BITS", help="From one threshold of the curve to the next.")] = 0.5,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Score the customers against a truth: pairs and records, by source and entity type, and where they are worst.

    With --curve or --plot the records are clustered anew at other thresholds, with the model in use; nothing is stored.

    With --decisions every decision of a person is a case: records are matched and values elected without any decision, and each
    case says whether that comes to what was decided. So a rulebook or a model is tried before it goes live.
    """
    with told_errors():
        code = 0
        if _is_about_decisions(truth, (curve, plot), (rulebook, model, at_least), is_asked=decisions):
            code = evaluate_decisions(project, Asked(rulebook, model, at_least, limit, as_json))
        elif truth is not None:
            wanted = _Curve(curve, plot, _thresholds(lowest, highest, step))
            if plot is not None:
                assert_can_plot()
            rows = _read_truth(truth, (source_column, key_column, entity_column))
            _evaluate_truth(project, _Truth(truth, rows, worst, as_json), wanted)
    raise typer.Exit(code)


def _is_about_decisions(truth: Path | None, written: tuple[object, ...], tried: tuple[object, ...], *, is_asked: bool) -> bool:
    """Return whether decisions are what the customers are held against.

    Raises:
        ProjectInvalid: Neither a truth nor decisions are asked for, or both, or options of the one with the other.
    """
    if is_asked == (truth is not None):
        raise ProjectInvalid("say what the customers are held against: --truth FILE or --decisions")
    if is_asked and any(each is not None for each in written):
        raise ProjectInvalid("--curve and --plot go with --truth")
    if not is_asked and any(each is not None for each in tried):
        raise ProjectInvalid("--rulebook, --model and --at-least go with --decisions")
    return is_asked


def _evaluate_truth(project: Path | None, asked: _Truth, wanted: _Curve) -> None:
    opened, keyring = open_project(project)
    snapshot = DeltaLake(opened.lake, keyring).snapshot()
    found = find_truth(snapshot, keyring.current(Purpose.ID)[1], asked.rows, file=str(asked.file))
    evaluation = evaluate(found, worst=asked.worst)
    if asked.as_json:
        results().print(evaluation_as_json(evaluation), soft_wrap=True, markup=False)
    else:
        print_evaluation(evaluation)
    if wanted.table is not None or wanted.plot is not None:
        _write_curve(opened, snapshot, found, wanted)


def _read_truth(file: Path, names: tuple[str, str, str]) -> pl.DataFrame:
    if len(set(names)) < len(names):
        raise ProjectInvalid("--source-column, --key-column and --entity-column should name three columns")
    options = "; --source-column, --key-column and --entity-column name other columns"
    return read_rows(file, names, names=TRUTH_COLUMNS, option=options)


def _thresholds(lowest: float, highest: float, step: float) -> tuple[float, ...]:
    """Return the thresholds of the curve, in bits."""
    if not (step > 0 and highest >= lowest and (highest - lowest) / step < _MOST_THRESHOLDS):
        raise ProjectInvalid(
            f"--lowest, --highest and --step should make 1 to {_MOST_THRESHOLDS} thresholds, from a lower to a higher one"
        )
    count = int((highest - lowest) / step + 1e-9) + 1  # the last one belongs to it, though steps such as 0.1 are not exact
    return tuple(round(lowest + place * step, 6) for place in range(count))


def _write_curve(opened: Project, snapshot: Snapshot, truth: Truth, wanted: _Curve) -> None:
    with LiveProgress() as progress:
        scales = scales_of(snapshot, opened.rulebook, opened.contracts)
        scores = threshold_curve(truth, wanted.thresholds, reclustering(scales, progress))
    if wanted.table is not None:
        write_table(scores, wanted.table, TableFormat.CSV)
        messages().print(f"wrote {scores.height:,} thresholds to {escape(str(wanted.table))}", soft_wrap=True)
    if wanted.plot is not None:
        write_plot(scores, wanted.plot, shipped=opened.rulebook.matching.match_weight)
        messages().print(f"drew them in {escape(str(wanted.plot))}", soft_wrap=True)
