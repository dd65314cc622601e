"""Whether a delivery may be stored at all."""

from collections.abc import Iterable

from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.validation.verdicts import Verdict


def reason_to_refuse(
    verdicts: Iterable[Verdict],
    contract: SourceContract,
    *,
    refused_count: int,
    row_count: int,
    deleted_count: int,
    known_count: int,
) -> str | None:
    """Return why the delivery is refused, in one line; None where it may pass.

    A delivery is refused where more of its rows are refused than the contract's ``max_refused_share`` allows, or where a quality
    entry of severity error was executed and does not hold. Limits and field standards count by the rows they refuse. It is also
    refused where it would delete every record of the source: an export that failed looks like a source without customers.

    Args:
        verdicts: How every rule came out.
        contract: The source's contract.
        refused_count: Rows refused.
        row_count: Rows of the whole delivery.
        deleted_count: Records that it would delete.
        known_count: Records of the source that are held and not deleted.
    """
    share = refused_count / row_count if row_count else 0.0
    if share > contract.max_refused_share:
        allowed = f"more than the {contract.max_refused_share:.1%} that the contract allows"
        return f"{contract.source_system}: {refused_count} of {row_count} rows ({share:.1%}) are refused, {allowed}"
    if known_count and deleted_count == known_count:
        return f"{contract.source_system}: all {known_count} known records would be deleted, for the snapshot holds none of them"
    broken = [verdict.rule.name for verdict in verdicts if _stops(verdict)]
    return f"{contract.source_system}: quality rules do not hold: {', '.join(broken)}" if broken else None


def _stops(verdict: Verdict) -> bool:
    rule = verdict.rule
    return rule.quality is not None and rule.severity == "error" and verdict.is_executed and not verdict.passed
