"""Tests of ``custview_pipeline.adapters.key_files``."""

import base64
import multiprocessing
import os
import stat
from pathlib import Path

import platformdirs
import pytest

from custview_pipeline.adapters.key_files import (
    EnvironmentKeyProvider,
    FileKeyProvider,
    KeyDirectory,
    is_key_beside_lake,
    key_directory,
    key_provider,
)
from custview_pipeline.kernel.errors import KeyUnavailable, ProjectInvalid
from custview_pipeline.protection.keyring import Keyring


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "keys"


@pytest.fixture
def root_file(directory):
    FileKeyProvider(directory).root_key()
    return directory / "root.key"


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def open_keyring(directory):
    return Keyring.open(FileKeyProvider(directory), KeyDirectory(directory))


def everything(keyring):
    shards = keyring.shard_keys()
    return keyring.airlock_keys(), keyring.check_value(), shards.seal_key, shards.generations


def test_the_first_use_makes_a_key_that_only_its_owner_can_read(directory):
    key = FileKeyProvider(directory).root_key()

    assert len(key) == 32
    assert FileKeyProvider(directory).root_key() == key
    assert mode(directory) == 0o700
    assert mode(directory / "root.key") == 0o600
    assert [path.name for path in directory.iterdir()] == ["root.key"]


def test_a_keyring_is_found_again(directory):
    first = open_keyring(directory)

    assert everything(open_keyring(directory)) == everything(first)
    assert mode(directory / "keyring.json") == 0o600
    assert sorted(path.name for path in directory.iterdir()) == ["keyring.json", "keyring.lock", "root.key"]


def keyring_at(directory, barrier, answers):
    barrier.wait()
    answers.put(everything(open_keyring(directory)))


def test_processes_that_come_first_at_once_end_with_one_key(directory):
    spawn = multiprocessing.get_context("spawn")
    barrier, answers = spawn.Barrier(2), spawn.Queue()
    processes = [spawn.Process(target=keyring_at, args=(directory, barrier, answers)) for _ in range(2)]
    for process in processes:
        process.start()
    found = [answers.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()

    assert found == [everything(open_keyring(directory))] * 2
    assert not list(directory.glob("*.part"))


def test_the_key_of_a_process_that_was_first_is_kept(directory, root_file, monkeypatch):
    key = root_file.read_bytes()
    exists = Path.exists
    monkeypatch.setattr(Path, "exists", lambda path: path != root_file and exists(path))

    FileKeyProvider(directory).root_key()

    assert root_file.read_bytes() == key
    assert [path.name for path in directory.iterdir()] == ["root.key"]


@pytest.mark.parametrize("others", [0o640, 0o604, 0o644, 0o620, 0o666])
@pytest.mark.parametrize("name", ["root.key", "keyring.json"])
def test_a_file_that_others_can_read_is_refused(directory, name, others):
    open_keyring(directory)
    (directory / name).chmod(others)

    with pytest.raises(KeyUnavailable, match=f"{name}: others can read it: chmod 600"):
        open_keyring(directory)


def test_a_directory_that_others_can_write_to_is_refused(directory):
    directory.mkdir()
    directory.chmod(0o770)

    with pytest.raises(KeyUnavailable, match="chmod 700"):
        FileKeyProvider(directory).root_key()


@pytest.mark.parametrize(
    "content", [b"", b"no base64!", base64.b64encode(bytes(31)), base64.b64encode(bytes(33)), bytes(32), b"\xff" * 44]
)
def test_a_file_that_holds_no_root_key_is_refused_without_being_quoted(directory, root_file, content):
    root_file.write_bytes(content)

    with pytest.raises(KeyUnavailable, match=r"root\.key: not a root key: it must hold 32 bytes as base64") as refusal:
        FileKeyProvider(directory).root_key()

    assert "\n" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_a_directory_in_place_of_the_key_is_refused(directory):
    (directory / "root.key").mkdir(parents=True)

    with pytest.raises(KeyUnavailable, match=r"root\.key: cannot be read"):
        FileKeyProvider(directory).root_key()


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_key_is_refused(directory, root_file):
    root_file.chmod(0)

    with pytest.raises(KeyUnavailable, match=r"root\.key: cannot be read"):
        FileKeyProvider(directory).root_key()


def test_a_file_in_place_of_the_directory_is_refused(directory):
    directory.write_text("")

    with pytest.raises(KeyUnavailable, match="cannot be the key directory"):
        FileKeyProvider(directory).root_key()


def test_a_lost_root_key_is_not_replaced_while_wrapped_keys_need_it(directory):
    open_keyring(directory)
    (directory / "root.key").unlink()

    with pytest.raises(KeyUnavailable, match=r"missing, and keyring\.json needs it"):
        open_keyring(directory)

    assert not (directory / "root.key").exists()


def test_a_file_system_without_links_says_what_to_do(directory, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)

    with pytest.raises(KeyUnavailable, match=r"Operation not permitted.*CUSTVIEW_KEYS"):
        FileKeyProvider(directory).root_key()

    assert not list(directory.iterdir())


@pytest.mark.parametrize("content", ["", "{", '{"format": 1}', "[]"])
def test_a_damaged_keyring_is_refused(directory, content):
    open_keyring(directory)
    (directory / "keyring.json").write_text(content)

    with pytest.raises(KeyUnavailable, match=r"keyring\.json: not a keyring") as refusal:
        open_keyring(directory)

    assert refusal.value.__cause__ is None


def test_a_change_that_fails_leaves_the_keyring_as_it_was(directory):
    open_keyring(directory)
    before = (directory / "keyring.json").read_bytes()

    with pytest.raises(ZeroDivisionError):
        KeyDirectory(directory).update(lambda _: 1 / 0)

    assert (directory / "keyring.json").read_bytes() == before


def test_the_environment_gives_the_root_key(monkeypatch):
    monkeypatch.setenv("CUSTVIEW_ROOT_KEY", base64.b64encode(bytes(range(32))).decode())

    assert EnvironmentKeyProvider().root_key() == bytes(range(32))
    assert EnvironmentKeyProvider().describe() == "environment variable CUSTVIEW_ROOT_KEY"


@pytest.mark.parametrize("value", [None, "", "c2hvcnQ=", "nö base64"])
def test_an_environment_without_a_root_key_is_refused(monkeypatch, value):
    monkeypatch.delenv("CUSTVIEW_ROOT_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("CUSTVIEW_ROOT_KEY", value)

    with pytest.raises(KeyUnavailable, match=r"^CUSTVIEW_ROOT_KEY: not .*32") as refusal:
        EnvironmentKeyProvider().root_key()

    assert not value or value not in str(refusal.value)


def test_settings_choose_the_provider(directory, monkeypatch):
    monkeypatch.delenv("CUSTVIEW_KEY_PROVIDER", raising=False)
    assert isinstance(key_provider(directory), FileKeyProvider)
    monkeypatch.setenv("CUSTVIEW_KEY_PROVIDER", "environment")
    assert isinstance(key_provider(directory), EnvironmentKeyProvider)
    monkeypatch.setenv("CUSTVIEW_KEY_PROVIDER", "cloud")
    with pytest.raises(KeyUnavailable, match="must be file or environment"):
        key_provider(directory)


def test_keys_are_in_the_users_configuration_unless_settings_say_otherwise(tmp_path, monkeypatch):
    monkeypatch.delenv("CUSTVIEW_KEYS", raising=False)
    assert key_directory("demo") == platformdirs.user_config_path("custview") / "demo"
    monkeypatch.setenv("CUSTVIEW_KEYS", str(tmp_path))
    assert key_directory("demo") == tmp_path


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "a\0b"])
def test_a_name_that_leads_elsewhere_is_refused(monkeypatch, name):
    monkeypatch.delenv("CUSTVIEW_KEYS", raising=False)

    with pytest.raises(ProjectInvalid):
        key_directory(name)


@pytest.mark.parametrize(
    ("keys", "is_beside"),
    [("project/keys", True), ("project/lake/keys", True), ("project", True), ("project-keys", False), ("keys", False)],
)
def test_keys_that_would_be_copied_with_the_lake_are_recognised(tmp_path, keys, is_beside):
    assert is_key_beside_lake(tmp_path / keys, tmp_path / "project" / "lake") is is_beside


def test_a_link_does_not_hide_that_keys_are_beside_the_lake(tmp_path):
    (tmp_path / "project" / "keys").mkdir(parents=True)
    (tmp_path / "elsewhere").symlink_to(tmp_path / "project" / "keys")

    assert is_key_beside_lake(tmp_path / "elsewhere", tmp_path / "project" / "lake")
