"""Pages about the rulebook: the rules that hold, and what another rulebook would do."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from custview_pipeline.cli.terminal import printable, results
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.flows.effect_examples import Examples
from custview_pipeline.flows.effective_rules import EffectiveRule, RuleChange
from custview_pipeline.flows.rulebook_effect import RulebookEffect
from custview_pipeline.flows.value_changes import ANOTHER, CHANGES, CONTESTED, GAINED, KEPT, LOST, SAME_ELSEWHERE, SETTLED
from custview_pipeline.kernel.identifiers import group_cuid

_COUNTED: Final = {
    "record_count": "records",
    "customer_count": "customers",
    "largest_customer": "records of the largest customer",
    "match_count": "matches",
    "possible_match_count": "possible matches",
    "review_count": "review tasks",
}
_HAPPENING: Final = {
    "merged_into": "customers merged into others",
    "split_from": "customers split from others",
    "reactivated": "customers that come out of a merge again",
    "retired": "customers that end",
    "created": "customers that begin",
}
_INTO: Final = {"merged_into": "into", "split_from": "from", "reactivated": "out of"}
_BECOMES: Final = {
    ANOTHER: "another value",
    GAINED: "gained",
    LOST: "lost",
    SAME_ELSEWHERE: "same, other record",
    CONTESTED: "contested",
    SETTLED: "settled",
    KEPT: "kept values",
}
_SHOWN: Final = (ANOTHER, GAINED, LOST)  # of which examples are printed: those by which a customer looks another
_CAPS: Final = ("matching.block_cap", "matching.pair_budget")


def print_rules(rulebook: Rulebook, rules: Sequence[EffectiveRule]) -> None:
    """Print the rules that hold."""
    console = results()
    console.print(f"rulebook version {rulebook.version}")
    console.print()
    table = _table("rule", "says", "from")
    for rule in rules:
        table.add_row(escape(rule.key), escape(rule.value), escape(rule.origin))
    console.print(table)


def rules_as_json(rulebook: Rulebook, rules: Sequence[EffectiveRule]) -> str:
    """Return the same as JSON."""
    return json.dumps({"version": rulebook.version, "rules": [rule._asdict() for rule in rules]}, indent=1, ensure_ascii=False)


def print_effect(effect: RulebookEffect, examples: Examples, changes: Sequence[RuleChange]) -> None:
    """Print what another rulebook would do."""
    console = results()
    _print_changes(console, effect, changes)
    if not effect.has_any:
        console.print("nothing would change: no customer, no match and no value")
        return
    console.print(_counts_table(effect))
    _print_events(console, effect, examples)
    _print_tasks(console, effect, examples)
    _print_values(console, effect, examples)


def effect_as_json(effect: RulebookEffect, examples: Examples, changes: Sequence[RuleChange], version: str) -> str:
    """Return the same as JSON."""
    told = {
        "rulebook_version": version,
        "has_effect": effect.has_any,
        "is_late": effect.is_late,
        "learned_models": list(effect.learned),
        "warnings": list(effect.warnings),
        "changed_rules": [change._asdict() for change in changes],
        "counts": {name: {"before": before, "after": after} for name, (before, after) in effect.counts.items()},
        "customers": {
            event: _counted(effect.events.filter(pl.col("event") == event), examples.events.filter(pl.col("event") == event))
            for event in _HAPPENING
        },
        "moved_records": _counted(effect.moves, examples.moves),
        "review_tasks": {
            change: _counted(effect.tasks.filter(pl.col("change") == change), examples.tasks.filter(pl.col("change") == change))
            for change in ("opened", "closed")
        },
        "golden_versions": effect.version_count,
        "values": _values_as_json(effect, examples),
    }
    return json.dumps(told, indent=1, ensure_ascii=False)


def _print_changes(console: Console, effect: RulebookEffect, changes: Sequence[RuleChange]) -> None:
    if changes:
        table = _table("rule", "now", "then")
        for change in changes:
            table.add_row(escape(change.key), escape(change.before or "-"), escape(change.after or "-"))
        console.print(table)
    else:
        console.print("the rules are those of the project's rulebook")
    notes = [f"note: {warning}" for warning in effect.warnings]
    if effect.is_late:
        notes.append(
            "note: records, decisions or models came since the last run, and what they do is told with the rest;"
            " to see what the rulebook does alone, custview run first"
        )
    notes += [f"note: a new match model of {entity_type} records would be learned" for entity_type in effect.learned]
    if not effect.learned and any(change.key in _CAPS for change in changes):
        notes.append(
            "note: block_cap and pair_budget count from when blocks are next counted: with custview model train, or when the"
            " records have doubled"
        )
    for note in notes:
        console.print(escape(note), soft_wrap=True)
    console.print()


def _counts_table(effect: RulebookEffect) -> Table:
    table = _table("", "now", "then", right=("now", "then"))
    for name, (before, after) in effect.counts.items():
        table.add_row(_COUNTED[name], f"{before:,}", f"{after:,}")
    return table


def _print_events(console: Console, effect: RulebookEffect, examples: Examples) -> None:
    split = effect.happening("split_from")["cuid"]  # they begin as well, and are told once
    for event, words in _HAPPENING.items():
        own = (pl.col("event") == event) & ~((event == "created") & pl.col("cuid").is_in(split.implode()))
        if count := effect.events.filter(own).height:
            console.print(f"\n{count:,} {words}")
            for row in examples.events.filter(own).iter_rows(named=True):
                other = f" {_INTO[event]} {group_cuid(row['other_cuid'])}" if event in _INTO else ""
                console.print(f"  {group_cuid(row['cuid'])}{other}  ({_records(row['record_count'])})")
    if effect.moves.height:
        console.print(f"\n{effect.moves.height:,} records change customers")
        for row in examples.moves.iter_rows(named=True):
            before, after = (group_cuid(row[side]) if row[side] else "none" for side in ("before", "after"))
            console.print(f"  {_name(row['record'])}  {before} to {after}")


def _print_tasks(console: Console, effect: RulebookEffect, examples: Examples) -> None:
    for change in ("opened", "closed"):
        count = effect.tasks.filter(pl.col("change") == change).height
        if count:
            console.print(f"\n{count:,} review tasks {change}")
            for row in examples.tasks.filter(pl.col("change") == change).iter_rows(named=True):
                console.print(f"  {_name(row['left'])} and {_name(row['right'])}  ({row['kind'].replace('_', ' ')})")


def _print_values(console: Console, effect: RulebookEffect, examples: Examples) -> None:
    if not effect.version_count:
        return
    console.print(f"\n{effect.version_count:,} golden records get a new version")
    counted = {(attribute, change): count for attribute, change, count in _value_counts(effect).iter_rows()}
    if not counted:
        console.print("  no value of a customer that goes on changes: reasons and trust scores do")
        return
    table = _table("attribute", *_BECOMES.values(), right=tuple(_BECOMES.values()))
    for attribute in sorted({attribute for attribute, _ in counted}):
        table.add_row(
            attribute, *(f"{counted[attribute, change]:,}" if (attribute, change) in counted else "" for change in CHANGES)
        )
    console.print(table)
    console.print("\nexamples: customer, and the records that the value comes from now and then; --json names some of every kind")
    for row in examples.values.filter(pl.col("change").is_in(_SHOWN)).iter_rows(named=True):
        before, after = (_name(row[side]) if row[side] else "none" for side in ("before", "after"))
        console.print(f"  {row['attribute']}, {_BECOMES[row['change']]}: {group_cuid(row['cuid'])}  {before} to {after}")


def _values_as_json(effect: RulebookEffect, examples: Examples) -> list[dict[str, Any]]:
    told = []
    for attribute, change, count in _value_counts(effect).iter_rows():
        same = (pl.col("attribute") == attribute) & (pl.col("change") == change)
        some = examples.values.filter(same).drop("attribute", "change").to_dicts()
        told.append({"attribute": attribute, "change": change, "count": count, "examples": some})
    return told


def _value_counts(effect: RulebookEffect) -> pl.DataFrame:
    return effect.values.group_by("attribute", "change").len().sort("attribute", "change")


def _counted(rows: pl.DataFrame, some: pl.DataFrame) -> Mapping[str, Any]:
    told = [name for name in some.columns if name not in {"event", "change"}]
    return {"count": rows.height, "examples": some.select(told).to_dicts()}


def _records(count: int) -> str:
    return "1 record" if count == 1 else f"{count:,} records"


def _name(record: str | None) -> str:
    return printable(record or "a record that is gone")


def _table(*names: str, right: tuple[str, ...] = ()) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in names:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return table
