"""Elects the value of each attribute that speaks for a customer, and says why each rival lost."""

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

RULES_VERSION: Final = "1"  # raise it where the same claims would be judged otherwise: golden records are then elected anew

# What each strategy looks at; the larger value wins.
_CRITERIA: Final[Mapping[str, str]] = {
    "most_trusted": "trust_score",
    "most_recent": "updated_at",
    "most_frequent": "vote_count",
    "most_complete": "part_count",
    "longest": "length",
}
_LOST_BECAUSE: Final[Mapping[str, str]] = {
    "most_trusted": "less_trusted",
    "most_recent": "less_recent",
    "most_frequent": "less_frequent",
    "most_complete": "less_complete",
    "longest": "shorter",
}
_GROUP: Final = ("cuid", "attribute")
_TIE: Final = ("record_id", "slot")  # the smallest wins, so that equal candidates always end alike


def elect(claims: pl.DataFrame, strategies: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """Rank the candidates of each attribute of each customer.

    A valid value always goes before an invalid one; then the strategies of the attribute decide, in order; then the smaller
    record id and slot. The order of rows does not matter.

    Args:
        claims: ``survivorship.claims.CLAIM_COLUMNS``.
        strategies: Names of strategies by attribute, in order of preference.

    Returns:
        The claims and ``rank`` (1 is the winner), ``reason`` (why it won or lost) and ``is_contested`` (of the winner:
        another valid value is trusted no less), in the order of cuid, attribute, rank.
    """
    by_strategies: dict[tuple[str, ...], list[str]] = {}
    for attribute, names in strategies.items():
        by_strategies.setdefault(tuple(names), []).append(attribute)
    ranked = [_rank(claims.filter(pl.col("attribute").is_in(attributes)), names) for names, attributes in by_strategies.items()]
    return pl.concat(ranked).sort(*_GROUP, "rank")


def _rank(claims: pl.DataFrame, names: tuple[str, ...]) -> pl.DataFrame:
    """Rank the candidates of attributes that share their strategies."""
    criteria = ["is_valid", *(_CRITERIA[name] for name in names)]
    ordered = claims.sort(
        *_GROUP,
        *criteria,
        *_TIE,
        descending=[False] * len(_GROUP) + [True] * len(criteria) + [False] * len(_TIE),
        nulls_last=True,
    )
    rank = pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over(_GROUP)
    ordered = ordered.with_columns(rank=rank)
    best = {column: pl.col(column).first().over(_GROUP) for column in dict.fromkeys((*criteria, "token", "trust_score"))}
    winners = ordered.with_columns(**{f"winner_{column}": value for column, value in best.items()})
    judged = winners.with_columns(
        lost_because=_why_lost(names), is_rival=pl.col("is_valid") & (pl.col("token") != pl.col("winner_token"))
    ).with_columns(
        is_contested=(pl.col("is_rival") & (pl.col("trust_score") >= pl.col("winner_trust_score"))).any().over(_GROUP),
        best_rival=pl.col("lost_because").filter(pl.col("rank") > 1).first().over(_GROUP),
        candidate_count=pl.len().over(_GROUP),
    )
    won_because = pl.when(pl.col("candidate_count") == 1).then(pl.lit("only_candidate")).otherwise(_why_won(names))
    return judged.with_columns(reason=pl.when(pl.col("rank") == 1).then(won_because).otherwise("lost_because")).select(
        *claims.columns, "rank", "reason", "is_contested"
    )


def _why_lost(names: tuple[str, ...]) -> pl.Expr:
    """Name the first criterion on which a candidate falls behind the winner; an equal value agrees rather than loses."""
    agrees = pl.when(pl.col("token") == pl.col("winner_token")).then(pl.lit("agrees"))
    reason = agrees.when(pl.col("is_valid") != pl.col("winner_is_valid")).then(pl.lit("invalid"))
    for name in names:
        column = _CRITERIA[name]
        reason = reason.when(pl.col(column).ne_missing(pl.col(f"winner_{column}"))).then(pl.lit(_LOST_BECAUSE[name]))
    return reason.otherwise(pl.lit("tie_smaller_record_id"))


def _why_won(names: tuple[str, ...]) -> pl.Expr:
    """Name what the winner had over the candidate next to it."""
    won = {"agrees": "confirmed_by_others", "invalid": "valid", "tie_smaller_record_id": "tie_smaller_record_id"}
    return pl.col("best_rival").replace_strict(won | {_LOST_BECAUSE[name]: name for name in names})
