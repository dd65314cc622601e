"""Tests of ``custview_pipeline.matching.clusters``."""

from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.matching.clusters import COMPONENT_WEIGHT, agree, components

MOST_RECORDS = 7
MATCH_WEIGHT = 0.5


def arrays(pairs):
    i, j, weight = zip(*pairs, strict=True) if pairs else ((), (), ())
    return np.array(i, np.int64), np.array(j, np.int64), np.array(weight, np.float64)


def linked(pairs, *, records, largest=300):
    return components(*arrays(pairs), records=records, largest=largest)


def cluster(pairs, *, records, match_weight=MATCH_WEIGHT):
    """Return the clusters of one component of which every pair is given: (i, j, weight, is_forbidden)."""
    schema = {"i": pl.Int32, "j": pl.Int32, "weight": pl.Float64, "is_forbidden": pl.Boolean}
    frame = pl.DataFrame([tuple(pair) for pair in pairs], schema=schema, orient="row")
    found = linked([(0, other, 1.0) for other in range(1, records)], records=records)
    return agree(found, frame, records=records, match_weight=match_weight).tolist()


def all_pairs(weights, *, forbidden=()):
    return [(i, j, weight, (i, j) in forbidden) for (i, j), weight in weights.items()]


def of_records(count, weight):
    return dict.fromkeys(combinations(range(count), 2), weight)


@st.composite
def closed_components(draw):
    """Draw every pair of a component: weights in steps of 1/64 bit, as scoring makes them, and some forbidden pairs."""
    count = draw(st.integers(2, MOST_RECORDS))
    pairs = list(combinations(range(count), 2))
    weights = draw(st.lists(st.integers(-20 * 64, 30 * 64), min_size=len(pairs), max_size=len(pairs)))
    forbidden = draw(st.sets(st.sampled_from(pairs)))
    return count, [(i, j, weight / 64, (i, j) in forbidden) for (i, j), weight in zip(pairs, weights, strict=True)]


def test_chains_of_pairs_make_components():
    found = linked([(0, 1, 5.0), (1, 2, 5.0), (4, 5, 5.0)], records=6)

    assert len(set(found.label[:3])) == 1
    assert found.label[4] == found.label[5]
    assert sorted(found.size.tolist()) == [1, 2, 3]
    assert found.cut == 0


def test_without_pairs_every_record_is_alone():
    found = linked([], records=3)

    assert found.size.tolist() == [1, 1, 1]


def test_without_records_there_are_no_components():
    assert linked([], records=0).size.tolist() == []


def test_a_component_over_the_limit_falls_apart_at_its_weakest_pair():
    found = linked([(0, 1, 9.0), (1, 2, 0.0), (2, 3, 9.0)], records=4, largest=2)

    assert sorted(found.size.tolist()) == [2, 2]
    assert found.cut == 1


def test_components_within_the_limit_keep_their_weak_pairs():
    found = linked([(0, 1, 9.0), (1, 2, 0.0), (2, 3, 9.0), (4, 5, COMPONENT_WEIGHT + 0.5)], records=6, largest=2)

    assert found.label[4] == found.label[5]


@given(st.data())
def test_the_order_of_pairs_does_not_matter_for_components(data):
    pairs = data.draw(st.lists(st.tuples(st.integers(0, 7), st.integers(8, 15), st.integers(-3, 30)), unique=True))
    shuffled = data.draw(st.permutations(pairs))
    largest = data.draw(st.integers(2, 16))

    first, second = (linked(given_pairs, records=16, largest=largest) for given_pairs in (pairs, shuffled))

    assert first.label.tolist() == second.label.tolist()
    assert first.cut == second.cut


@pytest.mark.parametrize(
    ("weights", "forbidden", "expected"),
    [
        (of_records(2, 3.0), (), [0, 0]),
        (of_records(2, MATCH_WEIGHT), (), [0, 1]),
        (of_records(2, 30.0), [(0, 1)], [0, 1]),
        (of_records(3, 30.0), [(0, 1)], [0, 1, 0]),
        (of_records(4, 3.0), (), [0, 0, 0, 0]),
        ({(0, 1): 2.0, (1, 2): 2.0, (0, 2): -12.0}, (), [0, 0, 2]),
        ({(0, 1): 9.0, (1, 2): 9.0, (0, 2): -2.0}, (), [0, 0, 0]),
        ({**of_records(4, -12.0), (0, 3): 5.0, (1, 2): 5.0}, (), [0, 1, 1, 0]),
    ],
    ids=[
        "agreement", "at the threshold", "forbidden pair", "forbidden pair with a third", "clique",
        "chain against strong evidence", "chain against weak evidence", "two couples",
    ],
)  # fmt: skip
def test_parts_join_by_the_evidence_across_them(weights, forbidden, expected):
    assert cluster(all_pairs(weights, forbidden=forbidden), records=len(expected)) == expected


def test_a_forbidden_pair_is_never_outvoted_however_large_the_parts():
    half, count = 600, 1200
    i, j = np.triu_indices(count, 1)
    is_forbidden = (i == 0) & (j == half)
    weight = np.where((i < half) == (j < half), 24.0, 20.0)
    pairs = pl.DataFrame({"i": i, "j": j, "weight": weight, "is_forbidden": is_forbidden})
    found = linked([(0, other, 1.0) for other in range(1, count)], records=count, largest=count)

    founder = agree(found, pairs, records=count, match_weight=-8.0)

    assert founder[0] != founder[half]


def test_nobody_is_joined_across_components():
    pairs = pl.DataFrame({"i": [0, 2], "j": [1, 3], "weight": [9.0, 9.0], "is_forbidden": [False, False]})

    assert agree(linked([(0, 1, 1), (2, 3, 1)], records=5), pairs, records=5, match_weight=0.5).tolist() == [0, 0, 2, 2, 4]


@given(closed_components(), st.integers(-8, 8))
def test_a_forbidden_pair_never_ends_in_one_cluster(component, match_weight):
    count, pairs = component
    founder = cluster(pairs, records=count, match_weight=match_weight)

    assert all(founder[i] != founder[j] for i, j, _, is_forbidden in pairs if is_forbidden)


@given(closed_components())
def test_a_cluster_is_named_by_its_smallest_record(component):
    count, pairs = component
    founder = cluster(pairs, records=count)

    assert all(founder[found] == found <= record for record, found in enumerate(founder))


@given(closed_components(), st.randoms(use_true_random=False))
def test_the_order_of_pairs_does_not_matter(component, random):
    count, pairs = component
    shuffled = random.sample(pairs, len(pairs))

    assert cluster(shuffled, records=count) == cluster(pairs, records=count)


@given(closed_components())
def test_agreement_and_disagreement_of_all_pairs_decide_alone(component):
    count, pairs = component
    pairs = [(i, j, weight, False) for i, j, weight, _ in pairs]
    founder = cluster(pairs, records=count)

    if all(weight > MATCH_WEIGHT for _, _, weight, _ in pairs):
        assert founder == [0] * count
    if all(weight <= MATCH_WEIGHT for _, _, weight, _ in pairs):
        assert founder == list(range(count))
