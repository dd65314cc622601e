"""Runs whose process is gone are failed, and no other."""

import os
import subprocess
import sys

import dagster as dg
import psutil
import pytest

from custview_pipeline.defs.processes import BEGAN_TAG, HOST_TAG, PROCESS_TAG, Worker
from custview_pipeline.defs.reaper import GONE, fail_runs_without_process, runs_without_process
from custview_pipeline.launch import open_instance

STATUS = dg.DagsterRunStatus


@pytest.fixture(scope="module")
def gone():
    """Return a process of this host that has ended."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        worker = Worker.here(process.pid)
        assert worker.is_alive
    assert not worker.is_alive
    return worker


@pytest.fixture
def instance(tmp_path):
    with open_instance(tmp_path) as instance:
        yield instance


def status_after(instance, status, tags):
    run = instance.add_run(dg.DagsterRun(job_name="refresh", status=status, tags=tags))
    count = fail_runs_without_process(instance)
    after = instance.get_run_by_id(run.run_id).status
    assert count == (after is not status)
    return after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (STATUS.STARTING, STATUS.FAILURE),
        (STATUS.STARTED, STATUS.FAILURE),
        (STATUS.CANCELING, STATUS.CANCELED),
        (STATUS.NOT_STARTED, STATUS.NOT_STARTED),
        (STATUS.SUCCESS, STATUS.SUCCESS),
        (STATUS.FAILURE, STATUS.FAILURE),
        (STATUS.CANCELED, STATUS.CANCELED),
    ],
    ids=lambda status: status.value,
)
def test_a_run_at_work_whose_process_is_gone_ends(instance, gone, before, after):
    assert status_after(instance, before, gone.tags) is after


def test_runs_that_may_be_at_work_are_left_alone(instance, gone):
    here = Worker.here()
    living = {
        "of this process": here.tags,
        "of another host": gone.tags | {HOST_TAG: "another"},
        "on its way to a process": {},
        "of an older version": {PROCESS_TAG: str(gone.pid)},
        "not to be read": gone.tags | {BEGAN_TAG: "yesterday"},
    }
    assert {what: status_after(instance, STATUS.STARTED, tags) for what, tags in living.items()} == dict.fromkeys(
        living, STATUS.STARTED
    )


def test_a_number_that_another_process_has_by_now_is_not_the_process(instance):
    here = Worker.here()
    before = Worker(here.host, here.pid, here.began - 60)
    assert status_after(instance, STATUS.STARTED, before.tags) is STATUS.FAILURE


def test_a_run_that_ended_well_while_it_was_looked_at_stays_a_success(instance, gone, monkeypatch):
    run = instance.add_run(dg.DagsterRun(job_name="refresh", status=STATUS.STARTED, tags=gone.tags))

    def ended(_worker):
        instance.report_dagster_event(dg.DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, "refresh"), run_id=run.run_id)
        return False

    monkeypatch.setattr(Worker, "is_alive", property(ended))
    assert fail_runs_without_process(instance) == 0
    assert instance.get_run_by_id(run.run_id).status is STATUS.SUCCESS


def test_a_process_that_ended_and_that_nobody_asked_for_its_code_is_gone():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        worker = Worker.here(process.pid)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE
        assert not worker.is_alive


def test_a_process_comes_back_out_of_its_tags():
    here = Worker.here()
    assert Worker.of(here.tags) == here
    assert here.is_alive
    assert here.is_of_this_host


def test_the_sensor_fails_them_and_says_how_many(instance, gone):
    run = instance.add_run(dg.DagsterRun(job_name="refresh", status=STATUS.STARTED, tags=gone.tags))
    context = dg.build_sensor_context(instance=instance)
    assert runs_without_process(context).skip_message == "1 runs failed whose process is gone"
    assert runs_without_process(context).skip_message == "every run has its process"
    messages = [entry.dagster_event.message for entry in instance.all_logs(run.run_id) if entry.dagster_event]
    assert messages == [GONE]
