"""Values one edit apart: found by joining their neighbourhood keys, asked for pair by pair."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from custview_pipeline.matching.expansion import pairs_within, runs
from custview_pipeline.matching.marked import Marked
from custview_pipeline.matching.patterns import Bools, Ints

_WHOLE, _SHORTENED, _PATTERN = 0, 1, 2  # parts of neighbourhood keys, see contracts.match_index


@dataclass(frozen=True)
class Neighbours:
    """Pairs of distinct tokens whose values are one edit apart.

    Attributes:
        left, right: The tokens; each pair once, ``left < right``, ordered by ``left``.
        links: ``left ^ right`` of each pair, ascending, each once. Tokens are random, so no two pairs have one link but by a
            chance of 2^-64.
    """

    left: Ints
    right: Ints
    links: Marked

    @classmethod
    def of(cls, left: Ints, right: Ints) -> "Neighbours":
        """Take pairs of tokens, in any direction, any number of times."""
        links, first = np.unique(left ^ right, return_index=True)
        one, other = np.minimum(left[first], right[first]), np.maximum(left[first], right[first])
        order = np.argsort(one)
        return cls(one[order], other[order], Marked.of(links))

    def hold(self, link: Ints) -> Bools:
        """Return whether each ``a ^ b`` is a pair of neighbours."""
        return self.links.hold(link)

    @classmethod
    def none(cls) -> "Neighbours":
        """Return no pair."""
        return cls.of(np.empty(0, np.int64), np.empty(0, np.int64))

    def among(self, values: Ints) -> "Neighbours":
        """Return the pairs of which both values are among ``values`` (a column of tokens)."""
        known = Marked.of(np.unique(values))
        kept = known.hold(self.left)
        kept[kept] = known.hold(self.right[kept])
        return Neighbours.of(self.left[kept], self.right[kept])


def find_neighbours(neighbourhoods: pl.DataFrame, wanted: Ints) -> Neighbours:
    """Join neighbourhood keys: equal patterns, or a value less one letter against a whole value.

    Args:
        neighbourhoods: token, key, part; a row may come twice.
        wanted: Tokens whose neighbours are asked for; of others most are left out, which saves their joins.
    """
    is_wanted = Marked.of(np.unique(wanted)).may_hold(neighbourhoods["token"].to_numpy())
    if not is_wanted.all():
        neighbourhoods = neighbourhoods.filter(pl.Series(is_wanted))
    token, key, part = (neighbourhoods[name].to_numpy() for name in ("token", "key", "part"))
    whole, shortened, pattern = (np.flatnonzero(part == each) for each in (_WHOLE, _SHORTENED, _PATTERN))
    shortened = shortened[Marked.of(key[whole]).may_hold(key[shortened])]
    left, right = _joined(key[whole], token[whole], key[shortened], token[shortened])
    keys = np.sort(key[pattern])
    pattern = pattern[Marked.of(keys[1:][keys[1:] == keys[:-1]]).may_hold(key[pattern])]
    order = pattern[np.argsort(key[pattern])]
    one, other = pairs_within(token[order], *runs(key[order]))
    left, right = np.concatenate([left, one]), np.concatenate([right, other])
    return Neighbours.of(left[left != right], right[left != right])


def neighbours_around(neighbourhoods: pl.DataFrame, values: Ints) -> Neighbours:
    """Return the pairs of neighbours of which one is among some values (a column of tokens), whoever holds the other one.

    Args:
        neighbourhoods: token, key, part; a row may come twice.
        values: The values.
    """
    held = Marked.of(np.unique(values))
    keys = neighbourhoods["key"].to_numpy()
    theirs = Marked.of(np.unique(keys[held.hold(neighbourhoods["token"].to_numpy())]))
    around = neighbourhoods.filter(pl.Series(theirs.hold(keys)))
    found = find_neighbours(around, around["token"].to_numpy())
    kept = held.hold(found.left) | held.hold(found.right)
    return Neighbours.of(found.left[kept], found.right[kept])


def _joined(keys: Ints, tokens: Ints, other_keys: Ints, other_tokens: Ints) -> tuple[Ints, Ints]:
    """Return the tokens of both sides wherever keys are equal."""
    order = np.argsort(keys)
    keys, tokens = keys[order], tokens[order]
    start, end = np.searchsorted(keys, other_keys, "left"), np.searchsorted(keys, other_keys, "right")
    counts = end - start
    position = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return tokens[np.repeat(start, counts) + position], np.repeat(other_tokens, counts)
