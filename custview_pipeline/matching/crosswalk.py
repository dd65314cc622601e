"""Customer ids for life: minted once, then carried in the crosswalk through growth, merge and split; never derived again.

Of the customers that a new cluster was made of, the oldest survives; of the parts a customer falls into, the one that keeps
most of its records keeps the id. The id of an erased customer is never used again.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.matching_tables import CROSSWALK, CUID_HISTORY
from custview_pipeline.kernel.versions import newest

Mint = Callable[[pl.Series, pl.Series], pl.Series]
"""Returns the CUID that each record id founds for the nth time (second series, 0 for the first)."""


class CrosswalkChange(NamedTuple):
    """New rows of two tables.

    Attributes:
        crosswalk: Rows of crosswalk: records that are new, moved, gone (``cuid`` empty), or known by another key.
        history: Rows of cuid_history.
        current: record_id, cuid of every record of a customer, after the change.
    """

    crosswalk: pl.DataFrame
    history: pl.DataFrame
    current: pl.DataFrame


class Known(NamedTuple):
    """What the lake knows.

    Attributes:
        crosswalk: All versions of the rows of the records that are linked, and of those that are gone since.
        history: All that happened to the customers of these rows, and to those whom one of these records founded.
        given: Every CUID that was ever given.
    """

    crosswalk: pl.DataFrame
    history: pl.DataFrame
    given: pl.Series


_FATES: Final = ("merged_into", "reactivated", "retired")
_OVERLAP: Final = ("cluster", "cuid")


def assign_cuids(
    clusters: pl.DataFrame, records: pl.DataFrame, known: Known, mint: Mint, *, run_id: str, now: datetime
) -> CrosswalkChange:
    """Give each cluster its CUID and tell what changed.

    Args:
        clusters: record_id, cluster (smallest record id in it): every current record once; of a change the whole customers that
            it touched.
        records: record_id, source_system, source_key of these records.
        known: What the lake knows.
        mint: Mints ids.
        run_id: The run.
        now: When the change begins to hold, UTC.
    """
    before = newest(known.crosswalk, ["record_id"])
    erased = known.history.filter(pl.col("event") == "erased").select("cuid")
    held = before.drop_nulls("cuid").join(erased, on="cuid", how="anti").select("record_id", before_cuid="cuid")
    homes = _find_homes(clusters, held, known.history)
    carried = _carry(homes)
    revived = _revive(clusters, held, carried, known)
    minted = _mint(clusters, pl.concat([carried, revived.select("cluster", "cuid")]), known, mint)
    owner = pl.concat([carried, revived.select("cluster", "cuid"), minted.select("cluster", "cuid")])
    current = clusters.join(owner, on="cluster", how="left").select("record_id", "cuid").sort("record_id")
    happened = [
        minted.select("cuid", "founding_record_id").with_columns(event=pl.lit("created")),
        _merged(homes, carried).with_columns(event=pl.lit("merged_into")),
        _split(current, held, minted).with_columns(event=pl.lit("split_from")),
        revived.select("cuid", "other_cuid").with_columns(event=pl.lit("reactivated")),
        held.select(cuid="before_cuid").unique().join(homes, on="cuid", how="anti").with_columns(event=pl.lit("retired")),
    ]
    history = _history(happened, run_id=run_id, now=now)
    return CrosswalkChange(_moves(current, before, records, run_id=run_id, now=now), history, current)


def _find_homes(clusters: pl.DataFrame, held: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """Return cuid, cluster, shared, created_at: where the records of each known customer are now, once a customer.

    That is the cluster that holds most of them (tie: the one with its founding record, then the smallest cluster). A customer
    whose records are all gone has no home.
    """
    founded = _founded(history)
    overlap = (
        clusters.join(held.rename({"before_cuid": "cuid"}), on="record_id", how="inner")
        .join(founded, on="cuid", how="left")
        .group_by(*_OVERLAP)
        .agg(
            shared=pl.len(),
            has_founder=(pl.col("record_id") == pl.col("founding_record_id")).any(),
            created_at=pl.col("created_at").first(),
        )
    )
    likeliest = overlap.sort("cuid", "shared", "has_founder", "cluster", descending=[False, True, True, False])
    homes = likeliest.unique("cuid", keep="first", maintain_order=True)
    return homes.select("cuid", "cluster", "shared", "created_at")


def _carry(homes: pl.DataFrame) -> pl.DataFrame:
    """Return cluster, cuid: which cluster goes on under which known id; one that could carry several carries the oldest."""
    oldest = homes.sort("cluster", "created_at", "shared", "cuid", descending=[False, False, True, False], nulls_last=True)
    return oldest.unique("cluster", keep="first", maintain_order=True).select("cluster", "cuid")


def _founded(history: pl.DataFrame) -> pl.DataFrame:
    """Return cuid, founding_record_id, created_at."""
    created = history.filter(pl.col("event") == "created").sort("happened_at")
    return created.unique("cuid", keep="first", maintain_order=True).select(
        "cuid", "founding_record_id", created_at="happened_at"
    )


def _revive(clusters: pl.DataFrame, held: pl.DataFrame, carried: pl.DataFrame, known: Known) -> pl.DataFrame:
    """Return cluster, cuid, other_cuid of clusters that take back the id they had before they were merged into another customer.

    It is undone what was merged: the cluster comes out of the customer that its id was merged into, and most of its records that
    ever had such an id had this one (tie: the oldest id).
    """
    # of an id that came back already the last word is that it did, whoever holds it now
    told = known.history.filter(pl.col("event").is_in(_FATES)).sort("happened_at", "event").unique("cuid", keep="last")
    ended = told.filter(pl.col("event") == "merged_into").select("cuid", "other_cuid")
    erased = known.history.filter(pl.col("event") == "erased")["cuid"]
    ended = ended.filter(~pl.col("cuid").is_in(pl.concat([held["before_cuid"], erased]).implode()))
    without = clusters.join(carried, on="cluster", how="anti").join(held, on="record_id", how="inner")
    former = known.crosswalk.drop_nulls("cuid").select("record_id", "cuid").unique()
    could = (
        without.join(former, on="record_id", how="inner")
        .join(ended, on="cuid", how="inner")
        .filter(pl.col("before_cuid") == pl.col("other_cuid"))
        .group_by("cluster", "cuid", "other_cuid")
        .len()
        .join(_founded(known.history), on="cuid", how="left")
        .sort("len", "created_at", "cuid", descending=[True, False, False])
    )
    chosen = could.unique("cluster", keep="first", maintain_order=True).unique("cuid", keep="first", maintain_order=True)
    return chosen.select("cluster", "cuid", "other_cuid")


def _mint(clusters: pl.DataFrame, carried: pl.DataFrame, known: Known, mint: Mint) -> pl.DataFrame:
    """Return cluster, cuid, founding_record_id of clusters without a known id; the smallest record id founds.

    An erased customer is not known by its founding record any more, so an id that was given before is passed over.
    """
    founders = clusters.select("cluster").unique().join(carried, on="cluster", how="anti").sort("cluster")
    earlier = _founded(known.history).group_by("founding_record_id").agg(nth=pl.len().cast(pl.Int64))
    founders = founders.join(earlier, left_on="cluster", right_on="founding_record_id", how="left", maintain_order="left")
    nth, given = founders["nth"].fill_null(0), known.given.implode()
    minted = mint(founders["cluster"], nth)
    while (is_given := minted.is_in(given)).any():
        nth += is_given.cast(pl.Int64)
        minted = mint(founders["cluster"], nth)
    return founders.select("cluster", cuid=minted, founding_record_id="cluster")


def _moves(current: pl.DataFrame, before: pl.DataFrame, records: pl.DataFrame, *, run_id: str, now: datetime) -> pl.DataFrame:
    """Return the rows of crosswalk to append.

    A key that the contract has called personal since is another one, a token: the readable one must not stay the current one.
    """
    last = before.select("record_id", "version", before_cuid="cuid", before_key="source_key")
    present = (
        current.join(records.select("record_id", "source_system", "source_key"), on="record_id", how="left")
        .join(last, on="record_id", how="left")
        .filter(pl.col("cuid").ne_missing(pl.col("before_cuid")) | pl.col("source_key").ne_missing(pl.col("before_key")))
    )
    gone = before.drop_nulls("cuid").join(current, on="record_id", how="anti").with_columns(cuid=pl.lit(None, pl.String))
    moved = pl.concat(
        [present.drop("before_cuid", "before_key"), gone.select("record_id", "cuid", "source_system", "source_key", "version")]
    )
    return (
        moved.with_columns(
            version=pl.col("version").fill_null(0) + 1,
            run_id=pl.lit(run_id),
            valid_from_at=pl.lit(now, CROSSWALK.types["valid_from_at"]),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in CROSSWALK.types.items())
        .sort("record_id")
    )


def _merged(homes: pl.DataFrame, carried: pl.DataFrame) -> pl.DataFrame:
    """Return cuid, other_cuid: customers whose home goes on under the id of an older one."""
    owners = carried.rename({"cuid": "other_cuid"})
    return (
        homes.join(owners, on="cluster", how="inner").filter(pl.col("cuid") != pl.col("other_cuid")).select("cuid", "other_cuid")
    )


def _split(current: pl.DataFrame, held: pl.DataFrame, minted: pl.DataFrame) -> pl.DataFrame:
    """Return cuid, other_cuid: new customers, and the known one that most of their records come from (tie: the smallest id)."""
    came_from = current.join(minted, on="cuid", how="semi").join(held, on="record_id", how="inner")
    counted = came_from.group_by("cuid", "before_cuid").len().sort("cuid", "len", "before_cuid", descending=[False, True, False])
    return counted.unique("cuid", keep="first", maintain_order=True).select("cuid", other_cuid="before_cuid")


def _history(happened: list[pl.DataFrame], *, run_id: str, now: datetime) -> pl.DataFrame:
    """Return the rows of cuid_history to append."""
    return (
        pl.concat([CUID_HISTORY.empty().drop("run_id", "happened_at"), *happened], how="diagonal")
        .with_columns(run_id=pl.lit(run_id), happened_at=pl.lit(now, CUID_HISTORY.types["happened_at"]))
        .select(CUID_HISTORY.types.names())
        .sort("cuid", "event")
    )
