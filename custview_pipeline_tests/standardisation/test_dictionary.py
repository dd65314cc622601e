"""Values that are called valid keep the dictionary's standard: a delivery stops where one does not."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.contracts.source_contract import SourceColumn
from custview_pipeline.contracts.value_standards import standardised_schemas
from custview_pipeline_tests.standardisation.contracts import contract_of, run

SCHEMES = {"industry_code": "isic", "lei": "house list"}


def valid_values(attribute, texts):
    column = SourceColumn("cell", attribute, scheme=SCHEMES.get(attribute))
    contract = contract_of(column, SourceColumn("kind", "entity_type"))
    rows = [{"id": str(place), "cell": text, "kind": kind} for kind in ("person", "company") for place, text in enumerate(texts)]
    values = run(contract, *rows).values
    return values.filter((pl.col("attribute") == attribute) & pl.col("is_valid")).select("value")


@pytest.mark.parametrize(
    ("attribute", "text"),
    [
        ("email", '"john smith"@acme.org'),
        ("email", '"john@doe"@acme.org'),
        ("email", '"john \\" smith"@acme.org'),
        ("email", "用户@例子.广告"),
        ("phone", "+49 30 901820"),
        ("phone", "+1 212 736 5000 x7"),
        ("website", "https://münchen.de/straße"),
        ("website", "https://acme.org?x=1"),
        ("industry_code", "C"),
        ("industry_code", "C26.1"),
        ("lei", "213800KUD8LAJWSQ9D15"),
        ("language", "haw"),
    ],
)
def test_a_valid_value_keeps_the_standard_of_its_attribute(attribute, text):
    found = valid_values(attribute, [text])
    assert found.height > 0
    standardised_schemas()[attribute].validate(found)


def test_a_column_of_lei_holds_lei_whatever_the_contract_calls_its_scheme():
    assert valid_values("lei", ["AB-1234"]).is_empty()


def test_no_local_part_is_longer_than_the_standard_allows():
    assert valid_values("email", [f"{'a' * 65}@acme.org", f'"{"a b" * 22}"@acme.org']).is_empty()


@settings(max_examples=40)
@given(
    st.sampled_from(["email", "phone", "website", "industry_code", "language", "birth_date", "gender", "consent", "country"]),
    st.lists(
        st.one_of(
            st.text(max_size=12),
            st.text(alphabet='ab1"\\ @.-+/(年?#', max_size=16),
            st.text(alphabet='ab"\\ @+.-', max_size=12).map('"{}"@acme.org'.format),
            st.from_regex(r"[A-Za-z]? ?[0-9]{1,6}(\.[0-9]{1,2}){0,2}", fullmatch=True),
            st.from_regex(r"(https?://)?(www\.)?[A-Za-zü0-9.-]{3,15}[/?#]{0,3}[a-z/]{0,6}", fullmatch=True),
            st.dates().map(str),
        ),
        unique=True,
        max_size=20,
    ),
)
def test_what_is_valid_keeps_the_standard_whatever_is_written(attribute, texts):
    standardised_schemas()[attribute].validate(valid_values(attribute, texts))
