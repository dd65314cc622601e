"""``custview model``: models listed, shown, learned, compared, taken to another lake."""

import json
import re
import shutil

import pytest

from custview_pipeline_tests.worlds import SourceSpec, World, make_world, people

VERSION = re.compile(r"^([0-9a-f]{12})  (person|enterprise) +(in use, imported|in use|imported|kept|)", re.MULTILINE)


@pytest.fixture
def lake(world, tmp_path):
    """Return a copy of the world that ran once, to go on with."""
    shutil.copytree(world.root, tmp_path / "world")
    return World(tmp_path / "world", world.sources)


def model(world, *arguments):
    return world.run("model", *arguments, "--project", world.directory)


def states(world):
    """Return the state of each person model by version, as the list shows it."""
    found = VERSION.findall(model(world, "list").out)
    return {version: state for version, entity_type, state in found if entity_type == "person"}


def test_the_list_tells_which_model_is_in_use_and_what_it_was_learned_from(world):
    outcome = model(world, "list")
    assert outcome.code == 0, outcome
    assert list(states(world).values()) == ["in use"]
    assert re.search(
        r"^[0-9a-f]{12}  person +in use +\d{4}-\d\d-\d\d \d\d:\d\d +\S+ +\d{4}-.* +50 +0$", outcome.out, re.MULTILINE
    )
    (row,) = [each for each in json.loads(model(world, "list", "--json").out) if each["entity_type"] == "person"]
    assert (row["is_in_use"], row["is_imported"], row["record_count"], row["calibration"]) == (True, False, 50, 0.0)


def test_a_model_is_shown_level_by_level_in_bits(world):
    outcome = model(world, "show")
    assert outcome.code == 0, outcome
    lines = outcome.out.splitlines()
    assert re.fullmatch(r"person [0-9a-f]{12}", lines[0])
    assert "from 50 records and 0 answers of stewards; refined no other model" in lines[1]
    assert "MATCH above 0.5 bits, POSSIBLE_MATCH from -1; calibration +0.00 bits" in lines[3]
    same = re.search(
        r"^given_name +same given name +([\d.e-]+) +([\d.e-]+) +([\d.e-]+) +([+-][\d.]+) +([+-][\d.]+)$", outcome.out, re.M
    )
    assert same
    assert float(same[4]) > 0


def test_a_model_is_shown_as_json(world):
    (version,) = states(world)
    shown = json.loads(model(world, "show", version[:6], "--json").out)
    assert (shown["version"], sum(shown["shares"])) == (version, pytest.approx(1.0))
    assert {"comparison", "level", "meaning", "match_probability", "stranger_bits", "household_bits"} <= set(shown["levels"][0])


def test_a_version_that_is_none_is_exit_code_1(world):
    outcome = model(world, "show", "000000000000")
    assert (outcome.code, outcome.err) == (1, "error no model has this version: custview model list names them\n")


def test_training_tells_what_it_changes_and_stores_nothing_where_that_is_asked(lake):
    before = states(lake)
    outcome = model(lake, "train", "--dry-run")
    assert outcome.code == 0, outcome
    assert re.search(r"^person [0-9a-f]{12}: learned from 50 records and 0 answers of stewards$", outcome.out, re.MULTILINE)
    assert "the same as the model in use" in outcome.out
    assert outcome.err.endswith("nothing was stored\n")
    assert states(lake) == before


def test_a_model_is_learned_from_what_came_since_kept_and_put_to_use(lake):
    (first,) = states(lake)
    lake.deliver("crm", people(45, of="crm"))
    assert lake.refresh().code == 0
    assert states(lake) == {first: "in use"}, "a few records more are no reason to learn anew"
    kept = model(lake, "train", "--keep")
    assert kept.code == 0, kept
    assert "levels that moved by more than 0.5 bits" in kept.out or "no level moved by more than 0.5 bits" in kept.out
    (second,) = set(states(lake)) - {first}
    assert states(lake) == {first: "in use", second: "kept"}
    compared = model(lake, "compare", first, second)
    assert (compared.code, f"person: {first} and {second}" in compared.out) == (0, True), compared
    assert re.search(r"^of \d+ stored pairs that a model decided \d+ would be decided otherwise$", compared.out, re.MULTILINE)
    assert model(lake, "use", second).code == 0
    assert states(lake) == {first: "", second: "in use"}
    assert lake.refresh().code == 0
    assert states(lake)[second] == "in use", "a run keeps to the model in use"


@pytest.mark.slow
@pytest.mark.thorough
def test_a_model_goes_to_another_lake_by_a_file_and_scores_there_with_the_same_version(lake, tmp_path):
    (version,) = states(lake)
    file = tmp_path / "models.json"
    exported = model(lake, "export", file)
    assert (exported.code, f"person {version}" in exported.err) == (0, True), exported
    other = make_world(tmp_path / "other", SourceSpec("crm"))
    other.deliver("crm", people(12, of="crm"))
    assert other.refresh().code == 0
    imported = model(other, "import", file)
    assert (imported.code, f"person {version}" in imported.out) == (0, True), imported
    assert states(other)[version] == "in use, imported"
    other.deliver("crm", people(40, of="crm"))
    assert other.refresh().code == 0
    assert states(other)[version] == "in use, imported", "it is not learned anew though the records have trebled"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "models.json:1: not valid YAML"),
        (b'{"models": []}', "models.json:1: it holds no model"),
        (b'{"format": 1, "models": [{"entity_type": "person", "colour": 1}]}', "unknown key 'models.0.colour'"),
        (b"\xff\xfe", "models.json: is no text in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_imported_is_exit_code_2_and_names_the_place(world, tmp_path, content, said):
    file = tmp_path / "models.json"
    file.write_bytes(content)
    outcome = model(world, "import", file)
    assert (outcome.code, said in outcome.err) == (2, True), outcome


def test_a_file_is_not_written_over_a_folder(world, tmp_path):
    outcome = model(world, "export", tmp_path)
    assert (outcome.code, outcome.err.endswith("cannot be written: it is no regular file\n")) == (2, True)


def test_a_project_that_never_ran_has_no_models_to_show(tmp_path):
    world = make_world(tmp_path, SourceSpec("crm"))
    outcome = model(world, "list")
    assert (outcome.code, "nothing is stored yet" in outcome.err) == (1, True)
