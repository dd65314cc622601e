"""Packed patterns and counts of them, from a few levels, to learn small models of."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.matching.comparisons import COMPARISONS
from custview_pipeline.matching.model import MatchModel
from custview_pipeline.matching.patterns import LEVEL_BITS, Ints, PatternCounts
from custview_pipeline.matching.training import LabelledPatterns, learn

Levels = Sequence[int]

PERSON: Final = COMPARISONS[EntityType.PERSON]
GIVEN, FAMILY, _, _, BIRTH, *_ = PERSON
NAME_AND_BIRTH: Final = (GIVEN, FAMILY, BIRTH)
SAME, TYPO, RELATIVE, NAMESAKE, STRANGER = (1, 1, 1), (3, 1, 3), (8, 1, 6), (1, 6, 6), (8, 6, 6)  # levels of name and birth


def packed(levels: Levels) -> int:
    """Return one packed pattern."""
    return sum(level << (LEVEL_BITS * place) for place, level in enumerate(levels))


def patterns(*rows: Levels) -> Ints:
    """Return packed patterns."""
    return np.array([packed(row) for row in rows], np.int64)


def counted(*rows: tuple[Levels, float]) -> PatternCounts:
    """Return pattern counts from (levels, count)."""
    ordered = sorted((packed(levels), count) for levels, count in rows)
    return PatternCounts(np.array([p for p, _ in ordered], np.int64), np.array([n for _, n in ordered], np.float64))


def answered(*rows: tuple[Levels, bool, int]) -> LabelledPatterns:
    """Return answers of stewards from (levels, is_match, how often)."""
    given = [(packed(levels), is_match) for levels, is_match, times in rows for _ in range(times)]
    return LabelledPatterns(np.array([p for p, _ in given], np.int64), np.array([answer for _, answer in given], np.bool_))


def learned(
    candidates: PatternCounts | None = None,
    strangers: PatternCounts | None = None,
    *,
    labelled: LabelledPatterns | None = None,
    records: int = 1000,
    **changes: Any,
) -> MatchModel:
    """Learn a model of names and birth dates, or of other comparisons."""
    candidates = candidates or counted((SAME, 400), (RELATIVE, 300), (NAMESAKE, 200), ((8, 6, 1), 100))
    strangers = strangers or counted((STRANGER, 9000), (NAMESAKE, 500), (RELATIVE, 300), ((0, 6, 5), 200))
    what = {"entity_type": EntityType.PERSON, "comparisons": NAME_AND_BIRTH} | changes
    return learn(what["entity_type"], what["comparisons"], candidates, strangers, records, labelled=labelled)


def weights(model: MatchModel, *rows: Levels) -> list[float]:
    """Return the evidence in bits for one customer, of each row of levels."""
    bits: list[float] = model.weights(patterns(*rows)).tolist()
    return bits
