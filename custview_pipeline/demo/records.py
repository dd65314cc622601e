"""The records of one source system: its customers as it knows them, tricks played, still in fields of their own."""

from datetime import datetime
from typing import Final

import numpy as np
import polars as pl

from custview_pipeline.demo.chance import Chance, Numbers
from custview_pipeline.demo.corruption import BEFORE_PLACES, TRICKS, corrupt
from custview_pipeline.demo.coverage import make_keys
from custview_pipeline.demo.customers import Customers
from custview_pipeline.demo.layout import one_line_address

NOW: Final = datetime(2026, 10, 31)  # noqa: DTZ001 - the world's own end of time, in UTC as all its times
_SECONDS_A_DAY: Final = 86_400


def make_records(source: str, rows: Numbers, world: Customers, chance: Chance) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the records of ``source``, one for each of ``rows`` of the customers, and how often each trick was played.

    Columns: those of the customers and of their place, ``source_key``, ``true_key`` (never lost), ``updated_at``, ``created_at``,
    ``is_stale``, ``is_native`` (name in Chinese characters), ``is_romanised`` (Chinese address in Latin letters), ``extension``,
    ``other_address`` (one line; of the other home, where there is one).
    """
    count = len(rows)
    keys = make_keys(source, count, chance.apart("keys"))
    known = world.customers[rows].with_columns(
        source_key=keys,
        true_key=keys,
        is_stale=pl.lit(value=False),
        is_native=pl.lit(value=False),
        is_romanised=pl.lit(value=False),
        extension=pl.lit(None, pl.String),
    )
    moved, first_counts = corrupt(known, BEFORE_PLACES, chance)
    others = _other_addresses(known, moved["home"], world.places)
    placed = pl.concat([moved.with_columns(others), world.places[moved["home"]].drop("country")], how="horizontal")
    corrupted, counts = corrupt(placed, TRICKS, chance)
    return _with_times(corrupted, chance.apart("times")), first_counts | counts


def _other_addresses(known: pl.DataFrame, homes: pl.Series, places: pl.DataFrame) -> pl.Series:
    """Return the address of the home, now or former, that is not the record's; null where there is one home only."""
    other = pl.select(pl.when(homes == known["home"]).then(known["former_home"]).otherwise(known["home"])).to_series()
    at = places[other.fill_null(0)].with_columns(is_romanised=pl.lit(value=False))
    return at.select(pl.when(other.is_not_null()).then(one_line_address()).alias("other_address")).to_series()


def _with_times(records: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """Return the records with ``updated_at`` and ``created_at``; what is out of date was last touched long ago."""
    days = np.where(records["is_stale"].to_numpy(), chance.whole(800, 2400, records.height), chance.whole(0, 760, records.height))
    age = days * _SECONDS_A_DAY + chance.whole(0, _SECONDS_A_DAY - 1, records.height)
    before = chance.whole(0, 1800, records.height) * _SECONDS_A_DAY + chance.whole(0, _SECONDS_A_DAY - 1, records.height)
    return records.with_columns(
        updated_at=pl.lit(NOW) - pl.duration(seconds=pl.lit(pl.Series(age))),
        created_at=pl.lit(NOW) - pl.duration(seconds=pl.lit(pl.Series(age + before))),
    )
