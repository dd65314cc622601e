"""Tests of ``custview_pipeline.flows.workers``; but for the slow ones, its task only hands on what it is given."""

import os

import polars as pl
import psutil
import pytest

from custview_pipeline.flows import workers
from custview_pipeline.flows.airlock import Airlock, admit
from custview_pipeline.flows.examine import Pending
from custview_pipeline.flows.workers import kept_workers, work_through
from custview_pipeline.kernel.errors import Redacted
from custview_pipeline.kernel.settings import rows_for_workers
from custview_pipeline_tests.factories import NOW, marks_of, source_contract


def hand_on(setting, batch):
    return setting, batch


class Refused(Exception):
    """A pool was asked for."""


@pytest.fixture
def _no_pool(monkeypatch):
    def refuse(*_, **__):
        raise Refused

    monkeypatch.setattr(workers, "ProcessPoolExecutor", refuse)


@pytest.mark.parametrize(("rows", "count"), [(rows_for_workers() - 1, 8), (10**6, 1), (0, 1)])
@pytest.mark.usefixtures("_no_pool")
def test_little_work_or_one_worker_stays_in_this_process(rows, count):
    assert list(work_through(hand_on, "airlock", iter("abc"), rows=rows, workers=count)) == [
        ("airlock", batch) for batch in "abc"
    ]


@pytest.mark.usefixtures("_no_pool")
def test_much_work_is_given_to_workers():
    with pytest.raises(Refused):
        next(work_through(hand_on, "airlock", iter("abc"), rows=rows_for_workers(), workers=2))


@pytest.mark.usefixtures("_no_pool")
def test_batches_are_read_as_they_are_wanted():
    read = []

    def batches():
        for batch in "abc":
            read.append(batch)
            yield batch

    admitted = work_through(hand_on, "airlock", batches(), rows=3, workers=1)
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
        yield Pending(raw, marks_of(number))


@pytest.fixture
def airlock(keyring):
    return Airlock(source_contract("crm", "full_name"), "US", keyring.airlock_keys(), "d1", NOW, ())


@pytest.mark.slow
def test_workers_admit_what_this_process_would_in_the_same_order(airlock):
    alone = list(work_through(admit, airlock, readings(5), rows=5, workers=1))
    together = list(work_through(admit, airlock, readings(5), rows=rows_for_workers(), workers=2))

    for one, other in zip(alone, together, strict=True):
        assert one.protected.drop("payload_sealed").equals(other.protected.drop("payload_sealed"))
        assert one.indexed.keys() == other.indexed.keys()
        for name, rows in one.indexed.items():
            assert all(mine.equals(theirs) for mine, theirs in zip(rows, other.indexed[name], strict=True))


@pytest.mark.slow
def test_a_worker_that_is_killed_is_one_clear_error(airlock):
    with pytest.raises(Redacted, match="was killed"):
        list(work_through(admit, airlock, [Deadly()], rows=rows_for_workers(), workers=2))


def told_process(setting, batch):
    return setting, batch, os.getpid()


def work(setting):
    return list(work_through(told_process, setting, range(6), rows=rows_for_workers(), workers=2))


@pytest.mark.slow
def test_workers_that_are_kept_work_for_the_next_source_too():
    with kept_workers():
        first, second = work("first"), work("second")
    third = work("third")

    assert [found[:2] for found in first + second + third] == [
        (name, n) for name in ("first", "second", "third") for n in range(6)
    ]
    processes = [{process for *_, process in found} for found in (first, second, third)]
    assert os.getpid() not in processes[0]
    assert len(processes[0] | processes[1]) <= 2
    assert not processes[2] & (processes[0] | processes[1])


@pytest.mark.slow
def test_workers_that_are_kept_end_with_what_keeps_them():
    with kept_workers():
        processes = {process for *_, process in work("first")}
        assert all(psutil.pid_exists(process) for process in processes)
    assert not any(psutil.pid_exists(process) for process in processes)


@pytest.mark.slow
def test_workers_are_kept_no_longer_once_one_was_killed(airlock):
    with kept_workers():
        with pytest.raises(Redacted, match="was killed"):
            list(work_through(admit, airlock, [Deadly()], rows=rows_for_workers(), workers=2))
        assert [found[:2] for found in work("next")] == [("next", number) for number in range(6)]
