"""Sums of open numbers: one golden value made of what several records say."""

from typing import Final

import polars as pl

from custview_pipeline.survivorship.reasons import REASONS, SUMMED

_HUNDREDTHS: Final = 100  # numbers have two decimals at most: in hundredths a sum is exact, whatever its order


def add_up(judged: pl.DataFrame) -> pl.DataFrame:
    """Have the first candidate of each election stand for the sum of all that are valid and have an open number.

    Args:
        judged: Ranked candidates, with ``first`` (place of the winner of their election) and ``has_number``.

    Returns:
        The same rows. Where there are two parts or more, all of them are kept and ``summed``; the first has the sum as its
        ``open_value``, the least of their trust, and ``source_count`` of them all.
    """
    hundredths = (pl.col("open_value").cast(pl.Float64, strict=False) * _HUNDREDTHS).round().cast(pl.Int64)
    parts = judged.filter(pl.col("is_valid") & pl.col("has_number")).with_columns(hundredths=hundredths)
    sums = (
        parts.group_by("first")
        .agg(
            part_total=pl.len().cast(pl.Int32),
            total=pl.col("hundredths").sum(),
            least_trust=pl.col("trust_score").min(),
            least_steady=pl.col("steady_trust").min(),
            sources=pl.col("source_system").n_unique().cast(pl.Int32),
        )
        .filter(pl.col("part_total") > 1)
        .with_columns(total=_written("total"))
    )
    joined = judged.join(sums, on="first", how="left", maintain_order="left")
    is_sum = (pl.col("rank") == 1) & pl.col("total").is_not_null()
    is_part = pl.col("total").is_not_null() & pl.col("is_valid") & pl.col("has_number")
    return joined.with_columns(
        open_value=pl.when(is_sum).then("total").otherwise("open_value"),
        trust_score=pl.when(is_sum).then("least_trust").otherwise("trust_score"),
        steady_trust=pl.when(is_sum).then("least_steady").otherwise("steady_trust"),
        source_count=pl.when(is_sum).then("sources").otherwise("source_count"),
        reason=pl.when(is_part).then(pl.lit(SUMMED, REASONS)).otherwise("reason"),
        is_kept=pl.when(pl.col("total").is_not_null()).then(is_part).otherwise("is_kept"),
        kept_count=pl.when(pl.col("total").is_not_null()).then("part_total").otherwise("kept_count"),
    )


def _written(column: str) -> pl.Expr:
    """Return hundredths as a number is written: 125050 as 1250.5."""
    size = pl.col(column).abs()
    cents = (size % _HUNDREDTHS).cast(pl.String).str.zfill(2).str.strip_chars_end("0")
    sign = pl.when(pl.col(column) < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    point = pl.when(cents == "").then(pl.lit("")).otherwise(pl.lit("."))
    return pl.concat_str(sign, (size // _HUNDREDTHS).cast(pl.String), point, cents)
