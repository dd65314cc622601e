"""``custview rulebook show`` and ``diff``: the rules that hold, and what others would do, by counts and ids alone."""

import json

import pytest

SECRETS = ("@example.org", "Abernathy", "Bluestone", "Maple Street", "555-0")
SPLITS = "matching: {match_weight: 60.0, review_weight: 20.0}\ntrust: {crm: {phone: 0.1}}\n"


def rulebook(world, *arguments):
    return world.run("rulebook", *arguments, "--project", world.directory)


@pytest.fixture
def new(tmp_path):
    """Return what writes a rulebook to try."""

    def write(text):
        path = tmp_path / "new.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_the_rules_that_hold_are_shown_with_where_they_come_from(world):
    outcome = rulebook(world, "show")
    assert outcome.code == 0, outcome
    lines = [line.split() for line in outcome.out.splitlines()]
    assert lines[0][:2] == ["rulebook", "version"]
    assert ["matching.match_weight", "0.5", "default"] in lines
    assert any(line[0] == "trust.crm.default" and line[-1] == "contracts/crm.odcs.yaml" for line in lines if line)

    said = json.loads(rulebook(world, "show", "--json").out)
    assert said["version"] == lines[0][2]
    assert {"key": "matching.match_weight", "value": "0.5", "origin": "default"} in said["rules"]


def test_a_rulebook_without_effect_is_exit_code_0(world, new):
    outcome = rulebook(world, "diff", new("matching: {match_weight: 0.5}\n"))
    assert outcome.code == 0, outcome
    assert outcome.out.splitlines()[-1] == "nothing would change: no customer, no match and no value"


def test_an_effect_is_exit_code_3_and_told_by_counts_and_ids(world, new):
    before = world.manifest()
    outcome = rulebook(world, "diff", new(SPLITS), "--limit", "2")
    assert outcome.code == 3, outcome
    lines = [line.split() for line in outcome.out.splitlines()]
    assert ["matching.match_weight", "0.5", "60.0"] in lines
    assert ["customers", "30", "50"] in lines
    assert ["20", "customers", "split", "from", "others"] in lines
    assert ["20", "records", "change", "customers"] in lines
    assert sum(line[2:3] == ["from"] for line in lines) == 2
    assert any(line[0].startswith(("crm:crm-000", "shop:shop-000")) for line in lines if line)
    assert not [secret for secret in SECRETS if secret in outcome.out + outcome.err]
    assert world.manifest() == before


def test_json_has_the_same(world, new):
    outcome = rulebook(world, "diff", new(SPLITS), "--json", "--limit", "1")
    assert outcome.code == 3, outcome
    said = json.loads(outcome.out)
    assert said["has_effect"] is True
    assert said["counts"]["customer_count"] == {"before": 30, "after": 50}
    assert said["customers"]["split_from"]["count"] == said["moved_records"]["count"] == 20
    assert [set(example) for example in said["customers"]["split_from"]["examples"]] == [{"cuid", "other_cuid", "record_count"}]
    assert {"key": "trust.crm.phone", "before": None, "after": "0.1"} in said["changed_rules"]
    assert all(len(value["examples"]) == 1 for value in said["values"])
    assert not [secret for secret in SECRETS if secret in outcome.out]


def test_what_counts_from_the_next_model_on_is_said_to(world, new):
    outcome = rulebook(world, "diff", new("matching: {block_cap: 3}\n"))
    assert outcome.code == 0, outcome
    assert "block_cap and pair_budget count from when blocks are next counted" in outcome.out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("matching:\n  match_wieght: 1.0\n", ":2: unknown key 'matching.match_wieght'; did you mean 'match_weight'?"),
        ("trust:\n  nobody: {default: 1.0}\n", ":2: trust in 'nobody', which no contract describes"),
        ("survivorship:\n  default: [latest]\n", ":2: no strategy 'latest'"),
        ("- a list\n", ":1: expected keys with values at the top of the file"),
    ],
)
def test_a_rulebook_that_is_none_is_exit_code_2_with_file_and_line(world, new, text, said):
    path = new(text)
    outcome = rulebook(world, "diff", path)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"error {path}{said}")


def test_a_file_that_is_no_text_is_exit_code_2(world, tmp_path):
    path = tmp_path / "new.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    outcome = rulebook(world, "diff", path)
    assert (outcome.code, outcome.err) == (2, f"error {path}: is no text in UTF-8\n")
