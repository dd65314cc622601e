"""Dates of birth, with a fixed today."""

from calendar import month_abbr, month_name
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.standardisation.dates.dates import read_birth_date
from custview_pipeline.standardisation.dates.month_names import month_of
from custview_pipeline.standardisation.dates.plain_dates import read_plain_birth_dates
from custview_pipeline.standardisation.reading import READING

TODAY = date(2026, 6, 30)
US, ELSEWHERE = True, False


def read(text, date_format=None, *, is_month_first=US):
    return read_birth_date(text, date_format, is_month_first=is_month_first, today=TODAY)[0]


WHOLE = [
    ("1985-03-12", US, "1985-03-12"),
    ("1985/3/12", US, "1985-03-12"),
    ("19850312", US, "1985-03-12"),
    ("1985.03.12", ELSEWHERE, "1985-03-12"),
    ("1985年3月12日", ELSEWHERE, "1985-03-12"),
    ("03/12/1985", US, "1985-03-12"),
    ("03/12/1985", ELSEWHERE, "1985-12-03"),
    ("12.03.1985", ELSEWHERE, "1985-03-12"),
    ("13/02/1990", US, "1990-02-13"),
    ("02/13/1990", ELSEWHERE, "1990-02-13"),
    ("12 March 1985", US, "1985-03-12"),
    ("12th of March 1985", US, "1985-03-12"),
    ("Mar 12, 1985", ELSEWHERE, "1985-03-12"),
    ("12-Mar-85", US, "1985-03-12"),
    ("04/12/60", US, "1960-04-12"),
    ("04/12/25", US, "2025-04-12"),
    ("12/31/26", US, "1926-12-31"),
    ("1985-03-12T00:00:00", US, "1985-03-12"),
    ("1985-03-12 00:00:00", US, "1985-03-12"),
    ("1542-06-01", ELSEWHERE, "1542-06-01"),
    ("2024-02-29", US, "2024-02-29"),
    ("02/29/24", US, "2024-02-29"),
    ("29/02/28", ELSEWHERE, "1928-02-29"),
    ("1985-03-12T23:30:00.000+08:00", US, "1985-03-12"),
    ("1985-03-12T23:30Z", US, "1985-03-12"),
    ("1985-03-12 00:00:00+00", US, "1985-03-12"),
    ("3/12/1985 12:00:00 AM", US, "1985-03-12"),
    ("19850312.0", US, "1985-03-12"),
    ("10000", US, "1927-05-18"),
    ("31118", US, "1985-03-12"),
    ("31118.75", US, "1985-03-12"),
    ("46203", US, "2026-06-30"),
    ("1985 年 3 月 12 号", US, "1985-03-12"),
    ("一九八五年三月十二日", US, "1985-03-12"),
    ("二〇〇一年十二月卅一日", US, "2001-12-31"),
    ("八五年十月廿三日", US, "1985-10-23"),
    ("民國74年3月12日", US, "1985-03-12"),
    ("中華民國七十四年三月二十日", US, "1985-03-20"),
    ("民國一百零二年十一月三十日", US, "2013-11-30"),
    ("民国元年一月二日", US, "1912-01-02"),
    ("12. März 1985", ELSEWHERE, "1985-03-12"),
    ("1er août 1985", ELSEWHERE, "1985-08-01"),
    ("12 de marzo de 1985", ELSEWHERE, "1985-03-12"),
    ("12 dicembre 1985", ELSEWHERE, "1985-12-12"),
    ("12 okt. 1985", ELSEWHERE, "1985-10-12"),
    ("12 de março de 1985", ELSEWHERE, "1985-03-12"),
    ("01 December 2000", US, "2000-12-01"),
    ("Tue, 12 Mar 1985", US, "1985-03-12"),
    ("1985-Mar-12", US, "1985-03-12"),
    ("12 Mar '85", US, "1985-03-12"),
    ("1985 03 12", US, "1985-03-12"),
    ("1985. 3. 12.", ELSEWHERE, "1985-03-12"),
    ("1985년 3월 12일", ELSEWHERE, "1985-03-12"),
    ("85-03-12", US, "1985-03-12"),
    ("99/12/31", ELSEWHERE, "1999-12-31"),
    ("03121985", US, "1985-03-12"),
    ("12031985", ELSEWHERE, "1985-03-12"),
    ("13031985", US, "1985-03-13"),
    ("1985-03-12Z", US, "1985-03-12"),
    ("1985-03-12-05:00", US, "1985-03-12"),
    ("Tue Mar 12 00:00:00 CST 1985", US, "1985-03-12"),
    ("昭和60年3月12日", ELSEWHERE, "1985-03-12"),
    ("平成元年1月8日", ELSEWHERE, "1989-01-08"),
    ("令和二年五月一日", ELSEWHERE, "2020-05-01"),
]


@pytest.mark.parametrize(("text", "is_month_first", "expected"), WHOLE)
def test_a_date_is_written_as_iso_8601(text, is_month_first, expected):
    reading = read(text, is_month_first=is_month_first)
    assert (reading.value, reading.feature, reading.rule) == (expected, expected, None)


@pytest.mark.parametrize(
    ("text", "date_format", "expected"),
    [
        ("12/03/1985", "%d/%m/%Y", "1985-03-12"),
        ("850312", "%y%m%d", "1985-03-12"),
        ("12/03/60", "%d/%m/%y", "1960-03-12"),
        ("03/04/1985 10:30", "%d/%m/%Y %H:%M", "1985-04-03"),
        ("03/04/1985", "%d/%m/%Y %H:%M", "1985-04-03"),
        ("03/04/1985 00:00:00", "%d/%m/%Y", "1985-04-03"),
        ("03/04/1985 0530", "%d/%m/%Y %H%M", "1985-04-03"),
        ("1985-03-12", "%d/%m/%Y", "1985-03-12"),
        ("02/13/1990", "%d/%m/%Y", "1990-02-13"),
        ("20-Mar-1985", "%d-%b-%Y", "1985-03-20"),
        ("19850312", "%d%m%Y", "1985-03-12"),
        ("10020726", "%d%m%Y", "1002-07-26"),
        ("31118", "%d%m%y", "2018-01-31"),
    ],
)
def test_the_contracts_format_comes_first(text, date_format, expected):
    reading = read(text, date_format)
    assert (reading.value if reading.rule is None else None) == expected


@pytest.mark.parametrize(
    "text",
    [
        "1900-01-01",
        "01/01/1900",
        "0000-00-00",
        "00/00/0000",
        "1111-11-11",
        "9999-12-31",
        "12/31/9999",
        "00000000",
        "0001-01-01",
        "01/01/0001",
        "1900-01-01 00:00:00",
        "一九〇〇年一月一日",
    ],
)
def test_a_placeholder_gives_no_value(text):
    assert read(text)[:4] == (None, None, None, "placeholder")


@pytest.mark.parametrize(
    ("text", "rule", "year"),
    [
        ("1985", "partial_date", "1985"),
        ("March 1985", "partial_date", "1985"),
        ("about 1850", "partial_date", "1850"),
        ("1985-00-00", "partial_date", "1985"),
        ("1985-03-00", "partial_date", "1985"),
        ("1985-02-30", "impossible_date", "1985"),
        ("29/02/1991", "impossible_date", "1991"),
        ("19851340", "impossible_date", None),
        ("32-00-12", "impossible_date", None),
        ("11121314", "impossible_date", None),
        ("2050-01-01", "future_date", None),
        ("hello", "not_a_date", None),
        ("85", "not_a_date", None),
        ("1985-03", "partial_date", "1985"),
        ("09999", "not_a_date", None),
        ("46204", "not_a_date", None),
        ("99999", "not_a_date", None),
        ("12 Brumaire 1985", "partial_date", "1985"),
        ("31 April 1985", "impossible_date", "1985"),
        ("民國99年13月1日", "impossible_date", None),
        ("2026-07-01", "future_date", None),
    ],
)
def test_what_is_no_whole_date_is_kept_with_its_reason(text, rule, year):
    reading = read(text)
    assert (reading.value, reading.rule, reading.feature) == (text, rule, year)


@given(
    st.dates(min_value=date(1600, 1, 2), max_value=TODAY),
    st.sampled_from(["%Y-%m-%d", "%Y%m%d", "%d %B %Y", "%B %d, %Y", "%Y/%m/%d"]),
)
def test_every_date_is_found_again(day, form):
    reading = read(day.strftime(form))
    assert reading.value in {day.isoformat(), None}
    assert reading.rule in {None, "placeholder"}


@settings(max_examples=300)
@given(st.text(alphabet="0123456789/-. amjfnoecrvT:年月日", max_size=14), st.booleans())
def test_reading_a_value_again_changes_nothing(text, is_month_first):
    reading = read(text, is_month_first=is_month_first)
    if reading.value and reading.rule in {None, "future_date"}:
        assert read(reading.value, is_month_first=is_month_first) == reading


def test_english_months_have_their_numbers():
    assert [month_of(name.lower()) for name in (*month_name, *month_abbr) if name] == [*range(1, 13), *range(1, 13)]


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        ("januar februar marz april mai juni juli august september oktober november dezember", range(1, 13)),
        ("janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre", range(1, 13)),
        ("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre", range(1, 13)),
        ("gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre", range(1, 13)),
        ("januari februari maart april mei juni juli augustus september oktober november december", range(1, 13)),
        ("janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro", range(1, 13)),
    ],
)
def test_months_of_other_languages_have_their_numbers(names, numbers):
    assert [month_of(name) for name in names.split()] == [*numbers]


FORMATS = [
    None,
    "%Y-%m-%d",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d.%m.%y",
    "%m/%d/%y",
    "%Y%m%d",
    "%d%m%Y",
    "%y%m%d",
    "%d%m%y",
    "%Y-%d-%m",
    "%d %m %Y",
    "%Y年%m月%d日",
    "%d-%b-%Y",
    "%d.%m.%Y %H:%M",
    "%j/%Y",
    "%d%m-%Y",
    "%Y-%m",
]


def quick_readings(texts, date_format, *, is_month_first):
    """Return what is read many at a time, by text."""
    cells = pl.DataFrame({"cell": texts}, schema={"cell": pl.String}).with_row_index("code")
    found = read_plain_birth_dates(cells, date_format, is_month_first=is_month_first, today=TODAY)
    assert found.columns == ["code", "position", *READING]
    assert not any(found["position"])
    return {texts[code]: reading for code, _, *reading in found.iter_rows()}


def assert_quick_is_exact(texts, date_format, *, is_month_first):
    quick = quick_readings(texts, date_format, is_month_first=is_month_first)
    for text, reading in quick.items():
        assert list(reading) == list(read(text, date_format, is_month_first=is_month_first))
    return quick


@pytest.mark.parametrize("date_format", FORMATS)
@pytest.mark.parametrize("is_month_first", [True, False])
def test_digits_in_every_form_are_read_many_at_a_time_as_one_by_one(date_format, is_month_first):
    years = ("0726", "1002", "1312", "1889", "1900", "1985", "2012", "2026", "2027", "00", "12", "26", "27", "72")
    days = [(year, month, day) for year in years for month in ("1", "02", "12", "13", "00") for day in ("1", "03", "29", "31")]
    forms = (
        "{0}-{1}-{2}",
        "{1}/{2}/{0}",
        "{2}.{1}.{0}",
        "{2} {1} {0}",
        "{0}{1}{2}",
        "{2}{1}{0}",
        "{0}年{1}月{2}日",
        "{0}/{1}-{2}T00:00:00Z",
    )
    texts = sorted({form.format(*day) for form in forms for day in days} | {text for text, *_ in WHOLE})
    quick = assert_quick_is_exact(texts, date_format, is_month_first=is_month_first)
    assert bool(quick) == (date_format not in {"%j/%Y", "%d%m-%Y", "%Y-%m"})


@settings(max_examples=80)
@given(
    st.lists(
        st.one_of(
            st.text(alphabet="0123456789/-. :T年月日", max_size=16),
            st.from_regex(
                r"[0-9]{1,4}[-/. ][0-9]{1,2}[-/. ][0-9]{1,4}([T ][0-9]{1,2}:[0-9]{2}(:[0-9]{2})?( ?[AP]M)?Z?)?\n?", fullmatch=True
            ),
            st.dates().map(str),
            st.dates(max_value=TODAY).map("{:%m/%d/%Y}".format),
        ),
        unique=True,
        max_size=60,
    ),
    st.sampled_from(FORMATS),
    st.booleans(),
)
def test_what_is_read_many_at_a_time_is_read_so_one_by_one(texts, date_format, is_month_first):
    assert_quick_is_exact(texts, date_format, is_month_first=is_month_first)


def test_usual_dates_are_read_many_at_a_time():
    texts = [f"{month:02}/{day:02}/{year}" for year in (1950, 1999, 2020) for month in range(1, 13) for day in range(1, 29)]
    assert len(quick_readings(texts, "%m/%d/%Y", is_month_first=True)) == len(texts)
