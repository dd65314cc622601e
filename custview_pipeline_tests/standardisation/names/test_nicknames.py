"""Nicknames: which given names may be one, and which may not."""

from itertools import combinations

import polars as pl
import pytest

from custview_pipeline.standardisation.names.nicknames import (
    COMMON_NAMES,
    MOST_GROUPS,
    formal_names,
    given_names,
    group_of,
    groups_of,
)


def groups(*names):
    return [set(found) for found in pl.select(groups_of(pl.Series(names, dtype=pl.String))).to_series().to_list()]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("bill", "william"),
        ("will", "william"),
        ("bill", "will"),
        ("bob", "robert"),
        ("liz", "elizabeth"),
        ("peggy", "margaret"),
        ("alex", "alexander"),
        ("alex", "alexandra"),
        ("chris", "christopher"),
        ("chris", "christina"),
        ("harry", "henry"),
        ("jack", "john"),
        ("kathy", "katherine"),
        ("kathy", "catherine"),
        ("bert", "albert"),
        ("ned", "edward"),
    ],
)
def test_a_nickname_meets_every_name_that_it_may_stand_for(one, other):
    first, second = groups(one, other)
    assert first & second


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("john", "jane"),
        ("john", "jonathan"),
        ("william", "robert"),
        ("bill", "robert"),
        ("alexander", "alexandra"),
        ("christopher", "christina"),
        ("mary", "maria"),
        ("anna", "hannah"),
        ("peter", "patrick"),
    ],
)
def test_names_of_different_people_do_not_meet(one, other):
    first, second = groups(one, other)
    assert not first & second


def test_no_two_common_names_meet_through_a_nickname():
    found = dict(zip(sorted(COMMON_NAMES), groups(*sorted(COMMON_NAMES)), strict=True))
    assert not [(one, other) for one, other in combinations(found, 2) if found[one] & found[other]]


def test_a_name_stands_for_itself_too_and_for_a_few_in_the_order_of_the_alphabet():
    found = pl.select(groups_of(pl.Series(sorted(given_names())))).to_series()
    for name, stands_for in zip(sorted(given_names()), found.to_list(), strict=True):
        assert name in stands_for == sorted(set(stands_for))
        assert len(stands_for) <= MOST_GROUPS


def test_names_that_are_not_listed_stand_for_themselves():
    names = pl.Series(["xiaoming", None])
    assert pl.select(groups_of(names)).to_series().to_list() == [["xiaoming"], None]
    assert pl.select(group_of(names)).to_series().to_list() == ["xiaoming", None]


def test_records_are_sought_by_the_likeliest_formal_name():
    names = pl.Series(["bill", "bob", "peggy", "john", "robert"])
    assert pl.select(group_of(names)).to_series().to_list() == ["william", "robert", "margaret", "john", "robert"]


def test_common_names_are_names_of_the_package_and_no_nicknames():
    assert given_names() >= COMMON_NAMES
    assert COMMON_NAMES.isdisjoint(formal_names())
