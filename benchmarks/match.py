"""This project beside Splink 5 on the same files in one run: accuracy, CPU seconds by phase, peak memory.

    python benchmarks/match.py --rows 100000 --seed 7
    python benchmarks/match.py PROJECT ...

A project is any project directory with a truth.csv (source_system, source_key, entity); the generated world by default. Each side
runs in processes of its own. CPU counts all threads and ended children; memory is resident, sampled. Ours is given at the
shipped thresholds, Splink at 0.95 and at the threshold that happens to score best on this truth. Splink comes with the extra
`benchmarks`, or from an environment of its own (--splink-python); without it the table shows ours alone. Read ratios, not
seconds.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl
from meter import Taken, in_own_process
from our_matching import match_index, take_in
from plain_project import write_plain
from rich.console import Console
from rich.table import Table

from custview_pipeline.audit.agreement import Agreement, agreement
from custview_pipeline.demo.world import TRUTH_FILE, generate

SPLINK_NEEDS = ("splink", "duckdb", "polars", "psutil", "phonenumbers", "usaddress", "pypinyin", "nicknames", "names")
SPLINK_THRESHOLD = 0.95
SHIPPED = "shipped"
WIDTH = 150  # a pipe has none
KEY = ["source_system", "source_key"]
HOW_TO_INSTALL = (
    "Splink is not installed: pip install -c constraints.txt -e '.[benchmarks]', or name a Python that has it (--splink-python)"
)


@dataclass(frozen=True, slots=True)
class Side:
    """What one of the two did.

    Attributes:
        stages: What each phase took; ours: take in (files to the stored index), read (the index), match (with the trained model),
            first match (learning it), train (within that).
        accuracy: At which threshold, how well.
        pairs: Pairs compared (ours), pairs scored and kept (Splink).
    """

    stages: dict[str, Taken]
    accuracy: dict[str, Agreement]
    pairs: int

    @property
    def best(self) -> str:
        """Return the threshold with the best B-cubed F1."""
        return max(self.accuracy, key=lambda threshold: self.accuracy[threshold].b3_f1)


def score(truth: pl.DataFrame, clusters: pl.DataFrame) -> Agreement:
    """Score clusters (source_system, source_key, cluster); a record that they lack is a customer of its own."""
    joined = truth.join(clusters, on=KEY, how="left").with_row_index("row")
    label = pl.coalesce(pl.lit("c") + pl.col("cluster").cast(pl.String), pl.lit("m") + pl.col("row").cast(pl.String))
    return agreement(joined.select("entity", cluster=label))


def our_side(project: Path, truth: pl.DataFrame, folder: Path) -> Side:
    """Take a project in, match it with models learned from it, and again with these models; each in a process of its own."""
    taken_in = in_own_process(take_in, project, folder)
    first = in_own_process(match_index, project, folder, None)
    again = in_own_process(match_index, project, folder, first.known)
    train = first.stages.get("train", Taken(0.0, 0.0, 0.0))
    stages = {"take in": taken_in, "train": train, "first match": first.stages["match"], **again.stages}
    accuracy = {SHIPPED: score(truth, first.clusters), "with the trained model": score(truth, again.clusters)}
    return Side(stages, accuracy, again.compared_count)


def splink_side(python: str, project: Path, truth: pl.DataFrame, folder: Path) -> Side:
    """Run Splink on the plain files of a project, in a process of its own."""
    plain, out = folder / "plain", folder / "splink"
    write_plain(project, plain)
    script = Path(__file__).with_name("splink_baseline.py")
    subprocess.run([python, script, plain, out], check=True)  # noqa: S603 -- our script, by the Python that the user names
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    found = pl.read_parquet(out / "clusters.parquet").partition_by("threshold", as_dict=True, include_key=False)
    accuracy = {str(threshold): score(truth, clusters) for (threshold,), clusters in found.items()}
    return Side({stage: Taken(*taken) for stage, taken in report["stages"].items()}, accuracy, report["pairs"])


def has_splink(python: str) -> bool:
    """Tell whether this Python has all that the baseline imports."""
    probe = f"import sys, importlib.util as u; sys.exit(any(u.find_spec(m) is None for m in {SPLINK_NEEDS!r}))"
    return subprocess.run([python, "-c", probe], check=False).returncode == 0  # noqa: S603 -- as above


def accuracy_of(ours: Side, splink: Side | None) -> Table:
    """Return how well the two sides did."""
    table = Table("", title="accuracy", title_justify="left")
    columns = {"ours": ours.accuracy[SHIPPED]}
    if splink:
        columns |= {f"Splink {each}": splink.accuracy[each] for each in (str(SPLINK_THRESHOLD), splink.best)}
    for heading in columns:
        table.add_column(heading, justify="right")
    for label, name in (("pairwise", ""), ("B-cubed", "b3_")):
        for measure in ("precision", "recall", "f1"):
            cells = (f"{getattr(score, name + measure):.4f}" for score in columns.values())
            table.add_row(f"{label} {measure.replace('f1', 'F1')}", *cells)
    table.add_row("customers", *(f"{score.cluster_count:,}" for score in columns.values()))
    table.add_row("largest of them, records", *(f"{score.largest_cluster:,}" for score in columns.values()))
    return table


def cost_of(ours: Side, splink: Side | None) -> Table:
    """Return what the two sides took, by phase."""
    table = Table("", "our phases", title="cost", title_justify="left")
    if splink:
        table.add_column("Splink's phases")
    sides = [("our ", ours), *((("Splink ", splink),) if splink else ())]
    for name, _ in sides:
        for unit in ("CPU s", "wall s", "GiB"):
            table.add_column(f"{name}{unit}", justify="right")
    for label, *phases in PHASES:
        theirs = [" + ".join(phases[1])] if splink else []
        cells = [cell for (_, side), stages in zip(sides, phases, strict=False) for cell in _taken(side, stages)]
        table.add_row(label, " + ".join(phases[0]), *theirs, *cells)
    return table


# What is named, our stages, Splink's stages.
PHASES: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("prepare", ("take in",), ("standardise",)),
    ("train", ("train",), ("train",)),
    ("match", ("read", "match"), ("predict", "cluster")),
    ("train and match", ("read", "first match"), ("train", "predict", "cluster")),
)


def _taken(side: Side, stages: tuple[str, ...]) -> tuple[str, str, str]:
    taken = [side.stages[stage] for stage in stages]
    cpu, wall, peak = sum(t.cpu for t in taken), sum(t.wall for t in taken), max(t.peak for t in taken)
    return f"{cpu:.1f}", f"{wall:.1f}", f"{peak:.2f}"


def as_json(project: str, records: int, ours: Side, splink: Side | None) -> str:
    """Return the two sides as one line of JSON."""
    sides = {"ours": asdict(ours), "splink": asdict(splink) if splink else None}
    for side in filter(None, sides.values()):
        side["stages"] = {stage: Taken(*taken)._asdict() for stage, taken in side["stages"].items()}
    return json.dumps({"project": project, "records": records, **sides})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("projects", type=Path, nargs="*", help="project directories with a truth.csv")
    parser.add_argument("--rows", type=int, default=100_000, help="records of the generated world, where no project is given")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--splink-python", default=sys.executable, help="Python of an environment that has Splink 5")
    parser.add_argument("--ours-alone", action="store_true", help="leave Splink out")
    parser.add_argument("--json", action="store_true", help="print a JSON line for each project instead of a table")
    options = parser.parse_args()
    console = Console(width=WIDTH)
    is_compared = not options.ours_alone and has_splink(options.splink_python)
    if not (is_compared or options.ours_alone):
        print(HOW_TO_INSTALL, file=sys.stderr)
    with tempfile.TemporaryDirectory() as temporary:
        projects = options.projects or [Path(temporary) / f"generated world, seed {options.seed}"]
        if not options.projects:
            generate(projects[0], records=options.rows, seed=options.seed)
        for number, project in enumerate(projects):
            truth = pl.read_csv(project / TRUTH_FILE, infer_schema=False).unique([*KEY, "entity"], maintain_order=True)
            folder = Path(temporary) / str(number)
            ours = our_side(project, truth, folder)
            splink = splink_side(options.splink_python, project, truth, folder) if is_compared else None
            compared = (project.resolve().name, truth.height, ours, splink)
            if options.json:
                print(as_json(*compared))
            else:
                console.print(
                    f"[bold]{compared[0]}: {truth.height:,} records[/bold]", accuracy_of(ours, splink), cost_of(ours, splink)
                )


if __name__ == "__main__":
    main()
