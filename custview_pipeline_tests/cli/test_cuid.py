"""``custview cuid resolve``: where a customer id leads."""

import json

import pytest

from custview_pipeline.kernel.identifiers import group_cuid
from custview_pipeline_tests.factories import cuid as made_up


def resolve(world, *arguments):
    return world.run("cuid", "resolve", *arguments, "--project", world.directory)


def test_an_active_customer_is_itself(world, cuid):
    outcome = resolve(world, group_cuid(cuid).lower())

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"{group_cuid(cuid)} is active\n")
    assert "created" in outcome.out


def test_scripts_get_json(world, cuid):
    told = json.loads(resolve(world, cuid, "--json").out)

    assert (told["cuid"], told["leads_to"], told["standing"]) == (cuid, cuid, "active")
    assert [event["event"] for event in told["events"]] == ["created"]


@pytest.mark.parametrize("day", ["2001-01-01", "2001-01-01T12:00:00"])
def test_before_its_time_there_was_no_such_customer(world, cuid, day):
    outcome = resolve(world, cuid, "--as-of", day)

    assert (outcome.code, outcome.out) == (1, f"{group_cuid(cuid)}: no customer had this id then\n")


def test_an_id_that_nobody_had_leads_nowhere(world):
    assert resolve(world, made_up(7)).code == 1


@pytest.mark.parametrize("arguments", [["Paula Abernathy"], ["CU0000", "--json"]])
def test_what_is_no_id_is_not_repeated(world, arguments):
    outcome = resolve(world, *arguments)

    assert (outcome.code, outcome.out) == (1, "")
    assert "not a CUID" in outcome.err
    assert "Abernathy" not in outcome.err


def test_a_day_that_is_none_is_refused(world, cuid):
    assert resolve(world, cuid, "--as-of", "yesterday").code == 2
