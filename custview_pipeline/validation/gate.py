"""Whether a delivery may be stored at all, or has to wait for a person."""

from collections.abc import Iterable
from typing import Final

from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.validation.verdicts import Verdict

FEWEST_DELETED: Final = 10  # records; what a small source loses from one day to the next says nothing about its export


def reason_to_refuse(verdicts: Iterable[Verdict], contract: SourceContract, *, refused_count: int, row_count: int) -> str | None:
    """Return why the delivery is refused, in one line; None where it may pass.

    A delivery is refused where more of its rows are refused than the contract's ``max_refused_share`` allows, or where a quality
    entry of severity error was executed and does not hold. Limits and field standards count by the rows they refuse.

    Args:
        verdicts: How every rule came out.
        contract: The source's contract.
        refused_count: Rows refused.
        row_count: Rows of the whole delivery.
    """
    share = refused_count / row_count if row_count else 0.0
    if share > contract.max_refused_share:
        allowed = f"more than the {contract.max_refused_share:.1%} that the contract allows"
        return f"{contract.source_system}: {refused_count} of {row_count} rows ({share:.1%}) are refused, {allowed}"
    broken = [verdict.rule.name for verdict in verdicts if _stops(verdict)]
    return f"{contract.source_system}: quality rules do not hold: {', '.join(broken)}" if broken else None


def reason_to_hold(contract: SourceContract, *, deleted_count: int, absent_count: int, known_count: int) -> str | None:
    """Return why the delivery is held until a person believes it, in one line; None where it need not be.

    An export that failed looks like a source that lost its customers. So a delivery is held where it would delete more of the
    known records than the contract's ``max_deleted_share`` allows, and at least ``FEWEST_DELETED`` of them; and where it is a
    snapshot that holds none of them, however many there are.

    Args:
        contract: The source's contract.
        deleted_count: Records that it would delete.
        absent_count: Those of them that a snapshot does not hold; the others it calls deleted.
        known_count: Records of the source that are held and not deleted.
    """
    source, share = contract.source_system, deleted_count / known_count if known_count else 0.0
    if known_count and absent_count == known_count:
        return f"{source}: all {known_count} known records would be deleted, for the snapshot holds none of them"
    if deleted_count < FEWEST_DELETED or share <= contract.max_deleted_share:
        return None
    allowed = f"more than the {contract.max_deleted_share:.1%} that the contract allows"
    return f"{source}: {deleted_count} of {known_count} known records ({share:.1%}) would be deleted, {allowed}"


def _stops(verdict: Verdict) -> bool:
    rule = verdict.rule
    return rule.quality is not None and rule.severity == "error" and verdict.is_executed and not verdict.passed
