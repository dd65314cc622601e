"""Many addresses outside the United States at once: what reading them one by one gives."""

import csv
from functools import partial
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.standardisation.addresses.other_batches import read_other_addresses
from custview_pipeline_tests.standardisation.addresses import alike
from custview_pipeline_tests.standardisation.addresses.alike import row
from custview_pipeline_tests.standardisation.addresses.test_other_addresses import CASES

COUNTRIES = ("GB", "AU", "CA", "IE", "NZ", "HK", "IN", "DE")
assert_read_alike = partial(alike.assert_read_alike, read_other_addresses)
read_many = partial(alike.read_many, read_other_addresses)


def pool(name, column):
    with (files("custview_pipeline.demo") / "pools" / f"{name}.csv").open(encoding="utf-8") as lines:
        return [line[column] for line in csv.DictReader(lines)]


def cased(text, k):
    return (text, text.upper(), text.lower())[k % 3]


def test_the_addresses_of_the_tables_are_read_alike():
    assert_read_alike([row(country, address=line) for _, line, *_ in CASES for country in COUNTRIES])


def test_british_addresses_as_people_have_them_are_read_alike_and_nearly_all_at_once():
    streets, towns = pool("gb_streets", "name"), pool("gb_towns", "city")
    units, counties, types = ("", "Flat 2, ", "Apartment 6, ", "", ""), ("", "", ", Surrey"), ("Street", "Rd", "Close", "Ave.")
    rows = []
    for k in range(1500):
        street = f"{streets[k * 7 % len(streets)]} {types[k % 4]}"
        town, code = towns[k * 11 % len(towns)], f"AB{k % 20 + 1} {k % 9}CD"
        unit, line, county = units[k % 5], f"{k * 13 % 300 + 1} {street}", counties[k % 3]
        rows.append(row("GB", address=cased(f"{unit}{line}, {town}{county}, {code}", k // 5)))
        columns = {"address_line1": line, "address_line2": unit[:-2] or None, "city": cased(town, k)}
        rows.append(row("GB", **columns, postal_code=code.lower()))
    assert assert_read_alike(rows) > 0.8


_HOUSES = st.sampled_from(["14", "14a", "14B", "2-6", "3/14", "Flat 2/14", "14 bis", "No. 5", "", "0012", "14,", "1 2"])
_STREETS = st.sampled_from(
    [
        "High Street",
        "MILL LANE",
        "mill lane",
        "St John's Rd",
        "Rose Cottage",
        "The Green",
        "ter Weg",
        "Row 12",
        "High St Flat 3",
        "é",
    ]
)
_FRONT = st.sampled_from(
    ["", "Flat 2, ", "FLAT 2B, ", "Unit 5 Riverside Estate, ", "Tower Block, ", "Shop Street, ", "c/o Ann, "]
)
_MIDDLE = st.sampled_from(
    ["", ", Leeds", ", LEEDS, West Yorkshire", ", Surrey", ", Flat 9", ", Sydney NSW", ", Toronto, on", ",,x"]
)
_CODES = st.sampled_from(["", ", LS1 4AB", " ls14ab", ", 2000", " 2000,", ", M5V 2T6", ", V94 T9PX.", ", 110 001", ", London N1"])
_ENDS = st.sampled_from(["", "", ", UK", ", Australia.", ", England", ",Canada", ", Foo-None"])
_LINES = st.tuples(_FRONT, _HOUSES, st.just(" "), _STREETS, _MIDDLE, _CODES, _ENDS).map("".join)


@settings(max_examples=40)
@given(st.lists(st.tuples(_LINES, st.sampled_from(COUNTRIES)), min_size=1, max_size=20))
def test_one_line_addresses_are_read_alike(lines):
    assert_read_alike([row(country, address=line) for line, country in lines])


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.text(st.sampled_from("0123456789 ABtieflar.,;#&()-/'\"\\{}é\n"), min_size=1, max_size=30),
            st.sampled_from(COUNTRIES),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_wild_lines_are_read_alike(lines):
    assert_read_alike([row(country, address=f"12 {line}") for line, country in lines])


_CITIES = st.sampled_from([None, "LEEDS", "leeds", "St Albans", "É", "12", "...", "London, ", "Foo-None", "  x"])
_REGIONS = st.sampled_from([None, "Surrey", "nsw", "ON", "West  Yorkshire", "HIGH STREET", "12", "Leeds"])
_CODE_CELLS = st.sampled_from([None, "LS1 4AB", "ls14ab", "2000", "gir0aa", "LS1  4AB", "n/a", "12345678901", "a-b c", "AB", "-"])


@settings(max_examples=40)
@given(
    st.lists(
        st.builds(
            lambda line, second, city, region, code, country: row(
                country, address_line1=line, address_line2=second, city=city, region=region, postal_code=code
            ),
            *(st.none() | _LINES, st.sampled_from([None, "Flat 4", "Leeds", "PO Box 4", "12"]), _CITIES, _REGIONS, _CODE_CELLS),
            st.sampled_from(COUNTRIES),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_addresses_in_columns_are_read_alike(rows):
    assert_read_alike(rows)


def test_the_common_shape_is_read_here():
    rows = [
        row("GB", address="Flat 2, 14 High Street, Guildford, Surrey, GU1 3AA, UK"),
        row("GB", house_number="14", street_name="HIGH STREET", unit="2", city="LEATHERHEAD", postal_code="KT228AA"),
        row("AU", address_line1="3/12 george st", city="sydney", region="nsw", postal_code="2000"),
        row("CA", address="123 Main St, Toronto, ON M5V 2T6, Canada"),
        row("GB", postal_code="ls1 4ab"),
    ]
    assert assert_read_alike(rows) == 1


@pytest.mark.parametrize(
    ("country", "cells"),
    [
        ("GB", {"address": "PO Box 12, Leeds LS1 4AB"}),
        ("GB", {"address": "Rose Cottage, Mill Lane, Leeds LS1 4AB"}),
        ("GB", {"address": "14A HIGH STREET, LEEDS"}),
        ("GB", {"address": "14 High Street, 15 Mill Lane, Leeds"}),
        ("GB", {"address": "12 Étage St, Leeds"}),
        ("DE", {"address": "Hauptstr. 5, 10115 Berlin"}),
        ("US", {"address": "12 Oak St, Reno NV"}),
        ("GB", {}),
    ],
)
def test_everything_else_is_left(country, cells):
    assert read_many([row(country, **cells)]) == {}


def test_no_cells_no_addresses():
    assert read_many([]) == {}
