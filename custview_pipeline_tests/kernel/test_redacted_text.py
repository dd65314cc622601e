"""Tests of ``custview_pipeline.kernel.redacted_text``."""

import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.kernel.redacted_text import redact
from custview_pipeline_tests.errors_of_libraries import LIBRARIES, error_of

SECRET = "Wilhelmina Quenneville"

STAYS = [
    "Started execution of step admit_crm.",
    'Execution of step "admit_crm" failed.',
    "refresh - 0b5e2f6c-8f4c-4b1e-9d3b-0a1f2e3d4c5b - 12345 - admit_crm - STEP_SUCCESS",
    "crm: 15 of 30 rows (50.0%) are refused, more than the 10.0% that the contract allows",
    "wrote 1,234,567 rows in 13.25 s; 5000000 in all",
    "Serving dagster-webserver on http://127.0.0.1:3000 in process 4711",
    'Asset check "completeness__email__required" on "shop_validation" passed, for crosswalk',
    "Dagster's daemon doesn't run",
    'Finished execution of step "link_records" in 1m13s.',
    "",
    "  indented",
]
GOES = [
    ("mail to wilhelmina.q+news@mail.example.org bounced", "mail to <email> bounced"),
    ("postgresql+psycopg2://custview:hunter2@db.example.org:5432/runs is closed", "<email> is closed"),
    ("called +1 (212) 555-0187 twice", "called <number> twice"),
    ("called (212) 555-0187 twice", "called <number> twice"),
    ("called 212.555.0187", "called <number>"),
    ("called 2125550187", "called <identifier>"),
    ("called 138 0013 8000", "called <number>"),
    ("born 1985-03-04 00:00:00", "born <date> 00:00:00"),
    ("born 03/04/1985, 4.3.85", "born <date>, <date>"),
    ("born 19850304", "born <identifier>"),
    ("born 4 March 1985 or March 4th, 1985", "born <date> or <date>"),
    ("born 1985\u5e743\u67084\u65e5", "born 1985<foreign>3<foreign>4<foreign>"),
    ("ssn 536-12-1007", "ssn <number>"),
    ("id 11010519491231002X and 91350211M000100Y43", "id <identifier> and <identifier>"),
    ("lei 5493001KJTIIGC8Y1R12", "lei <identifier>"),
    ("could not parse 'Wilhelmina'", "could not parse <quoted>"),
    ('could not parse "Wilhelmina \\"Minnie\\" Q"', "could not parse <quoted>"),
    ("could not parse `Wilhelmina`", "could not parse <quoted>"),
    ("could not parse 'O'Brien' here", "could not parse <quoted> here"),
    ("cut off at 'Wilhelmina Quenn", "cut off at <quoted>"),
    ("name \u738b\u5c0f\u660e and Zo\u00eb", "name <foreign> and <foreign>"),
]


@pytest.mark.parametrize("text", STAYS)
def test_names_counts_and_ids_of_runs_stay(text):
    assert redact(text) == text


@pytest.mark.parametrize(("text", "redacted"), GOES, ids=[redacted for _, redacted in GOES])
def test_what_looks_personal_goes(text, redacted):
    assert redact(text) == redacted


@pytest.mark.parametrize("library", LIBRARIES)
def test_of_a_traceback_types_and_places_stay(library):
    error = error_of(library, SECRET)
    told = redact("step admit_crm failed\n\n" + "".join(traceback.format_exception(error)) + "\nStack Trace:\n" + str(error))
    assert told.startswith("step admit_crm failed\n")
    assert type(error).__name__ in told
    assert "errors_of_libraries.py" in told
    assert not any(word.lower() in told.lower() for word in SECRET.split())


@pytest.mark.parametrize("library", LIBRARIES)
def test_of_an_error_in_the_middle_of_a_line_the_type_stays(library):
    error = error_of(library, SECRET)
    told = redact("tick of crm_changed: " + "".join(traceback.format_exception_only(error)))
    assert told.startswith("tick of crm_changed: ")
    assert type(error).__name__ in told
    assert not any(word.lower() in told.lower() for word in SECRET.split())


def test_what_an_error_of_this_package_says_stays():
    said = "custview_pipeline.kernel.errors.DeliveryRefused: crm: gave up after 3 failed runs"
    assert redact(said) == said
    said = "dagster._core.definitions.events.Failure: crm: line 3 is not valid JSON"
    assert redact(said) == said


@given(st.text())
def test_what_is_redacted_stays_as_it_is(text):
    once = redact(text)
    assert redact(once) == once


@given(st.from_regex(r"\A[a-z]{3,9}@[a-z]{3,9}\.(com|org)\Z"), st.text(" .,;:\n", max_size=3), st.text(" .,;:\n", max_size=3))
def test_an_address_is_found_wherever_it_stands(address, before, after):
    assert address not in redact(f"to{before} {address} {after}or")


@given(
    st.integers(2, 9),
    st.integers(0, 999_999_999),
    st.sampled_from(["{}{}{}", "({}) {}-{}", "+1 {} {} {}", "{}.{}.{}", "{}-{}-{}"]),
)
def test_a_telephone_number_is_found_however_it_is_written(first, rest, written):
    digits = f"{first}{rest:09d}"
    number = written.format(digits[:3], digits[3:6], digits[6:])
    assert digits[6:] not in redact(f"called {number} twice")
