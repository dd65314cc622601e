"""Addresses in Latin letters outside the United States."""

import json

import pytest

from custview_pipeline.standardisation.addresses.addresses import ADDRESS, AddressCells, read_address

COMPARED = ("house_number", "street", "unit", "city", "postal_code")


def read(country, line=None, **cells):
    return dict(zip(ADDRESS, read_address(*AddressCells(address=line, **cells), country)[0], strict=True))


CASES = [
    ("GB", "Flat 2, 14 High Street, Guildford, Surrey, GU1 3AA", "Flat 2, 14 High Street, Guildford, Surrey GU1 3AA",
     ("14", "high", "2", "guildford", "gu13aa")),
    ("GB", "14 HIGH STREET, LEATHERHEAD, SURREY KT228AA, United Kingdom", "14 High Street, Leatherhead, Surrey KT22 8AA",
     ("14", "high", None, "leatherhead", "kt228aa")),
    ("GB", "14 High St, Guildford, GU1 3AA, UK", "14 High St, Guildford GU1 3AA", ("14", "high", None, "guildford", "gu13aa")),
    ("GB", "Apartment 6, Rose Cottage Mill Rd, Dundee, DD1 4UN", "Apartment 6, Rose Cottage Mill Rd, Dundee DD1 4UN",
     (None, "rosecottagemill", "6", "dundee", "dd14un")),
    ("GB", "Unit 5 Riverside Estate, Mill Lane, Leeds LS1 4AB", "Unit 5 Riverside Estate, Mill Lane, Leeds LS1 4AB",
     (None, "mill", "5", "leeds", "ls14ab")),
    ("GB", "PO Box 12, Leeds LS1 4AB", "PO Box 12, Leeds LS1 4AB", ("12", "pobox", None, "leeds", "ls14ab")),
    ("DE", "Hauptstr. 5-7, D-10115 Berlin, Germany", "Hauptstr. 5-7, 10115 Berlin",
     ("5", "hauptstrasse", None, "berlin", "10115")),
    ("DE", "Hauptstraße 5, Berlin 10115", "Hauptstraße 5, 10115 Berlin", ("5", "hauptstrasse", None, "berlin", "10115")),
    ("FR", "12 bis rue de la Paix, 75002 Paris, France", "12 bis rue de la Paix, 75002 Paris",
     ("12", "ruedelapaix", None, "paris", "75002")),
    ("NL", "Damrak 1-III, 1012LG Amsterdam", "Damrak 1-III, 1012LG Amsterdam", ("1", "damrak", None, "amsterdam", "1012lg")),
    ("ES", "Calle Mayor 5, 28013 Madrid, España", "Calle Mayor 5, 28013 Madrid", ("5", "callemayor", None, "madrid", "28013")),
    ("SE", "Storgatan 5, 111 51 Stockholm", "Storgatan 5, 111 51 Stockholm", ("5", "storgatan", None, "stockholm", "11151")),
    ("CA", "123 Main St, Toronto, ON M5V 2T6, Canada", "123 Main St, Toronto, ON M5V 2T6",
     ("123", "main", None, "toronto", "m5v2t6")),
    ("AU", "Unit 4, 12 George St, Sydney NSW 2000", "Unit 4, 12 George St, Sydney, NSW 2000",
     ("12", "george", "4", "sydney", "2000")),
    ("IE", "12 O'Connell Street, Limerick, V94 T9PX", "12 O'Connell Street, Limerick V94 T9PX",
     ("12", "oconnell", None, "limerick", "v94t9px")),
    ("JP", "1-2-3 Ginza, Tokyo 104-0061", "1-2-3 Ginza, Tokyo 104-0061", ("1", "ginza", None, "tokyo", "1040061")),
    ("CN", "Room 2204, Building 4, No. 188 Zhujiang West Road, Shizhong District, Jinan, Shandong 250000, China",
     "Room 2204, Building 4, No. 188 Zhujiang West Road, Shizhong District, Jinan, Shandong 250000",
     ("188", "zhujiangxi", "2204", "jinan", "250000")),
    ("CN", "No. 5 Youhao South Rd, Tianshan District, Urumqi, Xinjiang 830000",
     "No. 5 Youhao South Rd, Tianshan District, Urumqi, Xinjiang 830000", ("5", "youhaonan", None, "wulumuqi", "830000")),
]  # fmt: skip


@pytest.mark.parametrize(("country", "line", "shown", "compared"), CASES)
def test_an_address_is_divided_as_its_country_writes_it_and_stays_so(country, line, shown, compared):
    address, again = read(country, line), read(country, shown)
    assert (address["value"], address["rule"], tuple(address[name] for name in COMPARED)) == (shown, None, compared)
    assert again == address


def test_county_and_post_town_are_told_apart():
    parts = json.loads(read("GB", "Flat 2, 14 High Street, Guildford, Surrey, GU1 3AA")["parts"])
    assert parts == {
        "unit": "Flat 2",
        "house_number": "14",
        "street": "High Street",
        "city": "Guildford",
        "region": "Surrey",
        "postal_code": "GU1 3AA",
        "country": "GB",
    }


def test_a_chinese_address_in_latin_letters_meets_the_one_in_characters():
    latin = read("CN", "Room 1201, Building 3, No. 88 Jianguo Road, Chaoyang District, Beijing")
    characters = read("CN", "北京市朝阳区建国路88号3号楼1201室")
    assert [latin[name] for name in COMPARED] == [characters[name] for name in COMPARED]
    assert json.loads(latin["parts"])["district"] == "Chaoyang District"


def test_columns_of_place_add_to_the_line():
    address = read("GB", address_line1="14 HIGH STREET", city="GUILDFORD", region="SURREY", postal_code="gu13aa")
    assert address["value"] == "14 High Street, Guildford, Surrey GU1 3AA"
    assert read("GB", address["value"]) == address


@pytest.mark.parametrize(("country", "line"), [("GB", "The Old Mill"), ("DE", "irgendwo"), ("GB", "c/o the usual")])
def test_what_is_not_understood_is_kept_and_marked(country, line):
    address = read(country, line)
    assert address["rule"] == "not_an_address"
    assert read(country, address["value"]) == address
