"""Date patterns of the JDK in strptime's words."""

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.contracts.date_patterns import chrono_format, strptime_format


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("MM/dd/yyyy", "%m/%d/%Y"),
        ("d.M.yy", "%d.%m.%y"),
        ("dd MMM yyyy", "%d %b %Y"),
        ("MMMM d, uuuu", "%B %d, %Y"),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "%Y-%m-%dT%H:%M:%S.%f%z"),
        ("yyyy-MM-dd HH:mm:ss Z", "%Y-%m-%d %H:%M:%S %z"),
        ("h 'o''clock' a", "%I o'clock %p"),
        ("yyyy''MM", "%Y'%m"),
        ("yyyyMMdd", "%Y%m%d"),
        ("yyyy'年'M'月'd'日'", "%Y年%m月%d日"),
        ("%Y%m%d", "%Y%m%d"),
    ],
)
def test_a_pattern_is_translated(pattern, expected):
    assert strptime_format(pattern) == expected


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("YYYY-MM-DD", "did you mean 'yyyy'"),
        ("qq yyyy", "'qq', which is not supported"),
        ("yyyy-MM-dd'T", "opens a quote"),
        ("yyyy[-MM]", "optional parts"),
        ("dMyyyy", "a separator should follow"),
        ("--", "names no part of a date"),
        ("%Q", "'%Q', which is not supported"),
        ("%d.%m.%", "not supported"),
    ],
)
def test_what_cannot_be_translated_is_said(pattern, complaint):
    with pytest.raises(ValueError, match=complaint):
        strptime_format(pattern)


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# What the JDK prints for each field: its own rules, not strptime's.
_PRINTED = {
    "yyyy": lambda moment: f"{moment.year:04}",
    "uuuu": lambda moment: f"{moment.year:04}",
    "MM": lambda moment: f"{moment.month:02}",
    "M": lambda moment: str(moment.month),
    "MMM": lambda moment: _MONTHS[moment.month - 1],
    "dd": lambda moment: f"{moment.day:02}",
    "d": lambda moment: str(moment.day),
    "HH": lambda moment: f"{moment.hour:02}",
    "H": lambda moment: str(moment.hour),
    "mm": lambda moment: f"{moment.minute:02}",
    "ss": lambda moment: f"{moment.second:02}",
    "SSS": lambda moment: f"{moment.microsecond // 1000:03}",
    "XXX": lambda _: "Z",
    "'T'": lambda _: "T",
    "' of '": lambda _: " of ",
}
_moments = st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)).map(  # noqa: DTZ001 -- hypothesis adds it
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)
_date_fields = st.permutations([["yyyy", "uuuu"], ["MM", "M", "MMM"], ["dd", "d"]]).flatmap(
    lambda parts: st.tuples(*map(st.sampled_from, parts))
)


@given(
    _moments,
    _date_fields,
    st.sampled_from(["HH", "H"]),
    st.sampled_from(["/", "-", ".", " ", "' of '"]),
    st.sampled_from([" ", "'T'"]),
)
def test_a_date_that_the_jdk_prints_is_read_back(moment, date_fields, hours, separator, between):
    date_pieces = [piece for field in date_fields for piece in (separator, field)][1:]
    pieces = [*date_pieces, between, hours, ":", "mm", ":", "ss", ".", "SSS", "XXX"]
    printed = "".join(_PRINTED[piece](moment) if piece in _PRINTED else piece for piece in pieces)
    assert datetime.strptime(printed, strptime_format("".join(pieces))) == moment  # noqa: DTZ007 -- it has %z


@pytest.mark.parametrize(
    ("strptime", "text"),
    [
        ("%Y-%m-%dT%H:%M:%S.%f%z", "2024-02-29T12:30:15.250Z"),
        ("%d %b %Y %H:%M:%S %z", "29 Feb 2024 12:30:15 +0100"),
        ("%Y%m%d", "20240229"),
    ],
)
def test_polars_reads_the_chrono_format_as_python_reads_the_strptime(strptime, text):
    read = pl.Series([text]).str.to_datetime(chrono_format(strptime), time_unit="us")[0]
    assert read == datetime.strptime(text, strptime)  # noqa: DTZ007 -- it has %z
