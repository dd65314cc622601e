"""The evidence about given pairs, comparison by comparison, in bits and words."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.matching.found import NO_MATCH, decisions
from custview_pipeline.matching.frequencies import Frequencies
from custview_pipeline.matching.judging import Judge, decided_rows
from custview_pipeline.matching.match import neighbours_of
from custview_pipeline.matching.pairs import Compared, Pairs
from custview_pipeline.matching.patterns import Floats, pack
from custview_pipeline.matching.records import Records
from custview_pipeline.matching.scoring import Scorer
from custview_pipeline.matching.setup import Frozen, MatchSettings

HOUSEHOLD: Final = "household"
UNRELATED: Final = "unrelated"
_LOG_2: Final = float(np.log(2))


class Weighed(NamedTuple):
    """What is known of pairs.

    Attributes:
        pairs: left_id, right_id, entity_type, pattern, weight (bits), probability, decision, rule, alternative (the likelier of
            ``household`` and ``unrelated``), starting_bits; by left_id and right_id.
        comparisons: left_id, right_id, comparison, level, meaning, bits for one customer against that alternative, the rarity of
            the value included; silent ones left out. With starting_bits they add up to the weight.
    """

    pairs: pl.DataFrame
    comparisons: pl.DataFrame


PAIRS: Final = pl.Schema(
    {
        "left_id": pl.Int64,
        "right_id": pl.Int64,
        "entity_type": pl.String,
        "pattern": pl.Int64,
        "weight": pl.Float64,
        "probability": pl.Float64,
        "decision": pl.String,
        "rule": pl.String,
        "alternative": pl.String,
        "starting_bits": pl.Float64,
    }
)
COMPARISONS: Final = pl.Schema(
    {
        "left_id": pl.Int64,
        "right_id": pl.Int64,
        "comparison": pl.String,
        "level": pl.Int32,
        "meaning": pl.String,
        "bits": pl.Float64,
    }
)


def weigh(
    tokens: pl.DataFrame,
    neighbourhoods: pl.DataFrame,
    pairs: pl.DataFrame,
    settings: MatchSettings,
    known: Mapping[EntityType, Frozen],
) -> Weighed:
    """Weigh pairs of records by the models in use.

    Args:
        tokens: Rows of the match index of the records concerned.
        neighbourhoods: token, key, part of their values.
        pairs: left_id, right_id, in any order of sides.
        settings: Thresholds and rules.
        known: Models in use; where the frequencies of one are missing, they are counted on ``tokens``.

    Returns:
        Pairs of records of two entity types are no match and have no comparisons; pairs of one record or of a type without a
        model are left out.
    """
    wanted = pairs.select(left_id=pl.min_horizontal("left_id", "right_id"), right_id=pl.max_horizontal("left_id", "right_id"))
    wanted = wanted.filter(pl.col("left_id") != pl.col("right_id")).unique().with_columns(is_match=pl.lit(value=True))
    every = [Records.of(tokens, entity_type) for entity_type in EntityType]
    near = neighbours_of(every, neighbourhoods, known)
    found = [Weighed(PAIRS.to_frame(), COMPARISONS.to_frame()), _of_two_types(every, wanted)]
    for records in every:
        frozen = known.get(records.entity_type)
        if frozen is not None:
            compared = Compared(records, near, frozen.frequencies or Frequencies.of(records))
            found.append(_weighed(compared, frozen, wanted, settings))
    weighed, comparisons = (pl.concat(part) for part in zip(*found, strict=True))
    return Weighed(weighed.sort("left_id", "right_id"), comparisons)


def _of_two_types(every: list[Records], wanted: pl.DataFrame) -> Weighed:
    """Return the pairs of a person and an enterprise."""
    types = pl.concat(
        [pl.DataFrame({"id": records.record_ids}).with_columns(type=pl.lit(str(records.entity_type))) for records in every]
    )
    joined = wanted.join(types.rename({"id": "left_id", "type": "one"}), on="left_id").join(
        types.rename({"id": "right_id", "type": "other"}), on="right_id"
    )
    apart = joined.filter(pl.col("one") != pl.col("other")).select(
        "left_id",
        "right_id",
        entity_type=pl.lit(""),
        pattern=pl.lit(0, pl.Int64),
        weight=pl.lit(-np.inf),
        probability=pl.lit(0.0),
        decision=pl.lit(NO_MATCH),
        rule=pl.lit("a person is no enterprise"),
        alternative=pl.lit(UNRELATED),
        starting_bits=pl.lit(-np.inf),
    )
    return Weighed(apart.cast(PAIRS), COMPARISONS.to_frame())


def _weighed(compared: Compared, frozen: Frozen, wanted: pl.DataFrame, settings: MatchSettings) -> Weighed:
    records = compared.records
    i, j, _ = decided_rows(records, wanted)
    if not len(i):
        return Weighed(PAIRS.to_frame(), COMPARISONS.to_frame())
    pairs, scorer = Pairs(compared, i, j), Scorer(compared, frozen.model)
    levels = scorer.levels(pairs)
    pattern = pack(levels)
    whole = scorer.evidence(pairs, levels, pattern)
    at_home = whole.household > whole.unrelated
    judge = Judge(records, settings.types[records.entity_type].rules.among(frozen.model.comparisons))
    judged = judge.judge(i, j, pattern)
    one, other = records.record_ids[i], records.record_ids[j]
    ids = {"left_id": np.minimum(one, other), "right_id": np.maximum(one, other)}
    comparisons, total = [], np.zeros(len(i))
    for place, comparison in enumerate(frozen.model.comparisons):
        bits = _bits(scorer, pairs, place, levels, at_home=at_home)
        total += bits
        level = levels[place]
        labels = pl.Series(["", *comparison.labels])
        frame = pl.DataFrame(ids).with_columns(
            comparison=pl.lit(comparison.name), level=pl.Series(level), meaning=labels.gather(level), bits=pl.Series(bits)
        )
        comparisons.append(frame.filter(pl.col("level") > 0).cast(COMPARISONS))
    weight = whole.weight
    rows = pl.DataFrame(ids).with_columns(
        entity_type=pl.lit(str(records.entity_type)),
        pattern=pl.Series(pattern),
        weight=pl.Series(weight),
        probability=pl.Series(1 / (1 + 2.0**-weight)),
        decision=decisions(weight, judged.is_must, judged.is_cannot, settings.match_weight, settings.review_weight),
        rule=pl.Series(judge.names).gather(judged.rule),
        alternative=pl.Series(np.where(at_home, HOUSEHOLD, UNRELATED)),
        starting_bits=pl.Series(weight - total),
    )
    return Weighed(rows.cast(PAIRS), pl.concat(comparisons))


def _bits(scorer: Scorer, pairs: Pairs, place: int, levels: list[np.ndarray], *, at_home: np.ndarray) -> Floats:
    """Return the bits of one comparison against the likelier alternative of each pair."""
    evidence = scorer.comparison_evidence(pairs, levels, place)
    bits: Floats = (evidence.match - np.where(at_home, evidence.household, evidence.unrelated)) / _LOG_2
    return bits
