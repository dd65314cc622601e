"""Tests of ``custview_pipeline.matching.records`` and ``pairs``: columns of tokens, and lists compared best against best."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.match_features import FEATURES
from custview_pipeline.matching.frequencies import Frequencies
from custview_pipeline.matching.neighbours import Neighbours
from custview_pipeline.matching.pairs import Compared, Pairs
from custview_pipeline.matching.records import LONGEST_LIST, SILENT, Records, TokenLists, mixed
from custview_pipeline_tests.factories import enterprise, features, person, tokens
from custview_pipeline_tests.matching.people import compared_among, couples, rows_of

LISTS = st.lists(st.none() | st.lists(st.none() | st.integers(1, 9), max_size=LONGEST_LIST + 2), max_size=8)


def series(lists):
    return pl.Series(lists, dtype=pl.List(pl.Int64))


def read(lists):
    """Return each list as it lies in a ``TokenLists``."""
    return [lists.values[lists.starts[row] : lists.starts[row + 1]].tolist() for row in range(len(lists.lengths))]


@settings(max_examples=40)
@given(LISTS)
def test_lists_hold_their_tokens_in_order_and_no_more_than_are_compared(lists):
    made = TokenLists.of(series(lists))

    expected = [[element or SILENT for element in (each or [])[:LONGEST_LIST]] for each in lists]
    assert read(made) == expected
    assert made.lengths.tolist() == [len(each) for each in expected]
    assert made.first.tolist() == [each[0] if each else SILENT for each in expected]
    assert made.owners.tolist() == [row for row, each in enumerate(expected) for _ in each]
    assert made.cut_count == sum(len(each or []) > LONGEST_LIST for each in lists)


@settings(max_examples=40)
@given(LISTS, st.data())
def test_lists_are_taken_in_any_order(lists, data):
    order = data.draw(st.permutations(range(len(lists))))
    made = TokenLists.of(series(lists))
    taken = made.taken(np.array(order, np.int64))

    assert read(taken) == [read(made)[row] for row in order]
    assert taken.first.tolist() == [made.first[row] for row in order]
    assert taken.cut_count == made.cut_count


def test_records_of_one_entity_type_keep_their_ids_and_tokens():
    texts = features(person(given="ada", family="king"), enterprise(words=["acme"]), person(given="otto"))
    index = tokens(texts, [30, 20, 10])
    records = Records.of(index, EntityType.PERSON)

    assert sorted(records.record_ids.tolist()) == [10, 30]
    assert records.record_ids[records.by_rank].tolist() == [10, 30]
    assert records.rank[records.by_rank].tolist() == [0, 1]
    for place in (0, 2):
        row = index["record_id"].to_list().index([30, 20, 10][place])
        (at,) = rows_of(records, np.array([[30, 20, 10][place]]))
        assert records.scalars["given"][at] == index["given"][row]
        assert records.scalars["family"][at] == (index["family"][row] or SILENT)
    assert Records.of(index, EntityType.ENTERPRISE).record_ids.tolist() == [20]


def test_what_only_one_record_has_is_not_there_to_compare():
    rows = [person(given="ada", email="a@x.example", phones=["2025550143"]), person(given="otto", phones=["2025550199"])]
    records = Records.of(tokens(features(*rows)), EntityType.PERSON)

    assert {"given", "phones"} <= records.filled
    assert not {"email", "family", "emails"} & records.filled


def test_without_records_there_is_nothing_to_compare():
    records = Records.of(tokens(features()), EntityType.PERSON)

    assert (records.count, records.filled) == (0, frozenset())


@pytest.mark.parametrize(
    ("left", "right", "are_one"),
    [
        ({"postal_code": "10007"}, {"postal_code": "10007"}, True),
        ({"postal_code": "10007"}, {"postal_code": "10008"}, False),
        ({"city": "springfield"}, {"city": "springfield"}, True),
        ({"postal_code": "10007", "city": "springfield"}, {"postal_code": "10007", "city": "shelbyville"}, True),
        ({"postal_code": "10007", "city": "springfield"}, {"city": "springfield"}, False),
        ({}, {}, None),
    ],
    ids=["same code", "other code", "same city, no code", "same code, other city", "code on one side", "no place"],
)
def test_a_house_is_its_number_street_and_place(left, right, are_one):
    street = {"house_number": "12", "street": "willow"}
    pairs = couples(compared_among(features(person(**street, **left), person(**street, **right))))
    one, other = pairs.left("house")[0], pairs.right("house")[0]

    assert (None if SILENT in (one, other) else one == other) == are_one


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=12))
def test_a_key_of_several_columns_is_equal_where_all_are_and_silent_where_one_is(rows):
    scattered = np.r_[SILENT, np.random.default_rng(1).integers(1, 2**62, 3)]
    one, other = (scattered[[row[side] for row in rows]] for side in (0, 1))

    made = mixed([one, other])

    assert (made == SILENT).tolist() == [0 in row for row in rows]
    filled = [place for place, row in enumerate(rows) if 0 not in row]
    assert all((made[a] == made[b]) == (rows[a] == rows[b]) for a in filled for b in filled)
    assert all(mixed([other, one])[place] != made[place] for place in filled if rows[place][0] != rows[place][1])


def test_words_of_a_name_that_are_neither_given_nor_family_name_are_its_others():
    rows = [
        person(given="ada", family="king", name_words=["ada", "king", "lovelace"]),
        person(given="ada", family="king"),
        person(name_words=["byron"]),
    ]
    records = Records.of(tokens(features(*rows)), EntityType.PERSON)

    assert records.lists["other_words"].lengths[records.by_rank].tolist() == [1, 0, 1]


VALUES = st.lists(st.integers(1, 6), max_size=4, unique=True)
TOKEN_OF = dict(enumerate(np.random.default_rng(7).integers(1, 2**62, 7).tolist()))  # scattered, as tokens are
ONE_APART = {(1, 2), (2, 3), (5, 6)}


def of_lists(lists):
    """Return two records a pair of lists of phones, compared."""
    count = 2 * len(lists)
    index = tokens(features(*[person()] * count)).with_columns(
        phones=pl.Series([[TOKEN_OF[value] for value in each] for pair in lists for each in pair], dtype=pl.List(pl.Int64)),
        given=pl.Series([TOKEN_OF[pair[side][0]] if pair[side] else None for pair in lists for side in (0, 1)], dtype=pl.Int64),
    )
    records = Records.of(index, EntityType.PERSON)
    near = Neighbours.of(*(np.array([TOKEN_OF[pair[side]] for pair in ONE_APART]) for side in (0, 1)))
    return couples(Compared(records, near, Frequencies.of(records)))


@settings(max_examples=40)
@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=6))
def test_lists_are_compared_best_against_best(lists):
    pairs = of_lists(lists)

    shared = [bool(set(one) & set(other)) for one, other in lists]
    near = [any(tuple(sorted((a, b))) in ONE_APART for a in one for b in other) for one, other in lists]
    assert pairs.have("phones").tolist() == [bool(one and other) for one, other in lists]
    assert pairs.share("phones").tolist() == (shared if "phones" in pairs.records.filled else [False] * len(lists))
    if all(set(each) <= known_values(lists) for pair in lists for each in pair):
        assert pairs.share_near("phones").tolist() == near
    assert pairs.hold("phones", "given").tolist() == [
        bool((one and one[0] in other) or (other and other[0] in one)) for one, other in lists
    ]


def known_values(lists):
    return {value for pair in lists for each in pair for value in each}


def test_a_turned_pair_says_the_same():
    pairs = of_lists([([1, 2], [2, 4]), ([3], [])])
    turned = Pairs(pairs.compared, pairs.j, pairs.i)

    for ask in ("have", "share", "share_near"):
        assert getattr(pairs, ask)("phones").tolist() == getattr(turned, ask)("phones").tolist()
    assert pairs.hold("phones", "given").tolist() == turned.hold("phones", "given").tolist()


def test_every_feature_has_a_column():
    records = Records.of(tokens(features(person())), EntityType.PERSON)

    assert set(FEATURES) <= {*records.scalars, *records.lists, *records.flags}
