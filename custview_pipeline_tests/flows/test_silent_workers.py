"""Workers of the airlock say nothing by themselves, and leave no core dump."""

import logging
import os
import resource
import sys
import warnings

import pytest

from custview_pipeline.flows.workers import work_through

SECRET = "Wilhelmina Quenneville"


def speak(setting: str, batch: int) -> tuple[int, tuple[int, int], str]:
    """Say a value in every way there is, and return the batch, the limit of core dumps and the kind of log records."""
    os.write(2, setting.encode())
    sys.stderr.write(setting)
    logging.getLogger("any").error(setting)
    warnings.warn(setting, stacklevel=1)
    return batch, resource.getrlimit(resource.RLIMIT_CORE), logging.getLogRecordFactory().__name__


@pytest.mark.slow
def test_a_worker_is_silent_whatever_speaks_in_it(capfd, monkeypatch):
    monkeypatch.setenv("CUSTVIEW_ROWS_FOR_WORKERS", "1")
    monkeypatch.setenv("PYTHONWARNINGS", "always")
    found = list(work_through(speak, SECRET, range(4), rows=4, workers=2))
    assert found == [(number, (0, 0), "SilentRecord") for number in range(4)]
    said = capfd.readouterr()
    assert "Wilhelmina" not in said.err + said.out
