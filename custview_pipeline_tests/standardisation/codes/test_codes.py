"""Codes: gender, consent, entity type; timestamps."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.standardisation.codes.codes import CONSENTS, GENDERS, entity_type_of, read_consent, read_gender
from custview_pipeline.standardisation.dates.timestamps import read_timestamp
from custview_pipeline.standardisation.reading import Reading


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("M", "m"),
        ("Male", "m"),
        ("男", "m"),
        ("F", "f"),
        ("female", "f"),
        ("女", "f"),
        ("weiblich", "f"),
        ("Mrs.", "f"),
        ("X", "x"),
        ("non-binary", "x"),
        ("1", "m"),
        ("2", "f"),
        ("männlich", "m"),
        ("Féminin", "f"),
        ("Mulher", "f"),
        ("남", "m"),
        ("Mme", "f"),
        ("женский", "f"),
        ("М", "m"),
        ("其它", "x"),
        ("1.0", "m"),
    ],
)
def test_a_gender_is_read_in_any_spelling(text, code):
    (reading,) = read_gender(text)
    assert (reading.value, reading.feature) == (code, None if code == "x" else code)
    assert read_gender(code)[0].value == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Y", "granted"),
        ("opt-in", "granted"),
        ("TRUE", "granted"),
        ("同意", "granted"),
        ("no", "denied"),
        ("opted out", "denied"),
        ("Opted In", "granted"),
        ("unsubscribe", "denied"),
        ("nein", "denied"),
        ("oui", "granted"),
        ("1.0", "granted"),
        ("0.0", "denied"),
        ("-", "unknown"),
        ("perhaps", None),
        ("unknown", "unknown"),
    ],
)
def test_consent_is_granted_denied_or_unknown(text, code):
    (reading,) = read_consent(text)
    assert (reading.value if reading.rule is None else None) == code


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("person", "person"),
        ("INDIVIDUAL", "person"),
        ("Private", "person"),
        ("P", "person"),
        ("natural person", "person"),
        ("个人", "person"),
        ("ORGANIZATION", "enterprise"),
        ("organisation", "enterprise"),
        ("Company", "enterprise"),
        ("B", "enterprise"),
        ("corporate", "enterprise"),
        ("business customer", "enterprise"),
        ("企业", "enterprise"),
        ("enterprise", "enterprise"),
        ("wizard", None),
        ("7", None),
    ],
)
def test_an_entity_type_is_read_in_any_spelling(text, kind):
    assert entity_type_of(text) == kind


@pytest.mark.parametrize(
    ("text", "is_month_first", "expected"),
    [
        ("2024-03-04T10:00:00Z", True, datetime(2024, 3, 4, 10, tzinfo=UTC)),
        ("2024-03-04T10:00:00+02:00", True, datetime(2024, 3, 4, 8, tzinfo=UTC)),
        ("2024-03-04 10:00:00 UTC", True, datetime(2024, 3, 4, 10, tzinfo=UTC)),
        ("2024-03-04 10:00:00.250", True, datetime(2024, 3, 4, 10, 0, 0, 250_000, tzinfo=UTC)),
        ("2024-03-04", True, datetime(2024, 3, 4, tzinfo=UTC)),
        ("1709546400", True, datetime(2024, 3, 4, 10, tzinfo=UTC)),
        ("1709546400000", True, datetime(2024, 3, 4, 10, tzinfo=UTC)),
        ("03/04/2024 10:00", True, datetime(2024, 3, 4, 10, tzinfo=UTC)),
        ("03/04/2024 10:00", False, datetime(2024, 4, 3, 10, tzinfo=UTC)),
        ("04.03.2024 10:00:00", False, datetime(2024, 3, 4, 10, tzinfo=UTC)),
        ("2024/03/04 10:00:00", True, datetime(2024, 3, 4, 10, tzinfo=UTC)),
        ("yesterday", True, None),
        ("0001-01-01T00:00:00+14:00", True, None),
    ],
)
def test_a_moment_is_told_in_utc(text, is_month_first, expected):
    assert read_timestamp(text, None, is_month_first=is_month_first) == expected


@pytest.mark.parametrize("text", ["0", "9", "U", "not disclosed", "Prefer not to say", "保密"])
def test_a_code_for_no_gender_told_gives_no_value(text):
    assert read_gender(text)[0] == Reading(None, rule="placeholder")


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=12), st.sampled_from([*sorted(GENDERS), *sorted(CONSENTS)])))
def test_reading_a_code_again_changes_nothing(text):
    for read in (read_gender, read_consent):
        (first,) = read(text)
        assert first.value is None or read(first.value) == (first,)
