"""The core view: who the customers are, in open columns."""

from datetime import datetime
from functools import reduce
from operator import add
from typing import Final

import polars as pl

from custview_pipeline.contracts.attribute_names import list_names
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.golden_tables import CUSTOMER_CORE
from custview_pipeline.kernel.versions import newest

# What makes a new version of a row where it differs.
_CONTENT: Final = tuple(name for name in CUSTOMER_CORE.types if name not in ("cuid", "version", "valid_from_at"))
GOLDEN_COLUMNS: Final = (
    "cuid", "version", "is_active", "entity_type", "record_count", "source_count", "updated_at", *GOLDEN_ATTRIBUTES,
)  # fmt: skip
"""What of golden_records the view is made of."""


def build_core(golden: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Return the content of the rows of customer_core, without version and time, by cuid.

    Args:
        golden: ``GOLDEN_COLUMNS``, one row a customer, those that ended too.
        members: cuid, source_system of each current record.
    """
    systems = members.select("cuid", "source_system").unique().sort("cuid", "source_system")
    listed = systems.group_by("cuid", maintain_order=True).agg(source_systems="source_system")
    attributes = list(GOLDEN_ATTRIBUTES)
    trust = [pl.col(name).struct.field("trust_score") for name in attributes]
    known_count = pl.sum_horizontal(each.is_not_null() for each in trust)
    total = reduce(add, (each.fill_null(0.0) for each in trust))  # always in this order: the sum is the same to the last bit
    nothing = pl.lit([], CUSTOMER_CORE.types["source_systems"])
    return (
        golden.join(listed, on="cuid", how="left", maintain_order="left")
        .with_columns(
            pl.col("source_systems").fill_null(nothing),
            list_names(golden, {name: pl.col(name).is_not_null() for name in attributes}).alias("known_attributes"),
            list_names(golden, {name: pl.col(name).struct.field("is_contested") for name in attributes}).alias(
                "contested_attributes"
            ),
            trust_score=pl.when(known_count > 0).then(total / known_count),
            country=pl.col("country").struct.field("value"),
            consent=pl.col("consent").struct.field("value"),
        )
        .select("cuid", *_CONTENT)
        .sort("cuid")
    )


def change_core(built: pl.DataFrame, known: pl.DataFrame, *, now: datetime) -> pl.DataFrame:
    """Return the rows of customer_core to append: of customers that are new, differ from their newest row, or have ended.

    Args:
        built: What ``build_core`` returned.
        known: customer_core as stored, all versions of these customers.
        now: When the new versions begin to hold, UTC.
    """
    current = newest(known, ["cuid"]).select("cuid", *_CONTENT, is_known=pl.lit(value=True))
    joined = built.join(current, on="cuid", how="left", suffix="_before", maintain_order="left")
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_before")) for name in _CONTENT)
    # Who ended before they were ever shown is not shown as ended.
    return renew_core(joined.filter(pl.when("is_known").then(differs).otherwise("is_active")), known, now=now)


def renew_core(built: pl.DataFrame, known: pl.DataFrame, *, now: datetime) -> pl.DataFrame:
    """Return rows of customer_core under the version that follows the one that is known of their customer.

    Args:
        built: Content of the rows.
        known: cuid, version as stored.
        now: When the new versions begin to hold, UTC.
    """
    last = known.group_by("cuid").agg(pl.col("version").max())
    versioned = built.join(last, on="cuid", how="left", maintain_order="left").with_columns(
        version=(pl.col("version").fill_null(0) + 1).cast(pl.Int32),
        valid_from_at=pl.lit(now, CUSTOMER_CORE.types["valid_from_at"]),
    )
    return versioned.select(CUSTOMER_CORE.types.names())
