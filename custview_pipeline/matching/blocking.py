"""Candidate pairs: equi-joins on tokens, under caps and budgets that are known before any join is made."""

from dataclasses import dataclass
from typing import Final

from custview_pipeline.contracts.match_features import FEATURES
from custview_pipeline.matching.engine import Engine
from custview_pipeline.matching.features import LARGEST_NEAR_GROUP, NEAR_LISTS, Prepared
from custview_pipeline.matching.rules import NEIGHBOUR_RULES, STRONG_RULES, WEAK_RULES, BlockingRule

_STRONG_PAIRS: Final = 6.0  # pairs per record that a strong rule may bring
_WEAK_PAIRS: Final = 1.0
_LEAST_BUDGET: Final = 200_000  # pairs that any rule may bring, however few records there are
_LARGEST_WEAK_BLOCK: Final = 2_000
_LARGEST_NEIGHBOUR_BLOCK: Final = 200  # pairs of one block of a neighbour rule
PAIR: Final = "(least(i, j)::bigint << 32) | greatest(i, j)"  # one integer a pair: cheaper to make distinct


@dataclass(frozen=True, slots=True)
class BlockingLimits:
    """What the rulebook allows.

    Attributes:
        block_cap: Largest block of a strong rule, in records.
        pair_budget: Candidate pairs per record, all rules together.
    """

    block_cap: int
    pair_budget: float


@dataclass(frozen=True, slots=True)
class RuleYield:
    """What one rule brought and what it left out.

    Attributes:
        rule: The rule in words.
        pairs: Pairs brought, those known from earlier rules included.
        largest_block: Largest block that was used, in records (of neighbour rules: in pairs); 0 where none was.
        dropped_blocks: Blocks that were over the cap or the budget.
        dropped_pairs: Pairs in them.
    """

    rule: str
    pairs: int
    largest_block: int
    dropped_blocks: int
    dropped_pairs: int


def block(engine: Engine, prepared: Prepared, limits: BlockingLimits) -> tuple[RuleYield, ...]:
    """Fill the table ``candidates`` (i < j, distinct) and tell what each rule brought and dropped."""
    engine.run("create or replace table pair (pair bigint)")
    allowance = int(max(_LEAST_BUDGET, limits.pair_budget * prepared.count))
    yields: list[RuleYield] = []
    for rule in (*STRONG_RULES, *WEAK_RULES):
        if prepared.filled.issuperset(rule.features):
            brought = _apply(engine, prepared, rule, limits, allowance)
            allowance -= brought.pairs
            yields.append(brought)
    for feature, others in NEIGHBOUR_RULES:
        if prepared.filled.issuperset((feature, *others)):
            brought = _apply_neighbours(engine, feature, others, allowance)
            allowance -= brought.pairs
            yields.append(brought)
    for feature in NEAR_LISTS:
        if feature in prepared.filled:
            brought = _apply_near_list(engine, feature, allowance)
            allowance -= brought.pairs
            yields.append(brought)
    engine.run(
        """create or replace table candidates as select (pair >> 32)::int i, (pair & 4294967295)::int j
        from (select distinct pair from pair) order by i, j"""
    )
    engine.run("drop table pair")
    return tuple(yields)


def _apply(engine: Engine, prepared: Prepared, rule: BlockingRule, limits: BlockingLimits, allowance: int) -> RuleYield:
    """Bring the pairs of one rule's blocks, smallest blocks first, within its budget."""
    source = "raw_records"
    for feature in rule.features:
        if FEATURES[feature].is_list:
            source = f"(select * exclude ({feature}), unnest({feature}) {feature} from {source})"
    conditions = [f"{feature} is not null" for feature in rule.features]
    if rule.features == ("email_local",):
        conditions.append("not is_email_from_name")
    engine.run(
        f"""create or replace table keyed as select distinct hash({", ".join(rule.keys)}) block, rid
        from {source} where {" and ".join(conditions)}"""
    )
    engine.run("create or replace table blocks as select block, count(*) size from keyed group by block having count(*) > 1")
    per_record = _WEAK_PAIRS if rule.is_weak else _STRONG_PAIRS
    budget = min(allowance, int(max(_LEAST_BUDGET, per_record * prepared.count)))
    sizes = engine.rows("select size, count(*), count(*) * (size * (size - 1) // 2) from blocks group by size order by size")
    brought = within_budget(rule.name, sizes, cap=_LARGEST_WEAK_BLOCK if rule.is_weak else limits.block_cap, budget=budget)
    engine.run(
        f"""insert into pair select (x.rid::bigint << 32) | y.rid
        from (select * from keyed semi join (select block from blocks where size <= {brought.largest_block}) using (block)) x
        join keyed y on x.block = y.block and x.rid < y.rid"""
    )
    return brought


def within_budget(rule: str, sizes: list[tuple[int, int, int]], *, cap: int, budget: int) -> RuleYield:
    """Return what a rule brings of its blocks, smallest first, as long as they keep within cap and budget.

    Args:
        rule: The rule in words.
        sizes: Size, number of blocks of that size, pairs in all of them; ascending.
        cap: Largest size allowed.
        budget: Most pairs allowed.
    """
    largest, pairs = 0, 0
    for size, _, more in sizes:
        if size > cap or pairs + more > budget:
            break
        largest, pairs = size, pairs + more
    dropped = [(blocks, left_out) for size, blocks, left_out in sizes if size > largest]
    return RuleYield(rule, pairs, largest, sum(blocks for blocks, _ in dropped), sum(left_out for _, left_out in dropped))


def _apply_neighbours(engine: Engine, feature: str, others: tuple[str, ...], budget: int) -> RuleYield:
    """Bring pairs whose ``feature`` is one edit apart and whose other features agree, fewest first, within the budget."""
    present = " and ".join(f"{name} is not null" for name in (feature, *others))
    others_key = f"hash({', '.join(others)})" if others else "0::ubigint"
    engine.run(
        f"create or replace table keyed as select {feature} token, {others_key} block, rid from raw_records where {present}"
    )
    engine.run("create or replace table sized as select token, block, count(*) size from keyed group by all")
    engine.run(
        """create or replace table blocks as
        select l.block, near.left_token, near.right_token, l.size * r.size pairs from sized l
        join near on l.token = near.left_token join sized r on r.token = near.right_token and l.block = r.block
        where near.left_token < near.right_token"""
    )
    sizes = engine.rows("select pairs, count(*), count(*) * pairs from blocks group by pairs order by pairs")
    name = " + ".join((f"{feature} one edit apart", *others))
    brought = within_budget(name, sizes, cap=_LARGEST_NEIGHBOUR_BLOCK, budget=budget)
    engine.run(
        f"""insert into pair select {PAIR} from (select x.rid i, y.rid j
            from (select * from blocks where pairs <= {brought.largest_block}) within
            join keyed x on x.block = within.block and x.token = within.left_token
            join keyed y on y.block = within.block and y.token = within.right_token)"""
    )
    return brought


def _apply_near_list(engine: Engine, feature: str, budget: int) -> RuleYield:
    """Bring pairs of which one of several values is one edit apart, rarest values first, within the budget."""
    sizes = engine.rows(f"select block_pairs, count(*), count(*) from near_{feature} group by 1 order by 1")
    brought = within_budget(f"{feature} one edit apart", sizes, cap=LARGEST_NEAR_GROUP**2, budget=budget)
    engine.run(f"insert into pair select {PAIR} from near_{feature} where block_pairs <= {brought.largest_block}")
    return brought
