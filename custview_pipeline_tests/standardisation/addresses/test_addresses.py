"""Postal addresses of the United States, Britain, Australia, Germany and China."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.standardisation.addresses.addresses import ADDRESS, AddressCells, read_address


def read(country, line=None, **cells):
    found = read_address(*AddressCells(address=line, **cells), country)
    return dict(zip(ADDRESS, found[0], strict=True)) if found else None


def compared(address):
    return tuple(address[name] for name in ("house_number", "street", "unit", "city", "postal_code"))


UNITED_STATES = [
    (
        "123 N Main St Apt 4, Springfield, IL 62704-1234",
        "123 N Main St Apt 4, Springfield, IL 62704-1234",
        ("123", "main", "4", "springfield", "62704"),
    ),
    (
        "123 North Main Street, Apartment 4, Springfield, Illinois 62704",
        "123 N Main St Apt 4, Springfield, IL 62704",
        ("123", "main", "4", "springfield", "62704"),
    ),
    (
        "350 FIFTH AVENUE SUITE 300, NEW YORK NY 10118",
        "350 Fifth Ave Ste 300, New York, NY 10118",
        ("350", "5", "300", "newyork", "10118"),
    ),
    ("P.O. Box 12, Austin, TX 78701", "PO Box 12, Austin, TX 78701", ("12", "pobox", None, "austin", "78701")),
    (
        "1 Infinite Loop\nCupertino CA 95014",
        "1 Infinite Loop, Cupertino, CA 95014",
        ("1", "infinite", None, "cupertino", "95014"),
    ),
    ("RR 2 Box 18, Bangor ME 04401", "RR 2 Box 18, Bangor, ME 04401", ("18", "rr2", None, "bangor", "04401")),
    ("12 Elm Ct #4B, Reno, Nevada 89501", "12 Elm Ct # 4B, Reno, NV 89501", ("12", "elm", "4b", "reno", "89501")),
    ("100 NORTHWEST 5TH STREET, MIAMI, FL 33128", "100 NW 5th St, Miami, FL 33128", ("100", "5", None, "miami", "33128")),
    ("8902 S Brandon Avenue", "8902 S Brandon Ave", ("8902", "brandon", None, None, None)),
    (
        "77 Sunset Blvd, Los Angeles CA 90028 USA",
        "77 Sunset Blvd, Los Angeles, CA 90028",
        ("77", "sunset", None, "losangeles", "90028"),
    ),
]


@pytest.mark.parametrize(("line", "display", "expected"), UNITED_STATES)
def test_a_united_states_address_is_spelled_as_publication_28_does(line, display, expected):
    address = read("US", line)
    assert (address["value"], address["rule"], compared(address)) == (display, None, expected)
    assert read("US", display)["value"] == display


def test_the_parts_of_a_united_states_address_are_told_apart():
    assert json.loads(read("US", "123 N Main St Apt 4, Springfield, IL 62704-1234")["parts"]) == {
        "house_number": "123",
        "predirectional": "N",
        "street": "Main",
        "suffix": "St",
        "unit": "Apt 4",
        "city": "Springfield",
        "region": "IL",
        "postal_code": "62704",
        "postal_code_extension": "1234",
        "country": "US",
    }


def test_columns_of_parts_and_one_line_come_to_the_same_address():
    spellings = [
        read("US", "12 Oak Avenue Unit 4, Reno, NV 89501"),
        read("US", house_number="12", street_name="Oak Avenue", unit="4", city="RENO", region="Nevada", postal_code="89501"),
        read("US", address_line1="12 oak ave", address_line2="unit 4", city="Reno", region="NV", postal_code="89501"),
    ]
    assert {address["value"] for address in spellings} == {"12 Oak Ave Unit 4, Reno, NV 89501"}
    assert {compared(address) for address in spellings} == {("12", "oak", "4", "reno", "89501")}


def test_an_intersection_is_an_address():
    assert read("US", "5th & Main, Chicago, IL")["rule"] is None


OTHERS = [
    ("GB", "14 HIGH STREET, LONDON, SW1A1AA", "14 High Street, London SW1A 1AA", ("14", "high", None, "london", "sw1a1aa")),
    (
        "GB",
        "Flat 2, 14 High Street, London SW1A 1AA",
        "Flat 2, 14 High Street, London SW1A 1AA",
        ("14", "high", "2", "london", "sw1a1aa"),
    ),
    ("GB", "221b Baker St, London NW1 6XE", "221b Baker St, London NW1 6XE", ("221", "baker", None, "london", "nw16xe")),
    (
        "GB",
        "Rose Cottage, Church Lane, Ambridge, BO5 5AA",
        "Rose Cottage, Church Lane, Ambridge BO5 5AA",
        (None, "rosecottage", None, "ambridge", "bo55aa"),
    ),
    ("AU", "12 Wattle Street, Airds NSW 2560", "12 Wattle Street, Airds, NSW 2560", ("12", "wattle", None, "airds", "2560")),
    ("AU", "2/45 George St, Sydney, NSW 2000", "2/45 George St, Sydney, NSW 2000", ("45", "george", "2", "sydney", "2000")),
    ("DE", "Hauptstraße 5, 10115 Berlin", "Hauptstraße 5, 10115 Berlin", ("5", "hauptstrasse", None, "berlin", "10115")),
    (
        "CN",
        "88 Jianguo Road, Chaoyang District, Beijing 100022",
        "88 Jianguo Road, Chaoyang District, Beijing 100022",
        ("88", "jianguo", None, "beijing", "100022"),
    ),
]


@pytest.mark.parametrize(("country", "line", "display", "expected"), OTHERS)
def test_other_addresses_are_divided_into_postal_code_city_and_street(country, line, display, expected):
    address = read(country, line)
    assert (address["value"], address["rule"], compared(address)) == (display, None, expected)
    assert read(country, display)["value"] == display


def test_australian_columns_are_compared_as_the_reference_compares_them():
    address = read(
        "AU", address_line1="28 goldfinch circuit", address_line2="tarqua", city="geelong south", region="vic", postal_code="3215"
    )
    assert address["value"] == "28 Goldfinch Circuit, Tarqua, Geelong South, VIC 3215"
    assert compared(address) == ("28", "goldfinch", None, "geelongsouth", "3215")


CHINESE = [
    ("北京市朝阳区建国路88号3号楼1201室", ("88", "jianguo", "1201", "beijing", None)),
    ("广东省深圳市南山区科技园路5号 518057", ("5", "kejiyuan", None, "shenzhen", "518057")),
    ("上海市浦东新区世纪大道100号", ("100", "shiji", None, "shanghai", None)),
    ("浙江省杭州市西湖区文三路90号", ("90", "wensan", None, "hangzhou", None)),
    ("新疆维吾尔自治区乌鲁木齐市天山区解放北路1号", ("1", "jiefangbei", None, "wulumuqi", None)),
    ("北京市海淀区中关村大街27号", ("27", "zhongguancun", None, "beijing", None)),
    ("江苏省苏州市昆山市花桥镇绿地大道231弄", ("231", "ludi", None, "suzhou", None)),
    ("四川省成都市锦江区春熙路12号2栋3单元501室", ("12", "chunxi", "501", "chengdu", None)),
]


@pytest.mark.parametrize(("line", "expected"), CHINESE)
def test_a_chinese_address_is_divided_at_its_levels(line, expected):
    address = read("CN", line)
    assert (address["value"], address["rule"], compared(address)) == (line, None, expected)
    assert read("CN", address["value"])["value"] == address["value"]


def test_a_chinese_address_in_columns_of_parts_is_the_same_as_in_one_line():
    columns = read("CN", house_number="13", street_name="永安路", unit="3栋203室", city="北京市丰台区")
    line = read("CN", "北京市丰台区永安路13号3栋203室")

    assert columns == line
    assert (line["rule"], line["house_number"], line["unit"]) == (None, "13", "203")


@pytest.mark.parametrize(
    ("country", "line"), [("US", "somewhere over there"), ("US", "c/o the usual place"), ("GB", "The Old Mill"), ("CN", "老地方")]
)
def test_what_is_not_understood_is_kept_as_given(country, line):
    address = read(country, line)
    assert address["rule"] == "not_an_address"
    assert address["value"].casefold() == line.casefold()


def test_no_cell_no_address():
    assert read("US") is None


@given(
    st.integers(1, 9999),
    st.sampled_from(["", "N ", "west "]),
    st.sampled_from(["Oak", "MAPLE", "5th", "Martin Luther King"]),
    st.sampled_from(["St", "avenue", "Blvd", "Ln"]),
    st.sampled_from(["", " Apt 3", " suite 12", " #7"]),
    st.sampled_from(["Reno, NV", "NEW YORK NY", "Austin, Texas"]),
)
def test_reading_an_address_again_changes_nothing(number, direction, street, kind, unit, place):
    value = read("US", f"{number} {direction}{street} {kind}{unit}, {place} {number + 10000}")["value"]
    assert read("US", value)["value"] == value
