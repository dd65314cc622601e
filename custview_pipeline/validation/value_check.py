"""Whether values that standardisation calls valid keep the standard of the dictionary; one that does not is a defect of ours."""

import polars as pl
from pandera.errors import SchemaError, SchemaErrors

from custview_pipeline.contracts.value_standards import standardised_schemas
from custview_pipeline.kernel.errors import ContractViolation


def assert_standards(values: pl.DataFrame) -> None:
    """Refuse valid values that break the standard of their attribute.

    Args:
        values: ``attribute``, ``value``, ``is_valid``; others are left alone.

    Raises:
        ContractViolation: Some do; names attributes, rules and counts of them, never a value.
    """
    broken = [told for attribute in values["attribute"].unique().sort() for told in _broken(values, attribute)]
    if broken:
        raise ContractViolation(f"standardised values break the standard of their attribute: {', '.join(broken)}")


def _broken(values: pl.DataFrame, attribute: str) -> list[str]:
    schema = standardised_schemas().get(attribute)
    if schema is None:
        return []
    try:
        schema.validate(values.filter((pl.col("attribute") == attribute) & pl.col("is_valid")).select("value"), lazy=True)
    except SchemaErrors as found:
        outcomes = found.schema_errors
    else:
        return []
    return [f"{attribute} {_rule_of(outcome)}" for outcome in outcomes]


def _rule_of(outcome: SchemaError) -> str:
    rule = getattr(outcome.check, "name", None) or "value"
    kept = outcome.check_output
    return f"{rule} ({(~kept.to_series()).sum()})" if isinstance(kept, pl.DataFrame) else str(rule)
