"""Pages of the evaluation: scores in tables, or as JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict

import polars as pl
from rich.table import Table

from custview_pipeline.audit.agreement import Agreement
from custview_pipeline.cli.terminal import printable, results
from custview_pipeline.flows.evaluate import Evaluation


def print_evaluation(found: Evaluation) -> None:
    """Print an evaluation."""
    console, overall = results(), found.overall
    console.print(
        f"truth: {overall.record_count:,} records of {overall.entity_count:,} entities; "
        f"here: {overall.cluster_count:,} customers, the largest with {overall.largest_cluster:,} of these records"
    )
    for label, counts in (("only in the truth", found.missing), ("only in the lake, not counted", found.unknown)):
        if counts:
            total = sum(counts.values())
            console.print(f"{label}: {total:,} {'record' if total == 1 else 'records'} ({_by_source(counts)})")
    sections = {
        "": _scores_table(found),
        "pairs by source": _sources_table(found.by_source_pair),
        "largest customers": _largest_table(found.largest),
        "worst merges: customers that join different entities": _merges_table(found.merges),
        "worst splits: entities that are apart": _splits_table(found.splits),
    }
    for title, section in sections.items():
        if section.row_count:
            console.print()
            if title:
                console.print(title)
            console.print(section)


def evaluation_as_json(found: Evaluation) -> str:
    """Return the same as JSON."""
    told = {
        "overall": asdict(found.overall),
        "by_entity_type": {name: asdict(scores) for name, scores in found.by_entity_type.items()},
        "by_source_pair": found.by_source_pair.to_dicts(),
        "missing": dict(found.missing),
        "unknown": dict(found.unknown),
        "largest": found.largest.to_dicts(),
        "worst_merges": found.merges.to_dicts(),
        "worst_splits": found.splits.to_dicts(),
    }
    return json.dumps(told, indent=1, ensure_ascii=False)


def _scores_table(found: Evaluation) -> Table:
    table = _table("", "records", "entities", "customers", "precision", "recall", "F1", "B3 precision", "B3 recall", "B3 F1")
    rows = {"all": found.overall, **(found.by_entity_type if len(found.by_entity_type) > 1 else {})}
    for name, scores in rows.items():
        table.add_row(name, *_sizes(scores), *_shares(scores))
    return table


def _sizes(scores: Agreement) -> list[str]:
    return [f"{count:,}" for count in (scores.record_count, scores.entity_count, scores.cluster_count)]


def _shares(scores: Agreement) -> list[str]:
    shares = (scores.precision, scores.recall, scores.f1, scores.b3_precision, scores.b3_recall, scores.b3_f1)
    return [f"{share:.5f}" for share in shares]


def _sources_table(pairs: pl.DataFrame) -> Table:
    table = _table("sources", "true pairs", "joined", "of them true", "precision", "recall", "F1")
    for row in pairs.filter(pl.col("true_pairs") + pl.col("joined_pairs") > 0).iter_rows(named=True):
        same = row["left_source"] == row["right_source"]
        name = f"{printable(row['left_source'])}, itself" if same else printable(f"{row['left_source']}, {row['right_source']}")
        counts = [f"{row[column]:,}" for column in ("true_pairs", "joined_pairs", "shared_pairs")]
        table.add_row(name, *counts, *(f"{row[column]:.5f}" for column in ("precision", "recall", "f1")))
    return table


def _largest_table(largest: pl.DataFrame) -> Table:
    table = _table("customer", "records", "entities")
    for cuid, records, entities in largest.iter_rows():
        table.add_row(cuid, f"{records:,}", f"{entities:,}")
    return table


def _merges_table(merges: pl.DataFrame) -> Table:
    table = _table("customer", "records", "entities", "wrong pairs", "look at", "and at", left=("look at", "and at"))
    for row in merges.iter_rows(named=True):
        table.add_row(row["cuid"], *_wrong(row), printable(row["left"]), printable(row["right"]))
    return table


def _splits_table(splits: pl.DataFrame) -> Table:
    table = _table(
        "customers", "records", "missed pairs", "look at", "of", "and at", "of ", left=("look at", "of", "and at", "of ")
    )
    for row in splits.iter_rows(named=True):
        said = [printable(row["left"]), row["left_cuid"], printable(row["right"]), row["right_cuid"]]
        table.add_row(f"{row['part_count']:,}", f"{row['record_count']:,}", f"{row['wrong_pairs']:,}", *said)
    return table


def _wrong(row: Mapping[str, int]) -> list[str]:
    return [f"{row[name]:,}" for name in ("record_count", "part_count", "wrong_pairs")]


def _table(first: str, *others: str, left: tuple[str, ...] = ()) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(name, justify="left" if name in left else "right", no_wrap=True)
    return table


def _by_source(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{printable(source)} {count:,}" for source, count in counts.items())
