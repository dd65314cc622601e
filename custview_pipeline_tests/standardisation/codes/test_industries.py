"""Industry codes, with and without a scheme."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.standardisation.codes.industries import CLASSIFICATIONS, classification_of, read_industry_code


@pytest.mark.parametrize(
    ("written", "value", "rule"),
    [
        ("541110", "541110", None),  # NAICS
        (" 5411 ", "5411", None),
        ("c26", "C26", None),  # ISIC, GB/T 4754
        ("C 26.1", "C26.1", None),
        ("62.01", "62.01", None),  # NACE
        ("62.01.9", "62.01.9", None),
        ("1980-05-17", "1980-05-17", "not_an_industry_code"),
        ("17.05.80", "17.05.80", "not_an_industry_code"),
        ("17 05 80", "17 05 80", "not_an_industry_code"),
        ("05.1980", "05.1980", "not_an_industry_code"),
        ("1.5.80", "1.5.80", "not_an_industry_code"),
        ("19800517", "19800517", "not_an_industry_code"),
        ("555-12-34", "555-12-34", "not_an_industry_code"),
        ("555 12 34", "555 12 34", "not_an_industry_code"),
        ("legal services", "legal services", "not_an_industry_code"),
        ("555 012 3456", "555 012 3456", "not_an_industry_code"),
        ("J. Doe 1980", "J. Doe 1980", "not_an_industry_code"),
    ],
)
def test_only_what_has_the_shape_of_an_industry_code_is_valid_for_it_is_stored_open(written, value, rule):
    reading = read_industry_code(written)[0]

    assert (reading.value, reading.rule) == (value, rule)


@pytest.mark.parametrize(
    ("scheme", "code", "is_valid"),
    [
        ("naics", "54", True),
        ("naics", "541110", True),
        ("naics", "33", True),
        ("naics", "34", False),
        ("naics", "991110", False),
        ("naics", "5", False),
        ("naics", "M54", False),
        ("isic", "C", True),
        ("isic", "C26", True),
        ("isic", "2610", True),
        ("isic", "A26", False),
        ("isic", "34", False),
        ("isic", "V", False),
        ("isic", "62012", False),
        ("nace", "62.01", True),
        ("nace", "62.01.9", True),
        ("nace", "67.01", False),
        ("uk.sic", "62012", True),
        ("uk.sic", "54100", False),
        ("gbt4754", "I65", True),
        ("gbt4754", "T97", True),
        ("gbt4754", "6510", True),
        ("gbt4754", "J65", False),
        ("gbt4754", "98", False),
        ("gbt4754", "U", False),
        ("sic", "7372", True),
        ("sic", "0311", False),
        ("sic", "9999", True),
    ],
)
def test_sector_section_and_division_must_exist_in_the_scheme(scheme, code, is_valid):
    (reading,) = read_industry_code(code, scheme)

    assert (reading.value, reading.rule) == (code, None if is_valid else "not_an_industry_code")


@pytest.mark.parametrize(
    ("scheme", "written", "code"),
    [
        ("naics", "31-33", "31"),
        ("naics", "541511 - Custom Computer Programming Services", "541511"),
        ("naics", "NAICS 541511", "541511"),
        ("naics", "541511.0", "541511"),
        ("isic", "C: Manufacturing", "C"),
        ("sic", "7372.0", "7372"),
        ("nace", "62.0", "62.0"),
    ],
)
def test_a_code_of_a_known_scheme_is_read_beside_its_title(scheme, written, code):
    (reading,) = read_industry_code(written, scheme)

    assert (reading.value, reading.rule) == (code, None)


@pytest.mark.parametrize("scheme", ["isic_rev3.1", "ISIC Rev. 5", "nace rev 2.1", "GB/T 4754-2011", "uk.sic 2003"])
def test_another_revision_of_a_classification_is_not_judged_by_this_one(scheme):
    assert classification_of(scheme) is None


@pytest.mark.parametrize(
    ("scheme", "name"),
    [
        ("NAICS 2022", "naics"),
        ("us.sic", "sic"),
        ("SIC1987", "sic"),
        ("isic_rev4", "isic"),
        ("ISIC Rev. 4", "isic"),
        ("NACE Rev. 2", "nace"),
        ("GB/T 4754-2017", "gbt4754"),
        ("uk.sic", "uksic"),
    ],
)
def test_a_scheme_is_known_however_a_contract_writes_it(scheme, name):
    assert classification_of(scheme) == CLASSIFICATIONS[name]


def test_a_scheme_that_is_not_known_asks_for_the_shape_alone():
    assert classification_of("house list") is None
    assert read_industry_code("99", "house list")[0].rule is None


def test_classifications_have_the_divisions_that_their_publishers_count():
    counted = {name: len(classification.sections) for name, classification in CLASSIFICATIONS.items()}
    assert counted == {"naics": 24, "isic": 88, "nace": 88, "uksic": 88, "gbt4754": 97, "sic": 83}


@settings(max_examples=300)
@given(
    st.one_of(st.text(max_size=8), st.from_regex(r"[A-Za-z]? ?[0-9]{1,6}(\.[0-9]{1,2}){0,2}", fullmatch=True)),
    st.sampled_from([None, *CLASSIFICATIONS]),
)
def test_reading_an_industry_code_again_changes_nothing(text, scheme):
    (first,) = read_industry_code(text, scheme)
    assert read_industry_code(first.value, scheme) == (first,)
