"""The command ``custview evaluate``: how good the customers are, by a truth that somebody knows."""

from pathlib import Path
from typing import Annotated, Final, NamedTuple

import polars as pl
import typer
from rich.markup import escape

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.written_rows import read_rows
from custview_pipeline.adapters.written_tables import TableFormat, write_table
from custview_pipeline.cli.entry import ProjectOption, open_project, told_errors
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


def evaluate_customers(  # noqa: PLR0913 -- each is an option of the command
    project: ProjectOption = None,
    *,
    truth: Annotated[
        Path,
        typer.Option(
            "--truth", metavar="FILE", help="CSV: source_system, source_key, entity of each record.", exists=True, dir_okay=False
        ),
    ],
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
    """
    with told_errors():
        wanted = _Curve(curve, plot, _thresholds(lowest, highest, step))
        if plot is not None:
            assert_can_plot()
        names = (source_column, key_column, entity_column)
        rows = _read_truth(truth, names)
        opened, keyring = open_project(project)
        snapshot = DeltaLake(opened.lake, keyring).snapshot()
        found = find_truth(snapshot, keyring.current(Purpose.ID)[1], rows, file=str(truth))
        evaluation = evaluate(found, worst=worst)
        if as_json:
            results().print(evaluation_as_json(evaluation), soft_wrap=True, markup=False)
        else:
            print_evaluation(evaluation)
        if curve is not None or plot is not None:
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
