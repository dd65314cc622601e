"""Codes: country, gender, consent, entity type; timestamps; words of the source."""

from datetime import UTC, datetime

import pytest

from custview_pipeline.standardisation.codes import entity_type_of, read_consent, read_gender
from custview_pipeline.standardisation.countries import countries_by_name, read_country
from custview_pipeline.standardisation.texts import read_industry_code, read_text, read_website
from custview_pipeline.standardisation.timestamps import read_timestamp


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("USA", "US"),
        ("U.S.A.", "US"),
        ("united states", "US"),
        ("United States of America", "US"),
        ("美国", "US"),
        ("uk", "GB"),
        ("England", "GB"),
        ("Great Britain", "GB"),
        ("GBR", "GB"),
        ("中国", "CN"),
        ("PRC", "CN"),
        ("China", "CN"),
        ("Deutschland", "DE"),
        ("AU", "AU"),
        ("australia", "AU"),
        ("Côte d'Ivoire", "CI"),
        ("NA", "NA"),
        ("Hong Kong", "HK"),
        ("Türkiye", "TR"),
        ("South Korea", "KR"),
    ],
)
def test_a_country_is_known_by_any_of_its_names(text, code):
    (reading,) = read_country(text)
    assert (reading.value, reading.comparable, reading.rule) == (code, code, None)
    assert read_country(code)[0].value == code


def test_all_countries_of_iso_3166_are_known():
    assert len(set(countries_by_name().values())) == 249


def test_what_is_no_country_is_kept():
    assert read_country("Atlantis")[0][:4] == ("Atlantis", "ATLANTIS", None, "not_a_country")


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
        ("opted out", None),
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


@pytest.mark.parametrize(
    ("text", "value", "rule"),
    [
        ("https://www.Acme.org/", "acme.org", None),
        ("Acme.org/Shop", "acme.org/Shop", None),
        ("http://acme.co.uk:8080", "acme.co.uk:8080", None),
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
