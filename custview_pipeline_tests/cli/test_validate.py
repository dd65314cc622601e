"""``custview validate``: the verdict on a file, and nothing stored."""

import json
import re

import pytest

from custview_pipeline_tests.worlds import SourceSpec, make_world, people


@pytest.fixture
def fresh(tmp_path):
    return make_world(tmp_path, SourceSpec("crm", max_refused_share=0.5))


def validate(world, *more, rows=None):
    file = world.root / "new [1].csv"
    world.deliver("crm", rows if rows is not None else people(20, of="crm"))
    world.file("crm").replace(file)
    return world.run("validate", file, "--contract", world.contract_file("crm"), *more)


def test_a_good_file_is_exit_code_0_and_every_rule_is_listed(fresh):
    outcome = validate(fresh)
    assert outcome.code == 0, outcome
    assert re.search(r"^completeness +full_name +required +error +20 +0 +0\.0% +holds", outcome.out, re.MULTILINE)
    assert "20 rows read as crm, region US: 20 accepted, 0 of them with warnings, 0 refused\n" in outcome.out
    assert outcome.out.endswith("gate open: the delivery would be taken in\n")
    assert "20 rows standardised and validated" in outcome.err


def test_without_a_file_what_the_source_holds_is_judged(fresh):
    fresh.deliver("crm", people(20, of="crm"))
    outcome = fresh.run("validate", "--contract", fresh.contract_file("crm"))
    assert outcome.code == 0, outcome
    assert "20 rows read as crm, region US: 20 accepted" in outcome.out
    assert not (fresh.directory / ".custview").exists()


def test_nothing_is_stored_and_no_key_made(fresh):
    before = sorted(path.name for path in fresh.root.rglob("*"))
    validate(fresh)
    assert not fresh.keys.exists()
    assert not (fresh.directory / ".custview").exists()
    assert sorted({path.name for path in fresh.root.rglob("*")} - {"new [1].csv", "data", "crm", "work"}) == sorted(set(before))


def test_a_broken_rule_of_severity_error_is_exit_code_1_though_the_gate_is_open(fresh):
    rows = [row | {"name": None} if place < 2 else row for place, row in enumerate(people(20, of="crm"))]
    outcome = validate(fresh, rows=rows)
    assert outcome.code == 1
    assert "refused: 2 rows by completeness__full_name__required" in outcome.out
    assert "gate open, but rules of severity error are broken" in outcome.out


def test_a_shut_gate_is_exit_code_1_and_says_why_in_one_line(fresh):
    outcome = validate(fresh, rows=[row | {"name": None} for row in people(20, of="crm")])
    assert outcome.code == 1
    assert outcome.out.splitlines()[-1].startswith("gate shut: crm: 20 of 20 rows (100.0%) are refused")


def test_json_has_counts_and_rules_and_no_value(fresh):
    rows = [row | {"mail": "nobody at home"} for row in people(20, of="crm")]
    outcome = validate(fresh, "--json", rows=rows)
    assert outcome.code == 0
    said = json.loads(outcome.out)
    assert (said["row_count"], said["accepted_count"], said["warned_count"], said["is_good"]) == (20, 20, 20, True)
    (rule,) = [rule for rule in said["rules"] if rule["name"] == "conformity__email__conforms"]
    assert (rule["failed"], rule["verdict"], rule["severity"]) == (20, "broken", "warning")
    assert "nobody" not in outcome.out + outcome.err


def test_the_region_is_that_of_the_project_around_the_contract_or_of_the_one_named(fresh, tmp_path):
    project = fresh.directory / "custview.yaml"
    project.write_text(project.read_text() + "region: GB\n")
    assert "region GB" in validate(fresh).out
    other = make_world(tmp_path / "other", SourceSpec("crm"))
    assert "region US" in validate(fresh, "--project", other.directory).out
    assert validate(fresh, "--project", tmp_path).code == 2


@pytest.mark.parametrize("what", ["file", "contract", "mistake"])
def test_wrong_use_and_a_wrong_contract_are_exit_code_2(fresh, what):
    world, contract = fresh, fresh.contract_file("crm")
    world.deliver("crm", people(3, of="crm"))
    if what == "mistake":
        contract.write_text(contract.read_text().replace("full_name", "fullname"))
    file = world.root / "absent.csv" if what == "file" else world.file("crm")
    named = world.root / "absent.yaml" if what == "contract" else contract
    outcome = world.run("validate", file, "--contract", named)
    assert outcome.code == 2
    assert "crm.odcs.yaml:" in outcome.err if what == "mistake" else "does not exist" in outcome.err


def test_a_file_that_cannot_be_read_is_exit_code_1_and_one_line(fresh):
    file = fresh.root / "bad.csv"
    file.write_text("ref,kind\n1,2\n")
    outcome = fresh.run("validate", file, "--contract", fresh.contract_file("crm"))
    assert outcome.code == 1
    assert outcome.err.startswith("error crm: bad.csv: the header lacks ")
    assert outcome.err.count("\n") == 1
