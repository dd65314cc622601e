"""What makes the demo hard: each trick is played, in a share one meets in life, and can be seen in the data."""

import polars as pl
import pytest

from custview_pipeline.demo.chance import Chance
from custview_pipeline.demo.corruption import BEFORE_PLACES, TRICKS
from custview_pipeline.demo.coverage import customers_needed
from custview_pipeline.demo.customers import Customers, make_customers
from custview_pipeline.demo.mistakes import misspell
from custview_pipeline.demo.people import make_people


@pytest.fixture(scope="module")
def world() -> Customers:
    return make_customers(customers_needed(5000), Chance(1, "world").apart("customers"))


@pytest.fixture(scope="module")
def people(world: Customers) -> pl.DataFrame:
    return world.customers.filter(~pl.col("is_enterprise"))


@pytest.fixture(scope="module")
def enterprises(world: Customers) -> pl.DataFrame:
    return world.customers.filter(pl.col("is_enterprise"))


@pytest.mark.parametrize("trick", [*BEFORE_PLACES, *TRICKS], ids=lambda trick: trick.name)
def test_every_trick_befalls_some_records_of_a_small_world(demo, trick):
    assert 0 < demo.tricks[trick.name] < 0.5 * demo.records


def test_customers_come_from_three_countries_and_most_are_persons(world):
    shares = dict(world.customers["country"].value_counts(normalize=True).iter_rows())
    assert shares["US"] == pytest.approx(0.55, abs=0.06)
    assert shares["CN"] == pytest.approx(0.25, abs=0.06)
    assert shares["GB"] == pytest.approx(0.20, abs=0.06)
    assert world.customers["is_enterprise"].mean() == pytest.approx(0.12, abs=0.02)


def test_households_share_home_name_landline_and_sometimes_a_mailbox(people):
    together = people.filter(pl.col("size") > 1).group_by("household")
    shared = together.agg(
        homes=pl.col("home").n_unique(),
        families=pl.col("family").n_unique(),
        landlines=pl.col("landline").drop_nulls().len() - pl.col("landline").drop_nulls().n_unique(),
        mailbox=pl.col("family_email").is_not_null().all(),
        mobiles=pl.len() - pl.col("mobile").n_unique(),
    )
    assert (shared["homes"] == 1).mean() > 0.8
    assert (shared["families"] == 1).mean() > 0.4
    assert (shared["landlines"] > 0).mean() > 0.3
    assert shared["mailbox"].sum() > 10
    assert shared["mobiles"].sum() > 10


def test_twins_share_birth_date_family_name_and_parents_but_not_themselves(people):
    children = people.filter(pl.col("place") >= 2)
    twins = children.filter(pl.struct("household", "birth_date").is_duplicated())
    assert twins.height > 4
    assert twins["entity"].is_unique().all()
    assert twins.group_by("household").agg(pl.col("family").n_unique())["family"].max() == 1


def test_fathers_and_sons_of_one_name_differ_in_suffix_and_birth_date(people):
    sons = people.filter(pl.col("suffix").is_not_null(), pl.col("place") == 2)
    fathers = people.filter(pl.col("suffix").is_not_null(), pl.col("place") == 0)
    pairs = sons.join(fathers, on=["household", "given", "family"], suffix="_father")
    assert pairs.height == sons.height > 2
    assert (pairs["suffix"] != pairs["suffix_father"]).all()
    assert (pairs["birth_date"] > pairs["birth_date_father"]).all()
    assert set(pairs["suffix"]) <= {"Jr", "III"}


def test_many_have_a_name_from_before_marriage(people):
    assert 0.05 < people["former_family"].is_not_null().mean() < 0.3
    assert (people["former_family"].drop_nulls() != "").all()


def test_strangers_share_a_name(people):
    bearers = people.group_by("given", "family", "culture").agg(pl.col("household").n_unique())
    assert bearers.filter(pl.col("household") > 1).height > 20


def test_no_two_of_a_household_have_one_name_but_father_and_son(people):
    doubles = people.filter(pl.struct("household", "given", "family").is_duplicated())
    assert doubles["suffix"].is_null().mean() < 0.2
    assert doubles.height < 0.02 * people.height


def test_children_are_younger_than_their_parents(people):
    heads = people.filter(pl.col("place") == 0).select("household", head="birth_date")
    children = people.filter(pl.col("place") >= 2).join(heads, on="household")
    assert ((children["birth_date"] - children["head"]).dt.total_days() > 19 * 365).all()


def test_branches_are_enterprises_of_their_own_at_addresses_of_their_own(world, enterprises):
    branches = enterprises.filter(pl.col("parent").is_not_null())
    parents = world.customers[branches["parent"].to_numpy()]
    assert branches.height > 10
    assert (branches["entity"] != parents["entity"]).all()
    assert (branches["enterprise_core"] == parents["enterprise_core"]).all()
    assert (branches["home"] != parents["home"]).all()
    assert parents["parent"].is_null().all()


def test_some_contacts_have_two_mailboxes_two_addresses_and_an_employer(files):
    support, billing = files["support"], files["billing"]
    both = support.filter(pl.col("E-Mail").is_not_null() & pl.col("E-Mail 2").is_not_null())
    homes = support.filter(pl.col("Delivery address").is_not_null())
    assert both.filter(pl.col("E-Mail") != pl.col("E-Mail 2")).height > 20
    assert homes.filter(pl.col("Delivery address") != pl.col("Postal address")).height > 20
    assert 0.05 < support["Employer"].is_not_null().mean() < 0.25
    assert 0.05 < billing["employer"].is_not_null().mean() < 0.25
    assert billing.filter(pl.col("entity_type") == "ENTERPRISE")["employer"].is_null().all()


def test_the_crm_names_the_parents_key(files):
    crm = files["crm"]
    children = crm.filter(pl.col("parent_id").is_not_null())
    assert children.height > 5
    assert set(children["parent_id"]) <= set(crm["id"].drop_nulls())
    assert (children["parent_id"] != children["id"].fill_null("")).all()


def test_moves_leave_some_records_at_the_old_address(people):
    moved = people.filter(pl.col("former_home").is_not_null())
    assert 0.1 < moved.height / people.height < 0.4
    assert (moved["home"] != moved["former_home"]).all()


@pytest.mark.parametrize(
    ("source", "column", "shown"),
    [
        ("crm", "mail", "noemail@noemail.com|none@none.com|N/A|unknown|na@na.com"),
        ("crm", "mobile", r"5{3}\D*5{3}\D*5{4}|^\D*1?\D*0{3}\D*0{3}\D*0{4}|9{3}\D*9{3}\D*9{4}|123\D*456\D*7890"),
        ("crm", "ssn", "000-00-0000|999-99-9999|N/A|123-45-6789"),
        ("crm", "born", "01/01/1900|1900-01-01"),
        ("crm", "street_address", "^(N/A|n/a|unknown|UNKNOWN|-)$"),
        ("crm", "street_address", r"\b\d{5}-\d{4}\b"),
        ("crm", "street_address", r" (St|Ave|Rd)\b\.?"),
        ("crm", "street_address", "#[0-9]+"),
        ("crm", "street_address", "市.+区.+路.*号.*栋.*室"),
        ("crm", "landline", r" (x|ext\. )\d{3}$"),
        ("crm", "customer_name", r"^\p{Han}{2,4}$"),
        ("crm", "customer_name", "有限公司"),
        ("crm", "customer_name", r"\b(Inc\.|Incorporated)"),
        ("crm", "customer_name", "Limited"),
        ("crm", "customer_name", r"^[A-Z' -]{8,}$"),
        ("web_shop", "native_name", r"^\p{Han}{2,5}$"),
        ("web_shop", "first_name", "^(Bill|Bob|Mike|Jim|Liz|Kate|Dave|Chris|Tom|Jen)$"),
        ("billing", "former_family_name", "^[A-Z]"),
        ("billing", "suffix", "^(Jr|Sr|III)$"),
        ("billing", "national_id", r"^\d{17}[0-9X]$"),
        ("support", "Contact (Last, First)", r"^\w+, \w+ [A-Z]$"),
        ("support", "Tel.", r"^\+86"),
        ("support", "Tel.", r"^\d{3}\.\d{3}\.\d{4}$"),
        ("support", "Tel.", r"^\(\d{3}\) \d{3}-\d{4}$"),
    ],
)
def test_a_trick_shows_in_the_files(files, source, column, shown):
    assert files[source].filter(pl.col(column).str.contains(shown)).height > 0


def test_a_person_is_in_characters_in_one_system_and_in_pinyin_in_another(files, truth):
    crm = files["crm"].select(source_key="id", crm_name="customer_name")
    shop = files["web_shop"].select(source_key="customer_no", shop_name="last_name")
    both = (
        truth.filter(pl.col("source_system") == "crm")
        .join(crm, on="source_key")
        .join(truth.filter(pl.col("source_system") == "web_shop").join(shop, on="source_key"), on="entity")
    )
    is_mixed = pl.col("crm_name").str.contains(r"^\p{Han}+$") & pl.col("shop_name").str.contains("^[A-Za-z]+$")
    assert both.filter(is_mixed).height > 20


def test_a_misspelt_word_is_one_slip_away_and_keeps_its_first_letter():
    words = pl.Series(["Henderson", "Smith", "Ford", "O'Neill"] * 200)
    slips = misspell(words, Chance(5, "slips"))
    assert (slips.str.head(1) == words.str.head(1)).all()
    assert ((slips.str.len_chars().cast(pl.Int8) - words.str.len_chars().cast(pl.Int8)).abs() <= 1).all()
    assert (slips != words).mean() > 0.9


@pytest.mark.parametrize("count", [1, 2, 17])
def test_a_tiny_world_has_people_too(count):
    assert make_people(count, Chance(3, "tiny")).height >= count
