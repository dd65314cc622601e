"""Postal codes by country: their form, and where they stand in a line."""

import pytest

from custview_pipeline.standardisation.addresses.postal_codes import take_postal_code, take_state, write_postal_code


@pytest.mark.parametrize(
    ("country", "text", "expected"),
    [
        ("US", "62704", ("62704", True)),
        ("US", "627041234", ("62704-1234", True)),
        ("US", "2134", ("02134", True)),
        ("US", "627", ("00627", True)),
        ("US", "1234567", ("1234567", False)),
        ("GB", "sw1a1aa", ("SW1A 1AA", True)),
        ("GB", "m1 1ae", ("M1 1AE", True)),
        ("GB", "12345", ("12 345", False)),
        ("AU", "2000", ("2000", True)),
        ("AU", "20000", ("20000", False)),
        ("CN", "100022", ("100022", True)),
        ("CN", "10002", ("10002", False)),
        ("CA", "k1a 0b1", ("K1A 0B1", True)),
        ("DE", "10115", ("10115", True)),
        ("NL", "1012 ab", ("1012 AB", True)),
    ],
)
def test_a_postal_code_is_written_as_its_country_does(country, text, expected):
    assert write_postal_code(text, country) == expected


@pytest.mark.parametrize(
    ("country", "line", "bare", "code"),
    [
        ("GB", "14 High Street, London SW1A 1AA", "14 High Street, London", "SW1A 1AA"),
        ("GB", "14 High Street, London", "14 High Street, London", None),
        ("GB", "SW1A 1AA", "", "SW1A 1AA"),
        ("DE", "Hauptstraße 5, 10115 Berlin", "Hauptstraße 5, Berlin", "10115"),
        ("DE", "Hauptstraße 5, D-10115 Berlin", "Hauptstraße 5, Berlin", "10115"),
        ("DE", "Hauptstraße 5, Berlin 10115", "Hauptstraße 5, Berlin", "10115"),
        ("NL", "Damrak 1, 1012 LG Amsterdam", "Damrak 1, Amsterdam", "1012 LG"),
        ("FR", "12 rue de la Paix, 75002 Paris", "12 rue de la Paix, Paris", "75002"),
        ("SE", "Storgatan 5, 111 51 Stockholm", "Storgatan 5, Stockholm", "111 51"),
        ("ZZ", "12 Any Street 1234", "12 Any Street 1234", None),
    ],
)
def test_a_postal_code_is_taken_from_the_end_of_a_line_or_from_before_the_city(country, line, bare, code):
    assert take_postal_code(line, country) == (bare, code)


@pytest.mark.parametrize(
    ("country", "line", "bare", "state"),
    [
        ("AU", "12 Wattle Street, Airds NSW", "12 Wattle Street, Airds", "NSW"),
        ("CA", "12 Maple Street, Toronto, on", "12 Maple Street, Toronto", "ON"),
        ("GB", "12 High Street, Wells WA", "12 High Street, Wells WA", None),
    ],
)
def test_a_state_is_taken_from_the_end_of_a_line(country, line, bare, state):
    assert take_state(line, country) == (bare, state)
