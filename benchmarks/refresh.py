"""What a refresh costs: some of a million records changed, by stage, beside the first run over all of them.

    python benchmarks/refresh.py --rows 1000000 --changed 1000 100000 --keep FOLDER

A generated world is taken in once; with --keep its lake stays for the next run. Of it some records are then changed, added and
deleted in one source, and the main job's flows run on a copy of the lake, without Dagster. Reading and digesting the whole
snapshot is listed apart, for it costs what the source delivers, not what changed. Matching is measured once more in a fresh
process that starts from the encrypted index. ``--repeat`` runs so many refreshes one after another and one compaction, and
tells how the lake grew; ``--deliveries`` compares so many refreshes with matching everything by the same model.
"""

import argparse
import csv
import io
import os
import random
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from large_world import generate_large
from meter import Meter, Taken, in_own_process
from our_matching import keyring_of
from rich.console import Console
from rich.table import Table

from custview_pipeline.adapters.delta_lake import DeltaLake, LakeWriter
from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.adapters.sources import open_source
from custview_pipeline.contracts.project import Project
from custview_pipeline.flows import deliver as delivering
from custview_pipeline.flows.assess import assess
from custview_pipeline.flows.current import current_crosswalk
from custview_pipeline.flows.deliver import Delivery, Intake, deliver
from custview_pipeline.flows.link import Linkage, link
from custview_pipeline.flows.publish import publish
from custview_pipeline.flows.survive import survive
from custview_pipeline.flows.upkeep import compact
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import Purpose

SOURCE = "crm"  # whose records change
READY = "ready"
READING = "read and digest the snapshot"
STAGES = ("deliver", "link", "survive", "publish", "audit")
MIB = 2**20
FIRST_KEY, SEEDS, KEYS_A_SEED = 5_000_000, 100, 40_000  # numbers that the generated world does not use
HALF = 0.5  # of the cells of a changed record become those of another one


class Store(NamedTuple):
    """A world and its lake."""

    world: Path
    lake: Path
    keys: Path


def first_run(store: Store) -> dict[str, Taken]:
    """Run the whole job on a world whose lake is empty."""
    meter, project, keyring = Meter(), load_project(store.world), keyring_of(store.keys.parent)
    with DeltaLake(store.lake, keyring).writer() as lake:
        for contract in project.contracts:
            run_source(meter, project, keyring, lake, contract.source_system, run_id="first")
        run_rest(meter, project, keyring, lake, run_id="first")
    return meter.stages


def refresh(store: Store, run_id: str) -> tuple[dict[str, Taken], Delivery, Linkage]:
    """Take in what changed and refresh all that follows."""
    meter, project, keyring = Meter(), load_project(store.world), keyring_of(store.keys.parent)
    with DeltaLake(store.lake, keyring).writer() as lake:
        delivery = run_source(meter, project, keyring, lake, SOURCE, run_id=run_id)
        linkage = run_rest(meter, project, keyring, lake, run_id=run_id)
    return meter.stages, delivery, linkage


def run_source(meter: Meter, project: Project, keyring: Keyring, lake: LakeWriter, source: str, *, run_id: str) -> Delivery:
    """Take in one source; reading its snapshot and finding what changed is measured apart."""
    contract = project.contract_of(source)
    intake = Intake(
        contract=contract,
        source=open_source(project.directory, contract),
        region=project.region,
        keys=keyring.airlock_keys(),
        workers=os.cpu_count() or 1,
        run_id=run_id,
        progress=Unwatched(),
    )
    with_meter(meter, delivering, "read_delivery")
    return meter.measure("deliver", lambda: deliver(intake, lake))


def with_meter(meter: Meter, module: Any, name: str) -> None:
    """Measure a function of a module as reading the snapshot."""
    own: Callable[..., Any] = getattr(module, f"_own_{name}", getattr(module, name))
    setattr(module, f"_own_{name}", own)
    setattr(module, name, lambda *given, **named: meter.measure(READING, lambda: own(*given, **named)))


def run_rest(meter: Meter, project: Project, keyring: Keyring, lake: LakeWriter, *, run_id: str) -> Linkage:
    """Run the stages that follow intake."""
    _, id_key = keyring.current(Purpose.ID)
    contracts, rulebook = project.contracts, project.rulebook
    linkage = meter.measure(
        "link", lambda: link(lake, rulebook, id_key, run_id=run_id, progress=Unwatched(), contracts=contracts)
    )
    meter.measure("survive", lambda: survive(lake, contracts, rulebook, run_id=run_id, progress=Unwatched()))
    meter.measure("publish", lambda: publish(lake, run_id=run_id))
    meter.measure("audit", lambda: assess(lake, contracts, rulebook, run_id=run_id))
    return linkage


def match_cold(store: Store) -> tuple[float, float]:
    """Match what was delivered and not linked yet, in a process of its own; CPU and peak GiB."""
    meter, project, keyring = Meter(), load_project(store.world), keyring_of(store.keys.parent)
    _, id_key = keyring.current(Purpose.ID)
    with DeltaLake(store.lake, keyring).writer() as lake:
        meter.measure(
            "link",
            lambda: link(lake, project.rulebook, id_key, run_id="cold", progress=Unwatched(), contracts=project.contracts),
        )
    return meter.stages["link"].cpu, meter.stages["link"].peak


def change_source(world: Path, count: int, seed: int) -> None:
    """Change, add and delete a third each of so many records of one source: values of another record, a key of its own, gone."""
    chance = random.Random(seed)  # noqa: S311 -- an invented change, the same every time
    project = load_project(world)
    contract = project.contract_of(SOURCE)
    path, *_ = sorted(world.glob(contract.path_pattern))
    header, *rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    key, part = header.index(contract.key_column.name), count // 3
    chosen = chance.sample(range(len(rows)), 3 * part + part)
    changed, donors, gone, copied = (chosen[at : at + part] for at in range(0, 4 * part, part))
    for place, donor in zip(changed, donors, strict=True):
        own = rows[place][key]
        rows[place] = [new if chance.random() < HALF else old for old, new in zip(rows[place], rows[donor], strict=True)]
        rows[place][key] = own
    first = FIRST_KEY + seed % SEEDS * KEYS_A_SEED
    added = [
        [f"C-{first + nth}" if at == key else cell for at, cell in enumerate(rows[place])] for nth, place in enumerate(copied)
    ]
    left = set(gone)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(
            [header, *(row for place, row in enumerate(rows) if place not in left), *added]
        )


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def copied(store: Store, folder: Path) -> Store:
    """Return a copy of a world and its lake under the same keys."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(store.world, folder / "world")
    shutil.copytree(store.lake, folder / "lake")
    return Store(folder / "world", folder / "lake", store.keys)


def measured(store: Store, folder: Path, count: int, rebuild: float | None) -> None:
    """Refresh a copy of the lake after so many records changed, and print what it took."""
    work = copied(store, folder)
    before = size_of(work.lake)
    change_source(work.world, count, seed=count)
    taken_by, delivery, linkage = in_own_process(refresh, work, f"refresh-{count}")
    table = Table("stage", "CPU s", "wall s", "peak GiB", title=f"{count:,} records changed")
    reading = taken_by[READING]
    stages = {name: taken_by[name] for name in STAGES}
    stages["deliver"] = stages["deliver"]._replace(
        cpu=stages["deliver"].cpu - reading.cpu, wall=stages["deliver"].wall - reading.wall
    )
    for name, taken in (*stages.items(), (READING, reading)):
        table.add_row(name, f"{taken.cpu:.2f}", f"{taken.wall:.2f}", f"{taken.peak:.2f}")
    total = sum(taken.cpu for taken in stages.values())
    table.add_row("all stages, without reading", f"{total:.2f}", "", f"{max(taken.peak for taken in stages.values()):.2f}")
    console = Console()
    console.print(table)
    share = "" if rebuild is None else f", {(total + reading.cpu) / rebuild:.0%} of the first run with reading"
    console.print(
        f"new {delivery.new_count:,}, changed {delivery.changed_count:,}, deleted {delivery.deleted_count:,}, "
        f"decided anew {linkage.touched_count:,}, whole {linkage.is_whole}, "
        f"written {(size_of(work.lake) - before) / MIB:.1f} MiB{share}"
    )
    if linkage.continuity is not None:
        console.print(f"customers that go on under their id: {linkage.continuity:.4%}")


def measured_cold(store: Store, folder: Path, count: int) -> None:
    """Deliver a change, and match it in a process of its own."""
    work = copied(store, folder)
    change_source(work.world, count, seed=count)
    in_own_process(deliver_only, work)
    cpu, peak = in_own_process(match_cold, work)
    Console().print(f"matching {count:,} from the encrypted index in a cold process, stored: {cpu:.2f} CPU s, {peak:.2f} GiB")


def deliver_only(store: Store) -> None:
    meter, project, keyring = Meter(), load_project(store.world), keyring_of(store.keys.parent)
    with DeltaLake(store.lake, keyring).writer() as lake:
        run_source(meter, project, keyring, lake, SOURCE, run_id="delivered")


def measured_growth(store: Store, folder: Path, count: int, repeat: int) -> None:
    """Refresh again and again, compact once, and print how the lake grew."""
    work = copied(store, folder)
    before = size_of(work.lake)
    for turn in range(repeat):
        change_source(work.world, count, seed=turn)
        in_own_process(refresh, work, f"refresh-{turn}")
    grown = size_of(work.lake)
    with DeltaLake(work.lake, keyring_of(work.keys.parent)).writer() as lake:
        compact(lake, run_id="compaction")
        lake.vacuum(datetime.now(UTC))
    after = size_of(work.lake)
    Console().print(
        f"{repeat} refreshes of {count:,}: the lake of {before / MIB:.0f} MiB grew by {grown / before - 1:.1%}, "
        f"after one compaction and a vacuum of all former files by {after / before - 1:.1%}"
    )


def measured_equality(store: Store, folder: Path, count: int, deliveries: int) -> None:
    """Refresh after each of some random deliveries, then match everything by the same model, and print what differs."""
    work = copied(store, folder)
    for turn in range(deliveries):
        change_source(work.world, count, seed=turn)
        in_own_process(refresh, work, f"refresh-{turn}")
    refreshed = in_own_process(owners, work)
    in_own_process(match_whole, work)
    rebuilt = in_own_process(owners, work)
    both = refreshed.join(rebuilt, on="record_id", how="full", suffix="_rebuilt")
    moved = both.filter(pl.col("cuid").ne_missing(pl.col("cuid_rebuilt")))
    Console().print(
        f"{deliveries} random deliveries of {count:,} on {both.height:,} records, then everything by the same model: "
        f"{1 - moved.height / both.height:.4%} of the records are in the same customer ({moved.height} are not)"
    )


def owners(store: Store) -> pl.DataFrame:
    """Return record_id, cuid as they hold now."""
    return current_crosswalk(DeltaLake(store.lake, keyring_of(store.keys.parent)).snapshot()).select("record_id", "cuid")


def match_whole(store: Store) -> None:
    """Match all records again by the models in use."""
    project, keyring = load_project(store.world), keyring_of(store.keys.parent)
    _, id_key = keyring.current(Purpose.ID)
    with DeltaLake(store.lake, keyring).writer() as lake:
        how = {"run_id": "whole", "progress": Unwatched(), "contracts": project.contracts, "is_whole": True}
        link(lake, project.rulebook, id_key, **how)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="source records over all four systems")
    parser.add_argument("--changed", type=int, nargs="*", default=[1_000])
    parser.add_argument(
        "--repeat", type=int, default=0, help="refreshes of the first number of changed records, then a compaction"
    )
    parser.add_argument("--deliveries", type=int, default=0, help="random deliveries, then everything is matched to compare")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for the lake, which stays there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.keep or Path(temporary)) / f"refresh-{options.rows}-{options.seed}"
        store, rebuild = Store(folder / "world", folder / "lake", folder / "keys"), None
        if not (folder / READY).exists():
            shutil.rmtree(folder, ignore_errors=True)
            in_own_process(generate_world, store.world, options.rows, options.seed)
            stages = in_own_process(first_run, store)
            (folder / READY).write_text(str(sum(stages[name].cpu for name in STAGES)))
            for name, taken in stages.items():
                Console().print(f"first run, {name}: {taken.cpu:.1f} CPU s, {taken.wall:.1f} s, {taken.peak:.2f} GiB")
        rebuild = float((folder / READY).read_text())
        for count in options.changed:
            measured(store, Path(temporary) / "work", count, rebuild)
        if options.changed:
            measured_cold(store, Path(temporary) / "work", options.changed[0])
        if options.deliveries:
            measured_equality(store, Path(temporary) / "work", options.changed[0], options.deliveries)
        if options.repeat:
            measured_growth(store, Path(temporary) / "work", options.changed[0], options.repeat)


def generate_world(world: Path, rows: int, seed: int) -> None:
    generate_large(world, rows=rows, seed=seed)


if __name__ == "__main__":
    main()
