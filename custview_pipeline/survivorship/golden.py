"""Golden records and their lineage, out of ranked candidates; only what changed becomes a new version."""

from datetime import datetime
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.golden_tables import GOLDEN_LINEAGE, GOLDEN_RECORDS, OPEN_VALUE, POINTER
from custview_pipeline.kernel.versions import newest

# What makes a new version where it differs; other rules that elect the same values change nothing about a customer.
_CONTENT: Final = tuple(
    name for name in GOLDEN_RECORDS.types if name not in ("cuid", "version", "rulebook_version", "run_id", "valid_from_at")
)


# What makes two judgements of a candidate the same; the version of the rulebook alone does not.
_JUDGEMENT: Final = [name for name in GOLDEN_LINEAGE.types if name not in ("version", "rulebook_version")]


class GoldenChange(NamedTuple):
    """Rows of two tables.

    Attributes:
        records: Rows of golden_records; of a change: new and changed customers, and those that are no more (``is_active`` false).
        lineage: Rows of golden_lineage; of a change: for the active ones among them.
    """

    records: pl.DataFrame
    lineage: pl.DataFrame


class Election(NamedTuple):
    """What a golden record is made of.

    Attributes:
        ranked: Outcome of ``elect``.
        customers: cuid, entity_type, record_count, source_count, updated_at: one row an active customer.
    """

    ranked: pl.DataFrame
    customers: pl.DataFrame


def describe_customers(crosswalk: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    """Count the records and sources of each customer.

    Args:
        crosswalk: record_id, cuid (current).
        records: record_id, source_system, entity_type, updated_at (current).
    """
    return (
        crosswalk.select("record_id", "cuid")
        .join(records, on="record_id", how="inner")
        .group_by("cuid")
        .agg(
            entity_type=pl.col("entity_type").min(),
            record_count=pl.len().cast(pl.Int32),
            source_count=pl.col("source_system").n_unique().cast(pl.Int32),
            updated_at=pl.col("updated_at").max(),
        )
    )


def change_golden_records(
    election: Election, known: GoldenChange, *, rulebook_version: str, run_id: str, now: datetime
) -> GoldenChange:
    """Compare the elected golden records with those known and return what is to be appended.

    A customer gets a new version where a value, its candidates or their reasons differ: the lineage of a golden record is that of
    its newest version, never older than the record.

    Args:
        election: The winners.
        known: golden_records and golden_lineage as stored, all versions.
        rulebook_version: Rules they were elected by.
        run_id: The run.
        now: When the new versions begin to hold, UTC.
    """
    elected = _assemble(election, rulebook_version)
    current = newest(known.records, ["cuid"])
    changed = _changed(elected, current, _rejudged(election.ranked, current, known.lineage))
    gone = current.filter("is_active").join(elected, on="cuid", how="anti")
    retired = gone.with_columns(
        version=pl.col("version") + 1,
        is_active=pl.lit(value=False),
        record_count=pl.lit(0, pl.Int32),
        source_count=pl.lit(0, pl.Int32),
        updated_at=pl.lit(None, GOLDEN_RECORDS.types["updated_at"]),
        rulebook_version=pl.lit(rulebook_version),
        **{name: pl.lit(None, GOLDEN_RECORDS.types[name]) for name in GOLDEN_ATTRIBUTES},
    )
    appended = [
        frame.with_columns(run_id=pl.lit(run_id), valid_from_at=pl.lit(now, GOLDEN_RECORDS.types["valid_from_at"])).select(
            pl.col(name).cast(dtype) for name, dtype in GOLDEN_RECORDS.types.items()
        )
        for frame in (changed, retired)
    ]
    records = pl.concat(appended).sort("cuid")
    return GoldenChange(records, _lineage(election.ranked, changed.select("cuid", "version"), rulebook_version))


def _assemble(election: Election, rulebook_version: str) -> pl.DataFrame:
    """Put the winners beside each other: one row a customer, one column an attribute."""
    winners = election.ranked.filter(pl.col("rank") == 1).rename({"open_value": "value"})
    assembled = election.customers.with_columns(is_active=pl.lit(value=True), rulebook_version=pl.lit(rulebook_version))
    for name, attribute in GOLDEN_ATTRIBUTES.items():
        shape = OPEN_VALUE if attribute.is_open else POINTER
        fields = [pl.col(field.name).cast(field.dtype) for field in shape.fields]
        won = winners.filter(pl.col("attribute") == name).select("cuid", pl.struct(fields).alias(name))
        assembled = assembled.join(won, on="cuid", how="left")
    return assembled


def _rejudged(ranked: pl.DataFrame, current: pl.DataFrame, lineage: pl.DataFrame) -> pl.Series:
    """Return the customers whose candidates, or the reasons for and against them, are not those of their current version."""
    held = lineage.join(current.select("cuid", "version"), on=["cuid", "version"], how="semi").select(_JUDGEMENT)
    judged = ranked.select(pl.col(name).cast(GOLDEN_LINEAGE.types[name]) for name in _JUDGEMENT)
    other = [judged.join(held, on=_JUDGEMENT, how="anti"), held.join(judged, on=_JUDGEMENT, how="anti")]
    return pl.concat(other)["cuid"].unique()


def _changed(elected: pl.DataFrame, current: pl.DataFrame, rejudged: pl.Series) -> pl.DataFrame:
    """Keep the elected records that are new, differ from the current ones or were judged otherwise, under their next version."""
    joined = elected.join(current.select("cuid", "version", *_CONTENT), on="cuid", how="left", suffix="_before")
    is_new = pl.col("version").is_null()
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_before")) for name in _CONTENT)
    return joined.filter(is_new | differs | pl.col("cuid").is_in(rejudged.implode())).with_columns(
        version=pl.col("version").fill_null(0) + 1
    )


def _lineage(ranked: pl.DataFrame, changed: pl.DataFrame, rulebook_version: str) -> pl.DataFrame:
    """Return every candidate of the changed customers."""
    return (
        ranked.join(changed, on="cuid", how="inner")
        .with_columns(rulebook_version=pl.lit(rulebook_version))
        .select(pl.col(name).cast(dtype) for name, dtype in GOLDEN_LINEAGE.types.items())
        .sort("cuid", "attribute", "rank")
    )
