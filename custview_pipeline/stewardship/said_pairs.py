"""What decisions say of pairs of records: who is one customer, who is not, and who is locked up together."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import polars as pl

from custview_pipeline.contracts.stewardship_tables import BY_STEWARD, IS_MATCH, LOCK, NOT_A_MATCH, OVERRIDE, SPLIT_OFF

_PAIR: Final = ("left_id", "right_id")
_SAID: Final = (*_PAIR, "is_match", "is_steward", "decided_at", "decision_id")
ANCHORS: Final = pl.Schema({"record_id": pl.Int64(), "anchor": pl.Int64()})
LOCKED: Final = pl.Schema({"record_id": pl.Int64(), "lock": pl.Int64()})
_ALWAYS: Final = datetime.max.replace(tzinfo=UTC)
_EVER: Final = datetime.min.replace(tzinfo=UTC)


def holding_pairs(standing: pl.DataFrame) -> pl.DataFrame:
    """Return what holds of each pair that somebody is sure of: left_id, right_id, is_match; by pair.

    A decision of a steward goes before an answer to a sample, whatever its time, and the newer before the older. A pair of
    which a lock keeps the records apart is no match.

    Args:
        standing: Rows of review_decisions that were not withdrawn; see ``anchors``.
    """
    said = _last(pl.concat([_of_pairs(standing), _of_splits(standing), _of_locks(standing), _of_overrides(standing)]))
    found = said.select(*_PAIR, "is_match")
    locked = locks(standing)
    if locked.is_empty():
        return found
    for name in _PAIR:
        found = found.join(
            locked.rename({"record_id": name, "lock": f"lock_of_{name}"}), on=name, how="left", maintain_order="left"
        )
    is_apart = pl.col("lock_of_left_id").ne_missing(pl.col("lock_of_right_id"))
    return found.select(*_PAIR, is_match=pl.col("is_match") & ~is_apart)


def locks(standing: pl.DataFrame) -> pl.DataFrame:
    """Return record_id and lock of the records that are locked up: those of one number together, apart from all others.

    Of several locks of a record the newest holds. Whoever a steward has tied to a locked record since, by a match or with a value
    entered, belongs to its lock too: else the other records of the lock would keep out who the steward let in.

    Args:
        standing: Rows of review_decisions that were not withdrawn; see ``anchors``.
    """
    stated = standing.filter(pl.col("decision") == LOCK).sort("decided_at", "decision_id")
    if stated.is_empty():
        return LOCKED.to_frame()
    number: dict[int, int] = {}
    since: dict[int, datetime] = {}
    for lock, (members, decided_at) in enumerate(stated.select("member_ids", "decided_at").iter_rows()):
        for record in members or ():
            number[record], since[record] = lock, decided_at
    _let_in(number, since, _ties(standing))
    return pl.DataFrame(sorted(number.items()), schema=LOCKED, orient="row")


def anchors(standing: pl.DataFrame) -> pl.DataFrame:
    """Return record_id and anchor of the values entered: the one record that each is tied to.

    It is one, for what is tied to several ties them to each other, whatever becomes of them. The anchor is of those that stewards
    parted from the fewest others of the customer: whom they split off leaves the value with those who stay. A value that they
    parted from all of them has none.

    Args:
        standing: Rows of review_decisions that were not withdrawn; ``member_ids`` of an override are in the order in which they
            are to be its anchor.
    """
    entered = standing.filter(pl.col("decision") == OVERRIDE).select("record_id", "member_ids")
    parted = _parted(standing) if entered.height else {}
    found = [(record, _anchor(record, members or (), parted)) for record, members in entered.iter_rows()]
    return pl.DataFrame(found, schema=ANCHORS, orient="row").drop_nulls()


def is_about_nobody() -> pl.Expr:
    """Return whether a row of review_decisions says nothing, for of the records that it is about none is left."""
    return pl.col("decision").is_in([LOCK, SPLIT_OFF]) & (pl.col("member_ids").list.len().fill_null(0) == 0)


def _let_in(number: dict[int, int], since: dict[int, datetime], ties: list[tuple[int, int, datetime]]) -> None:
    """Give whoever was tied to a locked record since then the number of its lock, until nobody is left."""
    is_changed = True
    while is_changed:
        is_changed = False
        for one, other, decided_at in ties:
            locked = [record for record in (one, other) if record in number]
            is_old = any(decided_at < since[record] for record in locked)
            if not locked or is_old or number.get(one) == number.get(other):
                continue
            is_changed = True
            _join(number, since, one, other)


def _join(number: dict[int, int], since: dict[int, datetime], one: int, other: int) -> None:
    """Put two records, of which one at least is locked up, under one number; what ties a newcomer to others counts at any age."""
    if one in number and other in number:
        kept, former = sorted((number[one], number[other]))
        for record in [record for record, lock in number.items() if lock == former]:
            number[record] = kept
    else:
        locked, newcomer = (one, other) if one in number else (other, one)
        number[newcomer], since[newcomer] = number[locked], _EVER


def _ties(standing: pl.DataFrame) -> list[tuple[int, int, datetime]]:
    """Return the pairs that a steward ties, as they hold, and since when; a value entered belongs to its customer at any time."""
    entered = _of_overrides(standing).with_columns(decided_at=pl.lit(_ALWAYS, standing.schema["decided_at"]))
    stated = pl.concat([_of_pairs(standing), _of_splits(standing), entered])
    return _last(stated).filter("is_match", "is_steward").select(*_PAIR, "decided_at").rows()


def _of_pairs(standing: pl.DataFrame) -> pl.DataFrame:
    sure = standing.filter(pl.col("decision").is_in([IS_MATCH, NOT_A_MATCH]))
    return _said(sure, pl.col("decision") == IS_MATCH)


def _of_splits(standing: pl.DataFrame) -> pl.DataFrame:
    return _with_members(standing.filter(pl.col("decision") == SPLIT_OFF), is_match=False)


def _of_overrides(standing: pl.DataFrame) -> pl.DataFrame:
    entered = standing.filter(pl.col("decision") == OVERRIDE).join(anchors(standing), on="record_id", how="inner")
    return _with_members(entered.with_columns(member_ids=pl.concat_list("anchor")).select(standing.columns), is_match=True)


def _parted(standing: pl.DataFrame) -> dict[int, set[int]]:
    """Return by record whom stewards parted from it, as it holds."""
    said = _last(pl.concat([_of_pairs(standing), _of_splits(standing), _of_locks(standing)]))
    parted: dict[int, set[int]] = {}
    for left, right in said.filter(~pl.col("is_match"), "is_steward").select(_PAIR).iter_rows():
        parted.setdefault(left, set()).add(right)
        parted.setdefault(right, set()).add(left)
    return parted


def _anchor(record: int, members: Sequence[int], parted: Mapping[int, set[int]]) -> int | None:
    own = parted.get(record, set())
    able = [member for member in members if member not in own and member != record]
    return min(able, key=lambda member: len(parted.get(member, set()).intersection(members)), default=None)


def _of_locks(standing: pl.DataFrame) -> pl.DataFrame:
    members = standing.filter(pl.col("decision") == LOCK).explode("member_ids").drop_nulls("member_ids")
    others = members.select("decision_id", record_id="member_ids")
    pairs = members.drop("record_id").join(others, on="decision_id", how="inner")
    ordered = pairs.filter(pl.col("member_ids") < pl.col("record_id"))
    return _said(ordered.with_columns(left_id="member_ids", right_id="record_id"), pl.lit(value=True))


def _with_members(decisions: pl.DataFrame, *, is_match: bool) -> pl.DataFrame:
    """Return what is said of the record of each decision and each of its members."""
    pairs = decisions.explode("member_ids").filter(pl.col("member_ids") != pl.col("record_id"))
    left, right = pl.min_horizontal("record_id", "member_ids"), pl.max_horizontal("record_id", "member_ids")
    return _said(pairs.with_columns(left_id=left, right_id=right), pl.lit(is_match))


def _said(pairs: pl.DataFrame, is_match: pl.Expr) -> pl.DataFrame:
    told = pairs.with_columns(is_match=is_match, is_steward=pl.col("origin") == BY_STEWARD)
    return told.select(_SAID)


def _last(said: pl.DataFrame) -> pl.DataFrame:
    """Return what was said last about each pair, by stewards before others; by pair."""
    ordered = said.sort(*_PAIR, "is_steward", "decided_at", "decision_id")
    return ordered.unique(_PAIR, keep="last", maintain_order=True)
