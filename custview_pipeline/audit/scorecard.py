"""The scorecard: how good each attribute of each source is, in the dimensions of the Open Data Contract Standard."""

from collections.abc import Callable
from typing import Final

import polars as pl

_PLACE: Final = ["source_system", "attribute"]
RECORD: Final = "record"  # stands for the record as a whole
SCORES: Final = pl.Schema(
    {
        "source_system": pl.String,
        "attribute": pl.String,
        "dimension": pl.String,
        "judged_count": pl.Int64,
        "failed_count": pl.Int64,
    }
)


def score_completeness(expected: pl.DataFrame, claims: pl.DataFrame) -> pl.DataFrame:
    """Count the records that lack an attribute which their source is to give.

    Here as below, names of sources and attributes in claims may be Enum: where there are many, that is faster.

    Args:
        expected: source_system, attribute, record_count: records that could have it. Should more have it, none lacks it.
        claims: source_system, attribute, record_id: what records say.
    """
    given = (
        claims.group_by(_PLACE)
        .agg(given=pl.col("record_id").n_unique().cast(pl.Int64))
        .with_columns(pl.col(_PLACE).cast(pl.String))
    )
    joined = expected.join(given, on=_PLACE, how="left").with_columns(pl.col("given").fill_null(0))
    return _scores(
        joined.select(
            "source_system",
            "attribute",
            judged_count="record_count",
            failed_count=(pl.col("record_count") - pl.col("given")).clip(0),
        ),
        "completeness",
    )


def score_conformity(claims: pl.DataFrame) -> pl.DataFrame:
    """Count the values that break their field standard.

    Args:
        claims: source_system, attribute, is_valid.
    """
    counted = claims.group_by(_PLACE).agg(
        judged_count=pl.len().cast(pl.Int64), failed_count=(~pl.col("is_valid")).sum().cast(pl.Int64)
    )
    return _scores(counted, "conformity")


def score_uniqueness(crosswalk: pl.DataFrame) -> pl.DataFrame:
    """Count the records beyond the first that a source holds of one customer.

    Args:
        crosswalk: source_system, cuid (current).
    """
    counted = crosswalk.group_by("source_system").agg(
        judged_count=pl.len().cast(pl.Int64), failed_count=(pl.len() - pl.col("cuid").n_unique()).cast(pl.Int64)
    )
    return _scores(counted.with_columns(attribute=pl.lit(RECORD)), "uniqueness")


def score_repeats(claims: pl.DataFrame, wanted: pl.DataFrame) -> pl.DataFrame:
    """Count the values of an attribute that another record of the source has said before.

    Args:
        claims: source_system, attribute, token (equal where two values mean the same; null where there is none to compare).
        wanted: source_system, attribute: those whose values should not repeat.
    """
    named = wanted.with_columns(pl.col(name).cast(claims.schema[name], strict=False) for name in _PLACE)
    said = claims.drop_nulls("token").join(named, on=_PLACE, how="semi")
    counted = said.group_by(_PLACE).agg(
        judged_count=pl.len().cast(pl.Int64), failed_count=(pl.len() - pl.col("token").n_unique()).cast(pl.Int64)
    )
    return _scores(counted, "uniqueness")


def score_ages(records: pl.DataFrame, promised: pl.DataFrame) -> pl.DataFrame:
    """Count the records whose last change lies further back than their contract promises.

    Args:
        records: source_system, age_hours (since the last change; null where the record does not say).
        promised: source_system, record_age_hours (null where nothing is promised).
    """
    aged = records.drop_nulls("age_hours").join(promised.drop_nulls("record_age_hours"), on="source_system", how="inner")
    counted = aged.group_by("source_system").agg(
        judged_count=pl.len().cast(pl.Int64),
        failed_count=(pl.col("age_hours") > pl.col("record_age_hours")).sum().cast(pl.Int64),
    )
    return _scores(counted.with_columns(attribute=pl.lit("updated_at")), "timeliness")


def is_late(age_hours: float, freshness_hours: float) -> bool:
    """Return whether a delivery that came ``age_hours`` after the one before it is later than promised."""
    return age_hours > freshness_hours


def score_timeliness(sources: pl.DataFrame) -> pl.DataFrame:
    """Tell whether the last delivery of each source is as fresh as its contract promises.

    Args:
        sources: source_system, age_hours (since the last delivery; null where there was none: that is late), freshness_hours
            (promised; null where nothing is).
    """
    late = (pl.col("age_hours") > pl.col("freshness_hours")).fill_null(value=True).cast(pl.Int64)
    judged = sources.drop_nulls("freshness_hours").select(
        "source_system", attribute=pl.lit(RECORD), judged_count=pl.lit(1, pl.Int64), failed_count=late
    )
    return _scores(judged, "timeliness")


def against_targets(scores: pl.DataFrame, target_of: Callable[[str, str, str], float]) -> pl.DataFrame:
    """Add score (share that passed; 1 where nothing was judged), target and is_on_target.

    Args:
        scores: ``SCORES``.
        target_of: The target of a source system, attribute and dimension.
    """
    targets = [target_of(*place) for place in scores.select("source_system", "attribute", "dimension").iter_rows()]
    judged = pl.col("judged_count")
    passed = pl.when(judged == 0).then(1.0).otherwise(1 - pl.col("failed_count") / judged)
    return (
        scores.with_columns(score=passed, target=pl.Series(targets, dtype=pl.Float64))
        .with_columns(is_on_target=pl.col("score") >= pl.col("target"))
        .sort("source_system", "attribute", "dimension")
    )


def pool_by(scores: pl.DataFrame, *names: str) -> pl.DataFrame:
    """Return, for each combination of ``names`` in their order, ``score``: the share of everything judged that passed.

    Args:
        scores: ``judged_count``, ``failed_count`` and the columns of ``names``.
        names: By what to pool: dimension, source_system, channel, owner, attribute, ...
    """
    pooled = scores.group_by(names).agg(pl.col("judged_count", "failed_count").sum()).filter(pl.col("judged_count") > 0)
    share = 1 - pl.col("failed_count") / pl.col("judged_count")
    return pooled.select(*names, score=share).sort(names, nulls_last=True)


def _scores(counted: pl.DataFrame, dimension: str) -> pl.DataFrame:
    return counted.with_columns(dimension=pl.lit(dimension)).select(pl.col(name).cast(dtype) for name, dtype in SCORES.items())
