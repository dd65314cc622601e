"""Small batches, raw and as if standardised."""

import polars as pl

from custview_pipeline.contracts.source_contract import QualityRule, SourceColumn, SourceContract
from custview_pipeline.contracts.standardised_record import FEATURE_TEXTS, ISSUES, RECORDS, VALUES, StandardisedBatch

CANARY = "canary-7f3a"


def a_contract(*columns: SourceColumn, quality: tuple[QualityRule, ...] = (), **changes) -> SourceContract:
    """Return a contract with a key and ``columns``."""
    defaults = {
        "source_system": "shop", "version": "1", "title": "Shop", "domain": None, "owner": None, "purpose": None,
        "path_pattern": "data/*", "file_format": "csv", "encoding": "utf-8", "delimiter": ",", "quality": quality,
        "columns": (SourceColumn("id", "source_key", is_required=True, is_unique=True), *columns),
    }  # fmt: skip
    return SourceContract(**(defaults | changes))


def an_entry(metric: str, column: str | None = None, operator: str = "mustBe", *threshold: float, **changes) -> QualityRule:
    """Return a quality entry; by default of severity error, and nothing may break it."""
    return QualityRule(
        **(
            {"name": metric.lower(), "metric": metric, "column": column, "operator": operator, "threshold": threshold or (0.0,)}
            | changes
        )
    )


def raw(**columns: list[str | None]) -> pl.DataFrame:
    """Return a raw batch; the key is the number of the row unless given."""
    height = len(next(iter(columns.values())))
    keys = {"id": [str(row) for row in range(height)]}
    return pl.DataFrame(keys | columns, schema=dict.fromkeys(keys | columns, pl.String))


def standardised(*issues: tuple[int, str, str, str, str]) -> StandardisedBatch:
    """Return a standardised batch of which only the issues matter."""
    frame = pl.DataFrame(list(issues), schema=ISSUES, orient="row")
    return StandardisedBatch(RECORDS.to_frame(), VALUES.to_frame(), FEATURE_TEXTS.to_frame(), frame)
