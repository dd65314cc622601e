"""Quality entries as people write them: every metric with every operator and unit, at the table and at a column."""

import operator

import polars as pl
import pytest

from custview_pipeline.contracts.odcs import parse_contract
from custview_pipeline.contracts.odcs_quality import DIMENSIONS, METRICS, OPERATORS
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.validation.entries import DeliveryCount
from custview_pipeline.validation.screen import screen
from custview_pipeline.validation.verdicts import verdicts
from custview_pipeline_tests.contracts.written_contracts import FILE, line_of
from custview_pipeline_tests.validation.batches import standardised

HEAD = """\
apiVersion: v3.2.0
kind: DataContract
id: shop
version: 1.0.0
status: active
servers: [{server: production, type: local, path: data/*.csv, format: csv}]
schema:
  - name: customers
    properties:
      - name: id
        customProperties: [{property: attribute, value: source_key}]
      - name: a
        customProperties: [{property: attribute, value: occupation}]
"""
OF_COLUMN, OF_TABLE = "        quality:\n          - {", "    quality:\n      - {"

# Ten rows; what each metric counts in them is told beside it.
CELLS = [None, None, "", "N/A", "x", "x", "x", "1", "2", "3"]
COUNTED = {
    ("rowCount", OF_TABLE): ("", 10),
    ("nullValues", OF_COLUMN): ("", 2),
    ("missingValues", OF_COLUMN): ("arguments: {missingValues: [N/A]}, ", 4),
    ("invalidValues", OF_COLUMN): ("arguments: {validValues: ['1', '2', N/A]}, ", 4),
    ("duplicateValues", OF_COLUMN): ("", 2),
    ("duplicateValues", OF_TABLE): ("arguments: {properties: [a]}, ", 2),
}
PLAIN = {
    "mustBe": operator.eq,
    "mustNotBe": operator.ne,
    "mustBeGreaterThan": operator.gt,
    "mustBeGreaterOrEqualTo": operator.ge,
    "mustBeLessThan": operator.lt,
    "mustBeLessOrEqualTo": operator.le,
}
NOT_EXECUTED = [("sql", "query: select 1"), ("custom", "engine: soda, implementation: checks"), ("text", "description: Be good")]


def contract_with(entry: str, place: str):
    return parse_contract(f"{HEAD}{place}{entry}}}\n", file=FILE)


def verdict_on(entry: str, place: str):
    contract = contract_with(entry, place)
    raw = pl.DataFrame({"id": [str(row) for row in range(len(CELLS))], "a": CELLS}, schema={"id": pl.String, "a": pl.String})
    count = DeliveryCount(contract)
    count.add(raw)
    tally = screen(raw, standardised(), contract).tally
    return verdicts(tally, contract, row_count=raw.height, counted=count.broken())[-1]


def thresholds(name: str, value: int):
    """Return thresholds below, at and above a value, each with whether the value keeps it."""
    if name.endswith("Between"):
        inside = name == "mustBeBetween"
        return [([value, value], inside), ([value - 1, value + 1], inside), ([value + 1, value + 2], not inside)]
    return [(threshold, PLAIN[name](value, threshold)) for threshold in (value - 1, value, value + 1)]


CASES = [
    (metric, place, name, unit)
    for metric, place in COUNTED
    for name in OPERATORS
    for unit in ("rows", "percent")
    if (metric, unit) != ("rowCount", "percent")
]


@pytest.mark.parametrize(("metric", "place", "name", "unit"), CASES)
def test_every_metric_is_held_to_every_operator_in_every_unit(metric, place, name, unit):
    arguments, count = COUNTED[metric, place]
    for threshold, is_kept in thresholds(name, count if unit == "rows" else 10 * count):
        verdict = verdict_on(f"metric: {metric}, {arguments}unit: {unit}, {name}: {threshold}", place)
        assert (verdict.is_executed, verdict.passed, verdict.total) == (True, is_kept, 10), threshold
        assert verdict.failed == (count if metric != "rowCount" else int(not is_kept))


@pytest.mark.parametrize(
    ("entry", "place", "message"),
    [
        ("metric: rowCount, mustBe: 1", OF_COLUMN, "rowCount is about the table"),
        ("metric: nullValues, mustBe: 1", OF_TABLE, "nullValues is about a column"),
        ("metric: missingValues, mustBe: 1", OF_TABLE, "missingValues is about a column"),
        ("metric: invalidValues, mustBe: 1", OF_TABLE, "invalidValues is about a column"),
        ("metric: duplicateValues, mustBe: 1", OF_TABLE, "duplicateValues of a table needs arguments"),
        ("metric: invalidValues, mustBe: 1", OF_COLUMN, "invalidValues needs arguments"),
        ("metric: rowCount, mustBeGreaterThan: 1, unit: percent", OF_TABLE, "rowCount has no share"),
        ("metric: nullValues, mustBe: 101, unit: percent", OF_COLUMN, "lies between 0 and 100"),
        ("metric: nullValues, mustBeBetween: [3]", OF_COLUMN, "at least 2 items"),
        ("metric: nullValues, mustNotBeBetween: [1, 2, 3]", OF_COLUMN, "at most 2 items"),
        ("metric: nullValues, mustBe: [3, 4]", OF_COLUMN, "'mustBe' should be a number"),
        ("metric: nullValues, mustBeBetween: [4, 3]", OF_COLUMN, "smaller number first"),
        ("metric: nullValues", OF_COLUMN, "the rule has no threshold"),
        ("metric: nullValues, mustBe: 0, mustNotBe: 1", OF_COLUMN, "two thresholds, mustBe and mustNotBe"),
        ("metric: nullValues, mustBe: 0, unit: share", OF_COLUMN, "unknown unit 'share'"),
        ("metric: nullValues, mustBe: 0, dimension: validity", OF_COLUMN, "unknown dimension 'validity'"),
        ("metric: nullValues, mustBe: 0, severity: fatal", OF_COLUMN, "unknown severity 'fatal'"),
        ("metric: nullValue, mustBe: 0", OF_COLUMN, "unknown metric 'nullValue'; did you mean 'nullValues'?"),
        ("type: slq, query: select 1", OF_COLUMN, "unknown type of rule 'slq'"),
    ],
)
def test_an_entry_without_sense_names_file_and_line(entry, place, message):
    text = f"{HEAD}{place}{entry}}}\n"
    with pytest.raises(ProjectInvalid) as raised:
        parse_contract(text, file=FILE)
    assert str(raised.value).startswith(f"{FILE}:{line_of(place.rpartition(chr(10))[2] + entry, text)}: ")
    assert message in str(raised.value)


@pytest.mark.parametrize("place", [OF_COLUMN, OF_TABLE], ids=["column", "table"])
@pytest.mark.parametrize(("kind", "content"), NOT_EXECUTED)
def test_what_the_pipeline_does_not_execute_is_reported_by_name(kind, content, place):
    verdict = verdict_on(f"name: our rule, type: {kind}, {content}, dimension: coverage, severity: error", place)
    assert (verdict.is_executed, verdict.passed, verdict.rule.severity) == (False, True, "error")
    assert verdict.rule.name == f"coverage__{'occupation' if place == OF_COLUMN else 'table'}__our_rule"


@pytest.mark.parametrize("dimension", DIMENSIONS)
@pytest.mark.parametrize(("written", "kept"), [("error", "error"), ("warning", "warning"), ("info", "warning")])
def test_dimension_and_severity_are_kept(dimension, written, kept):
    (rule,) = contract_with(f"metric: nullValues, mustBe: 0, dimension: {dimension}, severity: {written}", OF_COLUMN).quality
    assert (rule.dimension, rule.severity) == (dimension, kept)


@pytest.mark.parametrize(("metric", "place"), COUNTED)
def test_an_entry_that_names_neither_has_the_dimension_of_its_metric(metric, place):
    (rule,) = contract_with(f"metric: {metric}, {COUNTED[metric, place][0]}mustBe: 0", place).quality
    assert (rule.dimension, rule.severity) == (METRICS[metric], "error" if place == OF_TABLE else "warning")
