"""Words of the source: text as it stands, websites."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.standardisation.texts import read_employer, read_text, read_website


@pytest.mark.parametrize(
    ("text", "value", "rule"),
    [
        ("https://www.Acme.org/", "acme.org", None),
        ("Acme.org/Shop", "acme.org/Shop", None),
        ("http://acme.co.uk:8080", "acme.co.uk:8080", None),
        ("https://acme.org?x=1", "acme.org/?x=1", None),
        ("//acme.org#Top", "acme.org/#Top", None),
        ("http:\\\\www.acme.org", "acme.org", None),
        ("www.münchen.de:80/Straße", "xn--mnchen-3ya.de:80/Straße", None),
        ("例子.公司", "xn--fsqu00a.xn--55qx5d", None),
        ("ü..de", "ü..de", "not_a_website"),
        ("http://", "http://", "not_a_website"),
        ("see brochure", "see brochure", "not_a_website"),
    ],
)
def test_a_website_is_its_host(text, value, rule):
    (reading,) = read_website(text)
    assert (reading.value, reading.rule) == (value, rule)
    assert read_website(value)[0].value == value


def test_words_of_the_source_are_compared_without_case_and_accents():
    assert read_text("Café-Owner")[0][:3] == ("Café-Owner", "cafe owner", "cafe owner")
    assert read_text("医生")[0].comparable == "医生"


def test_an_employer_is_shown_as_given_and_matched_without_its_legal_form():
    assert read_employer("Café Acme, Inc.")[0][:3] == ("Café Acme, Inc.", "cafe acme inc", "cafeacme")
    assert read_employer("Self-Employed")[0][:3] == ("Self-Employed", "self employed", None)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("IT工程师", "IT经理"),
        ("北京市朝阳区建国路88号", "上海市浦东新区世纪大道88号"),
        ("ул. Ленина 88", "ул. Мира 88"),
        ("कि", "का"),
    ],
)
def test_words_in_another_script_are_never_left_out_of_the_comparison(one, other):
    assert read_text(one)[0].comparable != read_text(other)[0].comparable
    assert read_text(f" {one}.")[0].comparable == read_text(one)[0].comparable


@settings(max_examples=300)
@given(
    st.one_of(st.text(max_size=20), st.from_regex(r"(https?://)?(www\.)?[A-Za-z0-9.-]{3,15}/{0,3}[a-z/]{0,6}", fullmatch=True))
)
def test_reading_a_website_again_changes_nothing(text):
    (first,) = read_website(text)
    assert read_website(first.value) == (first,)
