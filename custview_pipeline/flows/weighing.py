"""Weighs pairs of records that are in the lake, for those who ask why: nothing is stored, no value is opened."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import polars as pl

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.match_index import IndexPart
from custview_pipeline.contracts.matching_rules import MODEL, PROMISE, STEWARD
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.flows.current import current_edges, current_index, current_records
from custview_pipeline.flows.decisions import decided_pairs, locked_records
from custview_pipeline.flows.erasure_index import fuzzy_tokens
from custview_pipeline.flows.match_state import frozen_models, neighbourhoods_of, settings_of
from custview_pipeline.flows.named_records import Member
from custview_pipeline.kernel.errors import LakeError
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.matching.edge_words import LevelBits, pattern_evidence
from custview_pipeline.matching.evidence import weigh
from custview_pipeline.matching.found import MATCH, NO_MATCH
from custview_pipeline.matching.setup import Frozen, MatchSettings

_PAIR: Final = ("left_id", "right_id")


@dataclass(frozen=True, slots=True)
class Link:
    """The evidence between two records.

    Attributes:
        left, right: The records.
        weight: Bits for one customer.
        probability: The same as a probability, 0 to 1.
        decision: MATCH, POSSIBLE_MATCH or NO_MATCH.
        rule: What decided: the model, a steward, the promise of a source (``matching.judging``), or a rule by its name.
        alternative: What they are likelier if not one customer: household or unrelated.
        starting_bits: What was thought before anything was compared.
        levels: What was compared, silent comparisons left out; with ``starting_bits`` their bits add up to the weight.
    """

    left: Member
    right: Member
    weight: float
    probability: float
    decision: str
    rule: str
    alternative: str
    starting_bits: float
    levels: tuple[LevelBits, ...]


@dataclass(frozen=True)
class Scales:
    """What pairs are weighed with.

    Attributes:
        snapshot: The lake.
        settings: What the rulebook says about matching.
        known: Model and term frequencies of each entity type that a run has learned them for.
        exclusive: Source systems that promise that no two of their records are one customer.
    """

    snapshot: Snapshot
    settings: MatchSettings
    known: Mapping[EntityType, Frozen]
    exclusive: frozenset[str] = frozenset()

    def model_version(self, entity_type: str) -> str:
        """Return the version of the model of an entity type.

        Raises:
            LakeError: None was learned yet.
        """
        frozen = self.known.get(EntityType(entity_type))
        if frozen is None:
            raise LakeError(f"there is no model of {entity_type} records yet: custview run learns one where it can compare some")
        return frozen.model.version

    @cached_property
    def stored_edges(self) -> pl.DataFrame:
        """Return the rows of match_edges."""
        return current_edges(self.snapshot)

    @cached_property
    def decided(self) -> pl.DataFrame:
        """Return the pairs that stewards decided: left_id, right_id, is_match."""
        return decided_pairs(self.snapshot)

    @cached_property
    def locked(self) -> Mapping[int, int]:
        """Return the lock of each record of a locked customer."""
        return dict(locked_records(self.snapshot).rows())


def scales_of(snapshot: Snapshot, rulebook: Rulebook, contracts: Iterable[SourceContract]) -> Scales:
    """Return what pairs of a lake are weighed with as it stands now."""
    exclusive = frozenset(contract.source_system for contract in contracts if contract.has_unique_customers)
    return Scales(snapshot, settings_of(rulebook), frozen_models(snapshot), exclusive)


class Weighing:
    """Pairs of some records, weighed.

    Attributes:
        pairs: left_id, right_id, weight (bits), strength (the same, infinite where anything but the model decided), probability,
            decision, rule and what else the evidence has.

    Args:
        members: The records.
        pairs: See above.
        levels: left_id, right_id, comparison, level, meaning, bits of what was compared; in the order of the model.
    """

    def __init__(self, members: Sequence[Member], pairs: pl.DataFrame, levels: pl.DataFrame) -> None:
        self._members = {member.record_id: member for member in members}
        self._levels = levels
        self.pairs = pairs

    def link(self, left_id: int, right_id: int) -> Link:
        """Return the evidence between two of the records, in this order."""
        is_pair = (pl.col("left_id") == min(left_id, right_id)) & (pl.col("right_id") == max(left_id, right_id))
        row = self.pairs.row(by_predicate=is_pair, named=True)
        said = self._levels.filter(is_pair, pl.col("level") > 0)
        return Link(
            left=self._members[left_id],
            right=self._members[right_id],
            **{name: row[name] for name in ("weight", "probability", "decision", "rule", "alternative", "starting_bits")},
            levels=tuple(LevelBits(*each) for each in said.select(LevelBits._fields).iter_rows()),
        )

    def of(self, cuid: str | None) -> tuple[Member, ...]:
        """Return the records of one customer."""
        return tuple(member for member in self._members.values() if member.cuid == cuid)

    def across(self, cuid: str | None, other: str | None) -> pl.DataFrame:
        """Return the pairs of which one record is of one customer and one of the other."""
        one, two = ([member.record_id for member in self.of(each)] for each in (cuid, other))
        left, right = pl.col("left_id"), pl.col("right_id")
        return self.pairs.filter((left.is_in(one) & right.is_in(two)) | (left.is_in(two) & right.is_in(one)))

    def links(self, pairs: pl.DataFrame) -> tuple[Link, ...]:
        """Return the evidence of some of the pairs, in their order."""
        return tuple(self.link(left, right) for left, right in pairs.select(_PAIR).iter_rows())


def weigh_pairs(scales: Scales, members: Sequence[Member], pairs: pl.DataFrame) -> Weighing:
    """Weigh pairs of records from their tokens, by the model and the rules of now.

    Args:
        scales: What they are weighed with.
        members: The records, of one entity type.
        pairs: left_id, right_id of those wanted, in any order of sides.

    Raises:
        IndexOutdated: The match index was made by other rules than today's.
        LakeError: No model of their entity type was learned yet.
    """
    scales.model_version(members[0].entity_type)
    everybody = current_records(scales.snapshot).select("record_id", "version")
    wanted = everybody.filter(pl.col("record_id").is_in([member.record_id for member in members]))
    # Where no run has counted yet how common values are, as with a new token key, that is counted on all records.
    is_counted = scales.known[EntityType(members[0].entity_type)].frequencies is not None
    tokens = current_index(scales.snapshot, IndexPart.TOKENS, wanted if is_counted else everybody)
    near = neighbourhoods_of(scales.snapshot, tokens, scales.known)
    near = near.filter(pl.col("token").is_in(fuzzy_tokens(tokens.join(wanted, on="record_id", how="semi")).implode())).unique()
    weighed = weigh(tokens, near, pairs, scales.settings, scales.known)
    return Weighing(members, _judged(scales, members, weighed.pairs), weighed.comparisons)


def weigh_stored(scales: Scales, members: Sequence[Member]) -> Weighing:
    """Return the stored edges between some records, for where weighing every pair would take too long; weights are rounded."""
    ids = pl.Series([member.record_id for member in members], dtype=pl.Int64).implode()
    models = {frozen.model.version: frozen.model for frozen in scales.known.values()}
    edges = scales.stored_edges.filter(
        pl.col("left_id").is_in(ids), pl.col("right_id").is_in(ids), pl.col("model_version").is_in(list(models))
    )
    pairs, levels = [], []
    for edge in edges.iter_rows(named=True):
        evidence = pattern_evidence(models[edge["model_version"]], edge["pattern"])
        rarity = LevelBits("rarity", 1, "rarity of the values", edge["weight"] - evidence.bits)
        pairs.append((evidence.alternative, evidence.starting_bits))
        levels += [(edge["left_id"], edge["right_id"], *level) for level in (*evidence.levels, rarity)]
    names = {"left_id": pl.Int64, "right_id": pl.Int64, "comparison": pl.String, "level": pl.Int32, "meaning": pl.String}
    said = pl.DataFrame(pairs, schema={"alternative": pl.String, "starting_bits": pl.Float64}, orient="row")
    compared = pl.DataFrame(levels, schema={**names, "bits": pl.Float64}, orient="row")
    return Weighing(members, _judged(scales, members, pl.concat([edges, said], how="horizontal")), compared)


def _judged(scales: Scales, members: Sequence[Member], pairs: pl.DataFrame) -> pl.DataFrame:
    """Put what stewards decided and sources promise before what model and rules say, and add the strength of each pair."""
    sources = {member.record_id: member.source_system for member in members}
    left, right = (pl.col(name).replace_strict(sources, return_dtype=pl.String) for name in _PAIR)
    is_promised = (left == right) & left.is_in(list(scales.exclusive))
    one, other = (pl.col(name).replace_strict(scales.locked, default=None, return_dtype=pl.Int64) for name in _PAIR)
    is_match = pl.coalesce("is_match", pl.when(one.ne_missing(other)).then(statement=False))
    judged = pairs.join(scales.decided, on=_PAIR, how="left", maintain_order="left").with_columns(
        decision=pl.when(is_match).then(pl.lit(MATCH)).when(~is_match | is_promised).then(pl.lit(NO_MATCH)).otherwise("decision"),
        rule=pl.when(is_match.is_not_null()).then(pl.lit(STEWARD)).when(is_promised).then(pl.lit(PROMISE)).otherwise("rule"),
    )
    is_ruled, agrees = pl.col("rule") != MODEL, pl.col("decision") == MATCH
    strength = pl.when(is_ruled & agrees).then(math.inf).when(is_ruled).then(-math.inf).otherwise("weight")
    return judged.with_columns(strength=strength).drop("is_match")
