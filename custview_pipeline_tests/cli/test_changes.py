"""``custview changes``: a table to look at, JSON lines to work with, cursors."""

import importlib.util
import json
from pathlib import Path

import pytest

import custview_pipeline

PAGE = Path(custview_pipeline.__file__).parents[1] / "docs" / "change-feed.md"


def lines(world, *options):
    outcome = world.run("changes", "--project", world.directory, "--format", "jsonl", *options)
    assert outcome.code == 0, outcome
    return [json.loads(line) for line in outcome.out.splitlines()]


def test_a_first_run_created_every_customer(world):
    told = lines(world)

    assert len(told) == 30
    assert {change["event"] for change in told} == {"created"}
    assert [change["cursor"] for change in told] == list(range(1, 31))
    assert list(told[0]) == [
        "cursor", "change_id", "cuid", "golden_version", "event", "other_cuid", "changed_attributes", "run_id", "happened_at",
    ]  # fmt: skip
    assert told[0]["change_id"] == f"{told[0]['cuid']}-1-created"
    assert "email" in told[0]["changed_attributes"]


def test_a_cursor_goes_on_where_the_last_reading_ended(world):
    first = lines(world, "--limit", "20")
    rest = lines(world, "--after", str(first[-1]["cursor"]))

    assert [change["cursor"] for change in first + rest] == list(range(1, 31))


@pytest.mark.parametrize("cursor", ["30", "4711"], ids=["the last one", "beyond it"])
def test_behind_the_last_change_there_is_nothing_and_that_is_no_error(world, cursor):
    assert lines(world, "--after", cursor) == []


def test_where_more_is_to_come_it_says_how(world):
    outcome = world.run("changes", "--project", world.directory, "--limit", "20")

    assert outcome.code == 0
    assert "there are more: custview changes --after 20" in outcome.err
    assert "there are more" not in world.run("changes", "--project", world.directory, "--limit", "30").err


def test_a_table_is_for_looking_at(world, cuid):
    said = world.run("changes", "--project", world.directory).out.splitlines()

    assert said[0].split() == ["cursor", "when", "customer", "event", "other", "customer", "attributes", "that", "changed"]
    (row,) = [line for line in said if cuid in line]
    assert "created" in row
    assert "email" in row


def test_a_file_holds_json_lines_whatever_its_name(world, tmp_path):
    path = tmp_path / "changes.txt"
    outcome = world.run("changes", "--project", world.directory, "-o", path, "--after", "28")

    assert outcome == (0, "", f"wrote 2 changes to {path}\n")
    assert [json.loads(line)["cursor"] for line in path.read_text(encoding="utf-8").splitlines()] == [29, 30]
    assert path.stat().st_mode & 0o077 == 0


def test_a_table_is_not_written_to_a_file(world, tmp_path):
    outcome = world.run("changes", "--project", world.directory, "-o", tmp_path / "changes.txt", "--format", "table")

    assert outcome.code == 2
    assert "JSON lines" in outcome.err


def test_no_value_is_told(world):
    said = json.dumps(lines(world)).lower()

    assert not any(value in said for value in ("abernathy", "example.org", "maple"))


def test_the_consumer_of_the_page_follows_the_customers_and_is_not_confused_by_reading_twice(world, tmp_path):
    (code,) = [part.split("```")[0] for part in PAGE.read_text(encoding="utf-8").split("```python\n")[1:]]
    (tmp_path / "consumer.py").write_text(code, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("consumer", tmp_path / "consumer.py")
    consumer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(consumer)
    state = {"cursor": 0, "seen": [], "customers": []}
    told = lines(world)

    state = consumer.follow(told[:20], state)
    state = consumer.follow(told[15:], state)
    assert state["cursor"] == 30
    assert sorted(state["customers"]) == sorted(change["cuid"] for change in told)
    ended = {**told[0], "cursor": 31, "change_id": "x", "event": "merged", "other_cuid": told[1]["cuid"]}
    assert told[0]["cuid"] not in consumer.follow([ended, ended], state)["customers"]
