"""Tests of ``custview_pipeline.flows.workers``; but for the slow ones, its airlock only hands on what it is given."""

import os

import polars as pl
import pytest

from custview_pipeline.flows import workers
from custview_pipeline.flows.airlock import Airlock, Pending
from custview_pipeline.flows.workers import LEAST_ROWS_FOR_WORKERS, admit_all
from custview_pipeline.kernel.errors import Redacted
from custview_pipeline_tests.factories import NOW, source_contract


@pytest.fixture
def _transparent(monkeypatch):
    monkeypatch.setattr(workers, "admit", lambda airlock, batch: (airlock, batch))


class Refused(Exception):
    """A pool was asked for."""


@pytest.fixture
def _no_pool(monkeypatch):
    def refuse(*_, **__):
        raise Refused

    monkeypatch.setattr(workers, "ProcessPoolExecutor", refuse)


@pytest.mark.parametrize(("rows", "count"), [(LEAST_ROWS_FOR_WORKERS - 1, 8), (10**6, 1), (0, 1)])
@pytest.mark.usefixtures("_no_pool", "_transparent")
def test_little_work_or_one_worker_stays_in_this_process(rows, count):
    assert list(admit_all("airlock", iter("abc"), rows=rows, workers=count)) == [("airlock", batch) for batch in "abc"]


@pytest.mark.usefixtures("_no_pool", "_transparent")
def test_much_work_is_given_to_workers():
    with pytest.raises(Refused):
        next(admit_all("airlock", iter("abc"), rows=LEAST_ROWS_FOR_WORKERS, workers=2))


@pytest.mark.usefixtures("_no_pool", "_transparent")
def test_batches_are_read_as_they_are_wanted():
    read = []

    def batches():
        for batch in "abc":
            read.append(batch)
            yield batch

    admitted = admit_all("airlock", batches(), rows=3, workers=1)
    next(admitted)

    assert read == ["a"]


class Deadly:
    """A batch that ends the process which unpacks it."""

    def __reduce__(self):
        return os._exit, (1,)


def readings(count):
    """Return batches of one source, each of one row."""
    for number in range(count):
        raw = pl.DataFrame({"source_key": [f"k{number}"], "full_name": ["Ada Winterbourne"]})
        marks = pl.DataFrame(
            [(number, 0, 1, None)],
            schema={"record_id": pl.Int64, "content_digest": pl.Int64, "version": pl.Int32, "broken": pl.List(pl.String)},
            orient="row",
        )
        yield Pending(raw, marks)


@pytest.fixture
def airlock(keyring):
    return Airlock(source_contract("crm", "full_name"), "US", keyring.airlock_keys(), "d1", NOW)


@pytest.mark.slow
def test_workers_admit_what_this_process_would_in_the_same_order(airlock):
    alone = list(admit_all(airlock, readings(5), rows=5, workers=1))
    together = list(admit_all(airlock, readings(5), rows=LEAST_ROWS_FOR_WORKERS, workers=2))

    for one, other in zip(alone, together, strict=True):
        assert one.protected.drop("payload_sealed").equals(other.protected.drop("payload_sealed"))
        assert one.tokens.equals(other.tokens)
        assert one.claims.equals(other.claims)


@pytest.mark.slow
def test_a_worker_that_is_killed_is_one_clear_error(airlock):
    with pytest.raises(Redacted, match="was killed"):
        list(admit_all(airlock, [Deadly()], rows=LEAST_ROWS_FOR_WORKERS, workers=2))
