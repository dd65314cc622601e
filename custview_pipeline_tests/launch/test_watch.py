"""The watch over a project's files: what makes it load them, and what does not."""

import pytest

from custview_pipeline.launch.watch import Location, ProjectWatch, digest_of
from custview_pipeline_tests.launch.serving import listening
from custview_pipeline_tests.worlds import SourceSpec, make_world, people


class Server(Location):
    """A location that counts how often it is loaded."""

    answers = True
    loaded = 0

    def reload(self):
        """Do as the test says."""
        Server.loaded += Server.answers is True
        return Server.answers


@pytest.fixture
def world(tmp_path):
    Server.answers, Server.loaded = True, 0
    return make_world(tmp_path, SourceSpec("crm"))


@pytest.fixture
def said():
    return []


@pytest.fixture
def watch(world, said):
    return ProjectWatch(world.directory, Server("127.0.0.1", 1), said.append)


def looked(watch, *, times=3):
    for _ in range(times):
        watch.look()
    return Server.loaded


def add_source(world, name="shop"):
    text = world.contract_file("crm").read_text().replace("crm", name)
    path = world.directory / "contracts" / f"{name}.odcs.yaml"
    path.write_text(text)
    return path


CHANGES = {
    "a new contract": add_source,
    "a changed contract": lambda world: world.contract_file("crm").write_text(
        world.contract_file("crm").read_text().replace("1.0.0", "1.0.1")
    ),
    "a rulebook": lambda world: (world.directory / "rulebook.yaml").write_text("{}\n"),
    "an access policy": lambda world: (world.directory / "access.yaml").write_text("roles: {}\nusers: {}\n"),
    "the project": lambda world: (world.directory / "custview.yaml").write_text("name: small-world\nregion: GB\n"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_loaded_once(world, watch, said, change):
    assert looked(watch) == 0
    CHANGES[change](world)
    assert looked(watch) == 1
    assert said == ["the project's files changed: loaded"]


def test_a_file_that_is_still_being_written_is_waited_for(world, watch):
    path = add_source(world)
    text = path.read_text()
    for end in (40, 80, len(text)):
        path.write_text(text[:end])
        watch.look()
    assert Server.loaded == 0
    assert looked(watch) == 1


@pytest.mark.parametrize(
    "harmless",
    [
        lambda world: world.contract_file("crm").touch(),
        lambda world: world.deliver("crm", people(3, of="crm")),
        lambda world: (world.directory / "contracts" / "notes.txt").write_text("call the owner"),
        lambda world: (world.directory / "contracts" / ".shop.odcs.yaml.swp").write_text("half"),
    ],
    ids=["touched", "a delivery", "no contract", "an editor's file"],
)
def test_what_says_nothing_new_of_the_project_loads_nothing(world, watch, harmless):
    harmless(world)
    assert looked(watch) == 0


def test_an_invalid_contract_is_told_once_by_file_and_line_and_nothing_is_loaded(world, watch, said):
    path = add_source(world)
    good = path.read_text()
    path.write_text(good.replace("source_key", "sauce_key"))
    assert looked(watch) == 0
    (line,) = said
    assert line.startswith("not loaded, what was good before is served on: contracts/shop.odcs.yaml:")
    path.write_text(good)
    assert looked(watch) == 1


def test_an_invalid_contract_that_is_taken_back_changes_nothing_that_is_served(world, watch, said):
    path = add_source(world)
    path.write_text("kind: [")
    looked(watch)
    path.unlink()
    looked(watch)
    assert len(said) == 2


def test_a_server_that_does_not_answer_yet_is_asked_again(world, watch, said):
    Server.answers = None
    add_source(world)
    assert looked(watch) == 0
    assert said == []
    Server.answers = True
    assert looked(watch) == 1


def test_a_location_that_cannot_be_loaded_is_told_of_once(world, watch, said):
    Server.answers = False
    add_source(world)
    looked(watch)
    assert said == ["the project's files changed and could not be loaded"]


def test_contracts_are_looked_for_where_the_project_says(world):
    (world.directory / "custview.yaml").write_text("name: small-world\ncontracts: agreements/\n")
    before = digest_of(world.directory)
    (world.directory / "agreements").mkdir()
    add_source(world).rename(world.directory / "agreements" / "shop.odcs.yaml")
    assert digest_of(world.directory) != before


def test_nobody_at_the_port_and_somebody_else_at_the_port_are_no_location():
    assert Location("127.0.0.1", 1).reload() is None
    with listening() as hook:
        port = int(hook.url.split(":")[2].split("/")[0])
        assert Location("0.0.0.0", port).reload() is None  # noqa: S104 -- where it listens, and not where it is asked
    assert "reloadRepositoryLocation" in hook.heard[0]["query"]
