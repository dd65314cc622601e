"""Tests of ``custview_pipeline.adapters.key_files``."""

import base64
import multiprocessing
import os
import stat
from pathlib import Path

import platformdirs
import pytest
from filelock import FileLock

from custview_pipeline.adapters.key_files import (
    FileKeyProvider,
    KeyDirectory,
    is_key_beside_lake,
    key_directory,
    refuse_keys_in_lake,
)
from custview_pipeline.kernel.errors import KeyUnavailable, ProjectInvalid, WrongKey
from custview_pipeline.protection.keyring import Keyring


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "keys"


@pytest.fixture
def root_file(directory):
    FileKeyProvider(directory).root_keys()[0]
    return directory / "root.key"


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def open_keyring(directory):
    return Keyring.open(FileKeyProvider(directory), KeyDirectory(directory))


def everything(keyring):
    shards = keyring.shard_keys()
    return keyring.airlock_keys(), keyring.check_value(), shards.seal_key, shards.generations


def test_the_first_use_makes_a_key_that_only_its_owner_can_read(directory):
    key = FileKeyProvider(directory).root_keys()[0]

    assert len(key) == 32
    assert FileKeyProvider(directory).root_keys()[0] == key
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

    FileKeyProvider(directory).root_keys()[0]

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
        FileKeyProvider(directory).root_keys()[0]


@pytest.mark.parametrize(
    "content", [b"", b"no base64!", base64.b64encode(bytes(31)), base64.b64encode(bytes(33)), bytes(32), b"\xff" * 44]
)
def test_a_file_that_holds_no_root_key_is_refused_without_being_quoted(directory, root_file, content):
    root_file.write_bytes(content)

    with pytest.raises(KeyUnavailable, match=r"root\.key: not a root key: it must hold 32 bytes as base64") as refusal:
        FileKeyProvider(directory).root_keys()[0]

    assert "\n" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_a_directory_in_place_of_the_key_is_refused(directory):
    (directory / "root.key").mkdir(parents=True)

    with pytest.raises(KeyUnavailable, match=r"root\.key: cannot be read"):
        FileKeyProvider(directory).root_keys()[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_key_is_refused(directory, root_file):
    root_file.chmod(0)

    with pytest.raises(KeyUnavailable, match=r"root\.key: cannot be read"):
        FileKeyProvider(directory).root_keys()[0]


def test_a_file_in_place_of_the_directory_is_refused(directory):
    directory.write_text("")

    with pytest.raises(KeyUnavailable, match="cannot be the key directory"):
        FileKeyProvider(directory).root_keys()[0]


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
        FileKeyProvider(directory).root_keys()[0]

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


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("name", ["root.key", "keyring.json", "."])
def test_what_belongs_to_another_user_is_refused(directory, name):
    open_keyring(directory)
    os.chown(directory / name, 12345, -1)

    with pytest.raises(KeyUnavailable, match="belongs to another user"):
        open_keyring(directory)


def test_a_directory_below_one_that_everybody_can_write_to_is_refused(tmp_path):
    above = tmp_path / "shared"
    above.mkdir()
    above.chmod(0o777)
    with pytest.raises(KeyUnavailable, match=r"everybody can write to .*shared"):
        FileKeyProvider(above / "keys").root_keys()

    above.chmod(0o1777)  # as /tmp is: there nobody replaces what is another's
    assert FileKeyProvider(above / "keys").root_keys()


def test_where_nothing_changes_nothing_is_written(directory):
    keyring = open_keyring(directory)
    before = (directory / "keyring.json").stat()
    keyring.destroy_shards({1: 1})
    KeyDirectory(directory).update(lambda stored: stored)

    assert (directory / "keyring.json").stat().st_ino == before.st_ino


def test_the_next_root_key_is_beside_the_one_in_use_until_it_is_settled(directory):
    provider = FileKeyProvider(directory)
    (key,) = provider.root_keys()
    next_key = provider.next_root_key()

    assert next_key != key
    assert provider.next_root_key() == next_key
    assert provider.root_keys() == [key, next_key]
    assert mode(directory / "root.key.next") == 0o600
    provider.settle(next_key)
    provider.settle(next_key)
    assert provider.root_keys() == [next_key]
    assert [path.name for path in directory.iterdir()] == ["root.key"]


def test_a_next_root_key_that_is_not_in_use_goes_when_the_other_is_settled(directory):
    provider = FileKeyProvider(directory)
    (key,) = provider.root_keys()
    provider.next_root_key()
    provider.settle(key)

    assert provider.root_keys() == [key]


def test_a_root_key_is_rotated_and_the_former_one_opens_nothing_any_more(directory):
    keyring = open_keyring(directory)
    former = (directory / "root.key").read_bytes()
    keyring.rotate_root()
    rotated = open_keyring(directory)

    assert everything(rotated) == everything(keyring)
    assert (directory / "root.key").read_bytes() != former
    assert sorted(path.name for path in directory.iterdir()) == ["keyring.json", "keyring.lock", "root.key"]
    (directory / "root.key").write_bytes(former)
    with pytest.raises(WrongKey):
        open_keyring(directory)


def test_a_backed_up_root_key_never_replaces_another(directory):
    provider = FileKeyProvider(directory)
    provider.put_back(bytes(32))
    provider.put_back(bytes(32))

    assert provider.root_keys() == [bytes(32)]
    with pytest.raises(KeyUnavailable, match="another root key is there"):
        provider.put_back(bytes(range(32)))
    assert provider.root_keys() == [bytes(32)]


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


@pytest.mark.parametrize("place", ["lake", "lake/keys", "lake/deep/keys"])
def test_keys_inside_the_lake_are_refused(tmp_path, place):
    with pytest.raises(ProjectInvalid, match="inside the lake"):
        refuse_keys_in_lake(tmp_path / place, tmp_path / "lake")
    refuse_keys_in_lake(tmp_path / "lake-keys", tmp_path / "lake")


@pytest.mark.parametrize("linked", ["keys", "keys/root.key"])
def test_links_into_the_lake_are_refused(tmp_path, linked):
    (tmp_path / "lake" / "place").mkdir(parents=True)
    (tmp_path / linked).parent.mkdir(exist_ok=True)
    (tmp_path / linked).symlink_to(tmp_path / "lake" / "place")

    with pytest.raises(ProjectInvalid, match="inside the lake"):
        refuse_keys_in_lake(tmp_path / "keys", tmp_path / "lake")


def test_a_lake_that_is_a_link_is_looked_through(tmp_path):
    (tmp_path / "volume" / "keys").mkdir(parents=True)
    (tmp_path / "lake").symlink_to(tmp_path / "volume")

    with pytest.raises(ProjectInvalid, match="inside the lake"):
        refuse_keys_in_lake(tmp_path / "volume" / "keys", tmp_path / "lake")


PARTS = [".keyring.json.00ff.part", ".root.key.00ff.part", ".root.key.next.00ff.part"]


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("use", [KeyDirectory.read, lambda directory: directory.update(lambda stored: stored)])
def test_what_a_killed_process_left_behind_is_deleted_by_the_next_use(directory, name, use):
    open_keyring(directory)
    (directory / name).write_bytes(b"former")
    (directory / ".other.part").write_bytes(b"none of ours")
    use(KeyDirectory(directory))

    assert [path.name for path in directory.glob(".*.part")] == [".other.part"]


def test_what_a_process_at_work_has_not_finished_is_left_to_it(directory):
    open_keyring(directory)
    with FileLock(directory / "keyring.lock"):
        (directory / PARTS[0]).write_bytes(b"not finished")
        assert KeyDirectory(directory).read() is not None
        assert (directory / PARTS[0]).exists()


def test_where_a_file_cannot_be_put_in_place_nothing_is_left_of_it(directory, monkeypatch):
    keyring = open_keyring(directory)
    monkeypatch.setattr("pathlib.Path.replace", refuse)
    with pytest.raises(KeyUnavailable, match="cannot be written"):
        keyring.renew_shards([1])
    assert not list(directory.glob(".*.part"))


def refuse(*_):
    raise OSError(28, "No space left on device")
