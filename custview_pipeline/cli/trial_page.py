"""What ``custview validate`` prints: every rule and how it came out, the rows, the gate."""

import json
from typing import Any

from rich.markup import escape
from rich.table import Table

from custview_pipeline.cli.terminal import results
from custview_pipeline.flows.judge import Trial
from custview_pipeline.validation.verdicts import Verdict


def print_trial(trial: Trial, region: str) -> None:
    """Print the verdict.

    Args:
        trial: How the file was judged.
        region: The region it was judged by.
    """
    console = results()
    console.print(_rules_table(trial.verdicts))
    console.print()
    copies = f", {trial.repeated_count:,} copies" if trial.repeated_count else ""
    console.print(
        f"{trial.row_count:,} rows read as {trial.source_system}, region {region}: {trial.accepted_count:,} accepted, "
        f"{trial.warned_count:,} of them with warnings, {trial.refused_count:,} refused{copies}"
    )
    for rule, count in trial.reasons.items():
        console.print(f"refused: {count:,} {'row' if count == 1 else 'rows'} by {escape(rule)}")
    console.print(_gate(trial), soft_wrap=True)


def trial_as_json(trial: Trial) -> str:
    """Return the verdict as one JSON object; it holds names and counts."""
    counts = {name: getattr(trial, name) for name in Trial.__dataclass_fields__ if name.endswith("_count")}
    content = {
        "source_system": trial.source_system,
        "is_good": trial.is_good,
        "refusal": trial.refusal,
        **counts,
        "refused_by": trial.reasons,
        "rules": [_rule(verdict) for verdict in trial.verdicts],
    }
    return json.dumps(content, ensure_ascii=False, indent=1)


def _rule(verdict: Verdict) -> dict[str, Any]:
    rule = verdict.rule
    said = {name: getattr(rule, name) for name in ("name", "dimension", "attribute", "rule", "severity", "description")}
    return {**said, "judged": verdict.total, "failed": verdict.failed, "verdict": _word(verdict)}


def _rules_table(verdicts: tuple[Verdict, ...]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("dimension", "attribute", "rule", "severity"):
        table.add_column(column, no_wrap=True)
    for column in ("judged", "failed", "share"):
        table.add_column(column, no_wrap=True, justify="right")
    table.add_column("verdict", no_wrap=True)
    for verdict in verdicts:
        rule = verdict.rule
        share = f"{verdict.failed / verdict.total:.1%}" if verdict.total else ""
        counts = (f"{verdict.total:,}", f"{verdict.failed:,}", share) if verdict.is_executed else ("", "", "")
        names = (escape(name) for name in (rule.dimension, rule.attribute, rule.rule))
        table.add_row(*names, rule.severity, *counts, _coloured(verdict))
    return table


def _word(verdict: Verdict) -> str:
    if not verdict.is_executed:
        return "not executed"
    return "holds" if verdict.passed else "broken"


def _coloured(verdict: Verdict) -> str:
    word = _word(verdict)
    if word != "broken":
        return word
    return f"[bold red]{word}[/]" if verdict.rule.severity == "error" else f"[yellow]{word}[/]"


def _gate(trial: Trial) -> str:
    if trial.refusal is not None:
        return f"gate [bold red]shut[/]: {escape(trial.refusal)}"
    if trial.is_good:
        return "gate [bold green]open[/]: the delivery would be taken in"
    return (
        "gate [yellow]open[/], but rules of severity error are broken: the rows that break them would be set aside in quarantine"
    )
