"""What is told of failed runs: one alert a run, with names and counts, whoever started it."""

import dagster as dg
import pytest

from custview_pipeline.defs.alerts import ALERTED, alert_sensor
from custview_pipeline.defs.processes import Worker
from custview_pipeline.defs.reaper import fail_runs_without_process
from custview_pipeline.defs.stages import BY_COMMAND
from custview_pipeline.launch import open_instance
from custview_pipeline_tests.defs.conftest import CRM, run_job
from custview_pipeline_tests.launch.serving import listening
from custview_pipeline_tests.worlds import make_world, people

SECRET = "Wilhelmina Quenneville"


@pytest.fixture
def world(tmp_path):
    """Return a project whose one source cannot be read."""
    world = make_world(tmp_path, CRM)
    world.deliver("crm", [])
    world.file("crm").write_text(f"ref,kind\n{SECRET},person\n")
    return world


@pytest.fixture
def alerts(monkeypatch):
    """Collect alerts instead of sending them."""
    found = []
    monkeypatch.setattr("custview_pipeline.defs.alerts.send", lambda alert: found.append(alert) or ["nobody is there"])
    return found


def tick(instance, cursor):
    """Let the sensor look at what failed since; return its cursor."""
    context = dg.build_sensor_context(instance=instance, cursor=cursor, repository_def=dg.Definitions().get_repository_def())
    alert_sensor("small-world").evaluate_tick(context)
    return context.cursor


def started(instance):
    """Return the cursor of the sensor at its start: what failed before is no news."""
    return tick(instance, None)


def fail(instance, *, tags=None, message=None):
    run = instance.add_run(dg.DagsterRun(job_name="refresh", status=dg.DagsterRunStatus.STARTED, tags=tags or {}))
    instance.report_run_failed(run, message)
    return run


def test_a_failed_run_is_told_of_once_with_the_step_and_its_own_words(world, alerts):
    with open_instance(world.directory) as instance:
        cursor = started(instance)
        ran = run_job(world)
        for _ in range(3):
            cursor = tick(instance, cursor)
    (alert,) = alerts
    assert (alert.project, alert.what, alert.job, alert.run_id) == ("small-world", "run failed", "refresh", ran.run.run_id)
    assert alert.stage == "admit_crm"
    assert alert.reason == ran.failures[0]
    assert "rows.csv" in alert.reason
    assert SECRET not in alert.line


def test_a_gate_that_stays_shut_is_told_of_by_the_name_of_its_check(world, alerts):
    with open_instance(world.directory) as instance:
        cursor = started(instance)
        world.deliver("crm", [row | {"name": None} for row in people(30, of="crm")])
        run_job(world)
        tick(instance, cursor)
    (alert,) = alerts
    assert "completeness__record__refused_share" in alert.reason
    assert "30 of 30 rows" in alert.reason


def test_of_an_error_that_no_stage_turned_into_words_the_type_is_told(tmp_path, alerts):
    @dg.op
    def failing():
        raise ValueError(SECRET)

    @dg.job(executor_def=dg.in_process_executor)
    def refresh():
        failing()

    with open_instance(tmp_path) as instance:
        cursor = started(instance)
        refresh.execute_in_process(instance=instance, raise_on_error=False)
        tick(instance, cursor)
    (alert,) = alerts
    assert (alert.stage, alert.reason) == ("failing", "failed with ValueError; the run in Dagster's UI has the place")
    assert SECRET not in alert.line


@pytest.mark.parametrize("tags", [{}, BY_COMMAND], ids=["of the daemon", "of the command line"])
def test_a_run_whose_process_is_gone_is_told_of_whoever_started_it(tmp_path, alerts, tags):
    here = Worker.here()
    gone = Worker(here.host, here.pid, here.began - 60)
    with open_instance(tmp_path) as instance:
        cursor = started(instance)
        instance.add_run(dg.DagsterRun(job_name="refresh", status=dg.DagsterRunStatus.STARTED, tags={**gone.tags, **tags}))
        assert fail_runs_without_process(instance) == 1
        tick(instance, tick(instance, cursor))
    (alert,) = alerts
    assert alert.stage == "outside of any step"
    assert alert.reason.startswith("the process of the run is gone")


def test_what_fails_outside_of_any_step_is_told_without_its_text(tmp_path, alerts):
    with open_instance(tmp_path) as instance:
        cursor = started(instance)
        fail(instance, message=SECRET)
        tick(instance, cursor)
    (alert,) = alerts
    assert alert.reason == "failed with unknown; the run in Dagster's UI has the place"


@pytest.mark.parametrize(("noted", "told"), [(ALERTED, 0), ({}, 1)], ids=["that tells", "that was killed on another host"])
def test_a_failure_of_a_command_line_is_told_of_by_one_of_both(tmp_path, alerts, noted, told):
    with open_instance(tmp_path) as instance:
        cursor = started(instance)
        fail(instance, tags={**BY_COMMAND, **noted}, message="exceeded its maximum runtime")
        tick(instance, cursor)
    assert len(alerts) == told


def test_what_the_command_line_told_of_the_daemon_does_not_tell_again(world, alerts):
    with open_instance(world.directory) as instance:
        cursor = started(instance)
        assert world.refresh().code == 1
        tick(instance, cursor)
    assert alerts == []


def test_the_command_line_tells_once_and_the_run_fails_whether_or_not_anybody_hears(world):
    with listening() as hook:
        assert world.refresh(CUSTVIEW_ALERT_WEBHOOK=hook.url).code == 1
    (heard,) = hook.heard
    assert (heard["stage"], heard["job"]) == ("admit_crm", "refresh")
    outcome = world.refresh(CUSTVIEW_ALERT_WEBHOOK=hook.url)
    assert outcome.code == 1
    assert "failed alert: the alert could not be sent by webhook: ConnectionError" in outcome.err
    assert SECRET not in outcome.err + str(hook.heard)


def test_what_keeps_a_run_from_beginning_is_told_too(world):
    with listening() as hook:
        outcome = world.refresh(CUSTVIEW_ALERT_WEBHOOK=hook.url, CUSTVIEW_KEY_PROVIDER="environment")
    assert outcome.code == 1
    (heard,) = hook.heard
    assert heard["stage"] == "before any step"
    assert heard["reason"] in outcome.err.replace("\n", " ")


@pytest.mark.parametrize("command", ["run", "up"])
def test_settings_of_alerts_are_looked_at_before_anything_begins(world, command):
    outcome = world.run(command, "--project", world.directory, CUSTVIEW_ALERT_EMAIL="ops")
    assert outcome.code == 2
    assert "CUSTVIEW_ALERT_EMAIL should be addresses" in outcome.err
    assert not (world.directory / ".custview").exists()
