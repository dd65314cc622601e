"""Two models side by side: what each level says in bits, which moved, and how the answers of stewards agree with either."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from custview_pipeline.matching.model import LEAST_PROBABILITY, MatchModel, repack
from custview_pipeline.matching.training import LabelledPatterns

WORTH_TELLING: Final = 0.5  # bits: weights are stored rounded to half a bit
BITS: Final = ("stranger_bits", "household_bits")
_LEVEL: Final = ("comparison", "level", "meaning")


@dataclass(frozen=True, slots=True)
class ModelChange:
    """What a new model changes.

    Attributes:
        before, after: The models.
        levels: comparison, level, meaning, ``stranger_bits`` and ``household_bits``, and the same ``_after``; of the levels of
            which either moved by more than half a bit.
        answer_count: Answers of stewards that both were asked about.
        agreeing_before, agreeing_after: With how many of them they agree.
    """

    before: MatchModel
    after: MatchModel
    levels: pl.DataFrame
    answer_count: int
    agreeing_before: int
    agreeing_after: int


def level_bits(model: MatchModel) -> pl.DataFrame:
    """Return what each level says, in bits: for one customer against strangers, and against two people of one household.

    Returns:
        comparison, level, meaning, match_probability, household_probability, unrelated_probability, stranger_bits and
        household_bits, in the order of the model. Where a level has a term frequency, the share of the value itself stands for
        the probability among strangers.
    """
    probabilities = [f"{kind}_probability" for kind in ("match", "household", "unrelated")]
    match, household, unrelated = (pl.max_horizontal(name, pl.lit(LEAST_PROBABILITY)) for name in probabilities)
    return model.to_frame().select(
        *_LEVEL,
        *probabilities,
        stranger_bits=(match / unrelated).log(2),
        household_bits=(match / household).log(2),
    )


def bits_beside(one: MatchModel, other: MatchModel) -> pl.DataFrame:
    """Return the bits of two models side by side: comparison, level, meaning, those of one, those of the other with ``_after``.

    A level that only one of them has is null in the other.
    """
    columns = [*_LEVEL, *BITS]
    left, right = level_bits(one).select(columns), level_bits(other).select(columns)
    joined = left.join(right, on=list(_LEVEL), how="full", suffix="_after", coalesce=True, maintain_order="left_right")
    return joined.select(*_LEVEL, *BITS, *(f"{name}_after" for name in BITS))


def change(before: MatchModel, after: MatchModel, answers: LabelledPatterns, match_weight: float) -> ModelChange:
    """Return what changes from one model to another.

    Args:
        before: The model in use.
        after: The new one.
        answers: Patterns, of the comparisons of ``after``, that stewards answered.
        match_weight: Bits above which a pair is a match.
    """
    beside = bits_beside(before, after)
    moved = pl.any_horizontal((pl.col(f"{name}_after") - pl.col(name)).abs() > WORTH_TELLING for name in BITS)
    former = repack(answers.patterns, after.comparisons, before.comparisons)
    return ModelChange(
        before=before,
        after=after,
        levels=beside.filter(moved.fill_null(value=True)),
        answer_count=len(answers.patterns),
        agreeing_before=int(((before.weights(former) > match_weight) == answers.is_match).sum()),
        agreeing_after=int(((after.weights(answers.patterns) > match_weight) == answers.is_match).sum()),
    )
