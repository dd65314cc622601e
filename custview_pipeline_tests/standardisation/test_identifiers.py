"""Identifiers by scheme; the numbers are made up or published examples."""

import pytest

from custview_pipeline.standardisation.identifiers import CHECKED_SCHEMES, read_identifier

VALID = [
    ("us.ssn", "536-90-4399", "536-90-4399", "536904399"),
    ("us.ssn", "536904399", "536-90-4399", "536904399"),
    ("us.ein", "91-1144442", "91-1144442", "911144442"),
    ("cn.ric", "11010519491231002x", "11010519491231002X", "11010519491231002X"),
    ("cn.uscc", "9111 0000 6000 3734 1L", "91110000600037341L", "91110000600037341L"),
    ("lei", "213800KUD8LAJWSQ9D15", "213800KUD8LAJWSQ9D15", "213800KUD8LAJWSQ9D15"),
    ("gb.nino", "ab 12 34 56 c", "AB123456C", "AB123456C"),
    ("au.abn", "83 914 571 673", "83 914 571 673", "83914571673"),
    ("de.vat", "DE136695976", "136695976", "136695976"),
    ("passport", "ab 12345", "AB12345", "AB12345"),
    ("drivers_license", "S-123.456", "S123456", "S123456"),
    ("soc_sec_id", "7755123", "7755123", "7755123"),
]


@pytest.mark.parametrize(("scheme", "text", "shown", "number"), VALID)
def test_an_identifier_is_shown_in_its_form_and_compared_bare(scheme, text, shown, number):
    (reading,) = read_identifier(text, scheme)
    assert (reading.value, reading.comparable, reading.feature, reading.rule) == (
        shown,
        f"{scheme}:{number}",
        f"{scheme}\x1f{number}",
        None,
    )
    assert reading.parts == f'{{"number": "{number}", "scheme": "{scheme}"}}'


@pytest.mark.parametrize(
    ("scheme", "text"),
    [
        ("us.ssn", "666-12-3456"),
        ("us.ssn", "53690439"),
        ("us.ein", "07-1144442"),
        ("cn.ric", "110105194912310021"),
        ("cn.ric", "999999194912310021"),
        ("cn.uscc", "91110000600037341A"),
        ("lei", "213800KUD8LAJWSQ9D16"),
        ("gb.nino", "QQ123456C"),
        ("au.abn", "99 999 999 991"),
    ],
)
def test_what_the_scheme_refuses_is_kept_and_is_no_evidence(scheme, text):
    (reading,) = read_identifier(text, scheme)
    assert (reading.value, reading.feature, reading.rule) == (text, None, "not_an_identifier")


@pytest.mark.parametrize("text", ["000-00-0000", "111111111", "123-45-6789", "***-**-1234", "XXX-XX-1234", "999999999", "-"])
def test_a_placeholder_gives_no_value(text):
    (reading,) = read_identifier(text, "us.ssn")
    assert (reading.value, reading.rule) == (None, "placeholder")


@pytest.mark.parametrize("scheme", CHECKED_SCHEMES)
@pytest.mark.parametrize("text", ["1", "ABC", "12345678901234567890123", "A1B2C3D4E", "无效证件号", "99-99-99", "2026"])
def test_no_scheme_breaks_on_nonsense(scheme, text):
    (reading,) = read_identifier(text, scheme)
    assert reading.value is None or read_identifier(reading.value, scheme)[0].value == reading.value
