"""All customers of the world: persons and enterprises with where they live, how to reach them, and who belongs together."""

from typing import Final, NamedTuple

import numpy as np
import polars as pl

from custview_pipeline.demo.chance import Chance
from custview_pipeline.demo.enterprises import make_enterprises
from custview_pipeline.demo.identifiers import cn_ric, us_ssn
from custview_pipeline.demo.mailboxes import make_family_mailboxes, make_mailboxes
from custview_pipeline.demo.people import make_people, titles
from custview_pipeline.demo.places import PLACES, make_places, move_within_town, share_buildings
from custview_pipeline.demo.telephones import make_landlines, make_mobiles

ENTERPRISE_SHARE: Final = 0.12
_HEAD: Final = 0
_FIRST_CHILD: Final = 2


class Customers(NamedTuple):
    """Everything true about the customers of a world.

    Attributes:
        customers: One row each: ``customer`` (the row), ``entity`` and ``household`` (ids), ``is_enterprise``, names,
            ``birth_date``, contacts, identifiers; ``home`` and ``former_home`` are rows of ``places``, ``parent`` is a row of
            this frame.
        places: Addresses, columns of ``PLACES``.
    """

    customers: pl.DataFrame
    places: pl.DataFrame


def make_customers(count: int, chance: Chance) -> Customers:
    """Return about ``count`` customers, persons first."""
    enterprises = make_enterprises(max(2, round(count * ENTERPRISE_SHARE)), chance.apart("enterprises"))
    people = make_people(max(2, count - enterprises.height), chance.apart("people"))
    people, homes = find_homes(people, chance.apart("homes"))
    people = _with_contacts(people, homes, chance.apart("contacts"))
    people = _with_identifiers(people, chance.apart("identifiers"))
    people = find_employers(people, enterprises, chance.apart("employers"))
    offices = enterprises.select(PLACES.names())
    firms = enterprises.drop(name for name in PLACES if name != "country").with_columns(
        home=pl.int_range(pl.len()) + homes.height,
        parent=pl.col("parent") + people.height,
        is_enterprise=pl.lit(value=True),
    )
    everybody = pl.concat([people.with_columns(is_enterprise=pl.lit(value=False)), firms], how="diagonal")
    return Customers(_with_ids(everybody), pl.concat([homes, offices]))


def _with_ids(customers: pl.DataFrame) -> pl.DataFrame:
    """Return the customers with ids of entity and household; an enterprise is a household of its own."""
    row = pl.int_range(pl.len())
    household = pl.when(pl.col("is_enterprise")).then(row + pl.col("household").max() + 1).otherwise(pl.col("household"))
    return customers.with_columns(
        customer=row,
        entity="E" + row.cast(pl.String).str.zfill(8),
        household="H" + household.cast(pl.String).str.zfill(8),
    )


def find_homes(people: pl.DataFrame, chance: Chance) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Trick: moves. Return the people with ``home`` and ``former_home``, rows of the places returned beside them.

    A household lives at one address; some have moved all together, some grown children have left alone, and stay family.
    """
    count = people.height
    countries = people["country"].to_numpy().astype(str)
    heads = _heads(people).to_numpy().astype(np.int64)
    has_moved = chance.happens(count, 0.16)[heads]
    has_left = (people["place"].to_numpy() >= _FIRST_CHILD) & chance.happens(count, 0.18)
    homes = share_buildings(make_places(countries, chance.apart("now")), chance.apart("buildings"))
    before = move_within_town(homes, make_places(countries, chance.apart("before")), chance.apart("same town"))
    former = np.where(has_left, heads, np.where(has_moved, heads + count, -1))
    placed = people.with_columns(
        home=pl.Series(np.where(has_left, np.arange(count), heads)),
        former_home=pl.Series(former),
    ).with_columns(former_home=pl.when(pl.col("former_home") >= 0).then(pl.col("former_home")))
    return placed, pl.concat([homes, before])


def _with_contacts(people: pl.DataFrame, homes: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """Return the people with two mailboxes, two mobiles, the household's landline and, in some families, a common mailbox."""
    here = homes[people["home"]]
    return people.with_columns(
        email=make_mailboxes(people, chance.apart("email")),
        second_email=make_mailboxes(people, chance.apart("second email")),
        family_email=make_family_mailboxes(people, chance.apart("family email")),
        mobile=share_mobiles(people, make_mobiles(here, chance.apart("mobiles")), chance.apart("shared mobiles")),
        second_mobile=make_mobiles(here, chance.apart("second mobiles")),
        landline=share_landlines(people, make_landlines(here, chance.apart("landlines")), chance.apart("shared landlines")),
        title=titles(people, chance.apart("titles")),
    )


def share_mobiles(people: pl.DataFrame, mobiles: pl.Series, chance: Chance, share: float = 0.06) -> pl.Series:
    """Trick: one mobile in a family. Return the people's mobile numbers; some give that of the head of their household."""
    is_shared = (people["place"] > _HEAD) & pl.Series(chance.happens(people.height, share))
    return mobiles.gather(_heads(people)).zip_with(is_shared, mobiles)


def share_landlines(people: pl.DataFrame, landlines: pl.Series, chance: Chance, share: float = 0.55) -> pl.Series:
    """Trick: one landline in a household. Return its number for all who live together, where it has one."""
    of_home = landlines.gather(people["home"])
    has_one = pl.Series(chance.happens(people.height, share)).gather(people["home"])
    return of_home.set(~has_one, None)


def _heads(people: pl.DataFrame) -> pl.Series:
    """Return the row of the head of each person's household; households stand together, in order."""
    return people["household"].search_sorted(people["household"])


def _with_identifiers(people: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    return people.with_columns(
        ssn=pl.when(pl.col("country") == "US").then(us_ssn(people.height, chance)),
        ric=pl.when(pl.col("country") == "CN").then(cn_ric(people["birth_date"], people["gender"], chance)),
    )


def find_employers(people: pl.DataFrame, enterprises: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """Trick: office contacts. A quarter of the people work for an enterprise of their country: its name, switchboard, mailbox."""
    name = pl.concat_str("enterprise_core", "legal_form", separator=" ", ignore_nulls=True)
    offices = enterprises.select("country", office_phone="landline", office_email="email", employer=name)
    countries = people["country"].to_numpy().astype(str)
    employer = np.zeros(people.height, dtype=np.int64)
    works = chance.happens(people.height, 0.25)
    for country in ("US", "GB", "CN"):
        firms = np.flatnonzero(offices["country"].to_numpy().astype(str) == country)
        staff = np.flatnonzero(countries == country)
        if not len(firms):
            works[staff] = False
            continue
        employer[staff] = firms[chance.whole(0, len(firms) - 1, len(staff))]
    contacts = offices[employer].drop("country")
    return people.with_columns(pl.when(pl.Series(works)).then(contacts[name]).alias(name) for name in contacts.columns)
