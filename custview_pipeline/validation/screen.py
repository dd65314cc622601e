"""Part the rows of a batch that the contract accepts from those it refuses."""

from typing import NamedTuple

import polars as pl
from pandera.errors import SchemaError, SchemaErrors

from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.standardised_record import ISSUES, StandardisedBatch
from custview_pipeline.kernel.errors import ContractViolation
from custview_pipeline.validation.issues import name_issues
from custview_pipeline.validation.limits import limit_schema
from custview_pipeline.validation.rules import reasons_for, rules_of
from custview_pipeline.validation.tally import Judged, Tally, tally_batch
from custview_pipeline.validation.value_check import assert_standards


class Screened(NamedTuple):
    """What becomes of the rows of one batch.

    Attributes:
        is_accepted: One Boolean a row, in the order of the batch.
        reasons: Why rows are refused, in the order of row, attribute and rule: ``row``, ``attribute``, ``rule``, ``dimension``,
            ``severity`` (schema ``ISSUES``). It holds no value of the batch.
        tally: Counts by rule, to be added up over the batches.
    """

    is_accepted: pl.Series
    reasons: pl.DataFrame
    tally: Tally


def screen(
    raw: pl.DataFrame, standardised: StandardisedBatch, contract: SourceContract, *, extra_reasons: pl.DataFrame | None = None
) -> Screened:
    """Judge every row; one reason of severity error refuses it.

    A broken field standard is such a reason where the contract says ``on_invalid: refuse``; the rule that it names then is the
    standard's own, such as ``not_an_email_address``.

    Args:
        raw: The contract's columns, all text.
        standardised: The same rows, standardised.
        contract: The source's contract.
        extra_reasons: What only the caller can know, such as keys that another batch has too (``rules.reasons_for``).

    Raises:
        ContractViolation: The batch lacks a column or holds something else than text, an extra reason names no rule, or a value
            that is called valid breaks the standard of the dictionary.
    """
    assert_standards(standardised.values)
    issues = name_issues(standardised.issues, rules_of(contract))
    reasons = [_broken_limits(raw, contract), issues.filter(pl.col("severity") == "error").select(ISSUES.names())]
    if extra_reasons is not None:
        reasons.append(_checked(extra_reasons, contract))
    listed = pl.concat(reasons).unique(["row", "attribute", "rule"], maintain_order=True).sort("row", "attribute", "rule")
    refused = listed.filter(pl.col("severity") == "error")["row"].unique()
    rows = pl.select(row=pl.int_range(raw.height, dtype=pl.UInt32))["row"]
    is_accepted = (~rows.is_in(refused.implode())).alias("is_accepted")
    return Screened(is_accepted, listed, tally_batch(raw, Judged(standardised.records, issues, listed, is_accepted), contract))


def _broken_limits(raw: pl.DataFrame, contract: SourceContract) -> pl.DataFrame:
    """List the limits that rows break; pandera's own report quotes the cells, so only positions are taken from it."""
    _check_columns(raw, contract)
    try:
        limit_schema(contract).validate(raw, lazy=True)
    except SchemaErrors as broken:
        outcomes = broken.schema_errors
    else:
        return ISSUES.to_frame()
    rules = {rule.name: rule for rule in rules_of(contract)}
    return pl.concat([reasons_for(rules[each.check.name], _failing_rows(each, contract)) for each in outcomes])


def _failing_rows(outcome: SchemaError, contract: SourceContract) -> list[int]:
    kept = outcome.check_output
    if not isinstance(kept, pl.DataFrame):
        raise ContractViolation(f"{contract.source_system}: rule {outcome.check.name} could not be judged")
    return (~kept.to_series()).arg_true().to_list()


def _check_columns(raw: pl.DataFrame, contract: SourceContract) -> None:
    for column in contract.columns:
        if raw.schema.get(column.name) != pl.String:
            raise ContractViolation(f"{contract.source_system}: a batch lacks column {column.name!r}, or it is not text")


def _checked(reasons: pl.DataFrame, contract: SourceContract) -> pl.DataFrame:
    if reasons.schema != ISSUES:
        raise ContractViolation(f"{contract.source_system}: extra reasons should have the columns {', '.join(ISSUES)}")
    known = {(rule.attribute, rule.rule) for rule in rules_of(contract)}
    named = set(reasons.select("attribute", "rule").unique().iter_rows())
    if unknown := sorted(named - known):
        raise ContractViolation(f"{contract.source_system}: no such rules: {unknown}")
    return reasons
