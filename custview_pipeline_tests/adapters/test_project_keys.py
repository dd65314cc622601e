"""Tests of ``custview_pipeline.adapters.project_keys``."""

import json
import shutil
from pathlib import Path

import pytest

from custview_pipeline.adapters.project_keys import open_keyring
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import KeyUnavailable, ProjectInvalid, WrongKey

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


@pytest.mark.parametrize("place", ["lake", "lake/keys"])
def test_keys_inside_the_lake_are_refused_and_none_are_made_there(tmp_path, monkeypatch, place):
    monkeypatch.setenv(settings.KEYS, str(tmp_path / place))

    with pytest.raises(ProjectInvalid, match=r"inside the lake .* name another place in CUSTVIEW_KEYS"):
        open_keyring("mine", tmp_path / "lake")
    assert not (tmp_path / "lake").exists()


def test_a_root_key_that_a_link_takes_out_of_the_lake_is_refused(tmp_path, keys):
    open_keyring("mine", tmp_path / "lake")
    (tmp_path / "lake").mkdir()
    (keys / "root.key").rename(tmp_path / "lake" / "root.key")
    (keys / "root.key").symlink_to(tmp_path / "lake" / "root.key")

    with pytest.raises(ProjectInvalid, match="inside the lake"):
        open_keyring("mine", tmp_path / "lake")


def test_a_rotation_that_was_killed_is_settled_where_a_project_opens_its_keys(keys):
    first = open_keyring("mine", LAKE)
    (keys / "root.key.next").write_bytes((keys / "root.key").read_bytes())
    (keys / "root.key.next").chmod(0o600)

    assert open_keyring("mine", LAKE).check_value() == first.check_value()
    assert not (keys / "root.key.next").exists()


def _lake(path: Path, key_check: str | None = None) -> Path:
    """Return a lake that was made with the keys of now, or with others."""
    made_with = key_check or open_keyring("mine", path).check_value()
    path.mkdir()
    (path / "manifest.json").write_text(json.dumps({"key_check": made_with}))
    return path


def test_keys_serve_one_lake(tmp_path):
    open_keyring("mine", tmp_path / "one")
    one = _lake(tmp_path / "one")

    with pytest.raises(WrongKey, match=f"those of the lake {one}, and keys serve one lake"):
        open_keyring("mine", tmp_path / "another")
    open_keyring("mine", one)


def test_keys_go_with_a_lake_that_was_moved(tmp_path):
    open_keyring("mine", tmp_path / "one")
    _lake(tmp_path / "one").rename(tmp_path / "moved")
    open_keyring("mine", tmp_path / "moved")
    shutil.copytree(tmp_path / "moved", tmp_path / "one")

    with pytest.raises(WrongKey, match="moved"):
        open_keyring("mine", tmp_path / "one")


def test_a_copy_of_keys_and_lake_is_a_pair_of_its_own(tmp_path, keys, monkeypatch):
    open_keyring("mine", tmp_path / "one")
    shutil.copytree(_lake(tmp_path / "one"), tmp_path / "copy")
    shutil.copytree(keys, tmp_path / "copied_keys")
    monkeypatch.setenv(settings.KEYS, str(tmp_path / "copied_keys"))

    open_keyring("mine", tmp_path / "copy")
    with pytest.raises(WrongKey, match="copy"):
        open_keyring("mine", tmp_path / "one")


def test_a_lake_that_was_made_with_other_keys_is_not_noted(tmp_path, keys):
    open_keyring("mine", tmp_path / "one")
    (keys / "lake.json").unlink()
    open_keyring("mine", _lake(tmp_path / "another", "0123456789abcdef"))

    assert not (keys / "lake.json").exists()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"lake": "x"}', "\ufffd"])
def test_a_note_that_says_nothing_is_written_anew(tmp_path, keys, content):
    open_keyring("mine", tmp_path / "one")
    (keys / "lake.json").write_text(content, encoding="utf-8")
    open_keyring("mine", tmp_path / "one")

    assert str(tmp_path / "one") in (keys / "lake.json").read_text(encoding="utf-8")
    assert (keys / "lake.json").stat().st_mode & 0o077 == 0
