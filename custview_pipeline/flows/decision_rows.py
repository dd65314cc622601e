"""What a person says, as rows of review_decisions: looked up in the lake of now, and refused where it cannot mean anything."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import polars as pl

from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.golden_tables import GOLDEN_LINEAGE
from custview_pipeline.contracts.stewardship_tables import BY_STEWARD, LOCK, PAIR_DECISIONS, PIN, REVIEW_DECISIONS, SPLIT_OFF
from custview_pipeline.contracts.yaml_text import suggest
from custview_pipeline.flows.customer_history import what_became
from custview_pipeline.flows.decisions import as_decisions, entered_values
from custview_pipeline.flows.named_records import Member
from custview_pipeline.flows.touched import members_of
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.kernel.identifiers import Cuid
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.redaction import silenced


class Stated(NamedTuple):
    """Who decides, when (UTC), and why: a word of ``REASON_CODES``, and what else there is to say."""

    decided_by: str
    decided_at: datetime
    reason_code: str | None = None
    reason: str | None = None

    def row(self, decision: str, **about: Any) -> pl.DataFrame:
        """Return a decision as a row of review_decisions."""
        said = {"decision": decision, "origin": BY_STEWARD, **self._asdict(), **about}
        types = {name: REVIEW_DECISIONS.types[name] for name in said}
        return as_decisions(pl.DataFrame([said], schema=types))


def about_pair(decision: str, left: Member, right: Member, stated: Stated) -> pl.DataFrame:
    """Return a decision about two records: match, not_a_match or unsure.

    Raises:
        ProjectInvalid: They are one record, or a person and an enterprise.
    """
    assert decision in PAIR_DECISIONS  # noqa: S101 -- a caller's mistake, not a user's
    if left.record_id == right.record_id:
        raise ProjectInvalid("both names are of one record: name two")
    if left.entity_type != right.entity_type:
        raise ProjectInvalid("one of them is a person, the other an enterprise: they are never one customer")
    return stated.row(decision, left_id=left.record_id, right_id=right.record_id)


def split_off(snapshot: Snapshot, record: Member, stated: Stated) -> pl.DataFrame:
    """Return the decision that a record is another customer than the records it is with.

    Raises:
        ProjectInvalid: It is with none.
    """
    members = [] if record.cuid is None else _members(snapshot, record.cuid)
    entered = _entered_for(snapshot, members)
    others = sorted({*members, *entered} - {record.record_id})
    if record.record_id not in entered and not set(others).difference(entered):
        raise ProjectInvalid("the record is alone in its customer: there is nothing to split it off from")
    return stated.row(SPLIT_OFF, record_id=record.record_id, member_ids=others)


def lock(snapshot: Snapshot, cuid: Cuid, stated: Stated) -> pl.DataFrame:
    """Return the decision that a customer stays as it is: its records together, and no other one with them.

    Raises:
        ProjectInvalid: It has no records.
    """
    members = customer_records(snapshot, cuid)
    return stated.row(LOCK, member_ids=[*members, *_entered_for(snapshot, members)])


def pin(snapshot: Snapshot, cuid: Cuid, attribute: str, source: tuple[Member, int | None], stated: Stated) -> pl.DataFrame:
    """Return the decision that what a record says of an attribute is the value of its customer.

    Args:
        snapshot: The lake.
        cuid: The customer.
        attribute: The golden attribute.
        source: The record, and which of its values; None for any.
        stated: Who, when and why.

    Raises:
        ProjectInvalid: There is no such attribute; the record is of another customer, or says nothing of the attribute.
    """
    record, slot = source
    if attribute not in GOLDEN_ATTRIBUTES:
        raise ProjectInvalid(f"no attribute {attribute!r} of a customer{suggest(attribute, GOLDEN_ATTRIBUTES)}")
    members = customer_records(snapshot, cuid)
    if record.record_id not in members:
        raise ProjectInvalid(f"the record is none of customer {cuid}: custview show lists its records")
    with silenced("looking up candidates"):
        of_it = (pl.col("cuid") == cuid) & (pl.col("attribute") == attribute)
        rows = snapshot.read(GOLDEN_LINEAGE.name, ["version", "record_id", "slot"], where=of_it)
        now = rows.filter(pl.col("version") == pl.col("version").max(), pl.col("record_id") == record.record_id)
        if now.is_empty() or (slot is not None and slot not in now["slot"]):
            which = "" if slot is None else f" in place {slot}"
            raise ProjectInvalid(f"the record gives no {attribute}{which}: custview receipt {cuid} {attribute} lists who does")
    return stated.row(PIN, record_id=record.record_id, member_ids=members, attribute=attribute, slot=slot)


def customer_records(snapshot: Snapshot, cuid: Cuid) -> list[int]:
    """Return the records of a customer.

    Raises:
        ProjectInvalid: It has none; the message says what became of it.
    """
    members = _members(snapshot, cuid)
    if not members:
        raise ProjectInvalid(what_became(snapshot, cuid))
    return members


def _entered_for(snapshot: Snapshot, members: Sequence[int]) -> list[int]:
    """Return the values entered for a customer, those too that no run has linked yet."""
    with silenced("looking up values entered"):
        found = entered_values(snapshot)
        return found.filter(pl.col("anchor").is_in(members))["record_id"].to_list()


def _members(snapshot: Snapshot, cuid: str) -> list[int]:
    with silenced("looking up a customer"):
        return sorted(members_of(snapshot, pl.Series("cuid", [cuid], pl.String))["record_id"])
