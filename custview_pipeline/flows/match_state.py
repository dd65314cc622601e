"""What matching starts from: the rulebook's settings, the models in use with their frequencies, promises of sources."""

import os
from collections.abc import Iterable, Mapping
from typing import Final

import polars as pl
import psutil

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.match_index import FREQUENCIES, PHONE_PARTS, IndexPart
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.flows.models import active_models
from custview_pipeline.kernel.ports import Commit, Snapshot
from custview_pipeline.matching.blocking import BlockingLimits
from custview_pipeline.matching.comparisons import COMPARISONS
from custview_pipeline.matching.frequencies import Frequencies
from custview_pipeline.matching.match import asks_for_phones
from custview_pipeline.matching.setup import Frozen, MatchSettings, TypeSettings
from custview_pipeline.matching.verdicts import PatternRules, rules_about

_MEMORY_SHARE: Final = 0.6  # of what is available, for pairs
_GIB: Final = 2**30


def settings_of(rulebook: Rulebook) -> MatchSettings:
    """Return what the rulebook says about matching, and what this machine allows."""
    rules = rulebook.matching
    return MatchSettings(
        match_weight=rules.match_weight,
        review_weight=rules.review_weight,
        limits=BlockingLimits(rules.block_cap, rules.pair_budget, _MEMORY_SHARE * psutil.virtual_memory().available / _GIB),
        types={
            entity_type: TypeSettings(
                compared=rules.compare[entity_type],
                rules=PatternRules(
                    rules_about(entity_type, rules.must_match),
                    rules_about(entity_type, rules.cannot_match),
                    COMPARISONS[entity_type],
                ),
                largest_component=rules.max_component[entity_type],
                suspicious_size=rules.suspicious_size[entity_type],
            )
            for entity_type in EntityType
        },
        threads=os.cpu_count() or 1,
    )


def frozen_models(snapshot: Snapshot) -> dict[EntityType, Frozen]:
    """Return the model in use of each entity type, and the frequencies it froze where the index in use has them."""
    stored = snapshot.read_index(IndexPart.FREQUENCIES)
    counted = {
        EntityType(name): Frequencies.from_frame(part.drop("entity_type"))
        for (name,), part in stored.partition_by("entity_type", as_dict=True).items()
    }
    return {entity_type: Frozen(model, counted.get(entity_type)) for entity_type, model in active_models(snapshot).items()}


def neighbourhoods_of(snapshot: Snapshot, tokens: pl.DataFrame, known: Mapping[EntityType, Frozen]) -> pl.DataFrame:
    """Return the rows by which values one edit apart are found; those of phones where matching asks for them.

    Args:
        snapshot: The lake.
        tokens: Rows of the match index that are to be matched.
        known: Models in use.
    """
    parts = [
        IndexPart.NEIGHBOURHOODS,
        *(PHONE_PARTS[kind] for kind in EntityType if asks_for_phones(tokens, kind, known.get(kind))),
    ]
    return pl.concat(snapshot.read_index(part) for part in parts)


def store_frequencies(commit: Commit, generation: str, counted: Mapping[EntityType, Frequencies]) -> None:
    """Store the frequencies of the models in use in the place of earlier ones."""
    commit.rewrite_index(IndexPart.FREQUENCIES, lambda rows: rows.head(0))
    for entity_type, frequencies in counted.items():
        rows = frequencies.to_frame().select(pl.lit(str(entity_type)).alias("entity_type"), pl.all())
        commit.add_index(IndexPart.FREQUENCIES, rows.cast(FREQUENCIES), generation=generation)


def records_of_unique_sources(records: pl.DataFrame, contracts: Iterable[SourceContract]) -> pl.DataFrame:
    """Return record_id, source_system of the records whose source promises that no two of them are one customer."""
    unique = [contract.source_system for contract in contracts if contract.has_unique_customers]
    return records.filter(pl.col("source_system").is_in(unique)).select("record_id", "source_system")
