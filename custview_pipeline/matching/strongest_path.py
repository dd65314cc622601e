"""What holds records together: the maximum spanning tree over the weights of their pairs, and paths within it.

Of all ways from one record to another the one in this tree has the strongest weakest link (T. C. Hu, The Maximum Capacity Route
Problem, Operations Research 9, 1961).
"""

from collections import deque

import numpy as np
import polars as pl
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree


def strongest_tree(pairs: pl.DataFrame, *, by: str = "weight") -> pl.DataFrame:
    """Return the pairs that hold the records together, the strongest first; the last is the weakest link.

    Where the pairs do not reach from every record to every other it is a tree of each part. Of pairs of one strength the one of
    the smaller record ids goes first, so the tree does not depend on the order of rows.

    Args:
        pairs: left_id, right_id and any other columns; no pair twice.
        by: The column that tells how strong a pair is: bits, or infinite.
    """
    ordered = pairs.sort(by, "left_id", "right_id", descending=[True, False, False])
    if ordered.is_empty():
        return ordered
    left, right, count = _numbered(ordered)
    # The place in the order is the cost: no two are alike, which makes the tree unique, and none is 0, which means no pair.
    costs = coo_matrix((np.arange(1, len(left) + 1, dtype=np.float64), (left, right)), shape=(count, count))
    kept = np.sort(minimum_spanning_tree(costs).data.astype(np.int64)) - 1
    return ordered[kept]


def path_between(tree: pl.DataFrame, left_id: int, right_id: int) -> list[int]:
    """Return the records on the way from one record to another, both included; empty where no way leads there.

    Args:
        tree: left_id, right_id, as ``strongest_tree`` returns them.
        left_id: Where the way begins.
        right_id: Where it ends.
    """
    linked: dict[int, list[int]] = {}
    for one, other in tree.select("left_id", "right_id").iter_rows():
        linked.setdefault(one, []).append(other)
        linked.setdefault(other, []).append(one)
    came_from, waiting = {left_id: left_id}, deque([left_id])
    while waiting and right_id not in came_from:
        here = waiting.popleft()
        for other in linked.get(here, ()):
            if other not in came_from:
                came_from[other] = here
                waiting.append(other)
    return _traced(came_from, right_id) if right_id in came_from else []


def part_sizes(tree: pl.DataFrame) -> list[int]:
    """Return how many records each part has that a tree falls into without its weakest link, the largest first.

    Args:
        tree: left_id, right_id, as ``strongest_tree`` returns them; at least one pair.
    """
    left, right, count = _numbered(tree)
    links = coo_matrix((np.ones(len(left) - 1, dtype=np.int8), (left[:-1], right[:-1])), shape=(count, count))
    labels = connected_components(links, directed=False)[1]
    return sorted(np.bincount(labels).tolist(), reverse=True)


def _numbered(pairs: pl.DataFrame) -> tuple[np.ndarray, np.ndarray, int]:
    """Return both sides of the pairs as numbers from 0 on, and how many records there are."""
    ids, places = np.unique(np.concatenate([pairs["left_id"].to_numpy(), pairs["right_id"].to_numpy()]), return_inverse=True)
    return places[: pairs.height], places[pairs.height :], len(ids)


def _traced(came_from: dict[int, int], end: int) -> list[int]:
    path = [end]
    while came_from[path[-1]] != path[-1]:
        path.append(came_from[path[-1]])
    return path[::-1]
