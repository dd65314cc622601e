"""What an answer about two records would change, told before it is given: the next run is rehearsed, nothing is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.golden_tables import CHANGE_FEED, GOLDEN_LINEAGE, GOLDEN_RECORDS
from custview_pipeline.contracts.matching_tables import CROSSWALK
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.stewardship_tables import BY_STEWARD, REVIEW_DECISIONS
from custview_pipeline.flows.link import STAGE
from custview_pipeline.flows.link_change import Linking, link_change
from custview_pipeline.flows.link_rows import Found, rows_of
from custview_pipeline.flows.match_state import frozen_models
from custview_pipeline.flows.rehearsal import Rehearsal
from custview_pipeline.flows.survive import survive
from custview_pipeline.flows.touched import members_of
from custview_pipeline.flows.value_changes import value_changes
from custview_pipeline.kernel.identifiers import Cuid
from custview_pipeline.kernel.ports import Snapshot, Unwatched
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.protection.record_identity import cuids

_RUN: Final = "rehearsal"


class Rules(NamedTuple):
    """What the next run would work with: rulebook, sources, and the purpose key ``id``, by which customers get their ids."""

    rulebook: Rulebook
    contracts: Sequence[SourceContract]
    id_key: bytes


class Share(NamedTuple):
    """A customer and how many records it has."""

    cuid: Cuid
    record_count: int


@dataclass(frozen=True, slots=True)
class AnswerEffect:
    """What an answer would change.

    Attributes:
        decision: The answer: match or not_a_match.
        before: The customers of both records as they are.
        after: Those that have records of these then; the largest first, as above.
        others_count: Records of other customers that would move too.
        values: ``flows.value_changes.VALUE_CHANGES`` of those of the customers that go on.
    """

    decision: str
    before: tuple[Share, ...]
    after: tuple[Share, ...]
    others_count: int
    values: pl.DataFrame

    @property
    def has_any(self) -> bool:
        """Return whether it would change anything now."""
        return self.before != self.after or self.others_count > 0 or not self.values.is_empty()


def foretell_answer(snapshot: Snapshot, rules: Rules, pair: tuple[int, int], decision: str) -> AnswerEffect | None:
    """Return what an answer would change, as the next run would find it from the lake as it is.

    Args:
        snapshot: The lake.
        rules: What the run would work with.
        pair: The record ids.
        decision: match or not_a_match.

    Returns:
        None where it cannot be told apart: the next run matches everything anew, for rulebook or model changed since the last.

    Raises:
        IndexOutdated: The match index was made by other rules than today's.
    """
    with silenced("rehearsing an answer"):
        rehearsal = Rehearsal(snapshot, forgotten={GOLDEN_LINEAGE.name})
        rehearsal.append(REVIEW_DECISIONS.name, _said(pair, decision))
        if not _link(rehearsal, rules):
            return None
        survive(rehearsal, rules.contracts, rules.rulebook, run_id=_RUN, progress=Unwatched())
        return _effect(snapshot, rehearsal, pair, decision)


def _said(pair: tuple[int, int], decision: str) -> pl.DataFrame:
    row = {
        "decision_id": _RUN,
        "decision": decision,
        "left_id": min(pair),
        "right_id": max(pair),
        "decided_by": _RUN,
        "decided_at": datetime.now(UTC),
        "origin": BY_STEWARD,
    }
    return pl.DataFrame([row], schema=REVIEW_DECISIONS.types)


def _link(rehearsal: Rehearsal, rules: Rules) -> bool:
    """Rehearse linking; return whether only what changed had to be linked."""
    lake = rehearsal.snapshot()
    linking = Linking(lake, rules.rulebook, tuple(rules.contracts), frozen_models(lake))
    since = linking.since(lake.consumed(STAGE))
    if since is None:
        return False
    found = Found(link_change(linking, since, lambda _what, _count: None), since, _RUN, datetime.now(UTC))
    rows = rows_of(linking, found, lambda ids, nth: cuids(rules.id_key, ids, generations=nth))
    for table, (frame, is_all) in rows.tables.items():
        (rehearsal.replace if is_all else rehearsal.append)(table, frame)
    return True


def _effect(snapshot: Snapshot, rehearsal: Rehearsal, pair: tuple[int, int], decision: str) -> AnswerEffect:
    """Return what is told of a rehearsal that has to do with two records."""
    moves = rehearsal.committed(CROSSWALK.name).select("record_id", after="cuid")
    both = snapshot.read(CROSSWALK.name, ["record_id", "cuid"], where=pl.col("record_id").is_in(pair))
    before = members_of(snapshot, both["cuid"].drop_nulls().unique())
    before = before.filter(pl.col("cuid").is_in(_owners(before, pair).implode()))
    after = before.join(moves, on="record_id", how="left").select("record_id", cuid=pl.coalesce("after", "cuid"))
    homes = members_of(rehearsal.snapshot(), after["cuid"].unique())
    golden, feed = (rehearsal.committed(table.name) for table in (GOLDEN_RECORDS, CHANGE_FEED))
    concerned = pl.concat([before["cuid"], homes["cuid"]]).unique()
    return AnswerEffect(
        decision=decision,
        before=_shares(before),
        after=_shares(homes),
        others_count=moves.join(before, on="record_id", how="anti").height,
        values=value_changes(snapshot, golden, feed).filter(pl.col("cuid").is_in(concerned.implode())),
    )


def _owners(owned: pl.DataFrame, pair: tuple[int, int]) -> pl.Series:
    """Return the customers of two records now."""
    return owned.filter(pl.col("record_id").is_in(pair))["cuid"].unique()


def _shares(owned: pl.DataFrame) -> tuple[Share, ...]:
    counted = owned.group_by("cuid").len().sort("len", "cuid", descending=[True, False])
    return tuple(Share(Cuid(cuid), count) for cuid, count in counted.iter_rows())
