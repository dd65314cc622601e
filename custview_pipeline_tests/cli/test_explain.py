"""``custview explain``: why two records are one customer, and what holds a customer together; values only where revealed."""

import json
import re

import polars as pl
import pytest
from rich.console import Console

from custview_pipeline.cli import explain_pages
from custview_pipeline.cli.explain_pages import print_explained_customer, print_explained_pair
from custview_pipeline.flows.explain import Because, ExplainedCustomer, ExplainedPair, Reason
from custview_pipeline.flows.named_records import Member
from custview_pipeline.flows.weighing import Link
from custview_pipeline.kernel.identifiers import group_cuid
from custview_pipeline.matching.edge_words import LevelBits
from custview_pipeline.protection.vault import Vault
from custview_pipeline_tests.factories import cuid as made_cuid
from custview_pipeline_tests.permissions import AS_ADA, access_log

NOT_STORED = "other records join them, by evidence that is not stored: their customer has too many to weigh it again"
NOT_LINKED = "though the pair alone would be one: two of their customers' records may not be linked"
PAIR = ("crm:crm-00010", "shop:shop-00010")
EMAIL = "paula.abernathy10@example.org"


def explain(world, *arguments):
    return world.run("explain", *arguments, "--project", world.directory)


def test_two_records_are_explained_comparison_by_comparison_without_a_value(world, cuid):
    outcome = explain(world, *PAIR)
    assert outcome.code == 0, outcome
    assert outcome.out.startswith("crm:crm-00010 and shop:shop-00010  person\nMATCH by the evidence, +")
    bits = dict(re.findall(r"^(\S.*?) {2,}([+-]\d+\.\d)$", outcome.out, re.MULTILINE))
    assert {"starting odds", "same given name", "same family name", "same birth date", "same e-mail address", "total"} <= {*bits}
    assert sum(float(each) for name, each in bits.items() if name != "total") == pytest.approx(float(bits["total"]), abs=0.6)
    assert re.search(r"^MATCH above \+0\.5 bits, POSSIBLE_MATCH from -1\.0; .* model [0-9a-f]{12}$", outcome.out, re.MULTILINE)
    assert f"one customer now, {group_cuid(cuid)}: the evidence between them says so" in outcome.out
    assert not re.search("(?i)abernathy|paula|maple|62704|example", outcome.out)


def test_scripts_get_json_whose_bits_add_up(world):
    said = json.loads(explain(world, *PAIR, "--json").out)
    assert (said["left"]["source_key"], said["right"]["source_key"]) == ("crm-00010", "shop-00010")
    assert said["starting_bits"] + sum(each["bits"] for each in said["comparisons"]) == pytest.approx(said["weight"], abs=1e-6)
    assert (said["decision"], said["rule"], said["is_one_customer"], said["because"]) == ("MATCH", "model", True, "evidence")
    assert (said["match_weight"], said["review_weight"], said["through"], said["against"]) == (0.5, -1.0, [], None)
    assert set(said["comparisons"][0]) == {"comparison", "level", "meaning", "bits"}


def test_records_are_named_by_their_ids_too_even_where_those_are_negative(world):
    said = json.loads(explain(world, *PAIR, "--json").out)
    ids = [str(said[side]["record_id"]) for side in ("left", "right")]
    again = explain(world, *ids, "--json")
    assert again.code == 0, again
    assert json.loads(again.out) == said


def test_two_strangers_are_two_customers(world):
    outcome = explain(world, "crm:crm-00001", "crm:crm-00002")
    assert outcome.code == 0, outcome
    assert "\nNO_MATCH by the evidence, -" in outcome.out
    assert re.search(r"^two customers now, CU .* and CU .*: the evidence between them says so$", outcome.out, re.MULTILINE)


def test_values_stand_beside_each_comparison_as_the_role_sees_them_and_are_logged(world):
    before = len(access_log(world))
    outcome = explain(world, *PAIR, "--reveal", *AS_ADA)
    assert outcome.code == 0, outcome
    (line,) = [line for line in outcome.out.splitlines() if line.startswith("same e-mail address")]
    assert line.count(EMAIL) == 2
    (line,) = [line for line in outcome.out.splitlines() if line.startswith("same birth date")]
    assert len(re.findall(r"\d{4}-\*\*-\*\*", line)) == 2
    (entry,) = access_log(world)[before:]
    assert (entry["who"], entry["outcome"], entry["reason"]) == ("ada", "granted", "asked by the customer")
    assert re.fullmatch(r"explain -?\d+ -?\d+", entry["what"])
    assert "email" in entry["fields"]


def test_revealed_json_has_the_values_of_both_sides(world):
    said = json.loads(explain(world, *PAIR, "--reveal", "--json", *AS_ADA).out)
    (email,) = [each for each in said["comparisons"] if each["comparison"] == "email"]
    assert (email["left"], email["right"]) == ([EMAIL], [EMAIL])


def test_who_may_not_see_is_denied_and_nothing_is_opened(world, monkeypatch):
    monkeypatch.setattr(Vault, "unseal", lambda *_: pytest.fail("opened"))
    outcome = explain(world, *PAIR, "--reveal", "--as", "eve", "--reason", "curious")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("error 'eve' has no role")
    assert access_log(world)[-1]["outcome"] == "denied"


def test_the_log_is_written_before_anything_is_opened(world, monkeypatch):
    before, unseal = len(access_log(world)), Vault.unseal
    seen = []
    monkeypatch.setattr(Vault, "unseal", lambda *call: seen.append(len(access_log(world))) or unseal(*call))
    assert explain(world, *PAIR, "--reveal", *AS_ADA).code == 0
    assert seen == [before + 1]


def test_a_customer_is_explained_by_its_links(world, cuid):
    outcome = explain(world, group_cuid(cuid))
    assert outcome.code == 0, outcome
    assert outcome.out.startswith(f"{group_cuid(cuid)}  person, 2 source records of 2 sources\n")
    assert re.search(
        r"^ *\+\d+\.\d  \S+  \S+ +weakest link starting odds [+-].*same e-mail address \+\d", outcome.out, re.MULTILINE
    )
    assert "without its weakest link the customer falls into 1 and 1 records" in outcome.out
    assert EMAIL not in outcome.out


def test_a_customer_as_json(world, cuid):
    said = json.loads(explain(world, cuid, "--json").out)
    assert (said["cuid"], len(said["records"]), len(said["links"])) == (cuid, 2, 1)
    assert said["weakest_link"] == said["links"][0]
    assert said["strongest_contradiction"] is None


def test_a_customer_of_one_record_says_so(world):
    rows = [line.split(",") for line in world.export("crosswalk").decode().splitlines()]
    alone = next(cuid for source, key, cuid in rows if (source, key) == ("crm", "crm-00001"))
    outcome = explain(world, alone)
    assert outcome.out.splitlines() == [
        f"{group_cuid(alone)}  person, 1 source record",
        "crm:crm-00001 is its only record: nothing holds it together, and nothing needs to",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["crm:crm-00001", "crm:crm-00001"], "both names are of the same record: name two"),
        (["crm:crm-00001", "crm:nobody"], "the second record is in the lake under no such name: look at source system and key"),
        (["crm:crm-00030", "crm:crm-00001"], "the first record is known by refused rows only: custview quarantine list"),
        (["Paula", "crm:crm-00001"], "the first record is not understood: name it SOURCE:KEY, such as crm:4711, or by its"),
        (["crm:crm-00001"], "not a CUID: expected CU and 17 letters and digits; to explain records, name two"),
        (["CU00000000000000009"], "no customer has this id"),
        (["CU00000000000000009", "--reveal", "--reason", "x"], "--reveal goes with two records; custview show CUID --reveal"),
        (["crm:crm-00001", "--jsn"], "no such option: custview explain --help lists them"),
        (["crm:crm-00001", "-x"], "no such option: custview explain --help lists them"),
        ([*PAIR, "--reveal"], "revealing needs --reason TEXT"),
    ],
)  # fmt: skip
def test_wrong_use_is_one_line_and_exit_code_2(world, arguments, said):
    outcome = explain(world, *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"error {said}")
    assert outcome.err.count("\n") == 1
    assert "Paula" not in outcome.err


def member(number, customer=1):
    return Member(number, 1, "crm", f"k[{number}]", "person", None if customer is None else made_cuid(customer))


def link(left, right, weight, *, rule="model", decision="MATCH", customers=(1, 1)):
    levels = (LevelBits("phone", 1, "same phone", weight + 10.0),)
    sides = (member(left, customers[0]), member(right, customers[1]))
    return Link(*sides, weight, 0.5, decision, rule, "household", -10.0, levels)


def explained_by(reason, evidence=None, *, is_one=True):
    return ExplainedPair(evidence or link(1, 2, 3.0), is_one, reason, "m1", 0.5, -1.0)


@pytest.fixture
def printed(monkeypatch):
    """Return what prints something on a wide terminal and returns its lines."""

    def lines_of(show, *arguments):
        console = Console(width=300, highlight=False, record=True, file=None, force_terminal=False)
        monkeypatch.setattr(explain_pages, "results", lambda: console)
        with console.capture() as capture:
            show(*arguments)
        return [line.rstrip() for line in capture.get().splitlines()]

    return lines_of


@pytest.mark.parametrize(
    ("customers", "is_one", "reason", "lines"),
    [
        (
            (1, 1), True, Reason(Because.THROUGH_OTHERS, through=(link(1, 3, 7.0), link(2, 3, 5.0))),
            [
                "one customer now, CU 0000-0000-0000-0000-1: other records join them",
                "  crm:k[1] and crm:k[3] +7.0: starting odds -10.0, same phone +17.0",
                "  crm:k[2] and crm:k[3] +5.0: starting odds -10.0, same phone +15.0",
            ],
        ),
        (
            (1, 2), False, Reason(Because.KEPT_APART, against=link(1, 3, 9.0, rule="jr is not sr", decision="NO_MATCH")),
            [
                f"two customers now, {' and '.join(map(group_cuid, map(made_cuid, (1, 2))))}: {NOT_LINKED}",
                "  crm:k[1] and crm:k[3] +9.0: NO_MATCH decided by jr is not sr, starting odds -10.0, same phone +19.0",
            ],
        ),
        (
            (1, 1), True, Reason(Because.NOT_STORED),
            [f"one customer now, CU 0000-0000-0000-0000-1: {NOT_STORED}"],
        ),
        ((1, None), None, Reason(Because.NOT_MATCHED), ["not matched yet: custview run decides whether they are one customer"]),
    ],
)  # fmt: skip
def test_why_two_records_are_one_customer_is_told_with_the_links_that_decide(printed, customers, is_one, reason, lines):
    explained = explained_by(reason, link(1, 2, 3.0, customers=customers), is_one=is_one)
    assert printed(print_explained_pair, explained)[-len(lines) :] == lines


def test_a_rule_that_decides_is_named_before_the_evidence(printed):
    ruled = link(1, 2, 3.0, rule="[same] number")
    lines = printed(print_explained_pair, explained_by(Reason(Because.RULE), ruled))
    assert lines[1] == "MATCH, decided by [same] number; the evidence alone has +3.0 bits"
    assert lines[-1].endswith(": that decides it")


def test_every_reason_is_told_in_words_of_its_own(printed):
    said = {
        reason: printed(print_explained_pair, explained_by(Reason(reason)))[-1]
        for reason in Because
        if reason is not Because.NOT_MATCHED
    }
    assert len(set(said.values())) == len(said)


def test_a_value_that_a_terminal_would_act_on_is_written_out_and_none_is_told(printed):
    values = pl.DataFrame({"record_id": [1], "attribute": ["phone"], "slot": [0], "value": ["\x1b[31m+1 202"]})
    lines = printed(print_explained_pair, explained_by(Reason(Because.EVIDENCE)), values)
    assert any(re.fullmatch(r"same phone +\+13\.0 +\\u001b\[31m\+1 202 +\(none\)", line) for line in lines), lines


def test_the_weakest_link_and_the_strongest_contradiction_of_a_customer_are_told(printed):
    explained = ExplainedCustomer(
        made_cuid(1),
        tuple(member(number) for number in (1, 2, 3)),
        "m1",
        (link(1, 2, 9.0), link(2, 3, 4.0)),
        (2, 1),
        link(1, 3, -6.0, decision="NO_MATCH"),
    )
    lines = printed(print_explained_customer, explained)
    assert [bool(re.search("weakest link starting odds", line)) for line in lines[3:5]] == [False, True]
    assert lines[-3:] == [
        "without its weakest link the customer falls into 2 and 1 records",
        "strongest contradiction: crm:k[1] and crm:k[3] -6.0: starting odds -10.0, same phone +4.0",
        "model m1",
    ]


def test_of_a_large_customer_it_is_told_that_only_stored_links_were_looked_at(printed):
    explained = ExplainedCustomer(
        made_cuid(1),
        (member(1), member(2), member(3)),
        "m1",
        (link(1, 2, 9.0),),
        (1, 1),
        None,
        is_from_stored=True,
        unlinked_count=1,
    )
    lines = printed(print_explained_customer, explained)
    assert "so many records are not weighed pair by pair: these are the stored links, rounded to half a bit" in lines
    assert "1 records hang by evidence that is not stored, because it is under the review weight" in lines
