"""Moments, one by one and many at a time."""

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.standardisation.dates.dates import PLACEHOLDER_DATES
from custview_pipeline.standardisation.dates.timestamps import read_timestamp, read_timestamps

TEN = datetime(2024, 3, 4, 10, tzinfo=UTC)
MIDNIGHT = datetime(2024, 3, 4, tzinfo=UTC)
EARLIEST = MIDNIGHT.replace(year=1000, tzinfo=None)
CASES = [
    ("2024-03-04T10:00:00Z", None, TEN),
    ("2024-03-04T18:00+08:00", None, TEN),
    ("2024-03-04 04:30:00.000000-05:30", None, TEN),
    ("2024-03-04 10:00", None, TEN),
    ("2024-03-04", None, MIDNIGHT),
    ("2024-03-04T10:00:00.250", None, TEN.replace(microsecond=250_000)),
    ("2024-03-04T10:00:00.123456789Z", None, TEN.replace(microsecond=123_456)),
    ("20240304T100000Z", None, TEN),
    ("2024-W10-1", None, MIDNIGHT),
    ("1709546400", None, TEN),
    ("1709546400.25", None, TEN.replace(microsecond=250_000)),
    ("1709546400250", None, TEN.replace(microsecond=250_000)),
    ("1709546400250001", None, TEN.replace(microsecond=250_001)),
    ("1709546400250001999", None, TEN.replace(microsecond=250_001)),
    ("202403041000", None, TEN),
    ("20240304100000", None, TEN),
    ("45355", None, MIDNIGHT),
    ("45355.4166666667", None, TEN),
    ("03/04/2024 10:00 GMT", None, TEN),
    ("03/04/2024 10:00:00 AM", None, TEN),
    ("Mar 4, 2024 10:00 AM", None, TEN),
    ("Mar 4 2024 10:00AM", None, TEN),
    ("04-MAR-24 10.00.00.000000 AM", None, TEN),
    ("Mon Mar 4 10:00:00 2024", None, TEN),
    ("Mon, 04 Mar 2024 12:00:00 +0200", None, TEN),
    ("2024年3月4日 10:00", None, TEN),
    ("2024年3月4日 10时00分00秒", None, TEN),
    ("Mon, 04 Mar 2024 10:00:00 GMT", None, TEN),
    ("Mon Mar 04 10:00:00 UTC 2024", None, TEN),
    ("2024-03-04T05:00:00.000-05:00[America/New_York]", None, TEN),
    ("20240304100000250", None, TEN.replace(microsecond=250_000)),
    ("2024-3-4 10:00", None, TEN),
    ("2024.03.04", None, MIDNIGHT),
    ("3/4/24", None, MIDNIGHT),
    ("4.3.24", None, MIDNIGHT),
    ("March 4, 2024", None, MIDNIGHT),
    ("2024-03-04 10:00:00 AM", None, TEN),
    ("9999-12-31T23:59:59Z", None, None),
    ("9999-12-31 23:59:59", None, None),
    ("1900-01-01 00:00:00", None, None),
    ("01/01/0001", None, None),
    ("2024-04-03 10:00", "%Y-%d-%m %H:%M", TEN),
    ("04/03/2024 10:00", "%d/%m/%Y %H:%M", TEN),
    ("2024-03-04T10:00:00Z", "%d/%m/%Y %H:%M", TEN),
    ("2024-03-04T12:00:00+02:00", "%Y-%m-%dT%H:%M:%S%z", TEN),
    ("2024-02-30", None, None),
    ("2024-03-04T24:30", None, None),
    ("2024-03-04T10:00:60", None, None),
    ("29999", None, None),
    ("73051", None, None),
    ("12345678", None, None),
    ("9999-12-31T23:59:59-05:00", None, None),
    ("0001-01-01T00:00:00+08:00", None, None),
    ("99999999999999999999", None, None),
    ("soon", None, None),
]


@pytest.mark.parametrize(("text", "date_format", "moment"), CASES)
def test_a_moment_is_told_in_utc(text, date_format, moment):
    assert read_timestamp(text, date_format, is_month_first=True) == moment
    assert read_timestamps(pl.Series([text]), date_format, is_month_first=True).to_list() == [moment]


def test_moments_keep_their_places_and_nulls():
    texts = pl.Series(["2024-03-04", None, "soon", "03/04/2024", "2024-03-04"])
    found = read_timestamps(texts, None, is_month_first=True)
    assert found.dtype == pl.Datetime("us", "UTC")
    assert found.to_list() == [MIDNIGHT, None, None, MIDNIGHT, MIDNIGHT]


def test_no_texts_give_no_moments():
    assert read_timestamps(pl.Series([], dtype=pl.String), None, is_month_first=True).to_list() == []
    assert read_timestamps(pl.Series([None], dtype=pl.String), None, is_month_first=True).to_list() == [None]


@settings(max_examples=80)
@given(
    st.lists(
        st.one_of(
            st.datetimes().map(lambda moment: moment.isoformat(" ")),
            st.datetimes(timezones=st.timezones()).map(datetime.isoformat),
            st.from_regex(
                r"[0-9]{4}-[01][0-9]-[0-3][0-9]([T ][0-2][0-9]:[0-6][0-9](:[0-6][0-9]([.][0-9]{1,9})?)?"
                r"(Z|[+-][0-9]{2}:[0-9]{2})?)?\n?",
                fullmatch=True,
            ),
            st.text(alphabet="0123456789-:T. +Z", max_size=20),
        ),
        max_size=20,
    ),
    st.sampled_from([None, "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%z", "%m/%d/%Y", "%Y-%d-%m", "%Y-%m-%d %M:%H"]),
)
def test_many_moments_are_read_as_one_by_one(texts, date_format):
    many = read_timestamps(pl.Series(texts, dtype=pl.String), date_format, is_month_first=True)
    assert many.to_list() == [read_timestamp(text, date_format, is_month_first=True) for text in texts]


@given(st.datetimes(min_value=EARLIEST, max_value=EARLIEST.replace(year=8999)))
def test_a_moment_written_as_iso_8601_is_found_again(moment):
    moment = moment.replace(tzinfo=UTC)
    expected = None if moment.date().isoformat() in PLACEHOLDER_DATES else moment
    assert read_timestamp(moment.isoformat(), None, is_month_first=True) == expected
