"""The dictionary of attributes is whole, and its standards are those of the values that it shows."""

import re

import polars as pl
import pytest
from pandera.errors import SchemaErrors

from custview_pipeline.contracts.attributes import ADDRESS_PARTS, ATTRIBUTES, ENTERPRISE_NAMES, NAME_PARTS, judged_with
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.trust import entity_types_of
from custview_pipeline.contracts.value_standards import dictionary_rows, standardised_schemas

EVERY = pytest.mark.parametrize("attribute", ATTRIBUTES.values(), ids=ATTRIBUTES.keys())


@EVERY
def test_an_attribute_says_what_it_means_in_english_and_chinese(attribute):
    assert attribute.meaning.isascii()
    assert re.search("[\u4e00-\u9fff]", attribute.meaning_zh)
    assert attribute.examples
    assert attribute.format


@EVERY
def test_its_examples_keep_its_standard(attribute):
    for example in attribute.examples:
        assert len(example) <= attribute.longest
        assert attribute.pattern is None or re.fullmatch(attribute.pattern, example)
        assert not attribute.allowed or example in attribute.allowed


@EVERY
def test_what_is_not_open_is_personal(attribute):
    assert attribute.is_personal is (attribute.sensitivity in {"personal", "restricted"})
    golden = GOLDEN_ATTRIBUTES.get(attribute.name)
    assert golden is None or golden.is_open is not attribute.is_personal


def test_only_the_key_is_required_by_the_standard():
    assert [name for name, attribute in ATTRIBUTES.items() if attribute.is_required] == ["source_key"]


def test_every_golden_attribute_that_is_no_group_is_in_the_dictionary():
    assert {name for name, golden in GOLDEN_ATTRIBUTES.items() if not golden.is_group} <= set(ATTRIBUTES)


def test_the_rows_of_the_dictionary_are_texts_with_the_same_keys():
    rows = dictionary_rows()
    assert [row["name"] for row in rows] == list(ATTRIBUTES)
    assert {tuple(row) for row in rows} == {tuple(rows[0])}
    assert all(isinstance(cell, str) and "|" not in cell for row in rows for cell in row.values())
    by_name = {row["name"]: row for row in rows}
    assert by_name["birth_date"]["range"].endswith("to the day of the delivery")
    assert by_name["gender"]["allowed"] == "m, f, x"
    assert (by_name["source_key"]["required"], by_name["email"]["required"]) == ("yes", "")


@pytest.mark.parametrize(
    ("attribute", "together"),
    [
        ("city", set(ADDRESS_PARTS)),
        ("trading_name", {*NAME_PARTS, *ENTERPRISE_NAMES}),
        ("phone", {"phone"}),
        ("source_key", {"source_key"}),
    ],
)
def test_parts_of_one_value_are_judged_together(attribute, together):
    assert judged_with(attribute) == together


@pytest.mark.parametrize(
    ("attribute", "kinds"),
    [
        ("given_name", {"person"}),
        ("full_name", {"person", "enterprise"}),
        ("legal_name", {"enterprise"}),
        ("city", {"person", "enterprise"}),
        ("updated_at", {"person", "enterprise"}),
    ],
)
def test_who_can_have_an_attribute(attribute, kinds):
    assert entity_types_of(attribute) == kinds


STANDARDS = [
    ("phone", "+12025550143", None),
    ("phone", "+861381234567890123", None),
    ("phone", "2025550143", "format"),
    ("phone", "+02025550143", "format"),
    ("phone", "+1202555", None),
    ("phone", "+12025550143202555012", "format"),
    ("email", "ada@example.org", None),
    ("email", "用户@例子.中国", None),
    ("email", "ada@example", "format"),
    ("email", "a b@example.org", "format"),
    ("email", f"ada@{'x' * 300}.org", "length"),
    ("birth_date", "1985-03-12", None),
    ("birth_date", "1985-13-12", "format"),
    ("birth_date", "85-03-12", "format"),
    ("birth_date", "0999-12-31", "range"),
    ("country", "CN", None),
    ("country", "cn", "format"),
    ("country", "CHN", "format"),
    ("gender", "x", None),
    ("gender", "female", "allowed"),
    ("consent", "granted", None),
    ("consent", "yes", "allowed"),
    ("lei", "CUST00VIEWDEMO000122", None),
    ("lei", "CUST00VIEWDEMO0001", "format"),
    ("language", "zh", None),
    ("language", "Chinese", "format"),
    ("website", "shop.example.org/a b", None),
    ("website", "https://shop.example.org", "format"),
    ("industry_code", "541511", None),
    ("industry_code", "Ada Example", "format"),
]


@pytest.mark.parametrize(("attribute", "value", "broken"), STANDARDS)
def test_a_value_keeps_or_breaks_the_standard_of_its_attribute(attribute, value, broken):
    frame = pl.DataFrame({"value": [value]})
    try:
        standardised_schemas()[attribute].validate(frame, lazy=True)
    except SchemaErrors as found:
        rules = {error.check.name for error in found.schema_errors}
    else:
        rules = set()
    assert rules >= {broken} if broken else not rules


def test_no_standard_is_made_up_for_what_may_be_any_text():
    free = {"name", "legal_name", "trading_name", "address", "occupation", "employer", "birth_place", "national_id", "tax_id"}
    assert free.isdisjoint(standardised_schemas())
    assert set(standardised_schemas()) | free == set(GOLDEN_ATTRIBUTES)


def test_a_standard_names_its_attribute():
    assert all(schema.name == name for name, schema in standardised_schemas().items())
