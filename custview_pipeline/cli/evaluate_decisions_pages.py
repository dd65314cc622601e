"""Pages of ``custview evaluate --decisions``: how many decisions model and rules come to by themselves, and which they do not."""

import json
from dataclasses import dataclass

import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from custview_pipeline.cli.terminal import printable, results
from custview_pipeline.flows.decision_cases import Verdict
from custview_pipeline.matching.edge_words import say_bits


@dataclass(frozen=True, slots=True)
class Held:
    """Model and rules, held against the decisions.

    Attributes:
        now: With the rulebook and models that are tried.
        before: With those in use; the same where nothing else is tried.
        at_least: Share that is to come out, 0 to 1; None: as many as with those in use.
    """

    now: Verdict
    before: Verdict
    at_least: float | None

    @property
    def is_enough(self) -> bool:
        """Return whether enough decisions come out; where there are none, nothing speaks against it."""
        if self.at_least is None:
            return self.now.agreeing_count >= self.before.agreeing_count
        return self.now.cases.is_empty() or self.now.agreeing_count / self.now.cases.height >= self.at_least

    @property
    def by_kind(self) -> pl.DataFrame:
        """Return decision, reason_code, cases, agree, agreed_before: a row a kind of decision."""
        earlier = self.before.cases.select("decision_id", before="agrees")
        both = self.now.cases.join(earlier, on="decision_id", how="left")
        counted = both.group_by("decision", "reason_code").agg(
            cases=pl.len(), agree=pl.col("agrees").sum(), agreed_before=pl.col("before").sum()
        )
        return counted.sort("decision", "reason_code", nulls_last=True)

    def listed(self, limit: int) -> pl.DataFrame:
        """Return the cases that do not come out, those first that do with what is in use; with ``agreed_before``."""
        earlier = self.before.cases.select("decision_id", agreed_before="agrees")
        failed = self.now.cases.filter(~pl.col("agrees")).join(earlier, on="decision_id", how="left")
        return failed.sort("agreed_before", "decision", "decision_id", descending=[True, False, False]).head(limit)


def print_held(held: Held, against: pl.DataFrame, limit: int) -> None:
    """Print it.

    Args:
        held: Model and rules against the decisions.
        against: What ``weigh_against`` returns of those listed.
        limit: How many are listed.
    """
    console, now = results(), held.now
    if now.cases.is_empty():
        console.print("no decision stands that model and rules could be held against")
        return
    total = now.cases.height
    console.print(f"{now.agreeing_count:,} of {total:,} decisions come out without being told ({now.agreeing_count / total:.1%})")
    if held.before is not now:
        console.print(f"with rulebook and models in use: {held.before.agreeing_count:,}")
    if now.unjudged_count:
        console.print(f"{now.unjudged_count:,} more are about records that are gone or not matched yet")
    console.print()
    table = _table("decision", "why", "cases", "agree", "agree in use", right=("cases", "agree", "agree in use"))
    for row in held.by_kind.iter_rows(named=True):
        counts = [f"{row[name]:,}" for name in ("cases", "agree", "agreed_before")]
        table.add_row(_words(row["decision"]), _words(row["reason_code"] or "-"), *counts)
    console.print(table)
    _print_failed(console, held, against, limit)
    if not held.is_enough:
        wanted = f"{held.before.agreeing_count:,}" if held.at_least is None else f"{held.at_least:.1%}"
        console.print(f"\ntoo few: {wanted} were to come out")


def held_as_json(held: Held, against: pl.DataFrame, limit: int) -> str:
    """Return the same as JSON."""
    told = {
        "cases": held.now.cases.height,
        "agree": held.now.agreeing_count,
        "agreed_before": held.before.agreeing_count,
        "unjudged": held.now.unjudged_count,
        "is_enough": held.is_enough,
        "by_kind": held.by_kind.to_dicts(),
        "disagreeing": _failed(held, against, limit).to_dicts(),
    }
    return json.dumps(told, indent=1, ensure_ascii=False)


def _failed(held: Held, against: pl.DataFrame, limit: int) -> pl.DataFrame:
    """Return the listed cases with what speaks against each: two records with their weight, or two whose values differ."""
    listed = held.listed(limit).join(against.rename({"decision": "judged"}), on="decision_id", how="left", maintain_order="left")
    return listed.drop("agrees").join(held.now.values, on="decision_id", how="left", maintain_order="left")


def _print_failed(console: Console, held: Held, against: pl.DataFrame, limit: int) -> None:
    failed = _failed(held, against, limit)
    if failed.is_empty():
        return
    console.print(f"\nnot as decided{', the first of them' if failed.height == limit else ''}")
    table = _table("decision id", "decision", "why", "about", "weight", "says", "rule", "in use", right=("weight",))
    for row in failed.iter_rows(named=True):
        about = f"{row['left']} and {row['right']}" if row["left"] is not None else row["attribute"] or ""
        says = (row["judged"] or "another value wins").replace("_", " ")
        weight = "" if row["weight"] is None else say_bits(row["weight"])
        cells = (_words(row["decision"]), _words(row["reason_code"] or "-"), printable(about), weight, says)
        table.add_row(row["decision_id"], *cells, escape(row["rule"] or ""), "agrees" if row["agreed_before"] else "")
    console.print(table)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _table(*names: str, right: tuple[str, ...] = ()) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in names:
        table.add_column(name, justify="right" if name in right else "left", no_wrap=name == "decision id")
    return table
