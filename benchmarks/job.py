"""The whole job by stage on a generated world: CPU seconds, wall time and peak memory, beside the budget of the design.

    python benchmarks/job.py --rows 1000000

It runs the flows of the main job in this process and its airlock workers, without Dagster. CPU counts ended workers too; memory
is the resident set of the process tree, sampled. The numbers are for comparison within one run: read shares, not seconds.
"""

import argparse
import json
import os
import platform
import tempfile
from pathlib import Path

from meter import Meter
from rich.console import Console
from rich.table import Table

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.key_files import FileKeyProvider, KeyDirectory
from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.contracts.project import Project
from custview_pipeline.demo.world import generate
from custview_pipeline.flows.assess import assess
from custview_pipeline.flows.deliver import Intake, deliver
from custview_pipeline.flows.link import link
from custview_pipeline.flows.publish import publish
from custview_pipeline.flows.survive import survive
from custview_pipeline.flows.workers import kept_workers
from custview_pipeline.kernel.ports import LakeWriter, Unwatched
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import Purpose

# CPU seconds for 1M source records, from the design's findings.
BUDGET = {"admit": 76.5, "link": 15.0, "survive": 8.0, "publish and audit": 5.0}
RUN = "benchmark"


def admit(project: Project, keyring: Keyring, lake: LakeWriter, workers: int) -> None:
    """Take in every source; the workers end with it, for their time is counted when they end."""
    with kept_workers():
        for contract in project.contracts:
            files = SourceFiles(project.directory, contract)
            deliver(Intake(contract, files, project.region, keyring.airlock_keys(), workers, RUN, Unwatched()), lake)


def run(directory: Path, rows: int, seed: int, workers: int) -> tuple[Meter, dict[str, int]]:
    """Generate a world and run the job on it."""
    meter = Meter()
    meter.measure("generate (not of the job)", lambda: generate(directory / "world", records=rows, seed=seed))
    project = load_project(directory / "world")
    keys = directory / "keys"
    keyring = Keyring.open(FileKeyProvider(keys), KeyDirectory(keys))
    _, id_key = keyring.current(Purpose.ID)
    with DeltaLake(project.lake, keyring).writer() as lake:
        meter.measure("admit", lambda: admit(project, keyring, lake, workers))
        linkage = meter.measure(
            "link", lambda: link(lake, project.rulebook, id_key, run_id=RUN, progress=Unwatched(), contracts=project.contracts)
        )
        meter.measure("survive", lambda: survive(lake, project.contracts, project.rulebook, run_id=RUN, progress=Unwatched()))
        meter.measure("publish and audit", lambda: publish(lake, run_id=RUN))
        meter.measure("publish and audit", lambda: assess(lake, project.contracts, project.rulebook, run_id=RUN))
    counts = {
        "records": linkage.record_count,
        "pairs compared": linkage.compared_count,
        "customers": linkage.customer_count,
        "largest cluster": linkage.largest_customer,
    }
    return meter, counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="source records over all four systems")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes of the airlock")
    parser.add_argument("--json", action="store_true", help="print one JSON line instead of a table")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        meter, counts = run(Path(folder), options.rows, options.seed, options.workers)
    if options.json:
        print(json.dumps({"counts": counts, "stages": meter.stages}))
        return
    table = Table("stage", "CPU s", "wall s", "peak GiB", "budget CPU s", title=f"{options.rows:,} records, {platform.machine()}")
    for stage, (cpu, wall, peak) in meter.stages.items():
        budget = f"{BUDGET[stage] * options.rows / 1_000_000:.1f}" if stage in BUDGET else ""
        table.add_row(stage, f"{cpu:.1f}", f"{wall:.1f}", f"{peak:.2f}", budget)
    job = [values for stage, values in meter.stages.items() if stage in BUDGET]
    budget = f"{sum(BUDGET.values()) * options.rows / 1_000_000:.1f}"
    cpu, wall, peak = (sum(v[0] for v in job), sum(v[1] for v in job), max(v[2] for v in job))
    table.add_row("the job", f"{cpu:.1f}", f"{wall:.1f}", f"{peak:.2f}", budget)
    console = Console()
    console.print(table)
    console.print(", ".join(f"{name} {count:,}" for name, count in counts.items()))


if __name__ == "__main__":
    main()
