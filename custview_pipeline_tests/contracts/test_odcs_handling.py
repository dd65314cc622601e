"""What a contract demands beyond its rules: targets, the channel, what becomes of invalid values."""

import pytest

from custview_pipeline.contracts.odcs import parse_contract
from custview_pipeline.contracts.odcs_handling import SCORED_DIMENSIONS
from custview_pipeline.contracts.rulebook import QualityTargets
from custview_pipeline.contracts.targets import target_of
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline_tests.contracts.written_contracts import FILE, changed, contract, line_of

MOBILE = "logicalTypeOptions: {minLength: 7, maxLength: 20, pattern: '^[0-9+() -]+$'}\n        customProperties: ["
LANDLINE = "name: landline\n        customProperties: ["
CUSTOMER = "businessName: Customer\n        customProperties: ["
PASSPORT = "          - {property: attribute, value: national_id}\n"
LAST = "  - {property: extract, value: changes}\n"
SCHEMA = "    quality:\n      - {type"
DEFAULTS = QualityTargets().model_dump()


def with_property(column: str, *properties: str) -> tuple[str, str]:
    return column, column + "".join(f"{{property: {each}}}, " for each in properties)


def refused(*replacements: tuple[str, str]) -> set[str]:
    return {column.name for column in contract(*replacements).columns if column.refuses_invalid}


def test_every_scored_dimension_has_a_target():
    assert set(SCORED_DIMENSIONS) == set(QualityTargets.model_fields)


def test_a_contract_without_the_keys_warns_and_takes_the_targets_of_the_rulebook():
    shop = contract()
    assert (shop.channel, shop.quality_targets, shop.attribute_targets, shop.record_age_hours) == (None, {}, {}, None)
    assert refused() == set()
    assert target_of(shop, "phone", "conformity", DEFAULTS) == DEFAULTS["conformity"]


def test_what_is_read_as_one_refuses_as_one():
    assert refused(with_property(MOBILE, "on_invalid, value: refuse")) == {"mobile", "landline"}
    assert refused(with_property(MOBILE, "on_invalid, value: warn")) == set()
    assert refused(with_property(CUSTOMER, "on_invalid, value: refuse")) == {"customer"}


def test_targets_go_from_the_attribute_to_the_schema_to_the_rulebook():
    shop = contract(
        with_property(MOBILE, "quality_targets, value: {completeness: 0.99}"),
        (SCHEMA, "    customProperties: [{property: quality_targets, value: {completeness: 0.5, accuracy: 1}}]\n" + SCHEMA),
    )
    assert target_of(shop, "phone", "completeness", DEFAULTS) == 0.99
    assert target_of(shop, "full_name", "completeness", DEFAULTS) == 0.5
    assert target_of(shop, "birth_date", "accuracy", DEFAULTS) == 1.0
    assert target_of(shop, "phone", "uniqueness", DEFAULTS) == DEFAULTS["uniqueness"]


def test_what_most_customers_lack_has_a_target_of_completeness_only_where_one_is_stated():
    assert target_of(contract(), "name_suffix", "completeness", DEFAULTS) == 0.0
    assert target_of(contract(), "name_suffix", "conformity", DEFAULTS) == DEFAULTS["conformity"]
    suffix = contract(
        ("value: full_name", "value: name_suffix"), with_property(CUSTOMER, "quality_targets, value: {completeness: 0.1}")
    )
    assert target_of(suffix, "name_suffix", "completeness", DEFAULTS) == 0.1


def test_a_golden_attribute_aims_as_high_as_what_feeds_it():
    shop = contract(with_property(CUSTOMER, "quality_targets, value: {conformity: 0.999}"))
    assert target_of(shop, "name", "conformity", DEFAULTS) == 0.999
    assert target_of(shop, "legal_name", "conformity", DEFAULTS) == 0.999
    assert target_of(shop, "email", "conformity", DEFAULTS) == DEFAULTS["conformity"]


@pytest.mark.parametrize(("written", "hours"), [("90, unit: d", 2160), ("2, unit: years", 17520), ("1, unit: w", 168)])
def test_freshness_limits_the_age_of_records(written, hours):
    line = "  - {property: frequency, value: 2, unit: d}\n"
    assert contract((line, f"{line}  - {{property: freshness, value: {written}}}\n")).record_age_hours == hours


@pytest.mark.parametrize(("written", "refuses"), [("refuse", True), ("report", False), (None, True)])
def test_a_contract_says_what_becomes_of_erased_records_that_are_delivered_again(written, refuses):
    said = "" if written is None else f"  - {{property: on_erased, value: {written}}}\n"
    assert contract((LAST, LAST + said)).refuses_erased is refuses


def test_an_unknown_word_for_erased_records_is_told_with_its_line():
    written = changed((LAST, f"{LAST}  - {{property: on_erased, value: refused}}\n"))
    with pytest.raises(ProjectInvalid) as refused_:
        parse_contract(written, file=FILE)
    assert str(refused_.value) == (
        f"{FILE}:{line_of('{property: on_erased', written)}: 'on_erased' should be refuse or report; did you mean 'refuse'?"
    )


@pytest.mark.parametrize(("written", "promises"), [("true", True), ("false", False), (None, False)])
def test_a_source_may_promise_that_no_two_of_its_records_are_one_customer(written, promises):
    said = "" if written is None else f"  - {{property: uniqueCustomers, value: {written}}}\n"
    assert contract((LAST, LAST + said)).has_unique_customers is promises


def test_a_source_says_its_channel():
    assert contract((LAST, f"{LAST}  - {{property: channel, value: call_centre}}\n")).channel == "call_centre"


@pytest.mark.parametrize(
    ("stated", "is_critical"),
    [("", True), ("criticalDataElement: false\n        ", False), ("criticalDataElement: true\n        ", True)],
)
def test_the_dictionary_says_what_is_critical_unless_the_contract_does(stated, is_critical):
    shop = contract(("      - name: born\n        ", f"      - name: born\n        {stated}"))
    assert {column.name: column.is_critical for column in shop.columns}["born"] is is_critical


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        (
            *with_property(MOBILE, "on_invalid, value: reject"),
            "customProperties: [{property: on_invalid",
            "'on_invalid' should be refuse or warn",
        ),
        (
            *with_property(MOBILE, "onInvalid, value: refuse"),
            "customProperties: [{property: onInvalid",
            "unknown custom property 'onInvalid'; did you mean 'on_invalid'?",
        ),
        (
            *with_property(MOBILE, "quality_targets, value: 0.9"),
            "customProperties: [{property: quality_targets",
            "'quality_targets' should be dimensions with numbers",
        ),
        (
            *with_property(MOBILE, "quality_targets, value: {completness: 0.9}"),
            "customProperties: [{property: quality_targets",
            "no score of 'completness'; did you mean 'completeness'?",
        ),
        (
            *with_property(MOBILE, "quality_targets, value: {coverage: 0.9}"),
            "customProperties: [{property: quality_targets",
            "no score of 'coverage'; known are completeness",
        ),
        (
            *with_property(MOBILE, "quality_targets, value: {completeness: 98}"),
            "customProperties: [{property: quality_targets",
            "the target of completeness should be a number from 0 to 1",
        ),
        (
            *with_property(MOBILE, "quality_targets, value: {accuracy: 0.9}"),
            "customProperties: [{property: quality_targets",
            "accuracy of phone is not measured",
        ),
        (
            *with_property(MOBILE, "quality_targets, value: {timeliness: 0.9}"),
            "customProperties: [{property: quality_targets",
            "timeliness of phone is not measured",
        ),
        (
            *with_property(CUSTOMER, "quality_targets, value: {consistency: 0.9}"),
            "customProperties: [{property: quality_targets",
            "consistency of full_name is not measured",
        ),
        (
            LAST,
            f"{LAST}  - {{property: channel, value: Call Centre}}\n",
            "  - {property: channel",
            "channel should be small letters",
        ),
        (
            "  - {property: frequency, value: 2, unit: d}\n",
            "  - {property: freshness, value: soon}\n",
            "  - {property: freshness",
            "freshness should be a number above 0",
        ),
        (
            LAST,
            f"{LAST}  - {{property: uniqueCustomers, value: maybe}}\n",
            "  - {property: uniqueCustomers",
            "'uniqueCustomers' should be true or false",
        ),
        (
            LAST,
            f"{LAST}  - {{property: unique_customers, value: true}}\n",
            "  - {property: unique_customers",
            "unknown custom property 'unique_customers'; did you mean 'uniqueCustomers'?",
        ),
        ("value: national_id", "value: lei", "          - {property: scheme", "lei has no other scheme"),
    ],
)
def test_what_makes_no_sense_names_file_and_line(old, new, place, message):
    text = changed((old, new))
    with pytest.raises(ProjectInvalid) as raised:
        parse_contract(text, file=FILE)
    assert message in str(raised.value)
    assert str(raised.value).startswith(f"{FILE}:{line_of(place, text)}: ")


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("on_invalid, value: refuse", "on_invalid, value: warn", "'on_invalid' differs between columns that are judged as one"),
        (
            "quality_targets, value: {conformity: 0.9}",
            "quality_targets, value: {conformity: 0.8}",
            "two columns of phone aim at different conformity",
        ),
    ],
)
def test_columns_of_one_attribute_do_not_contradict_each_other(first, second, message):
    text = changed(with_property(MOBILE, first), with_property(LANDLINE, second))
    with pytest.raises(ProjectInvalid) as raised:
        parse_contract(text, file=FILE)
    assert str(raised.value) == f"{FILE}:{line_of('customProperties: [{property: ' + second, text)}: {message}"
