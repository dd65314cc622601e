"""Tests of ``custview_pipeline.matching.drift``."""

import pytest

from custview_pipeline.matching.drift import LEAST_CHANGED, LEAST_MATCHES, Volume, drifted, level_shift, volume_of
from custview_pipeline_tests.matching.people import matched

SAME = (0.0, 1.0, *(0.0,) * 14)
OTHER = (0.0, 0.5, 0.5, *(0.0,) * 13)
BEFORE = Volume(10_000, 100_000, 8_000, SAME)


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (Volume(1_000, 10_000, 800, SAME), ()),
        (Volume(1_000, 40_000, 800, SAME), ("40.00 pairs to compare a record instead of 10.00",)),
        (Volume(1_000, 2_000, 800, SAME), ("2.00 pairs to compare a record instead of 10.00",)),
        (Volume(1_000, 10_000, 100, SAME), ("0.10 matches a record instead of 0.80",)),
        (Volume(1_000, 10_000, 0, ()), ("0.00 matches a record instead of 0.80",)),
        (Volume(1_000, 10_000, 800, OTHER), ("50% of the matches agree otherwise",)),
        (Volume(LEAST_CHANGED - 1, 90_000, 0, ()), ()),
    ],
    ids=["as before", "more pairs", "fewer pairs", "fewer matches", "no match", "other levels", "too few records to say"],
)
def test_a_change_that_drifts_asks_for_training(now, words):
    told = drifted("person", now, BEFORE)

    assert len(told) == len(words)
    assert all(word in sentence and "custview model train" in sentence for word, sentence in zip(words, told, strict=True))


def test_nothing_drifts_from_an_empty_lake():
    assert drifted("person", Volume(1_000, 10_000, 800, SAME), Volume(0, 0, 0, ())) == ()


@pytest.mark.parametrize(
    ("one", "other", "shift"),
    [
        (Volume(1, 1, LEAST_MATCHES, SAME), Volume(1, 1, LEAST_MATCHES, OTHER), 0.5),
        (Volume(1, 1, LEAST_MATCHES, SAME), Volume(1, 1, LEAST_MATCHES, SAME), 0.0),
        (Volume(1, 1, LEAST_MATCHES - 1, SAME), Volume(1, 1, LEAST_MATCHES, OTHER), None),
        (Volume(1, 1, LEAST_MATCHES, SAME), Volume(1, 1, LEAST_MATCHES, ()), None),
    ],
    ids=["half", "none", "too few", "of another model"],
)
def test_the_shift_is_the_distance_of_two_shares(one, other, shift):
    assert level_shift(one, other) == shift
    assert level_shift(other, one) == shift


def test_what_a_run_found_is_counted_for_each_record():
    found = matched()
    every, one = volume_of(found, None), volume_of(found, found.clusters["record_id"].head(1))

    assert (every.records, one.records) == (found.clusters.height, 1)
    assert every.compared == 2 * found.compared_count
    assert every.matches == 2 * (found.edges["decision"] == "MATCH").sum()
    assert len(every.levels) == 16 * len(found.model.comparisons)
    assert sum(every.levels[:16]) == pytest.approx(1.0, abs=1e-3)
