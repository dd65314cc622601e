"""What matching compares of a record: several of everything, names in any order, and words that mean one thing."""

import pytest

from custview_pipeline.contracts.match_features import FURTHER_ADDRESS_PARTS
from custview_pipeline.contracts.source_contract import SourceColumn
from custview_pipeline_tests.standardisation.contracts import contract_of, run

PERSON = contract_of(
    SourceColumn("name", "full_name"),
    SourceColumn("first", "given_name"),
    SourceColumn("last", "family_name"),
    SourceColumn("maiden", "family_name"),
    SourceColumn("native", "native_name"),
    SourceColumn("mail", "email"),
    SourceColumn("mail2", "email"),
    SourceColumn("employer", "employer"),
    SourceColumn("country", "country"),
)
PLACES = contract_of(SourceColumn("home", "address"), SourceColumn("work", "address"), SourceColumn("summer", "address"))
NUMBERS = contract_of(
    SourceColumn("ssn", "national_id", scheme="us.ssn"),
    SourceColumn("nino", "national_id", scheme="gb.nino"),
    SourceColumn("passport", "national_id", scheme="passport"),
    SourceColumn("member", "national_id", scheme="member_no"),
)
ENTERPRISE = contract_of(SourceColumn("name", "legal_name"))
HOME, WORK, SUMMER = "12 Oak Ave Apt 3, Reno, NV 89501", "PO Box 9, Reno, NV 89505", "7 Elm St, Reno, NV"


def features_of(contract, **row):
    return run(contract, {"id": "1", **row}).features.row(0, named=True)


def test_every_email_of_a_record_is_compared_and_the_first_one_stays_the_first():
    features = features_of(PERSON, name="Jane Doe", mail="zoe@acme.org; jane@acme.org", mail2="Jane@acme.org")
    assert features["emails"] == ["jane@acme.org", "zoe@acme.org"]
    assert (features["email"], features["email_local"]) == ("zoe@acme.org", "zoe")


@pytest.mark.parametrize(
    ("employer", "compared"),
    [
        ("Acme Widgets, Inc.", "acmewidgets"),
        ("ACME WIDGETS", "acmewidgets"),
        ("Smith & Sons Ltd", "smithsons"),
        ("self-employed", None),
        ("Retired", None),
        ("退休", None),
        ("Inc.", None),
        (None, None),
    ],
)
def test_an_employer_is_compared_as_an_enterprise_is(employer, compared):
    assert features_of(PERSON, name="Jane Doe", employer=employer)["employer"] == compared


def test_further_addresses_are_lists_of_one_length_with_nulls_where_a_part_is_missing():
    features = features_of(PLACES, home=HOME, work=WORK, summer=SUMMER)
    assert (features["house_number"], features["street"]) == ("12", "oak")
    assert {name: features[name] for name in FURTHER_ADDRESS_PARTS.values()} == {
        "further_house_numbers": ["9", "7"],
        "further_streets": ["pobox", "elm"],
        "further_units": [None, None],
        "further_cities": ["reno", "reno"],
        "further_postal_codes": ["89505", None],
    }


@pytest.mark.parametrize(
    "row",
    [
        {"home": HOME},
        {"work": HOME},
        {"home": HOME, "work": HOME.upper()},
        {"home": "???", "work": HOME, "summer": HOME},
        {"home": "n/a", "summer": HOME},
    ],
)
def test_an_address_that_repeats_another_or_says_nothing_is_no_further_one(row):
    features = features_of(PLACES, **row)
    assert (features["street"], features["further_streets"], features["further_units"]) == ("oak", [], [])


def test_numbers_that_a_customer_has_one_of_stand_apart_where_they_are_valid():
    row = {"ssn": "536-90-4399", "nino": "AB123456C", "passport": "X1234567", "member": "4711-0815"}
    features = features_of(NUMBERS, **row)
    assert features["national_ids"] == ["gb.nino\x1fAB123456", "us.ssn\x1f536904399"]
    assert features["national_id_schemes"] == ["gb.nino", "us.ssn"]
    assert features["identifier_schemes"] == ["gb.nino", "member_no", "passport", "us.ssn"]
    assert features_of(NUMBERS, ssn="000-12-3456", nino="QQ123456C")["national_ids"] == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"name": "Smith, John"}, {"name": "John Smith"}),
        ({"first": "John", "last": "Smith"}, {"name": "SMITH, JOHN"}),
        ({"name": "Wang Xiaoming", "country": "CN"}, {"native": "王小明", "country": "CN"}),
        ({"first": "Xiaoming", "last": "Shan"}, {"native": "单小明", "country": "CN"}),
        ({"first": "Juan", "last": "De la Cruz"}, {"first": "Juan", "last": "Delacruz"}),
        ({"first": "Ann", "last": "Smith-Jones"}, {"first": "Ann", "last": "Smith Jones"}),
        ({"first": "Ann", "last": "Dobs9on"}, {"first": "Ann", "last": "Dobson"}),
        ({"first": "Thomas", "last": "Macaulay 10th"}, {"first": "Thomas", "last": "Macaulay"}),
    ],
    ids=["inverted", "columns", "pinyin", "surname reading", "particles", "hyphen", "digit", "ordinal"],
)
def test_one_name_in_two_ways_is_compared_alike(one, other):
    first, second = features_of(PERSON, **one), features_of(PERSON, **other)
    assert (first["given"], first["family"]) == (second["given"], second["family"])
    assert set(first["name_words"]) & set(second["name_words"])


def test_swapped_names_have_the_same_words():
    first, second = (features_of(PERSON, first=a, last=b) for a, b in (("Grace", "Kelly"), ("Kelly", "Grace")))
    assert first["name_words"] == second["name_words"] == ["grace", "kelly"]
    assert (first["given"], first["family"]) == (second["family"], second["given"])


def test_maiden_and_native_names_are_further_words():
    assert features_of(PERSON, first="Anna", last="Smith", maiden="Jones")["name_words"] == ["anna", "jones", "smith"]
    assert features_of(PERSON, name="Anna Smith (née Jones)")["name_words"] == ["anna", "jones", "smith"]
    found = features_of(PERSON, first="Michael", last="Wang", native="王小明", country="CN")
    assert {"michael", "wang", "xiaoming"} <= set(found["name_words"])


@pytest.mark.parametrize(
    ("name", "lead"),
    [
        ("University of Nowhere Press", "university nowhere"),
        ("Centers for New Horizons", "centers new"),
        ("Acme", "acme"),
        ("Of The", "of"),
        ("Banco de la Nada, S.A.", "banco nada"),
    ],
)
def test_the_lead_of_an_enterprise_is_words_that_tell(name, lead):
    assert features_of(ENTERPRISE, name=name)["enterprise_lead"] == lead


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Smith & Sons Ltd", "SMITH AND SONS LIMITED"),
        ("Müller und Sohn GmbH", "Müller & Sohn"),
        ("Saint Mary's Hospital", "St. Marys Hospital"),
        ("Acme Intl. Center", "ACME INTERNATIONAL CENTRE"),
        ("Doe Bros. Mfg Co", "Doe Brothers Manufacturing"),
    ],
)
def test_one_enterprise_spelled_in_two_ways_is_compared_alike(one, other):
    assert features_of(ENTERPRISE, name=one)["enterprise_name"] == features_of(ENTERPRISE, name=other)["enterprise_name"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("93 E 93rd St, Reno, NV", "93 E 93 St, Reno, NV"),
        ("350 Fifth Ave, Reno, NV", "350 5th Ave, Reno, NV"),
        ("6330 S Stony Island Ave, Chicago, IL", "6330 S Stony Island, Chicago, IL"),
        ("3450-54 W 79th St, Chicago, IL", "3450 W. 79th St, Chicago, IL"),
    ],
)
def test_one_house_written_in_two_ways_is_compared_alike(one, other):
    first, second = features_of(PLACES, home=one), features_of(PLACES, home=other)
    assert (first["house_number"], first["street"]) == (second["house_number"], second["street"])


def test_a_house_of_queens_is_no_range():
    assert features_of(PLACES, home="37-52 82nd St, Flushing, NY 11372")["house_number"] == "3752"
