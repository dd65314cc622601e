"""Tests of ``custview_pipeline.adapters.project_keys``."""

from pathlib import Path

import pytest

from custview_pipeline.adapters.project_keys import open_keyring
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import KeyUnavailable

LAKE = Path("nowhere")  # no lake yet: then keys may be made


@pytest.fixture(autouse=True)
def keys(tmp_path, monkeypatch):
    for variable in (settings.KEY_PROVIDER, settings.ROOT_KEY):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv(settings.KEYS, str(tmp_path / "keys"))
    return tmp_path / "keys"


def test_keys_are_made_at_the_first_use_and_found_at_the_next(keys):
    first = open_keyring("mine", LAKE)

    assert first.check_value() == open_keyring("mine", LAKE).check_value()
    assert (keys / "root.key").stat().st_mode & 0o077 == 0


def test_other_keys_are_told_apart(tmp_path, monkeypatch):
    first = open_keyring("mine", LAKE).check_value()
    monkeypatch.setenv(settings.KEYS, str(tmp_path / "others"))

    assert open_keyring("mine", LAKE).check_value() != first


def test_a_root_key_that_others_can_read_is_refused(keys):
    open_keyring("mine", LAKE)
    (keys / "root.key").chmod(0o644)

    with pytest.raises(KeyUnavailable):
        open_keyring("mine", LAKE)


def test_where_there_is_a_lake_no_keys_are_made_anew(tmp_path, keys):
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "manifest.json").write_text("{}")

    with pytest.raises(KeyUnavailable, match="none were made anew"):
        open_keyring("mine", tmp_path / "lake")

    assert not keys.exists()
