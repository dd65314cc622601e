"""The closing summary of a run: what came in, what was refused and why, who was found, at what cost."""

import resource
import sys
from collections.abc import Iterator

from rich.markup import escape
from rich.table import Table

from custview_pipeline.adapters.key_files import is_key_beside_lake, key_directory
from custview_pipeline.cli.progress import LiveProgress
from custview_pipeline.cli.terminal import messages, results
from custview_pipeline.contracts.project import Project
from custview_pipeline.flows.assess import Assessment
from custview_pipeline.flows.deliver import Delivery
from custview_pipeline.flows.link import Linkage
from custview_pipeline.flows.survive import Survival

_SHOWN_REASONS = 5
_SHOWN_FINDINGS = 5
_KIB_PER_UNIT = 1 / 1024 if sys.platform == "darwin" else 1  # macOS counts bytes


def print_summary(project: Project, progress: LiveProgress, *, is_good: bool) -> None:
    """Print the summary on standard output, and why stages failed on standard error, one line each."""
    console = results()
    deliveries = [report for report in progress.reports.values() if isinstance(report, Delivery)]
    if deliveries:
        console.print(_intake_table(deliveries))
    for line in (*_reasons(deliveries), *_customers(progress), *_audit(progress), *_warnings(project)):
        console.print(line)
    for stage, reason in progress.failures:
        messages().print(f"[bold red]failed[/] {escape(stage)}: {escape(reason)}", soft_wrap=True)
    peak = (_peak(resource.RUSAGE_SELF) + _peak(resource.RUSAGE_CHILDREN)) / 2**20
    state = "[bold green]good[/]" if is_good else "[bold red]FAILED[/]"
    stays = "" if is_good else "; what failed, and all that depends on it, stays as it was"
    console.print(f"run {state} in {progress.seconds:.1f} s, peak memory {peak:.2f} GiB{stays}")


def _peak(whose: int) -> float:
    return resource.getrusage(whose).ru_maxrss * _KIB_PER_UNIT


def _intake_table(deliveries: list[Delivery]) -> Table:
    table = Table("source", box=None, header_style="bold", pad_edge=False)
    columns = ("read", "new", "changed", "unchanged", "deleted", "warned", "refused")
    for column in columns:
        table.add_column(column, justify="right")
    for delivery in deliveries:
        if delivery.is_unchanged:
            table.add_row(delivery.source_system, "as before")
        elif delivery.refusal is not None:
            what = "held" if delivery.held else "the delivery"
            table.add_row(delivery.source_system, f"{delivery.row_count:,}", *("" for _ in columns[2:]), what)
        else:
            counts = (getattr(delivery, f"{column}_count") for column in ("row", *columns[1:]))
            table.add_row(delivery.source_system, *(f"{count:,}" for count in counts))
    return table


def _reasons(deliveries: list[Delivery]) -> Iterator[str]:
    for delivery in deliveries:
        for rule, count in list(delivery.reasons.items())[:_SHOWN_REASONS]:
            yield f"refused in {delivery.source_system}: {_rows(count)} by {rule}"
        if delivery.suppressed_count:
            yield f"erased before, in {delivery.source_system}: {_rows(delivery.suppressed_count)} delivered again"
        if delivery.late_count:
            yield f"late in {delivery.source_system}: {_rows(delivery.late_count)} older than what is known, left out"


def _rows(count: int) -> str:
    return f"{count:,} {'row' if count == 1 else 'rows'}"


def _customers(progress: LiveProgress) -> Iterator[str]:
    linkage = progress.reports.get("matching")
    if isinstance(linkage, Linkage):
        compared = (
            "" if linkage.is_unchanged else f"{linkage.compared_count:,} {_noun('pair', linkage.compared_count)} compared, "
        )
        yield (
            f"[bold]{linkage.customer_count:,} customers[/] out of {linkage.record_count:,} records: {compared}"
            f"{linkage.match_count:,} matches, {linkage.review_count:,} reviews, largest cluster {linkage.largest_customer:,}"
        )
        if linkage.dropped_pair_count:
            dropped = f"{linkage.dropped_pair_count:,} {_noun('pair', linkage.dropped_pair_count)}"
            yield f"left out by caps and budgets: {dropped} of common values"
        for source, customers, further in linkage.duplicates:
            yield f"more than once in {source}: {customers:,} {_noun('customer', customers)}, {_further(further)}"
        for warning in linkage.warnings:
            yield f"[yellow]warning[/] {escape(warning)}"
    survival = progress.reports.get("survivorship")
    if isinstance(survival, Survival):
        contested = "" if survival.is_unchanged else f", {survival.contested_count:,} values contested"
        yield f"{survival.golden_count:,} golden records, {survival.changed_count:,} of them new or changed{contested}"


def _further(count: int) -> str:
    return f"{count:,} further {_noun('record', count)}"


def _noun(noun: str, count: int) -> str:
    return noun if count == 1 else f"{noun}s"


def _audit(progress: LiveProgress) -> Iterator[str]:
    assessment = progress.reports.get("audit")
    if not isinstance(assessment, Assessment):
        return
    below = f"{len(assessment.below_target)} below target"
    when = "" if assessment.is_whole else ", as last measured; only what changed was looked at"
    yield f"quality {assessment.overall_score:.1%} over {assessment.score_count} scores, {below}{when}"
    for source, attribute, dimension, score, target in assessment.below_target[:_SHOWN_FINDINGS]:
        yield f"  {source}.{attribute}: {dimension} {score:.1%}, target {target:.0%}"


def _warnings(project: Project) -> Iterator[str]:
    keys = key_directory(project.name)
    if is_key_beside_lake(keys, project.lake):
        yield (
            "[yellow]warning[/] the keys are beside the lake: whoever copies the volume has both. "
            "Point CUSTVIEW_KEYS elsewhere; for a demo it does no harm."
        )
