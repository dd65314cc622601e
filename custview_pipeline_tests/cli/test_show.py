"""``custview show``: one customer, masked; in full only what the policy allows, with a reason, which is logged."""

import json
import re

import polars as pl
import pytest

from custview_pipeline.cli.pages import why_won
from custview_pipeline.cli.permission import os_user
from custview_pipeline.kernel.identifiers import group_cuid
from custview_pipeline.survivorship.reasons import WINNING
from custview_pipeline_tests.permissions import AS_ADA, access_log

EMAIL = "paula.abernathy10@example.org"  # person 10 of worlds.people


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
    before = access_log(world)
    outcome = world.run("show", cuid, "--project", world.directory, "--reveal", "--as", "ada", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == "error revealing needs --reason TEXT\n"
    assert access_log(world) == before


def test_revealing_shows_what_the_role_sees_in_full_and_is_logged_first(world, cuid):
    before = len(access_log(world))
    outcome = world.run("show", cuid, "--project", world.directory, "--reveal", *AS_ADA)
    assert outcome.code == 0, outcome
    assert EMAIL in value_of(outcome.out, "email")
    assert re.search(r"\d{4}-\*\*-\*\*", value_of(outcome.out, "birth_date"))
    entries = access_log(world)
    assert len(entries) == before + 1
    said = {name: entries[-1][name] for name in ("who", "os_user", "roles", "purpose", "what", "reason", "outcome")}
    assert said == {
        "who": "ada",
        "os_user": os_user(),
        "roles": ["steward"],
        "purpose": "data_quality",
        "what": f"show {cuid}",
        "reason": "asked by the customer",
        "outcome": "granted",
    }
    assert "email" in entries[-1]["fields"]
    assert "birth_date" not in entries[-1]["fields"]
    assert EMAIL not in json.dumps(entries)


def test_whoever_has_no_role_is_told_where_to_write_one_and_logged(world, cuid):
    outcome = world.run("show", cuid, "--project", world.directory, "--reveal", "--as", "eve", "--reason", "curious")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("error 'eve' has no role: name them under users in ")
    assert "access.yaml" in outcome.err
    entry = access_log(world)[-1]
    assert (entry["who"], entry["outcome"], entry["roles"], entry["reason"]) == ("eve", "denied", [], "curious")


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


@pytest.mark.parametrize(
    ("sources", "is_contested", "words"),
    [
        (1, False, "sum of 3 values from 1 source"),
        (2, False, "sum of 3 values from 2 sources"),
        (2, True, "sum of 3 values from 2 sources, contested"),
    ],
)
def test_of_a_sum_no_source_is_said_to_agree(sources, is_contested, words):
    assert why_won({"reason": "summed", "source_count": sources, "is_contested": is_contested, "part_count": 3}) == words


def test_every_reason_of_survivorship_reads_as_words():
    said = [why_won({"reason": reason, "source_count": 1, "is_contested": False}) for reason in WINNING]
    assert all("_" not in words for words in said)
    assert len(set(said)) == len(said)
    assert pl.Series(said).str.len_chars().max() <= 30
