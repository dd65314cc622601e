"""Scores of a clustering against the truth, from counts of records; no pair is ever enumerated.

Pairwise scores ask of every pair of records whether cluster and truth agree; B-cubed asks it of every record, so that a large
cluster does not outweigh all others (Bagga and Baldwin, 1998, "Entity-based cross-document coreferencing using the vector space
model").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix

SOURCE_PAIRS: Final = pl.Schema(
    {
        "left_source": pl.String,
        "right_source": pl.String,
        "shared_pairs": pl.Int64,
        "joined_pairs": pl.Int64,
        "true_pairs": pl.Int64,
        "precision": pl.Float64,
        "recall": pl.Float64,
        "f1": pl.Float64,
    }
)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well clusters and truth agree; shares are 0 to 1, and 1 where there is no pair to be wrong about.

    Attributes:
        record_count: Records of the truth.
        entity_count: Entities of the truth.
        cluster_count: Clusters that these records fall into.
        largest_cluster: Records in the largest of them.
        shared_pairs: Pairs of records that are together in both.
        joined_pairs: Pairs that are together in a cluster.
        true_pairs: Pairs that are together in the truth.
        precision, recall, f1: Of pairs.
        b3_precision, b3_recall, b3_f1: B-cubed: of records, each alike.
    """

    record_count: int
    entity_count: int
    cluster_count: int
    largest_cluster: int
    shared_pairs: int
    joined_pairs: int
    true_pairs: int
    precision: float
    recall: float
    f1: float
    b3_precision: float
    b3_recall: float
    b3_f1: float


def agreement(assigned: pl.DataFrame) -> Agreement:
    """Score clusters against the truth.

    Args:
        assigned: cluster, entity, of any type and null in neither; a row a record.
    """
    cells = _cells(assigned)
    clusters = cells.group_by("cluster").agg(pl.col("n").sum())["n"]
    entities = cells.group_by("entity").agg(pl.col("n").sum())["n"]
    shared, joined, true = _pairs(cells["n"]), _pairs(clusters), _pairs(entities)
    records = assigned.height
    square = pl.col("n") * pl.col("n")
    weights = cells.select(p=(square / pl.col("of_cluster")).sum(), r=(square / pl.col("of_entity")).sum()).row(0)
    precision, recall, (b3_precision, b3_recall) = (
        _ratio(shared, joined),
        _ratio(shared, true),
        (_ratio(w, records) for w in weights),
    )
    return Agreement(
        record_count=records,
        entity_count=len(entities),
        cluster_count=len(clusters),
        largest_cluster=max(clusters, default=0),
        shared_pairs=shared,
        joined_pairs=joined,
        true_pairs=true,
        precision=precision,
        recall=recall,
        f1=_f1(precision, recall),
        b3_precision=b3_precision,
        b3_recall=b3_recall,
        b3_f1=_f1(b3_precision, b3_recall),
    )


def by_source_pair(assigned: pl.DataFrame) -> pl.DataFrame:
    """Return the pairwise scores of every two sources, and of each with itself: its duplicates (``SOURCE_PAIRS``).

    Args:
        assigned: source_system, cluster, entity; a row a record.
    """
    sources = sorted(assigned["source_system"].unique())
    shared, joined, true = (_crossings(assigned, sources, *by) for by in (("cluster", "entity"), ("cluster",), ("entity",)))
    rows = []
    for a, left in enumerate(sources):
        for b, right in enumerate(sources[a:], a):
            counts = (int(shared[a, b]), int(joined[a, b]), int(true[a, b]))
            precision, recall = _ratio(counts[0], counts[1]), _ratio(counts[0], counts[2])
            rows.append((left, right, *counts, precision, recall, _f1(precision, recall)))
    return pl.DataFrame(rows, schema=SOURCE_PAIRS, orient="row")


def largest_clusters(assigned: pl.DataFrame, limit: int) -> pl.DataFrame:
    """Return the clusters with the most records: cluster, record_count, entity_count."""
    sizes = assigned.group_by("cluster").agg(
        record_count=pl.len().cast(pl.Int64), entity_count=pl.col("entity").n_unique().cast(pl.Int64)
    )
    return sizes.sort("record_count", "cluster", descending=[True, False]).head(limit)


def worst_merges(assigned: pl.DataFrame, limit: int) -> pl.DataFrame:
    """Return the clusters that join the most pairs of different entities.

    Args:
        assigned: record_id, cluster, entity; a row a record.
        limit: Clusters to name at most.

    Returns:
        cluster, record_count, part_count (its entities), wrong_pairs, left_id and right_id: a record of its largest entity and
        one of the next, to look at.
    """
    return _worst(assigned, "cluster", "entity", limit)


def worst_splits(assigned: pl.DataFrame, limit: int) -> pl.DataFrame:
    """Return the entities of which the most pairs are apart.

    Returns:
        entity, record_count, part_count (its clusters), wrong_pairs, left_id and right_id: a record in its largest cluster and
        one in the next, to look at.
    """
    return _worst(assigned, "entity", "cluster", limit)


def _worst(assigned: pl.DataFrame, whole: str, part: str, limit: int) -> pl.DataFrame:
    parts = assigned.group_by(whole, part).agg(n=pl.len().cast(pl.Int64), example=pl.col("record_id").min())
    ordered = parts.sort(whole, "n", "example", descending=[False, True, False])
    size = pl.col("n").sum()
    wrong = (size * size - (pl.col("n") * pl.col("n")).sum()) // 2
    wholes = ordered.group_by(whole, maintain_order=True).agg(
        record_count=size,
        part_count=pl.len().cast(pl.Int64),
        wrong_pairs=wrong,
        left_id=pl.col("example").first(),
        right_id=pl.col("example").get(1, null_on_oob=True),
    )
    found = wholes.filter(pl.col("part_count") > 1)
    return found.sort("wrong_pairs", "left_id", descending=[True, False]).head(limit)


def _cells(assigned: pl.DataFrame) -> pl.DataFrame:
    """Return the contingency table: cluster, entity, n, and the sizes of both over these records."""
    counted = assigned.group_by("cluster", "entity").agg(n=pl.len().cast(pl.Int64)).sort("cluster", "entity")
    return counted.with_columns(of_cluster=pl.col("n").sum().over("cluster"), of_entity=pl.col("n").sum().over("entity"))


def _crossings(assigned: pl.DataFrame, sources: Sequence[str], *by: str) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return of every two sources the pairs of records that are in one group: products of counts, summed over groups."""
    number = {source: place for place, source in enumerate(sources)}
    grouped = assigned.select(
        group=pl.struct(by).rank("dense") - 1, source=pl.col("source_system").replace_strict(number, return_dtype=pl.Int32)
    )
    counted = grouped.group_by("group", "source").agg(n=pl.len().cast(pl.Int64))
    groups = grouped["group"].n_unique()
    places = (counted["group"].to_numpy(), counted["source"].to_numpy())
    counts = csr_matrix((counted["n"].to_numpy(), places), shape=(groups, len(sources)), dtype=np.int64)
    crossing = np.asarray((counts.T @ counts).todense(), dtype=np.int64)
    own = np.asarray(counts.sum(axis=0), dtype=np.int64).ravel()
    np.fill_diagonal(crossing, (np.diagonal(crossing) - own) // 2)
    return crossing


def _pairs(sizes: pl.Series) -> int:
    return int((sizes * (sizes - 1) // 2).sum())


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 1.0


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
