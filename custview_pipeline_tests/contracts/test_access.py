"""``access.yaml`` as people write it."""

import re
from pathlib import Path

import pytest

from custview_pipeline.contracts.access import AccessPolicy, Level, Role, parse_access
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.protection.masking import mask

STEWARD = "roles:\n  steward:\n    attributes: {email: full}\n    purposes: [quality]\n"


@pytest.mark.parametrize(
    "text", ["", "# nothing yet\n", "roles:\nusers:\n", "roles: {}\nusers: {}\n", f"{STEWARD}users:\n# ada\n"]
)
def test_what_names_nobody_gives_nobody_a_role(text):
    assert parse_access(text, file="access.yaml").roles_of("ada") == ()


def test_what_is_written_is_read():
    text = """\
roles:
  steward:
    attributes: {all: masked, email: full}
    purposes: [quality, customer_request]
    may_export: true
  support:
    attributes: {phone: masked}
    purposes: [customer_request]
    may_see_refused_rows: true
users:
  ada: [steward, support]
  bob@example.org: [support]
"""
    policy = parse_access(text, file="access.yaml")
    steward, support = policy.roles["steward"], policy.roles["support"]
    assert (steward.level_of("email"), steward.level_of("phone")) == (Level.FULL, Level.MASKED)
    assert (support.level_of("email"), support.level_of("phone")) == (None, Level.MASKED)
    assert (steward.may_export, steward.may_see_refused_rows) == (True, False)
    assert (support.may_export, support.may_see_refused_rows) == (False, True)
    assert policy.roles_of("ada") == ("steward", "support")
    assert policy.roles_of("bob@example.org") == ("support",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("role: {}\n", "a.yaml:1: unknown key 'role'; did you mean 'roles'?"),
        (
            "roles:\n  steward:\n    purposes: [x]\n    may_exprt: true\n",
            "a.yaml:4: unknown key 'roles.steward.may_exprt'; did you mean 'may_export'?",
        ),
        (
            "roles:\n  steward:\n    purposes: [x]\n    zzz: 1\n",
            "a.yaml:4: unknown key 'roles.steward.zzz'; known are attributes, purposes, may_export, may_see_refused_rows",
        ),
        ("roles:\n  steward: {attributes: {all: full}}\n", "a.yaml:2: the key 'roles.steward.purposes' is missing"),
        ("roles:\n  steward:\n    purposes: []\n", "a.yaml:3: 'roles.steward.purposes'"),
        ("roles:\n  steward:\n    purposes: [Data Quality]\n", "a.yaml:3: 'roles.steward.purposes.0': should be a word of small"),
        ("roles:\n  Data Steward:\n    purposes: [x]\n", "a.yaml:2: 'roles.Data Steward': should be a word of small letters"),
        (
            "roles:\n  steward:\n    purposes: [x]\n    attributes:\n      emial: full\n",
            "a.yaml:5: 'roles.steward.attributes.emial': no golden attribute; did you mean 'email'?",
        ),
        (
            "roles:\n  steward:\n    purposes: [x]\n    attributes:\n      email: clear\n",
            "a.yaml:5: 'roles.steward.attributes.email': should be 'full' or 'masked'",
        ),
        (
            "roles:\n  steward:\n    purposes: [x]\n    may_export: yes\n",
            "a.yaml:4: 'roles.steward.may_export': should be a valid",
        ),
        (f"{STEWARD}users:\n  ada: [stewart]\n", "a.yaml:6: no role 'stewart' under roles; did you mean 'steward'?"),
        (f"{STEWARD}users:\n  ada:\n    - steward\n    - nobody\n", "a.yaml:8: no role 'nobody' under roles"),
        (f"{STEWARD}users:\n  ada: steward\n", "a.yaml:6: 'users.ada': should be a valid tuple"),
        (f"{STEWARD}users:\n  ada winter: [steward]\n", "a.yaml:6: 'users.ada winter'"),
        (f"{STEWARD}users:\n  ada: [steward]\n  ada: []\n", "a.yaml:7: the key 'ada' is written twice"),
        ("- ada\n", "a.yaml:1: expected keys"),
    ],
)
def test_what_cannot_be_used_names_file_and_line(text, message):
    with pytest.raises(ProjectInvalid) as raised:
        parse_access(text, file="a.yaml")
    assert message in str(raised.value)


def test_a_policy_cannot_be_changed_behind_the_back_of_a_check():
    with pytest.raises(ValueError, match="frozen"):
        AccessPolicy().users = {"eve": ("steward",)}


def test_the_policy_of_the_documentation_can_be_used_and_every_key_is_described():
    page = (Path(__file__).parents[2] / "docs" / "access.md").read_text(encoding="utf-8")
    (written,) = re.findall(r"```yaml\n(.+?)```", page, re.DOTALL)
    policy = parse_access(written, file="access.md")
    assert policy.roles_of("cleo") == ("campaign", "support")
    assert re.findall(r"^\| `(\w+)` \| (?:none|needed|`false`) \|", page, re.MULTILINE) == list(Role.model_fields)


def test_the_masks_of_the_documentation_are_those_of_the_code():
    page = (Path(__file__).parents[2] / "docs" / "access.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\| (\w+) \| `([^`]+)` \| `([^`]+)` \|$", page, re.MULTILINE)
    assert len(shown) == 8
    assert [(attribute, value, mask(attribute, value)) for attribute, value, _ in shown] == shown
