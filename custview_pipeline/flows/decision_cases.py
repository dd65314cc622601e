"""Decisions of people as test cases: would model and rules alone, without being told, come to what was decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.stewardship_tables import REVIEW_DECISIONS
from custview_pipeline.flows.current import current_records
from custview_pipeline.flows.decided_clusters import LINKING_CASES, asked_pairs, intruders, judged_pairs
from custview_pipeline.flows.decided_values import VALUE_CASES, judged_values
from custview_pipeline.flows.decisions import decided_pairs, standing_answers
from custview_pipeline.flows.link_change import Linking, link_all
from custview_pipeline.flows.match_state import frozen_models, settings_of
from custview_pipeline.flows.named_records import members
from custview_pipeline.flows.rehearsal import SupposedLake
from custview_pipeline.flows.weighing import Scales, weigh_pairs
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.kernel.ports import Progress, Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.matching.found import MatchedType
from custview_pipeline.matching.match import comparisons_that_count
from custview_pipeline.matching.model import MatchModel
from custview_pipeline.matching.setup import Frozen

_PAIR: Final = ["left_id", "right_id"]
_MOST_PAIRS: Final = 50  # of one decision that are weighed: a lock of many records may fall into as many pieces


class Tried(NamedTuple):
    """What is held against the decisions.

    Attributes:
        rulebook: Rules, thresholds and trust.
        contracts: The sources.
        models: Match models in the place of those in use, by entity type.
    """

    rulebook: Rulebook
    contracts: Sequence[SourceContract]
    models: Mapping[EntityType, MatchModel] = {}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether model and rules agree with the decisions.

    Attributes:
        cases: decision_id, decision, reason_code, attribute, agrees; a row a decision that can be judged, by id.
        pairs: decision_id, left_id, right_id: pairs of records that are not as a decision about records asks.
        values: decision_id, wanted_id, winner_id: the record whose value a decision asks for, and the one whose value would win.
        unjudged_count: Decisions about records that are gone, or that were never matched.
        scales: What the pairs can be weighed with.
    """

    cases: pl.DataFrame
    pairs: pl.DataFrame
    values: pl.DataFrame
    unjudged_count: int
    scales: Scales

    @property
    def agreeing_count(self) -> int:
        """Return how many decisions they agree with."""
        return int(self.cases["agrees"].sum())


def judge_cases(lake: Snapshot, tried: Tried, progress: Progress) -> Verdict:
    """Match and elect without any decision, and tell which decisions come out as they were made.

    Args:
        lake: The lake; nothing is stored.
        tried: What is held against the decisions.
        progress: Hears of the steps.

    Raises:
        ProjectInvalid: A model does not compare what the rulebook lets count.
        IndexOutdated: The match index was made by other rules than today's.
        PairBudgetExceeded: The pairs do not fit in memory.
    """
    _assert_fitting(tried)
    with silenced("holding decisions against the rules"):
        standing, decided = standing_answers(lake), decided_pairs(lake)
        parts = _matched(lake, tried, progress)
        clusters = pl.concat(part.clusters for part in parts)
        pairs = pl.concat([judged_pairs(asked_pairs(standing, decided), clusters), intruders(standing, clusters)])
        values = judged_values(lake, standing, tried.rulebook, tried.contracts, progress)
        agrees = pl.concat([each.group_by("decision_id").agg(pl.col("agrees").all()) for each in (pairs, values)])
        named = standing.select("decision_id", "decision", "reason_code", "attribute")
        cases = named.join(agrees, on="decision_id", how="inner").sort("decision_id")
        kept = standing.filter(pl.col("decision").is_in([*LINKING_CASES, *VALUE_CASES]))
        return Verdict(
            cases=cases,
            pairs=pairs.filter(~pl.col("agrees")).drop("agrees"),
            values=values.filter(~pl.col("agrees")).drop("agrees"),
            unjudged_count=kept.height - cases.height,
            scales=_scales(lake, tried, parts),
        )


def weigh_against(verdict: Verdict, decision_ids: Sequence[str]) -> pl.DataFrame:
    """Return the strongest pair that speaks against each of some decisions: decision_id, left, right, weight, decision, rule.

    Records are named ``source_system:source_key``; the weight is in bits, decision and rule are those of model and rulebook.
    """
    with silenced("weighing the pairs"):
        asked = verdict.pairs.filter(pl.col("decision_id").is_in(list(decision_ids)))
        asked = asked.filter(pl.int_range(pl.len()).over("decision_id") < _MOST_PAIRS)
        records = current_records(verdict.scales.snapshot)
        named = pl.concat(asked[name].alias("record_id") for name in _PAIR).unique()
        everybody = members(verdict.scales.snapshot, records.filter(pl.col("record_id").is_in(named.implode())))
        weighed = [
            pl.DataFrame(
                schema={**dict.fromkeys(_PAIR, pl.Int64), "weight": pl.Float64, "decision": pl.String, "rule": pl.String}
            )
        ]
        for entity_type in sorted({member.entity_type for member in everybody}):
            own = [member for member in everybody if member.entity_type == entity_type]
            theirs = asked.filter(pl.col("left_id").is_in([member.record_id for member in own])).select(_PAIR).unique()
            weighed.append(weigh_pairs(verdict.scales, own, theirs).pairs.select(weighed[0].columns))
        names = {member.record_id: f"{member.source_system}:{member.source_key}" for member in everybody}
        found = asked.join(pl.concat(weighed), on=_PAIR, how="inner").sort(
            "decision_id", "weight", *_PAIR, descending=[False, True, False, False]
        )
        said = found.unique("decision_id", keep="first", maintain_order=True)
        left, right = (pl.col(name).replace_strict(names, return_dtype=pl.String) for name in _PAIR)
        return said.select("decision_id", left=left, right=right, weight="weight", decision="decision", rule="rule")


def _assert_fitting(tried: Tried) -> None:
    settings = settings_of(tried.rulebook)
    for entity_type, model in tried.models.items():
        if model.comparisons != comparisons_that_count(entity_type, settings):
            raise ProjectInvalid(
                f"model {model.version} does not compare what matching.compare lets count: a run would learn another one"
            )


def _matched(lake: Snapshot, tried: Tried, progress: Progress) -> tuple[MatchedType, ...]:
    """Match all records without decisions; a model that is learned for it still learns from them, as that of a run would."""

    def told(what: str, count: int) -> None:
        progress.step("matching", what, count)

    blind = _undecided(lake)
    known = frozen_models(lake) | {kind: Frozen(model, None) for kind, model in tried.models.items()}
    contracts = tuple(tried.contracts)
    parts = link_all(Linking(blind, tried.rulebook, contracts, known), told)
    if not _has_learned(parts, known) or decided_pairs(lake).is_empty():
        return parts
    learned = link_all(Linking(lake, tried.rulebook, contracts, known), told)
    return link_all(Linking(blind, tried.rulebook, contracts, _models_of(learned)), told)


def _undecided(lake: Snapshot) -> SupposedLake:
    return SupposedLake(lake, {REVIEW_DECISIONS.name: (REVIEW_DECISIONS.empty(), True)})


def _has_learned(parts: Sequence[MatchedType], known: Mapping[EntityType, Frozen]) -> bool:
    return any(
        kind not in known or frozen.model.version != known[kind].model.version for kind, frozen in _models_of(parts).items()
    )


def _models_of(parts: Sequence[MatchedType]) -> dict[EntityType, Frozen]:
    return {part.entity_type: part.frozen for part in parts if part.frozen is not None}


def _scales(lake: Snapshot, tried: Tried, parts: Sequence[MatchedType]) -> Scales:
    exclusive = frozenset(contract.source_system for contract in tried.contracts if contract.has_unique_customers)
    return Scales(_undecided(lake), settings_of(tried.rulebook), _models_of(parts), exclusive)
