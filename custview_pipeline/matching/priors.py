"""What is known of any customer list before one pair of it is seen: the packaged models that learning starts from."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.matching.comparisons import Comparison
from custview_pipeline.matching.model import HOUSEHOLD_SAME_GIVEN, MatchModel

Row = tuple[float, ...]  # probability of each level; position 0 (silent) is unused

_A_SMALL_LIST: Final = 1000  # records of the list that a packaged model speaks of where none is named


@dataclass(frozen=True, slots=True)
class Priors:
    """The packaged probabilities of some comparisons.

    Attributes:
        match, unrelated: Probability of each level, by comparison.
        household: The same among two people of one household; None where they agree as strangers do.
        matches_per_record, households_per_record: Pairs of each kind.
        household_pairs_per_record: Weight of ``household`` in pairs: households differ between lists more than the branches of
            enterprises do.
    """

    match: tuple[Row, ...]
    household: tuple[Row | None, ...]
    unrelated: tuple[Row, ...]
    matches_per_record: float
    households_per_record: float
    household_pairs_per_record: float


def priors_of(entity_type: EntityType, comparisons: tuple[Comparison, ...]) -> Priors:
    """Return what is packaged about some comparisons of an entity type.

    The numbers are in ``priors/<entity type>.json``; its comment says how they were made (``benchmarks/make_priors.py``).
    """
    packaged = _packaged(entity_type)
    stated = [packaged["comparisons"][comparison.name] for comparison in comparisons]
    return Priors(
        match=tuple(_row(comparison, rows["match"]) for comparison, rows in zip(comparisons, stated, strict=True)),
        household=tuple(
            None if rows["household"] is None else _row(comparison, rows["household"])
            for comparison, rows in zip(comparisons, stated, strict=True)
        ),
        unrelated=tuple(_row(comparison, rows["unrelated"]) for comparison, rows in zip(comparisons, stated, strict=True)),
        matches_per_record=packaged["matches_per_record"],
        households_per_record=packaged["households_per_record"],
        household_pairs_per_record=packaged["household_pairs_per_record"],
    )


def packaged_model(entity_type: EntityType, comparisons: tuple[Comparison, ...], record_count: int = _A_SMALL_LIST) -> MatchModel:
    """Return the model that is used before anything was learned.

    Args:
        entity_type: Whom it is for.
        comparisons: Any of the comparisons of that type, in the order of the packed pattern.
        record_count: Records of the list, of which the shares of the classes among all pairs depend.
    """
    priors = priors_of(entity_type, comparisons)
    household = tuple(
        household_as_strangers(comparison, unrelated) if row is None else row
        for comparison, row, unrelated in zip(comparisons, priors.household, priors.unrelated, strict=True)
    )
    per_record = (priors.matches_per_record, priors.households_per_record)
    shares = shares_of(per_record[0] * record_count, per_record[1] * record_count, record_count)
    return MatchModel(entity_type, comparisons, priors.match, household, priors.unrelated, shares, record_count=0)


def household_as_strangers(comparison: Comparison, unrelated: Row) -> Row:
    """Return how people of one household agree where they agree as strangers do, but for given names that run in families."""
    if comparison.name != "given_name":
        return unrelated
    silent, same, *others = (probability * (1 - HOUSEHOLD_SAME_GIVEN) for probability in unrelated)
    return (silent, same + HOUSEHOLD_SAME_GIVEN, *others)


def shares_of(matches: float, households: float, record_count: int) -> tuple[float, float, float]:
    """Return the share of all pairs that are one customer, one household and strangers."""
    pairs = max(record_count * (record_count - 1) / 2, 1.0)
    total = matches + households + pairs
    return matches / total, households / total, pairs / total


@cache
def _packaged(entity_type: EntityType) -> dict[str, Any]:
    text = files("custview_pipeline.matching").joinpath("priors", f"{entity_type}.json").read_text(encoding="utf-8")
    packaged: dict[str, Any] = json.loads(text)
    return packaged


def _row(comparison: Comparison, stated: dict[str, float]) -> Row:
    """Return the probabilities by level, adding up to one: what is stated is rounded."""
    by_level = [stated[outcome] for outcome in comparison.outcomes]
    return (0.0, *(share / sum(by_level) for share in by_level))
