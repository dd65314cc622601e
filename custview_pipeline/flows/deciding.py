"""Takes in what people decided: checked against what stands, stored in one commit, or refused whole; now or from the inbox."""

from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import polars as pl

from custview_pipeline.contracts.decision_batch import DecisionBatch, Refusal
from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS
from custview_pipeline.contracts.stewardship_tables import REVIEW_ASSIGNMENTS, REVIEW_DECISIONS
from custview_pipeline.flows.decision_evidence import stale_decisions
from custview_pipeline.flows.decisions import append_withdrawals, not_stored, standing_answers
from custview_pipeline.flows.rehearsal import Rehearsal
from custview_pipeline.kernel.errors import ContractViolation, ProjectInvalid
from custview_pipeline.kernel.ports import LakeWriter, Snapshot, TableCommit
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.stewardship.conflicts import Conflict, Weighed, weigh_decisions
from custview_pipeline.stewardship.said_pairs import is_about_nobody

_MOST_NAMED: Final = 5  # decisions that a message names


class Inbox(Protocol):
    """Where batches wait for the right to write the lake."""

    def waiting(self) -> tuple[str, ...]:
        """Return the names of the batches that wait, the oldest first."""
        ...

    def read(self, name: str) -> DecisionBatch | None:
        """Return a batch; None where the file holds none."""
        ...

    def remove(self, name: str) -> None:
        """Remove a batch that was taken in."""
        ...

    def refuse(self, refusal: Refusal) -> None:
        """Put the refusal of a batch in its place."""
        ...

    def sweep(self) -> None:
        """Remove what is left of long ago."""
        ...


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a batch.

    Attributes:
        decision_ids: Decisions that are new.
        superseded_ids: Decisions that were taken back for them.
        withdrawn_count: Decisions that were taken back because somebody said so.
        gone_count: Decisions left out, for a record that they are about is not in the lake any more.
        stale_count: Decisions left out, for what they were made on changed since.
        assigned_count: Assignments that are new.
    """

    decision_ids: tuple[str, ...] = ()
    superseded_ids: tuple[str, ...] = ()
    withdrawn_count: int = 0
    gone_count: int = 0
    stale_count: int = 0
    assigned_count: int = 0


class _Judged(NamedTuple):
    """A batch against the lake: new decisions, what it takes back, how the new ones stand to the rest, what is left out."""

    fresh: pl.DataFrame
    leaving: pl.DataFrame
    weighed: Weighed
    gone_count: int
    stale: tuple[str, ...]


class _Ready(NamedTuple):
    """What a commit is to hold: rows of review_decisions, those that are taken back, rows of review_assignments."""

    fresh: pl.DataFrame
    leaving: pl.DataFrame
    assigned: pl.DataFrame


def take_in_pending(lake: LakeWriter, inbox: Inbox, *, run_id: str) -> int:
    """Take in the batches that wait, one after another, and return how many.

    Whoever takes the right to write calls it, after what was to be erased is erased. A batch that was stored by a process that
    was killed before it removed the file changes nothing the second time. One that contradicts what was decided since is refused
    whole: its refusal is kept for the one who handed it in.

    Args:
        lake: The lake, held for writing.
        inbox: Its inbox.
        run_id: Names the commits.

    Raises:
        LakeError: The inbox cannot be read or written.
    """
    inbox.sweep()
    taken = 0
    for name in inbox.waiting():
        batch = inbox.read(name)
        if batch is None:
            inbox.refuse(Refusal(name=name, why="the file holds no decisions that this version understands"))
            continue
        try:
            stored = store_batch(lake, batch, run_id=run_id)
        except (ProjectInvalid, ContractViolation) as error:  # its message names columns and rules
            inbox.refuse(Refusal(name=name, said_by=batch.said_by, said_at=batch.said_at, why=str(error)))
            continue
        taken += 1
        if stored.stale_count:
            why = f"{stored.stale_count} left out: their records changed since; the others were stored"
            inbox.refuse(Refusal(name=name, said_by=batch.said_by, said_at=batch.said_at, why=why))
            continue
        inbox.remove(name)
    return taken


def store_batch(lake: LakeWriter, batch: DecisionBatch, *, run_id: str) -> Stored:
    """Store a batch in one commit; what is stored already is not stored again.

    Args:
        lake: The lake, held for writing.
        batch: The decisions.
        run_id: Names the commit.

    Raises:
        ProjectInvalid: It contradicts what stands, and names the other decisions; or what it was decided on changed since.
            Nothing was stored.
    """
    snapshot = lake.snapshot()
    with silenced("storing decisions"):
        judged = _accepted(snapshot, batch)
        ready = _ready(snapshot, batch, judged)
        if any(frame.height for frame in ready):
            with lake.commit(run_id) as commit:
                _append(commit, snapshot, batch, ready)
    return Stored(
        decision_ids=tuple(judged.fresh["decision_id"]),
        superseded_ids=judged.weighed.superseded,
        withdrawn_count=judged.leaving.height,
        gone_count=judged.gone_count,
        stale_count=len(judged.stale),
        assigned_count=ready.assigned.height,
    )


def rehearse_batch(supposed: Rehearsal, batch: DecisionBatch) -> None:
    """Suppose that a batch was taken in, judged as ``store_batch`` judges it.

    Raises:
        ProjectInvalid: It would be refused; nothing is supposed.
    """
    snapshot = supposed.snapshot()
    with silenced("rehearsing decisions"):
        ready = _ready(snapshot, batch, _accepted(snapshot, batch))
        _append(supposed, snapshot, batch, ready)


def check_batch(snapshot: Snapshot, batch: DecisionBatch) -> None:
    """Refuse a batch that could not be stored in this state of the lake.

    Raises:
        ProjectInvalid: It contradicts what stands, was decided on what changed since, or takes back what was never decided or
            does not hold any more.
    """
    with silenced("checking decisions"):
        judged = _judge(snapshot, batch)
        known = set(judged.leaving["decision_id"])
        if unknown := [each for each in batch.withdrawals if each not in known]:
            raise ProjectInvalid(f"no decision that holds has the id {unknown[0]}: custview review decisions lists them")
        _refuse(batch, judged)


def conflicts_of(snapshot: Snapshot, rows: pl.DataFrame, *, supersede: bool = False) -> tuple[Conflict, ...]:
    """Return which of new decisions contradict what stands, or one another.

    Args:
        snapshot: The lake.
        rows: Rows of review_decisions, as ``flows.decisions.as_decisions`` makes them.
        supersede: Whether standing decisions that say the opposite would be taken back.
    """
    return weigh_decisions(standing_answers(snapshot), not_stored(snapshot, rows), supersede=supersede).conflicts


def conflict_words(conflict: Conflict) -> str:
    """Return in words what a decision contradicts, and what to do."""
    ids = ", ".join(conflict.decision_ids[:_MOST_NAMED])
    if conflict.given_places:
        return f"contradicts another decision handed in with it{f', and {ids}' if ids else ''}"
    if conflict.is_direct:
        return f"contradicts the standing decision {ids}: withdraw that one, or say --supersede to take it back with this one"
    return f"contradicts what standing decisions say together ({ids}): custview review withdraw ID takes back the wrong one"


def _accepted(snapshot: Snapshot, batch: DecisionBatch) -> _Judged:
    judged = _judge(snapshot, batch)
    _refuse(batch, judged)
    return judged


def _judge(snapshot: Snapshot, batch: DecisionBatch) -> _Judged:
    standing = standing_answers(snapshot)
    is_leaving = pl.col("decision_id").is_in(list(batch.withdrawals))
    given = not_stored(snapshot, batch.decision_rows())
    known = _about_known_records(snapshot, given)
    stale = stale_decisions(snapshot, batch, known)
    fresh = known.filter(~pl.col("decision_id").is_in(stale)) if batch.skips_stale else known
    weighed = weigh_decisions(standing.filter(~is_leaving), fresh, supersede=batch.supersede)
    return _Judged(fresh, standing.filter(is_leaving), weighed, given.height - known.height, tuple(stale))


def _refuse(batch: DecisionBatch, judged: _Judged) -> None:
    if judged.stale and not batch.skips_stale:
        count = "a decision" if len(judged.stale) == 1 else f"{len(judged.stale)} decisions"
        raise ProjectInvalid(
            f"the records of {count} of a pack, or what decided about them, changed since: make a new pack, or import "
            "with --skip-stale; nothing was stored"
        )
    if conflicts := judged.weighed.conflicts:
        others = len(conflicts) - 1
        more = f"; so do {others} more of those handed in with it" if others else ""
        raise ProjectInvalid(f"the decision {conflict_words(conflicts[0])}{more}; nothing was stored")


def _ready(snapshot: Snapshot, batch: DecisionBatch, judged: _Judged) -> _Ready:
    superseded = standing_answers(snapshot).filter(pl.col("decision_id").is_in(list(judged.weighed.superseded)))
    leaving = pl.concat([judged.leaving, superseded]).unique("decision_id", maintain_order=True)
    return _Ready(judged.fresh, leaving, _not_assigned(snapshot, batch))


def _append(commit: TableCommit, snapshot: Snapshot, batch: DecisionBatch, ready: _Ready) -> None:
    if ready.fresh.height:
        commit.append(REVIEW_DECISIONS.name, ready.fresh)
    if ready.leaving.height:
        append_withdrawals(commit, snapshot, ready.leaving, batch.said_at, batch.said_by)
    if ready.assigned.height:
        commit.append(REVIEW_ASSIGNMENTS.name, ready.assigned)


def _about_known_records(snapshot: Snapshot, given: pl.DataFrame) -> pl.DataFrame:
    """Return the decisions about records that the lake holds: one may have been erased while they waited."""
    if given.is_empty():
        return given
    named = [given[name].alias("record_id") for name in ("left_id", "right_id", "record_id")]
    wanted = pl.concat([*named, given["member_ids"].explode().alias("record_id")]).drop_nulls().unique()
    stored = snapshot.read(PROTECTED_RECORDS.name, ["record_id"], where=pl.col("record_id").is_in(wanted.implode()))
    known = stored["record_id"].unique()
    is_known = [pl.col(name).is_in(known.implode()).fill_null(value=True) for name in ("left_id", "right_id", "record_id")]
    held = pl.element().filter(pl.element().is_in(known.to_list()))
    members = given.with_columns(pl.col("member_ids").list.eval(held))
    return members.filter(*is_known).filter(~is_about_nobody())


def _not_assigned(snapshot: Snapshot, batch: DecisionBatch) -> pl.DataFrame:
    rows = batch.assignment_rows()
    known = snapshot.read(REVIEW_ASSIGNMENTS.name, list(REVIEW_ASSIGNMENTS.key)) if rows.height else rows
    return rows.join(known, on=list(REVIEW_ASSIGNMENTS.key), how="anti", maintain_order="left")
