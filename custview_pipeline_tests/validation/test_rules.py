"""The rules of a contract."""

import pytest

from custview_pipeline.contracts.source_contract import SourceColumn
from custview_pipeline.contracts.standardised_record import ISSUES
from custview_pipeline.validation.rules import reasons_for, rule_of, rules_of
from custview_pipeline_tests.contracts.written_contracts import contract
from custview_pipeline_tests.validation.batches import a_contract, an_entry


def test_a_written_contract_gives_every_rule_a_name():
    assert [rule.name for rule in rules_of(contract())] == [
        "completeness__source_key__required",
        "uniqueness__source_key__unique",
        "completeness__full_name__required",
        "conformity__phone__pattern_mobile",
        "conformity__phone__length_mobile",
        "conformity__birth_date__range",
        "uniqueness__national_id__unique",
        "conformity__consent__allowed",
        "conformity__source_key__conforms",
        "conformity__full_name__conforms",
        "conformity__phone__conforms",
        "conformity__birth_date__conforms",
        "accuracy__birth_date__plausible",
        "conformity__national_id__conforms",
        "conformity__consent__conforms",
        "completeness__table__row_count",
        "conformity__notes__required",
    ]


def test_rules_say_what_they_do():
    by_name = {rule.name: rule for rule in rules_of(contract())}
    assert by_name["conformity__phone__length_mobile"].description == "mobile: from 7 to 20 characters"
    assert by_name["conformity__birth_date__range"].description == "born: at least 1900-01-01"
    assert by_name["completeness__table__row_count"].description == "table: rowCount mustBeGreaterThan 0"
    assert [rule.severity for rule in by_name.values() if rule.rule == "conforms"] == ["warning"] * 6
    assert not by_name["conformity__notes__required"].is_executable


def test_names_are_unique_and_plain_whatever_the_columns_are_called():
    columns = [SourceColumn(name, "phone", is_required=True) for name in ("电话", "手机", "Phone No.", "phone-no")]
    entries = tuple(
        an_entry("nullValues", name, name="checked") for name in ("电话", "手机", "Phone No.", "phone-no", "phone-no")
    )
    names = [rule.name for rule in rules_of(a_contract(*columns, quality=entries))]
    assert len(set(names)) == len(names)
    assert all(name.isascii() and name.replace("_", "a").isalnum() for name in names)


def test_a_limit_is_found_by_its_column():
    phones = SourceColumn("a", "phone", is_required=True), SourceColumn("b", "phone", is_required=True)
    shop = a_contract(*phones)
    assert rule_of(shop, phones[1], "required").name == "completeness__phone__required_b"
    with pytest.raises(KeyError):
        rule_of(shop, phones[1], "unique")


def test_reasons_have_the_columns_of_issues():
    shop = a_contract()
    reasons = reasons_for(rule_of(shop, shop.key_column, "unique"), [3, 5])
    assert reasons.schema == ISSUES
    assert reasons.rows() == [(row, "source_key", "unique", "uniqueness", "error") for row in (3, 5)]
    assert reasons_for(rules_of(shop)[0], []).schema == ISSUES
