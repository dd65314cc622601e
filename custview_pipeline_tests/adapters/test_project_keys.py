"""Tests of ``custview_pipeline.adapters.project_keys``."""

import pytest

from custview_pipeline.adapters.project_keys import open_keyring
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import KeyUnavailable


@pytest.fixture(autouse=True)
def keys(tmp_path, monkeypatch):
    for variable in (settings.KEY_PROVIDER, settings.ROOT_KEY):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv(settings.KEYS, str(tmp_path / "keys"))
    return tmp_path / "keys"


def test_keys_are_made_at_the_first_use_and_found_at_the_next(keys):
    first = open_keyring("mine")

    assert first.check_value() == open_keyring("mine").check_value()
    assert (keys / "root.key").stat().st_mode & 0o077 == 0


def test_other_keys_are_told_apart(tmp_path, monkeypatch):
    first = open_keyring("mine").check_value()
    monkeypatch.setenv(settings.KEYS, str(tmp_path / "others"))

    assert open_keyring("mine").check_value() != first


def test_a_root_key_that_others_can_read_is_refused(keys):
    open_keyring("mine")
    (keys / "root.key").chmod(0o644)

    with pytest.raises(KeyUnavailable):
        open_keyring("mine")
