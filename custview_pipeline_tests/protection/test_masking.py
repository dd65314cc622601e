"""Tests of ``custview_pipeline.protection.masking``: no mask shows a word whole, or a number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        ("address", "5 Elm St, Springfield, IL 62701", "*** E*** *** S*** *** ***"),
        ("address", "12a 1266号 Flat 3B 62701-1234", "*** *** F*** *** ***"),
        ("address", "上海市静安区南京西路1266号", "上***"),
        ("address", "٥٥٥ ５５５ ½½½", "*** *** ***"),
        ("email", "ada@example.org", "a***@e***.org"),
        ("email", "a@b.co", "***@***.co"),
        ("email", "al@ex.co.uk", "***@e***.uk"),
        ("email", "1980ada@123.com", "***@***.com"),
        ("email", "ada@winterbourne", "a***@***"),
        ("email", "ada@mail.winterbourne", "a***@m***.***"),
        ("email", "ada@mail. Ada", "a***@m***.***"),
        ("email", "ada winterbourne", "***"),
        ("phone", "+12025550143", "*** 0143"),
        ("phone", "5550143", "***"),
        ("birth_date", "1961-04-17", "1961-**-**"),
        ("birth_date", "spring of 61", "***"),
        ("national_id", "078-05-1120", "***20"),
        ("tax_id", "123456", "***"),
        ("gender", "f", "***"),
        ("consent", "granted", "***"),
        ("country", "US", "***"),
        ("industry_code", "C26.1", "***"),
        ("lei", "5493001KJTIIGC8Y1R12", "***"),
        ("occupation", "IT clerk", "*** c***"),
    ],
)
def test_a_mask_shows_where_a_word_of_three_characters_begins_and_no_more(attribute, value, shown):
    assert mask(attribute, value) == shown


@given(st.sampled_from(sorted(GOLDEN_ATTRIBUTES)), st.text(st.characters(categories=["L", "M"]), min_size=1, max_size=2))
def test_no_mask_shows_a_word_of_two_characters(attribute, word):
    assert set(mask(attribute, f"{word} {word}")) <= set("* ")


@given(st.text(max_size=30))
def test_no_mask_of_words_shows_a_digit(value):
    assert not any(character.isdigit() for character in mask("address", value))
