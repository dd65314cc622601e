"""Tests of ``custview_pipeline.matching.clusters``."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.matching import clusters
from custview_pipeline.matching.clusters import COMPONENT_WEIGHT, Inside, components, decide, joint_weight

MOST_RECORDS = 7
MATCH_WEIGHT = 0.5
STRANGERS = -12.0  # bits of a pair about which nothing is said


def arrays(pairs):
    i, j, weight = zip(*pairs, strict=True) if pairs else ((), (), ())
    return np.array(i, np.int64), np.array(j, np.int64), np.array(weight, np.float64)


def linked(pairs, *, records, largest=300):
    return components(*arrays(pairs), records=records, largest=largest)


def weighing(pairs):
    """Return what says of pairs of rows what ``pairs`` (i, j, weight, what else: "must", "cannot" or none) says."""
    known = {(i, j): (weight, said) for i, j, weight, said in pairs}

    def weigh(i, j):
        told = [known.get(pair, (STRANGERS, "")) for pair in zip(i.tolist(), j.tolist(), strict=True)]
        weight = np.array([weight for weight, _ in told], np.float64)
        return Inside(weight, *(np.array([said == word for _, said in told], np.bool_) for word in ("must", "cannot")))

    return weigh


def decided(pairs, *, records, thresholds=(MATCH_WEIGHT,), found=None):
    """Return the clusters of one component of which every pair is given, at each threshold, and what contradicts the first."""
    found = found or linked([(0, other, 1.0) for other in range(1, records)], records=records)
    founders, against = decide(found, weighing(pairs), thresholds)
    return [founder.tolist() for founder in founders], against


def cluster(pairs, *, records, match_weight=MATCH_WEIGHT):
    return decided(pairs, records=records, thresholds=[match_weight])[0][0]


def all_pairs(weights, *, forbidden=(), must=()):
    said = {**dict.fromkeys(must, "must"), **dict.fromkeys(forbidden, "cannot")}
    return [(i, j, weight, said.get((i, j), "")) for (i, j), weight in weights.items()]


def of_records(count, weight):
    return dict.fromkeys(combinations(range(count), 2), weight)


@st.composite
def closed_components(draw):
    """Draw every pair of a component: weights in steps of 1/64 bit, as scoring makes them, and some forbidden pairs."""
    count = draw(st.integers(2, MOST_RECORDS))
    pairs = list(combinations(range(count), 2))
    weights = draw(st.lists(st.integers(-20 * 64, 30 * 64), min_size=len(pairs), max_size=len(pairs)))
    said = draw(st.lists(st.sampled_from(["", "", "", "cannot", "must"]), min_size=len(pairs), max_size=len(pairs)))
    return count, [(i, j, weight / 64, word) for (i, j), weight, word in zip(pairs, weights, said, strict=True)]


def test_chains_of_pairs_make_components():
    found = linked([(0, 1, 5.0), (1, 2, 5.0), (4, 5, 5.0)], records=6)

    assert len(set(found.label[:3])) == 1
    assert found.label[4] == found.label[5]
    assert sorted(found.size.tolist()) == [1, 2, 3]
    assert (found.cut_count, found.sliced_count) == (0, 0)


def test_without_pairs_every_record_is_alone():
    found = linked([], records=3)

    assert found.size.tolist() == [1, 1, 1]


def test_without_records_there_are_no_components_and_no_clusters():
    found = linked([], records=0)

    assert found.size.tolist() == []
    assert decided([], records=0, found=found)[0] == [[]]


def test_a_component_over_the_limit_falls_apart_at_its_weakest_pair():
    found = linked([(0, 1, 9.0), (1, 2, 0.0), (2, 3, 9.0)], records=4, largest=2)

    assert sorted(found.size.tolist()) == [2, 2]
    assert (found.cut_count, found.sliced_count) == (1, 0)


def test_components_within_the_limit_keep_their_weak_pairs():
    found = linked([(0, 1, 9.0), (1, 2, 0.0), (2, 3, 9.0), (4, 5, COMPONENT_WEIGHT + 0.5)], records=6, largest=2)

    assert found.label[4] == found.label[5]


@pytest.mark.parametrize(("records", "sizes"), [(7, [3, 3, 1]), (6, [3, 3])])
def test_a_component_that_no_cut_makes_small_enough_is_sliced_in_the_order_of_records(records, sizes):
    found = linked([(0, other, np.inf) for other in range(1, records)], records=records + 1, largest=3)

    expected = [slice_ for slice_, size in enumerate(sizes) for _ in range(size)]
    assert np.unique(found.label[:-1], return_inverse=True)[1].tolist() == expected
    assert sorted(found.size.tolist()) == sorted([*sizes, 1])
    assert found.sliced_count == records


@settings(max_examples=40)
@given(st.data())
def test_the_order_of_pairs_does_not_matter_for_components(data):
    pairs = data.draw(st.lists(st.tuples(st.integers(0, 7), st.integers(8, 15), st.integers(-3, 30)), unique=True))
    shuffled = data.draw(st.permutations(pairs))
    largest = data.draw(st.integers(2, 16))

    first, second = (linked(given_pairs, records=16, largest=largest) for given_pairs in (pairs, shuffled))

    assert first.label.tolist() == second.label.tolist()
    assert (first.cut_count, first.sliced_count) == (second.cut_count, second.sliced_count)
    assert first.size.max() <= largest


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
        ({(0, 1): 90.0, (1, 2): 3.0, (0, 2): -90.0}, (), [0, 0, 2]),
    ],
    ids=[
        "agreement", "at the threshold", "forbidden pair", "forbidden pair with a third", "clique",
        "chain against strong evidence", "chain against weak evidence", "two couples", "no pair says too much",
    ],
)  # fmt: skip
def test_parts_join_by_the_evidence_across_them(weights, forbidden, expected):
    assert cluster(all_pairs(weights, forbidden=forbidden), records=len(expected)) == expected


@pytest.mark.parametrize(
    ("must", "forbidden", "expected"),
    [
        ([(0, 2)], [], [0, 1, 0]),
        ([(0, 1), (1, 2)], [], [0, 0, 0]),
        ([(0, 1), (1, 2)], [(0, 2)], [0, 0, 2]),
    ],
    ids=["one pair", "a chain", "a chain whose ends are kept apart"],
)
def test_what_must_be_one_customer_is_unless_it_cannot(must, forbidden, expected):
    assert cluster(all_pairs(of_records(3, -12.0), must=must, forbidden=forbidden), records=3) == expected


def test_weights_count_within_limits_and_rules_beyond_them():
    flags = [False] * 4, [False, False, True, False], [False, False, False, True]
    inside = Inside(np.array([-99.0, 99.0, -99.0, 99.0]), np.array(flags[1]), np.array(flags[2]))

    assert joint_weight(inside).tolist() == [-12.0, 24.0, 1e6, -np.inf]


def test_a_forbidden_pair_is_never_outvoted_however_large_the_parts():
    half, count = 150, 300

    def weigh(i, j):
        weight = np.where((i < half) == (j < half), 24.0, 20.0)
        return Inside(weight, np.zeros(len(i), np.bool_), (i == 0) & (j == half))

    found = linked([(0, other, 1.0) for other in range(1, count)], records=count, largest=count)
    (founder,), _ = decide(found, weigh, [-8.0])

    assert founder[0] != founder[half]


def test_nobody_is_joined_across_components():
    pairs = [(0, 1, 9.0, ""), (2, 3, 9.0, ""), (1, 2, 9.0, "")]
    found = linked([(0, 1, 1.0), (2, 3, 1.0)], records=5)

    assert decided(pairs, records=5, found=found)[0] == [[0, 0, 2, 2, 4]]


def test_each_threshold_has_its_own_clusters():
    pairs = all_pairs({(0, 1): 9.0, (1, 2): 3.0, (0, 2): 3.0})

    assert decided(pairs, records=3, thresholds=[0.5, 5.0, 20.0])[0] == [[0, 0, 0], [0, 0, 2], [0, 1, 2]]


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({(0, 1): 30.0, (1, 2): 30.0, (0, 2): -11.0}, [(0, 2, -11.0)]),
        ({(0, 1): 30.0, (1, 2): 30.0, (0, 2): -9.0}, []),
        ({(0, 1): 3.0, (1, 2): 3.0, (0, 2): -11.0}, []),
        ({**of_records(4, 30.0), (0, 2): -11.0, (1, 3): -12.5}, [(1, 3, -12.5)]),
        ({**of_records(4, 30.0), (1, 3): -11.0, (0, 2): -11.0}, [(0, 2, -11.0)]),
    ],
    ids=["contradiction", "mild", "of two customers", "the strongest", "the first of equals"],
)
def test_of_each_customer_the_pair_that_contradicts_it_most_is_told(weights, expected):
    count = 1 + max(j for _, j in weights)
    _, against = decided(all_pairs(weights), records=count)

    assert list(zip(against.i.tolist(), against.j.tolist(), against.weight.tolist(), strict=True)) == expected


@settings(max_examples=40)
@given(closed_components(), st.integers(-8, 8))
def test_a_forbidden_pair_never_ends_in_one_cluster(component, match_weight):
    count, pairs = component
    founder = cluster(pairs, records=count, match_weight=match_weight)

    assert all(founder[i] != founder[j] for i, j, _, said in pairs if said == "cannot")


@settings(max_examples=40)
@given(closed_components())
def test_a_cluster_is_named_by_its_smallest_record(component):
    count, pairs = component
    founder = cluster(pairs, records=count)

    assert all(founder[found] == found <= record for record, found in enumerate(founder))


@settings(max_examples=40)
@given(closed_components())
def test_agreement_and_disagreement_of_all_pairs_decide_alone(component):
    count, pairs = component
    pairs = [(i, j, weight, "") for i, j, weight, _ in pairs]
    founder = cluster(pairs, records=count)

    if all(weight > MATCH_WEIGHT for _, _, weight, _ in pairs):
        assert founder == [0] * count
    if all(weight <= MATCH_WEIGHT for _, _, weight, _ in pairs):
        assert founder == list(range(count))


@settings(max_examples=40)
@given(st.lists(closed_components(), min_size=1, max_size=5), st.integers(1, 30))
def test_components_are_decided_each_by_itself(many, pairs_at_once):
    """Components of one size are decided together, in portions; that changes nothing."""
    starts = np.cumsum([0, *(count for count, _ in many)]).tolist()
    pairs = [(start + i, start + j, *rest) for start, (_, own) in zip(starts, many, strict=False) for i, j, *rest in own]
    chains = [(start, start + n, 1.0) for start, (count, _) in zip(starts, many, strict=False) for n in range(1, count)]
    found = linked(chains, records=starts[-1])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(clusters, "_PAIRS_AT_ONCE", pairs_at_once)
        founders, _ = decided(pairs, records=starts[-1], found=found)

    alone = [start + each for start, (count, own) in zip(starts, many, strict=False) for each in cluster(own, records=count)]
    assert founders[0] == alone
