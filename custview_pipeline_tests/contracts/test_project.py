"""custview.yaml as people write it."""

from pathlib import Path

import pytest

from custview_pipeline.contracts.project import Project, parse_project
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline_tests.contracts.written_contracts import contract


def test_a_name_is_enough():
    project = parse_project("name: example\n", file="custview.yaml")
    assert (project.contracts, project.rulebook, project.lake, project.region) == (
        "contracts/",
        "rulebook.yaml",
        ".custview/lake",
        "US",
    )


def test_norway_is_a_country_and_not_false():
    assert parse_project("name: a\nregion: NO\n", file="x").region == "NO"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "custview.yaml:1: the key 'name' is missing"),
        ("name: a\nlakes: b\n", "custview.yaml:2: unknown key 'lakes'; did you mean 'lake'?"),
        ("name: a\nzzz: b\n", "custview.yaml:2: unknown key 'zzz'; known are name, contracts, rulebook, access, lake, region"),
        ("name: a/b\n", "custview.yaml:1: 'name'"),
        ("name: 12\n", "custview.yaml:1: 'name': should be a valid string"),
        (
            "name: a\nregion: UK\n",
            "custview.yaml:2: 'region': should be a country of ISO 3166 in two capitals, such as US or GB; the United",
        ),
        ("name: a\nregion: us\n", "custview.yaml:2: 'region'"),
        ("name: a\nname: b\n", "custview.yaml:2: the key 'name' is written twice"),
        ("name: a\nlake: ''\n", "custview.yaml:2: 'lake'"),
    ],
)
def test_what_cannot_be_used_names_file_and_line(text, message):
    with pytest.raises(ProjectInvalid) as raised:
        parse_project(text, file="custview.yaml")
    assert message in str(raised.value)


def test_a_project_finds_its_contracts():
    shop = contract()
    project = Project("a", Path("p"), (shop,), Path("p/contracts"), Rulebook(), Path("p/lake"), "US")
    assert project.contract_of("shop") is shop
    with pytest.raises(KeyError):
        project.contract_of("other")
