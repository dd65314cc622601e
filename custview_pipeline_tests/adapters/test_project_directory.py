"""Projects on disk."""

from pathlib import Path

import pytest

from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline_tests.contracts.written_contracts import TEXT, changed

SHARED = Path(__file__).parents[3] / "shared"


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "contracts").mkdir()
    (tmp_path / "custview.yaml").write_text("name: example\nregion: GB\n")
    (tmp_path / "contracts/shop.odcs.yaml").write_text(TEXT)
    (tmp_path / "contracts/notes.txt").write_text("no contract")
    return tmp_path


def test_a_project_is_read_whole(directory):
    (directory / "contracts/a.odcs.yaml").write_text(changed(("id: shop", "id: zoo")))
    (directory / "rulebook.yaml").write_text("matching: {match_weight: 2.5}\n")
    project = load_project(directory)
    assert (project.name, project.region) == ("example", "GB")
    assert [contract.source_system for contract in project.contracts] == ["shop", "zoo"]
    assert project.contract_of("zoo").file == "contracts/a.odcs.yaml"
    assert project.rulebook.matching.match_weight == 2.5
    assert project.lake == directory.resolve() / ".custview/lake"
    assert project.contracts_directory == directory / "contracts"


def test_a_rulebook_may_be_absent(directory):
    assert load_project(directory).rulebook == Rulebook()


def _spoil(directory: Path, name: str, text: str | bytes | None) -> None:
    if text is None:
        (directory / name).unlink()
    else:
        (directory / name).write_bytes(text if isinstance(text, bytes) else text.encode())


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("custview.yaml", None, "no custview.yaml here; `custview init"),
        ("custview.yaml", "name: [", "custview.yaml:1: not valid YAML"),
        ("custview.yaml", b"name: a\nlake: \xff\n", "custview.yaml:2: is not UTF-8"),
        ("custview.yaml", "name: a\ncontracts: nowhere\n", "custview.yaml: the folder of the contracts does not exist"),
        ("contracts/shop.odcs.yaml", None, "contracts: no contract (*.odcs.yaml) here"),
        ("contracts/shop.odcs.yaml", "kind: DataContract\n", "contracts/shop.odcs.yaml:1: apiVersion should be"),
        ("contracts/zoo.odcs.yaml", TEXT, "contracts/zoo.odcs.yaml: id 'shop' is that of contracts/shop.odcs.yaml too"),
        ("rulebook.yaml", "matching: {x: 1}\n", "rulebook.yaml:1: unknown key 'matching.x'"),
        (
            "rulebook.yaml",
            "trust: {shoop: {default: 1}}\n",
            "rulebook.yaml:1: trust in 'shoop', which no contract describes; did you mean",
        ),
    ],
)
def test_what_is_missing_or_wrong_is_said_with_what_to_do(directory, name, text, message):
    _spoil(directory, name, text)
    with pytest.raises(ProjectInvalid) as raised:
        load_project(directory)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_directory_that_is_not_there_is_said_to_be_missing(tmp_path):
    with pytest.raises(ProjectInvalid, match="there is no such directory"):
        load_project(tmp_path / "absent")


def test_a_rulebook_that_is_a_folder_cannot_be_read(directory):
    (directory / "rulebook.yaml").mkdir()
    with pytest.raises(ProjectInvalid, match=r"rulebook\.yaml: cannot be read"):
        load_project(directory)


@pytest.mark.parametrize("name", ["historical", "febrl4", "dedupe_csv"])
def test_the_evaluation_projects_can_be_read(name):
    if not (SHARED / "data" / name).is_dir():
        pytest.skip("the shared folder is not here")
    assert load_project(SHARED / "data" / name).contracts
