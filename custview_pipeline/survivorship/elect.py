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
_AGREES, _INVALID, _TIE = "agrees", "invalid", "tie_smaller_record_id"
# What the winner had over the candidate next to it, by why that one lost.
_WON_BECAUSE: Final = {
    _AGREES: "confirmed_by_others",
    _INVALID: "valid",
    _TIE: _TIE,
    **{lost: strategy for strategy, lost in _LOST_BECAUSE.items()},
}
_ALONE: Final = "only_candidate"
REASONS: Final = pl.Enum(sorted({_ALONE, *_WON_BECAUSE, *_WON_BECAUSE.values()}))
"""Every reason why a candidate won or lost."""

_GROUP: Final = "election"
_LAST: Final = ("record_id", "slot")  # the smallest wins, so that equal candidates always end alike


def elect(claims: pl.DataFrame, strategies: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """Rank the candidates of each attribute of each customer.

    A valid value always goes before an invalid one; then the strategies of the attribute decide, in order; then the smaller
    record id and slot. The order of rows does not matter.

    Args:
        claims: ``survivorship.claims.CLAIM_COLUMNS``.
        strategies: Names of strategies by attribute, in order of preference.

    Returns:
        The claims and ``rank`` (1 is the winner), ``reason`` (why it won or lost, of ``REASONS``) and ``is_contested`` (another
        valid value is trusted no less than the winner), in the order of cuid, attribute, rank.
    """
    by_strategies: dict[tuple[str, ...], list[str]] = {}
    for attribute, names in strategies.items():
        by_strategies.setdefault(tuple(names), []).append(attribute)
    dtype = claims.schema["attribute"]
    ranked = [
        _rank(claims.filter(pl.col("attribute").is_in(pl.Series(attributes, dtype=dtype).implode())), names)
        for names, attributes in by_strategies.items()
    ]
    return ranked[0] if len(ranked) == 1 else pl.concat(ranked).sort(_GROUP, "rank")


def _rank(claims: pl.DataFrame, names: tuple[str, ...]) -> pl.DataFrame:
    """Rank the candidates of attributes that share their strategies."""
    criteria = ["is_valid", *(_CRITERIA[name] for name in names)]
    ordered = claims.sort(
        _GROUP,
        *criteria,
        *_LAST,
        descending=[False] + [True] * len(criteria) + [False] * len(_LAST),
        nulls_last=True,
    )
    # Rows of a group lie together, its winner first: what the winner has is found by its place.
    place = pl.int_range(pl.len(), dtype=pl.UInt32)
    is_first = pl.col(_GROUP).ne_missing(pl.col(_GROUP).shift())
    placed = ordered.with_columns(first=pl.when(is_first).then(place).forward_fill())
    compared = {column: pl.col(column).gather("first") for column in dict.fromkeys((*criteria, "token", "trust_score"))}
    judged = (
        placed.with_columns(
            rank=(place - pl.col("first") + 1).cast(pl.Int32),
            **{f"winner_{column}": value for column, value in compared.items()},
        )
        .with_columns(lost_because=_why_lost(names))
        .with_columns(reason=pl.when(pl.col("rank") > 1).then("lost_because").otherwise(_why_won()))
    )
    rivals = judged.filter(_is_rival())["first"].unique()
    return judged.with_columns(is_contested=pl.col("first").is_in(rivals.implode())).select(
        *claims.columns, "rank", "reason", "is_contested"
    )


def _is_rival() -> pl.Expr:
    """Return whether a candidate contests the winner: it is valid, says something else, and is trusted no less."""
    differs = pl.col("token") != pl.col("winner_token")
    return (pl.col("is_valid") & differs & (pl.col("trust_score") >= pl.col("winner_trust_score"))).fill_null(value=False)


def _why_lost(names: tuple[str, ...]) -> pl.Expr:
    """Name the first criterion on which a candidate falls behind the winner; an equal value agrees rather than loses."""
    agrees = pl.when(pl.col("token") == pl.col("winner_token")).then(_reason(_AGREES))
    reason = agrees.when(pl.col("is_valid") != pl.col("winner_is_valid")).then(_reason(_INVALID))
    for name in names:
        column = _CRITERIA[name]
        reason = reason.when(pl.col(column).ne_missing(pl.col(f"winner_{column}"))).then(_reason(_LOST_BECAUSE[name]))
    return reason.otherwise(_reason(_TIE))


def _why_won() -> pl.Expr:
    """Name what the winner had over the candidate next to it."""
    is_alone = (pl.col("first").shift(-1) != pl.col("first")).fill_null(value=True)
    beaten = pl.col("lost_because").shift(-1).replace_strict(_WON_BECAUSE, default=_ALONE, return_dtype=REASONS)
    return pl.when(is_alone).then(_reason(_ALONE)).otherwise(beaten)


def _reason(name: str) -> pl.Expr:
    return pl.lit(name, REASONS)
