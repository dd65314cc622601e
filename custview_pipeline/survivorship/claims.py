"""Claims: what each record of a customer says about each attribute, with all that rules may look at. Nothing is decrypted."""

from datetime import date
from typing import Final

import numpy as np
import polars as pl

from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.survivorship.criteria import age_in_days

ATTRIBUTES: Final = pl.Enum(sorted(GOLDEN_ATTRIBUTES))
"""Attributes as claims name them: numbers are sorted and compared in a fraction of the time that texts take."""

INVALID_TRUST: Final = 0.5  # a value that broke its field standard is trusted half as much

CLAIM_COLUMNS: Final = (
    "election", "cuid", "attribute", "record_id", "record_version", "slot", "token", "open_value", "source_system", "updated_at",
    "is_valid", "length", "part_count", "trust_score", "trust_order", "steady_trust", "vote_count", "source_count",
)  # fmt: skip
_DAY_ZERO: Final = date(1970, 1, 1)  # as polars counts days
_DIGITS: Final = 9  # of trust that decays: what differs by the noise of floating point alone is equal


def own_claims(index_claims: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    """Return the claims of the records that somebody owns, with cuid, source_system, updated_at and ``is_current``.

    Args:
        index_claims: ``CLAIMS`` of the match index, of any version; those of former versions are not current.
        owners: record_id, version, cuid, source_system, updated_at: one row a current record.
    """
    # Claims are many and wide: a join of their ids beside a filter costs less than half of a join.
    current = owners.select("record_id", "cuid", "source_system", "updated_at", current_version="version")
    found = index_claims.select("record_id", "version").join(current, on="record_id", how="left", maintain_order="left")
    is_current = pl.col("version") == pl.col("current_version")
    owned = found.select("cuid", "source_system", "updated_at", is_current=is_current)
    has_owner = found["cuid"].is_not_null()
    return index_claims.filter(has_owner).hstack(owned.filter(has_owner))


def weigh_claims(claims: pl.DataFrame, trust: pl.DataFrame, *, today: date) -> pl.DataFrame:
    """Add how far the source of each claim is trusted, and how many others say the same.

    Args:
        claims: Current ones of ``own_claims``; cuid is Enum, attribute of ``ATTRIBUTES``.
        trust: source_system, attribute, trust (0 to 1), half_life_days (Float64; null: age takes no trust): one row a pair.
        today: The day that ages are counted to.

    Returns:
        ``CLAIM_COLUMNS``, by election. ``vote_count`` is how many records of the customer give an equal value, ``source_count``
        how many source systems; a value that cannot be compared stands alone. ``trust_score`` is halved for an invalid value,
        and for each half-life since the record changed; one whose source does not tell when is as old as one half-life.
        ``trust_order`` is larger where trust is, among claims of one half-life, also where so many passed that ``trust_score``
        is 0 for all of them. ``steady_trust`` is equal on any two days, and differs where trust, half-life or the time of the
        change does.
    """
    told = ["source_system", "attribute"]
    stated = trust.with_columns(pl.col(name).cast(claims.schema[name], strict=False) for name in told).drop_nulls(told)
    numbered = claims.rename({"version": "record_version"}).with_columns(number_elections(claims))
    # What belongs together lies together from here on: whatever sorts or counts it after that costs a fraction.
    weighed = numbered.sort("election").join(stated, on=told, how="left", maintain_order="left")
    lasting = pl.when("is_valid").then(pl.col("trust")).otherwise(pl.col("trust") * INVALID_TRUST).fill_null(0.0)
    scored = weighed.with_columns(*_votes(weighed), trust_score=lasting)
    decays = stated["half_life_days"].is_not_null().any()
    weighted = _decayed(scored, today) if decays else scored.with_columns(trust_order="trust_score", steady_trust="trust_score")
    return weighted.select(CLAIM_COLUMNS)


def _decayed(scored: pl.DataFrame, today: date) -> pl.DataFrame:
    """Take trust from claims of attributes with a half-life: trust * 2 ** -(age / half-life)."""
    half_lives = (age_in_days(today) / pl.col("half_life_days")).fill_null(1.0)
    day = pl.col("updated_at").dt.date().cast(pl.Int32)
    # The logarithm of trust falls by the same amount for all each day: with the day of the change added, none falls.
    lasting = pl.col("trust_score").log(2)
    steady = lasting + (day / pl.col("half_life_days")).fill_null(-1.0)
    now = (today - _DAY_ZERO).days
    order = lasting + day.clip(upper_bound=now).fill_null(now - pl.col("half_life_days")) / pl.col("half_life_days")
    has_half_life = pl.col("half_life_days").is_not_null()
    return scored.with_columns(
        trust_score=pl.when(has_half_life)
        .then((pl.col("trust_score") * 2.0**-half_lives).round(_DIGITS))
        .otherwise("trust_score"),
        trust_order=pl.when(pl.col("trust_score") == 0)
        .then(float("-inf"))
        .when(has_half_life)
        .then(order.round(_DIGITS))
        .otherwise("trust_score"),
        steady_trust=pl.when(has_half_life).then(steady.round(_DIGITS)).otherwise("trust_score"),
    )


def number_elections(claims: pl.DataFrame) -> pl.Series:
    """Return ``election``: a number for the customer and the attribute of each claim, in their order."""
    number = pl.col("cuid").to_physical().cast(pl.Int64) * len(ATTRIBUTES.categories) + pl.col("attribute").to_physical()
    return claims.select(election=number).to_series()


def _votes(claims: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """Return vote_count and source_count of each claim."""
    same = ["election", "token", "source_system", "record_id"]
    keys = claims.select(same).with_columns(pl.col("source_system").rank("dense"))
    order = keys.select(pl.arg_sort_by(same)).to_series()
    ordered = keys[order]
    # Equal values are a run of rows, in which each source and each record counts where it is first named.
    begins = ordered.select(pl.col(name).ne_missing(pl.col(name).shift()) for name in same).to_numpy()
    begins[:1] = True
    is_first = np.logical_or.accumulate(begins, axis=1)[:, 1:]
    runs = np.flatnonzero(is_first[:, 0])
    lengths = np.diff(np.append(runs, len(is_first)))
    counted = []
    for name, column in (("vote_count", 2), ("source_count", 1)):
        counts = np.empty(len(is_first), np.int32)
        counts[order.to_numpy()] = np.repeat(np.add.reduceat(is_first[:, column].astype(np.int32), runs), lengths)
        alone = claims.select(pl.when(pl.col("token").is_null()).then(1).otherwise(pl.Series(counts)).cast(pl.Int32).alias(name))
        counted.append(alone.to_series())
    return counted[0], counted[1]
