"""Splink 5 on plain sources (plain_project.py): standardise, train, predict, cluster; each phase measured.

    python benchmarks/splink_baseline.py PLAIN OUT

It runs without our package, so Splink may live in an environment of its own: splink 5, duckdb, polars, psutil, phonenumbers,
usaddress, pypinyin, nicknames, names. OUT gets ``clusters.parquet`` (threshold, source_system, source_key, cluster) and
``report.json``. The phase cluster is that of the first threshold; the others are for accuracy and not counted.
"""

import argparse
import json
import logging
from pathlib import Path
from typing import Any

import polars as pl
from meter import Meter
from splink_rows import standardise_sources

THRESHOLDS = (0.95, 0.5, 0.8, 0.9, 0.99, 0.995, 0.999, 0.9999)
MANY = 300_000  # records from which on unlikely pairs are not kept
FEW = 20_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plain", type=Path, help="folder that plain_project.py wrote")
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    sources = json.loads((options.plain / "sources.json").read_text(encoding="utf-8"))
    meter = Meter()
    records = meter.measure("standardise", lambda: standardise_sources(options.plain, sources["region"], sources["date_formats"]))
    clusters, pairs = link(records, meter)
    options.out.mkdir(parents=True, exist_ok=True)
    clusters.write_parquet(options.out / "clusters.parquet")
    report = {"records": records.height, "pairs": pairs, "stages": meter.stages}
    (options.out / "report.json").write_text(json.dumps(report), encoding="utf-8")


def link(records: pl.DataFrame, meter: Meter) -> tuple[pl.DataFrame, int]:
    """Return the clusters at each threshold, and how many pairs were scored and kept."""
    import duckdb  # noqa: PLC0415 -- the processes that standardise start from this script and need none of these
    from splink import DuckDBAPI, Linker  # noqa: PLC0415 -- as above
    from splink_settings import model_of  # noqa: PLC0415 -- as above

    logging.getLogger("splink").setLevel(logging.ERROR)
    connection = duckdb.connect()
    model = model_of(records)
    database = DuckDBAPI(connection=connection)
    table = database.register(records.drop("source_system", "source_key").to_arrow(), dataset_display_name="input_data")
    linker = Linker(table, model.settings, log_level=logging.ERROR)

    def train() -> None:
        learning = linker.training
        learning.estimate_probability_two_random_records_match(model.certain, recall=0.75)
        learning.estimate_u_using_random_sampling(max_pairs=1e6 if records.height <= FEW else 1e7, seed=1)
        for rule in model.training:
            learning.estimate_parameters_using_expectation_maximisation(
                rule, estimate_without_term_frequencies=True, max_pairs=2e6
            )

    def cluster(threshold: float) -> pl.DataFrame:
        found = linker.clustering.cluster_pairwise_predictions_at_threshold(edges, threshold_match_probability=threshold)
        query = f"select uid, cast(cluster_id as varchar) cluster from {found.physical_name}"
        named: Any = pl.from_arrow(connection.sql(query).to_arrow_table())
        return records.join(named, on="uid").select(
            pl.lit(threshold).alias("threshold"), "source_system", "source_key", "cluster"
        )

    meter.measure("train", train)
    least = 0.3 if records.height > MANY else 0.01
    edges = meter.measure("predict", lambda: linker.inference.predict(threshold_match_probability=least))
    (count,) = connection.sql(f"select count(*) from {edges.physical_name}").fetchall()[0]
    clusters = [meter.measure("cluster", lambda: cluster(THRESHOLDS[0])), *(cluster(each) for each in THRESHOLDS[1:])]
    return pl.concat(clusters), count


if __name__ == "__main__":
    main()
