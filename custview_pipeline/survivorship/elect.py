"""Elects the value of each attribute that speaks for a customer, and says why each rival lost."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

import polars as pl
from polars.expr.whenthen import ChainedThen, Then

from custview_pipeline.contracts.survivorship_rules import ElectionRule
from custview_pipeline.survivorship.criteria import Criterion, criteria_of, names_of
from custview_pipeline.survivorship.pins import pinned_elections
from custview_pipeline.survivorship.reasons import AGREES, ALONE, OVERRIDDEN, PINNED, REASONS, TIE, WON_BECAUSE
from custview_pipeline.survivorship.sums import add_up

RULES_VERSION: Final = "3"  # raise it where the same claims would be judged otherwise: golden records are then elected anew

JUDGED: Final = ("rank", "reason", "is_contested", "is_kept", "kept_count")
_GROUP: Final = "election"
_LAST: Final = ("record_id", "slot")  # the smallest wins, so that equal candidates always end alike
_SURE: Final = 1.0  # trust in what a steward chose


def elect(claims: pl.DataFrame, rules: Mapping[str, ElectionRule], pins: pl.DataFrame, *, today: date) -> pl.DataFrame:
    """Rank the candidates of each attribute of each customer.

    What a steward decided goes first, the newest decision before the others; then a valid value before an invalid one; then the
    preferences of the attribute, in order; then the smaller record id and slot. The order of rows does not matter.

    Args:
        claims: ``survivorship.claims.CLAIM_COLUMNS``.
        rules: The rule by attribute.
        pins: What stewards decided, ``survivorship.pins.PINS``.
        today: The day that ages are counted to.

    Returns:
        The claims and ``JUDGED``, in the order of cuid, attribute, rank: ``rank`` (1 is the winner), ``reason`` (why it won or
        lost, of ``REASONS``), ``is_contested`` (another valid value is trusted no less than the winner, and no steward decided),
        ``is_kept`` (its value is in the golden record), ``kept_count`` (how many are). Of a sum, the first candidate has the
        sum as its ``open_value``, the least trust in a part, and the sources of all parts.
    """
    if pins.is_empty():
        return _elect(claims, rules, today, has_pins=False)
    decided = pinned_elections(claims, pins)
    others = claims.filter(~pl.col(_GROUP).is_in(decided[_GROUP].unique().implode()))
    return pl.concat([_elect(others, rules, today, has_pins=False), _elect(decided, rules, today, has_pins=True)]).sort(
        _GROUP, "rank"
    )


def _elect(claims: pl.DataFrame, rules: Mapping[str, ElectionRule], today: date, *, has_pins: bool) -> pl.DataFrame:
    by_rule: dict[ElectionRule, list[str]] = {}
    for attribute, rule in rules.items():
        by_rule.setdefault(rule, []).append(attribute)
    dtype = claims.schema["attribute"]
    ranked = []
    for rule, attributes in by_rule.items():
        is_theirs = pl.col("attribute").is_in(pl.Series(attributes, dtype=dtype).implode())
        mine = claims if len(by_rule) == 1 else claims.filter(is_theirs)
        ranked.append(_rank(mine, rule, criteria_of(rule, today, has_pins=has_pins), has_pins=has_pins))
    return ranked[0] if len(ranked) == 1 else pl.concat(ranked).sort(_GROUP, "rank")


def _rank(claims: pl.DataFrame, rule: ElectionRule, criteria: Sequence[Criterion], *, has_pins: bool) -> pl.DataFrame:
    """Rank the candidates of attributes that share a rule."""
    made = {each.column: each.expression for each in criteria if each.expression is not None}
    ordered = claims.with_columns(**made).sort(
        _GROUP,
        *(each.column for each in criteria),
        *_LAST,
        descending=[False, *(each.is_descending for each in criteria), *[False] * len(_LAST)],
        nulls_last=True,
    )
    # Rows of a group lie together, its winner first: what the winner has is found by its place.
    place = pl.int_range(pl.len(), dtype=pl.UInt32)
    is_first = pl.col(_GROUP).ne_missing(pl.col(_GROUP).shift())
    placed = ordered.with_columns(first=pl.when(is_first).then(place).forward_fill())
    compared = dict.fromkeys((*names_of(criteria), "token", "trust_order"))
    judged = (
        placed.with_columns(
            rank=(place - pl.col("first") + 1).cast(pl.Int32),
            **{f"winner_{column}": pl.col(column).gather("first") for column in compared},
        )
        .with_columns(lost_because=_why_lost(criteria))
        .with_columns(reason=pl.when(pl.col("rank") > 1).then("lost_because").otherwise(_why_won()))
    )
    settled = _as_decided(judged) if has_pins else _contested(judged, rule)
    kept = _keep_all(settled) if rule.keeps_all else _keep_winner(settled)
    return (add_up(kept) if rule.aggregate == "sum" and not has_pins else kept).select(*_columns(claims), *JUDGED)


def _columns(claims: pl.DataFrame) -> list[str]:
    return [name for name in claims.columns if name not in ("pin_order", "is_override")]


def _contested(judged: pl.DataFrame, rule: ElectionRule) -> pl.DataFrame:
    """Tell which winners have a rival: it is valid, says something else, and is trusted no less."""
    if rule.aggregate is not None:  # different numbers are what an aggregate is made of
        return judged.with_columns(is_contested=pl.lit(value=False))
    differs = pl.col("token") != pl.col("winner_token")
    is_rival = (pl.col("is_valid") & differs & (pl.col("trust_order") >= pl.col("winner_trust_order"))).fill_null(value=False)
    rivals = judged.filter(is_rival)["first"].unique()
    return judged.with_columns(is_contested=pl.col("first").is_in(rivals.implode()))


def _as_decided(judged: pl.DataFrame) -> pl.DataFrame:
    """Have the winner say that a steward chose it: it is trusted fully, and not contested."""
    is_winner = pl.col("rank") == 1
    chosen = pl.when("is_override").then(_reason(OVERRIDDEN)).otherwise(_reason(PINNED))
    trusted = (pl.when(is_winner).then(_SURE).otherwise(name).alias(name) for name in ("trust_score", "steady_trust"))
    return judged.with_columns(
        *trusted, reason=pl.when(is_winner).then(chosen).otherwise("reason"), is_contested=pl.lit(value=False)
    )


def _keep_winner(judged: pl.DataFrame) -> pl.DataFrame:
    return judged.with_columns(is_kept=pl.col("rank") == 1, kept_count=pl.lit(1, pl.Int32))


def _keep_all(judged: pl.DataFrame) -> pl.DataFrame:
    """Keep the winner and the first of each further valid value; what cannot be compared is like nothing else."""
    is_new = pl.col("token").is_null() | pl.struct(_GROUP, "token").is_first_distinct()
    kept = judged.with_columns(is_kept=(pl.col("rank") == 1) | (pl.col("is_valid") & is_new))
    return kept.with_columns(kept_count=pl.col("is_kept").sum().over("first").cast(pl.Int32))


def _why_lost(criteria: Sequence[Criterion]) -> pl.Expr:
    """Name the first criterion on which a candidate falls behind the winner; an equal value agrees rather than loses."""
    falls_behind = pl.when(pl.col("token") == pl.col("winner_token")).then(_reason(AGREES))
    reason: ChainedThen | Then = falls_behind
    for each in criteria:
        because = _reason(each.lost_because) if isinstance(each.lost_because, str) else each.lost_because.cast(REASONS)
        reason = reason.when(pl.col(each.column).ne_missing(pl.col(f"winner_{each.column}"))).then(because)
    return reason.otherwise(_reason(TIE))


def _why_won() -> pl.Expr:
    """Name what the winner had over the candidate next to it."""
    is_alone = (pl.col("first").shift(-1) != pl.col("first")).fill_null(value=True)
    beaten = pl.col("lost_because").shift(-1).replace_strict(WON_BECAUSE, default=ALONE, return_dtype=REASONS)
    return pl.when(is_alone).then(_reason(ALONE)).otherwise(beaten)


def _reason(name: str) -> pl.Expr:
    return pl.lit(name, REASONS)
