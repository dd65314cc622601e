"""Values of Python as texts of cells."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.adapters.cell_text import cell_text, text_column
from custview_pipeline.kernel.errors import SourceUnreadable

TEXTS = [
    (None, None),
    ("", None),
    (" x ", " x "),
    (True, "true"),
    (False, "false"),
    (10**30, "1" + "0" * 30),
    (1.0, "1"),
    (1e20, "1" + "0" * 20),
    (1.5e-7, "0.00000015"),
    (0.1, "0.1"),
    (float("nan"), None),
    (float("-inf"), "-Infinity"),
    (Decimal("1E+3"), "1000"),
    (Decimal("1.50"), "1.50"),
    (Decimal("NaN"), None),
    (date(2026, 1, 2), "2026-01-02"),
    (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05+00:00"),
    (time(3, 4, 5), "03:04:05"),
    ({"a": ["ü", None]}, '{"a": ["ü", null]}'),
    (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
]


@pytest.mark.parametrize(("value", "text"), TEXTS, ids=lambda each: repr(each)[:40])
def test_a_value_is_written_as_an_export_to_csv_would(value, text):
    assert cell_text(value) == text


@pytest.mark.parametrize(("value", "kind"), [(b"x", "bytes"), (memoryview(b"x"), "bytes"), (timedelta(1), "durations")])
def test_what_is_no_text_is_named_by_its_kind(value, kind):
    with pytest.raises(SourceUnreadable, match=f"^'name' holds {kind}; the contract's columns are"):
        text_column("name", ["x", value], SourceUnreadable)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.decimals(allow_nan=False, allow_infinity=False))
def test_a_number_keeps_its_value_and_has_no_exponent(number):
    text = cell_text(number)
    assert text is not None
    assert "e" not in text.lower()
    assert type(number)(text) == number
