"""What Dagster is told of tables, sources and reports."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import dagster as dg
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.defs.declared_names import Declared
from custview_pipeline.defs.intake import admission_of, files_of, validation_metadata
from custview_pipeline.defs.metadata import (
    PLATFORM_TEAM,
    Rows,
    column_schema,
    counted,
    counts,
    owners_of,
    source_schema,
    table_spec,
    tag_value,
    told,
)
from custview_pipeline.defs.resources import ProjectResource
from custview_pipeline.flows.deliver import Delivery
from custview_pipeline.kernel.errors import PlaintextLeak
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline.standardisation.field_standards import DIMENSIONS as STANDARDS
from custview_pipeline.validation.rules import rules_of
from custview_pipeline_tests.contracts.written_contracts import contract


@dataclass(frozen=True)
class Report:
    """A report of a flow."""

    row_count: int = 3
    share: float = 0.5
    is_unchanged: bool = True
    name: str = "not a number"
    reasons: tuple[str, ...] = ("not one either",)


def test_of_a_report_numbers_and_flags_are_told_and_nothing_else():
    assert told(counts(Report())) == {"row_count": 3, "share": 0.5, "is_unchanged": True}


def test_what_is_no_report_is_refused():
    with pytest.raises(TypeError, match="dataclass"):
        counts("a string")


NAMES: Final = Declared.by(contract())


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, True),
        (0, 0),
        (0.5, 0.5),
        ("crosswalk", "crosswalk"),
        ("email", "email"),
        (contract().source_system, contract().source_system),
        (contract().path_pattern, contract().path_pattern),
        (("record_id", "version"), "record_id, version"),
        (source_schema(contract()), source_schema(contract())),
    ],
    ids=["flag", "count", "share", "table", "attribute", "source system", "files", "names", "columns"],
)
def test_counts_flags_and_declared_names_are_told(value, shown):
    assert told({"what": value}, NAMES) == {"what": shown}


@pytest.mark.parametrize(
    "value",
    [
        "Wilhelmina",
        "",
        "crosswalk ",
        ("record_id", "Wilhelmina"),
        Rows({"name": "string"}, [("Wilhelmina",)]),
        Rows({"rule": "string", "rows": "int"}, [("completeness__email__required", 2), ("Wilhelmina", 1)]),
        ["crosswalk"],
        {"name": "Wilhelmina"},
        b"Wilhelmina",
        date(1931, 7, 19),
        None,
        dg.MetadataValue.text("Wilhelmina"),
        dg.MetadataValue.md("Wilhelmina"),
        pl.DataFrame({"name": ["Wilhelmina"]}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_anything_else_is_refused_and_not_quoted(value):
    with pytest.raises(PlaintextLeak, match="metadata 'what'") as refused:
        told({"what": value}, NAMES)
    assert "Wilhelmina" not in str(refused.value)


@given(st.text())
def test_no_text_that_nobody_declared_is_told(text):
    assume(text not in NAMES)
    with pytest.raises(PlaintextLeak):
        told({"what": text}, NAMES)


def test_counts_by_name_are_a_table():
    name = rules_of(contract())[0].name
    table = told({"refused": counted({name: 2}, what="rule")}, NAMES)["refused"]
    assert [record.data for record in table.records] == [{"rule": name, "rows": 2}]


def test_every_rule_and_standard_that_may_refuse_a_row_is_a_declared_name():
    rules = [rule.name for rule in rules_of(contract())]
    standards = [f"{dimension}__phone__{standard}" for standard, dimension in STANDARDS.items()]
    assert all(name in NAMES for name in [*rules, *standards])


def test_a_source_whose_contract_is_gone_may_be_named_and_no_text_beside_it():
    assert "old_shop" not in NAMES
    former = NAMES.and_former(["old_shop", "Wilhelmina Quenneville", "a@b.org", ""])
    assert "old_shop" in former
    assert not any(text in former for text in ("Wilhelmina Quenneville", "a@b.org", ""))


@pytest.mark.parametrize("table", sorted(CONTRACTS))
def test_the_columns_of_a_table_are_those_of_its_contract(table):
    schema = column_schema(CONTRACTS[table])
    assert [column.name for column in schema.columns] == list(CONTRACTS[table].types)
    told = {column.name: column.tags["sensitivity"] for column in schema.columns}
    assert told == {name: level.value for name, level in CONTRACTS[table].sensitivities.items()}


def test_a_table_with_sealed_columns_is_tagged():
    assert table_spec("quarantined_records", group="validation", deps=[], kinds=set()).tags["custview/sealed"] == "true"
    assert "custview/sealed" not in table_spec("crosswalk", group="matching", deps=[], kinds=set()).tags


def test_the_columns_of_a_source_are_those_it_reads_with_attribute_scheme_and_limits():
    columns = {column.name: column for column in source_schema(contract()).columns}
    assert list(columns) == ["id", "customer", "mobile", "landline", "born", "PASSPORT", "status"]
    tags = {"attribute": "national_id", "sensitivity": "restricted", "critical": "yes", "scheme": "passport"}
    assert columns["PASSPORT"].tags == tags
    assert columns["PASSPORT"].constraints.unique
    assert not columns["customer"].constraints.nullable
    assert columns["mobile"].constraints.other == ["matches ^[0-9+() -]+$", "from 7 to 20 characters"]
    assert columns["id"].tags["sensitivity"] == "open"


@pytest.mark.parametrize(
    ("owner", "told"),
    [
        ("sales-ops@example.org", "sales-ops@example.org"),
        ("sales ops", "team:sales_ops"),
        ("ops@intranet", "team:ops_intranet"),
        ("负责人", "team:unnamed"),
        (None, PLATFORM_TEAM),
    ],
)
def test_an_owner_is_an_address_or_a_team(owner, told):
    assert owners_of(replace(contract(), owner=owner)) == [told]


@given(st.text())
def test_any_text_becomes_a_value_that_a_tag_may_have(text):
    value = tag_value(text)
    assert dg.AssetSpec("any", tags={"custview/domain": value}).tags["custview/domain"] == value
    assert tag_value(value) == value


def test_a_contract_written_by_people_still_loads():
    written = replace(contract(), owner="Sales & Marketing", domain="Sales & Marketing", purpose=None, title="Shop (EU)")
    resources = {"project": ProjectResource(directory="."), "progress": Unwatched()}
    loaded = dg.Definitions(assets=[files_of(written), admission_of(written)], resources=resources)
    tags = {spec.key.to_user_string(): spec.tags for spec in loaded.resolve_all_asset_specs()}
    assert tags["shop_delivery"]["custview/domain"] == "Sales_Marketing"


def test_scores_of_a_delivery_are_numbers_by_dimension():
    reasons = {rule.name: 2 for rule in rules_of(contract())[:1]}
    report = Delivery("shop", refused_count=2, warned_count=3, reasons=reasons)
    shown = validation_metadata(report, {"completeness": 0.9, "conformity": 1.0}, contract())
    assert {name: value for name, value in shown.items() if name != "refused"} == {
        "refused_count": 2,
        "warned_count": 3,
        "completeness": 0.9,
        "conformity": 1.0,
    }
    assert isinstance(shown["conformity"], float)
    assert [record.data["rule"] for record in shown["refused"].records] == list(reasons)
