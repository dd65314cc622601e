"""``custview deliveries``: held deliveries, the decision, and what became of the last ones."""

import json
import re

import pytest

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.adapters.project_keys import open_keyring
from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.flows.deliver import Intake, deliver
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline_tests.worlds import SourceSpec, make_world, people

FEW = {"ref": {"attribute": "source_key", "required": True, "primaryKey": True}, "name": {"attribute": "full_name"}}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Return a world of which one delivery is held; not to be changed."""
    return held_world(tmp_path_factory.mktemp("deliveries") / "world")


def held_world(root):
    world = make_world(root, SourceSpec("crm", columns=FEW))
    assert take_in(world, 30).new_count == 30
    assert take_in(world, 15).held
    return world


def put(world, count):
    world.deliver("crm", [{name: person[name] for name in FEW} for person in people(count, of="crm")])


def take_in(world, count):
    """Take in a source of that many rows, as the main job does."""
    put(world, count)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CUSTVIEW_KEYS", str(world.keys))
        project = load_project(world.directory)
        keyring = open_keyring(project.name, project.lake)
        (contract,) = project.contracts
        source = SourceFiles(world.directory, contract)
        with DeltaLake(project.lake, keyring).writer() as lake:
            return deliver(Intake(contract, source, project.region, keyring.airlock_keys(), 1, "run", Unwatched()), lake)


def deliveries(world, *arguments):
    return world.run("deliveries", *arguments, "--project", world.directory)


def listed(world):
    return json.loads(deliveries(world, "list", "--json").out)


def test_the_list_names_what_is_held_and_what_became_of_the_last_ones(world):
    outcome = deliveries(world, "list")
    assert outcome.code == 0
    assert re.search(r"^[0-9a-f]{16} +crm +0 min +15 +30 +15 +waits for a decision", outcome.out, re.MULTILINE)
    assert re.search(r"^[0-9a-f]{16} +crm +0 min +30 +30( +0){7}", outcome.out, re.MULTILINE)
    assert "custview deliveries approve ID" in outcome.out


def test_the_list_is_json_for_scripts(world):
    found = listed(world)
    assert [row["status"] for row in found["held"]] == ["held"]
    assert [(row["row_count"], row["late_count"]) for row in found["deliveries"]] == [(30, 0)]
    assert found["held"][0]["held_at"].endswith("+00:00")
    assert json.loads(deliveries(world, "list", "--json", "--source", "nowhere").out) == {"held": [], "deliveries": []}
    assert deliveries(world, "list", "--source", "nowhere").out == "no deliveries to show\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["approve", "0" * 16, "--reason", "x"], 1, "no delivery with this id was held"),
        (["reject", "Penelope", "--reason", "x"], 1, "no delivery with this id was held"),
        (["approve", "0" * 16], 2, "--reason"),
        (["approve", "0" * 16, "--reason", " "], 2, "--reason must be a text"),
        (["approve", "0" * 16, "--reason", "x\ny"], 2, "--reason must be a text"),
        (["approve", "0" * 16, "--reason", "x" * 501], 2, "--reason must be a text"),
        (["approve", "0" * 16, "--reason", "x", "--by", ""], 2, "--by must be a text"),
        (["list", "--limit", "-1"], 2, "--limit"),
    ],
)
def test_what_cannot_be_done_is_one_line(world, arguments, code, said):
    outcome = deliveries(world, *arguments)
    assert outcome.code == code
    assert said in outcome.err
    assert "Penelope" not in outcome.err


def test_a_delivery_is_rejected_then_approved_and_taken_in(tmp_path):
    world = held_world(tmp_path)
    held_id = listed(world)["held"][0]["held_id"]
    rejected = deliveries(world, "reject", held_id, "--by", "ada", "--reason", "the export [bold]broke[/] off")
    assert (rejected.code, rejected.out.splitlines()[0]) == (0, f"crm: delivery {held_id} rejected by ada")
    assert "rejected by ada: the export [bold]broke[/] off" in deliveries(world, "list").out
    assert take_in(world, 15).is_unchanged

    approved = deliveries(world, "approve", held_id.upper(), "--reason", "the branch was sold")
    assert approved.code == 0
    assert "deletes 15 records" in approved.out
    assert listed(world)["held"][0]["decided_by"]
    assert take_in(world, 15).deleted_count == 15
    assert [row["deleted_count"] for row in listed(world)["deliveries"]] == [15, 0]


@pytest.mark.slow
def test_a_run_says_what_was_held_and_what_to_do(tmp_path):
    world = make_world(tmp_path, SourceSpec("crm", columns=FEW))
    put(world, 30)
    assert world.refresh().code == 0
    put(world, 15)
    held = world.refresh()
    assert held.code == 1
    assert re.search(r"^crm +15 +held$", held.out, re.MULTILINE)
    assert "15 of 30 known records (50.0%) would be deleted" in held.err
    (command,) = re.findall(r"custview deliveries approve \(or reject\) ([0-9a-f]{16})", held.err)
    assert deliveries(world, "approve", command, "--reason", "the branch was sold").code == 0
    assert world.refresh().code == 0
    assert world.export("crosswalk").count(b"crm-0000") == 10


def test_nothing_is_made_where_nothing_is_stored(tmp_path):
    world = make_world(tmp_path, SourceSpec("crm"))
    outcome = deliveries(world, "list")
    assert outcome.code == 1
    assert "nothing is stored yet" in outcome.err
