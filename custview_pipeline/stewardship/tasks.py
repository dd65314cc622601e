"""Review tasks: pairs of records in two customers whose evidence asks for a person."""

from typing import Final

import polars as pl

from custview_pipeline.contracts.matching_rules import PROMISE, STEWARD
from custview_pipeline.contracts.matching_tables import REVIEW_TASKS

_MATCH: Final = "MATCH"
_NO_MATCH: Final = "NO_MATCH"
_KINDS: Final = {"POSSIBLE_MATCH": "possible_match", _MATCH: "contradicted_match", _NO_MATCH: "rule_conflict"}
_CUSTOMERS: Final = ["first", "second"]


def find_tasks(
    edges: pl.DataFrame, suspicious: pl.DataFrame, crosswalk: pl.DataFrame, *, match_weight: float, run_id: str
) -> pl.DataFrame:
    """Return the rows of review_tasks, without a version, the strongest evidence first, suspicious customers last.

    Of all pairs between two customers the strongest is shown. A pair that a rule forbids is shown only where its evidence alone
    would have made it a match. Where a steward said of one pair that it is not one customer, the other pairs of the two customers
    are shown only where one is a match: they cannot become one customer, but a record may be with the wrong one.

    Args:
        edges: left_id, right_id, weight, decision, rule.
        suspicious: left_id, right_id, weight, reason: pairs of one customer that ask for a person.
        crosswalk: record_id, cuid (current).
        match_weight: Bits above which evidence is a match.
        run_id: The run.
    """
    owners = crosswalk.select("record_id", "cuid")
    worth = (pl.col("decision") != _NO_MATCH) | (pl.col("weight") > match_weight)
    worth &= ~pl.col("rule").is_in([STEWARD, PROMISE])  # who was asked is not asked again, nor what a source has promised
    is_apart = (pl.col("rule") == STEWARD) & (pl.col("decision") == _NO_MATCH)
    apart = _between(edges.filter(is_apart), owners).select(*_CUSTOMERS, is_apart=pl.lit(value=True)).unique()
    between = (
        _between(edges.filter(worth), owners)
        .join(apart, on=_CUSTOMERS, how="left", maintain_order="left")
        .filter(pl.col("is_apart").is_null() | (pl.col("decision") == _MATCH))
        .sort("weight", "left_id", "right_id", descending=[True, False, False])
        .unique(_CUSTOMERS, keep="first", maintain_order=True)
        .with_columns(kind=pl.col("decision").replace_strict(_KINDS))
    )
    within = _with_owners(suspicious.rename({"reason": "kind"}), owners).sort("weight", "left_id", "right_id")
    columns = [name for name in REVIEW_TASKS.types if name not in {"version", "is_open", "run_id"}]
    tasks = pl.concat([between.select(columns), within.select(columns)])
    # a pair may ask for a person for two reasons; the first says enough
    return (
        tasks.unique(["left_id", "right_id"], keep="first", maintain_order=True)
        .with_columns(run_id=pl.lit(run_id), is_open=pl.lit(value=True))
        .select(name for name in REVIEW_TASKS.types.names() if name != "version")
    )


def _between(pairs: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    """Return the pairs of two customers, with the customers of each in their order: first, second."""
    owned = _with_owners(pairs, owners).filter(pl.col("left_cuid") != pl.col("right_cuid"))
    first, second = pl.min_horizontal("left_cuid", "right_cuid"), pl.max_horizontal("left_cuid", "right_cuid")
    return owned.with_columns(first=first, second=second)


def _with_owners(pairs: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    """Add the customer of both records of each pair."""
    return pairs.join(owners.rename({"record_id": "left_id", "cuid": "left_cuid"}), on="left_id", how="inner").join(
        owners.rename({"record_id": "right_id", "cuid": "right_cuid"}), on="right_id", how="inner"
    )
