"""How each rule of a contract came out over one delivery."""

from collections.abc import Mapping
from typing import NamedTuple

from custview_pipeline.contracts.source_contract import QualityRule, SourceContract
from custview_pipeline.validation.entries import is_about_repeats
from custview_pipeline.validation.rules import FieldRule, rules_of
from custview_pipeline.validation.tally import Tally


class Verdict(NamedTuple):
    """How one rule came out.

    Attributes:
        rule: The rule.
        failed: Rows or values that break it; for a row count, 1 where it is broken.
        total: Rows or values that it was applied to.
        passed: Whether it holds; True where it was not executed.
        is_executed: False where the pipeline cannot execute it, or nobody counted what it needs.
    """

    rule: FieldRule
    failed: int
    total: int
    passed: bool
    is_executed: bool


def verdicts(
    tally: Tally, contract: SourceContract, *, row_count: int, counted: Mapping[str, int] | None = None
) -> tuple[Verdict, ...]:
    """Judge the delivery by every rule, in the order of ``rules_of``.

    Args:
        tally: The batches that were judged row by row, added up; of a refresh, the new and changed rows.
        contract: The source's contract.
        row_count: Rows of the whole delivery.
        counted: What ``entries.DeliveryCount.broken`` counted over the whole delivery. Without it quality entries are judged by
            the rows of the tally alone, and those about duplicates are not executed.
    """
    return tuple(_verdict(rule, tally, row_count, counted) for rule in rules_of(contract))


def _verdict(rule: FieldRule, tally: Tally, row_count: int, counted: Mapping[str, int] | None) -> Verdict:
    whole = None if counted is None else counted.get(rule.name)
    if not rule.is_executable or (whole is None and is_about_repeats(rule)):
        return Verdict(rule, failed=0, total=0, passed=True, is_executed=False)
    failed = max(tally.failed[rule.name], whole or 0)
    if rule.quality is None:
        return Verdict(rule, failed, max(tally.judged[rule.name], failed), passed=failed == 0, is_executed=True)
    if rule.quality.metric == "rowCount":
        passed = _is_kept(rule.quality, row_count, row_count)
        return Verdict(rule, int(not passed), row_count, passed=passed, is_executed=True)
    total, broken = (tally.rows, failed) if whole is None else (row_count, whole)
    return Verdict(rule, broken, total, passed=_is_kept(rule.quality, broken, total), is_executed=True)


def _is_kept(quality: QualityRule, count: int, rows: int) -> bool:
    is_share = quality.unit == "percent" and rows > 0
    value = 100 * count / rows if is_share else float(count)
    low, high = quality.threshold[0], quality.threshold[-1]
    kept = {
        "mustBe": value == low,
        "mustNotBe": value != low,
        "mustBeGreaterThan": value > low,
        "mustBeGreaterOrEqualTo": value >= low,
        "mustBeLessThan": value < low,
        "mustBeLessOrEqualTo": value <= low,
        "mustBeBetween": low <= value <= high,
        "mustNotBeBetween": not low <= value <= high,
    }
    return kept[quality.operator or ""]
