"""What another model would make of the pairs that a lake has stored."""

from dataclasses import replace

import numpy as np
import polars as pl

from custview_pipeline.flows.current import current_edges
from custview_pipeline.flows.models import stored_models
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.matching.found import MATCH, NO_MATCH, POSSIBLE_MATCH
from custview_pipeline.matching.model import MatchModel, repack
from custview_pipeline.matching.patterns import Floats, Ints

_BY_MODEL = "model"  # the rule of an edge that no rule of the rulebook and no steward decided


def count_decisions(
    snapshot: Snapshot, one: MatchModel, other: MatchModel, *, match_weight: float, review_weight: float
) -> pl.DataFrame:
    """Count the stored pairs of one entity type by what either model decides of them.

    A stored weight is moved by what the models differ in about its pattern; how rare its values are stays as it was. Pairs that
    no model decided, but a rule or a steward, are left out, and pairs under the review weight are not stored.

    Args:
        snapshot: The lake.
        one: A model of an entity type.
        other: Another of the same.
        match_weight: Bits above which a pair is a match.
        review_weight: Bits from which on it is a possible match.

    Returns:
        before, after (decisions by the one and the other), pairs; the most first.
    """
    with silenced("comparing match models"):
        known = {stored.model.version: stored.model for stored in stored_models(snapshot)}
        edges = current_edges(snapshot).select("pattern", "weight", "rule", "model_version")
        decided = [pl.DataFrame(schema={"before": pl.String, "after": pl.String})]
        for (version,), part in edges.filter(pl.col("rule") == _BY_MODEL).partition_by("model_version", as_dict=True).items():
            scorer = known.get(version)
            if scorer is None or scorer.entity_type is not one.entity_type:
                continue
            patterns, weights = part["pattern"].to_numpy(), part["weight"].to_numpy()
            by_model = [
                _decisions(weights + _moved(patterns, scorer, each), match_weight, review_weight) for each in (one, other)
            ]
            decided.append(pl.DataFrame(by_model, schema=["before", "after"]))
        counted = pl.concat(decided).group_by("before", "after").agg(pairs=pl.len())
        return counted.sort("pairs", "before", "after", descending=[True, False, False])


def _moved(patterns: Ints, scorer: MatchModel, model: MatchModel) -> Floats:
    """Return the bits by which a model weighs patterns otherwise than the one that scored them."""
    alike = _with_rarities_of(model, scorer)
    return alike.weights(repack(patterns, scorer.comparisons, model.comparisons)) - scorer.weights(patterns)


def _with_rarities_of(model: MatchModel, scorer: MatchModel) -> MatchModel:
    """Return a model with the strangers' probabilities of another one where the rarity of the value takes their place."""
    rows = dict(zip((each.name for each in scorer.comparisons), scorer.unrelated, strict=True))
    unrelated = []
    for comparison, own in zip(model.comparisons, model.unrelated, strict=True):
        by_rarity = {level for level, _ in comparison.frequency}
        theirs = rows.get(comparison.name, own)
        unrelated.append(tuple(theirs[level] if level in by_rarity else share for level, share in enumerate(own)))
    return replace(model, unrelated=tuple(unrelated))


def _decisions(weights: Floats, match_weight: float, review_weight: float) -> pl.Series:
    decided = np.where(weights > match_weight, MATCH, np.where(weights >= review_weight, POSSIBLE_MATCH, NO_MATCH))
    return pl.Series(decided.tolist(), dtype=pl.String)
