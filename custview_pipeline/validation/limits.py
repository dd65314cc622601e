"""The limits of a contract's columns as one pandera schema; blank cells break only ``required``."""

from datetime import datetime
from typing import Final

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData

from custview_pipeline.contracts.date_patterns import chrono_format
from custview_pipeline.contracts.source_contract import SourceColumn, SourceContract
from custview_pipeline.validation.rules import FieldRule, limits_of, rules_of

# How a contract without a date format is read; the contract's own format goes first.
_ISO_FORMATS: Final = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f")


def limit_schema(contract: SourceContract) -> pa.DataFrameSchema:
    """Return the schema of a raw batch: each limit is a check, called by the name of its rule.

    ``unique`` is no check of it: a batch cannot tell what the rest of the delivery holds (see ``entries``).
    """
    rules = rules_of(contract)
    return pa.DataFrameSchema({column.name: _column(column, rules) for column in contract.columns})


def presence(header: str) -> pl.Expr:
    """Return whether a cell holds more than white space; never null."""
    return (pl.col(header).str.strip_chars().str.len_chars() > 0).fill_null(value=False)


def _column(column: SourceColumn, rules: tuple[FieldRule, ...]) -> pa.Column:
    stated = list(limits_of(column))
    mine = [rule for rule in rules if rule.column == column.name and rule.quality is None]
    checks = [_check(column, limit, rule) for limit, rule in zip(stated, mine, strict=True) if limit != "unique"]
    return pa.Column(pl.String, nullable=True, checks=checks)


def _check(column: SourceColumn, limit: str, rule: FieldRule) -> pa.Check:
    kept = _kept(column, limit)

    def judge(data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(kept)

    return pa.Check(judge, name=rule.name, ignore_na=False)


def _kept(column: SourceColumn, limit: str) -> pl.Expr:
    text, is_present = pl.col(column.name).str.strip_chars(), presence(column.name)
    if limit == "required":
        return is_present
    if limit == "length":
        kept = _is_within(text.str.len_chars(), column.min_length, column.max_length)
    elif limit == "pattern":
        kept = text.str.contains(column.pattern or "")
    elif limit == "allowed":
        kept = text.is_in(list(column.allowed))
    elif column.earliest is None and column.latest is None:
        kept = _is_within(text.cast(pl.Float64, strict=False), column.minimum, column.maximum).fill_null(value=False)
    else:
        # A date that cannot be read is a matter of the field standard, not of the range.
        kept = _is_within(_moment(text, column.date_format), _day(column.earliest), _day(column.latest)).fill_null(value=True)
    return kept | ~is_present


def _is_within(value: pl.Expr, low: float | datetime | None, high: float | datetime | None) -> pl.Expr:
    is_above = pl.lit(value=True) if low is None else value >= low
    return is_above if high is None else is_above & (value <= high)


def _day(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(written).replace(tzinfo=None)


def _moment(text: pl.Expr, date_format: str | None) -> pl.Expr:
    formats = (*((chrono_format(date_format),) if date_format else ()), *_ISO_FORMATS)
    readings = [text.str.to_datetime(form, time_unit="us", strict=False).dt.replace_time_zone(None) for form in formats]
    return pl.coalesce(readings)
