"""``custview sample-review``: a blind sample drawn, answered and turned into rates; masked unless the policy allows more."""

import csv
import json
import shutil

import pytest

from custview_pipeline_tests.permissions import AS_ADA, access_log
from custview_pipeline_tests.worlds import World

SECRETS = ("@example.org", "Abernathy", "Maple Street", "555-0")


@pytest.fixture(scope="module")
def own(world, tmp_path_factory):
    """Return a copy of the world, for samples are kept in it."""
    root = tmp_path_factory.mktemp("sampled") / "world"
    shutil.copytree(world.root, root)
    return World(root, world.sources)


def review(world, *arguments):
    return world.run("sample-review", *arguments, "--project", world.directory)


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def answer(path, rows, *, of=None):
    """Write the answers: what the keys of the world say, unless one is given for all."""
    for row in rows:
        number = [row[f"{side}_record"].rpartition("-")[2] for side in ("left", "right")]
        row["answer"] = of or ("same" if number[0] == number[1] else "different")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def drawn(own, tmp_path_factory):
    """Return the file of a sample and what the command said."""
    path = tmp_path_factory.mktemp("sheets") / "pairs.csv"
    return path, review(own, 30, "--out", path, "--seed", 1)


def test_a_sample_is_a_file_of_masked_pairs_without_scores(drawn):
    path, outcome = drawn
    assert outcome.code == 0, outcome
    assert outcome.out.startswith("sample S")
    assert path.stat().st_mode & 0o077 == 0
    rows = rows_of(path)
    assert [int(row["pair_number"]) for row in rows] == list(range(1, len(rows) + 1))
    assert {"left_name", "right_name", "name_equal", "answer", "reviewer"} <= set(rows[0])
    assert not {"weight", "stratum", "cuid", "decision"} & set(rows[0])
    assert {row["answer"] + row["reviewer"] for row in rows} == {""}
    said = path.read_text(encoding="utf-8") + outcome.out + outcome.err
    assert not [secret for secret in SECRETS if secret in said]


def test_the_same_seed_draws_the_same_pairs_under_another_id(own, drawn, tmp_path):
    again = tmp_path / "again.csv"
    assert review(own, 30, "--out", again, "--seed", 1).code == 0
    first, second = rows_of(drawn[0]), rows_of(again)
    assert first[0]["sample_id"] != second[0]["sample_id"]
    assert [row | {"sample_id": ""} for row in first] == [row | {"sample_id": ""} for row in second]


def test_answers_give_rates_with_intervals_and_are_kept(own, drawn, tmp_path):
    rows = rows_of(drawn[0])
    answers = answer(tmp_path / "answers.csv", rows)
    outcome = review(own, "--answers", answers)
    assert outcome.code == 0, outcome
    assert f"{len(rows)} pairs answered, 0 of them unsure" in outcome.out
    assert "false merges   0.00%  (0.00% to " in outcome.out
    assert outcome.err == f"kept {len(rows)} answers as decisions: custview run links by them\n"
    again = review(own, "--answers", answers, "--json")
    assert again.err == "the answers were kept before\n"
    said = json.loads(again.out)
    assert said["answered"] == len(rows)
    assert said["false_merge_rate"]["value"] == 0.0 < said["false_merge_rate"]["high"] < 1.0
    otherwise = review(own, "--answers", answer(tmp_path / "other.csv", rows, of="different"))
    assert (otherwise.code, "answered before, and otherwise" in otherwise.err) == (2, True)


def test_where_nobody_is_sure_no_rate_is_told(own, tmp_path):
    path = tmp_path / "pairs.csv"
    assert review(own, 20, "--out", path).code == 0
    outcome = review(own, "--answers", answer(path, rows_of(path), of="unsure"))
    assert outcome.code == 0, outcome
    assert outcome.out.count("cannot be told: no answer says anything about it") == 2
    assert "not covered: " in outcome.out


def test_revealing_takes_the_right_to_export_and_is_logged_before_the_file_is_there(own, tmp_path):
    path, before = tmp_path / "revealed.csv", len(access_log(own))
    denied = review(own, 20, "--out", path, "--reveal", "--as", "bob", "--purpose", "complaint", "--reason", "x")
    assert (denied.code, path.exists()) == (1, False)
    assert "may_export" in denied.err
    outcome = review(own, 20, "--out", path, "--reveal", *AS_ADA)
    assert outcome.code == 0, outcome
    assert "@example.org" in path.read_text(encoding="utf-8")
    entries = access_log(own)[before:]
    assert [entry["outcome"] for entry in entries] == ["denied", "granted"]
    sample_id = rows_of(path)[0]["sample_id"]
    assert entries[-1]["what"] == f"sample-review {sample_id}"
    assert all("*" in row["left_birth_date"] for row in rows_of(path) if row["left_birth_date"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "say how many pairs"),
        (("20",), "say how many pairs"),
        (("--out", "pairs.csv"), "say how many pairs"),
        (("20", "--out", "pairs.csv", "--json"), "--json goes with --answers only"),
        (("20", "--answers", __file__), "--answers takes no N"),
        (("--answers", __file__, "--seed", "3"), "--answers takes no N"),
        (("--answers", __file__, "--reveal"), "--answers takes no N"),
        (("--answers", __file__), "the header should name"),
    ],
)
def test_what_is_not_one_thing_is_exit_code_2(own, arguments, said):
    outcome = review(own, *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err


def test_a_file_that_cannot_be_written_leaves_no_sample(own, tmp_path):
    before = own.manifest()
    outcome = review(own, 20, "--out", tmp_path / "none" / "pairs.csv")
    assert (outcome.code, outcome.out) == (2, "")
    assert own.manifest() == before
