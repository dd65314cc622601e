"""Tests of ``custview_pipeline.adapters.plain_json``: what polars reads of JSON lines is what Python reads of them."""

import json
from unittest.mock import patch

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from custview_pipeline.adapters import json_files
from custview_pipeline.adapters.json_files import read_json_lines
from custview_pipeline.adapters.plain_json import read_plain_json
from custview_pipeline.kernel.errors import SourceUnreadable
from custview_pipeline_tests.adapters.delivered_files import delivered

COLUMNS = ["id", "name", "born"]
ORDERS = [{"id": "1", "name": "Ada", "more": 1, "born": "1985"}]
FIELDS = [
    '"id":"1"', '"id": 1', '"id":-0', '"id":01', '"id":12345678901234567890', '"id":1.50', '"id":1e3', '"id":true', '"id":null',
    '"name":""', '"name":"a \\"b\\" \\u00e9 \\ud83d\\ude00"', '"name":"\\ud83d"', '"name":"\\uD800x"', '"name":"\\x"',
    '"name":"é李"',
    '"name":"{\\"id\\":5}"', '"name":"tab\there"', '"name":["a","b"]', '"name":{"id":"2"}', '"born":"1985-01-02"', '"born":NaN',
    '"born":"line\\nbreak"', '"born":false', '"more":1.5', '"more":"x"', '"\\u0069d":"7"',
]  # fmt: skip
WHOLE = '{"id":"1","name":"Ada","born":"1985-01-02"}'


def nothing_plain(lines, columns, examples):  # noqa: ARG001 -- as read_plain_json
    return lines.is_null(), pl.DataFrame(schema=dict.fromkeys(columns, pl.String))


def outcome(file):
    """Return the rows of a file, or the error that it is."""
    try:
        return [row for frame in read_json_lines(file, COLUMNS) for row in frame.iter_rows()]
    except SourceUnreadable as error:
        return str(error)


def read_both_ways(directory, text):
    (file,) = delivered(directory, text, file_format="jsonl").files()
    quick = outcome(file)
    with patch.object(json_files, "read_plain_json", nothing_plain):
        return quick, outcome(file)


OBJECTS = st.builds(
    lambda fields, comma, end: "{" + comma.join(fields) + "}" + end,
    st.lists(st.sampled_from(FIELDS), max_size=4),
    st.sampled_from([",", ", ", " ,", ";"]),
    st.sampled_from(["", "\r", " ", "x"]),
)


@given(st.lists(st.one_of(OBJECTS, st.just(WHOLE), st.sampled_from(["", "  ", "[1]", "5", "null", "{", "{}"])), max_size=6))
@example([WHOLE, '{"id":"1","id":"2"}'])
@example([WHOLE, '{"id":1.50,"name":"Ada"}', "", '{"name":"Ada","id":"2"}'])
def test_what_is_read_many_at_a_time_is_read_so_one_by_one(tmp_path_factory, lines):
    quick, plain = read_both_ways(tmp_path_factory.mktemp("delivery"), "\n".join(["", *lines, ""]))
    assert quick == plain


def records():
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    value = st.one_of(text, st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False))
    return st.dictionaries(st.sampled_from([*COLUMNS, "more"]), value)


@given(st.lists(records(), min_size=1, max_size=8), st.booleans(), st.booleans())
def test_records_are_read_alike_however_they_are_written(tmp_path_factory, written, is_ascii, is_spaced):
    separators = (", ", ": ") if is_spaced else (",", ":")
    text = "\n".join(json.dumps(record, ensure_ascii=is_ascii, separators=separators) for record in written)
    quick, plain = read_both_ways(tmp_path_factory.mktemp("delivery"), text)
    assert quick == plain


@pytest.mark.parametrize(
    ("line", "is_plain"),
    [
        (WHOLE, True),
        ('{"id":"1","born":null}', True),
        ('{"id": 17, "name": "Ada", "more": 1.5}', True),
        ('{"name":"Ada","id":"1"}', False),  # in another order: one of them could be there twice
        ('{"id":"1","id":"2"}', False),
        ('{"id":1.50}', False),
        ('{"id":-0}', False),
        ('{"name":"\\ud83d\\ude00"}', False),
        ('{"name":["a"]}', False),
        ('{"unknown":"a"}', False),
    ],
)
def test_lines_that_could_be_read_otherwise_are_left_alone(line, is_plain):
    found, rows = read_plain_json(pl.Series([line, WHOLE]), COLUMNS, ORDERS)
    assert found.to_list() == [is_plain, True]
    assert rows.height == 1 + is_plain


def test_a_line_that_only_looks_plain_leaves_all_to_the_other_reader():
    found, rows = read_plain_json(pl.Series([WHOLE, '{"id":"1"}"name":"Ada"}']), COLUMNS, ORDERS)
    assert not found.any()
    assert rows.is_empty()
