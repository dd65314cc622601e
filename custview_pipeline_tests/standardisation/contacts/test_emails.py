"""E-mail addresses, with the answers of email-validator."""

import polars as pl
import pytest
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.standardisation.contacts.emails import read_emails, read_plain_emails
from custview_pipeline.standardisation.reading import READING

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
    ("x@xn--mnchen-3ya.de", "x@münchen.de", "x@münchen.de"),
    ("jürgen@acme.org", "jürgen@acme.org", "jürgen@acme.org"),
    ('"john smith"@acme.org', '"john smith"@acme.org', '"john smith"@acme.org'),
    ('"john+news smith"@acme.org', '"john+news smith"@acme.org', '"john+news smith"@acme.org'),
    ('"john"@acme.org', "john@acme.org", "john@acme.org"),
    ("mailto:bob@acme.org?subject=Hello%20there", "bob@acme.org", "bob@acme.org"),
    ("<MAILTO:bob@acme.org>", "bob@acme.org", "bob@acme.org"),
    ('"Smith, John" <john@acme.org>;', "john@acme.org", "john@acme.org"),
    ("news@jane.fastmail.com", "news@jane.fastmail.com", "jane@fastmail.com"),
    ("jane+news@fastmail.com", "jane+news@fastmail.com", "jane@fastmail.com"),
    ("jane@pm.me", "jane@pm.me", "jane@proton.me"),
    ("jane+a@protonmail.com", "jane+a@protonmail.com", "jane@proton.me"),
    ("jane@ya.ru", "jane@ya.ru", "jane@yandex.com"),
    ("jane+a@outlook.com", "jane+a@outlook.com", "jane@outlook.com"),
    ("mary-jane@yahoo.com", "mary-jane@yahoo.com", "mary-jane@yahoo.com"),
    ("mary.jane@outlook.com", "mary.jane@outlook.com", "mary.jane@outlook.com"),
    ("+tag@acme.org", "+tag@acme.org", "+tag@acme.org"),
    ("john@acme.org (John Smith)", "john@acme.org", "john@acme.org"),
    ("(work) john@acme.org", "john@acme.org", "john@acme.org"),
    ("E-mail: john@acme.org", "john@acme.org", "john@acme.org"),
    ("'john@acme.org'", "john@acme.org", "john@acme.org"),
    ('"john@acme.org"', "john@acme.org", "john@acme.org"),
    ("[john@acme.org]", "john@acme.org", "john@acme.org"),
    (f"{'a' * 64}@acme.org", f"{'a' * 64}@acme.org", f"{'a' * 64}@acme.org"),
]


@pytest.mark.parametrize(("text", "value", "comparable"), CASES)
def test_an_address_is_written_in_its_normal_form(text, value, comparable):
    (reading,) = read_emails(text)
    assert (reading.value, reading.comparable, reading.feature, reading.rule) == (value, comparable, comparable, None)


@pytest.mark.parametrize(
    "text",
    [
        "noemail@acme.org",
        "none@none.com",
        "test@test.com",
        "test@test",
        "NA@na.com",
        "null@acme.org",
        "a@a.com",
        '"none"@acme.org',
    ],
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
        ("bob@acme,org", None),
        ("bob@localhost", "bob@localhost"),
        ("bob@-acme.org", "bob@-acme.org"),
        ('<a href="mailto:bob@acme.org">bob</a>', "bob@acme.org"),
        (f"{'a' * 65}@acme.org", None),
    ],
)
def test_what_is_not_valid_is_kept_as_given(text, feature):
    (reading,) = read_emails(text)
    assert (reading.value, reading.rule) == (text, "not_an_email_address")
    assert feature is None or reading.feature == feature


@pytest.mark.parametrize(
    "text",
    ["a1@acme.org; b2@acme.org", "a1@acme.org or b2@acme.org", "A <a1@acme.org>, B <b2@acme.org>", "a1@acme.org/b2@acme.org"],
)
def test_two_addresses_of_a_cell_are_told_apart(text):
    assert [reading.value for reading in read_emails(text)] == ["a1@acme.org", "b2@acme.org"]


def quick_readings(texts):
    """Return what is read many at a time, by text."""
    found = read_plain_emails(pl.DataFrame({"cell": texts}, schema={"cell": pl.String}).with_row_index("code"))
    assert found.columns == ["code", "position", *READING]
    assert not any(found["position"])
    return {texts[code]: reading for code, _, *reading in found.iter_rows()}


def assert_quick_is_exact(texts):
    quick = quick_readings(texts)
    for text, reading in quick.items():
        assert [list(reading)] == [list(found) for found in read_emails(text)]
    return quick


def test_the_cases_are_read_many_at_a_time_as_one_by_one():
    plain = [text for text, *_ in CASES if text.isascii() and not set(text) & set("\"<:,'([")]
    assert set(plain) - {"x@xn--mnchen-3ya.de"} == set(assert_quick_is_exact([text for text, *_ in CASES]))


@settings(max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.from_regex(r"[A-Za-z0-9._+-]{1,20}@[A-Za-z0-9-]{1,12}(\.[a-z0-9-]{1,6}){0,2}[.]?", fullmatch=True),
            st.from_regex(
                r"[a-z.+]{1,9}@(gmail|googlemail|yahoo|x\.fastmail|a\.b\.fastmail|protonmail|ya|xn--a)\.(com|ru|me)",
                fullmatch=True,
            ),
            st.from_regex(r"(none|na|test|a|user)@(none|a|test|acme)(\.[a-z]{2,5})?", fullmatch=True),
            st.builds("{}@{}.org".format, st.text("ab.", min_size=55, max_size=70), st.text("ab-", min_size=50, max_size=70)),
            st.builds("a@{0}.{0}.{0}.{0}{1}.org".format, st.just("b" * 58), st.text("c", max_size=12)),
            st.builds(
                "a@{}{}".format, st.sampled_from(["", "x.", "x", "x-y.", "-", "1."]), st.sampled_from(SPECIAL_USE_DOMAIN_NAMES)
            ),
            st.from_regex(r"a@[a-z0-9-]{1,4}\.([a-z0-9-]{1,4}\.)?[a-z0-9-]{1,3}", fullmatch=True),
            st.text(alphabet='ab@. ;<>,:"', max_size=12),
            st.text(max_size=10).map("{}@acme.org".format),
        ),
        unique=True,
        max_size=60,
    )
)
def test_what_is_read_many_at_a_time_is_read_so_one_by_one(texts):
    assert_quick_is_exact(texts)


@given(st.from_regex(r"[a-z0-9._+-]{1,20}@[a-z0-9-]{1,12}\.[a-z]{2,6}", fullmatch=True))
def test_an_address_is_what_the_library_says(text):
    (reading,) = read_emails(text)
    if reading.rule == "placeholder":
        return
    try:
        expected = validate_email(text, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        expected = None
    assert (reading.value if reading.rule is None else None) == expected


@settings(max_examples=300)
@given(
    st.one_of(
        st.text(max_size=20).map("{}@acme.org".format),
        st.text(max_size=12).map("bob@{}.org".format),
        st.text(alphabet='ab"\\ @+.-', max_size=12).map('"{}"@acme.org'.format),
    )
)
def test_reading_a_valid_address_again_changes_nothing(text):
    for reading in read_emails(text.strip()):
        if reading.rule is None:
            assert read_emails(reading.value) == [reading]
