"""Every value that standardisation calls valid keeps the standard of its attribute."""

import traceback

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.contracts.attributes import ATTRIBUTES
from custview_pipeline.contracts.source_contract import SourceColumn
from custview_pipeline.contracts.standardised_record import VALUES
from custview_pipeline.contracts.trust import entity_types_of
from custview_pipeline.contracts.value_standards import standardised_schemas
from custview_pipeline.kernel.errors import ContractViolation
from custview_pipeline.standardisation.standardise import standardise
from custview_pipeline.validation.screen import screen
from custview_pipeline.validation.value_check import assert_standards
from custview_pipeline_tests.validation.batches import CANARY, a_contract, raw, standardised

STANDARDS = tuple(standardised_schemas())
SCHEMES = {"lei": "lei", "industry_code": "naics"}
COLUMNS = tuple(SourceColumn(name, name, scheme=SCHEMES.get(name)) for name in (*STANDARDS, "entity_type"))
SHOP = a_contract(*COLUMNS)
WRITTEN = {
    "gender": ["F", "male", "男", "diverse", "?"],
    "birth_date": ["12.03.1985", "1985年3月12日", "3/12/85", "19850312", "1985", "2999-01-01", "0999-01-01", "1985-02-30"],
    "email": ["Ada <ADA@Example.ORG>", "a@b", "ada@müller.example", "İ@example.org", "x@example.org;y@example.org"],
    "phone": ["(202) 555-0143", "+44 20 7946 0958 ext 12", "13812345678", "+4915123456789012", "0800", "+62 812 3456 7890 1234"],
    "country": ["United States", "中国", "uk", "Atlantis", "DE", "NA"],
    "lei": ["cust00viewdemo000122", "CUST00VIEWDEMO000123"],
    "website": ["https://www.Shop.Example.org/a b/", "shop.example.org:8080", "no site", "例子.中国"],
    "industry_code": ["541511", "k64.2", "62.01", "bakery", "C"],
    "consent": ["Y", "opt-out", "perhaps"],
    "language": ["English", "zh-CN", "中文", "en_US", "Klingon"],
    "employee_count": ["1,250", "0012", "1.250", "51-200", "-3", "2.5", "12345678"],
    "loyalty_points": ["1 427,5", "980.25", "-0", "none", "555-0143"],
    "entity_type": ["person", "Company"],
}  # fmt: skip


def standardise_all(**cells: list[str | None]) -> pl.DataFrame:
    height = max(len(column) for column in cells.values())
    filled = {column.name: [*cells.get(column.name, []), *[None] * height][:height] for column in COLUMNS}
    return standardise(raw(**filled), SHOP, region="US").values


@pytest.mark.parametrize("attribute", STANDARDS)
def test_known_forms_become_values_that_keep_their_standard(attribute):
    values = standardise_all(**{attribute: [*WRITTEN[attribute], *ATTRIBUTES[attribute].examples]})
    assert_standards(values)


@pytest.mark.parametrize("attribute", STANDARDS)
def test_the_examples_of_the_dictionary_are_valid_as_they_stand(attribute):
    examples = list(ATTRIBUTES[attribute].examples)
    kinds = [str(kind) for kind in sorted(entity_types_of(attribute))[:1]] * len(examples)
    found = standardise_all(**{attribute: examples, "entity_type": kinds}).filter(pl.col("attribute") == attribute)
    assert found.select("value", "is_valid").rows() == [(example, True) for example in examples]


@settings(max_examples=10, deadline=None)
@given(st.data())
def test_whatever_is_written_a_valid_value_keeps_its_standard(data):
    pieces = [piece for words in WRITTEN.values() for piece in words]
    cell = st.one_of(st.text(max_size=30), st.sampled_from(pieces), st.text("0123456789+-./: @()年月日", max_size=22))
    cells = data.draw(st.lists(cell, min_size=20, max_size=60))  # an example costs as much with one cell
    assert_standards(standardise_all(**dict.fromkeys(STANDARDS, cells)))


def values(*rows: tuple[str, str, bool]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=["attribute", "value", "is_valid"], orient="row")
    return pl.concat([VALUES.to_frame(), frame], how="diagonal_relaxed").cast(VALUES)


def test_a_valid_value_that_breaks_its_standard_is_a_defect_told_by_attribute_rule_and_count():
    rows = [
        ("email", CANARY, True),
        ("email", f"{CANARY} again", True),
        ("gender", CANARY, True),
        ("phone", "+12025550143", True),
    ]
    batch = standardised()._replace(values=values(*rows))
    with pytest.raises(ContractViolation) as raised:
        screen(raw(id=["1"]), batch, a_contract())
    assert str(raised.value).endswith(": email format (2), gender length (1), gender allowed (1)")
    assert CANARY not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize("rows", [[], [("email", "none", False)], [("name", "anything", True), ("occupation", "", True)]])
def test_invalid_values_and_free_text_are_left_alone(rows):
    assert_standards(values(*rows))
