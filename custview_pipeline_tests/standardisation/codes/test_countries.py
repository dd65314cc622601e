"""Countries by any of their names and codes."""

import pycountry
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.standardisation.codes.countries import countries_by_name, is_country, read_country


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
        ("840", "US"),
        ("036", "AU"),
        ("Korea, Republic of", "KR"),
        ("Iran, Islamic Republic of", "IR"),
        ("Russian Federation", "RU"),
        ("The Netherlands", "NL"),
        ("St. Lucia", "LC"),
        ("St Helena", "SH"),
        ("ST", "ST"),
        ("Trinidad & Tobago", "TT"),
        ("Vereinigte Staaten", "US"),
        ("Royaume-Uni", "GB"),
        ("España", "ES"),
        ("Россия", "RU"),
        ("ドイツ", "DE"),
        ("대한민국", "KR"),
        ("香港", "HK"),
        ("臺灣", "TW"),
        ("中华人民共和国", "CN"),
        ("刚果(金)", "CD"),
        ("Bahamas, The", "BS"),
        ("China, People's Republic of", "CN"),
        ("Congo, Democratic Republic of the", "CD"),
        ("US - United States", "US"),
        ("USA (United States)", "US"),
        ("China (Mainland)", "CN"),
        ("Congo (Kinshasa)", "CD"),
        ("한국", "KR"),
        ("Großbritannien", "GB"),
        ("EE.UU.", "US"),
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


def test_every_code_and_name_of_iso_3166_leads_to_its_country():
    for country in pycountry.countries:
        for text in (
            country.alpha_2,
            country.alpha_3,
            country.numeric,
            country.name,
            getattr(country, "common_name", country.name),
        ):
            assert read_country(text)[0][:4] == (country.alpha_2, country.alpha_2, country.alpha_2, None)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("NA", True),
        ("na", True),
        ("N/A", False),
        ("#N/A", False),
        ("n.a.", False),
        ("unknown", False),
        ("-", False),
        ("", False),
        ("China", True),
    ],
)
def test_the_code_of_namibia_is_told_from_words_for_nothing(text, is_one):
    assert is_country(text) is is_one


@pytest.mark.parametrize("text", ["XX", "EU", "36", "ZZZ", "Europe", "12345"])
def test_what_iso_3166_has_not_is_no_country(text):
    assert read_country(text)[0].rule == "not_a_country"


def test_a_name_that_two_countries_share_in_other_languages_is_left_open():
    assert read_country("Ao")[0].value == "AO"  # the code; in Vietnamese the name of Austria


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=12), st.sampled_from(sorted(countries_by_name()))))
def test_reading_a_country_again_changes_nothing(text):
    (first,) = read_country(text)
    assert read_country(first.value) == (first,)
