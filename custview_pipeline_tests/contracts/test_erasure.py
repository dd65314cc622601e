"""Tests of ``custview_pipeline.contracts.erasure``: the lines of the ledger."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.contracts.erasure import CarriedOut, Erasure, parse_ledger, written_lines

MARKS = st.lists(st.integers(-(2**63), 2**63 - 1), max_size=5).map(tuple)
IDS = st.text("0123456789abcdef", min_size=16, max_size=16)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- limits have no zone
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
ERASURES = st.builds(
    Erasure,
    erasure_id=IDS,
    requested_at=MOMENTS,
    who=TEXTS,
    reason=TEXTS,
    legal_basis=st.none() | TEXTS,
    record_marks=MARKS,
    customer_marks=MARKS,
)
NOTES = st.builds(CarriedOut, erasure_id=IDS, carried_out_at=MOMENTS, run_id=TEXTS, package_version=TEXTS)
LINES = st.lists(ERASURES | NOTES, max_size=4).map(tuple)


@given(LINES)
def test_what_is_written_is_read_again(lines):
    written = written_lines(lines)
    assert parse_ledger(written) == lines
    assert written.count(b"\n") == len(lines)


@given(LINES.filter(len), st.data())
def test_a_line_that_a_crash_left_unfinished_does_not_count_and_hides_no_other(lines, data):
    written = written_lines(lines)
    start = len(written_lines(lines[:-1]))
    assert parse_ledger(written[: data.draw(st.integers(start, len(written) - 1))]) == lines[:-1]


@given(st.binary(max_size=300))
def test_any_bytes_are_lines_or_no_ledger(content):
    try:
        parse_ledger(content)
    except ValueError as error:
        assert str(error).startswith("line ")  # noqa: PT017 -- whichever of both it is


@given(LINES.filter(len), st.data())
def test_any_changed_byte_leaves_lines_or_no_ledger(lines, data):
    written = bytearray(written_lines(lines))
    written[data.draw(st.integers(0, len(written) - 1))] = data.draw(st.integers(0, 255))
    try:
        parse_ledger(bytes(written))
    except ValueError as error:
        assert str(error).startswith("line ")  # noqa: PT017 -- whichever of both it is


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"kind": "erasure"}',
        b'{"kind": "other"}',
        b'{"kind":"carried_out","erasure_id":"0123456789abcdef","carried_out_at":"2026-01-01T00:00:00","run_id":"","package_version":""}',
        b'{"kind":"carried_out","erasure_id":"Wilhelmina","carried_out_at":"2026-01-01T00:00:00Z","run_id":"","package_version":""}',
        b"\xff\xfe",
    ],
    ids=["empty", "no kind", "list", "null", "nothing said", "unknown kind", "no time zone", "another id", "not UTF-8"],
)
def test_what_is_no_line_is_told_by_its_number_and_not_quoted(line):
    good = written_lines(
        [CarriedOut(erasure_id="0" * 16, carried_out_at=datetime(2026, 1, 1, tzinfo=UTC), run_id="r", package_version="1")]
    )
    with pytest.raises(ValueError, match=r"^line 2$"):
        parse_ledger(good + line + b"\n")
