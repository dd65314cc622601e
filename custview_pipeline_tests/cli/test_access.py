"""``custview access``: the log checked and listed, the policy as a table."""

import json
import re
import shutil

import pytest

from custview_pipeline.cli.permission import os_user
from custview_pipeline_tests.permissions import AS_ADA, POLICY, allow
from custview_pipeline_tests.worlds import SourceSpec, World, make_world


@pytest.fixture(scope="module")
def kept(world, cuid, tmp_path_factory):
    """Return a copy of the world with a log of its own - three entries of ada, one denied one of eve - and what the log says."""
    root = tmp_path_factory.mktemp("access") / "world"
    shutil.copytree(world.root, root)
    copy = World(root, world.sources)
    files = (copy.lake / "access_log.jsonl", copy.keys / "access_anchor.json")
    for file in files:
        file.unlink(missing_ok=True)
    for _ in range(3):
        assert copy.run("reveal", cuid, "-f", "email", "--project", copy.directory, *AS_ADA).code == 0
    assert copy.run("show", cuid, "--reveal", "--project", copy.directory, "--as", "eve", "--reason", "[red]odd\x1b").code == 1
    return copy, {file: file.read_bytes() for file in files}


@pytest.fixture
def logged(kept):
    """Return the same copy, its log and anchor as they were at first."""
    copy, contents = kept
    for file, content in contents.items():
        file.write_bytes(content)
        file.chmod(0o600)
    return copy


def access(world, *arguments):
    return world.run("access", *arguments, "--project", world.directory)


def test_a_whole_log_is_told_in_numbers(logged):
    outcome = access(logged, "verify")
    assert outcome.code == 0, outcome
    first, ada, eve, last = outcome.out.splitlines()
    assert re.fullmatch(r"4 entries, \d{4}-\d\d-\d\d \d\d:\d\d to \d{4}-\d\d-\d\d \d\d:\d\d UTC", first)
    assert (ada, eve) == ("  ada: 3", "  eve: 1")
    assert last == "the log is whole: every entry is as it was written, and none is missing"


def test_a_project_in_which_nobody_revealed_anything_has_a_whole_log(logged):
    (logged.lake / "access_log.jsonl").unlink()
    (logged.keys / "access_anchor.json").unlink()
    outcome = access(logged, "verify")
    assert (outcome.code, outcome.out.splitlines()[0]) == (0, "no entries")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda e: [e[0], e[1].replace(b"by the customer", b"by her husband!"), *e[2:]],
            "in line 2, where entry 2 belongs: altered",
        ),
        (lambda e: [e[0], *e[2:]], "in line 2, where entry 2 belongs: removed: entry 2 is missing: entry 3 stands here"),
        (lambda e: [e[1], e[0], *e[2:]], "in line 1, where entry 1 belongs: reordered: entry 1 stands further down"),
        (lambda e: e[:2], "at the end, where entry 3 belongs: truncated: entries 3 to 4 are cut off"),
        (lambda _: [], "at the end, where entry 1 belongs: truncated: entries 1 to 4 are cut off"),
    ],
)
def test_a_log_that_is_not_whole_is_exit_code_1_and_its_first_break_is_named(logged, change, said):
    file = logged.lake / "access_log.jsonl"
    file.write_bytes(b"".join(change(file.read_bytes().splitlines(keepends=True))))
    outcome = access(logged, "verify")
    assert outcome.code == 1
    assert outcome.out.splitlines()[-1].startswith(f"broken {said}")


def test_a_gap_is_told_for_ever_until_somebody_says_that_it_is_known(logged, cuid):
    file = logged.lake / "access_log.jsonl"
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:2]))
    assert logged.run("reveal", cuid, "-f", "email", "--project", logged.directory, *AS_ADA).code == 0
    outcome = access(logged, "verify")
    assert (outcome.code, outcome.out.splitlines()[-1]) == (
        1, "gap told by entry 3: entries 3 to 4 are gone: cut off before it was written",
    )  # fmt: skip
    known = access(logged, "verify", "--known-gap", "3")
    assert (known.code, known.out.splitlines()[-2:]) == (
        0,
        [
            "known gap told by entry 3: entries 3 to 4 are gone: cut off before it was written",
            "the log is whole but for the known gap: every entry in it is as it was written",
        ],
    )


def test_of_two_gaps_both_must_be_known(logged, cuid):
    file = logged.lake / "access_log.jsonl"
    for kept in (2, 1):
        file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:kept]))
        assert logged.run("reveal", cuid, "-f", "email", "--project", logged.directory, *AS_ADA).code == 0
    (logged.keys / "access_anchor.json").unlink()
    assert logged.run("reveal", cuid, "-f", "email", "--project", logged.directory, *AS_ADA).code == 0
    one = access(logged, "verify", "--known-gap", "2")
    assert (one.code, "the log is whole" in one.out) == (1, False)
    assert [line.split(" told")[0] for line in one.out.splitlines()[-2:]] == ["known gap", "gap"]
    both = access(logged, "verify", "--known-gap", "2", "--known-gap", "3")
    assert (both.code, both.out.splitlines()[-1]) == (
        0, "the log is whole but for the known 2 gaps: every entry in it is as it was written",
    )  # fmt: skip


def test_a_known_gap_that_no_entry_tells_of_is_exit_code_2(logged):
    outcome = access(logged, "verify", "--known-gap", "2", "--known-gap", "99")
    assert (outcome.code, outcome.err) == (2, "error --known-gap 2, 99: no such entry tells of a gap\n")
    assert "the log is whole: " in outcome.out


def test_a_break_is_told_before_a_known_gap_is_missed(logged):
    file = logged.lake / "access_log.jsonl"
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[1:]))
    outcome = access(logged, "verify", "--known-gap", "3")
    assert (outcome.code, outcome.err) == (1, "")
    assert outcome.out.splitlines()[-1].startswith("broken in line 1")


def test_the_entries_are_listed_one_a_line_and_cannot_act_on_the_terminal(logged, cuid):
    lines = access(logged, "log").out.splitlines()
    assert len(lines) == 4
    assert re.fullmatch(
        rf" +1  \d{{4}}-\d\d-\d\d \d\d:\d\d  ada \({os_user()}\)  reveal {cuid}; outcome granted; as steward; for data_quality; "
        "fields email; asked by the customer",
        lines[0],
    )
    assert re.search(rf"eve \({os_user()}\)  show {cuid}; outcome denied; \[red\]odd\\u001b$", lines[3])


@pytest.mark.parametrize(
    ("arguments", "numbers"),
    [
        ([], [1, 2, 3, 4]),
        (["--user", "ada"], [1, 2, 3]),
        (["--user", os_user()], [1, 2, 3, 4]),
        (["--user", "nobody"], []),
        (["--since", "2020-01-01"], [1, 2, 3, 4]),
        (["--since", "2999-01-01T00:00:00+01:00"], []),
    ],
)
def test_entries_are_chosen_by_user_and_day(logged, arguments, numbers):
    outcome = access(logged, "log", "--json", *arguments)
    assert [json.loads(line)["sequence"] for line in outcome.out.splitlines()] == numbers


def test_a_line_that_is_no_entry_is_named_and_hides_no_other(logged):
    file = logged.lake / "access_log.jsonl"
    first, *rest = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([first, b"something else\n", *rest]))
    lines = access(logged, "log").out.splitlines()
    assert len(lines) == 5
    assert lines[1] == "line 2 is no entry: custview access verify"


def test_a_day_that_is_none_is_exit_code_2(logged):
    outcome = access(logged, "log", "--since", "yesterday")
    assert (outcome.code, outcome.err) == (2, "error --since must be a date, such as 2026-01-31\n")


def test_the_policy_is_shown_as_a_table(tmp_path):
    world = make_world(tmp_path, SourceSpec("crm"))
    allow(world, POLICY.replace("  bob: [support]\n", ""))
    rows = [re.split(r" {2,}", line.rstrip()) for line in access(world, "check").out.splitlines()]
    assert rows == [
        ["user", "role", "purposes", "in full", "masked", "export", "refused rows"],
        ["ada", "steward", "data_quality", "all others", "birth_date", "yes", "yes"],
        ["(nobody)", "support", "customer_request, complaint", "email", "name", "no", "no"],
    ]


@pytest.mark.parametrize(
    ("policy", "said"),
    [(None, "nobody may see values: there is no "), ("roles: {}\n", "nobody may see values: the policy names no role")],
)
def test_a_project_that_allows_nobody_anything_says_so(tmp_path, policy, said):
    world = make_world(tmp_path, SourceSpec("crm"))
    if policy is not None:
        allow(world, policy)
    outcome = access(world, "check")
    assert outcome.code == 0
    assert outcome.out.startswith(said)
