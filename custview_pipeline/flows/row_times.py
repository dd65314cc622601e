"""When delivered rows last changed in their source, read before they are standardised, as standardising reads it."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from custview_pipeline.contracts.base import UTC_TIME
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.standardisation.cells import clean_cells
from custview_pipeline.standardisation.codes.countries import MONTH_FIRST
from custview_pipeline.standardisation.dates.timestamps import read_timestamps
from custview_pipeline.standardisation.names.entity_types import first_filled


def updated_at(raw: pl.DataFrame, contract: SourceContract, *, region: str, today: date | None = None) -> pl.Series:
    """Return ``updated_at`` of each row as ``standardise`` reads it; null where none is told, can be read, or lies ahead.

    Args:
        raw: The contract's columns, all String.
        contract: Tells which columns carry it.
        region: The project's default country, for day or month first.
        today: The current day (UTC) where not given.
    """
    columns = contract.carrying("updated_at")
    if not columns:
        return pl.repeat(None, raw.height, dtype=UTC_TIME, eager=True).alias("updated_at")
    alone = replace(contract, columns=columns)
    cells, _ = clean_cells(raw.select(list(dict.fromkeys(column.name for column in columns))), alone)
    stated = first_filled(cells, alone, "updated_at")
    moment = read_timestamps(stated, columns[0].date_format, is_month_first=region in MONTH_FIRST)
    latest = datetime.combine(today or datetime.now(UTC).date(), time.max, UTC) + timedelta(days=1)
    return moment.set((moment > latest).fill_null(value=False), None).alias("updated_at")
