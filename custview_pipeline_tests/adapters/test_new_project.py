"""Tests of ``custview_pipeline.adapters.new_project``."""

import pytest

from custview_pipeline.adapters.new_project import write_project
from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.kernel.errors import ProjectInvalid


def test_a_new_project_can_be_loaded_and_its_source_read(tmp_path):
    written = write_project(tmp_path / "mine")
    project = load_project(tmp_path / "mine")
    (contract,) = project.contracts

    assert all(path.is_file() for path in written)
    assert sum(batch.frame.height for batch in SourceFiles(project.directory, contract).batches()) > 0


def test_its_rulebook_states_the_defaults(tmp_path):
    write_project(tmp_path)

    rulebook = load_project(tmp_path).rulebook

    assert rulebook.matching == Rulebook().matching
    assert rulebook.survivorship.default == Rulebook().survivorship.default


def test_nobody_may_see_values_until_somebody_writes_a_name_where_the_file_says(tmp_path):
    write_project(tmp_path)
    assert load_project(tmp_path).access.users == {}

    file = tmp_path / "access.yaml"
    text = "".join(line.removeprefix("#") for line in file.read_text().splitlines(keepends=True) if not _is_prose(line))
    file.write_text(text)
    policy = load_project(tmp_path).access

    assert policy.users == {"ada": ("data_steward",), "bob": ("support",)}
    assert policy.roles["support"].level_of("birth_date") is None


def _is_prose(line):
    return line.startswith("# ") and line[2] != " "


@pytest.mark.parametrize("existing", ["custview.yaml", "rulebook.yaml", "access.yaml", "data/crm/crm.csv"])
def test_what_is_there_is_never_overwritten(tmp_path, existing):
    (tmp_path / existing).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / existing).write_text("mine")

    with pytest.raises(ProjectInvalid, match=existing):
        write_project(tmp_path)

    assert (tmp_path / existing).read_text() == "mine"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / existing]


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(ProjectInvalid, match="cannot be written"):
        write_project(tmp_path / "file")


@pytest.mark.parametrize(
    ("directory", "name"),
    [
        ("my-project", "my-project"),
        ("Kunden 2026", "Kunden-2026"),
        ("客户", "customers"),
        ("x" * 80, "x" * 64),
        ("_.", "customers"),
    ],
)
def test_a_project_is_named_after_its_directory_for_projects_of_one_name_share_their_keys(tmp_path, directory, name):
    write_project(tmp_path / directory)

    assert load_project(tmp_path / directory).name == name
