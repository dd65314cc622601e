"""Tests of ``custview_pipeline.protection.masking``: no mask shows a word whole, or a number."""

import re

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.contracts.attributes import ATTRIBUTES
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.protection.masking import mask


@pytest.mark.parametrize(
    ("attribute", "value", "shown"),
    [
        ("name", "Ada Winterbourne", "A*** W***"),
        ("name", "Bo Li", "*** ***"),
        ("name", "J. O'B Ünal-Özdemir", "*** *** Ü***"),
        ("name", "王 芳", "*** ***"),
        ("name", "王芳", "***"),
        ("name", "欧阳 修", "*** ***"),
        ("name", "王小明", "王***"),
        ("name", "(Al)", "***"),
        ("name", "e\u0301l a\u0308\u0301\u0301", "*** ***"),  # marks are no characters of their own
        ("name", "", "***"),
        ("native_name", "司马相如", "司***"),
        ("native_name", "김 민준", "*** ***"),
        ("legal_name", "Example Trading", "E*** T***"),
        ("legal_name", "上海样例贸易有限公司", "上***"),
        ("address", "5 Elm St, Springfield, IL 62701", "*** E*** *** S*** *** ***"),
        ("address", "12a 1266号 Flat 3B 62701-1234", "*** *** F*** *** ***"),
        ("address", "上海市静安区南京西路1266号", "上***"),
        ("address", "٥٥٥ ５５５ ½½½", "*** *** ***"),
        ("email", "ada@example.org", "a***@e***.org"),
        ("email", "john.doe@example.org", "j***@e***.org"),
        ("email", "a@b.co", "***@***.co"),
        ("email", "al@ex.co.uk", "***@e***.uk"),
        ("email", "1980ada@123.com", "***@***.com"),
        ("email", "ada@winterbourne", "a***@***"),
        ("email", "ada@mail.winterbourne", "a***@m***.***"),
        ("email", "ada@mail. Ada", "a***@m***.***"),
        ("email", "ada winterbourne", "***"),
        ("phone", "+12025551234", "+1 *** *** 1234"),
        ("phone", "+8613800138000", "+86 *** *** 8000"),
        ("phone", "+442079460958", "+44 *** *** 0958"),
        ("phone", "+493012345678", "+49 *** 5678"),
        ("phone", "+33123456789", "+33 *** *** *** *** 6789"),
        ("phone", "+6561234567", "+65 *** ***"),  # eight digits: four of them would be half of it
        ("phone", "+80012345678", "+800 *** ***"),
        ("phone", "+2901234", "+290 ***"),
        ("phone", "+999123456789", "*** 6789"),  # no such country
        ("phone", "(202) 555-0143", "*** 0143"),  # as a source writes it
        ("phone", "5550143", "***"),
        ("phone", "19610417", "***"),
        ("phone", "٠١٢٣٤٥٦٧٨٩", "***"),
        ("birth_date", "1985-03-12", "1985-**-**"),
        ("birth_date", "1985-Ada Winterbourne", "***"),
        ("birth_date", "spring of 61", "***"),
        ("national_id", "078-05-1120", "***20"),
        ("national_id", "11010519491231002X", "***2X"),
        ("national_id", "P4829175", "***75"),
        ("national_id", "passport of Bo", "***"),
        ("national_id", "widow of 23", "***"),
        ("tax_id", "123456", "***"),
        ("tax_id", "98-7650001", "***01"),
        ("gender", "f", "***"),
        ("consent", "granted", "***"),
        ("country", "US", "***"),
        ("language", "yue", "***"),
        ("industry_code", "C26.1", "***"),
        ("lei", "5493001KJTIIGC8Y1R12", "***"),
        ("website", "shop.example.org", "s***"),
        ("occupation", "IT clerk", "*** c***"),
    ],
)
def test_a_mask_shows_where_a_value_begins_or_ends_and_no_more(attribute, value, shown):
    assert mask(attribute, value) == shown


ANY = st.sampled_from(sorted({*GOLDEN_ATTRIBUTES, *ATTRIBUTES}))


@given(ANY, st.text(st.characters(categories=["L", "M"]), min_size=1, max_size=2))
def test_no_mask_shows_a_word_of_two_characters(attribute, word):
    assert set(mask(attribute, f"{word} {word}")) <= set("* ")


@given(st.text(max_size=30))
def test_no_mask_of_words_shows_a_digit(value):
    assert not any(character.isdigit() for character in mask("address", value))


@given(ANY, st.text(max_size=40) | st.emails() | st.from_regex(r"\+[1-9][0-9]{5,18}", fullmatch=True))
def test_a_mask_never_contains_the_value_and_shows_a_bounded_part_of_it(attribute, value):
    shown = mask(attribute, value)
    if any(map(str.isalnum, value)):
        assert value not in shown
    told = [character for character in re.sub(r"\.[A-Za-z]{2,4}$", "", shown) if character.isalnum()]
    country_code_and_last_four, year = 7, 4
    assert len(told) <= max(len(value) / 3, country_code_and_last_four, year)


@given(st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)), st.integers(0, 10**15))
def test_a_masked_number_hides_five_digits_at_least(region, number):
    code = phonenumbers.country_code_for_region(region)
    shown = mask("phone", f"+{code}{number}")
    assert shown.startswith(f"+{code} ") or number < 10**5
    kept = re.sub(r"[^0-9]", "", shown.removeprefix(f"+{code} "))
    assert kept in {"", str(number)[-4:]}
    assert not kept or len(str(number)) - len(kept) >= 5
