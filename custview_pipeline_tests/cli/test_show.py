"""``custview show``: one customer, masked; whole only with a reason, which is logged."""

import json
import re

import polars as pl
import pytest

from custview_pipeline.cli.pages import why_won
from custview_pipeline.kernel.identifiers import group_cuid

EMAIL = "paula.abernathy10@example.org"  # person 10 of worlds.people


def log(world):
    file = world.lake / "access_log.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def value_of(out, attribute):
    return next(line for line in out.splitlines() if line.startswith(attribute))


def test_a_customer_is_shown_masked_with_sources_and_reasons(world, cuid):
    outcome = world.run("show", cuid, "--project", world.directory)
    assert outcome.code == 0
    assert outcome.out.startswith(f"{group_cuid(cuid)}  person, 2 source records")
    assert EMAIL not in outcome.out
    assert re.match(r"email +\w\*\*\*@e\*\*\*\.org +(crm|shop) +0\.50  2 sources agree", value_of(outcome.out, "email"))
    assert re.search(r"^crm +crm-00010 +2026-05-01$", outcome.out, re.MULTILINE)
    assert re.search(r"^shop +shop-00010 +2026-05-01$", outcome.out, re.MULTILINE)


@pytest.mark.parametrize("typed", [str.lower, group_cuid, lambda cuid: f" {cuid} "])
def test_an_id_is_understood_as_people_type_it(world, cuid, typed):
    assert world.run("show", typed(cuid), "--project", world.directory).code == 0


@pytest.mark.parametrize("arguments", [[], ["--reason", "  "]])
def test_revealing_needs_a_reason(world, cuid, arguments):
    before = log(world)
    outcome = world.run("show", cuid, "--project", world.directory, "--reveal", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == "error --reveal needs --reason TEXT\n"
    assert log(world) == before


def test_revealing_shows_the_values_and_is_logged_first(world, cuid):
    before = len(log(world))
    outcome = world.run("show", cuid, "--project", world.directory, "--reveal", "--reason", "asked by the customer")
    assert outcome.code == 0
    assert EMAIL in value_of(outcome.out, "email")
    entries = log(world)
    assert len(entries) == before + 1
    assert entries[-1]["reason"] == "asked by the customer"
    assert cuid in entries[-1]["what"]
    assert EMAIL not in json.dumps(entries)


def test_what_cannot_be_logged_is_not_revealed(world, cuid):
    file = world.lake / "access_log.jsonl"
    kept = file.read_bytes() if file.exists() else None
    file.write_text("not a log\n")
    try:
        outcome = world.run("show", cuid, "--project", world.directory, "--reveal", "--reason", "why not")
    finally:
        file.unlink()
        if kept is not None:
            file.write_bytes(kept)
    assert outcome.code == 1
    assert outcome.out == ""
    assert "nothing is revealed" in outcome.err


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        ("CU123", 2, "error not a CUID: expected CU and 17 letters and digits\n"),
        ("CU00000000000000008", 2, "error not a CUID: its check character does not fit; look for a mistyped character\n"),
        ("CU00000000000000009", 1, "error no customer has this id\n"),
    ],
)
def test_an_unknown_id_is_one_line(world, typed, code, said):
    outcome = world.run("show", typed, "--project", world.directory)
    assert (outcome.code, outcome.out, outcome.err) == (code, "", said)


@pytest.mark.parametrize(
    ("reason", "sources", "is_contested", "words"),
    [
        ("only_candidate", 1, False, "only value known"),
        ("confirmed_by_others", 1, False, "records agree"),
        ("confirmed_by_others", 3, False, "3 sources agree"),
        ("most_trusted", 1, True, "most trusted, contested"),
        ("most_recent", 2, True, "most recent, 2 sources agree, contested"),
        ("valid", 1, False, "the valid one"),
        ("tie_smaller_record_id", 1, True, "tie, smaller record id, contested"),
        (None, 1, False, ""),
    ],
)
def test_why_a_value_won_is_said_in_words(reason, sources, is_contested, words):
    assert why_won({"reason": reason, "source_count": sources, "is_contested": is_contested}) == words


def test_every_reason_of_survivorship_reads_as_words():
    from custview_pipeline.survivorship import elect

    reasons = [*elect._CRITERIA, "only_candidate", "confirmed_by_others", "valid", "tie_smaller_record_id"]  # noqa: SLF001 -- the list of strategies
    said = [why_won({"reason": reason, "source_count": 1, "is_contested": False}) for reason in reasons]
    assert all("_" not in words for words in said)
    assert len(set(said)) == len(said)
    assert pl.Series(said).str.len_chars().max() <= 30
