"""What people decided in one go, as a file that waits for the right to write the lake; ids, names and reasons, never a value."""

from datetime import date, datetime
from typing import Annotated, Final, Self

import polars as pl
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from custview_pipeline.contracts.stewardship_tables import (
    IS_MATCH,
    LOCK,
    NOT_A_MATCH,
    PAIR_DECISIONS,
    PIN,
    REVIEW_ASSIGNMENTS,
    REVIEW_DECISIONS,
    SPLIT_OFF,
    UNSURE,
)

_OF_PAIR: Final = frozenset({"left_id", "right_id"})
# What a decision is about, by kind. A value that a steward enters never waits in a file, and so is in no batch.
_SUBJECTS: Final = {
    IS_MATCH: _OF_PAIR,
    NOT_A_MATCH: _OF_PAIR,
    UNSURE: _OF_PAIR,
    SPLIT_OFF: frozenset({"record_id", "member_ids"}),
    LOCK: frozenset({"member_ids"}),
    PIN: frozenset({"record_id", "member_ids", "attribute"}),
}
_EVERY_SUBJECT: Final = ("left_id", "right_id", "record_id", "member_ids", "attribute")

RecordId = Annotated[int, Field(ge=-(2**63), lt=2**63)]
DecisionId = Annotated[str, Field(pattern=r"^[0-9a-f]{1,64}$")]


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StatedDecision(_Closed):
    """A row of review_decisions that is not withdrawn.

    Attributes:
        evidence: Of an answer to a steward pack: digest of what was known of the pair when it was checked
            (``flows.decision_evidence``).
    """

    decision_id: DecisionId
    decision: str
    left_id: RecordId | None = None
    right_id: RecordId | None = None
    record_id: RecordId | None = None
    member_ids: tuple[RecordId, ...] | None = None
    attribute: str | None = None
    slot: Annotated[int, Field(ge=0, lt=2**15)] | None = None
    reason_code: str | None = None
    reason: str | None = None
    decided_by: str
    decided_at: AwareDatetime
    origin: str
    pack_id: str | None = None
    evidence: str | None = None

    @model_validator(mode="after")
    def _is_about_something(self) -> Self:
        """Refuse a decision that is about nothing, or about what no decision of its kind is about."""
        stated = {name for name in _EVERY_SUBJECT if getattr(self, name) not in (None, "", ())}
        if stated != set(_SUBJECTS.get(self.decision, ())) or not stated:
            raise ValueError("a decision must name what decisions of its kind are about, and nothing else")
        if self.decision in PAIR_DECISIONS and (self.left_id or 0) >= (self.right_id or 0):
            raise ValueError("a pair is of two records, the smaller id first")
        if self.decision == SPLIT_OFF and self.record_id in (self.member_ids or ()):
            raise ValueError("a record is not split off from itself")
        if self.slot is not None and self.decision != PIN:
            raise ValueError("only a pin is about one of several values")
        return self


class StatedAssignment(_Closed):
    """A row of review_assignments."""

    item_id: str
    assigned_to: str | None = None
    due_on: date | None = None
    status: str
    assigned_by: str
    assigned_at: AwareDatetime


class DecisionBatch(_Closed):
    """Decisions that count together or not at all.

    Attributes:
        said_by, said_at: Who handed them in, and when, UTC.
        decisions: New decisions, each with its id.
        supersede: Whether standing decisions that say the opposite are taken back.
        skips_stale: Whether decisions of which the evidence changed are left out, instead of refusing all.
        withdrawals: Ids of decisions that are taken back.
        assignments: New assignments of items of the review queue.
    """

    said_by: str
    said_at: AwareDatetime
    decisions: tuple[StatedDecision, ...] = ()
    supersede: bool = False
    skips_stale: bool = False
    withdrawals: tuple[DecisionId, ...] = ()
    assignments: tuple[StatedAssignment, ...] = ()

    @classmethod
    def of(cls, rows: pl.DataFrame, *, said_by: str, said_at: datetime, supersede: bool = False) -> Self:
        """Return decisions, rows of review_decisions with their ids, and with ``evidence`` where it is known, as a batch."""
        stated = rows.select(name for name in StatedDecision.model_fields if name in rows.columns).iter_rows(named=True)
        decisions = tuple(StatedDecision(**row) for row in stated)
        return cls(said_by=said_by, said_at=said_at, decisions=decisions, supersede=supersede)

    @classmethod
    def of_assignments(cls, rows: pl.DataFrame, *, said_by: str, said_at: datetime) -> Self:
        """Return assignments, rows of review_assignments, as a batch."""
        assignments = tuple(StatedAssignment(**row) for row in rows.iter_rows(named=True))
        return cls(said_by=said_by, said_at=said_at, assignments=assignments)

    def decision_rows(self) -> pl.DataFrame:
        """Return the decisions as rows of review_decisions."""
        return pl.DataFrame([each.model_dump(exclude={"evidence"}) for each in self.decisions], schema=REVIEW_DECISIONS.types)

    def assignment_rows(self) -> pl.DataFrame:
        """Return the assignments as rows of review_assignments."""
        return pl.DataFrame([each.model_dump() for each in self.assignments], schema=REVIEW_ASSIGNMENTS.types)


class Refusal(_Closed):
    """Why a batch that waited was not taken in; what it decided is not kept.

    Attributes:
        name: Name of the batch.
        said_by, said_at: Who handed it in, and when; empty where it could not be read.
        why: Why, for the one who handed it in.
    """

    name: str
    said_by: str | None = None
    said_at: AwareDatetime | None = None
    why: str


def parse_batch(text: str) -> DecisionBatch | None:
    """Return the batch that a file holds; None where it holds none."""
    try:
        batch = DecisionBatch.model_validate_json(text)
        batch.decision_rows(), batch.assignment_rows()
    except (ValidationError, pl.exceptions.PolarsError, TypeError, OverflowError):
        return None
    return batch
