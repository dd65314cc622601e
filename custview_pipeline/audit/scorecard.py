"""The scorecard: how good each attribute of each source is, in the dimensions of the Open Data Contract Standard."""

from collections.abc import Mapping
from typing import Final

import polars as pl

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

    Args:
        expected: source_system, attribute, record_count: records that could have it. Should more have it, none lacks it.
        claims: source_system, attribute, record_id: what records say.
    """
    given = claims.group_by("source_system", "attribute").agg(given=pl.col("record_id").n_unique().cast(pl.Int64))
    joined = expected.join(given, on=["source_system", "attribute"], how="left").with_columns(pl.col("given").fill_null(0))
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
    counted = claims.group_by("source_system", "attribute").agg(
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


def against_targets(scores: pl.DataFrame, targets: Mapping[str, float]) -> pl.DataFrame:
    """Add score (share that passed; 1 where nothing was judged), target and is_on_target."""
    judged = pl.col("judged_count")
    passed = pl.when(judged == 0).then(1.0).otherwise(1 - pl.col("failed_count") / judged)
    return (
        scores.with_columns(score=passed, target=pl.col("dimension").replace_strict(targets, return_dtype=pl.Float64))
        .with_columns(is_on_target=pl.col("score") >= pl.col("target"))
        .sort("source_system", "attribute", "dimension")
    )


def _scores(counted: pl.DataFrame, dimension: str) -> pl.DataFrame:
    return counted.with_columns(dimension=pl.lit(dimension)).select(pl.col(name).cast(dtype) for name, dtype in SCORES.items())
