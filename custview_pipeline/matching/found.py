"""What matching found: edges with their decisions, clusters, what a model is learned from."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.matching.blocking import RuleYield
from custview_pipeline.matching.comparisons import Comparison
from custview_pipeline.matching.frequencies import Frequencies
from custview_pipeline.matching.model import MatchModel
from custview_pipeline.matching.patterns import Bools, Floats, PatternCounts
from custview_pipeline.matching.setup import Frozen
from custview_pipeline.matching.training import LabelledPatterns

MATCH: Final = "MATCH"
POSSIBLE_MATCH: Final = "POSSIBLE_MATCH"
NO_MATCH: Final = "NO_MATCH"


@dataclass(frozen=True, slots=True)
class MatchedType:
    """What matching found among the records of one entity type.

    Attributes:
        frozen: The model in use and the frequencies it was used with; None where there was nothing to compare.
        edges: left_id < right_id, pattern, weight (bits), probability (0 to 1), decision, rule; compared pairs from the
            review weight on, those that a rule made a match, and those it kept apart that might have been one.
        clusters: record_id, cluster (smallest record id in it); every record once, of a change every record that it touched.
        groups: record_id, group_id (smallest record id in it) of records that are linked, directly or through others, by evidence
            that may make them one customer; of a change every record that it touched.
        yields: What each blocking rule brought and dropped.
        compared_count: Candidate pairs compared.
        met_count: For each record worked on the pairs compared that it is in, added up.
        cut_count: Pairs left out because their component was too large.
        suspicious: left_id, right_id, weight, reason: pairs of one customer that ask for a person.
        warnings: What was left out, in words with counts.
    """

    entity_type: EntityType
    frozen: Frozen | None
    edges: pl.DataFrame
    clusters: pl.DataFrame
    groups: pl.DataFrame
    yields: tuple[RuleYield, ...]
    compared_count: int
    met_count: int
    cut_count: int
    suspicious: pl.DataFrame
    warnings: tuple[str, ...]

    @property
    def model(self) -> MatchModel | None:
        """Return the model in use."""
        return self.frozen.model if self.frozen else None


@dataclass(frozen=True, slots=True)
class TrainingSample:
    """What a model of one entity type is learned from.

    Attributes:
        comparisons: In the order of the packed patterns.
        candidates: Patterns of the candidate pairs.
        random_pairs: Patterns of pairs drawn at random.
        record_count: Records.
        labelled: Pairs that stewards decided.
        frequencies: How common the values are, and which blocks are too large.
    """

    comparisons: tuple[Comparison, ...]
    candidates: PatternCounts
    random_pairs: PatternCounts
    record_count: int
    labelled: LabelledPatterns | None
    frequencies: Frequencies


def decisions(weight: Floats, is_must: Bools, is_cannot: Bools, match_weight: float, review_weight: float) -> pl.Series:
    """Return MATCH, POSSIBLE_MATCH or NO_MATCH of pairs."""
    frame = pl.DataFrame({"weight": weight, "is_must": is_must, "is_cannot": is_cannot})
    decision = (
        pl.when("is_cannot")
        .then(pl.lit(NO_MATCH))
        .when(pl.col("is_must") | (pl.col("weight") > match_weight))
        .then(pl.lit(MATCH))
        .when(pl.col("weight") >= review_weight)
        .then(pl.lit(POSSIBLE_MATCH))
        .otherwise(pl.lit(NO_MATCH))
    )
    return frame.select(decision.alias("decision"))["decision"]


EDGES: Final = pl.Schema(
    {
        "left_id": pl.Int64,
        "right_id": pl.Int64,
        "pattern": pl.Int64,
        "weight": pl.Float64,
        "decision": pl.String,
        "rule": pl.String,
        "probability": pl.Float64,
    }
)
GROUPS: Final = pl.Schema({"record_id": pl.Int64, "group_id": pl.Int64})
SUSPICIOUS: Final = pl.Schema({"left_id": pl.Int64, "right_id": pl.Int64, "weight": pl.Float64, "reason": pl.String})
