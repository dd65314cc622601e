"""What each idea of the matcher gives: B-cubed scores and CPU with one idea left out at a time.

    python benchmarks/ablation.py --rows 100000 PROJECT ...

Each project (a generated world besides, unless --rows 0) is taken in once; then its stored index is matched, learning the model,
in a fresh process for every line of the table.
"""

import argparse
import json
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import polars as pl
from ideas import AS_SHIPPED, IDEAS, Inputs
from match import KEY, score
from meter import Meter, Taken, in_own_process
from our_matching import read_index, take_in
from rich.console import Console
from rich.table import Table

from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.audit.agreement import Agreement
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.demo.world import TRUTH_FILE, generate
from custview_pipeline.flows.match_state import settings_of
from custview_pipeline.matching.match import match


class Outcome(NamedTuple):
    """What matching without one idea gave; CPU and memory of matching and training, the index read."""

    accuracy: Agreement
    taken: Taken
    pairs: int


def without(idea: str, store: Path, rulebook: Rulebook, truth: pl.DataFrame) -> Outcome:
    """Match the index of a lake without one idea; for a process of its own, as it changes the matcher."""
    index = read_index(store)
    given = IDEAS[idea](Inputs(index.tokens, index.neighbourhoods, settings_of(rulebook)))
    meter = Meter()
    found = meter.measure("match", lambda: match(*given, lambda *_: None))
    assigned = pl.concat([part.clusters for part in found]).join(index.records, on="record_id")
    return Outcome(score(truth, assigned), meter.stages["match"], sum(part.compared_count for part in found))


def shown(project: str, outcomes: Mapping[str, Outcome]) -> Table:
    headings = ("", "precision", "recall", "B-cubed F1", "change", "pairwise F1", "pairs compared", "CPU s")
    table = Table(title=project, title_justify="left")
    for heading in headings:
        table.add_column(heading, justify="right" if heading else "left")
    base = outcomes[AS_SHIPPED].accuracy.b3_f1
    for idea, (found, taken, pairs) in outcomes.items():
        scores = (found.b3_precision, found.b3_recall, found.b3_f1)
        change = f"{found.b3_f1 - base:+.4f}" if idea != AS_SHIPPED else ""
        cells = (*(f"{each:.4f}" for each in scores), change, f"{found.f1:.4f}", f"{pairs:,}", f"{taken.cpu:.1f}")
        table.add_row(idea, *cells)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("projects", type=Path, nargs="*", help="project directories with a truth.csv")
    parser.add_argument("--rows", type=int, default=100_000, help="records of the generated world; 0: none")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ideas", nargs="+", choices=[idea for idea in IDEAS if idea != AS_SHIPPED], default=list(IDEAS))
    parser.add_argument("--json", action="store_true", help="print a JSON line for each project instead of a table")
    options = parser.parse_args()
    console = Console(width=150)
    with tempfile.TemporaryDirectory() as temporary:
        world = Path(temporary) / f"generated world, seed {options.seed}"
        if options.rows:
            in_own_process(partial(generate, records=options.rows, seed=options.seed), world)
        for number, project in enumerate([*options.projects, *([world] if options.rows else [])]):
            store, rulebook = Path(temporary) / str(number), load_project(project).rulebook
            in_own_process(take_in, project, store)
            truth = pl.read_csv(project / TRUTH_FILE, infer_schema=False).unique([*KEY, "entity"], maintain_order=True)
            ideas = dict.fromkeys([AS_SHIPPED, *options.ideas])
            outcomes = {idea: in_own_process(without, idea, store, rulebook, truth) for idea in ideas}
            if options.json:
                print(
                    json.dumps({"project": project.resolve().name, **{idea: _plain(found) for idea, found in outcomes.items()}})
                )
            else:
                console.print(shown(project.resolve().name, outcomes))


def _plain(found: Outcome) -> dict[str, float]:
    scores = {name: getattr(found.accuracy, name) for name in ("b3_precision", "b3_recall", "b3_f1", "f1")}
    return {**scores, "pairs": found.pairs, "cpu": found.taken.cpu}


if __name__ == "__main__":
    main()
