"""Why two records are one customer, or are not, and what holds the records of a customer together."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.matching_rules import MODEL, STEWARD
from custview_pipeline.flows.current import current_crosswalk, current_records
from custview_pipeline.flows.customer_history import what_became
from custview_pipeline.flows.named_records import Member, members
from custview_pipeline.flows.weighing import Link, Scales, Weighing, weigh_pairs, weigh_stored
from custview_pipeline.kernel.errors import ProjectInvalid, UnknownCustomer
from custview_pipeline.kernel.identifiers import Cuid
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.matching.found import MATCH
from custview_pipeline.matching.strongest_path import part_sizes, path_between, strongest_tree

MOST_RECORDS: Final = 200  # of which every pair is weighed; of more, only the stored edges are looked at


class Because(StrEnum):
    """Why two records are one customer now, or are not."""

    EVIDENCE = "evidence"  # the pair alone says so
    RULE = "rule"  # a rule of the rulebook, or the promise of a source, says so of this pair
    DECISION = "decision"  # a steward said so of this pair
    THROUGH_OTHERS = "through_others"  # other records join them
    NOT_STORED = "not_stored"  # other records join them, by evidence that is not stored; they are too many to weigh it again
    KEPT_APART = "kept_apart"  # a rule, a steward or the promise of a source forbids another pair of their customers
    NOT_MET = "not_met"  # no blocking rule brings their customers together, so they were never compared
    OTHERS_DISAGREE = "others_disagree"  # the other records of their customers speak against it
    EARLIER_RUN = "earlier_run"  # the last run saw it otherwise: records, rules, decisions or model changed since
    NOT_MATCHED = "not_matched"  # no run has matched one of them yet


class Reason(NamedTuple):
    """Why two records are one customer now, or are not.

    Attributes:
        because: Why.
        through: Where others join them: the strongest path from the one to the other.
        against: Where others keep them apart: the pair of their customers' records that most speaks against it.
    """

    because: Because
    through: tuple[Link, ...] = ()
    against: Link | None = None


@dataclass(frozen=True, slots=True)
class ExplainedPair:
    """Two records.

    Attributes:
        link: The evidence between them.
        is_one_customer: Whether they are one customer now; None where a run has not matched them yet.
        reason: Why.
        model_version: The model that weighed them.
        match_weight, review_weight: Bits above which a pair is a MATCH, and from which it is a POSSIBLE_MATCH.
    """

    link: Link
    is_one_customer: bool | None
    reason: Reason
    model_version: str
    match_weight: float
    review_weight: float


@dataclass(frozen=True, slots=True)
class ExplainedCustomer:
    """A customer and what holds it together.

    Attributes:
        members: Its records, by source and key.
        model_version: The model that weighed them; None where it has one record only.
        tree: The pairs that hold it together, the strongest first; the last is the weakest link.
        part_sizes: Records of the parts that it falls into without the weakest link, the largest first.
        contradiction: The pair that speaks most against it; None where that is the weakest link itself.
        is_from_stored: Whether only stored edges were looked at, because it has more than ``MOST_RECORDS`` records.
        unlinked_count: Records that no such edge reaches.
    """

    cuid: Cuid
    members: tuple[Member, ...]
    model_version: str | None = None
    tree: tuple[Link, ...] = ()
    part_sizes: tuple[int, ...] = ()
    contradiction: Link | None = None
    is_from_stored: bool = False
    unlinked_count: int = 0


def assert_comparable(left: Member, right: Member) -> None:
    """Refuse two records between which there is nothing to explain.

    Raises:
        ProjectInvalid: It is one record, or they are of two entity types.
    """
    if left.record_id == right.record_id:
        raise ProjectInvalid("both names are of the same record: name two")
    if left.entity_type != right.entity_type:
        raise ProjectInvalid(
            f"the first record is of entity type {left.entity_type}, the second of {right.entity_type}: such records are never "
            "compared, and never one customer"
        )


def explain_pair(scales: Scales, left: Member, right: Member) -> ExplainedPair:
    """Return why two records, which ``assert_comparable`` lets pass, are one customer, or are not.

    Raises:
        IndexOutdated: The match index was made by other rules than today's.
        LakeError: No model of their entity type was learned yet.
    """
    with silenced("explaining two records"):
        link, weighing = _weighed(scales, left, right)
        is_matched = left.cuid is not None and right.cuid is not None
        return ExplainedPair(
            link=link,
            is_one_customer=left.cuid == right.cuid if is_matched else None,
            reason=_reason(scales, weighing, link),
            model_version=scales.model_version(left.entity_type),
            match_weight=scales.settings.match_weight,
            review_weight=scales.settings.review_weight,
        )


def explain_customer(scales: Scales, cuid: Cuid) -> ExplainedCustomer:
    """Return what holds the records of a customer together.

    Raises:
        UnknownCustomer: There is none with this id; the message names the heir of a merged one.
        IndexOutdated: The match index was made by other rules than today's.
        LakeError: No model of its entity type was learned yet.
    """
    with silenced("explaining a customer"):
        own = _members_of(scales.snapshot, cuid)
        if not own:
            raise UnknownCustomer(what_became(scales.snapshot, cuid))
        if len(own) == 1:
            return ExplainedCustomer(cuid, own)
        is_large = len(own) > MOST_RECORDS
        weighing = weigh_stored(scales, own) if is_large else weigh_pairs(scales, own, _all_pairs(own))
        tree = strongest_tree(weighing.pairs, by="strength")
        lowest = weighing.pairs.sort("strength", "weight", "left_id", "right_id").head(1)
        return ExplainedCustomer(
            cuid=cuid,
            members=own,
            model_version=scales.model_version(own[0].entity_type),
            tree=weighing.links(tree),
            part_sizes=tuple(part_sizes(tree)) if tree.height else (),
            contradiction=next(iter(weighing.links(lowest.join(tree, on=["left_id", "right_id"], how="anti"))), None),
            is_from_stored=is_large,
            unlinked_count=len(own) - len({*tree["left_id"], *tree["right_id"]}),
        )


def _weighed(scales: Scales, left: Member, right: Member) -> tuple[Link, Weighing]:
    """Return the evidence between two records, and that between all records of their customers."""
    cuids = dict.fromkeys(side.cuid for side in (left, right) if side.cuid is not None)
    family = {member.record_id: member for cuid in cuids for member in _members_of(scales.snapshot, cuid)}
    everybody = tuple(({left.record_id: left, right.record_id: right} | family).values())
    if len(everybody) <= MOST_RECORDS:
        weighing = weigh_pairs(scales, everybody, _all_pairs(everybody))
        return weighing.link(left.record_id, right.record_id), weighing
    alone = weigh_pairs(scales, (left, right), _all_pairs((left, right)))
    return alone.link(left.record_id, right.record_id), weigh_stored(scales, everybody)


def _reason(scales: Scales, weighing: Weighing, link: Link) -> Reason:
    """Return why two records are one customer now, or are not."""
    if link.left.cuid is None or link.right.cuid is None:
        return Reason(Because.NOT_MATCHED)
    is_one = link.left.cuid == link.right.cuid
    if is_one == (link.decision == MATCH):
        return Reason({MODEL: Because.EVIDENCE, STEWARD: Because.DECISION}.get(link.rule, Because.RULE))
    return _why_joined(weighing, link) if is_one else _why_parted(scales, weighing, link)


def _why_joined(weighing: Weighing, link: Link) -> Reason:
    """Return why two records are one customer that the evidence between them does not make one."""
    path = path_between(strongest_tree(weighing.pairs, by="strength"), link.left.record_id, link.right.record_id)
    is_straight = path == [link.left.record_id, link.right.record_id]
    if link.rule != MODEL or is_straight:  # what is forbidden is never joined, and nobody else joins them
        return Reason(Because.EARLIER_RUN)
    if not path:
        return Reason(Because.NOT_STORED)
    return Reason(Because.THROUGH_OTHERS, through=tuple(map(weighing.link, path, path[1:])))


def _why_parted(scales: Scales, weighing: Weighing, link: Link) -> Reason:
    """Return why two records are two customers that the evidence between them would make one."""
    across = weighing.across(link.left.cuid, link.right.cuid).sort("strength", "weight", "left_id", "right_id")
    against = next((each for each in weighing.links(across.head(1)) if each.decision != MATCH), None)
    if against is not None and against.rule != MODEL:
        return Reason(Because.KEPT_APART, against=against)
    if link.rule == STEWARD:
        return Reason(Because.EARLIER_RUN)
    if across.join(scales.stored_edges, on=["left_id", "right_id"], how="semi").is_empty():
        return Reason(Because.NOT_MET)
    is_every_pair = across.height == len(weighing.of(link.left.cuid)) * len(weighing.of(link.right.cuid))
    if against is None and is_every_pair:
        return Reason(Because.EARLIER_RUN)
    return Reason(Because.OTHERS_DISAGREE, against=against)


def _members_of(snapshot: Snapshot, cuid: str) -> tuple[Member, ...]:
    """Return the records of a customer, by source and key."""
    own = current_crosswalk(snapshot).filter(pl.col("cuid") == cuid)
    return members(snapshot, current_records(snapshot).join(own, on="record_id", how="semi"))


def _all_pairs(own: Sequence[Member]) -> pl.DataFrame:
    ids = sorted(member.record_id for member in own)
    return pl.DataFrame(list(combinations(ids, 2)), schema={"left_id": pl.Int64, "right_id": pl.Int64}, orient="row")
