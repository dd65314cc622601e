"""Tests of ``custview_pipeline.ingestion.rivals``: several rows of one key in one delivery."""

from datetime import UTC, datetime

import polars as pl
import pytest

from custview_pipeline.ingestion.rivals import judge_rivals
from custview_pipeline_tests.factories import survey

T1, T2, T3 = (datetime(2026, 5, day, tzinfo=UTC) for day in (1, 2, 3))
GONE = True


def verdicts(rows, *, is_snapshot):
    whole = survey(*((1, *row) for row in rows))
    return "".join(verdict[:2] for verdict in judge_rivals(whole, is_snapshot=is_snapshot))


@pytest.mark.parametrize(
    ("rows", "of_changes", "of_snapshot"),
    [
        ([(10, T1)], "co", "co"),
        ([(10, T1), (10, T1)], "core", "core"),
        ([(10, T1), (11, T2)], "suco", "coco"),
        ([(11, T2), (10, T1)], "cosu", "coco"),
        ([(10, T1), (11, T3), (12, T2)], "sucosu", "cococo"),
        ([(10, T1), (10, T2)], "suco", "reco"),
        ([(10, T2), (10, T2), (11, T1)], "coresu", "cococo"),
        ([(10, T1), (11, T1)], "coco", "coco"),
        ([(10, T2), (11, T2), (12, T1)], "cocosu", "cococo"),
        ([(10, T1), (11, None)], "coco", "coco"),
        ([(10, None), (10, T1)], "reco", "reco"),
        ([(10, T1, GONE), (11, T2)], "suco", "suco"),
        ([(10, T1), (11, T2, GONE)], "suco", "cosu"),
        ([(10, T1, GONE), (11, T1, GONE)], "core", "core"),
        ([(10, T1), (10, T1, GONE)], "cosu", "cosu"),
        ([(10, None), (11, None, GONE)], "cosu", "cosu"),
    ],
)  # fmt: skip
def test_the_row_that_counts_is_told_by_time_in_changes_and_by_content_in_a_snapshot(rows, of_changes, of_snapshot):
    # co: counts, or conflicting where there are several; re: repeated; su: superseded
    assert (verdicts(rows, is_snapshot=False), verdicts(rows, is_snapshot=True)) == (of_changes, of_snapshot)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(10, T1), (11, T1)], ["conflicting", "conflicting"]),
        ([(10, T1), (11, None)], ["conflicting", "conflicting"]),
        ([(10, T1), (11, T1, GONE)], ["conflicting", "superseded"]),
        ([(10, T1), (11, T2)], ["superseded", "counts"]),
    ],
)
def test_rows_of_changes_conflict_where_no_time_tells_which_is_the_newer(rows, expected):
    assert judge_rivals(survey(*((1, *row) for row in rows)), is_snapshot=False).to_list() == expected


def test_rows_without_a_key_and_of_other_keys_are_no_rivals():
    rows = survey((None, 10), (None, 11), (1, 10), (2, 10))
    assert set(judge_rivals(rows, is_snapshot=True)) == {"counts"}
    assert judge_rivals(survey(), is_snapshot=True).dtype == pl.String
