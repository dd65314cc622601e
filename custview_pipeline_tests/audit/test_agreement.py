"""Tests of ``custview_pipeline.audit.agreement``: the numbers of brute force, by hand, and of large clusters in no time."""

from itertools import combinations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.audit.agreement import agreement, by_source_pair, largest_clusters, worst_merges, worst_splits

RECORDS = st.lists(st.tuples(st.sampled_from(["crm", "web", "pos"]), st.integers(0, 5), st.integers(0, 5)), max_size=30)


def assigned(rows):
    """Build what is scored from (source_system, cluster, entity); record ids count from 0."""
    schema = {"source_system": pl.String, "cluster": pl.Int64, "entity": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row").with_row_index("record_id").cast({"record_id": pl.Int64})


def ratio(part, whole):
    return part / whole if whole else 1.0


def f1(precision, recall):
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def pairs_counted(rows):
    """Count pairs one by one: together in both, in the cluster, in the entity."""
    pairs = list(combinations(rows, 2))
    joined, true = ([pair for pair in pairs if pair[0][place] == pair[1][place]] for place in (1, 2))
    return len([pair for pair in joined if pair[0][2] == pair[1][2]]), len(joined), len(true)


@given(RECORDS)
def test_pairwise_scores_are_those_of_counting_every_pair(rows):
    found = agreement(assigned(rows))
    shared, joined, true = pairs_counted(rows)
    assert (found.shared_pairs, found.joined_pairs, found.true_pairs) == (shared, joined, true)
    precision, recall = ratio(shared, joined), ratio(shared, true)
    assert (found.precision, found.recall, found.f1) == (precision, recall, f1(precision, recall))


@given(RECORDS)
def test_b_cubed_scores_are_those_of_asking_every_record(rows):
    found = agreement(assigned(rows))
    shares = []
    for _, cluster, entity in rows:
        own, true = ([row for row in rows if row[place] == label] for place, label in ((1, cluster), (2, entity)))
        both = len([row for row in own if row[2] == entity])
        shares.append((both / len(own), both / len(true)))
    precision, recall = (ratio(sum(share[side] for share in shares), len(rows)) for side in (0, 1))
    assert (found.b3_precision, found.b3_recall) == pytest.approx((precision, recall))
    assert found.b3_f1 == pytest.approx(f1(precision, recall))


@given(RECORDS)
def test_scores_by_source_are_those_of_counting_the_pairs_across_both(rows):
    found = {tuple(sorted(row[:2])): row[2:5] for row in by_source_pair(assigned(rows)).iter_rows()}
    sources = sorted({source for source, _, _ in rows})
    assert set(found) == {(left, right) for left in sources for right in sources if left <= right}
    for (left, right), counts in found.items():
        across = [pair for pair in combinations(rows, 2) if sorted(row[0] for row in pair) == [left, right]]
        joined, true = ([pair for pair in across if pair[0][place] == pair[1][place]] for place in (1, 2))
        both = [pair for pair in joined if pair[0][2] == pair[1][2]]
        assert counts == (len(both), len(joined), len(true))


@given(RECORDS)
def test_pairs_by_source_add_up_to_all_pairs(rows):
    frame = assigned(rows)
    whole, parts = agreement(frame), by_source_pair(frame)
    assert parts["shared_pairs"].sum() == whole.shared_pairs
    assert parts["joined_pairs"].sum() == whole.joined_pairs
    assert parts["true_pairs"].sum() == whole.true_pairs


@given(RECORDS, st.randoms(use_true_random=False))
def test_the_order_of_records_does_not_matter(rows, random):
    frame = assigned(rows)
    places = list(range(len(rows)))
    random.shuffle(places)
    other = frame[places]
    assert agreement(other) == agreement(frame)
    for find in (worst_merges, worst_splits, largest_clusters):
        assert find(other, 3).equals(find(frame, 3))


@given(RECORDS)
def test_worst_merges_and_splits_name_all_wrong_pairs(rows):
    frame, whole = assigned(rows), agreement(assigned(rows))
    assert worst_merges(frame, 99)["wrong_pairs"].sum() == whole.joined_pairs - whole.shared_pairs
    assert worst_splits(frame, 99)["wrong_pairs"].sum() == whole.true_pairs - whole.shared_pairs


@pytest.mark.parametrize(
    ("rows", "scores"),
    [
        ([], (1.0, 1.0, 1.0, 1.0, 1.0, 1.0)),
        ([("crm", 1, 1)], (1.0, 1.0, 1.0, 1.0, 1.0, 1.0)),
        ([("crm", 1, 1), ("crm", 1, 2)], (0.0, 1.0, 0.0, 0.5, 1.0, 2 / 3)),
        ([("crm", 1, 1), ("crm", 2, 1)], (1.0, 0.0, 0.0, 1.0, 0.5, 2 / 3)),
    ],
    ids=["no record", "one record", "a wrong merge", "a split"],
)
def test_small_cases_are_as_by_hand(rows, scores):
    found = agreement(assigned(rows))
    own = (found.precision, found.recall, found.f1, found.b3_precision, found.b3_recall, found.b3_f1)
    assert own == pytest.approx(scores)


def test_the_worst_merge_is_named_by_a_record_of_its_largest_entity_and_one_of_the_next():
    rows = [("crm", 7, 1), ("crm", 7, 2), ("crm", 7, 2), ("crm", 7, 3), ("crm", 8, 4), ("crm", 8, 5), ("crm", 9, 6)]
    found = worst_merges(assigned(rows), 5)
    assert found.columns == ["cluster", "record_count", "part_count", "wrong_pairs", "left_id", "right_id"]
    assert found.rows() == [(7, 4, 3, 5, 1, 0), (8, 2, 2, 1, 4, 5)]
    assert worst_merges(assigned(rows), 1).rows() == [(7, 4, 3, 5, 1, 0)]


def test_the_worst_split_is_named_by_a_record_of_its_largest_cluster_and_one_of_the_next():
    rows = [("crm", 1, 7), ("crm", 2, 7), ("crm", 2, 7), ("crm", 3, 8)]
    assert worst_splits(assigned(rows), 5).rows() == [(7, 3, 2, 2, 1, 0)]


def test_the_largest_clusters_are_named_with_their_entities():
    rows = [("crm", 1, 1), ("crm", 1, 2), ("web", 2, 3), ("web", 2, 3), ("web", 2, 3), ("pos", 3, 4)]
    assert largest_clusters(assigned(rows), 2).rows() == [(2, 3, 1), (1, 2, 2)]


def test_a_cluster_of_a_hundred_thousand_records_is_counted_and_not_enumerated():
    size = 100_000
    frame = pl.DataFrame({"record_id": pl.int_range(size, eager=True)}).with_columns(
        source_system=pl.lit("crm"), cluster=pl.lit(0, pl.Int64), entity=pl.col("record_id") // 2
    )
    found = agreement(frame)
    assert found.joined_pairs == size * (size - 1) // 2
    assert found.shared_pairs == found.true_pairs == size // 2
    assert by_source_pair(frame)["joined_pairs"].item() == found.joined_pairs
    assert worst_merges(frame, 1)["wrong_pairs"].item() == found.joined_pairs - found.shared_pairs
