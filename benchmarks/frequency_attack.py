"""What clear tokens would tell: names decoded by their frequency alone, without any key. It is why the match index is encrypted.

    python benchmarks/frequency_attack.py --records 100000

The attacker has the name tokens of a generated world in the clear, no token key, and the frequencies of names in another
population, as statistics offices publish them: another generated world. "by rank" takes the most frequent token for the most
frequent name, and so on. "by initial" does so with the tokens of the initials first, and then among the names of each initial.
Names of the generated world come from short lists; real ones are more, so read the order of magnitude.
"""

import argparse
import secrets

import polars as pl
from rich.console import Console
from rich.table import Table

from custview_pipeline.contracts.source_contract import SourceColumn, SourceContract
from custview_pipeline.demo.world import make_sources
from custview_pipeline.protection.tokens import Tokeniser
from custview_pipeline.standardisation.standardise import rule_set_version, standardise

COLUMNS = (
    SourceColumn("id", "source_key"),
    SourceColumn("country", "country"),
    SourceColumn("customer_name", "full_name"),
)
CONTRACT = SourceContract("benchmark", "1.0.0", "Benchmark", None, None, None, "*.csv", "csv", "utf-8", ",", COLUMNS)
INITIAL, NAME = "initial", "name"


def names_of(records: int, seed: int, feature: str) -> pl.DataFrame:
    """Return name and initial of the persons of a source, as matching compares them; feature: given or family."""
    world = next(iter(make_sources(records=records, seed=seed)))
    persons = world.rows.filter(pl.col("kind").str.to_lowercase().str.starts_with("p"))
    features = standardise(persons.select(column.name for column in COLUMNS), CONTRACT, region="US").features
    return features.select(name=feature, initial=pl.col(feature).str.head(1)).drop_nulls()


def guess(tokens: pl.DataFrame, public: pl.DataFrame, column: str, within: str | None = None) -> pl.DataFrame:
    """Return column (a token, or a name within a guessed initial) and what it is taken for, ``guess``."""

    def ranked(frame: pl.DataFrame) -> pl.DataFrame:
        group = [within] if within else []
        counted = frame.group_by(*group, column).len().sort("len", column, descending=[True, False])
        place = pl.int_range(pl.len())
        return counted.with_columns(rank=place.over(within) if within else place)

    keys = [within, "rank"] if within else ["rank"]
    return ranked(tokens).join(ranked(public).rename({column: "guess"}), on=keys, how="inner").select(column, "guess")


def attack(truth: pl.DataFrame, public: pl.DataFrame) -> dict[str, tuple[float, float]]:
    """Return for each way of guessing the shares of records, and of distinct names, that it decodes."""
    tokeniser, version = Tokeniser(secrets.token_bytes(32), 1), rule_set_version()
    tokens = truth.select(tokeniser.tokens(column, truth[column], rule_version=version) for column in (NAME, INITIAL))
    initials = guess(tokens, public, INITIAL).rename({INITIAL: "token", "guess": INITIAL})
    placed = tokens.rename({INITIAL: "token"}).join(initials, on="token", how="inner").select(NAME, INITIAL)
    ways = {"by rank": guess(tokens, public, NAME), "by initial": guess(placed, public, NAME, INITIAL)}
    known = truth.select("name").with_columns(token=tokens[NAME])
    return {way: _decoded(known, guessed) for way, guessed in ways.items()}


def _decoded(known: pl.DataFrame, guessed: pl.DataFrame) -> tuple[float, float]:
    judged = known.join(guessed, left_on="token", right_on=NAME, how="left").with_columns(hit=pl.col("guess") == pl.col("name"))
    hits = judged["hit"].fill_null(value=False)
    return float(hits.mean() or 0), judged.filter(hits)["name"].n_unique() / known["name"].n_unique()


def main() -> None:
    """Attack and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000, help="records of each world, over all its sources")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    table = Table("names", "guessed", "records", "decoded", "distinct names", "decoded")
    for feature in ("given", "family"):
        truth = names_of(options.records, options.seed, feature)
        found = attack(truth, names_of(options.records, options.seed + 1, feature))
        for way, (of_records, of_names) in found.items():
            distinct = f"{truth['name'].n_unique():,}"
            table.add_row(feature, way, f"{truth.height:,}", f"{of_records:.1%}", distinct, f"{of_names:.1%}")
    Console().print(table)


if __name__ == "__main__":
    main()
