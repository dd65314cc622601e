"""What ``custview run`` prints, and its exit codes."""

import re

import pytest

from custview_pipeline_tests.worlds import SourceSpec, make_world, people


def test_the_summary_says_what_came_in_what_was_refused_and_who_was_found(first_run):
    out = first_run["out"]
    assert re.search(r"^crm +31 +30 +0 +0 +0 +0 +1$", out, re.MULTILINE)
    assert re.search(r"^shop +20 +20 +0 +0 +0 +0 +0$", out, re.MULTILINE)
    assert "refused in crm: 1 row by completeness__full_name__required" in out
    assert re.search(r"30 customers out of 50 records: [\d,]+ pairs compared, [\d,]+ matches, \d+ reviews", out)
    assert "30 golden records, 30 of them new or changed" in out
    assert re.search(r"^quality [\d.]+% over \d+ scores, \d+ below target$", out, re.MULTILINE)
    assert re.search(r"^run good in [\d.]+ s, peak memory [\d.]+ GiB$", out, re.MULTILINE)


def test_progress_is_on_standard_error_a_line_a_stage(first_run):
    lines = first_run["err"].splitlines()
    assert any(re.fullmatch(r" +[\d.]+ s  crm delivery: 31 rows read", line) for line in lines)
    assert any("golden_records" in line for line in lines)
    assert "rows read" not in first_run["out"]


def test_a_second_run_says_that_nothing_changed(world):
    outcome = world.refresh()
    assert outcome.code == 0
    assert re.search(r"^crm +as before *$", outcome.out, re.MULTILINE)
    assert "30 golden records, 0 of them new or changed" in outcome.out


def test_no_line_is_broken_where_the_output_is_a_pipe(first_run):
    assert any(len(line) > 80 for line in first_run["out"].splitlines())


def test_a_shut_gate_is_exit_code_1_and_one_line_on_why(tmp_path):
    world = make_world(tmp_path, SourceSpec("crm"))
    world.deliver("crm", [row | {"name": None} for row in people(5, of="crm")])
    outcome = world.refresh()
    assert outcome.code == 1
    assert "run FAILED in" in outcome.out
    (line,) = [line for line in outcome.err.splitlines() if line.startswith("failed")]
    assert line.startswith("failed crm_validation: crm: 5 of 5 rows (100.0%) are refused")


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [("custview.yaml", "name: [", "custview.yaml:1: "), ("contracts/crm.odcs.yaml", "id: 1", "contracts/crm.odcs.yaml:1: ")],
)
def test_what_a_person_wrote_wrong_is_exit_code_2_and_one_line(tmp_path, file, text, said):
    world = make_world(tmp_path, SourceSpec("crm"))
    (world.directory / file).write_text(text)
    outcome = world.refresh()
    assert outcome.code == 2
    assert outcome.err.startswith(f"error {said}")
    assert outcome.err.count("\n") == 1
    assert outcome.out == ""


def test_keys_beside_the_lake_are_warned_of(tmp_path):
    world = make_world(tmp_path, SourceSpec("crm"))
    world.deliver("crm", people(3, of="crm"))
    outcome = world.refresh(CUSTVIEW_KEYS=str(world.lake.parent / "keys"))
    assert outcome.code == 0
    assert "warning the keys are beside the lake" in outcome.out + outcome.err
