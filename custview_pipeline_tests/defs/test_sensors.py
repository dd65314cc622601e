"""Sensors on a real instance: when they ask for a run, when they do not, and when they give up."""

import json
import os
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import dagster as dg
import pytest
import yaml

from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.definitions import build_definitions
from custview_pipeline.defs.intake import FINGERPRINT_TAG, files_key, intake_keys
from custview_pipeline.defs.jobs import DOWNSTREAM, WRITER_TAG
from custview_pipeline.defs.processes import Worker
from custview_pipeline.defs.reaper import fail_runs_without_process
from custview_pipeline.defs.resources import ProjectResource
from custview_pipeline.defs.sensors import evaluate
from custview_pipeline.defs.tries import (
    CURSOR_VERSION,
    MISSING_SECONDS,
    MOST_KILLS,
    MOST_MISSES,
    MOST_TRIES,
    WAITS,
    Memo,
    read_memo,
    write_memo,
)
from custview_pipeline.flows.holding import Standing, current_held, restated
from custview_pipeline.kernel.errors import DeliveryRefused
from custview_pipeline.launch import open_instance
from custview_pipeline_tests.defs.conftest import run_job, surroundings
from custview_pipeline_tests.worlds import people

LONG_AGO = time.time() - 3600
NOBODY = Worker(Worker.here().host, Worker.here().pid, Worker.here().began - 60)


@pytest.fixture
def instance(world):
    with open_instance(world.directory) as instance:
        yield instance


def settle(world, source="crm", *, at=LONG_AGO):
    os.utime(world.file(source), (at, at))


def tick(instance, world, cursor=None, source="crm"):
    context = dg.build_sensor_context(instance=instance, cursor=cursor)
    contract = load_project(world.directory).contract_of(source)
    with surroundings(world, {}):
        return evaluate(context, contract, ProjectResource(directory=str(world.directory)))


def said(result):
    reason = result if isinstance(result, dg.SkipReason) else result.skip_reason
    return reason.skip_message


def later(cursor, seconds):
    """Return the cursor as if its last try were longer ago."""
    memo = read_memo(cursor)
    return write_memo(memo._replace(tried_at=memo.tried_at - seconds))


def tried(instance, world):
    """Return the cursor and the keys of the requests after all tries."""
    cursor, keys = None, []
    for wait in WAITS:
        result = tick(instance, world, later(cursor, wait + 1) if cursor else None)
        cursor = result.cursor
        keys += [request.run_key for request in result.run_requests]
    return cursor, keys


def decide_what_is_held(world, standing):
    with surroundings(world, {}), ProjectResource(directory=str(world.directory)).lake().writer() as writer:
        held = current_held(writer.snapshot())
        with writer.commit("a person") as commit:
            commit.append("held_deliveries", restated(held, standing, run_id="a person", decided_by="ada"))


@pytest.fixture
def alerts(monkeypatch):
    """Collect alerts instead of sending them."""
    found = []
    monkeypatch.setattr("custview_pipeline.defs.alerts.send", lambda alert: found.append(alert) or [])
    return found


def add_run(instance, status, **tags):
    run = dg.DagsterRun(job_name="refresh", status=status, tags={WRITER_TAG: "lake", **tags})
    return instance.add_run(run)


def test_files_that_may_still_be_written_are_left_alone(world, instance):
    settle(world, at=time.time())
    assert said(tick(instance, world)) == "crm: the files are still being written"


@pytest.mark.parametrize("gone", ["file", "folder"])
def test_missing_files_are_named(world, instance, gone):
    world.file("crm").unlink()
    if gone == "folder":
        world.file("crm").parent.rmdir()
    reason = said(tick(instance, world))
    assert reason.startswith("crm: ")
    assert "data/crm/*.csv" in reason


def test_new_content_asks_for_the_whole_source_and_all_that_follows(world, instance):
    settle(world)
    (request,) = tick(instance, world).run_requests
    assert request.asset_selection == [*intake_keys("crm"), *DOWNSTREAM]
    assert request.tags == {"custview/source": "crm"}
    assert str(world.directory) not in request.run_key


def test_while_a_run_is_at_work_none_is_asked_for(world, instance):
    settle(world)
    add_run(instance, dg.DagsterRunStatus.STARTED)
    assert said(tick(instance, world)) == "crm: a run is at work"


@pytest.mark.slow
@pytest.mark.thorough
def test_content_that_a_run_of_the_command_line_took_in_is_not_new(world, instance):
    settle(world)
    assert world.refresh().code == 0
    assert said(tick(instance, world)) == "crm: nothing new"


@pytest.mark.slow
@pytest.mark.thorough
def test_files_put_back_as_they_were_before_the_last_run_are_new_and_so_are_those_of_a_failed_run(world, instance):
    first = world.file("crm").read_bytes()
    run_job(world)
    world.deliver("crm", people(31, of="crm"))
    world.file("shop").write_text("{")
    assert run_job(world).run.status is dg.DagsterRunStatus.FAILURE
    settle(world)
    assert len(tick(instance, world).run_requests) == 1
    world.file("crm").write_bytes(first)
    settle(world)
    assert len(tick(instance, world).run_requests) == 1


def test_the_first_try_is_at_once_and_the_others_further_and_further_apart(world, instance):
    assert list(WAITS) == sorted(WAITS)
    settle(world)
    cursor = tick(instance, world).cursor
    for number, wait in enumerate(WAITS[1:], start=2):
        early = tick(instance, world, later(cursor, wait - 5))
        assert early.run_requests == []
        assert said(early).startswith(f"crm: the run failed; try {number} in ")
        assert read_memo(early.cursor).tries == number - 1
        result = tick(instance, world, later(cursor, wait + 1))
        assert len(result.run_requests) == 1
        cursor = result.cursor


def test_a_clock_that_was_set_back_keeps_nobody_waiting(world, instance):
    settle(world)
    cursor = later(tick(instance, world).cursor, -3600)
    assert len(tick(instance, world, cursor).run_requests) == 1


def test_after_three_tries_it_gives_up_once_with_a_failed_tick_and_an_alert(world, instance, alerts):
    settle(world)
    cursor, keys = tried(instance, world)
    assert len(set(keys)) == MOST_TRIES
    with pytest.raises(DeliveryRefused, match="crm: gave up after 3 failed runs"):
        tick(instance, world, cursor)
    for _ in range(2):
        result = tick(instance, world, cursor)
        assert said(result).startswith("crm: gave up after 3 failed runs: mend the files or the contract")
        assert result.run_requests == []
    (alert,) = alerts
    assert (alert.project, alert.what, alert.job, alert.stage) == ("small-world", "gave up", "crm_changed", "crm")


def test_given_up_content_that_comes_back_later_is_tried_and_told_of_again(world, instance, alerts):
    settle(world)
    first = world.file("crm").read_bytes()
    for _ in range(2):
        world.file("crm").write_bytes(first)
        settle(world)
        cursor, _ = tried(instance, world)
        with pytest.raises(DeliveryRefused):
            tick(instance, world, cursor)
        world.deliver("crm", people(31, of="crm"))
        settle(world)
        assert len(tick(instance, world, cursor).run_requests) == 1
    assert len(alerts) == 2


@pytest.mark.parametrize("mended", ["content", "contract"])
def test_other_content_and_a_mended_contract_have_tries_of_their_own(world, instance, mended):
    settle(world)
    cursor, _ = tried(instance, world)
    if mended == "content":
        world.deliver("crm", people(31, of="crm"))
        settle(world)
    else:
        contract = world.contract_file("crm")
        contract.write_text(contract.read_text().replace("maxLength: 80", "maxLength: 90"))
    result = tick(instance, world, cursor)
    assert len(result.run_requests) == 1
    assert read_memo(result.cursor).tries == 1


def test_a_held_delivery_waits_for_a_person_and_is_tried_again_when_one_decides(world, instance):
    world.contract_file("shop").unlink()
    run_job(world)
    world.deliver("crm", people(5, of="crm"))
    settle(world)
    cursor = tick(instance, world).cursor
    ran = run_job(world)
    assert ran.run.status is dg.DagsterRunStatus.FAILURE
    assert [tag for tag in ran.run.tags if tag.startswith("custview/held.")] == ["custview/held.crm"]
    waiting = tick(instance, world, later(cursor, WAITS[1]))
    assert said(waiting) == "crm: the delivery waits for a person: custview deliveries list"
    decide_what_is_held(world, Standing.APPROVED)
    assert len(tick(instance, world, later(cursor, WAITS[1])).run_requests) == 1


@pytest.fixture
def held(world):
    """Return a project whose one source delivers what a person must look at."""
    world.contract_file("shop").unlink()
    run_job(world)
    world.deliver("crm", people(5, of="crm"))
    settle(world)
    run_job(world)
    return world


@pytest.mark.slow
@pytest.mark.thorough
def test_a_rejected_delivery_is_not_tried_until_it_is_approved(held, instance):
    decide_what_is_held(held, Standing.REJECTED)
    ran = run_job(held)
    assert ran.run.status is dg.DagsterRunStatus.SUCCESS
    assert f"{FINGERPRINT_TAG}crm" not in ran.run.tags
    assert said(tick(instance, held)).startswith("crm: a person rejected the delivery")
    decide_what_is_held(held, Standing.APPROVED)
    result = tick(instance, held)
    assert len(result.run_requests) == 1
    run_job(held)
    assert said(tick(instance, held, result.cursor)) == "crm: nothing new"


def test_a_contract_that_allows_what_was_held_is_a_reason_to_try_again(held, instance):
    contract = held.contract_file("crm")
    contract.write_text(contract.read_text().rstrip() + "\n- property: max_deleted_share\n  value: 0.99\n")
    assert load_project(held.directory).contract_of("crm").max_deleted_share == 0.99
    result = tick(instance, held)
    assert len(result.run_requests) == 1
    assert run_job(held).run.status is dg.DagsterRunStatus.SUCCESS
    assert said(tick(instance, held, result.cursor)) == "crm: nothing new"


def test_a_contract_that_is_changed_after_a_rejection_costs_one_run_that_says_so(held, instance):
    decide_what_is_held(held, Standing.REJECTED)
    contract = held.contract_file("crm")
    contract.write_text(contract.read_text().replace("maxLength: 80", "maxLength: 90"))
    result = tick(instance, held)
    assert len(result.run_requests) == 1
    run_job(held)
    assert said(tick(instance, held, later(result.cursor, WAITS[1]))).startswith("crm: a person rejected the delivery")


@pytest.mark.slow
@pytest.mark.thorough
def test_by_night_a_source_that_is_refused_stops_no_other_and_all_that_follows_is_done(world, instance):
    world.file("shop").write_text("{")
    settle(world)
    settle(world, "shop")
    assert run_job(world, keys=intake_keys("crm")).run.status is dg.DagsterRunStatus.SUCCESS
    assert run_job(world, keys=intake_keys("shop")).run.status is dg.DagsterRunStatus.FAILURE
    assert len(tick(instance, world).run_requests) == 1, "nothing follows yet"
    assert run_job(world, keys=DOWNSTREAM).run.status is dg.DagsterRunStatus.SUCCESS
    assert said(tick(instance, world)) == "crm: nothing new"
    assert len(tick(instance, world, source="shop").run_requests) == 1
    assert world.export("crosswalk").count(b"\n") == 31


def test_a_killed_run_costs_no_try_for_a_few_times(world, instance):
    settle(world)
    cursor = None
    for _ in range(MOST_KILLS + 1):
        result = tick(instance, world, cursor)
        (request,) = result.run_requests
        assert read_memo(result.cursor).tries == 1
        cursor = later(result.cursor, 0)
        run = add_run(instance, dg.DagsterRunStatus.STARTED, **{"dagster/run_key": request.run_key}, **NOBODY.tags)
        assert fail_runs_without_process(instance) == 1
        assert instance.get_run_by_id(run.run_id).status is dg.DagsterRunStatus.FAILURE
    assert said(tick(instance, world, cursor)).startswith("crm: the run failed; try 2 in ")


def test_a_source_that_cannot_be_looked_at_is_told_of_once_after_a_while_and_again_the_next_time(world, instance, alerts):
    rows = world.file("crm").read_bytes()
    cursor = None
    for told in (1, 2):
        world.file("crm").unlink()
        for _ in range(MOST_MISSES):
            cursor = tick(instance, world, cursor).cursor
        assert len(alerts) == told - 1, "many looks in a short time are no reason"
        memo = read_memo(cursor)
        cursor = write_memo(memo._replace(missed_since=memo.missed_since - MISSING_SECONDS))
        for _ in range(2):
            result = tick(instance, world, cursor)
            assert "data/crm/*.csv" in said(result)
            cursor = result.cursor
            assert len(alerts) == told
        world.file("crm").write_bytes(rows)
        settle(world)
        cursor = tick(instance, world, cursor).cursor
        assert read_memo(cursor).misses == 0
    assert (alerts[0].job, alerts[0].stage) == ("crm_changed", "crm")
    assert f"could not be looked at {MOST_MISSES + 1} times" in alerts[0].reason


@pytest.mark.parametrize("waits", [60.0, 0.0], ids=["they settle", "they do not settle in time"])
def test_a_run_that_no_person_started_leaves_files_that_are_being_written_alone(world, monkeypatch, waits):
    world.contract_file("shop").unlink()
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        settle(world)

    monkeypatch.setattr("custview_pipeline.defs.intake.time.sleep", sleep)
    monkeypatch.setattr("custview_pipeline.defs.intake._PATIENCE_SECONDS", waits - 1)
    settle(world, at=time.time())
    with surroundings(world, {}), open_instance(world.directory) as instance:
        job = build_definitions(load_project(world.directory)).resolve_job_def("refresh")
        done = job.execute_in_process(instance=instance, raise_on_error=False)
    assert done.success is bool(waits)
    assert len(slept) == (1 if waits else 0)
    settle(world, at=time.time())
    assert world.refresh().code == 0
    assert len(slept) == (1 if waits else 0), "a person knows"


def read_from_program(world, *, changes):
    """Let the contract of crm name a program instead of files."""
    file = world.contract_file("crm")
    contract = yaml.safe_load(file.read_text())
    origin = [{"property": "entryPoint", "value": "our"}]
    contract["servers"] = [{"server": "production", "type": "custom", "customProperties": origin}]
    contract["customProperties"] += [{"property": "extract", "value": "changes"}] if changes else []
    file.write_text(yaml.safe_dump(contract, sort_keys=False))


ORIGINS = ["told by the program", "digested", "digested, changes alone"]


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.parametrize("kind", ORIGINS)
def test_a_change_of_a_program_is_taken_in_once_by_the_run_that_was_asked_for(world, instance, monkeypatch, kind):
    world.contract_file("shop").unlink()
    now = datetime.now(UTC)
    rows = [row | {"modified": (now - timedelta(days=place)).isoformat()} for place, row in enumerate(people(9, of="crm"))]

    def our(_, since):
        return [row for row in rows if since is None or datetime.fromisoformat(row["modified"]) >= since]

    if kind == ORIGINS[0]:
        our.fingerprint = lambda _: repr(rows)
    entry = SimpleNamespace(name="our", load=lambda: our)
    monkeypatch.setattr("custview_pipeline.adapters.python_source.entry_points", lambda **_: [entry])
    read_from_program(world, changes=kind == ORIGINS[2])
    cursor = None
    for name in ("Otto", "Olga"):
        rows[3] |= {"name": name, "modified": datetime.now(UTC).isoformat()}
        asked = tick(instance, world, cursor)
        (request,) = asked.run_requests
        ran = run_job(world, keys=request.asset_selection, tags=dict(request.tags))
        assert ran.run.status is dg.DagsterRunStatus.SUCCESS
        after = tick(instance, world, later(asked.cursor, WAITS[1] + 1))
        assert said(after) == "crm: nothing new"
        cursor = after.cursor


def test_files_that_look_the_same_are_not_read_again(world, instance, monkeypatch):
    settle(world)
    cursor = tick(instance, world).cursor
    monkeypatch.setattr("custview_pipeline.defs.sensors.SourceFiles.fingerprint", lambda _: pytest.fail("read again"))
    assert read_memo(tick(instance, world, later(cursor, WAITS[1])).cursor).tries == 2


def test_a_file_only_touched_is_read_again_and_keeps_its_tries(world, instance):
    settle(world)
    cursor = tick(instance, world).cursor
    settle(world, at=LONG_AGO + 60)
    assert read_memo(tick(instance, world, later(cursor, WAITS[1])).cursor).tries == 2


def test_what_a_source_looks_like_is_observed_when_it_changes(world, instance):
    settle(world)
    first = tick(instance, world)
    (seen,) = first.asset_events
    assert seen.asset_key == files_key("crm")
    assert seen.metadata["file_count"].value == 1
    assert seen.metadata["byte_count"].value == world.file("crm").stat().st_size
    assert seen.metadata["dagster/last_updated_timestamp"].value == pytest.approx(LONG_AGO)
    assert seen.tags["dagster/data_version"] == read_memo(first.cursor).fingerprint
    assert tick(instance, world, first.cursor).asset_events == []
    settle(world, at=LONG_AGO + 60)
    assert len(tick(instance, world, first.cursor).asset_events) == 1


@pytest.mark.parametrize(
    "cursor",
    [
        None,
        "",
        "an old format",
        "[]",
        "7",
        json.dumps({"version": CURSOR_VERSION - 1, **Memo("a", "b", "c", 3, 1.0)._asdict()}),
        json.dumps({"version": CURSOR_VERSION}),
        json.dumps({"version": CURSOR_VERSION, **Memo("a", "b", "c", 3, 1.0)._asdict(), "tries": "3"}),
    ],
)
def test_a_cursor_of_another_form_is_forgotten(world, instance, cursor):
    assert read_memo(cursor) == Memo()
    settle(world)
    assert len(tick(instance, world, cursor).run_requests) == 1


def test_neither_cursor_nor_run_key_tells_the_plain_digest_of_the_files(world, instance):
    settle(world)
    plain = SourceFiles(world.directory, load_project(world.directory).contract_of("crm")).fingerprint()
    result = tick(instance, world)
    assert len(read_memo(result.cursor).fingerprint) == 32
    for told in (result.cursor, result.run_requests[0].run_key):
        assert not any(plain[start : start + 16] in told for start in range(0, 64, 16))


def test_a_cursor_comes_back_as_it_was_written():
    memo = Memo("look", "fingerprint", "terms", 2, 1.5)
    assert read_memo(write_memo(memo)) == memo


def test_dagster_can_evaluate_the_sensor_of_a_definition(world, instance):
    settle(world)
    definitions = build_definitions(load_project(world.directory))
    repository = definitions.get_repository_def()
    resources = {"project": ProjectResource(directory=str(world.directory))}
    opened = dg.build_sensor_context(instance=instance, repository_def=repository, resources=resources)
    with surroundings(world, {}), opened as context:
        data = repository.get_sensor_def("crm_changed").evaluate_tick(context)
    assert len(data.run_requests) == 1
