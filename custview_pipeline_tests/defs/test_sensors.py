"""Sensors on a real instance: when they ask for a run, when they do not, and when they give up."""

import json
import os
import time

import dagster as dg
import pytest

from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.definitions import build_definitions
from custview_pipeline.defs.intake import files_key, intake_keys
from custview_pipeline.defs.jobs import DOWNSTREAM, WRITER_TAG
from custview_pipeline.defs.resources import ProjectResource
from custview_pipeline.defs.sensors import evaluate
from custview_pipeline.defs.tries import CURSOR_VERSION, MOST_TRIES, WAITS, Memo, read_memo, write_memo
from custview_pipeline.flows.holding import Standing, current_held, restated
from custview_pipeline.kernel.errors import DeliveryRefused
from custview_pipeline.launch import open_instance
from custview_pipeline_tests.defs.conftest import run_job, surroundings
from custview_pipeline_tests.worlds import people

LONG_AGO = time.time() - 3600


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


def approve_what_is_held(world):
    with surroundings(world, {}), ProjectResource(directory=str(world.directory)).lake().writer() as writer:
        held = current_held(writer.snapshot())
        with writer.commit("a person") as commit:
            commit.append("held_deliveries", restated(held, Standing.APPROVED, run_id="a person", decided_by="ada"))


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


def test_content_that_a_run_of_the_command_line_took_in_is_not_new(world, instance):
    settle(world)
    assert world.refresh().code == 0
    assert said(tick(instance, world)) == "crm: nothing new"


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
    approve_what_is_held(world)
    assert len(tick(instance, world, later(cursor, WAITS[1])).run_requests) == 1


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
