"""What decisions about who is who ask of clusters, and which clusters go against them."""

from typing import Final

import polars as pl

from custview_pipeline.contracts.stewardship_tables import IS_MATCH, LOCK, NOT_A_MATCH, OVERRIDE, SPLIT_OFF

LINKING_CASES: Final = (IS_MATCH, NOT_A_MATCH, SPLIT_OFF, LOCK)
_PAIR: Final = ["left_id", "right_id"]
_ASKED: Final = ["decision_id", *_PAIR, "is_match"]


def asked_pairs(standing: pl.DataFrame, decided: pl.DataFrame) -> pl.DataFrame:
    """Return decision_id, left_id, right_id, is_match: what decisions ask of pairs, where no later one says otherwise.

    Args:
        standing: Rows of review_decisions that hold.
        decided: left_id, right_id, is_match, as matching takes them.
    """
    pairs = standing.filter(pl.col("decision").is_in([IS_MATCH, NOT_A_MATCH]))
    pairs = pairs.with_columns(is_match=pl.col("decision") == IS_MATCH).select(_ASKED)
    members = standing.select("decision_id", "decision", "record_id", member_id="member_ids").explode("member_id")
    split = members.filter(pl.col("decision") == SPLIT_OFF)
    locked = members.filter(pl.col("decision") == LOCK).with_columns(record_id=pl.col("member_id").min().over("decision_id"))
    asked = [pairs, *(_to_pairs(each, is_match=is_match) for each, is_match in ((split, False), (locked, True)))]
    return pl.concat(asked).join(decided, on=[*_PAIR, "is_match"], how="semi").sort("decision_id", *_PAIR)


def judged_pairs(asked: pl.DataFrame, clusters: pl.DataFrame) -> pl.DataFrame:
    """Return those of the asked pairs whose records both still are, with ``agrees``: whether the clusters have them as asked."""
    found = asked
    for name in _PAIR:
        found = found.join(clusters.rename({"record_id": name, "cluster": f"{name}_cluster"}), on=name, how="inner")
    together = pl.col("left_id_cluster") == pl.col("right_id_cluster")
    return found.select(*_ASKED, agrees=together == pl.col("is_match")).sort("decision_id", *_PAIR)


def intruders(standing: pl.DataFrame, clusters: pl.DataFrame) -> pl.DataFrame:
    """Return, in the columns of ``judged_pairs``, the records that clusters would add to locked customers: none agrees."""
    locks = standing.filter(pl.col("decision") == LOCK).select("decision_id", record_id="member_ids").explode("record_id")
    inside = locks.join(clusters, on="record_id", how="inner")
    first = inside.group_by("decision_id", "cluster").agg(left_id=pl.col("record_id").min())
    around = first.join(clusters.rename({"record_id": "right_id"}), on="cluster", how="inner")
    strangers = around.join(locks.rename({"record_id": "right_id"}), on=["decision_id", "right_id"], how="anti")
    entered = standing.filter(pl.col("decision") == OVERRIDE)["record_id"]  # by stewards, so theirs whatever a lock names
    strangers = strangers.filter(~pl.col("right_id").is_in(entered.implode()))
    left, right = pl.min_horizontal(_PAIR), pl.max_horizontal(_PAIR)
    pairs = strangers.select(
        "decision_id", left_id=left, right_id=right, is_match=pl.lit(value=False), agrees=pl.lit(value=False)
    )
    return pairs.sort("decision_id", *_PAIR)


def _to_pairs(members: pl.DataFrame, *, is_match: bool) -> pl.DataFrame:
    """Return the pairs of the record of each decision and each of its members."""
    told = members.drop_nulls(["record_id", "member_id"]).filter(pl.col("record_id") != pl.col("member_id"))
    left, right = pl.min_horizontal("record_id", "member_id"), pl.max_horizontal("record_id", "member_id")
    return told.select("decision_id", left_id=left, right_id=right, is_match=pl.lit(is_match))
