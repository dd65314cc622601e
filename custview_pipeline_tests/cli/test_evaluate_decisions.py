"""``custview evaluate --decisions``: what people decided as test cases for rules and models that are not live yet."""

import json
import shutil

import pytest

from custview_pipeline_tests.worlds import World

SECRETS = ("@example.org", "Abernathy", "Bluestone", "Maple Street", "555-0")
CASES = (
    ("match", "crm:crm-00010", "shop:shop-00010", "same_person"),
    ("not-a-match", "crm:crm-00011", "shop:shop-00012", "different_person"),
    ("not-a-match", "crm:crm-00013", "shop:shop-00013", "family_member"),  # which matching does not come to
)


@pytest.fixture(scope="module")
def own(world, tmp_path_factory):
    """Return a copy of the world in which three decisions were made."""
    root = tmp_path_factory.mktemp("decided") / "world"
    shutil.copytree(world.root, root)
    own = World(root, world.sources)
    for kind, left, right, code in CASES:
        how = ("--reason-code", code, "--by", "ada", "--project", own.directory)
        outcome = own.run("review", "decide", kind, left, right, *how)
        assert outcome.code == 0, outcome
    return own


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """Return a rulebook under which nothing is matched."""
    path = tmp_path_factory.mktemp("strict") / "strict.yaml"
    path.write_text("matching: {match_weight: 90.0}\n", encoding="utf-8")
    return path


def evaluate(world, *arguments):
    return world.run("evaluate", "--decisions", "--project", world.directory, *arguments)


def test_it_is_told_by_kind_and_reason_and_which_ones_do_not_come_out(own):
    before = own.manifest()
    outcome = evaluate(own)
    assert outcome.code == 0, outcome
    lines = [line.split() for line in outcome.out.splitlines()]
    assert outcome.out.startswith("2 of 3 decisions come out without being told (66.7%)")
    assert ["match", "same", "person", "1", "1", "1"] in lines
    assert ["not", "a", "match", "family", "member", "1", "0", "0"] in lines
    (failed,) = [line for line in lines if "crm:crm-00013" in line]
    assert "shop:shop-00013" in failed
    assert failed[-2:] == ["MATCH", "model"]
    assert not [secret for secret in SECRETS if secret in outcome.out + outcome.err]
    assert own.manifest() == before


def test_a_rulebook_under_which_fewer_come_out_is_exit_code_1(own, strict):
    outcome = evaluate(own, "--rulebook", strict)
    assert outcome.code == 0, outcome  # one is lost and one is won: as many as with what is in use
    assert "with rulebook and models in use: 2" in outcome.out

    said = json.loads(evaluate(own, "--rulebook", strict, "--json", "--at-least", "0.7").out)
    assert (said["agree"], said["agreed_before"], said["is_enough"]) == (2, 2, False)
    (failed,) = said["disagreeing"]
    assert (failed["decision"], failed["agreed_before"]) == ("match", True)
    assert {failed["left"], failed["right"]} == {"crm:crm-00010", "shop:shop-00010"}
    assert evaluate(own, "--rulebook", strict, "--at-least", "0.7").code == 1


@pytest.mark.parametrize(("share", "code"), [("0.6", 0), ("0.67", 1), ("1", 1), ("0", 0)])
def test_the_share_that_is_to_come_out_can_be_said(own, share, code):
    assert evaluate(own, "--at-least", share).code == code


def test_a_model_of_a_file_and_a_stored_one_can_be_tried(own, tmp_path):
    path = tmp_path / "models.json"
    assert own.run("model", "export", path, "--project", own.directory).code == 0
    version = json.loads(path.read_text(encoding="utf-8"))["models"][0]["version"]
    for named in (path, version):
        outcome = evaluate(own, "--model", named, "--json")
        assert (outcome.code, json.loads(outcome.out)["agree"]) == (0, 2), outcome
    assert evaluate(own, "--model", "none-such").code == 1


def test_without_decisions_nothing_speaks_against(world):
    outcome = evaluate(world, "--at-least", "1")
    assert (outcome.code, outcome.out) == (0, "no decision stands that model and rules could be held against\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "say what the customers are held against: --truth FILE or --decisions"),
        (("--decisions", "--truth", "RULES"), "say what the customers are held against: --truth FILE or --decisions"),
        (("--decisions", "--curve", "curve.csv"), "--curve and --plot go with --truth"),
        (("--truth", "RULES", "--at-least", "0.5"), "--rulebook, --model and --at-least go with --decisions"),
    ],
)
def test_a_truth_and_decisions_do_not_go_together(world, strict, arguments, said):
    named = [strict if argument == "RULES" else argument for argument in arguments]
    outcome = world.run("evaluate", *named, "--project", world.directory)
    assert (outcome.code, outcome.out, outcome.err) == (2, "", f"error {said}\n")
