"""Shard keys, and a key table of three entries."""

import polars as pl

from custview_pipeline.protection.key_table import ENTRIES, KeyTable, ShardKeys, seal_segment

FIRST = {(1, 1): b"material 1.1", (1, 2): b"material 1.2", (-1, 1): b"material-1.1"}


def shard_keys(*generations: int, seed: int = 0) -> ShardKeys:
    """Return keys of these generations, or of the first."""
    each = {generation: bytes([generation, seed] * 16) for generation in generations or (1,)}
    return ShardKeys(
        bytes([seed] * 32), tuple({number: key[:31] + bytes([shard]) for number, key in each.items()} for shard in range(256))
    )


def frame(entries: dict[tuple[int, int], bytes]) -> pl.DataFrame:
    """Return entries as a frame."""
    rows = [(record_id, version, material) for (record_id, version), material in entries.items()]
    return pl.DataFrame(rows, schema=ENTRIES, orient="row")


def materials(table: KeyTable, *wanted: tuple[int, int]) -> list[bytes | None]:
    """Return the material of each (record id, version)."""
    rows = pl.DataFrame(wanted, schema={"record_id": pl.Int64, "version": pl.Int32}, orient="row")
    return table.materials(rows["record_id"], rows["version"]).to_list()


SEGMENT = seal_segment(frame(FIRST), shard_keys(), "run-1")
