"""Key rotations and a change of rules on a generated world: CPU seconds for 100,000 records, beside taking them in.

    python benchmarks/rotate.py --rows 100000

CPU counts ended workers too; memory is the resident set of the process tree, sampled. Read shares, not seconds: taking the same
records in is measured in the same run.
"""

import argparse
import os
import tempfile
from pathlib import Path

from job import RUN, Meter
from rich.console import Console
from rich.table import Table

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.key_files import FileKeyProvider, KeyDirectory
from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.demo.world import generate
from custview_pipeline.flows.deliver import Intake, deliver
from custview_pipeline.flows.renew_index import bring_up_to_date
from custview_pipeline.flows.renewal import Renewal
from custview_pipeline.flows.rotation import rotate
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import Purpose
from custview_pipeline.standardisation.standardise import RULE_SETS

_SAMPLE = 100_000


def run(directory: Path, rows: int, workers: int) -> Meter:
    """Generate a world, take it in, and make everything anew that a key or the rules are changed for."""
    meter = Meter()
    generate(directory / "world", records=rows, seed=1)
    project = load_project(directory / "world")
    keyring = Keyring.open(FileKeyProvider(directory / "keys"), KeyDirectory(directory / "keys"))
    lake = DeltaLake(project.lake, keyring)
    with lake.writer() as writer:
        for contract in project.contracts:
            files = SourceFiles(project.directory, contract)
            intake = Intake(contract, files, project.region, keyring.airlock_keys(), workers, RUN, Unwatched())
            meter.measure("take in", lambda intake=intake: deliver(intake, writer))
    for purpose in (Purpose.VAULT, Purpose.TOKEN, Purpose.INDEX):
        meter.measure(
            f"rotate {purpose}",
            lambda purpose=purpose: rotate(
                lake, keyring, project.contracts, project.region, purpose, run_id=RUN, progress=Unwatched()
            ),
        )
    RULE_SETS["names"] += "0"  # of this process only, so without workers
    renewal = Renewal(keyring, project.contracts, project.region, 1, RUN, Unwatched())
    with lake.writer() as writer:
        meter.measure("other rules", lambda: bring_up_to_date(writer, renewal))
    return meter


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=_SAMPLE, help="source records over all four systems")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes of the airlock")
    options = parser.parse_args()
    os.environ["CUSTVIEW_WORKERS"] = str(options.workers)
    with tempfile.TemporaryDirectory() as folder:
        meter = run(Path(folder), options.rows, options.workers)
    (taken_in, _, _) = meter.stages["take in"]
    table = Table(
        "what", "CPU s", f"CPU s for {_SAMPLE:,}", "of taking in", "wall s", "peak GiB", title=f"{options.rows:,} records"
    )
    for what, (cpu, wall, peak) in meter.stages.items():
        each = f"{cpu * _SAMPLE / options.rows:.2f}"
        table.add_row(what, f"{cpu:.1f}", each, f"{cpu / taken_in:.2f}", f"{wall:.1f}", f"{peak:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
