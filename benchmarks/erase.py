"""Erasing one customer, and proving it, on a generated world: CPU seconds by step.

    python benchmarks/erase.py --rows 100000

It takes in the world in this process, erases the customer with most records, and searches for it. The numbers are for comparison
within one run: read shares, not seconds.
"""

import argparse
import platform
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from custview_pipeline.adapters import delta_lake
from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.erasure_ledger import ErasureLedger
from custview_pipeline.adapters.key_files import FileKeyProvider, KeyDirectory
from custview_pipeline.adapters.lake_commit import Commit
from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.adapters.stored_files import StoredFiles
from custview_pipeline.contracts.project import Project
from custview_pipeline.demo.world import generate
from custview_pipeline.flows import erase
from custview_pipeline.flows.certificate import Holdings, certify
from custview_pipeline.flows.current import current_crosswalk
from custview_pipeline.flows.deliver import Intake, deliver
from custview_pipeline.flows.erasure_request import Stated, ask_for, choose_customer
from custview_pipeline.flows.link import link
from custview_pipeline.flows.publish import publish
from custview_pipeline.flows.survive import survive
from custview_pipeline.kernel.identifiers import Cuid
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import Purpose

RUN = "benchmark"
STEPS = (
    (erase, "find_scope", "find what is concerned"),
    (Commit, "forget_keys", "forget keys"),
    (Commit, "rewrite_index", "rewrite the match index"),
    (Commit, "remove", "remove rows"),
    (Commit, "append", "clear rows that stay"),
    (delta_lake, "purge_table", "purge former versions"),
)


def timed(spent: Counter[str], name: str, work: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``work``, with its CPU seconds added up under a name."""

    def run(*arguments: Any, **named: Any) -> Any:
        before = time.process_time()
        try:
            return work(*arguments, **named)
        finally:
            spent[name] += time.process_time() - before

    return run


def take_in(project: Project, keyring: Keyring) -> DeltaLake:
    """Run the flows of the main job on a project."""
    lake = DeltaLake(project.lake, keyring)
    with lake.writer() as writer:
        for contract in project.contracts:
            files = SourceFiles(project.directory, contract)
            deliver(Intake(contract, files, project.region, keyring.airlock_keys(), 1, RUN, Unwatched()), writer)
        link(writer, project.rulebook, keyring.current(Purpose.ID)[1], run_id=RUN, progress=Unwatched())
        survive(writer, project.contracts, project.rulebook, run_id=RUN, progress=Unwatched())
        publish(writer, run_id=RUN)
    return lake


def measure(lake: DeltaLake, keyring: Keyring, ledger: ErasureLedger) -> tuple[Counter[str], int]:
    """Erase the customer with most records and prove it; return CPU seconds by step, and how many records it had."""
    snapshot = lake.snapshot()
    sizes = current_crosswalk(snapshot).group_by("cuid").len().sort("len", "cuid", descending=True)
    chosen = choose_customer(snapshot, Cuid(sizes["cuid"][0]))
    entry = ask_for(chosen, keyring.current(Purpose.ID)[1], Stated(RUN, RUN, None), now=datetime.now(UTC))
    ledger.append(entry)
    spent: Counter[str] = Counter()
    for owner, name, what in STEPS:
        setattr(owner, name, timed(spent, what, getattr(owner, name)))
    with lake.writer() as writer:
        timed(spent, "the erasure", erase.carry_out_pending)(writer, keyring, ledger, run_id=RUN)
    holdings = Holdings(lake.snapshot(), StoredFiles(lake.root, keyring), {}, keyring)
    certificate = timed(spent, "the certificate", certify)(entry.erasure_id, holdings, ledger.lines(), (), now=datetime.now(UTC))
    if not certificate.is_proven:
        raise SystemExit("something is left")
    return spent, len(chosen.record_ids)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="source records over all four systems")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        generate(root / "world", records=options.rows, seed=options.seed)
        keyring = Keyring.open(FileKeyProvider(root / "keys"), KeyDirectory(root / "keys"))
        lake = take_in(load_project(root / "world"), keyring)
        spent, records = measure(lake, keyring, ErasureLedger(root / "keys"))
    title = f"a customer of {records} records among {options.rows:,}, {platform.machine()}"
    table = Table("step", "CPU s", title=title)
    for what in (*(what for _, _, what in STEPS), "the erasure", "the certificate"):
        table.add_row(what, f"{spent[what]:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
