"""Tests of ``custview_pipeline.adapters.current_project``."""

import pytest

from custview_pipeline.adapters.current_project import DEMO, find_project, is_missing_demo
from custview_pipeline.kernel import settings


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.delenv(settings.PROJECT, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_one_given_goes_before_all(here, monkeypatch):
    monkeypatch.setenv(settings.PROJECT, "/elsewhere")
    (here / "custview.yaml").touch()

    assert find_project(here / "given") == here / "given"


def test_then_the_one_in_the_environment(here, monkeypatch):
    monkeypatch.setenv(settings.PROJECT, "named")
    (here / "custview.yaml").touch()

    assert find_project(None) == here / "named"


def test_then_the_working_directory_where_it_is_a_project(here):
    (here / "custview.yaml").touch()

    assert find_project(None) == here


def test_else_the_demo(here):
    assert find_project(None) == here / DEMO


def test_a_home_directory_may_be_written_with_a_tilde(here, monkeypatch):
    monkeypatch.setenv("HOME", str(here))
    monkeypatch.setenv(settings.PROJECT, "~/mine")

    assert find_project(None) == here / "mine"


def test_only_the_demo_is_made_on_the_way(here):
    assert is_missing_demo(here / DEMO)
    assert not is_missing_demo(here / "other")

    (here / DEMO).mkdir(parents=True)
    (here / DEMO / "custview.yaml").touch()

    assert not is_missing_demo(here / DEMO)
