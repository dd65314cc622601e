"""``custview receipt``: the chain of one value, and whether a receipt of before still holds; values only where revealed."""

import json
import re

import pytest

from custview_pipeline.cli.receipt_pages import print_receipt, print_verification
from custview_pipeline.contracts.receipt import Receipt
from custview_pipeline.flows.verify_receipt import CheckedRow, State, Verification
from custview_pipeline.kernel.identifiers import group_cuid
from custview_pipeline_tests.permissions import AS_ADA, access_log

EMAIL = "paula.abernathy10@example.org"  # person 10 of worlds.people
VALUES = "(?i)abernathy|paula|maple|62704|@example"


def receipt(world, *arguments):
    return world.run("receipt", *arguments, "--project", world.directory)


@pytest.fixture
def written(world, cuid, tmp_path):
    """Return a file with a receipt, and what it says."""
    outcome = receipt(world, cuid, "email", "--json")
    assert outcome.code == 0, outcome
    file = tmp_path / "email.json"
    file.write_text(outcome.out, encoding="utf-8")
    return file, json.loads(outcome.out)


def test_a_receipt_is_a_page_without_a_value(world, cuid):
    outcome = receipt(world, cuid, "email")
    lines = [line.rstrip() for line in outcome.out.splitlines()]

    assert outcome.code == 0, outcome
    assert lines[:3] == [f"email of {group_cuid(cuid)}  person", "p***@e***.org  (masked)", ""]
    assert [line.split("  ")[0] for line in lines[3:] if not line.startswith(" ")] == [
        "record", "delivery", "checks", "held for", "won", "rivals", "matches", "decisions", "proof",
    ]  # fmt: skip
    assert re.search(r"^checks +\d+ kept, 0 broken$", "\n".join(lines), re.MULTILINE)
    assert re.search(r"^won +2 sources agree, trust 0\.50$", "\n".join(lines), re.MULTILINE)
    assert re.search(r"^ +rule: most trusted, then most recent, then most frequent$", "\n".join(lines), re.MULTILINE)
    assert re.search(r"^rivals +(crm|shop):\1-00010  agrees, trust 0\.50$", "\n".join(lines), re.MULTILINE)
    assert re.search(r"^proof +sha256 [0-9a-f]{12} over \d+ stored rows of \d tables; issued ", "\n".join(lines), re.MULTILINE)
    assert not re.search(VALUES, outcome.out)


def test_scripts_get_the_receipt_as_json(written):
    _, said = written
    assert (said["receipt_version"], said["attribute"]) == (1, "email")
    assert said["value"] == {"value": "p***@e***.org", "shown": "masked", "is_valid": True}
    assert Receipt.model_validate(said).digest() == said["sha256"]
    assert not re.search(VALUES, json.dumps(said))


def test_a_receipt_is_verified_from_its_file(world, written):
    file, _ = written
    outcome = receipt(world, "--verify", file)
    assert outcome.code == 0, outcome
    assert re.fullmatch(r"the receipt is sound: \d+ holds\n", outcome.out)
    told = json.loads(receipt(world, "--verify", file, "--json").out)
    assert (told["is_sound"], told["is_unchanged"], {row["state"] for row in told["rows"]}) == (True, True, {"holds"})


def test_a_receipt_that_was_changed_is_told_and_fails(world, written):
    file, said = written
    file.write_text(json.dumps(said | {"attribute": "phone"}), encoding="utf-8")
    outcome = receipt(world, "--verify", file)
    assert outcome.code == 1
    assert outcome.out.startswith("the receipt itself was changed, or another lake issued it\n")


@pytest.mark.parametrize(
    "content", ["", "Paula Abernathy", "[]", '{"receipt_version": 2}', '{"receipt_version": 1, "name": "Paula Abernathy"}']
)
def test_a_file_that_is_no_receipt_is_refused_without_a_word_of_it(world, tmp_path, content):
    file = tmp_path / "none.json"
    file.write_text(content, encoding="utf-8")
    outcome = receipt(world, "--verify", file)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.endswith("none.json: is no receipt of version 1 as custview receipt --json prints it\n")
    assert "Abernathy" not in outcome.err


def test_revealing_is_logged_before_and_shows_this_value_alone(world, cuid):
    before = len(access_log(world))
    outcome = receipt(world, cuid, "email", "--reveal", *AS_ADA)
    assert outcome.code == 0, outcome
    assert outcome.out.splitlines()[1] == f"{EMAIL}  (revealed, logged)"
    (entry,) = access_log(world)[before:]
    assert (entry["who"], entry["outcome"], entry["what"], entry["fields"]) == (
        "ada",
        "granted",
        f"receipt {cuid} email",
        ["email"],
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "error name a customer and an attribute, such as custview receipt CUID email; or --verify FILE\n"),
        (["CUID"], 2, "error name a customer and an attribute, such as custview receipt CUID email; or --verify FILE\n"),
        (["CUID", "mail"], 2, "error no attribute 'mail' of a customer; did you mean 'email'?\n"),
        (["Paula Abernathy", "email"], 2, "error not a CUID: expected CU and 17 letters and digits\n"),
        (["CU00000000000000009", "email"], 1, "error no customer has this id\n"),
        (["CUID", "email", "--reveal"], 2, "error revealing needs --reason TEXT\n"),
    ],
)
def test_what_cannot_be_done_is_one_line(world, cuid, arguments, code, said):
    outcome = receipt(world, *[cuid if each == "CUID" else each for each in arguments])
    assert (outcome.code, outcome.out, outcome.err) == (code, "", said)


def test_a_value_that_no_source_gives_is_told(world, cuid):
    outcome = receipt(world, cuid, "occupation")
    assert (outcome.code, outcome.out) == (1, "")
    assert "no record of this customer gives a value for occupation" in outcome.err


def test_verifying_goes_with_a_file_alone(world, written, cuid):
    outcome = receipt(world, cuid, "--verify", written[0])
    assert (outcome.code, outcome.err) == (2, "error --verify goes with a file alone: without CUID, ATTRIBUTE and --reveal\n")


def test_rows_that_do_not_hold_any_more_are_listed_with_what_became_of_them(capsys):
    key = {"record_id": 4, "version": 1}
    rows = (
        CheckedRow("delivery", "deliveries", {"delivery_id": "d1"}, State.HOLDS, None),
        CheckedRow("source records", "protected_records", key, State.REPLACED, 2),
        CheckedRow("candidates", "golden_lineage", key, State.ERASED, None),
        CheckedRow("membership", "crosswalk", key, State.ALTERED, None),
    )
    print_verification(Verification(is_unchanged=True, rows=rows))
    lines = [re.sub(" {2,}", "  ", line.rstrip()) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "the receipt no longer holds: 1 holds, 1 replaced since, 1 erased, 1 altered",
        "link  stored row  state",
        "source records  protected_records record_id 4, version 1  replaced since: version 2 holds now",
        "candidates  golden_lineage record_id 4, version 1  erased",
        "membership  crosswalk record_id 4, version 1  altered",
    ]


def test_texts_of_sources_cannot_steer_the_terminal(written, capsys):
    made = Receipt.model_validate(written[1])
    record = made.record.model_copy(update={"source_key": "k\x1b[31m[bold]"})
    print_receipt(made.model_copy(update={"record": record, "delivery": None}))
    out = capsys.readouterr().out
    assert "k\\u001b[31m[bold], version 1" in out
    assert re.search(r"^delivery +not stored", out, re.MULTILINE)


def test_a_sum_is_told_with_the_number_of_its_parts(written, capsys):
    made = Receipt.model_validate(written[1])
    (rival,) = made.rivals
    parts = (rival.model_copy(update={"reason": "summed", "is_kept": True}), rival.model_copy(update={"is_kept": True}))
    election = made.election.model_copy(update={"reason": "summed", "source_count": 2})
    print_receipt(made.model_copy(update={"election": election, "rivals": parts}))
    out = capsys.readouterr().out
    assert re.search(r"^won +sum of 2 values from 2 sources, trust 0\.50", out, re.MULTILINE)
    assert re.search(r"-00010  part of the sum, trust 0\.50 *$", out, re.MULTILINE)
    assert re.search(r"-00010  agrees, trust 0\.50, kept too", out)
