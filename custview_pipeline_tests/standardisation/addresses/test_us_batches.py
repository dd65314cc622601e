"""Many United States addresses at once: what reading them one by one gives."""

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.standardisation.addresses.us_batches import read_us_addresses
from custview_pipeline_tests.standardisation.addresses import alike
from custview_pipeline_tests.standardisation.addresses.alike import row
from custview_pipeline_tests.standardisation.addresses.labelled import read_labelled

assert_read_alike = partial(alike.assert_read_alike, read_us_addresses)
read_many = partial(alike.read_many, read_us_addresses)


def test_labelled_addresses_are_read_alike():
    assert assert_read_alike([row(address=" ".join(line.split())) for line, _ in read_labelled()]) > 0.6


_NUMBERS = st.one_of(st.integers(0, 30000).map(str), st.sampled_from(["12a", "45-10", "12 1/2", "0012", "12B", "1-3", "007"]))
_STREETS = st.tuples(
    st.sampled_from(["", "N ", "west ", "S.W. ", "North "]),
    st.sampled_from(
        [
            "Oak",
            "MAPLE",
            "5th",
            "Martin Luther King",
            "St. John",
            "O'Brien",
            "South",
            "A",
            "US Highway 50",
            "Box Elder",
            "Hwy 50",
            "County Road 12",
            "mcdonald",
        ]
    ),
    st.sampled_from(["St", "avenue", "Blvd.", "Ln", "", "Cove", "Park Rd", "Strket", "St NE", "Way South"]),
)
_UNITS = st.sampled_from(
    ["", ", Apt 3", " suite 12", " #7", ", # 12D", " Apt #4", ", 2nd Floor", " Bldg 3 Ste 4", ", Unit B,", " Rear"]
)
_PLACES = st.sampled_from(
    [
        "Reno, NV",
        "NEW YORK NY",
        "Austin, Texas",
        "St. Louis, MO",
        "Saint Paul, MN",
        "winston-salem, nc",
        "",
        "Reno",
        ", Nevada",
        "Washington DC",
    ]
)
_CODES = st.one_of(
    st.integers(501, 99950).map("{:05}".format),
    st.sampled_from(["", "62704-1234", "2134", "99801.", "89501 USA", "62704-1230 United States"]),
)
_LINES = st.builds(
    lambda number, street, unit, joint, place, code: f"{number} {''.join(street)}{unit}{joint}{place} {code}".strip(),
    *(_NUMBERS, _STREETS, _UNITS, st.sampled_from([", ", " ", "\n", " \n,"]), _PLACES, _CODES),
)


@settings(max_examples=40)
@given(st.lists(_LINES, min_size=1, max_size=20))
def test_one_line_addresses_are_read_alike(lines):
    assert_read_alike([row(address=line) for line in lines])


@settings(max_examples=40)
@given(
    st.lists(
        st.text(st.sampled_from("0123456789 ABnsetr.,;#&()-/'\"\\{}é\n"), max_size=30).map(lambda text: f"12 {text}"), max_size=20
    )
)
def test_wild_lines_are_read_alike(lines):
    if lines:
        assert_read_alike([row(address=line) for line in lines])


_CITIES = st.sampled_from([None, "RENO", "St. Louis", "New York", "É", "Winston-Salem", "12", "...", "Saint Paul"])
_REGIONS = st.sampled_from([None, "NV", "Nevada", "n.y.", "D.C.", "Somewhere", "12"])
_ZIPS = st.sampled_from(
    [None, "89501", "2134", "627", "895011234", "89501-1234", "8950", "895", "12", "ABC", "89501-", "89501-12"]
)


@settings(max_examples=40)
@given(
    st.lists(
        st.builds(
            lambda line, second, city, region, code, country: row(
                country, address_line1=line, address_line2=second, city=city, region=region, postal_code=code
            ),
            *(_LINES, st.sampled_from([None, "Apt 4", "Unit 4-B", "Reno", "PO Box 4"]), _CITIES, _REGIONS, _ZIPS),
            st.sampled_from(["US", "PR", "GB"]),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_addresses_in_columns_are_read_alike(rows):
    assert_read_alike(rows)


@settings(max_examples=40)
@given(
    st.lists(
        st.builds(
            lambda house, street, unit, box, city, region, code: row(
                house_number=house, street_name=street, unit=unit, po_box=box, city=city, region=region, postal_code=code
            ),
            st.none() | _NUMBERS,
            st.none() | _STREETS.map("".join),
            st.sampled_from(
                [None, "4", "#4", "##", "4-B", "Apt 3", "Apt", "flat9", "unit", "STE 300", "Penthouse", "#", "12 345"]
            ),
            st.sampled_from([None, None, "12"]),
            *(_CITIES, _REGIONS, _ZIPS),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_parts_in_columns_are_read_alike(rows):
    assert_read_alike(rows)


def test_the_common_shape_is_read_here():
    rows = [
        row(address="123 N Main St Apt 4, Springfield, IL 62704-1234"),
        row(address="350 FIFTH AVENUE SUITE 300, NEW YORK NY 10118"),
        row(address="1 Infinite Loop\nCupertino CA 95014"),
        row(address_line1="12 oak ave", address_line2="unit 4", city="Reno", region="NV", postal_code="89501"),
        row(house_number="12", street_name="Oak Avenue", unit="#4", city="Reno", region="NV", postal_code="89501"),
        row("PR", address="1234 Calle Luna, San Juan PR 00901"),
        row(address="12 Oak Ave", city="Foo-None"),
    ]
    assert assert_read_alike(rows) == 1


@pytest.mark.parametrize(
    "cells",
    [
        {"address": "PO Box 12, Austin, TX 78701"},
        {"address": "Main St & 5th Ave, Chicago, IL"},
        {"address": 'The "Barn", 12 Oak St, Reno NV'},
        {"address": "12 Étage St, Reno NV"},
        {"house_number": "12", "street_name": "Oak Avenue", "city": "Reno", "po_box": "4"},
        {"city": "Reno"},
        {},
    ],
)
def test_everything_else_is_left(cells):
    assert read_many([row(**cells)]) == {}


def test_no_cells_no_addresses():
    assert read_many([]) == {}
