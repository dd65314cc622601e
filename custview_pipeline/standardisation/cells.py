"""A batch's cells after the first look: cleaned, placeholders taken out, and every broken rule noted."""

from collections.abc import Sequence

import polars as pl

from custview_pipeline.contracts.attributes import ATTRIBUTES, ENTERPRISE_NAMES, NAME_PARTS
from custview_pipeline.contracts.source_contract import SourceColumn, SourceContract
from custview_pipeline.contracts.standardised_record import ISSUES
from custview_pipeline.kernel.errors import Redacted
from custview_pipeline.standardisation.countries import is_country
from custview_pipeline.standardisation.field_standards import DIMENSIONS, PLACEHOLDER, SEVERITY, TOO_LONG
from custview_pipeline.standardisation.text import LONGEST_CELL, clean_expression, placeholder_expression

# Attributes in whose vocabulary a placeholder's word has a meaning, or whose cells are keys.
_READ_AS_WRITTEN = frozenset({"source_key", "parent_key", "consent"})


def cell_of(column: SourceColumn) -> str:
    """Return the name of a source column's cells in the room's own frames, which have columns such as row and country."""
    return f"cell:{column.name}"


def clean_cells(raw: pl.DataFrame, contract: SourceContract) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the cleaned cells, with ``row``, and the issues met on the way.

    Args:
        raw: All-text columns named as in the contract.
        contract: Tells the attribute of each column.

    Raises:
        Redacted: The frame is not what the contract says; the message names no value.
    """
    try:
        cleaned = raw.select(
            clean_expression(column.name, keep_lines=ATTRIBUTES[column.attribute].kind == "address").alias(cell_of(column))
            for column in contract.columns
        ).with_row_index("row")
        lengths = raw.select(
            (pl.col(column.name).str.len_chars() > LONGEST_CELL).alias(cell_of(column)) for column in contract.columns
        )
    except pl.exceptions.PolarsError as error:
        raise Redacted(
            f"{type(error).__name__}: the batch of {contract.source_system} lacks columns, or they are not text"
        ) from None
    issues, found = [issue_frame([], "", TOO_LONG)], [cleaned.select("row")]
    for column in contract.columns:
        cell = cell_of(column)
        is_long = lengths[cell].fill_null(value=False)
        issues.append(issue_frame(cleaned.filter(is_long)["row"], column.attribute, TOO_LONG))
        is_placeholder = _placeholders(cleaned, cell, column.attribute)
        issues.append(issue_frame(cleaned.filter(is_placeholder)["row"], column.attribute, PLACEHOLDER))
        found.append(cleaned.select(pl.when(~is_placeholder).then(pl.col(cell)).alias(cell)))
    return pl.concat(found, how="horizontal"), pl.concat(issues)


def _placeholders(cleaned: pl.DataFrame, column: str, attribute: str) -> pl.Series:
    if attribute in _READ_AS_WRITTEN:
        return pl.Series(column, [False]).new_from_index(0, cleaned.height)
    is_name = attribute in (*NAME_PARTS, *ENTERPRISE_NAMES)
    flags = cleaned.select(placeholder_expression(column, is_name=is_name).fill_null(value=False))[column]
    if attribute == "country":
        flags &= ~cleaned[column].map_elements(is_country, return_dtype=pl.Boolean).fill_null(value=False)
    return flags


def issue_frame(rows: pl.Series | Sequence[int], attribute: str, rule: str) -> pl.DataFrame:
    """Return one issue for each row, with the schema ``ISSUES``."""
    return (
        pl.DataFrame({"row": pl.Series(rows, dtype=pl.UInt32)})
        .select(
            "row",
            attribute=pl.lit(attribute, pl.String),
            rule=pl.lit(rule, pl.String),
            dimension=pl.lit(DIMENSIONS[rule], pl.String),
            severity=pl.lit(SEVERITY, pl.String),
        )
        .cast(ISSUES)
    )


def issues_of(found: pl.DataFrame, attribute: str) -> pl.DataFrame:
    """Return the issues of readings (columns ``row`` and ``rule``)."""
    broken = found.select("row", "rule").drop_nulls("rule").unique(maintain_order=True)
    return broken.select(
        "row",
        attribute=pl.lit(attribute, pl.String),
        rule="rule",
        dimension=pl.col("rule").replace_strict(DIMENSIONS, return_dtype=pl.String),
        severity=pl.lit(SEVERITY, pl.String),
    ).cast(ISSUES)
