"""Golden records and their lineage, out of ranked candidates; only what changed becomes a new version."""

from datetime import datetime
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.golden_tables import GOLDEN_LINEAGE, GOLDEN_RECORDS, OPEN_VALUE, POINTER
from custview_pipeline.kernel.versions import newest
from custview_pipeline.survivorship.claims import ATTRIBUTES
from custview_pipeline.survivorship.judgement import digest_candidates

# What makes a new version where it differs; the digest stands for the values and where they come from. Other rules that elect the
# same values change nothing about a customer.
_CONTENT: Final = ("entity_type", "is_active", "record_count", "source_count", "updated_at", "candidates_digest")
KNOWN_COLUMNS: Final = ("cuid", "version", *_CONTENT)
"""What of golden_records as stored a change is told by; the columns of attributes would cost fifty times as much to read."""
_NONE: Final = -1


class GoldenChange(NamedTuple):
    """Rows of two tables to append, and what the first of them come after.

    Attributes:
        records: Rows of golden_records: new and changed customers, and those that are no more (``is_active`` false), by cuid.
        lineage: Rows of golden_lineage, for the active ones among them.
        before: ``KNOWN_COLUMNS`` that held of these customers.
    """

    records: pl.DataFrame
    lineage: pl.DataFrame
    before: pl.DataFrame


class Election(NamedTuple):
    """What a golden record is made of.

    Attributes:
        ranked: Outcome of ``elect``.
        customers: cuid, entity_type, record_count, source_count, updated_at: one row an active customer.
    """

    ranked: pl.DataFrame
    customers: pl.DataFrame


def describe_customers(owners: pl.DataFrame) -> pl.DataFrame:
    """Count the records and sources of each customer; the customers come out in their order.

    Args:
        owners: cuid, source_system, entity_type, updated_at: one row a current record.
    """
    counted = owners.group_by("cuid").agg(
        entity_type=pl.col("entity_type").min(),
        record_count=pl.len().cast(pl.Int32),
        source_count=pl.col("source_system").n_unique().cast(pl.Int32),
        updated_at=pl.col("updated_at").max(),
    )
    return counted.sort("cuid")


def change_golden_records(
    election: Election, known: pl.DataFrame, *, rulebook_version: str, run_id: str, now: datetime
) -> GoldenChange:
    """Compare the elected golden records with those known and return what is to be appended.

    A customer gets a new version where a value, its candidates or their reasons differ: the lineage of a golden record is that of
    its newest version, never older than the record.

    Args:
        election: The winners.
        known: ``KNOWN_COLUMNS`` as stored, all versions of these customers; who is not elected any more has ended.
        rulebook_version: Rules they were elected by.
        run_id: The run.
        now: When the new versions begin to hold, UTC.
    """
    dtype = election.customers.schema["cuid"]
    current = newest(known, ["cuid"])
    elected = _assemble(election, rulebook_version)
    changed = _changed(elected, current)
    gone = current.filter(pl.col("is_active") & ~pl.col("cuid").is_in(elected["cuid"].cast(pl.String).implode()))
    appended = [
        frame.with_columns(run_id=pl.lit(run_id), valid_from_at=pl.lit(now, GOLDEN_RECORDS.types["valid_from_at"])).select(
            pl.col(name).cast(kind) for name, kind in GOLDEN_RECORDS.types.items()
        )
        for frame in (changed, _retired(gone, rulebook_version))
    ]
    records = pl.concat(appended)
    records = records if records["cuid"].is_sorted() else records.sort("cuid")
    versions = changed.select(pl.col("cuid").cast(dtype), "version")
    before = current.filter(pl.col("cuid").is_in(records["cuid"].implode()))
    return GoldenChange(records, _lineage(election.ranked, versions, rulebook_version), before)


def _retired(gone: pl.DataFrame, rulebook_version: str) -> pl.DataFrame:
    """Return the last version of customers that have no records any more."""
    return gone.with_columns(
        version=pl.col("version") + 1,
        is_active=pl.lit(value=False),
        record_count=pl.lit(0, pl.Int32),
        source_count=pl.lit(0, pl.Int32),
        updated_at=pl.lit(None, GOLDEN_RECORDS.types["updated_at"]),
        candidates_digest=pl.lit(0, pl.Int64),
        rulebook_version=pl.lit(rulebook_version),
        **{name: pl.lit(None, GOLDEN_RECORDS.types[name]) for name in GOLDEN_ATTRIBUTES},
    )


def _assemble(election: Election, rulebook_version: str) -> pl.DataFrame:
    """Put the winners beside each other: one row a customer, one column an attribute."""
    assembled = election.customers.join(
        digest_candidates(election.ranked), on="cuid", how="left", maintain_order="left"
    ).with_columns(
        pl.col("candidates_digest").fill_null(0), is_active=pl.lit(value=True), rulebook_version=pl.lit(rulebook_version)
    )
    return assembled.with_columns(*_winning_values(election), pl.col("cuid").cast(pl.String))


def _winning_values(election: Election) -> list[pl.Series]:
    """Return a column for each attribute, in the order of the customers: what won, empty where there is no candidate."""
    winners = election.ranked.filter(pl.col("rank") == 1).rename({"open_value": "value"})
    # Customers and winners are in the order of cuid, so that places found by search take the place of a join an attribute.
    customers, owners = (frame["cuid"].to_physical().to_numpy() for frame in (election.customers, winners))
    places, codes = np.searchsorted(customers, owners), winners["attribute"].to_physical().to_numpy()
    cells = {shape: winners.select(_cell(shape)).to_series() for shape in (OPEN_VALUE, POINTER)}
    columns = []
    for code, name in enumerate(ATTRIBUTES.categories):
        rows = np.flatnonzero(codes == code)
        found = np.full(len(customers), _NONE, np.int64)
        found[places[rows]] = rows
        taken = pl.Series(found).to_frame("row").select(pl.when(pl.col("row") != _NONE).then("row")).to_series()
        columns.append(cells[OPEN_VALUE if GOLDEN_ATTRIBUTES[name].is_open else POINTER].gather(taken).alias(name))
    return columns


def _cell(shape: pl.Struct) -> pl.Expr:
    return pl.struct(pl.col(field.name).cast(field.dtype) for field in shape.fields)


def _changed(elected: pl.DataFrame, current: pl.DataFrame) -> pl.DataFrame:
    """Keep the elected records that are new or differ from the current ones, under their next version."""
    is_known = elected["cuid"].is_in(current["cuid"].implode())
    new = elected.filter(~is_known).with_columns(version=pl.lit(1, pl.Int32))
    held = elected.filter(is_known).join(current, on="cuid", how="left", suffix="_before", maintain_order="left")
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_before")) for name in _CONTENT)
    return pl.concat([new, held.filter(differs).with_columns(pl.col("version") + 1).select(new.columns)])


def _lineage(ranked: pl.DataFrame, changed: pl.DataFrame, rulebook_version: str) -> pl.DataFrame:
    """Return every candidate of the changed customers."""
    return (
        ranked.join(changed, on="cuid", how="inner", maintain_order="left")
        .with_columns(rulebook_version=pl.lit(rulebook_version))
        .select(pl.col(name).cast(dtype) for name, dtype in GOLDEN_LINEAGE.types.items())
    )
