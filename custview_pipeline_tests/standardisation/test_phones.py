"""Telephone numbers of four numbering plans."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.standardisation.phones import read_phones

VALID = [
    ("(212) 555-0123", "US", "+12125550123"),
    ("1-212-736-5000", "US", "+12127365000"),
    ("212.736.5000", "US", "+12127365000"),
    ("+1 212 736 5000", "CN", "+12127365000"),
    ("2127365000x5", "US", "+12127365000"),
    ("212-736-5000 ext. 12", "US", "+12127365000"),
    ("home: 212-736-5000", "US", "+12127365000"),
    ("020 7946 0958", "GB", "+442079460958"),
    ("+44 20 7946 0958", "US", "+442079460958"),
    ("01632 960001", "GB", None),
    ("0412 345 678", "AU", "+61412345678"),
    ("(02) 9374 4000", "AU", "+61293744000"),
    ("13812345678", "CN", "+8613812345678"),
    ("+86 138 1234 5678", "US", "+8613812345678"),
    ("138-1234-5678 转 12", "CN", "+8613812345678"),
    ("010-65551234", "CN", "+861065551234"),
    ("0086 10 6555 1234", "CN", "+861065551234"),
    ("030 901820", "DE", "+4930901820"),
]


@pytest.mark.parametrize(("text", "country", "expected"), VALID)
def test_a_number_is_written_in_e164(text, country, expected):
    (reading,) = read_phones(text, country)
    assert (reading.value if reading.rule is None else None) == expected


@pytest.mark.parametrize(
    "text", ["555-5555", "555-555-5555", "1234567890", "000-000-0000", "999-999-9999", "0123456789", "111 1111", "0000000"]
)
def test_a_placeholder_gives_no_value(text):
    (reading,) = read_phones(text, "US")
    assert (reading.value, reading.feature, reading.rule) == (None, None, "placeholder")


@pytest.mark.parametrize(
    ("text", "country", "digits"),
    [
        ("907-4740", "US", "9074740"),
        ("9074740", "US", "9074740"),
        ("099 555 1234", "US", "995551234"),
        ("07700 900123", "GB", "7700900123"),
    ],
)
def test_a_number_that_is_not_valid_is_kept_and_still_compared_by_its_digits(text, country, digits):
    (reading,) = read_phones(text, country)
    assert (reading.value, reading.comparable, reading.feature, reading.rule) == (text, digits, digits, "not_a_phone_number")


@pytest.mark.parametrize("text", ["call me", "12", "0.5", "x", "+"])
def test_what_is_no_number_is_kept_and_is_no_evidence(text):
    (reading,) = read_phones(text, "US")
    assert (reading.value, reading.feature, reading.rule) == (text, None, "not_a_phone_number")


@pytest.mark.parametrize("separator", ["; ", " / ", ", ", "\n", " or ", "|"])
def test_several_numbers_of_a_cell_are_told_apart(separator):
    readings = read_phones(f"212-736-5000{separator}646-736-5001", "US")
    assert [reading.value for reading in readings] == ["+12127365000", "+16467365001"]


def test_a_number_meets_itself_however_it_is_written():
    spellings = [("(212) 736-5000", "US"), ("+12127365000", "GB"), ("1.212.736.5000", "US"), ("212 736 5000 x9", "US")]
    assert {read_phones(*spelling)[0].feature for spelling in spellings} == {"2127365000"}


@given(
    st.from_regex(r"(\+1|1|\+86|86)?[ .-]?\(?[0-9]{3}\)?[ ./-]?[0-9]{3,4}[ .-]?[0-9]{4}", fullmatch=True),
    st.sampled_from(["US", "CN", "CA", "GB"]),
)
def test_short_cuts_give_the_answer_of_the_library(text, country):
    reading = read_phones(text, country)[0]
    if reading.rule == "placeholder":
        return
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        assert reading.rule == "not_a_phone_number"
        return
    assert (reading.rule is None) == phonenumbers.is_valid_number(number)
    if reading.rule is None:
        assert reading.value == phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@given(st.text(alphabet="0123456789+-() .x/", max_size=24), st.sampled_from(["US", "GB", "CN", "AU"]))
def test_reading_a_value_again_changes_nothing(text, country):
    for reading in read_phones(text, country):
        if reading.value:
            assert read_phones(reading.value, country)[0].value == reading.value
