"""``custview reveal``: some values of one customer, as the policy allows, after the log entry is safely on disk."""

import json
import os

import pytest

from custview_pipeline.adapters import access_log as log_module
from custview_pipeline.cli.permission import os_user
from custview_pipeline.kernel.identifiers import group_cuid
from custview_pipeline.protection.vault import Vault
from custview_pipeline_tests.permissions import AS_ADA, POLICY, access_log, allow

EMAIL = "paula.abernathy10@example.org"  # person 10 of worlds.people
AS_BOB = ("--as", "bob", "--purpose", "complaint", "--reason", "ticket 4711")


def reveal(world, cuid, *arguments):
    return world.run("reveal", cuid, "--project", world.directory, *arguments)


@pytest.fixture
def opened(monkeypatch):
    """Return what was done, in order: each write of the log or its anchor that was forced to disk, and each opening of values."""
    done = []
    unseal, sync = Vault.unseal, os.fsync
    monkeypatch.setattr(Vault, "unseal", lambda *call: done.append("opened") or unseal(*call))
    monkeypatch.setattr(log_module.os, "fsync", lambda descriptor: done.append("on disk") or sync(descriptor))
    return done


def test_values_are_printed_in_full_or_masked_as_the_role_sees_them(world, cuid):
    outcome = reveal(world, cuid, "--field", "name", "-f", "email", *AS_BOB)
    assert outcome.code == 0, outcome
    head, name, email = (line.rstrip() for line in outcome.out.splitlines())
    assert head == group_cuid(cuid)
    assert name.split(maxsplit=1) == ["name", "P*** A***  (masked for your role)"]
    assert email.split() == ["email", EMAIL]
    entry = access_log(world)[-1]
    assert (entry["fields"], entry["masked_fields"], entry["purpose"]) == (["email"], ["name"], "complaint")
    assert (entry["who"], entry["os_user"], entry["reason"]) == ("bob", os_user(), "ticket 4711")


def test_a_field_that_the_customer_lacks_is_said_so(world, cuid):
    outcome = reveal(world, cuid, "--field", "employer", *AS_ADA)
    assert outcome.out.splitlines()[1].split(maxsplit=1) == ["employer", "(no value known)"]


def test_scripts_get_json(world, cuid):
    outcome = reveal(world, cuid, "--field", "email", "--field", "birth_date", "--field", "employer", "--json", *AS_ADA)
    said = json.loads(outcome.out)
    assert said["cuid"] == cuid
    assert [(value["attribute"], value["shown"]) for value in said["values"]] == [
        ("email", "full"), ("birth_date", "masked"), ("employer", "unknown"),
    ]  # fmt: skip
    assert said["values"][0]["value"] == EMAIL


def test_the_entry_is_on_disk_before_the_first_value_is_opened(world, cuid, opened):
    assert reveal(world, cuid, "--field", "email", *AS_ADA).code == 0
    assert "opened" in opened
    assert opened.index("opened") == opened.count("on disk") > 0


@pytest.mark.parametrize(
    "command",
    [
        ("show", "CUID", "--reveal"),
        ("reveal", "CUID", "--field", "email"),
        ("export", "golden", "--reveal", "-o", "FILE"),
    ],
)
def test_what_cannot_be_logged_is_not_opened(world, cuid, tmp_path, opened, command):
    file, values = world.lake / "access_log.jsonl", {"CUID": cuid, "FILE": str(tmp_path / "out.csv")}
    kept = file.read_bytes() if file.exists() else None
    file.write_text("not a log\n")
    try:
        outcome = world.run(*(values.get(word, word) for word in command), "--project", world.directory, *AS_ADA)
    finally:
        file.unlink()
        if kept is not None:
            file.write_bytes(kept)
    assert (outcome.code, outcome.out) == (1, "")
    assert "nothing is revealed" in outcome.err
    assert "opened" not in opened
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["-f", "phone", *AS_BOB], 1, "error not allowed to see phone: add to roles.support.attributes in "),
        (["-f", "email", "--as", "bob", "--purpose", "curiosity", "--reason", "x"], 1, "the purpose 'curiosity' is not allowed"),
        (["-f", "email", "--as", "eve", "--reason", "x"], 1, "'eve' has no role"),
    ],
)
def test_what_is_denied_is_logged_and_not_opened(world, cuid, opened, arguments, code, said):
    before = len(access_log(world))
    outcome = reveal(world, cuid, *arguments)
    assert (outcome.code, outcome.out) == (code, "")
    assert said in outcome.err
    assert "opened" not in opened
    (entry,) = access_log(world)[before:]
    assert (entry["outcome"], entry["fields"], entry["what"]) == ("denied", [arguments[1]], f"reveal {cuid}")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-f", "emial", *AS_ADA], "error no attribute 'emial' of a customer; did you mean 'email'?"),
        (["-f", "email", "--as", "bob", "--reason", "x"], "error name the purpose with --purpose: complaint, customer_request"),
        (["-f", "email", "--as", "ada", "--reason", " "], "error revealing needs --reason TEXT"),
        (["-f", "email", "--as", "ada", "--reason", "x" * 501], "error --reason must be a text of at most 500 characters"),
        (["-f", "email", "--as", "ada", "--reason", "\udcff"], "error --reason must be a text"),
        (["-f", "email", "--as", "", "--reason", "x"], "error --as must be a name"),
        (["-f", "email", "--as", "a\x1b[31m", "--reason", "x"], "error --as must be a name"),
        (["-f", "email", "--as", "ada", "--purpose", "x" * 65, "--reason", "x"], "error --purpose must be a name"),
        (["--as", "ada", "--reason", "x"], "Missing option '--field'"),
        (["-f", "email", "--as", "ada"], "Missing option '--reason'"),
    ],
)
def test_wrong_use_is_exit_code_2_and_no_attempt(world, cuid, arguments, said):
    before = access_log(world)
    outcome = reveal(world, cuid, *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err
    assert access_log(world) == before


def test_without_as_it_is_the_user_of_the_system_whatever_the_environment_says(world, cuid):
    allow(world, f"{POLICY}  {os_user()}: [steward]\n")
    try:
        outcome = world.run(
            "reveal", cuid, "--project", world.directory, "-f", "email", "--reason", "mine", LOGNAME="ada", USER="ada"
        )
    finally:
        allow(world)
    assert EMAIL in outcome.out
    assert access_log(world)[-1]["who"] == os_user()


def test_a_project_without_a_policy_reveals_nothing_and_says_what_to_write(world, cuid):
    (world.directory / "access.yaml").unlink()
    try:
        outcome = reveal(world, cuid, "-f", "email", *AS_ADA)
    finally:
        allow(world)
    assert (outcome.code, outcome.out) == (1, "")
    assert "nobody may see values: there is no " in outcome.err
    assert access_log(world)[-1]["outcome"] == "denied"


def test_a_policy_with_a_mistake_is_one_line_with_file_and_line(world, cuid):
    allow(world, POLICY.replace("may_export", "may_exprt"))
    try:
        outcome = reveal(world, cuid, "-f", "email", *AS_ADA)
    finally:
        allow(world)
    assert outcome.code == 2
    assert "access.yaml:5: unknown key 'roles.steward.may_exprt'; did you mean 'may_export'?" in outcome.err


def test_an_id_that_nobody_has_is_logged_too(world):
    outcome = reveal(world, "CU00000000000000009", "-f", "email", *AS_ADA)
    assert (outcome.code, outcome.err) == (1, "error no customer has this id\n")
    assert access_log(world)[-1]["what"] == "reveal CU00000000000000009"
