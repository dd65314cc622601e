"""Which of several rows of one delivery that have the same key counts."""

from typing import Final

import polars as pl

COUNTS: Final = "counts"
_SUPERSEDED: Final = "superseded"
_CONFLICTING: Final = "conflicting"
_REPEATED: Final = "repeated"


def judge_rivals(survey: pl.DataFrame, *, is_snapshot: bool) -> pl.Series:
    """Return of each row ``COUNTS``, or what else it is for another row with its key: superseded, conflicting, repeated.

    In a delivery of changes the newest row by updated_at counts, and older ones are superseded, where all rows of the key tell
    their time. Rows that are left and say different things conflict; of rows that say the same, one counts, the newest or
    first, and the others repeat it. In a snapshot a row that calls its record deleted is superseded by one that does not. It
    never conflicts itself: there is no row of a deleted record to be set aside.

    Args:
        survey: ``changes.SURVEY``.
        is_snapshot: Whether the delivery holds every record; otherwise it holds changes.
    """
    is_rival = survey["record_id"].is_duplicated() & survey["record_id"].is_not_null()
    verdict = pl.repeat(COUNTS, survey.height, dtype=pl.String, eager=True).alias("rival")
    if not is_rival.any():
        return verdict
    places = is_rival.arg_true()
    rivals = survey[places]
    return verdict.scatter(places, rivals.select(_verdict(is_snapshot=is_snapshot)).to_series())


def _verdict(*, is_snapshot: bool) -> pl.Expr:
    of_key = "record_id"
    moment, is_living = pl.col("updated_at"), ~pl.col("is_deleted")
    if is_snapshot:
        is_outdone = pl.col("is_deleted") & is_living.any().over(of_key)
    else:
        is_timed = moment.is_not_null().all().over(of_key)
        is_outdone = (is_timed & (moment < moment.max().over(of_key))).fill_null(value=False)
    said = pl.when(~is_outdone).then(pl.when(is_living).then(pl.format("{}", "content_digest")).otherwise(pl.lit("deleted")))
    is_contested = said.drop_nulls().n_unique().over(of_key) > 1
    newest = pl.when(~is_outdone).then(moment).max().over(of_key)
    is_newest = ~is_outdone & moment.eq_missing(newest)
    place = pl.int_range(pl.len())
    is_first = place == pl.when(is_newest).then(place).min().over(of_key)
    return (
        pl.when(is_outdone | (is_contested & pl.col("is_deleted")))
        .then(pl.lit(_SUPERSEDED))
        .when(is_contested)
        .then(pl.lit(_CONFLICTING))
        .when(is_first)
        .then(pl.lit(COUNTS))
        .otherwise(pl.lit(_REPEATED))
    )
