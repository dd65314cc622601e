"""Tests of ``custview_pipeline.kernel.settings``."""

import contextlib
import os
import re
from pathlib import Path

import pytest

import custview_pipeline
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import ProjectInvalid


@pytest.mark.parametrize(("value", "expected"), [(None, None), ("", None), ("/keys", "/keys")])
def test_a_variable_that_is_empty_is_as_good_as_unset(monkeypatch, value, expected):
    if value is None:
        monkeypatch.delenv(settings.KEYS, raising=False)
    else:
        monkeypatch.setenv(settings.KEYS, value)

    assert settings.read(settings.KEYS) == expected


@pytest.mark.parametrize(("value", "expected"), [(None, None), ("", None), ("/mine", Path("/mine"))])
def test_the_project_may_be_named_in_the_environment(monkeypatch, value, expected):
    monkeypatch.setenv(settings.PROJECT, value or "")

    assert settings.project_directory() == expected


def test_there_is_one_worker_a_core_by_default_and_at_most_eight(monkeypatch):
    monkeypatch.delenv(settings.WORKERS, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert settings.worker_count() == 8

    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert settings.worker_count() == 1


def test_the_number_of_workers_may_be_chosen(monkeypatch):
    monkeypatch.setenv(settings.WORKERS, "12")

    assert settings.worker_count() == 12


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", "²", " "])
@pytest.mark.parametrize(
    ("variable", "ask"), [(settings.WORKERS, settings.worker_count), (settings.ROWS_FOR_WORKERS, settings.rows_for_workers)]
)
def test_a_count_that_is_none_is_wrong_use(monkeypatch, variable, ask, value):
    monkeypatch.setenv(variable, value)

    with pytest.raises(ProjectInvalid, match=f"{variable} must be a whole number"):
        ask()


def test_processes_are_started_from_as_many_rows_as_is_set(monkeypatch):
    assert settings.rows_for_workers() == 100_000
    monkeypatch.setenv(settings.ROWS_FOR_WORKERS, "20000")
    assert settings.rows_for_workers() == 20_000


@pytest.mark.parametrize("before", [None, "3"])
def test_children_use_one_thread_and_afterwards_all_is_as_before(monkeypatch, before):
    variable = "POLARS_MAX_THREADS"
    monkeypatch.delenv(variable, raising=False)
    if before:
        monkeypatch.setenv(variable, before)

    with contextlib.suppress(KeyError), settings.single_threaded_children():
        assert os.environ[variable] == "1"
        raise KeyError

    assert os.environ.get(variable) == before


def test_secrets_are_kept_from_children_and_still_known_here(monkeypatch):
    monkeypatch.setenv(settings.ROOT_KEY, "secret")
    monkeypatch.delenv(settings.POSTGRES_URL, raising=False)

    with settings.secrets_withheld():
        assert settings.ROOT_KEY not in os.environ
        assert settings.read(settings.ROOT_KEY) == "secret"

    assert os.environ[settings.ROOT_KEY] == "secret"
    assert settings.read(settings.POSTGRES_URL) is None


def test_a_child_has_the_environment_and_what_is_added(monkeypatch):
    monkeypatch.setenv(settings.KEYS, "/keys")

    found = settings.child_environment({settings.WORKERS: "2"})

    assert (found[settings.KEYS], found[settings.WORKERS]) == ("/keys", "2")
    assert settings.WORKERS not in os.environ or os.environ[settings.WORKERS] != "2"


def test_every_variable_that_the_package_names_is_described():
    package = Path(custview_pipeline.__file__).parent
    named = {name for path in package.rglob("*.py") for name in re.findall(r"\bCUSTVIEW_[A-Z_]+\b", path.read_text("utf-8"))}

    assert named <= set(settings.DESCRIPTIONS)
