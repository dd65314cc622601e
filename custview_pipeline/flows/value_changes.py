"""What becomes of the values of customers that go on: which would be others, and which would come from elsewhere."""

from typing import Final

import polars as pl

from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.golden_tables import GOLDEN_RECORDS, OPEN_VALUE, POINTER
from custview_pipeline.flows.stored_claims import stored_claims
from custview_pipeline.flows.touched import is_of
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.versions import newest

ANOTHER: Final = "another"  # another value wins, or may: one that cannot be compared may be the same
SAME_ELSEWHERE: Final = "same_elsewhere"  # an equal value of another record wins
GAINED: Final = "gained"
LOST: Final = "lost"
CONTESTED: Final = "contested"  # it becomes so
SETTLED: Final = "settled"  # it is contested no more
KEPT: Final = "kept"  # other values, more or fewer of them, are kept beside it
CHANGES: Final = (ANOTHER, GAINED, LOST, SAME_ELSEWHERE, CONTESTED, SETTLED, KEPT)

VALUE_CHANGES: Final = pl.Schema(
    {"attribute": pl.String, "change": pl.String, "cuid": pl.String, "before_id": pl.Int64, "after_id": pl.Int64}
)
_PLACE: Final = ("record_id", "record_version", "slot")
_SIDES: Final = ("before", "after")
_SAID: Final = pl.Schema(
    {"record_id": pl.Int64, "record_version": pl.Int32, "attribute": pl.String, "slot": pl.Int16, "token": pl.Int64}
)


def value_changes(lake: Snapshot, golden: pl.DataFrame, feed: pl.DataFrame) -> pl.DataFrame:
    """Return ``VALUE_CHANGES``: a row for each change of a value of a customer that has a golden record before and after.

    Args:
        lake: The lake before.
        golden: Rows of golden_records that come.
        feed: Rows of change_feed that come with them.

    Returns:
        attribute, change (of ``CHANGES``), cuid, and the records that the value comes from before and after; by attribute, change
        and cuid.

    Raises:
        IndexOutdated: The match index was made by other rules than today's.
    """
    coming = golden.filter("is_active")
    held = newest(lake.read(GOLDEN_RECORDS.name, ["cuid", "version", "is_active"], where=is_of(coming["cuid"])), ["cuid"])
    going_on = held.filter("is_active").select("cuid", "version")
    coming = coming.join(going_on, on="cuid", how="semi")
    others = feed.filter(pl.col("event") == "updated").select("cuid", attribute="changed_attributes").explode("attribute")
    differing = []
    for attribute in GOLDEN_ATTRIBUTES:
        # One attribute at a time: all columns of all golden records would not fit in memory.
        stored = lake.read(GOLDEN_RECORDS.name, ["cuid", "version", attribute], where=is_of(going_on["cuid"]))
        before = _winners(stored.join(going_on, on=["cuid", "version"], how="semi"), attribute, "before")
        told = others.filter(pl.col("attribute") == attribute).select("cuid", is_told=pl.lit(value=True))
        both = before.join(_winners(coming, attribute, "after"), on="cuid", how="left").join(told, on="cuid", how="left")
        differing.append(_differing(both, attribute))
    return _named(_compared(lake, pl.concat(differing)))


def _winners(golden: pl.DataFrame, attribute: str, when: str) -> pl.DataFrame:
    """Return the fields of the value of each customer, and what it says where it is open."""
    shape = OPEN_VALUE if GOLDEN_ATTRIBUTES[attribute].is_open else POINTER
    fields = [pl.col(attribute).struct.field(field.name).alias(f"{field.name}_{when}") for field in shape.fields]
    return golden.select("cuid", *fields)


def _differing(both: pl.DataFrame, attribute: str) -> pl.DataFrame:
    """Return the values of which anything differs, and what; whether it is another one is open where ``is_another`` is null."""
    had, has = pl.col("record_id_before").is_not_null(), pl.col("record_id_after").is_not_null()
    was, becomes = (pl.col(f"is_contested_{when}").fill_null(value=False) for when in _SIDES)
    moves = pl.any_horizontal(pl.col(f"{name}_before") != pl.col(f"{name}_after") for name in _PLACE)
    unknown = pl.when(~moves).then(pl.lit(value=False))
    flags = {
        "moves": had & has & moves,
        "is_another": (pl.col("value_before") != pl.col("value_after")) if "value_after" in both.columns else unknown,
        GAINED: ~had & has,
        LOST: had & ~has,
        CONTESTED: becomes & ~was,
        SETTLED: was & ~becomes,
        "is_told": had & has & pl.col("is_told").fill_null(value=False),
        "counts_differ": had & has & (pl.col("kept_count_before") != pl.col("kept_count_after")),
    }
    places = [f"{name}_{when}" for when in _SIDES for name in _PLACE]
    told = both.select("cuid", pl.lit(attribute).alias("attribute"), *places, **flags)
    return told.filter(pl.any_horizontal(pl.col(*flags).fill_null(value=False)))


def _compared(lake: Snapshot, differing: pl.DataFrame) -> pl.DataFrame:
    """Fill ``is_another`` where it is open, by the tokens of what both records say: they are equal where the values are."""
    is_open = pl.col("moves") & pl.col("is_another").is_null()
    asked = differing.filter(is_open)
    ids = pl.concat([asked[f"record_id_{when}"].alias("record_id") for when in _SIDES]).unique()
    said = pl.DataFrame(schema=_SAID)
    if not ids.is_empty():
        wanted = [pl.col("version").alias(name) if name == "record_version" else pl.col(name) for name in _SAID]
        parts = (part.select(wanted).cast(_SAID) for part in stored_claims(lake, ids))
        said = pl.concat([said, *parts]).unique(["record_id", "record_version", "attribute", "slot"])
    for when in _SIDES:
        named = {name: f"{name}_{when}" for name in (*_PLACE, "token")}
        places = ["attribute", *(named[name] for name in _PLACE)]
        differing = differing.join(said.rename(named), on=places, how="left", maintain_order="left")
    differs = (pl.col("token_before") != pl.col("token_after")).fill_null(value=True)
    return differing.with_columns(is_another=pl.when(is_open).then(differs).otherwise("is_another").fill_null(value=False))


def _named(compared: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each kind of change."""
    is_another, moves = pl.col("is_another"), pl.col("moves")
    kinds = {
        ANOTHER: is_another,
        SAME_ELSEWHERE: moves & ~is_another,
        # What is told of a value that comes from where it came from is told of those that are kept beside it.
        KEPT: pl.col("counts_differ") | (pl.col("is_told") & ~is_another & ~moves),
        **{change: pl.col(change) for change in (GAINED, LOST, CONTESTED, SETTLED)},
    }
    columns = {"before_id": "record_id_before", "after_id": "record_id_after"}
    found = [
        compared.filter(is_so).select("attribute", change=pl.lit(change), cuid="cuid", **columns)
        for change, is_so in kinds.items()
    ]
    return pl.concat(found).sort("attribute", "change", "cuid").cast(VALUE_CHANGES)
