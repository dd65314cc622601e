"""Claims: what each record of a customer says about each attribute, with all that rules may look at. Nothing is decrypted."""

from typing import Final

import polars as pl

INVALID_TRUST: Final = 0.5  # a value that broke its field standard is trusted half as much

CLAIM_COLUMNS: Final = (
    "cuid", "attribute", "record_id", "record_version", "slot", "token", "open_value", "source_system", "updated_at",
    "is_valid", "length", "part_count", "trust_score", "vote_count", "source_count",
)  # fmt: skip


def gather_claims(
    index_claims: pl.DataFrame, crosswalk: pl.DataFrame, records: pl.DataFrame, trust: pl.DataFrame
) -> pl.DataFrame:
    """Join what records claim with whose they are and how far their source is trusted.

    Args:
        index_claims: ``CLAIMS`` of the match index, current versions only.
        crosswalk: record_id, cuid (current).
        records: record_id, source_system, updated_at (current).
        trust: source_system, attribute, trust: one row a pair, 0 to 1.

    Returns:
        ``CLAIM_COLUMNS``. ``vote_count`` is how many records of the customer give an equal value, ``source_count`` how many
        source systems; a value that cannot be compared stands alone.
    """
    owners = crosswalk.select("record_id", "cuid").join(
        records.select("record_id", "source_system", "updated_at"), on="record_id", how="inner"
    )
    joined = index_claims.join(owners, on="record_id", how="inner").join(trust, on=["source_system", "attribute"], how="left")
    value = ["cuid", "attribute", "token"]
    votes = joined.group_by(value).agg(
        vote_count=pl.col("record_id").n_unique().cast(pl.Int32), source_count=pl.col("source_system").n_unique().cast(pl.Int32)
    )
    return (
        joined.rename({"version": "record_version"})
        .with_columns(
            trust_score=pl.when("is_valid").then(pl.col("trust")).otherwise(pl.col("trust") * INVALID_TRUST).fill_null(0.0)
        )
        .join(votes, on=value, how="left")
        .with_columns(pl.col("vote_count", "source_count").fill_null(1))
        .select(CLAIM_COLUMNS)
    )
