"""Our side of the benchmarks: a project taken into a lake, and its stored index matched, each step in a fresh process."""

import os
from pathlib import Path
from typing import NamedTuple

import polars as pl
from meter import Meter, Taken

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.key_files import FileKeyProvider, KeyDirectory
from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.match_index import IndexPart
from custview_pipeline.flows.current import current_index, current_records
from custview_pipeline.flows.deliver import Intake, deliver
from custview_pipeline.flows.match_state import neighbourhoods_of, records_of_unique_sources, settings_of
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline.matching.judging import Told
from custview_pipeline.matching.match import match
from custview_pipeline.matching.matcher import Matcher
from custview_pipeline.matching.setup import Frozen
from custview_pipeline.protection.keyring import Keyring

RUN = "benchmark"
Known = dict[EntityType, Frozen]


class Index(NamedTuple):
    """What matching reads of a lake.

    Attributes:
        records: The current records.
    """

    records: pl.DataFrame
    tokens: pl.DataFrame
    neighbourhoods: pl.DataFrame


class Found(NamedTuple):
    """What came of matching.

    Attributes:
        clusters: source_system, source_key, cluster.
        known: The models, with which the same index is scored again.
        stages: What each step took: read (the index), match, and within it train where a model was learned.
    """

    clusters: pl.DataFrame
    known: Known
    compared_count: int
    stages: dict[str, Taken]


def keyring_of(store: Path) -> Keyring:
    return Keyring.open(FileKeyProvider(store / "keys"), KeyDirectory(store / "keys"))


def take_in(project_directory: Path, store: Path) -> Taken:
    """Take the sources of a project into a lake in ``store``, with keys of its own."""
    meter = Meter()
    project, keyring = load_project(project_directory), keyring_of(store)
    with DeltaLake(store / "lake", keyring).writer() as lake:
        for contract in project.contracts:
            files, workers = SourceFiles(project.directory, contract), os.cpu_count() or 1
            intake = Intake(contract, files, project.region, keyring.airlock_keys(), workers, RUN, Unwatched())
            meter.measure("take in", lambda intake=intake: deliver(intake, lake))
    return meter.stages["take in"]


def read_index(store: Path, known: Known) -> Index:
    """Read the stored index of a lake."""
    snapshot = DeltaLake(store / "lake", keyring_of(store)).snapshot()
    records = current_records(snapshot)
    tokens = current_index(snapshot, IndexPart.TOKENS, records)
    return Index(records, tokens, neighbourhoods_of(snapshot, tokens, known))


def match_index(project_directory: Path, store: Path, known: Known | None) -> Found:
    """Match the stored index of a lake, as the main job does before it stores anything.

    Args:
        project_directory: The project, for its rulebook and what its contracts promise.
        store: Where the lake is.
        known: The models; None: they are learned.
    """
    meter = Meter()
    learned = Matcher._learned  # noqa: SLF001 -- the only place where learning stands apart from what matching needs anyway
    Matcher._learned = lambda *given: meter.measure("train", lambda: learned(*given))  # noqa: SLF001 -- as above
    project = load_project(project_directory)
    index = meter.measure("read", lambda: read_index(store, known or {}))
    records, frames = index.records, [index.neighbourhoods, index.tokens]
    del index  # the main job does not hold the frames while it matches either
    unique = records_of_unique_sources(records, project.contracts)
    settings, learned_before = settings_of(project.rulebook), known or {}
    # Called at once, for whoever stands between would hold the frames.
    found = meter.measure(
        "match",
        lambda: match(frames.pop(), frames.pop(), settings, lambda *_: None, known=learned_before, told=Told(exclusive=unique)),
    )
    clusters = pl.concat([part.clusters for part in found]).join(records, on="record_id")
    return Found(
        clusters.select("source_system", "source_key", "cluster"),
        {part.entity_type: part.frozen for part in found if part.frozen},
        sum(part.compared_count for part in found),
        meter.stages,
    )
