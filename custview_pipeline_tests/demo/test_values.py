"""Values keep the rules of their field where no trick says otherwise: identifiers, telephones, mailboxes, postal codes."""

import phonenumbers
import polars as pl
import pytest
from email_validator import validate_email
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import ric, uscc
from stdnum.us import ein, ssn

from custview_pipeline.demo.chance import Chance
from custview_pipeline.demo.customers import make_customers
from custview_pipeline.demo.pools import load_pool
from custview_pipeline.demo.telephones import write_numbers

MANY = 3000


@pytest.fixture(scope="module")
def customers() -> pl.DataFrame:
    return make_customers(MANY, Chance(11, "values")).customers


@pytest.mark.parametrize(("column", "standard"), [("ssn", ssn), ("ric", ric), ("ein", ein), ("uscc", uscc)])
def test_identifiers_keep_their_standard_and_are_never_given_twice(customers, column, standard):
    numbers = customers[column].drop_nulls()
    assert len(numbers) > 50
    assert all(standard.is_valid(number) for number in numbers)
    assert numbers.is_unique().all()


def test_chinese_numbers_hold_the_birth_date_and_the_gender(customers):
    chinese = customers.filter(pl.col("ric").is_not_null())
    assert (chinese["ric"].str.slice(6, 8) == chinese["birth_date"].dt.strftime("%Y%m%d")).all()
    assert ((chinese["ric"].str.slice(16, 1).cast(pl.Int8) % 2 == 1) == (chinese["gender"] == "m")).all()


@pytest.mark.parametrize("column", ["mobile", "second_mobile", "landline"])
def test_telephones_are_valid_however_they_are_written(customers, column):
    held = customers.filter(pl.col(column).is_not_null())
    written = write_numbers(held[column], held["country"], Chance(2, "styles"))
    for number, country in zip(written, held["country"], strict=True):
        assert phonenumbers.is_valid_number(phonenumbers.parse(number, country)), (number, country)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_number_is_the_same_in_every_format(seed):
    numbers = pl.Series(["212 7654321", "7711 900123", "20 79460123", "138 00138000", "755 61234567"])
    countries = pl.Series(["US", "GB", "GB", "CN", "CN"])
    written = write_numbers(numbers, countries, Chance(seed, "styles"))
    read = [phonenumbers.parse(number, country) for number, country in zip(written, countries, strict=True)]
    assert [str(number.national_number) for number in read] == list(numbers.str.replace(" ", ""))


@pytest.mark.parametrize("column", ["email", "second_email", "family_email", "office_email"])
def test_mailboxes_are_accepted_by_the_validator(customers, column):
    mailboxes = customers[column].drop_nulls()
    assert len(mailboxes) > 50
    for mailbox in mailboxes:
        validate_email(mailbox, check_deliverability=False)


def test_nobody_has_the_first_mailbox_of_another(customers):
    people = customers.filter(~pl.col("is_enterprise"))
    assert people["email"].is_unique().all()


@pytest.mark.parametrize(
    ("pool", "column", "at_least"),
    [
        ("us_given_names", "name", 400),
        ("gb_given_names", "name", 400),
        ("us_family_names", "name", 1000),
        ("gb_family_names", "name", 1000),
        ("cn_family_names", "latin", 100),
        ("cn_given_names", "name", 200),
        ("us_cities", "city", 300),
        ("gb_towns", "city", 80),
        ("cn_districts", "city", 60),
        ("us_streets", "name", 300),
        ("gb_streets", "name", 200),
        ("cn_streets", "street", 800),
    ],
)
def test_pools_are_large(pool, column, at_least):
    assert load_pool(pool).rows[column].n_unique() >= at_least


def test_common_names_come_often():
    drawn = load_pool("us_family_names").draw(Chance(1, "names"), 20_000)["name"]
    assert drawn.value_counts(sort=True)["count"][0] > 20 * drawn.value_counts()["count"].median()


def test_american_zip_codes_begin_as_their_city_does():
    cities = load_pool("us_cities").rows
    assert cities["zip_prefix"].str.contains(r"^\d{3}$").all()
    assert cities["region"].n_unique() == 51
