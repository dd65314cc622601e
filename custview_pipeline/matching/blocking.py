"""Candidate pairs: equi-joins on tokens, under caps and budgets that are known before any join is made."""

from dataclasses import dataclass
from typing import Final

from custview_pipeline.contracts.match_features import FEATURES
from custview_pipeline.matching.engine import Engine
from custview_pipeline.matching.features import Prepared
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
        largest_block: Largest block that was used.
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
            yields.append(_apply_neighbours(engine, feature, others))
    for feature in ("phones", "identifiers"):
        engine.run(f"insert into pair select {PAIR} from near_{feature}")
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
    sizes = engine.rows("select size, count(*) from blocks group by size order by size")
    cap, pairs = _largest_block(sizes, _LARGEST_WEAK_BLOCK if rule.is_weak else limits.block_cap, budget)
    engine.run(
        f"""insert into pair select (x.rid::bigint << 32) | y.rid
        from (select * from keyed semi join (select block from blocks where size <= {cap}) using (block)) x
        join keyed y on x.block = y.block and x.rid < y.rid"""
    )
    dropped = [(size, count) for size, count in sizes if size > cap]
    return RuleYield(
        rule.name,
        pairs,
        cap,
        sum(count for _, count in dropped),
        sum(count * size * (size - 1) // 2 for size, count in dropped),
    )


def _largest_block(sizes: list[tuple[int, int]], cap: int, budget: int) -> tuple[int, int]:
    """Return the largest block size that fits cap and budget, and the pairs of all blocks up to it."""
    largest, pairs = 1, 0
    for size, count in sizes:
        more = count * size * (size - 1) // 2
        if size > cap or pairs + more > budget:
            break
        largest, pairs = size, pairs + more
    return largest, pairs


def _apply_neighbours(engine: Engine, feature: str, others: tuple[str, ...]) -> RuleYield:
    """Bring pairs whose ``feature`` is one edit apart and whose other features agree."""
    present = " and ".join(f"{name} is not null" for name in (feature, *others))
    others_key = f"hash({', '.join(others)})" if others else "0::ubigint"
    engine.run(
        f"""create or replace table keyed as
        with groups as (select {feature} token, {others_key} block, list(rid order by rid) rids, count(*) size from raw_records
            where {present} group by 1, 2)
        select l.rids left_rids, r.rids right_rids, l.size * r.size pairs from groups l
        join near on l.token = near.left_token join groups r on r.token = near.right_token and l.block = r.block
        where near.left_token < near.right_token"""
    )
    within = f"pairs <= {_LARGEST_NEIGHBOUR_BLOCK}"
    engine.run(
        f"""insert into pair select {PAIR} from
        (select i, unnest(right_rids) j from (select unnest(left_rids) i, right_rids from keyed where {within}))"""
    )
    pairs, largest, dropped_blocks, dropped_pairs = engine.rows(
        f"""select coalesce(sum(pairs) filter ({within}), 0)::bigint, coalesce(max(pairs) filter ({within}), 0)::bigint,
        count(*) filter (not {within}), coalesce(sum(pairs) filter (not {within}), 0)::bigint from keyed"""
    )[0]
    name = " + ".join((f"{feature} one edit apart", *others))
    return RuleYield(name, pairs, largest, dropped_blocks, dropped_pairs)
