"""``custview review decide``, ``withdraw``, ``decisions``: what stewards say, from the terminal to the customers."""

import json
import re
import shutil

import pytest

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline_tests.interrupted import open_keys
from custview_pipeline_tests.worlds import World, finish

SAME, OTHER = ("crm:crm-00010", "shop:shop-00010"), "crm:crm-00001"
EMAIL = "quillfeather@example.org"


@pytest.fixture
def own(world, tmp_path):
    """Return a copy of the world, to decide in."""
    shutil.copytree(world.root, tmp_path / "world")
    return World(tmp_path / "world", world.sources)


def review(world, *arguments, **named):
    return world.run("review", *arguments, "--project", world.directory, **named)


def decide(world, *arguments):
    """Decide and return the id of the decision."""
    outcome = review(world, "decide", *arguments, "--by", "ada")
    assert outcome.code == 0, outcome
    return outcome.out.strip()


def decisions(world, *arguments):
    return json.loads(review(world, "decisions", "--json", *arguments).out)


def owners(world):
    rows = [line.split(",") for line in world.export("crosswalk").decode().splitlines()[1:]]
    return {f"{source}:{key}": cuid for source, key, cuid in rows}


@pytest.mark.slow
def test_what_is_decided_is_listed_and_holds_from_the_next_run_until_it_is_withdrawn(own):
    assert len({owners(own)[name] for name in SAME}) == 1
    number = decide(own, "not-a-match", *SAME, "--reason-code", "family_member", "--reason", "twins")
    (listed,) = decisions(own)["decisions"]
    assert (listed["decision_id"], listed["decision"], listed["decided_by"]) == (number, "not_a_match", "ada")
    assert (listed["reason_code"], listed["reason"], listed["withdrawn_at"]) == ("family_member", "twins", None)
    assert own.refresh().code == 0
    assert len({owners(own)[name] for name in SAME}) == 2

    outcome = review(own, "withdraw", number, "--by", "otto")

    assert (outcome.code, outcome.err) == (0, "withdrew 1 decision; stored: the next run goes by it\n")
    assert decisions(own)["decisions"] == []
    (gone,) = decisions(own, "--withdrawn")["decisions"]
    assert gone["withdrawn_by"] == "otto"
    assert own.refresh().code == 0
    assert len({owners(own)[name] for name in SAME}) == 1


@pytest.mark.slow
def test_a_decision_while_a_run_holds_the_lake_is_kept_and_taken_in_by_the_run(own):
    with DeltaLake(own.lake, open_keys(own.keys)).writer():
        outcome = review(own, "decide", "match", SAME[0], OTHER, "--by", "ada")
        assert outcome.code == 0
        assert "a run holds the lake" in outcome.err
        (waiting,) = decisions(own)["decisions"]
        assert (waiting["is_waiting"], decisions(own)["waiting_count"]) == (True, 1)
        listed = review(own, "decisions").out
        assert re.search(rf"^{outcome.out.strip()} +match .* waits$", listed, re.MULTILINE)
        assert "1 batch waits for the run that holds the lake" in listed

    assert own.refresh().code == 0

    assert decisions(own)["waiting_count"] == 0
    (row,) = decisions(own)["decisions"]
    assert (row["decision_id"], row["is_waiting"]) == (outcome.out.strip(), False)
    assert owners(own)[SAME[0]] == owners(own)[OTHER]


def test_what_waits_is_contradicted_superseded_and_withdrawn_like_what_stands(own):
    with DeltaLake(own.lake, open_keys(own.keys)).writer():
        first = decide(own, "match", SAME[0], OTHER)
        outcome = review(own, "decide", "not-a-match", SAME[0], OTHER, "--by", "ada")
        assert (outcome.code, outcome.out) == (2, "")
        assert f"contradicts the standing decision {first}" in outcome.err
        second = decide(own, "not-a-match", SAME[0], OTHER, "--supersede")
        assert [row["decision_id"] for row in decisions(own)["decisions"]] == [second]
        outcome = review(own, "withdraw", second, "--by", "otto")
        assert (outcome.code, "takes it in before its next stage" in outcome.err) == (0, True)
        assert decisions(own)["decisions"] == []
        assert [row["is_waiting"] for row in decisions(own, "--withdrawn")["decisions"]] == [True, True]
        again = review(own, "withdraw", second, "--by", "otto")
        assert (again.code, "no decision that holds" in again.err) == (2, True)

    decide(own, "unsure", SAME[0], "crm:crm-00002")

    listed = decisions(own, "--withdrawn")
    assert [row["decision"] for row in listed["decisions"] if row["withdrawn_at"] is None] == ["unsure"]
    assert {row["decision_id"] for row in listed["decisions"] if row["withdrawn_at"] is not None} == {first, second}
    assert (listed["waiting_count"], listed["refused"]) == (0, [])


def test_a_withdrawal_that_waits_is_listed_so(own):
    number = decide(own, "match", SAME[0], OTHER)
    with DeltaLake(own.lake, open_keys(own.keys)).writer():
        assert review(own, "withdraw", number, "--by", "otto").code == 0
        (row,) = decisions(own, "--withdrawn")["decisions"]
    assert (row["decision_id"], row["withdrawn_by"], row["is_waiting"]) == (number, "otto", True)


def test_what_was_contradicted_meanwhile_is_refused_and_told(own):
    with DeltaLake(own.lake, open_keys(own.keys)).writer():
        decide(own, "match", SAME[0], OTHER)
        opposite = decide(own, "not-a-match", SAME[0], OTHER, "--supersede")
    folder = own.lake / "decisions"
    last = max(folder.glob("*.json"))  # as if both had been handed in at one moment, each without knowing of the other
    last.write_text(last.read_text().replace('"supersede":true', '"supersede":false'))

    decide(own, "unsure", SAME[0], "crm:crm-00002")

    listed = decisions(own)
    assert sorted(row["decision"] for row in listed["decisions"]) == ["match", "unsure"]
    (refused,) = listed["refused"]
    assert opposite not in {row["decision_id"] for row in listed["decisions"]}
    assert listed["decisions"][-1]["decision_id"] in refused["why"]
    (folder / "refused" / "0.json").write_text("")  # one that cannot be read stops nobody
    decide(own, "unsure", SAME[0], "crm:crm-00003")
    assert "why cannot be read; delete" in re.sub(r"\s+", " ", review(own, "decisions").out)
    assert "refused what was handed in of ada" in review(own, "decisions").out


def test_a_contradiction_is_refused_with_the_other_one_and_may_supersede_it(own):
    number = decide(own, "match", SAME[0], OTHER)
    outcome = review(own, "decide", "not-a-match", OTHER, SAME[0])

    assert outcome.code == 2
    assert f"contradicts the standing decision {number}" in outcome.err
    assert len(decisions(own)["decisions"]) == 1
    decide(own, "not-a-match", OTHER, SAME[0], "--supersede")
    assert [row["decision"] for row in decisions(own)["decisions"]] == ["not_a_match"]


@pytest.mark.slow
def test_two_commands_at_once_both_count(own):
    pairs = [(SAME[0], OTHER), (SAME[0], "crm:crm-00002")]
    command = ("-m", "custview_pipeline", "review", "decide", "match")
    started = [own.start(*command, *pair, "--by", "ada", "--project", own.directory) for pair in pairs]

    assert [finish(process).code for process in started] == [0, 0]
    decide(own, "unsure", SAME[0], "crm:crm-00003")
    assert (len(decisions(own)["decisions"]), decisions(own)["waiting_count"]) == (3, 0)


def test_a_customer_is_locked_a_record_split_off_and_a_value_pinned(own, cuid):
    decide(own, "pin", cuid, "email", SAME[1])
    locked = decide(own, "lock", cuid)
    outcome = review(own, "decide", "split-off", SAME[1])
    assert (outcome.code, locked in outcome.err) == (2, True)
    decide(own, "split-off", SAME[1], "--supersede")

    table = review(own, "decisions").out
    assert re.search(rf"^[0-9a-f]{{16}} +split_off +{SAME[1]} from {SAME[0]} +ada", table, re.MULTILINE)
    assert re.search(rf"^[0-9a-f]{{16}} +pin +email of {cuid}, by {SAME[1]} +ada", table, re.MULTILINE)
    assert {"name": SAME[1], "cuid": cuid} in decisions(own)["records"].values()
    assert "1 more: --limit shows them" in review(own, "decisions", "--limit", "1").out


@pytest.mark.slow
def test_a_value_is_entered_from_a_private_file_and_never_seen(own, cuid):
    file = own.root / "value.txt"
    file.write_text(f"{EMAIL}\n")
    file.chmod(0o600)
    number = decide(own, "override", cuid, "email", "--value-file", file)
    assert own.refresh().code == 0

    shown = own.run("show", cuid, "--project", own.directory)
    assert re.search(r"email .*steward", shown.out)
    assert owners(own)[f"steward:{number}"] == cuid
    assert not [path for path in own.lake.rglob("*") if path.is_file() and b"quillfeather" in path.read_bytes()]
    file.chmod(0o644)
    outcome = review(own, "decide", "override", cuid, "email", "--value-file", file)
    assert (outcome.code, "others can read it" in outcome.err, EMAIL in outcome.err) == (1, True, False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["decide", "match", "crm:crm-00001"], "name two records, or an item of the queue"),
        (["decide", "match", "M0000000000"], "the queue has no item"),
        (["decide", "match", "crm:crm-00001", "crm:crm-00001"], "both names are of one record"),
        (["decide", "match", "crm:crm-00001", "crm:nobody"], "the second record is in the lake under no such name"),
        (["decide", "match", "crm:crm-00001", "crm:crm-00002", "crm:crm-00003"], "match is about RECORD RECORD, or ITEM"),
        (["decide", "lock", "CU0000000000000000"], "not a CUID"),
        (["decide", "lock", "--wrong"], "no such option"),
        (["decide", "split-off", "crm:crm-00001"], "alone in its customer"),
        (["decide", "pin", "CUID", "email", "crm:crm-00001"], "the record is none of customer"),
        (["decide", "pin", "CUID", "colour", "crm:crm-00010"], "no attribute 'colour'"),
        (["decide", "pin", "CUID", "employer", "crm:crm-00010"], "the record gives no employer"),
        (["decide", "pin", "CUID", "email", "crm:crm-00010", "--slot", "7"], "the record gives no email in place 7"),
        (["decide", "override", "CUID", "email"], "must be text on one line"),
        (["decide", "match", "crm:crm-00001", "crm:crm-00002", "--slot", "1"], "--slot goes with pin"),
        (["decide", "lock", "CUID", "--scheme", "us.ssn"], "go with override"),
        (["decide", "unsure", "crm:crm-00001", "crm:crm-00002", "--supersede"], "--supersede does nothing"),
        (["decide", "lock", "CUID", "--reason-code", "because"], "no reason code of this name"),
        (["decide", "lock", "CUID", "--reason", "x" * 501], "--reason must be a text"),
        (["decide", "lock", "CUID", "--by", " "], "--by must be a name"),
        (["withdraw", "Penelope"], "hexadecimal digits"),
        (["withdraw", "0123456789abcdef"], "no decision that holds"),
    ],
)
def test_what_cannot_be_meant_is_one_line_and_changes_nothing(world, cuid, arguments, said):
    before = world.manifest()["sequence"]
    outcome = review(world, *(cuid if each == "CUID" else each for each in arguments))

    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err
    assert world.manifest()["sequence"] == before
    assert not list((world.lake / "decisions").glob("*.json"))


def test_without_decisions_there_are_none(world):
    assert review(world, "decisions").out == "no decisions\n"
    assert decisions(world) == {"decisions": [], "records": {}, "waiting_count": 0, "refused": []}
