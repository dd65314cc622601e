"""A few rows of a lake, and how tests write and look at them."""

from pathlib import Path

import polars as pl

from custview_pipeline.adapters.delta_lake import DeltaLake, LakeSnapshot
from custview_pipeline.contracts.match_index import NEIGHBOURHOODS
from custview_pipeline.contracts.matching_tables import CROSSWALK
from custview_pipeline.protection.key_table import ENTRIES
from custview_pipeline_tests.factories import crosswalk, cuid

ONE = crosswalk({"record_id": 1, "cuid": cuid(1)})
TWO = crosswalk({"record_id": 2, "cuid": cuid(2)})
TOKENS = pl.DataFrame([(11, 12, 0)], schema=NEIGHBOURHOODS, orient="row")
KEYS = pl.DataFrame([(1, 1, bytes(12))], schema=ENTRIES, orient="row")
GENERATION = "rules;key=1"


def append(lake: DeltaLake, frame: pl.DataFrame, table: str = CROSSWALK.name) -> None:
    """Commit rows of one table."""
    with lake.writer() as writer, writer.commit("run-1") as commit:
        commit.append(table, frame)


def entries(*records: tuple[int, int]) -> pl.DataFrame:
    """Return key material of records, given as id and version; of each its own."""
    rows = [(record_id, version, record_id.to_bytes(11, "big") + bytes([version])) for record_id, version in records]
    return pl.DataFrame(rows, schema=ENTRIES, orient="row")


def materials(snapshot: LakeSnapshot, *records: tuple[int, int]) -> list[bytes | None]:
    """Return the key material that a lake has of records, given as id and version."""
    ids, versions = zip(*records, strict=True)
    return snapshot.materials(pl.Series(ids, dtype=pl.Int64), pl.Series(versions, dtype=pl.Int32)).to_list()


def record_ids(snapshot: LakeSnapshot) -> list[int]:
    """Return the records of the crosswalk."""
    return sorted(snapshot.read(CROSSWALK.name, ["record_id"])["record_id"].to_list())


def files(root: Path, folder: str) -> set[str]:
    """Return the names of the files in a folder of the lake."""
    return {path.name for path in (root / folder).glob("*")}
