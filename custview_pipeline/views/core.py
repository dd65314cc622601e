"""The core view: who the customers are, in open columns."""

import polars as pl

from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.golden_tables import CUSTOMER_CORE


def build_core(golden: pl.DataFrame, crosswalk: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of customer_core.

    Args:
        golden: Current, active rows of golden_records.
        crosswalk: cuid, source_system (current).
    """
    systems = crosswalk.group_by("cuid").agg(source_systems=pl.col("source_system").unique().sort())
    attributes = list(GOLDEN_ATTRIBUTES)
    known = [pl.when(pl.col(name).is_not_null()).then(pl.lit(name)) for name in attributes]
    contested = [pl.when(pl.col(name).struct.field("is_contested")).then(pl.lit(name)) for name in attributes]
    trust = pl.concat_list(pl.col(name).struct.field("trust_score") for name in attributes).list.drop_nulls().list.mean()
    return (
        golden.join(systems, on="cuid", how="left")
        .with_columns(
            known_attributes=pl.concat_list(known).list.drop_nulls(),
            contested_attributes=pl.concat_list(contested).list.drop_nulls(),
            trust_score=trust,
            country=pl.col("country").struct.field("value"),
            consent=pl.col("consent").struct.field("value"),
        )
        .select(CUSTOMER_CORE.types.names())
        .sort("cuid")
    )
