"""A generated world of many millions of records: of parts under keys of their own, for one part at a time fits in memory."""

from pathlib import Path
from typing import Final

import polars as pl

from custview_pipeline.demo.sources import SOURCE_FILES
from custview_pipeline.demo.world import generate, make_sources

PART_ROWS: Final = 4_000_000
_KEYS: Final = {
    "crm": ("id", "parent_id"),
    "web_shop": ("customer_no",),
    "billing": ("account_id",),
    "support": ("Ticket Contact Ref",),
}
_KEYS_A_PART: Final = 2 * PART_ROWS  # a source has a third of the records, and uses every third number
_SHORT, _LONG = "C-[0-9]{7}", "C-[0-9]{7,8}"


def generate_large(world: Path, *, rows: int, seed: int) -> None:
    """Write a demo project of so many records, in files of ``PART_ROWS`` records at most over all sources."""
    if rows <= PART_ROWS:
        generate(world, records=rows, seed=seed)
        return
    generate(world, seed=seed)  # the project and its contracts; the data are written over
    contract = world / "contracts" / "crm.odcs.yaml"
    contract.write_text(contract.read_text(encoding="utf-8").replace(_SHORT, _LONG), encoding="utf-8")
    for place, start in enumerate(range(0, rows, PART_ROWS)):
        for source in make_sources(records=min(PART_ROWS, rows - start), seed=seed + place):
            file = SOURCE_FILES[source.name]
            path = (world / file.path).with_stem(f"{Path(file.path).stem}{place or ''}")
            file.write(source.rows.with_columns(_later(key, place * _KEYS_A_PART) for key in _KEYS[source.name]), path)


def _later(key: str, by: int) -> pl.Expr:
    """Return keys of which the number is larger by so much."""
    digits = pl.col(key).str.extract(r"(\d+)$")
    number = (digits.cast(pl.Int64) + by).cast(pl.String).str.zfill(digits.str.len_chars().cast(pl.UInt64))
    return (pl.col(key).str.replace(r"\d+$", "") + number).alias(key)
