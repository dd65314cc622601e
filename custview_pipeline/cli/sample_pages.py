"""Pages of a blind sample: what was drawn, and the rates that its answers give."""

import json
from typing import Any

import polars as pl
from rich.markup import escape
from rich.table import Table

from custview_pipeline.audit.blind_sample import STRATA
from custview_pipeline.audit.sample_rates import Estimate, SampleRates, StratumAnswers
from custview_pipeline.cli.terminal import results
from custview_pipeline.flows.sample_answers import Answers

_FALSE_MERGES = "pairs of records that are joined: the share that is two customers"
_MISSED_MERGES = (
    "pairs of records that are one customer, joined or with evidence enough to be a near miss: the share that is apart"
)


def print_drawn(sample: pl.DataFrame, path: str) -> None:
    """Print what was drawn, by how many pairs each of it stands for; which pair is of which kind is not told.

    Args:
        sample: Rows of review_samples.
        path: The file.
    """
    console = results()
    console.print(f"sample {sample['sample_id'][0]}: {sample.height:,} pairs in {escape(path)}", soft_wrap=True)
    table = _table("pairs", "all", "drawn")
    counts = {
        name: (pairs, drawn) for name, pairs, drawn in sample.select("stratum", "pair_count", "sample_count").unique().iter_rows()
    }
    for name, stratum in STRATA.items():
        if name in counts:
            table.add_row(stratum.meaning, *(f"{count:,}" for count in counts[name]))
    console.print(table)
    console.print(f"seed {sample['seed'][0]}; next: fill in answer (same, different, unsure) and reviewer, then")
    console.print(f"custview sample-review --answers {escape(path)}", soft_wrap=True)


def print_rates(answers: Answers, rates: SampleRates) -> None:
    """Print the rates with their intervals, what they are about, and the answers by stratum."""
    console, unsure = results(), sum(own.unsure_count for own in rates.strata)
    console.print(f"sample {answers.sample_id}: {answers.answered.height:,} pairs answered, {unsure:,} of them unsure")
    if answers.gone_count:
        console.print(f"{answers.gone_count:,} pairs do not count: a record of theirs was erased since")
    console.print()
    console.print(f"false merges   {_said(rates.false_merges)}")
    console.print(f"  of {_FALSE_MERGES}; there are {rates.joined_pairs:,}", soft_wrap=True)
    console.print(f"missed merges  {_said(rates.missed_merges)}")
    console.print(f"  of {_MISSED_MERGES}; {rates.apart_pairs:,} pairs were apart", soft_wrap=True)
    if rates.uncovered_pairs:
        console.print(f"not covered: {rates.uncovered_pairs:,} pairs of kinds of which every answer is unsure")
    console.print("intervals are of 95 % confidence; pairs that nobody was sure about count as the others of their kind")
    console.print()
    console.print(_strata_table(rates))


def rates_as_json(answers: Answers, rates: SampleRates) -> str:
    """Return the same as JSON."""
    told = {
        "sample_id": answers.sample_id,
        "answered": answers.answered.height,
        "unsure": sum(own.unsure_count for own in rates.strata),
        "erased_since": answers.gone_count,
        "confidence": 0.95,
        "false_merge_rate": {"of": _FALSE_MERGES, "pairs": rates.joined_pairs, **_estimate(rates.false_merges)},
        "missed_merge_rate": {"of": _MISSED_MERGES, "pairs_apart": rates.apart_pairs, **_estimate(rates.missed_merges)},
        "uncovered_pairs": rates.uncovered_pairs,
        "strata": [_stratum(own) for own in rates.strata],
    }
    return json.dumps(told, indent=1)


def _stratum(own: StratumAnswers) -> dict[str, Any]:
    counts = {"same": own.same_count, "different": own.different_count, "unsure": own.unsure_count}
    errors = own.error_share if own.judged_count else None
    return {"stratum": own.stratum, "pairs": own.pair_count, **counts, "error_rate": _estimate(errors)}


def _estimate(estimate: Estimate | None) -> dict[str, float | None]:
    return dict.fromkeys(Estimate._fields) if estimate is None else dict(estimate._asdict())


def _strata_table(rates: SampleRates) -> Table:
    table = _table("kind of pair", "all", "same", "different", "unsure", "wrong", "95 % interval")
    for own in rates.strata:
        counts = [f"{count:,}" for count in (own.pair_count, own.same_count, own.different_count, own.unsure_count)]
        wrong = own.error_share if own.judged_count else None
        shares = ["", ""] if wrong is None else [f"{wrong.value:.1%}", f"{wrong.low:.1%} to {wrong.high:.1%}"]
        table.add_row(STRATA[own.stratum].meaning, *counts, *shares)
    return table


def _said(estimate: Estimate | None) -> str:
    if estimate is None:
        return "cannot be told: no answer says anything about it"
    return f"[bold]{estimate.value:.2%}[/]  ({estimate.low:.2%} to {estimate.high:.2%})"


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(first, min_width=20, overflow="fold")
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table
