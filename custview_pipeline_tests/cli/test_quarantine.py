"""``custview quarantine``: refused rows listed, shown masked, released after the contract was mended."""

import re

import pytest

from custview_pipeline_tests.permissions import AS_ADA, access_log, allow
from custview_pipeline_tests.worlds import SourceSpec, make_world, people

NO_NAME = "completeness__full_name__required"
ODD = "[bold]Odd\u202e\x1b[31m\n"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Return a project with three refused rows: two without a name, one of them odd, and one without a key."""
    world = make_world(tmp_path_factory.mktemp("quarantine"), SourceSpec("crm", max_refused_share=0.5), SourceSpec("shop"))
    first, second, third, *rest = people(20, of="crm")
    world.deliver("crm", [first | {"name": None}, second | {"name": None, "job": ODD}, third | {"ref": None}, *rest])
    world.deliver("shop", people(5, of="shop"))
    allow(world)
    outcome = world.refresh()
    assert outcome.code == 0, outcome
    return world


def quarantine(world, *arguments):
    return world.run("quarantine", *arguments, "--project", world.directory)


def ids_of(world, reason=NO_NAME):
    return re.findall(rf"^([0-9a-f]{{16}}) .*{reason}", quarantine(world, "list").out, re.MULTILINE)


def test_the_list_counts_rows_by_source_and_reason_and_names_ids(world):
    outcome = quarantine(world, "list")
    assert outcome.code == 0
    assert re.search(rf"^crm +{NO_NAME} +2 +0 min +0 min", outcome.out, re.MULTILINE)
    assert re.search(r"^crm +completeness__source_key__required +1 ", outcome.out, re.MULTILINE)
    assert len(re.findall(r"^[0-9a-f]{16} ", outcome.out, re.MULTILINE)) == 3
    assert "Bluestone" not in outcome.out


def test_the_list_may_be_short_and_of_one_source(world):
    assert "and 2 older ones" in quarantine(world, "list", "--limit", "1").out
    assert not re.search(r"^[0-9a-f]{16}", quarantine(world, "list", "--limit", "0").out, re.MULTILINE)
    assert quarantine(world, "list", "--source", "shop").out == "no refused rows\n"


def test_a_row_is_shown_masked(world):
    outcome = quarantine(world, "show", ids_of(world)[0])
    assert outcome.code == 0
    assert f"refused by {NO_NAME}" in outcome.out
    assert re.search(r"^mail +email +\w\*\*\*@e\*\*\*\.org", outcome.out, re.MULTILINE)
    assert re.search(r"^name +full_name +\(empty\)", outcome.out, re.MULTILINE)
    assert "example.org" not in outcome.out
    assert re.search(r"^mobile +phone +\*\*\* \d{4}\s*$", outcome.out, re.MULTILINE)


def test_revealing_a_row_needs_a_reason_is_logged_first_and_writes_out_what_a_terminal_would_act_on(world):
    number = ids_of(world)[0]
    outcome = quarantine(world, "show", number, "--reveal")
    assert (outcome.code, outcome.err) == (2, "error revealing needs --reason TEXT\n")
    before = len(access_log(world))
    shown = [quarantine(world, "show", each, "--reveal", *AS_ADA).out for each in ids_of(world)]
    assert [entry["what"] for entry in access_log(world)[before:]] == [f"quarantine show {each}" for each in ids_of(world)]
    assert any("[bold]Odd\\u202e\\u001b[31m\\u000a" in out for out in shown)
    assert not any(character in out for out in shown for character in "\x1b\u202e")


def test_a_role_without_refused_rows_sees_none(world):
    said = ("--reveal", "--as", "bob", "--purpose", "complaint", "--reason", "to mend it")
    outcome = quarantine(world, "show", ids_of(world)[0], *said)
    assert (outcome.code, outcome.out) == (1, "")
    assert "it takes roles.support.may_see_refused_rows: true in " in outcome.err
    assert access_log(world)[-1]["outcome"] == "denied"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["show", "Penelope"], 2, "not the id of a refused row"),
        (["show", "0" * 16], 1, "not in quarantine: 0000000000000000"),
        (["release", "f" * 16], 1, "not in quarantine: ffffffffffffffff"),
        (["release", "--reason", "x"], 2, "No such option"),
        (["release", "--source", "nowhere"], 0, ""),
    ],
)
def test_what_is_not_there_is_one_line(world, arguments, code, said):
    outcome = quarantine(world, *arguments)
    assert outcome.code == code
    assert said in outcome.err
    assert "Penelope" not in outcome.err


def test_rows_are_released_after_the_contract_was_mended_and_the_next_run_matches_them(world):
    unmended = quarantine(world, "release", "--reason-rule", NO_NAME)
    assert "crm: 0 released, 2 still refused, 0 discarded for a later version" in unmended.out
    assert f"still refused in crm: 2 rows by {NO_NAME}" in unmended.out
    contract = world.contract_file("crm")
    text = contract.read_text()
    contract.write_text(re.sub(r"(- name: name\n(?: .*\n)*? +required: )true", r"\1false", text))
    one = quarantine(world, "release", ids_of(world)[0])
    assert "crm: 1 released, 0 still refused" in one.out
    assert one.out.endswith("next: custview run matches them\n")
    rest = quarantine(world, "release", "--source", "crm")
    assert "crm: 1 released, 1 still refused" in rest.out
    assert NO_NAME not in quarantine(world, "list").out
    assert world.export("crosswalk").count(b"crm-0000") == 7
    assert world.refresh().code == 0
    assert world.export("crosswalk").count(b"crm-0000") == 9


def test_nothing_is_made_where_nothing_is_stored(tmp_path):
    world = make_world(tmp_path, SourceSpec("crm"))
    outcome = quarantine(world, "list")
    assert outcome.code == 1
    assert "nothing is stored yet" in outcome.err
    assert not (world.directory / ".custview").exists()
