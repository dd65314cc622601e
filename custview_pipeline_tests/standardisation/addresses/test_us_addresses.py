"""United States addresses in the spelling of USPS Publication 28."""

import json

import pytest

from custview_pipeline.standardisation.addresses.addresses import ADDRESS, AddressCells, read_address
from custview_pipeline.standardisation.addresses.us_addresses import spell_part
from custview_pipeline.standardisation.addresses.us_spelling import DIRECTIONS, STATES, SUFFIXES, UNITS
from custview_pipeline_tests.standardisation.addresses.labelled import read_labelled

COMPARED = ("house_number", "street", "unit", "city", "postal_code")


def read(line, **cells):
    return dict(zip(ADDRESS, read_address(*AddressCells(address=line, **cells), "US")[0], strict=True))


SPELLED = [
    # house numbers
    ("123 1/2 Main St, Reno NV 89501", "123 1/2 Main St, Reno, NV 89501", ("123", "main", None, "reno", "89501")),
    ("45-10 Queens Blvd, Queens NY 11104", "45-10 Queens Blvd, Queens, NY 11104", ("4510", "queens", None, "queens", "11104")),
    ("100-104 Main St, Reno NV 89501", "100-104 Main St, Reno, NV 89501", ("100", "main", None, "reno", "89501")),
    ("N6W23001 Bluemound Rd, Pewaukee WI 53072", "N6W23001 Bluemound Rd, Pewaukee, WI 53072",
     ("n6w23001", "bluemound", None, "pewaukee", "53072")),
    ("One Main Street, Reno NV 89501", "One Main St, Reno, NV 89501", ("1", "main", None, "reno", "89501")),
    # streets
    ("12 Lost Cove, Reno, NV 89501", "12 Lost Cv, Reno, NV 89501",
     ("12", "lostcv", None, "reno", "89501")),
    ("470 South Street, Ortonville, MI 48462", "470 South St, Ortonville, MI 48462",
     ("470", "south", None, "ortonville", "48462")),
    ("456 US HIGHWAY 50 E, FALLON NV 89406", "456 US Highway 50 E, Fallon, NV 89406", ("456", "hwy50", None, "fallon", "89406")),
    ("123 County Road 12, Elko NV 89801", "123 County Road 12, Elko, NV 89801", ("123", "cr12", None, "elko", "89801")),
    ("12 Lucerne Dr S E, Grand Rapids, MI 49546", "12 Lucerne Dr SE, Grand Rapids, MI 49546",
     ("12", "lucerne", None, "grandrapids", "49546")),
    ("1600 Pennsylvania Ave NW Washington DC 20500", "1600 Pennsylvania Ave NW, Washington, DC 20500",
     ("1600", "pennsylvania", None, "washington", "20500")),
    ("12 O'Brien Way, Saint Paul MN 55101", "12 O'Brien Way, Saint Paul, MN 55101", ("12", "obrien", None, "stpaul", "55101")),
    # units
    ("12 Oak St Apt #4, Reno NV 89501", "12 Oak St Apt 4, Reno, NV 89501", ("12", "oak", "4", "reno", "89501")),
    ("500 Main St 2nd Floor, Reno NV 89501", "500 Main St Fl 2, Reno, NV 89501",
     ("500", "main", "2", "reno", "89501")),
    ("Suite 5, 100 Main St, Reno, NV 89501", "100 Main St Ste 5, Reno, NV 89501", ("100", "main", "5", "reno", "89501")),
    ("1050 W 4th St Building 3 Suite 200, Reno, NV", "1050 W 4th St Bldg 3 Ste 200, Reno, NV",
     ("1050", "4", "3", "reno", None)),
    # boxes, routes, military, the counter
    ("P.O.B. 12, Austin TX 78701", "PO Box 12, Austin, TX 78701", ("12", "pobox", None, "austin", "78701")),
    ("Post Office Box 12, Austin TX 78701", "PO Box 12, Austin, TX 78701", ("12", "pobox", None, "austin", "78701")),
    ("123 Main St, PO Box 44, Reno, NV 89501", "123 Main St, PO Box 44, Reno, NV 89501", ("44", "pobox", None, "reno", "89501")),
    ("RR 02 BOX 18-D, Bangor ME 04401", "RR 2 Box 18D, Bangor, ME 04401", ("18d", "rr2", None, "bangor", "04401")),
    ("Rural Route 2 Box 15, Bangor ME", "RR 2 Box 15, Bangor, ME", ("15", "rr2", None, "bangor", None)),
    ("RD 2 Box 15, Bangor ME", "RR 2 Box 15, Bangor, ME", ("15", "rr2", None, "bangor", None)),
    ("Highway Contract Route 3 Box 5, Elko NV", "HC 3 Box 5, Elko, NV", ("5", "hc3", None, "elko", None)),
    ("Star Route 3 Box 4, Elko NV", "HC 3 Box 4, Elko, NV", ("4", "hc3", None, "elko", None)),
    ("PSC 1234 Box 5678, APO AE 09204", "PSC 1234 Box 5678, APO, AE 09204", ("5678", "psc1234", None, "apo", "09204")),
    ("unit 2050 box 4190, fpo ap 96278", "Unit 2050 Box 4190, FPO, AP 96278", ("4190", "unit2050", None, "fpo", "96278")),
    ("GENERAL DELIVERY TAMPA FL 33602-9999", "General Delivery, Tampa, FL 33602-9999",
     (None, "generaldelivery", None, "tampa", "33602")),
    # crossings
    ("Main Street & 5th Avenue, Chicago, IL", "Main St & 5th Ave, Chicago, IL", (None, "5&main", None, "chicago", None)),
    ("corner of 5th Ave and Main St, Chicago IL", "5th Ave & Main St, Chicago, IL", (None, "5&main", None, "chicago", None)),
    # places
    ("12 Oak St, Pago Pago AS 96799", "12 Oak St, Pago Pago, AS 96799", ("12", "oak", None, "pagopago", "96799")),
    ("12 Oak St, Hartford, Conn 06103", "12 Oak St, Hartford, CT 06103", ("12", "oak", None, "hartford", "06103")),
    ("12 Oak St, Fort Mill, South Carolina 29715 United States", "12 Oak St, Fort Mill, SC 29715",
     ("12", "oak", None, "ftmill", "29715")),
]  # fmt: skip


@pytest.mark.parametrize(("line", "shown", "compared"), SPELLED)
def test_an_address_is_spelled_as_publication_28_does_and_stays_so(line, shown, compared):
    address, again = read(line), read(shown)
    assert (address["value"], address["rule"], tuple(address[name] for name in COMPARED)) == (shown, None, compared)
    assert again == address


@pytest.mark.parametrize("line", ["somewhere over there", "North Main St", "attn the usual", "12", "Reno, NV 89501"])
def test_what_is_not_understood_stays_as_given(line):
    address = read(line)
    assert (address["value"], address["rule"]) == (line, "not_an_address")
    assert read(line) == address


def test_labelled_addresses_read_again_stay_as_they_are_but_for_a_few_of_the_messiest():
    lines = [" ".join(line.split()) for line, _ in read_labelled()]
    first = [read(line) for line in lines]
    changed = [line for line, address in zip(lines, first, strict=True) if read(address["value"]) != address]
    assert len(changed) < 0.03 * len(lines)


def test_columns_spell_a_place_as_a_line_does():
    line = read("12 Oak St, St. Louis, Missouri 63101")
    columns = read(None, address_line1="12 OAK STREET", city="ST. LOUIS", region="mo", postal_code="63101")
    assert line["value"] == columns["value"] == "12 Oak St, St Louis, MO 63101"


@pytest.mark.parametrize(
    ("part", "text", "spelled"),
    [
        ("suffix", "AVENUE", "Ave"),
        ("suffix", "Boulv.", "Blvd"),
        ("suffix", "Park Road", "Park Rd"),
        ("suffix", "Allee", "Aly"),
        ("suffix", "Strasse", "Strasse"),
        ("predirectional", "SOUTH WEST", "SW"),
        ("postdirectional", "n.e.", "NE"),
        ("unit", "SUITE 12", "Ste 12"),
        ("unit", "apartment b", "Apt B"),
        ("unit", "Penthouse", "Ph"),
        ("unit", "Third Floor", "Fl 3"),
        ("unit", "# 4b", "# 4B"),
        ("region", "N.Y.", "NY"),
        ("region", "Calif", "CA"),
        ("region", "Ontario", "Ontario"),
        ("city", "NEW YORK", "New York"),
        ("city", "APO", "APO"),
        ("house_number", "12b", "12B"),
        ("country", "USA", ""),
    ],
)
def test_a_part_is_spelled(part, text, spelled):
    assert spell_part(part, text) == spelled
    assert spell_part(part, spelled) == spelled


@pytest.mark.parametrize("table", [SUFFIXES, UNITS, DIRECTIONS, STATES])
def test_every_standard_spelling_is_its_own(table):
    assert all(table[standard.lower()] == standard for standard in table.values())


def test_all_states_and_suffixes_are_there():
    assert len(set(STATES.values())) == 50 + 1 + 5 + 3 + 3  # states, DC, territories, associated states, military
    assert len(set(SUFFIXES.values())) > 190
    assert json.loads(read("12 Oak St, San Juan, Puerto Rico 00901")["parts"])["region"] == "PR"
