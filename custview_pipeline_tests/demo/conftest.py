"""One demo world of 5,000 records, made once for all tests of this folder."""

from pathlib import Path

import polars as pl
import pytest

from custview_pipeline.demo.world import DemoSource, DemoSummary, generate, make_sources


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoSummary:
    return generate(tmp_path_factory.mktemp("demo") / "project", records=5000, seed=1)


@pytest.fixture(scope="session")
def sources() -> dict[str, DemoSource]:
    return {source.name: source for source in make_sources(records=5000, seed=1)}


@pytest.fixture(scope="session")
def truth(demo: DemoSummary) -> pl.DataFrame:
    return pl.read_csv(demo.directory / "truth.csv", infer_schema=False)


@pytest.fixture(scope="session")
def files(demo: DemoSummary) -> dict[str, pl.DataFrame]:
    """Return each source as a reader of its format sees it."""
    data: Path = demo.directory / "data"
    return {
        "crm": pl.read_csv(data / "crm" / "customers.csv", infer_schema=False),
        "web_shop": pl.read_ndjson(data / "web_shop" / "customers.jsonl", infer_schema_length=None),
        "billing": pl.read_parquet(data / "billing" / "accounts.parquet"),
        "support": pl.read_csv(data / "support" / "contacts.csv", separator=";", infer_schema=False),
    }
