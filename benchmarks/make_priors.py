"""Makes the packaged models that learning starts from, of generated worlds whose truth is known.

    python benchmarks/make_priors.py

It writes ``custview_pipeline/matching/priors/*.json``. It counts the levels of each comparison among pairs of one customer, of
one household and of strangers, and blends them with ``benchmarks/stated_priors.json``: what the reference matcher took for
granted before it saw a list. A generated world is cleaner than a real one, so what is stated keeps some of the say, and all of
it where the worlds show too few pairs. Real lists have no part in it: on them the outcome is measured.
"""

import json
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.key_files import FileKeyProvider, KeyDirectory
from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.match_index import IndexPart
from custview_pipeline.demo.world import TRUTH_FILE, generate
from custview_pipeline.flows.current import current_index, current_records
from custview_pipeline.flows.deliver import Intake, deliver
from custview_pipeline.flows.match_state import neighbourhoods_of
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline.matching.comparisons import COMPARISONS, Comparison
from custview_pipeline.matching.frequencies import Frequencies
from custview_pipeline.matching.neighbours import find_neighbours
from custview_pipeline.matching.pairs import Compared, Pairs
from custview_pipeline.matching.records import Records
from custview_pipeline.protection.keyring import Keyring

SEEDS, RECORDS = (101, 102, 103), 20_000
STRANGERS = 1_000_000  # random pairs a world
SHARE_OF_WORLDS = 0.7
FEWEST_PAIRS = 300  # that must show a comparison before the worlds have a say
LEAST = {"match": 0.002, "household": 0.002, "unrelated": 0.00001}  # nothing is impossible
STATED = Path(__file__).with_name("stated_priors.json")
PRIORS = Path(__file__).parents[1] / "custview_pipeline" / "matching" / "priors"
COMMENT = (
    "Shares of each outcome among pairs of one customer, of one household (null: they agree as strangers do) and of strangers. "
    f"Made by benchmarks/make_priors.py: {SHARE_OF_WORLDS:.0%} counted in generated worlds (seeds {', '.join(map(str, SEEDS))}, "
    f"{RECORDS:,} records each), the rest stated in benchmarks/stated_priors.json, which has all of the say where worlds show "
    f"fewer than {FEWEST_PAIRS} pairs. Per record: pairs of each kind that a list is taken to have, and what the "
    "household's shares weigh, in pairs."
)
Counts = dict[tuple[EntityType, str, str], np.ndarray[Any, Any]]


def main() -> None:
    counts: Counts = defaultdict(lambda: np.zeros(16))
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as directory:
            index, neighbourhoods, truth = index_of_world(Path(directory), seed)
        for entity_type in EntityType:
            count_world(entity_type, index, neighbourhoods, truth, counts)
    stated = json.loads(STATED.read_text(encoding="utf-8"))
    for entity_type in EntityType:
        rows = stated[entity_type]["comparisons"]
        comparisons = {each.name: blended(entity_type, each, rows[each.name], counts) for each in COMPARISONS[entity_type]}
        content = {"comment": COMMENT, **stated[entity_type], "comparisons": comparisons}
        (PRIORS / f"{entity_type}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def index_of_world(root: Path, seed: int) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return tokens, neighbourhoods and truth (record_id, entity, household) of a world."""
    generate(root / "world", records=RECORDS, seed=seed)
    project = load_project(root / "world")
    keyring = Keyring.open(FileKeyProvider(root / "keys"), KeyDirectory(root / "keys"))
    lake = DeltaLake(root / "lake", keyring)
    with lake.writer() as writer:
        for contract in project.contracts:
            source = SourceFiles(project.directory, contract)
            deliver(Intake(contract, source, project.region, keyring.airlock_keys(), 1, "priors", Unwatched()), writer)
    snapshot = lake.snapshot()
    records = current_records(snapshot)
    truth = pl.read_csv(root / "world" / TRUTH_FILE, infer_schema=False)
    known = records.join(truth, on=["source_system", "source_key"]).select("record_id", "entity", "household")
    tokens = current_index(snapshot, IndexPart.TOKENS, records)
    return tokens, neighbourhoods_of(snapshot, tokens, {}).unique(), known


def count_world(
    entity_type: EntityType, index: pl.DataFrame, neighbourhoods: pl.DataFrame, truth: pl.DataFrame, counts: Counts
) -> None:
    """Add the levels of the pairs of one world."""
    records = Records.of(index, entity_type)
    compared = Compared(records, find_neighbours(neighbourhoods, np.empty(0, np.int64)), Frequencies.of(records))
    rows = pl.DataFrame({"record_id": records.record_ids}).with_row_index("row").join(truth, on="record_id")
    generator = np.random.default_rng(1)
    drawn = pl.DataFrame(np.sort(generator.integers(0, records.count, (STRANGERS, 2)), axis=1), schema=["i", "j"])
    alike = pairs_sharing(rows, "entity")
    pairs = {
        "match": alike,
        "household": pairs_sharing(rows, "household").join(alike, on=["i", "j"], how="anti"),
        "unrelated": drawn.filter(pl.col("i") < pl.col("j")).cast(pl.UInt32).join(alike, on=["i", "j"], how="anti"),
    }
    for kind, chosen in pairs.items():
        compare = Pairs(compared, *(chosen[name].to_numpy().astype(np.int64) for name in ("i", "j")))
        for comparison in COMPARISONS[entity_type]:
            counts[entity_type, comparison.name, kind] += np.bincount(comparison.compare(compare), minlength=16)


def pairs_sharing(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return the pairs (i, j) of rows that share a value."""
    known = rows.select("row", group=column).drop_nulls()
    return known.join(known, on="group").filter(pl.col("row") < pl.col("row_right")).select(i="row", j="row_right")


def blended(entity_type: EntityType, comparison: Comparison, stated: dict[str, Any], counts: Counts) -> dict[str, Any]:
    """Return the probabilities of one comparison by class and outcome, rounded to three digits."""
    found: dict[str, Any] = {}
    for kind in ("match", "household", "unrelated"):
        if stated[kind] is None:
            found[kind] = None
            continue
        shares = np.array([stated[kind][outcome] for outcome in comparison.outcomes])
        shares /= shares.sum()
        seen = counts[entity_type, comparison.name, kind][1 : 1 + len(shares)]
        if seen.sum() >= FEWEST_PAIRS:
            shares = SHARE_OF_WORLDS * seen / seen.sum() + (1 - SHARE_OF_WORLDS) * shares
        shares = np.maximum(shares, LEAST[kind])
        found[kind] = {
            name: float(f"{share:.3g}") for name, share in zip(comparison.outcomes, shares / shares.sum(), strict=True)
        }
    return found


if __name__ == "__main__":
    main()
