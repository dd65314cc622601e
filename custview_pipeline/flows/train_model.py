"""Learns match models from the records and decisions of a lake, without linking anything."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.match_index import IndexPart
from custview_pipeline.contracts.matching_tables import MATCH_MODEL
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.flows.current import current_index, current_records
from custview_pipeline.flows.decisions import answered_pairs
from custview_pipeline.flows.match_state import frozen_models, neighbourhoods_of, settings_of, store_frequencies
from custview_pipeline.flows.models import active_models, new_rows
from custview_pipeline.kernel.ports import LakeWriter, Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.matching.found import TrainingSample
from custview_pipeline.matching.frequencies import Frequencies
from custview_pipeline.matching.match import sample_for_training
from custview_pipeline.matching.model import MatchModel
from custview_pipeline.matching.model_changes import ModelChange, change
from custview_pipeline.matching.training import LabelledPatterns, learn

_NO_ANSWERS = LabelledPatterns(np.empty(0, np.int64), np.empty(0, np.bool_))


@dataclass(frozen=True, slots=True)
class Trained:
    """A model that was just learned.

    Attributes:
        frequencies: How common the values are that it weighs.
        change: What it changes against the model in use; None where there is none.
    """

    model: MatchModel
    frequencies: Frequencies
    change: ModelChange | None


def train(snapshot: Snapshot, rulebook: Rulebook) -> tuple[Trained, ...]:
    """Learn a model of each entity type that has records to compare; nothing is stored.

    Raises:
        IndexOutdated: The match index was made by other rules than today's.
        PairBudgetExceeded: The pairs do not fit in memory.
    """
    with silenced("training"):
        tokens = current_index(snapshot, IndexPart.TOKENS, current_records(snapshot))
        neighbourhoods = neighbourhoods_of(snapshot, tokens, {})
        decided, in_use = answered_pairs(snapshot), active_models(snapshot)
        samples = {
            entity_type: sample_for_training(tokens, neighbourhoods, settings_of(rulebook), entity_type, decided)
            for entity_type in EntityType
        }
        return tuple(
            _trained(entity_type, sample, in_use.get(entity_type), rulebook.matching.match_weight)
            for entity_type, sample in samples.items()
            if sample is not None
        )


def store_trained(lake: LakeWriter, trained: Iterable[Trained], *, run_id: str, now: datetime, is_kept_only: bool) -> None:
    """Store models that were learned, and put them to use unless they are only kept.

    Args:
        lake: The lake, held for writing.
        trained: The models.
        run_id: The run.
        now: The moment, UTC.
        is_kept_only: The models in use stay in use.
    """
    learned, snapshot = tuple(trained), lake.snapshot()
    generation, _ = snapshot.index_generations()
    with silenced("storing the match models"), lake.commit(run_id) as commit:
        rows = new_rows(
            (each.model for each in learned), active_models(snapshot), run_id=run_id, now=now, is_kept_only=is_kept_only
        )
        commit.append(MATCH_MODEL.name, rows)
        if generation is not None and not is_kept_only:
            held = {kind: frozen.frequencies for kind, frozen in frozen_models(snapshot).items() if frozen.frequencies}
            store_frequencies(commit, generation, held | {each.model.entity_type: each.frequencies for each in learned})


def _trained(entity_type: EntityType, sample: TrainingSample, before: MatchModel | None, match_weight: float) -> Trained:
    model = learn(
        entity_type,
        sample.comparisons,
        sample.candidates,
        sample.random_pairs,
        sample.record_count,
        labelled=sample.labelled,
    )
    changed = None if before is None else change(before, model, sample.labelled or _NO_ANSWERS, match_weight)
    return Trained(model, sample.frequencies, changed)
