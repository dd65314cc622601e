"""What people decided in one go, as a file that waits for the right to write the lake; ids, names and reasons, never a value."""

from datetime import date, datetime
from typing import Annotated, Self

import polars as pl
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from custview_pipeline.contracts.stewardship_tables import REVIEW_ASSIGNMENTS, REVIEW_DECISIONS

RecordId = Annotated[int, Field(ge=-(2**63), lt=2**63)]
DecisionId = Annotated[str, Field(pattern=r"^[0-9a-f]{1,64}$")]


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StatedDecision(_Closed):
    """A row of review_decisions that is not withdrawn."""

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
        withdrawals: Ids of decisions that are taken back.
        assignments: New assignments of items of the review queue.
    """

    said_by: str
    said_at: AwareDatetime
    decisions: tuple[StatedDecision, ...] = ()
    supersede: bool = False
    withdrawals: tuple[DecisionId, ...] = ()
    assignments: tuple[StatedAssignment, ...] = ()

    @classmethod
    def of(cls, rows: pl.DataFrame, *, said_by: str, said_at: datetime, supersede: bool = False) -> Self:
        """Return decisions, rows of review_decisions with their ids, as a batch."""
        stated = rows.select(*StatedDecision.model_fields).iter_rows(named=True)
        decisions = tuple(StatedDecision(**row) for row in stated)
        return cls(said_by=said_by, said_at=said_at, decisions=decisions, supersede=supersede)

    @classmethod
    def of_assignments(cls, rows: pl.DataFrame, *, said_by: str, said_at: datetime) -> Self:
        """Return assignments, rows of review_assignments, as a batch."""
        assignments = tuple(StatedAssignment(**row) for row in rows.iter_rows(named=True))
        return cls(said_by=said_by, said_at=said_at, assignments=assignments)

    def decision_rows(self) -> pl.DataFrame:
        """Return the decisions as rows of review_decisions."""
        return pl.DataFrame([each.model_dump() for each in self.decisions], schema=REVIEW_DECISIONS.types)

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
