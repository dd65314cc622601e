"""Tests of ``custview_pipeline.flows.parcels``."""

from multiprocessing.reduction import ForkingPickler
from typing import NamedTuple

import polars as pl
from hypothesis import given, settings
from polars.testing import assert_frame_equal
from polars.testing.parametric import dataframes

from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS
from custview_pipeline.contracts.match_index import INDEX_SCHEMAS
from custview_pipeline.contracts.standardised_record import FEATURE_TEXTS, ISSUES, RECORDS, VALUES
from custview_pipeline.flows import parcels

TYPES = (pl.Boolean, pl.Int64, pl.Int32, pl.UInt8, pl.Float64, pl.String, pl.Binary, pl.Date, pl.List(pl.String))


class Things(NamedTuple):
    """Something with frames in it."""

    frame: pl.DataFrame
    count: int
    more: dict[str, pl.DataFrame]


def there(thing):
    """Return what another process would get."""
    return ForkingPickler.loads(ForkingPickler.dumps(thing))


@settings(max_examples=50)
@given(dataframes(allowed_dtypes=TYPES, max_cols=5, max_size=8, allow_chunks=True))
def test_frames_arrive_as_they_were_sent(frame):
    assert_frame_equal(there(frame), frame)


def test_frames_of_every_schema_arrive_with_it():
    schemas = (PROTECTED_RECORDS.types, FEATURE_TEXTS, ISSUES, RECORDS, VALUES, *INDEX_SCHEMAS.values())
    assert [there(pl.DataFrame(schema=schema)).schema for schema in schemas] == [pl.Schema(schema) for schema in schemas]


def test_frames_arrive_within_other_things():
    frame = pl.DataFrame(
        {"key": [1, None], "text": ["a", "李"], "list": [[], None]}, schema_overrides={"list": pl.List(pl.Int64)}
    )
    sent = Things(frame, 3, {"none": frame.clear(), "last": frame.tail(1)})
    found = there(sent)

    assert (type(found), found.count, list(found.more)) == (Things, 3, ["none", "last"])
    assert_frame_equal(found.frame, frame)
    assert_frame_equal(found.more["none"], frame.clear())
    assert_frame_equal(found.more["last"], frame.tail(1))


def test_a_frame_goes_as_an_arrow_stream():
    assert ForkingPickler.dumps(pl.DataFrame({"a": ["b"]})).tobytes().count(parcels.__name__.encode()) == 1
