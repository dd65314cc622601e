"""Writes the demo: a project directory with four source systems, and beside the data the truth about who is who."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.project import PROJECT_FILE, name_for
from custview_pipeline.demo.chance import Chance
from custview_pipeline.demo.coverage import customers_needed, spread
from custview_pipeline.demo.customers import make_customers
from custview_pipeline.demo.records import make_records
from custview_pipeline.demo.sources import SOURCE_FILES
from custview_pipeline.kernel.errors import ProjectInvalid

TRUTH_FILE: Final = "truth.csv"
FEWEST_RECORDS: Final = 50
_NAME_LINE: Final = "name: demo\n"
_LINE_OF_DEMOS: Final = "# The demo of custview:"  # how the packaged custview.yaml begins, and only that of a demo


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """What was written.

    Attributes:
        directory: The project directory.
        records: Source records, in all.
        customers: Real customers among them, by the truth.
        by_source: Source records of each source system.
        tricks: How many records each trick of ``demo.corruption`` befell.
    """

    directory: Path
    records: int
    customers: int
    by_source: dict[str, int]
    tricks: dict[str, int] = field(default_factory=dict)


class DemoSource(NamedTuple):
    """One source system of a world, in memory.

    Attributes:
        name: The source system.
        rows: What its file holds.
        truth: ``source_system``, ``source_key``, ``entity``, ``household`` of each row that has a key.
        tricks: How many of its records each trick befell.
    """

    name: str
    rows: pl.DataFrame
    truth: pl.DataFrame
    tricks: dict[str, int]


def generate(directory: Path, *, records: int = 5000, seed: int = 1) -> DemoSummary:
    """Write a demo project into ``directory``, over an earlier demo if there is one.

    It writes ``custview.yaml``, ``contracts/``, ``data/`` and ``truth.csv``; the same seed and size give the same bytes.

    Args:
        directory: The project directory; made where it is missing.
        records: Source records in all, at least ``FEWEST_RECORDS``.
        seed: Another seed gives another world.

    Raises:
        ProjectInvalid: The directory holds a project that is not a demo, or ``records`` is too small.
    """
    if records < FEWEST_RECORDS:
        raise ProjectInvalid(f"a demo needs at least {FEWEST_RECORDS} records")
    _refuse_other_project(directory)
    _copy(resources.files("custview_pipeline.demo") / "project", directory)
    _name(directory)
    truths, by_source, tricks = [], {}, dict[str, int]()
    for source in make_sources(records=records, seed=seed):
        _write(source, directory)
        truths.append(source.truth)
        by_source[source.name] = source.rows.height
        tricks = {name: tricks.get(name, 0) + count for name, count in source.tricks.items()}
    truth = pl.concat(truths)
    truth.write_csv(directory / TRUTH_FILE)
    return DemoSummary(directory, sum(by_source.values()), truth["entity"].n_unique(), by_source, tricks)


def make_sources(*, records: int, seed: int) -> Iterator[DemoSource]:
    """Yield the source systems of a world one after the other, so that only one is in memory as it is written."""
    chance = Chance(seed, "world")
    world = make_customers(customers_needed(records), chance.apart("customers"))
    who = spread(world.customers["is_enterprise"], records, chance.apart("coverage"))
    for name, rows in who.items():
        draws = chance.apart(name)
        known, tricks = make_records(name, rows, world, draws)
        truth = known.filter(pl.col("source_key").is_not_null()).select(
            pl.lit(name).alias("source_system"), "source_key", "entity", "household"
        )
        yield DemoSource(name, SOURCE_FILES[name].lay_out(known, draws.apart("layout")), truth, tricks)


def _refuse_other_project(directory: Path) -> None:
    file = directory / PROJECT_FILE
    if directory.exists() and not directory.is_dir():
        raise ProjectInvalid("a demo needs a directory, and this is a file", file=directory)
    if file.exists() and not file.read_bytes().startswith(_LINE_OF_DEMOS.encode()):
        raise ProjectInvalid("this directory holds a project that is not a demo; choose an empty one", file=file)


def _copy(packaged: Traversable, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for item in packaged.iterdir():
        if item.is_dir():
            _copy(item, directory / item.name)
        else:
            (directory / item.name).write_bytes(item.read_bytes())


def _name(directory: Path) -> None:
    """Give the demo the name of its directory, so that two demos do not share their keys."""
    file = directory / PROJECT_FILE
    file.write_text(file.read_text(encoding="utf-8").replace(_NAME_LINE, f"name: {name_for(directory)}\n"), encoding="utf-8")


def _write(source: DemoSource, directory: Path) -> None:
    file = SOURCE_FILES[source.name]
    path = directory / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    file.write(source.rows, path)
