"""E-mail addresses."""

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.standardisation.emails import read_emails

CASES = [
    ("John.Smith@Acme.ORG", "john.smith@acme.org", "john.smith@acme.org"),
    ("John.Smith+news@GMail.com", "john.smith+news@gmail.com", "johnsmith@gmail.com"),
    ("j.smith@googlemail.com", "j.smith@googlemail.com", "jsmith@gmail.com"),
    ("mary+tag@acme.org", "mary+tag@acme.org", "mary@acme.org"),
    ("John Smith <john@acme.org>", "john@acme.org", "john@acme.org"),
    ("mailto:bob@acme.org", "bob@acme.org", "bob@acme.org"),
    ("bob@acme.org,", "bob@acme.org", "bob@acme.org"),
    ("x@münchen.de", "x@münchen.de", "x@münchen.de"),
    ("用户@例子.广告", "用户@例子.广告", "用户@例子.广告"),
    ("o'neil@acme.co.uk", "o'neil@acme.co.uk", "o'neil@acme.co.uk"),
    ("zhang.wei@163.com", "zhang.wei@163.com", "zhang.wei@163.com"),
    ("a_b-c@sub.acme.com.au", "a_b-c@sub.acme.com.au", "a_b-c@sub.acme.com.au"),
]


@pytest.mark.parametrize(("text", "value", "comparable"), CASES)
def test_an_address_is_written_in_its_normal_form(text, value, comparable):
    (reading,) = read_emails(text)
    assert (reading.value, reading.comparable, reading.feature, reading.rule) == (value, comparable, comparable, None)


@pytest.mark.parametrize(
    "text", ["noemail@acme.org", "none@none.com", "test@test.com", "test@test", "NA@na.com", "null@acme.org", "a@a.com"]
)
def test_a_placeholder_gives_no_value(text):
    assert read_emails(text)[0][:4] == (None, None, None, "placeholder")


@pytest.mark.parametrize(
    ("text", "feature"),
    [
        ("john@", None),
        ("john", None),
        ("a b@c", None),
        ("jane@acme", "jane@acme"),
        ("jane..doe@acme.org", "jane..doe@acme.org"),
        ("@acme.org", None),
    ],
)
def test_what_is_not_valid_is_kept_as_given(text, feature):
    (reading,) = read_emails(text)
    assert (reading.value, reading.rule) == (text, "not_an_email_address")
    assert feature is None or reading.feature == feature


def test_two_addresses_of_a_cell_are_told_apart():
    assert [reading.value for reading in read_emails("a1@acme.org; b2@acme.org")] == ["a1@acme.org", "b2@acme.org"]


@given(st.from_regex(r"[a-z0-9._+-]{1,20}@[a-z0-9-]{1,12}\.[a-z]{2,6}", fullmatch=True))
def test_the_short_way_gives_the_answer_of_the_library(text):
    (reading,) = read_emails(text)
    if reading.rule == "placeholder":
        return
    try:
        expected = validate_email(text, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        expected = None
    assert (reading.value if reading.rule is None else None) == expected


@given(st.text(max_size=20).map(lambda local: f"{local}@acme.org"))
def test_reading_a_value_again_changes_nothing(text):
    for reading in read_emails(text.strip()):
        if reading.value:
            assert read_emails(reading.value)[0].value == reading.value
