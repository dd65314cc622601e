"""What became of customers, as rows of the change feed: the names of what changed, never a value."""

from datetime import datetime
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.attribute_names import list_names
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.golden_tables import CHANGE_FEED
from custview_pipeline.survivorship.golden import GoldenChange

_POINTER: Final = ("record_id", "record_version", "slot")
WINNER: Final = ("cuid", "attribute", *_POINTER)
"""A value that won, and where it comes from: columns of golden_lineage."""
KEPT: Final = (*WINNER, "rank")
"""A value that is kept, and whether it is the winner's (1)."""
_VALUE: Final = ("cuid", "attribute")


class Told(NamedTuple):
    """What a change of golden records is explained by.

    Attributes:
        history: Rows of cuid_history that tell of a merge, a split or an end, of these customers.
        won: ``KEPT`` of the golden records that held before, of customers that go on.
        said: ``WINNER`` and token of what the records that these customers have now say, or said in a former version; tokens are
            equal where values are.
    """

    history: pl.DataFrame
    won: pl.DataFrame
    said: pl.DataFrame


def tell_changes(change: GoldenChange, told: Told, *, after: int, run_id: str, now: datetime) -> pl.DataFrame:
    """Return a row of change_feed for each golden record that got a new version.

    Args:
        change: What is appended to golden_records.
        told: Merges, splits and what records say.
        after: The last sequence number that was given.
        run_id: The run.
        now: When the new versions begin to hold, UTC.
    """
    known = change.before.select("cuid", was_active="is_active")
    events = change.records.join(known, on="cuid", how="left", maintain_order="left")
    for event, column in (("merged_into", "heir"), ("split_from", "origin")):
        found = _last_events(told.history).filter(pl.col("event") == event).select("cuid", pl.col("other_cuid").alias(column))
        events = events.join(found, on="cuid", how="left", maintain_order="left")
    rows = events.with_columns(
        event=_event(),
        other_cuid=pl.when(~pl.col("is_active")).then("heir").when(pl.col("was_active").is_null()).then("origin"),
        changed_attributes=_changed_attributes(events, change.lineage, told),
    )
    return number_changes(rows.rename({"version": "golden_version"}), after=after, run_id=run_id, now=now)


def cleared_values(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Return cuid, golden_version, changed_attributes of the golden records that lost a value without a new version.

    Args:
        before: Rows of golden_records, one a customer.
        after: The same rows without some of their values.
    """
    lost = {name: after[name].is_null() & before[name].is_not_null() for name in GOLDEN_ATTRIBUTES}
    names = list_names(after, {name: pl.lit(flags) for name, flags in lost.items()})
    told = after.select("cuid", "is_active", names.alias("changed_attributes"), golden_version="version")
    concerned = told.filter(pl.col("is_active") & (pl.col("changed_attributes").list.len() > 0))
    return concerned.select("cuid", "golden_version", "changed_attributes")


def number_changes(rows: pl.DataFrame, *, after: int, run_id: str, now: datetime) -> pl.DataFrame:
    """Return rows of change_feed, numbered on from ``after``.

    Args:
        rows: cuid, golden_version, event, other_cuid, changed_attributes; change_id where it is another than of these.
        after: The last sequence number that was given.
        run_id: The run.
        now: When it happened, UTC.
    """
    named = pl.concat_str("cuid", pl.col("golden_version").cast(pl.String), "event", separator="-", ignore_nulls=True)
    identified = rows if "change_id" in rows.columns else rows.with_columns(change_id=named)
    return identified.with_columns(
        sequence=pl.int_range(after + 1, after + 1 + pl.len(), dtype=pl.Int64),
        run_id=pl.lit(run_id),
        happened_at=pl.lit(now, CHANGE_FEED.types["happened_at"]),
    ).select(pl.col(name).cast(dtype) for name, dtype in CHANGE_FEED.types.items())


def _last_events(history: pl.DataFrame) -> pl.DataFrame:
    """Return the last of the events of each customer."""
    return history.sort("cuid", "happened_at", "event").unique("cuid", keep="last", maintain_order=True)


def _event() -> pl.Expr:
    """Name what happened to a customer."""
    ended = pl.when(pl.col("heir").is_not_null()).then(pl.lit("merged")).otherwise(pl.lit("retired"))
    began = pl.when(pl.col("origin").is_not_null()).then(pl.lit("split")).otherwise(pl.lit("created"))
    went_on = pl.when("was_active").then(pl.lit("updated")).otherwise(pl.lit("reactivated"))
    return pl.when(~pl.col("is_active")).then(ended).when(pl.col("was_active").is_null()).then(began).otherwise(went_on)


def _changed_attributes(events: pl.DataFrame, lineage: pl.DataFrame, told: Told) -> pl.Series:
    """Return of each event the names of the attributes that changed; of a customer that begins anew all that it has."""
    begins = pl.col("is_active") & ~pl.col("was_active").fill_null(value=False)
    given = list_names(events, {name: begins & pl.col(name).is_not_null() for name in GOLDEN_ATTRIBUTES})
    is_winner = pl.col("rank") == 1
    going_on = events.filter("is_active", "was_active").select("cuid")
    former, held = (side.join(going_on, on="cuid", how="semi") for side in (told.won, lineage.filter("is_kept").select(KEPT)))
    moved = _moved_values(_of(former, is_winner), _of(held, is_winner))
    before, after = (_tokens(moved, told.said, suffix) for suffix in ("", "_after"))
    won = moved.filter((before != after).fill_null(value=True)).select(_VALUE)
    beside = _changed_beside(_of(former, ~is_winner), _of(held, ~is_winner), told.said)
    differ = pl.concat([won, beside]).unique().sort(_VALUE)
    found = differ.group_by("cuid").agg(changed="attribute")
    listed = events.select("cuid").with_columns(given=given).join(found, on="cuid", how="left", maintain_order="left")
    return listed.select(pl.coalesce("changed", "given")).to_series()


def _of(kept: pl.DataFrame, which: pl.Expr) -> pl.DataFrame:
    return kept.filter(which).select(WINNER)


def _moved_values(won: pl.DataFrame, wins: pl.DataFrame) -> pl.DataFrame:
    """Return ``WINNER``, and where it comes from now (``_after``), of values that come from elsewhere than before."""
    joined = won.join(wins, on=_VALUE, how="full", coalesce=True, suffix="_after")
    return joined.filter(pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_after")) for name in _POINTER))


def _changed_beside(before: pl.DataFrame, after: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
    """Return cuid, attribute where the values that are kept beside the winner, or added to it, are others than before."""
    lists = [
        side.join(said, on=WINNER, how="left").group_by(_VALUE).agg(tokens=pl.col("token").sort(nulls_last=True))
        for side in (before, after)
    ]
    joined = lists[0].join(lists[1], on=_VALUE, how="full", coalesce=True, suffix="_after")
    is_unknown = pl.col("tokens").list.eval(pl.element().is_null()).list.any()
    differs = pl.col("tokens").ne_missing(pl.col("tokens_after")) | is_unknown.fill_null(value=False)
    return joined.filter(differs).select(_VALUE)


def _tokens(moved: pl.DataFrame, said: pl.DataFrame, suffix: str) -> pl.Series:
    """Return the token of the value on one side; null where there is none, or the record does not say it any more."""
    places = ["cuid", "attribute", *(f"{name}{suffix}" for name in _POINTER)]
    return moved.select(places).join(said, left_on=places, right_on=list(WINNER), how="left", maintain_order="left")["token"]
