"""A batch's cells after the first look: cleaned, placeholders taken out, and every broken rule noted."""

from collections.abc import Sequence

import polars as pl

from custview_pipeline.contracts.attributes import ATTRIBUTES, ENTERPRISE_NAMES, NAME_PARTS
from custview_pipeline.contracts.source_contract import SourceColumn, SourceContract
from custview_pipeline.contracts.standardised_record import ISSUES
from custview_pipeline.kernel.errors import Redacted
from custview_pipeline.standardisation.codes.countries import is_country
from custview_pipeline.standardisation.field_standards import DIMENSIONS, PLACEHOLDER, SEVERITY, TOO_LONG
from custview_pipeline.standardisation.text import LONGEST_CELL, clean, is_placeholder

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
    cleaned, is_long = _clean_columns(raw, contract)
    issues = [issue_frame([], "", TOO_LONG)]
    found = [pl.int_range(raw.height, dtype=pl.UInt32, eager=True).alias("row")]
    for column in contract.columns:
        cells = cleaned[column.name]
        is_nothing = _placeholders(cells, column.attribute)
        for flags, rule in ((is_long[column.name], TOO_LONG), (is_nothing, PLACEHOLDER)):
            if flags.any():
                issues.append(issue_frame(flags.arg_true(), column.attribute, rule))
        found.append((cells.set(is_nothing, None) if is_nothing.any() else cells).alias(cell_of(column)))
    return pl.DataFrame(found), pl.concat(issues)


def _clean_columns(raw: pl.DataFrame, contract: SourceContract) -> tuple[dict[str, pl.Series], dict[str, pl.Series]]:
    """Return the cleaned cells of each column, and which were cut because they are too long."""
    try:
        cleaned = {
            column.name: clean(raw[column.name], keep_lines=ATTRIBUTES[column.attribute].kind == "address")
            for column in contract.columns
        }
        return cleaned, {name: (raw[name].str.len_chars() > LONGEST_CELL).fill_null(value=False) for name in cleaned}
    except pl.exceptions.PolarsError as error:
        raise Redacted(
            f"{type(error).__name__}: the batch of {contract.source_system} lacks columns, or they are not text"
        ) from None


def _placeholders(cells: pl.Series, attribute: str) -> pl.Series:
    if attribute in _READ_AS_WRITTEN:
        return pl.repeat(value=False, n=len(cells), dtype=pl.Boolean, eager=True)
    flags = is_placeholder(cells, is_name=attribute in (*NAME_PARTS, *ENTERPRISE_NAMES))
    if attribute == "country" and flags.any():
        rows = flags.arg_true()
        countries = [is_country(text) for text in cells.gather(rows).to_list()]
        flags = flags.scatter(rows, ~pl.Series(countries))
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
