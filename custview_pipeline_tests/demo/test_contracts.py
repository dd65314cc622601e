"""The packaged contracts: they load, say everything a reader needs, and describe the files that are written."""

import re
from pathlib import Path

import polars as pl
import pytest
from open_data_contract_standard.model import OpenDataContractStandard

from custview_pipeline.contracts.attributes import ATTRIBUTES
from custview_pipeline.contracts.odcs import parse_contract
from custview_pipeline.demo.world import DemoSummary

SOURCES = ("crm", "web_shop", "billing", "support")


def path_of(demo: DemoSummary, source: str) -> Path:
    return demo.directory / "contracts" / f"{source}.odcs.yaml"


@pytest.mark.parametrize("source", SOURCES)
def test_a_contract_loads_with_the_standards_own_package(demo, source):
    contract = OpenDataContractStandard.from_file(str(path_of(demo, source)))
    assert contract.id == source
    assert contract.apiVersion == "v3.2.0"
    for column in contract.schema_[0].properties:
        carried = [custom.value for custom in column.customProperties or [] if custom.property == "attribute"]
        assert set(carried) <= ATTRIBUTES.keys()
        if carried:
            assert column.description
            assert column.businessName
            assert column.classification


@pytest.mark.parametrize("source", SOURCES)
def test_a_contract_is_one_the_pipeline_can_execute(demo, source):
    contract = parse_contract(path_of(demo, source).read_text(encoding="utf-8"), file=f"{source}.odcs.yaml")
    metrics = {rule.metric for rule in contract.quality}
    assert contract.source_system == source
    assert contract.extract == "snapshot"
    assert contract.legal_basis
    assert contract.max_refused_share == 0.02
    assert contract.freshness_hours
    assert contract.trust_by_attribute
    assert {"rowCount", "nullValues", "duplicateValues"} <= metrics
    assert all(rule.is_executable for rule in contract.quality)
    assert any(column.is_critical for column in contract.columns)
    assert any(column.is_personal for column in contract.columns)


@pytest.mark.parametrize("source", SOURCES)
def test_the_file_has_exactly_the_columns_of_its_contract(demo, files, source):
    contract = OpenDataContractStandard.from_file(str(path_of(demo, source)))
    promised = [column.physicalName or column.name for column in contract.schema_[0].properties]
    assert files[source].columns == promised
    assert len(list(demo.directory.glob(contract.servers[0].path))) == 1


@pytest.mark.parametrize("source", SOURCES)
def test_values_keep_the_patterns_and_lists_of_their_contract(demo, files, source):
    contract = parse_contract(path_of(demo, source).read_text(encoding="utf-8"), file=source)
    for column in contract.columns:
        values = files[source][column.name].drop_nulls()
        if column.pattern:
            assert all(re.search(column.pattern, value) for value in values)
        if column.allowed:
            assert set(values) <= set(column.allowed)
        if column.max_length:
            assert values.str.len_chars().max() <= column.max_length


@pytest.mark.parametrize("source", SOURCES)
def test_nearly_all_birth_dates_keep_the_format_of_their_contract(demo, files, source):
    contract = parse_contract(path_of(demo, source).read_text(encoding="utf-8"), file=source)
    (born,) = contract.carrying("birth_date")
    values = files[source][born.name].drop_nulls()
    read = values.str.to_date(born.date_format, strict=False)
    assert read.is_not_null().mean() > 0.95
    assert read.is_not_null().all() == (source == "web_shop")  # a form checks what is typed into the shop


def test_few_rows_are_refused_for_a_missing_required_value(demo, files):
    refused = 0
    for source, rows in files.items():
        contract = parse_contract(path_of(demo, source).read_text(encoding="utf-8"), file=source)
        required = [column.name for column in contract.columns if column.is_required]
        without = rows.filter(pl.any_horizontal(pl.col(required).is_null())).height
        assert without < contract.max_refused_share * rows.height
        refused += without
    assert 0.001 < refused / demo.records < 0.006
