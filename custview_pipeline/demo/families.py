"""Tricks of real families: couples with one name, twins, fathers and sons of one name, namesakes, children who moved out."""

from collections.abc import Callable
from typing import Final

import numpy as np
import polars as pl

from custview_pipeline.demo.chance import Chance

FamilyTrick = Callable[[pl.DataFrame, Chance], pl.DataFrame]

_PARTNER: Final = 1
_ELDEST: Final = 2  # place of the first child in its household


def marry_with_one_name(people: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """Most Western partners take the head's family name; the name at birth stays as ``former_family``."""
    is_western = pl.col("culture").is_in(["us", "gb"])
    takes_name = (pl.col("place") == _PARTNER) & is_western & pl.Series(chance.happens(people.height, 0.78))
    was_married = (pl.col("gender") == "f") & (pl.col("size") == 1) & is_western & pl.Series(chance.happens(people.height, 0.06))
    earlier = pl.col("family").gather(pl.Series(chance.whole(0, people.height - 1, people.height)))
    return people.with_columns(
        family=pl.when(takes_name).then(pl.col("family").shift(1)).otherwise(pl.col("family")),
        former_family=pl.when(takes_name).then(pl.col("family")).when(was_married & (earlier != pl.col("family"))).then(earlier),
    ).with_columns(
        # A borrowed name at birth must be a Western one.
        former_family=pl.when(was_married & earlier.is_in(_chinese_names(people))).then(None).otherwise(pl.col("former_family"))
    )


def make_twins(people: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """Some second children are born on the day of the first."""
    is_twin = (pl.col("place") == _ELDEST + 1) & pl.Series(chance.happens(people.height, 0.14))
    born = pl.when(is_twin).then(pl.col("birth_date").shift(1)).otherwise(pl.col("birth_date"))
    return people.with_columns(birth_date=born)


def name_sons_after_fathers(people: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """Some American sons have all of their father's name: father Sr, son Jr, or plain and III."""
    is_son = (
        (pl.col("place") == _ELDEST)
        & (pl.col("gender") == "m")
        & (pl.col("culture") == "us")
        & (pl.col("gender").shift(2) == "m")
    )
    is_junior = is_son & pl.Series(chance.happens(people.height, 0.28))
    is_third = pl.Series(chance.happens(people.height, 0.2))
    son = pl.when(is_third).then(pl.lit("III")).otherwise(pl.lit("Jr"))
    father = pl.when(is_third.shift(-2)).then(pl.lit("Jr")).otherwise(pl.lit("Sr"))
    inherited = [
        pl.when(is_junior).then(pl.col(name).shift(2)).otherwise(pl.col(name)).alias(name)
        for name in ("given", "middle", "family")
    ]
    suffix = pl.when(is_junior).then(son).when(is_junior.shift(-2)).then(father)
    return people.with_columns(*inherited, suffix=suffix)


def make_namesakes(people: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """Some persons who live alone have the name of a stranger of the same culture and gender."""
    order = np.lexsort(
        (chance.fractions(people.height), people["gender"].to_numpy().astype(str), people["culture"].to_numpy().astype(str))
    )
    stranger = np.empty_like(order)
    stranger[order] = np.roll(order, 1)
    other = people[stranger]
    same_kind = (people["culture"] == other["culture"]) & (people["gender"] == other["gender"]) & (people["size"] == 1)
    is_namesake = same_kind & pl.Series(chance.happens(people.height, 0.04))
    names = ("given", "family", "native_given", "native_family")
    return people.with_columns(pl.when(is_namesake).then(other[name]).otherwise(people[name]).alias(name) for name in names)


def _chinese_names(people: pl.DataFrame) -> list[str]:
    return sorted(people.filter(pl.col("native_family").is_not_null())["family"].unique().to_list())


FAMILY_TRICKS: Final[tuple[FamilyTrick, ...]] = (marry_with_one_name, make_twins, name_sons_after_fathers, make_namesakes)
