"""Tests of ``custview_pipeline.matching.neighbours`` and ``marked``, against plain sets."""

from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.contracts.match_index import NEIGHBOURHOODS
from custview_pipeline.matching.marked import Marked
from custview_pipeline.matching.neighbours import Neighbours, find_neighbours
from custview_pipeline_tests.factories import TOKENISER, features, neighbours_of, person
from custview_pipeline_tests.protection.test_neighbourhoods import osa_distance

SHORTEST = 3  # letters of names whose typos are not sought in every feature
BASES = st.lists(
    st.sampled_from(("maria", "mariam", "martin", "marten", "smith", "smyth", "schmidt", "oneill", "anna", "hannah"))
)
EDITS = st.tuples(st.integers(0, 9), st.integers(0, 6), st.sampled_from("aemz"), st.sampled_from(["add", "lose", "put", "swap"]))
WHOLE = st.integers(-(2**63), 2**63 - 1)
LIKE = st.integers(-40, 40).map(lambda number: number << 30)  # equal in their low bits
NUMBERS = st.lists(WHOLE | LIKE, max_size=40)


def tokens_of(words):
    return dict(zip(words, TOKENISER.tokens("name", pl.Series(words, dtype=pl.String), rule_version="1"), strict=True))


def found_among(words, wanted=None):
    """Return the neighbours among given and family names; of all of them unless ``wanted``."""
    texts = features(*(person(given=word) if place % 2 else person(family=word) for place, word in enumerate(words)))
    tokens = tokens_of(words)
    return find_neighbours(neighbours_of(texts), of([tokens[word] for word in (words if wanted is None else wanted)]))


def of(numbers):
    return np.array(numbers, np.int64)


def pairs_in(near):
    return set(zip(near.left.tolist(), near.right.tolist(), strict=True))


def edited(word, place, letter, how):
    """Return a word after one edit."""
    start, rest = word[:place], word[place:]
    return (
        start + {"add": letter + rest, "lose": rest[1:], "put": letter + rest[1:], "swap": rest[1:2] + rest[:1] + rest[2:]}[how]
    )


@st.composite
def names(draw):
    """Draw names, and others made of them, and of those again, by an edit."""
    found = ["kramer", *draw(BASES)]
    for number, place, letter, how in draw(st.lists(EDITS, max_size=20)):
        found.append(edited(found[number % len(found)], place, letter, how))
    return sorted({name for name in found if len(name) > SHORTEST})


@settings(max_examples=30)
@given(names())
def test_neighbours_are_exactly_the_names_one_edit_apart(words):
    token_of, near = tokens_of(words), found_among(words)

    pairs = list(combinations(words, 2))
    held = near.hold(of([token_of[one] ^ token_of[other] for one, other in pairs])).tolist()

    assert dict(zip(pairs, held, strict=True)) == {pair: osa_distance(*pair) == 1 for pair in pairs}
    apart = [(token_of[one], token_of[other]) for one, other in pairs if osa_distance(one, other) == 1]
    assert pairs_in(near) == {(min(pair), max(pair)) for pair in apart}
    assert near.left.tolist() == sorted(near.left.tolist())


def test_of_names_that_are_not_asked_for_the_neighbours_are_left_out():
    words = ["maria", "mario", "karla", "karlo"]
    token_of, near = tokens_of(words), found_among(words, wanted=["maria", "mario", "karlo"])

    assert pairs_in(near.among(of([token_of[word] for word in ("maria", "mario", "karlo")]))) == {
        tuple(sorted((token_of["maria"], token_of["mario"])))
    }


@pytest.mark.parametrize("wanted", [[], [7]], ids=["nothing", "a value without neighbours"])
def test_without_neighbourhoods_there_are_no_neighbours(wanted):
    assert pairs_in(find_neighbours(NEIGHBOURHOODS.to_frame(), of(wanted))) == set()


def test_a_neighbourhood_that_comes_twice_gives_a_pair_once():
    texts = features(person(family="maria"), person(family="mario"))
    near = neighbours_of(texts)
    token_of = tokens_of(["maria", "mario"])

    assert len(find_neighbours(pl.concat([near, near]), of(list(token_of.values()))).left) == 1


@given(st.lists(st.tuples(WHOLE, WHOLE).filter(lambda pair: pair[0] != pair[1]), max_size=20), st.sets(WHOLE, max_size=10))
def test_pairs_are_kept_once_in_one_direction_and_sought_by_their_link(pairs, others):
    near = Neighbours.of(of([one for one, _ in pairs]), of([other for _, other in pairs]))
    links = {one ^ other for one, other in pairs}

    assert {one ^ other for one, other in pairs_in(near)} == links
    assert all(one < other for one, other in pairs_in(near))
    assert near.hold(of([*sorted(links), *sorted(others)])).tolist() == [True] * len(links) + [
        other in links for other in sorted(others)
    ]


@given(st.lists(st.tuples(st.integers(1, 8), st.integers(9, 16)), max_size=20), st.sets(st.integers(1, 16)))
def test_among_some_values_those_pairs_remain_of_which_both_are(pairs, values):
    scattered = dict(zip(range(1, 17), np.random.default_rng(3).integers(1, 2**62, 16).tolist(), strict=True))
    near = Neighbours.of(of([scattered[one] for one, _ in pairs]), of([scattered[other] for _, other in pairs]))

    kept = {tuple(sorted((scattered[one], scattered[other]))) for one, other in pairs if {one, other} <= values}
    assert pairs_in(near.among(of([scattered[value] for value in values]))) == kept


@given(NUMBERS, NUMBERS)
def test_marked_numbers_are_found_as_in_a_set(numbers, sought):
    marked, asked = Marked.of(np.unique(of(numbers))), of([*sought, *numbers])

    assert marked.hold(asked).tolist() == [number in set(numbers) for number in asked.tolist()]
    assert (marked.may_hold(asked) >= marked.hold(asked)).all()


@pytest.mark.parametrize("count", [0, 1, 2_000, 70_000])
def test_many_or_few_marked_numbers_are_found_as_in_a_set(count):
    numbers = np.unique(np.random.default_rng(5).integers(0, 10**6, count))
    asked = np.arange(0, 10**6, 97)

    assert Marked.of(numbers).hold(asked).tolist() == np.isin(asked, numbers).tolist()
