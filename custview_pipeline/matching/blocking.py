"""Candidate pairs: records that agree on the keys of a rule, under caps and budgets that are known before any pair is made."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from custview_pipeline.kernel.errors import PairBudgetExceeded
from custview_pipeline.matching.expansion import combinations, pairs_within, runs
from custview_pipeline.matching.marked import Marked
from custview_pipeline.matching.pairs import Compared
from custview_pipeline.matching.patterns import Bools, Ints
from custview_pipeline.matching.records import SILENT, Records, TokenColumns, mixed
from custview_pipeline.matching.rules import BLOCKING_RULES, NEIGHBOUR_RULES, BlockingRule, NeighbourRule

_LEAST_BUDGET: Final = 200_000  # pairs that any rule may bring, however few records there are
_LARGEST_WEAK_BLOCK: Final = 2_000
_LARGEST_FROZEN_BLOCK: Final = 5_000  # of a rule under a model that does not name it as too large
_LARGEST_NEIGHBOUR_BLOCK: Final = 200  # pairs of one block of a neighbour rule
_LARGEST_HELD: Final = 20  # phones and identifiers held by more records are not sought one edit apart
_LISTED: Final = ("phone_tails", "identifiers")  # features whose neighbours meet without anything else in common
_ROW_BITS: Final = 32  # of a pair packed into one integer
_BYTES_A_PAIR: Final = 40  # at most, while pairs are made distinct and a model is learned from them
_HELD_TWICE: Final = 8_000_000  # pairs that rules may bring beyond twice the distinct ones before these are made distinct again
_GIB: Final = 2**30
_NONE: Final = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class BlockingLimits:
    """What the rulebook and the machine allow.

    Attributes:
        block_cap: Largest block of a strong rule, in records.
        pair_budget: Candidate pairs per record, all rules together.
        memory_gib: Memory that pairs may take.
    """

    block_cap: int
    pair_budget: float
    memory_gib: float = 4.0


@dataclass(frozen=True, slots=True)
class RuleYield:
    """What one rule brought and what it left out.

    Attributes:
        rule: The rule in words.
        pairs: Pairs brought, those known from earlier rules included.
        largest_block: Largest block that was used, in records (of neighbour rules: in pairs); 0 where none was.
        dropped_blocks: Blocks that were over the cap or the budget.
        dropped_pairs: Pairs in them.
        largest_dropped: Largest block that was left out, counted likewise.
        newly_dropped: Blocks left out that the model in use does not name as too large; 0 where it is being learned.
    """

    rule: str
    pairs: int
    largest_block: int
    dropped_blocks: int
    dropped_pairs: int
    largest_dropped: int
    newly_dropped: int = 0


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs to compare.

    Attributes:
        i, j: Row numbers, ``i < j``, ordered, each pair once.
        yields: What each rule brought and dropped.
        oversize: By rule the keys, ascending, of blocks that were too large.
    """

    i: Ints
    j: Ints
    yields: tuple[RuleYield, ...]
    oversize: dict[str, Ints]

    def where(self, chosen: Bools) -> "Candidates":
        """Return some of the pairs."""
        return Candidates(self.i[chosen], self.j[chosen], self.yields, self.oversize)


@dataclass(slots=True)
class _Blocks:
    """The blocks of one rule: key, how many pairs each would bring, how large it is."""

    keys: Ints
    pairs: Ints
    sizes: Ints


@dataclass(slots=True)
class _Allowance:
    """What is left of the budget of all rules, and what they brought so far."""

    limits: BlockingLimits
    left: int
    packed: list[Ints] = field(default_factory=list)
    distinct: int = 0
    yields: list[RuleYield] = field(default_factory=list)
    oversize: dict[str, Ints] = field(default_factory=dict)

    def budget(self, pairs: float) -> int:
        """Return how many pairs a rule may bring that would bring so many."""
        return min(self.left, int(max(_LEAST_BUDGET, pairs)))

    def bring(self, packed: Ints, brought: RuleYield, oversize: Ints) -> None:
        """Take what a rule brought."""
        self.left -= brought.pairs
        self.packed.append(packed)
        if sum(len(held) for held in self.packed) > 2 * self.distinct + _HELD_TWICE:
            self.packed = [_distinct(self.packed)]  # most pairs of one customer are brought by several rules
            self.distinct = len(self.packed[0])
        self.yields.append(brought)
        self.oversize[brought.rule] = oversize

    def check(self, pairs: int) -> None:
        """Refuse pairs that would not fit in memory beside those that are there, before they are made.

        Raises:
            PairBudgetExceeded: They do not.
        """
        needed = (sum(len(held) for held in self.packed) + pairs) * _BYTES_A_PAIR / _GIB
        if needed > self.limits.memory_gib:
            raise PairBudgetExceeded(
                f"candidate pairs would take {needed:.1f} GiB of the {self.limits.memory_gib:.1f} GiB that matching may use;"
                " lower matching.pair_budget or matching.block_cap in rulebook.yaml"
            )


def block(compared: Compared, limits: BlockingLimits, *, is_frozen: bool) -> Candidates:
    """Return the candidate pairs.

    Args:
        compared: The records and what is known of their values.
        limits: Caps and budgets.
        is_frozen: Leave out the blocks that ``compared.frequencies`` names as too large, and no others but those over a fixed
            size: then other records change nothing. Otherwise find which are too large.

    Raises:
        PairBudgetExceeded: The pairs do not fit in memory.
    """
    records = compared.records
    known = compared.frequencies.oversize if is_frozen else None
    allowance = _Allowance(limits, int(max(_LEAST_BUDGET, limits.pair_budget * records.count)))
    for rule in BLOCKING_RULES:
        if records.filled.issuperset(rule.features):
            _apply(records, rule, allowance, known)
    for neighbour_rule in NEIGHBOUR_RULES:
        if records.filled.issuperset((neighbour_rule.feature, *neighbour_rule.others)):
            _apply_neighbours(compared, neighbour_rule, allowance, known)
    allowance.packed.append(_identical(records))
    packed = _distinct(allowance.packed)
    allowance.packed.clear()
    return Candidates(packed >> _ROW_BITS, packed & (2**_ROW_BITS - 1), tuple(allowance.yields), allowance.oversize)


def _identical(records: Records) -> Ints:
    """Return pairs that chain the records which are equal in everything, however many there are, in the order of record ids."""
    total = records.digests
    by_rank = records.by_rank[total[records.by_rank] != SILENT]
    order = by_rank[np.argsort(total[by_rank], kind="stable")]
    alike = np.flatnonzero(total[order[1:]] == total[order[:-1]])
    return _packed(order[alike], order[alike + 1])


def _distinct(parts: list[Ints]) -> Ints:
    """Return each packed pair once, ordered."""
    packed = np.concatenate([np.empty(0, np.int64), *parts])
    packed.sort()
    return packed[np.r_[True, packed[1:] != packed[:-1]]] if len(packed) else packed


def _packed(i: Ints, j: Ints) -> Ints:
    return (np.minimum(i, j) << _ROW_BITS) | np.maximum(i, j)


def _apply(records: Records, rule: BlockingRule, allowance: _Allowance, known: dict[str, Ints] | None) -> None:
    """Bring the pairs of one rule's blocks, smallest blocks first, within its budget."""
    keys, rows = keys_of(records, rule)
    order = np.argsort(keys)
    keys, rows = keys[order], rows[order]
    starts, lengths = runs(keys)
    several = lengths > 1
    starts, lengths = starts[several], lengths[several]
    blocks = _Blocks(keys[starts], lengths * (lengths - 1) // 2, lengths)
    cap = allowance.limits.block_cap if rule.is_capped else _LARGEST_WEAK_BLOCK
    used = _within(rule.name, blocks, allowance.budget(rule.budget * records.count), cap, known)
    allowance.check(int(blocks.pairs[used].sum()))
    i, j = pairs_within(rows, starts[used], lengths[used])
    allowance.bring(_packed(i, j), _told(rule.name, blocks, used, known), np.sort(blocks.keys[~used]))


def keys_of(records: TokenColumns, rule: BlockingRule) -> tuple[Ints, Ints]:
    """Return the key of each record by a rule, and its row: none where it lacks a feature, several where it has several."""
    keys, rows = _keys(records, rule.features, in_any_order=rule.in_any_order)
    if rule.unless is None:
        return keys, rows
    allowed = ~records.flags[rule.unless][rows]
    return keys[allowed], rows[allowed]


def _keys(records: TokenColumns, features: tuple[str, ...], *, in_any_order: bool = False) -> tuple[Ints, Ints]:
    """Return the key of each record that has all features, and its row; a record with several values has several keys."""
    listed = next((feature for feature in features if feature in records.lists), None)
    if listed is None:
        columns = [records.scalars[feature] for feature in features]
        if in_any_order:
            columns = [np.minimum(*columns), np.maximum(*columns)]
            columns = [np.where(columns[0] == SILENT, SILENT, column) for column in columns]
        keys = mixed(columns)
        rows = np.flatnonzero(keys != SILENT)
        return keys[rows], rows
    lists = records.lists[listed]
    columns = [lists.values if feature == listed else records.scalars[feature][lists.owners] for feature in features]
    keys = mixed(columns)
    filled = np.flatnonzero(keys != SILENT)
    return keys[filled], lists.owners[filled]


def _within(rule: str, blocks: _Blocks, budget: int, cap: int, known: dict[str, Ints] | None) -> Bools:
    """Return which blocks are used: the smallest, as long as they keep within cap and budget, or those not known as too large."""
    if known is not None:
        return ~np.isin(blocks.keys, known.get(rule, _NONE)) & (blocks.sizes <= max(cap, _LARGEST_FROZEN_BLOCK))
    return blocks.sizes <= largest_within(blocks.sizes, blocks.pairs, budget=budget, cap=cap)


def largest_within(sizes: Ints, pairs: Ints, *, budget: int, cap: int) -> int:
    """Return the largest size such that all blocks up to it keep within the budget; no larger than the cap.

    Args:
        sizes: Size of each block.
        pairs: Pairs that each would bring.
        budget: Most pairs in all.
        cap: Largest size allowed.
    """
    small = sizes <= cap
    total = np.cumsum(np.bincount(sizes[small], weights=pairs[small]))
    present = np.bincount(sizes[small]) > 0
    return int(np.flatnonzero(present & (total <= budget)).max(initial=0))


def _told(rule: str, blocks: _Blocks, used: Bools, known: dict[str, Ints] | None) -> RuleYield:
    new = 0 if known is None else int((~np.isin(blocks.keys[~used], known.get(rule, _NONE))).sum())
    return RuleYield(
        rule=rule,
        pairs=int(blocks.pairs[used].sum()),
        largest_block=int(blocks.sizes[used].max(initial=0)),
        dropped_blocks=int((~used).sum()),
        dropped_pairs=int(blocks.pairs[~used].sum()),
        largest_dropped=int(blocks.sizes[~used].max(initial=0)),
        newly_dropped=new,
    )


def _apply_neighbours(compared: Compared, rule: NeighbourRule, allowance: _Allowance, known: dict[str, Ints] | None) -> None:
    """Bring pairs whose feature is one edit apart and whose other features agree, fewest first, within the budget."""
    records, near = compared.records, compared.near(rule.feature)
    if not len(near.left):
        return
    values, rows = _keys(records, (rule.feature,))
    if rule.others:
        others = records.key(*rule.others)[rows]
        values, rows, others = values[others != SILENT], rows[others != SILENT], others[others != SILENT]
    else:
        others = np.ones(len(values), np.int64)
    groups = _Groups.of(values, others, rows)
    one, other, keys = _met(groups, near.left, near.right)
    sizes = groups.lengths[one] * groups.lengths[other]
    if rule.feature in _LISTED:
        held = (groups.lengths[one] <= _LARGEST_HELD) & (groups.lengths[other] <= _LARGEST_HELD)
        one, other, keys, sizes = one[held], other[held], keys[held], sizes[held]
    blocks = _Blocks(keys, sizes, sizes)
    used = _within(rule.name, blocks, allowance.budget(rule.budget * records.count), _LARGEST_NEIGHBOUR_BLOCK, known)
    allowance.check(int(blocks.pairs[used].sum()))
    pair, left, right = combinations(groups.lengths[one[used]], groups.lengths[other[used]])
    i = groups.rows[groups.starts[one[used]][pair] + left]
    j = groups.rows[groups.starts[other[used]][pair] + right]
    apart = i != j
    allowance.bring(_packed(i[apart], j[apart]), _told(rule.name, blocks, used, known), np.unique(blocks.keys[~used]))


@dataclass(frozen=True, slots=True)
class _Groups:
    """Rows by value and what else must agree: the key, value and rest of each group, and where its rows are."""

    keys: Ints
    values: Ints
    others: Ints
    starts: Ints
    lengths: Ints
    rows: Ints

    @classmethod
    def of(cls, values: Ints, others: Ints, rows: Ints) -> "_Groups":
        keys = mixed([values, others])
        order = np.argsort(keys)
        starts, lengths = runs(keys[order])
        first = order[starts]
        return cls(keys[first], values[first], others[first], starts, lengths, rows[order])


def _met(groups: _Groups, left: Ints, right: Ints) -> tuple[Ints, Ints, Ints]:
    """Return the groups whose values are neighbours and whose rest is equal, and the key of each such pair of groups."""
    parts, known = [(np.empty(0, np.int64),) * 3], Marked.of(groups.keys)
    for chosen in _chunks(len(groups.keys)):
        values = groups.values[chosen]
        start, end = np.searchsorted(left, values, "left"), np.searchsorted(left, values, "right")
        counts = end - start
        group = np.repeat(np.arange(chosen.start, chosen.stop), counts)
        place = np.arange(len(group)) + np.repeat(start - (np.cumsum(counts) - counts), counts)
        neighbour = right[place]
        sought = mixed([neighbour, groups.others[group]])
        likely = known.may_hold(sought)  # most have no such group: ruled out before they are sought
        group, sought = group[likely], sought[likely]
        order = np.argsort(sought)
        found = np.minimum(np.searchsorted(groups.keys, sought[order]), max(0, len(groups.keys) - 1))
        hit = groups.keys[found] == sought[order]
        one, other = group[order[hit]], found[hit]
        parts.append((one, other, groups.keys[one] ^ groups.keys[other]))
    one, other, keys = (np.concatenate(column) for column in zip(*parts, strict=True))
    return one, other, keys


_GROUPS_AT_ONCE: Final = 500_000


def _chunks(count: int) -> Iterator[slice]:
    for start in range(0, count, _GROUPS_AT_ONCE):
        yield slice(start, min(count, start + _GROUPS_AT_ONCE))
