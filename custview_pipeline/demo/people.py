"""Persons in their households: who lives with whom, when each was born, and what each is called."""

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from custview_pipeline.demo import families
from custview_pipeline.demo.chance import Chance, Numbers
from custview_pipeline.demo.pools import choose, draw_by_group, load_pool

CULTURES: Final = ("us", "us_chinese", "cn", "gb")
CULTURE_WEIGHTS: Final = (52.0, 3.0, 25.0, 20.0)
_SIZES: Final = (1, 2, 3, 4, 5)
_SIZE_WEIGHTS: Final = (56.0, 22.0, 11.0, 8.0, 3.0)
_PARTNER: Final = 1  # place in the household: 0 head, 1 partner, from 2 on children
_COUPLE: Final = 2
_MIDDLE_FROM, _YOUNG_FROM = 1955, 1980  # years of birth from which the pools' later names are given
_COUNTRY: Final = {"us": "US", "us_chinese": "US", "cn": "CN", "gb": "GB"}


def make_people(count: int, chance: Chance) -> pl.DataFrame:
    """Return at least ``count`` persons, one row each, households together.

    Columns: ``household`` (from 0), ``place`` in it, ``culture``, ``country``, ``gender`` (m, f), ``birth_date``, ``given``,
    ``middle``, ``family``, ``former_family`` (before marriage), ``suffix``, ``native_given`` and ``native_family``
    (Chinese characters; null elsewhere).
    """
    people = _households(count, chance.apart("households"))
    people = _with_births(people, chance.apart("births"))
    people = _with_names(people, chance.apart("names"))
    for trick in families.FAMILY_TRICKS:
        people = trick(people, chance.apart(trick.__name__))
    return people


def _households(count: int, chance: Chance) -> pl.DataFrame:
    sizes = np.array(_SIZES)[chance.weighted(_SIZE_WEIGHTS, count)]
    sizes = sizes[: int(np.searchsorted(sizes.cumsum(), count)) + 1]
    culture = np.array(CULTURES)[chance.weighted(CULTURE_WEIGHTS, len(sizes))]
    household = np.repeat(np.arange(len(sizes)), sizes)
    place = np.arange(len(household)) - np.repeat(sizes.cumsum() - sizes, sizes)
    head_is_male = np.where((culture == "cn") & (sizes > 1), chance.happens(len(sizes), 0.9), chance.happens(len(sizes), 0.5))
    of_head = np.repeat(head_is_male, sizes)
    drawn = chance.happens(len(household), 0.5)
    is_male = np.select([place == 0, place == _PARTNER], [of_head, of_head ^ chance.happens(len(household), 0.97)], drawn)
    frame = pl.DataFrame({"household": household, "place": place, "size": np.repeat(sizes, sizes)})
    return frame.with_columns(
        culture=pl.Series(np.repeat(culture, sizes).astype(object), dtype=pl.String),
        gender=pl.when(pl.Series(is_male)).then(pl.lit("m")).otherwise(pl.lit("f")),
    ).with_columns(country=pl.col("culture").replace_strict(_COUNTRY))


def _with_births(people: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """Return the people with ``birth_date`` and ``era`` of their name; children are 20 to 40 years younger than the head."""
    place, household = people["place"].to_numpy(), people["household"].to_numpy()
    families_from = people["size"].to_numpy() > _COUPLE
    head = np.where(families_from, chance.whole(1940, 1976, len(place)), chance.whole(1935, 2005, len(place)))
    head = head[np.searchsorted(household, household)]  # the head's draw, for all of the household
    partner = np.clip(head + chance.whole(-7, 7, len(place)), 1930, 2006)
    child = np.minimum(head + 20 + chance.whole(0, 14, len(place)) + 2 * np.maximum(place - 2, 0), 2012)
    year = np.select([place == 0, place == _PARTNER], [head, partner], child)
    births = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]") + chance.whole(0, 364, len(place))
    era = np.select([year < _MIDDLE_FROM, year < _YOUNG_FROM], ["old", "middle"], "young")
    return people.with_columns(birth_date=pl.Series(births).cast(pl.Date), era=pl.Series(era.astype(object), dtype=pl.String))


def _with_names(people: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    family = _family_names(people, chance.apart("family"))
    middle = _western_given_names(people, chance.apart("middle"))
    has_middle = pl.Series(chance.fractions(people.height)) < pl.when(pl.col("country") == "US").then(0.72).otherwise(0.5)
    called = people.with_columns(_given_names(people, chance.apart("given")))
    again = _given_names(people, chance.apart("another given"))
    is_taken = ~called.select(pl.struct("household", "given").is_first_distinct()).to_series()  # two of one name in a household
    return called.with_columns(
        *(pl.when(is_taken).then(again[name]).otherwise(pl.col(name)).alias(name) for name in again.columns),
        middle=pl.when(pl.col("culture").is_in(["us", "gb"]) & has_middle).then(middle),
        family=family["name"],
        native_family=family["native"],
        suffix=pl.lit(None, pl.String),
    ).drop("era")


def _given_names(people: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """Return ``given`` and ``native_given``; Chinese persons are called by their pinyin, those in America often in English."""
    english = pl.Series(chance.happens(people.height, 0.6)) & (pl.col("culture") == "us_chinese")
    chinese = _chinese_given_names(people, chance.apart("chinese"))
    western = _western_given_names(people, chance.apart("western"))
    is_chinese = pl.col("culture").is_in(["cn", "us_chinese"])
    return people.select(
        given=pl.when(is_chinese & ~english).then(chinese["latin"]).otherwise(western),
        native_given=chinese["name"],
    )


def _labels(people: pl.DataFrame, *columns: str) -> NDArray[np.str_]:
    return people.select(pl.concat_str(columns, separator=" ")).to_series().to_numpy().astype(str)


def _western_given_names(people: pl.DataFrame, chance: Chance) -> pl.Series:
    names = {
        f"{culture} {gender} {era}": load_pool("gb_given_names" if culture == "gb" else "us_given_names", gender=gender, era=era)
        for culture in ("us", "us_chinese", "gb")
        for gender in ("m", "f")
        for era in ("old", "middle", "young")
    }
    return draw_by_group(_labels(people, "culture", "gender", "era"), names, chance)["name"]


def _chinese_given_names(people: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    pools = {
        f"{culture} {gender}": load_pool("cn_given_names", gender=gender)
        for culture in ("cn", "us_chinese")
        for gender in ("m", "f")
    }
    return draw_by_group(_labels(people, "culture", "gender"), pools, chance)


def _family_names(people: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """Return ``name`` and ``native`` of a family name for each person, drawn for itself and then the household's."""
    chinese = load_pool("cn_family_names")
    native = type(chinese)(chinese.rows.select(native="name", name="latin"), chinese.heights)
    pools = {"us": load_pool("us_family_names"), "gb": load_pool("gb_family_names"), "cn": native, "us_chinese": native}
    drawn = draw_by_group(_labels(people, "culture"), pools, chance)
    household = people["household"].to_numpy()
    return drawn[_name_givers(people["place"].to_numpy(), np.searchsorted(household, household))]


def _name_givers(place: Numbers, head: Numbers) -> Numbers:
    """Return whose drawn name each person has at birth: partners their own, everybody else the head's."""
    own: Numbers = np.arange(len(place))
    return np.where(place == _PARTNER, own, head)


def titles(people: pl.DataFrame, chance: Chance) -> pl.Series:
    """Return a title (Mr, Mrs, Ms, Dr) that fits the gender of each person."""
    lady = choose(("Mrs", "Ms", "Miss", "Dr"), chance, people.height, (50.0, 30.0, 14.0, 6.0))
    gentleman = choose(("Mr", "Dr", "Mr."), chance, people.height, (80.0, 8.0, 12.0))
    return people.select(pl.when(pl.col("gender") == "m").then(gentleman).otherwise(lady)).to_series()
