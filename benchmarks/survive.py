"""What survivorship costs: golden records with their lineage for all customers, and for some that a change touched.

    python benchmarks/survive.py --rows 1000000 --touched 1000 --keep FOLDER

A generated world is taken in and linked once; with --keep its lake stays for the next run. Each measure then runs in a fresh
process on a copy of the lake, commits included: the first elections of all customers, a whole run in which nothing changed, the
elections of customers whose records say something else than before, and those of customers about whom a steward decided.
``--rulebook`` measures another rulebook than the default one. The budget is that of the design.
"""

import argparse
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import polars as pl
from meter import Meter, Taken, in_own_process
from our_matching import keyring_of
from refresh import READY, Store, copied, generate_world, run_source
from rich.console import Console
from rich.table import Table

from custview_pipeline.adapters.delta_lake import DeltaLake, LakeWriter
from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.contracts.project import Project
from custview_pipeline.contracts.rulebook import Rulebook, parse_rulebook
from custview_pipeline.contracts.stewardship_tables import BY_STEWARD, PIN
from custview_pipeline.flows.decisions import add_decisions
from custview_pipeline.flows.link import link
from custview_pipeline.flows.survive import Survival, survive
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline.protection.wrapped_keys import Purpose

STAGE, RUN = "survive", "benchmark"
RECORDS_OF_BUDGET, CPU_OF_ALL, GIB_OF_ALL, CUSTOMERS_OF_BUDGET, CPU_OF_TOUCHED = 1_000_000, 8.0, 2.0, 1_000, 1.5
ALL, AGAIN, CHANGED, DECIDED = "all, first", "all again", "by records", "by decisions"


class Asked(NamedTuple):
    """What is measured: how many customers are touched, how, and under which rulebook (its text; None: the default one)."""

    kind: str
    touched: int
    rulebook: str | None


def prepare(store: Store) -> None:
    """Take a world in and link it."""
    project, keyring, meter = load_project(store.world), keyring_of(store.keys.parent), Meter()
    _, id_key = keyring.current(Purpose.ID)
    with DeltaLake(store.lake, keyring).writer() as lake:
        for contract in project.contracts:
            run_source(meter, project, keyring, lake, contract.source_system, run_id=RUN)
        link(lake, project.rulebook, id_key, run_id=RUN, progress=Unwatched(), contracts=project.contracts)


def elect_first(store: Store, rulebook: str | None) -> tuple[Taken, Survival]:
    """Elect for all customers of a lake; nothing else has been read in this process."""
    project, keyring, meter = load_project(store.world), keyring_of(store.keys.parent), Meter()
    with DeltaLake(store.lake, keyring).writer() as lake:
        survival = meter.measure(STAGE, lambda: _survive(lake, project, rulebook))
    return meter.stages[STAGE], survival


def elect_again(store: Store, asked: Asked) -> tuple[Taken, Survival]:
    """Elect once more in a lake that has golden records, after some of its customers were touched, or for all."""
    project, keyring, meter = load_project(store.world), keyring_of(store.keys.parent), Meter()
    with DeltaLake(store.lake, keyring).writer() as lake:
        if asked.kind in TOUCH:
            TOUCH[asked.kind](lake, asked.touched)
        survival = meter.measure(STAGE, lambda: _survive(lake, project, asked.rulebook, is_whole=asked.kind == AGAIN))
    return meter.stages[STAGE], survival


def _survive(lake: LakeWriter, project: Project, rulebook: str | None, *, is_whole: bool = False) -> Survival:
    rules = Rulebook() if rulebook is None else parse_rulebook(rulebook, file="rulebook.yaml")
    return survive(lake, project.contracts, rules, run_id=RUN, progress=Unwatched(), is_whole=is_whole)


def touch_records(lake: LakeWriter, count: int) -> None:
    """Give one record of each of so many customers a new version that claims what its former one did, a day later."""
    snapshot, chosen = lake.snapshot(), one_record_each(lake, count)
    is_theirs = pl.col("record_id").is_in(chosen["record_id"].implode())
    records = snapshot.read("protected_records", where=is_theirs)
    later = records.with_columns(pl.col("version") + 1, pl.col("updated_at").dt.offset_by("1d"))
    with lake.commit(RUN) as commit:
        commit.append("protected_records", later.with_columns(valid_from_at=pl.lit(datetime.now(UTC))).cast(records.schema))
        claims = snapshot.read_index("claims").filter(is_theirs)
        generation = snapshot.index_generations()[0] or ""  # a lake that was linked has one
        commit.add_index("claims", claims.with_columns(pl.col("version") + 1), generation=generation)


def touch_by_decisions(lake: LakeWriter, count: int) -> None:
    """Pin an attribute of so many customers to one of their records."""
    chosen = one_record_each(lake, count).select("record_id", attribute=pl.lit("phone"), decision=pl.lit(PIN))
    said = chosen.with_columns(decided_by=pl.lit("benchmark"), decided_at=pl.lit(datetime.now(UTC)), origin=pl.lit(BY_STEWARD))
    add_decisions(lake, said, RUN)


TOUCH: dict[str, Callable[[LakeWriter, int], None]] = {CHANGED: touch_records, DECIDED: touch_by_decisions}


def one_record_each(lake: LakeWriter, count: int) -> pl.DataFrame:
    """Return record_id, cuid of one record of so many customers, spread over all."""
    owners = lake.snapshot().read("crosswalk", ["record_id", "cuid"]).drop_nulls("cuid").sort("cuid", "record_id")
    first = owners.unique("cuid", keep="first", maintain_order=True)
    return first.gather_every(max(1, first.height // count)).head(count)


def measure(store: Store, work: Path, asked: Asked) -> None:
    """Run all measures and print what they took."""
    table = Table("measure", "CPU s", "wall s", "GiB", "budget", "versions", "candidates")
    voted = copied(store, work)
    taken, survival = in_own_process(elect_first, voted, asked.rulebook)
    share = survival.golden_count and asked.touched / CUSTOMERS_OF_BUDGET
    size = load_size(voted) / RECORDS_OF_BUDGET
    add(table, ALL, taken, survival, budget=CPU_OF_ALL * size)
    for kind, budget in ((AGAIN, None), (CHANGED, CPU_OF_TOUCHED * share), (DECIDED, CPU_OF_TOUCHED * share)):
        taken, survival = in_own_process(elect_again, copied(voted, work / "again"), asked._replace(kind=kind))
        add(table, kind, taken, survival, budget=budget)
    console = Console()
    console.print(table)
    console.print(f"the budget of memory is {GIB_OF_ALL} GiB; that of the touched is for {asked.touched:,} customers")


def load_size(store: Store) -> int:
    """Return how many records a lake holds."""
    snapshot = DeltaLake(store.lake, keyring_of(store.keys.parent)).snapshot()
    return snapshot.read("protected_records", ["record_id"])["record_id"].n_unique()


def add(table: Table, measure_name: str, taken: Taken, survival: Survival, *, budget: float | None) -> None:
    told = f"{survival.changed_count:,}", f"{survival.candidate_count:,}"
    limit = "" if budget is None else f"{budget:.2f}"
    table.add_row(measure_name, f"{taken.cpu:.2f}", f"{taken.wall:.2f}", f"{taken.peak:.2f}", limit, *told)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="source records over all four systems")
    parser.add_argument("--touched", type=int, default=1_000, help="customers that a change touches")
    parser.add_argument("--rulebook", type=Path, help="a rulebook whose survivorship rules are measured")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for the lake, which stays there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.keep or Path(temporary)) / f"survive-{options.rows}-{options.seed}"
        store = Store(folder / "world", folder / "lake", folder / "keys")
        if not (folder / READY).exists():
            shutil.rmtree(folder, ignore_errors=True)
            in_own_process(generate_world, store.world, options.rows, options.seed)
            in_own_process(prepare, store)
            (folder / READY).touch()
        rulebook = None if options.rulebook is None else options.rulebook.read_text(encoding="utf-8")
        measure(store, Path(temporary) / "work", Asked(ALL, options.touched, rulebook))


if __name__ == "__main__":
    main()
