"""Tests of ``custview_pipeline.adapters.key_backup_files``: keys are backed up, lost, and restored."""

import base64
import shutil
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from filelock import FileLock, Timeout

from custview_pipeline.adapters import key_backup_files, private_files
from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.erasure_ledger import ErasureLedger
from custview_pipeline.adapters.key_backup_files import keyring_digest, make_backup, read_backup, restore_backup
from custview_pipeline.adapters.key_backups import KeyBackups
from custview_pipeline.adapters.key_files import FileKeyProvider, KeyDirectory
from custview_pipeline.adapters.key_providers import EnvironmentKeyProvider
from custview_pipeline.adapters.private_files import sync_directory
from custview_pipeline.contracts.erasure import Erasure
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import BackupUnusable, KeyUnavailable, ProjectInvalid
from custview_pipeline.protection.key_backup import open_backup, read_label
from custview_pipeline.protection.keyring import Keyring

PASSPHRASE = "seven pale owls count rain"
MATERIAL = bytes(range(12))


def keys_in(directory):
    return Keyring.open(FileKeyProvider(directory), KeyDirectory(directory))


def erasure(number):
    return Erasure(
        erasure_id=f"{number:016x}", requested_at=datetime(2026, 3, number, tzinfo=UTC), who="ada", reason="asked for it",
        record_marks=(number,),
    )  # fmt: skip


@pytest.fixture
def directory(tmp_path):
    keys_in(tmp_path / "keys")
    return tmp_path / "keys"


@pytest.fixture
def lake(tmp_path, directory):
    """Return the folder of a lake that holds key material of record 7."""
    entries = pl.DataFrame([(7, 1, MATERIAL)], {"record_id": pl.Int64, "version": pl.Int32, "material": pl.Binary}, orient="row")
    with DeltaLake(tmp_path / "lake", keys_in(directory)).writer() as writer, writer.commit("run") as commit:
        commit.add_keys(entries)
    return tmp_path / "lake"


def backup(directory, path, provider=None, lake="no lake"):
    return make_backup(directory, provider or FileKeyProvider(directory), path, PASSPHRASE, lake=path.parent / lake)


def restore(directory, path, provider=None):
    return restore_backup(directory, provider or FileKeyProvider(directory), read_backup(path), PASSPHRASE)


def opens(lake, directory):
    """Tell whether the key material of record 7 is opened by the keys in a directory."""
    snapshot = DeltaLake(lake, keys_in(directory)).snapshot()
    return snapshot.materials(pl.Series([7]), pl.Series([1])).to_list() == [MATERIAL]


def test_a_lake_and_its_keys_are_copied_lost_and_restored(tmp_path, directory, lake):
    note = backup(directory, tmp_path / "safe.cvkb")
    shutil.copytree(lake, tmp_path / "copy")
    shutil.rmtree(lake)
    shutil.rmtree(directory)
    restored = restore(directory, tmp_path / "safe.cvkb")

    assert restored.is_keyring
    assert opens(tmp_path / "copy", directory)
    assert KeyBackups(directory).notes() == (note,)
    assert {path.name for path in directory.iterdir()} >= {"root.key", "keyring.json", "backups.json"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in (directory, *directory.iterdir()))


def test_a_backup_says_what_it_is_and_only_its_owner_can_read_it(tmp_path, directory):
    note = backup(directory, tmp_path / "safe.cvkb")

    assert read_label(read_backup(tmp_path / "safe.cvkb")) == (note.number, note.created_at, note.expires_at)
    assert (tmp_path / "safe.cvkb").stat().st_mode & 0o777 == 0o600
    assert note.keyring_digest == keyring_digest(KeyDirectory(directory).read())
    keys_in(directory).renew_shards([1])
    assert note.keyring_digest != keyring_digest(KeyDirectory(directory).read())


def test_restoring_forgets_neither_erasures_nor_backups(tmp_path, directory):
    ErasureLedger(directory).append(erasure(1))
    first = backup(directory, tmp_path / "first.cvkb")
    ErasureLedger(directory).append(erasure(2))
    second = backup(directory, tmp_path / "second.cvkb")
    destroyed = KeyBackups(directory).record_destroyed(first)
    (directory / "root.key").unlink()
    restored = restore(directory, tmp_path / "first.cvkb")

    assert not restored.is_keyring
    assert restored.ledger_lines == 0
    assert ErasureLedger(directory).entries() == (erasure(1), erasure(2))
    assert KeyBackups(directory).notes() == (destroyed, second)


def test_a_restored_ledger_brings_the_erasures_of_its_time(tmp_path, directory):
    ErasureLedger(directory).append(erasure(1), erasure(2))
    backup(directory, tmp_path / "safe.cvkb")
    shutil.rmtree(directory)
    ErasureLedger(directory).append(erasure(2), erasure(3))

    assert restore(directory, tmp_path / "safe.cvkb") == (True, 1)
    assert ErasureLedger(directory).entries() == (erasure(2), erasure(3), erasure(1))


def test_keys_that_are_there_are_kept_also_where_they_are_newer(tmp_path, directory):
    backup(directory, tmp_path / "safe.cvkb")
    keyring = keys_in(directory)
    keyring.renew_shards([5])
    keyring.destroy_shards({5: 2})
    (directory / "root.key").unlink()

    assert not restore(directory, tmp_path / "safe.cvkb").is_keyring
    assert keys_in(directory).shard_keys() == keyring.shard_keys()


def test_going_back_to_the_keys_of_a_backup_means_moving_those_of_now_elsewhere(tmp_path, directory):
    before = keys_in(directory).shard_keys()
    backup(directory, tmp_path / "safe.cvkb")
    keys_in(directory).renew_shards([5])
    (directory / "keyring.json").rename(tmp_path / "elsewhere.json")

    assert restore(directory, tmp_path / "safe.cvkb").is_keyring
    assert keys_in(directory).shard_keys() == before


def rotate_root(directory):
    keys_in(directory).rotate_root()


def replace_by_others(directory):
    shutil.rmtree(directory)
    keys_in(directory)


def replace_keyring_under_same_root(directory):
    (directory / "keyring.json").unlink()
    keys_in(directory)


@pytest.mark.parametrize("change", [rotate_root, replace_by_others, replace_keyring_under_same_root])
def test_other_keys_are_not_touched(tmp_path, directory, change):
    ErasureLedger(directory).append(erasure(1))
    backup(directory, tmp_path / "safe.cvkb")
    change(directory)
    before = {path.name: path.read_bytes() for path in directory.iterdir()}

    with pytest.raises(BackupUnusable, match="holds other keys"):
        restore(directory, tmp_path / "safe.cvkb")
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before


def test_a_root_key_of_others_without_a_keyring_is_not_replaced(tmp_path, directory):
    backup(directory, tmp_path / "safe.cvkb")
    FileKeyProvider(tmp_path / "other").root_keys()

    with pytest.raises(KeyUnavailable, match="another root key is there"):
        restore(tmp_path / "other", tmp_path / "safe.cvkb")
    assert not (tmp_path / "other" / "keyring.json").exists()


def test_a_wrong_passphrase_and_an_altered_file_are_one_error_and_change_nothing(tmp_path, directory):
    backup(directory, tmp_path / "safe.cvkb")
    blob = read_backup(tmp_path / "safe.cvkb")
    for altered, passphrase in ((blob, "seven pale owls count snow"), (blob[:-1] + bytes([blob[-1] ^ 1]), PASSPHRASE)):
        with pytest.raises(BackupUnusable, match="wrong passphrase, or no key backup, or an altered one"):
            restore_backup(tmp_path / "new", FileKeyProvider(tmp_path / "new"), altered, passphrase)
    assert not (tmp_path / "new").exists()


def test_a_weak_passphrase_writes_nothing_and_is_not_in_the_register(tmp_path, directory):
    with pytest.raises(ProjectInvalid, match="too weak"):
        make_backup(directory, FileKeyProvider(directory), tmp_path / "safe.cvkb", "owls", lake=tmp_path / "lake")
    assert not (tmp_path / "safe.cvkb").exists()
    assert KeyBackups(directory).notes() == ()


@pytest.mark.parametrize("place", ["lake/safe.cvkb", "lake/tables/safe.cvkb", "link/safe.cvkb"])
def test_a_backup_inside_the_lake_is_refused(tmp_path, directory, place):
    (tmp_path / "lake" / "tables").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "lake" / "tables")
    with pytest.raises(ProjectInvalid, match="inside the lake"):
        make_backup(directory, FileKeyProvider(directory), tmp_path / place, PASSPHRASE, lake=tmp_path / "lake")
    assert KeyBackups(directory).notes() == ()


def test_a_backup_is_never_written_over_another_file(tmp_path, directory):
    (tmp_path / "safe.cvkb").write_text("mine")

    with pytest.raises(ProjectInvalid, match="is there already"):
        backup(directory, tmp_path / "safe.cvkb")
    assert (tmp_path / "safe.cvkb").read_text() == "mine"


def test_a_backup_that_cannot_be_written_is_no_backup(tmp_path, directory):
    with pytest.raises(BackupUnusable, match="cannot be written"):
        backup(directory, tmp_path / "no such folder" / "safe.cvkb")
    assert KeyBackups(directory).notes() == ()


def test_there_is_nothing_to_back_up_before_the_first_run(tmp_path):
    with pytest.raises(KeyUnavailable, match="no keys"):
        backup(tmp_path / "keys", tmp_path / "safe.cvkb")
    assert not (tmp_path / "keys" / "root.key").exists()


@pytest.mark.parametrize("name", ["missing", "folder"])
def test_what_is_no_file_is_named(tmp_path, name):
    (tmp_path / "folder").mkdir()

    with pytest.raises(BackupUnusable, match=f"{name}: cannot be read"):
        read_backup(tmp_path / name)


def test_a_root_key_of_another_provider_stays_with_it(tmp_path, monkeypatch):
    monkeypatch.setenv(settings.ROOT_KEY, base64.b64encode(bytes(range(32))).decode())
    monkeypatch.delenv(settings.NEXT_ROOT_KEY, raising=False)
    directory, provider = tmp_path / "keys", EnvironmentKeyProvider()
    shards = Keyring.open(provider, KeyDirectory(directory)).shard_keys()
    backup(directory, tmp_path / "safe.cvkb", provider)
    shutil.rmtree(directory)

    assert open_backup(read_backup(tmp_path / "safe.cvkb"), PASSPHRASE).root_key is None
    with pytest.raises(BackupUnusable, match="holds no root key: set CUSTVIEW_KEY_PROVIDER"):
        restore(directory, tmp_path / "safe.cvkb")
    assert not (directory / "root.key").exists()
    assert restore(directory, tmp_path / "safe.cvkb", provider).is_keyring
    assert Keyring.open(provider, KeyDirectory(directory)).shard_keys() == shards
    monkeypatch.setenv(settings.ROOT_KEY, base64.b64encode(bytes(32)).decode())
    with pytest.raises(BackupUnusable, match="not the root key of the keys in the backup"):
        restore(tmp_path / "new", tmp_path / "safe.cvkb", provider)


def test_a_backup_beside_the_keys_is_refused(directory):
    with pytest.raises(ProjectInvalid, match="beside the keys"):
        backup(directory, directory / "in.cvkb")
    assert KeyBackups(directory).notes() == ()


def test_keys_cannot_be_destroyed_between_reading_them_and_entering_the_backup(tmp_path, directory, monkeypatch):
    begin, held = KeyBackups.begin, []

    def entered(register, digest):
        with pytest.raises(Timeout), FileLock(directory / "keyring.lock", timeout=0):
            pass
        held.append(digest)
        return begin(register, digest)

    monkeypatch.setattr(KeyBackups, "begin", entered)
    assert backup(directory, tmp_path / "safe.cvkb").keyring_digest == held[0] == keyring_digest(KeyDirectory(directory).read())


def test_two_backups_to_one_file_at_once_leave_the_first_one(tmp_path, directory, monkeypatch):
    path, seal = tmp_path / "safe.cvkb", key_backup_files.seal_backup

    def slowly(*given):
        monkeypatch.setattr(key_backup_files, "seal_backup", seal)
        backup(directory, path)
        return seal(*given)

    monkeypatch.setattr(key_backup_files, "seal_backup", slowly)
    with pytest.raises(ProjectInvalid, match="is there already"):
        backup(directory, path)
    assert [note.number for note in KeyBackups(directory).notes()] == [2] == [read_label(read_backup(path)).number]
    assert not list(tmp_path.glob(".*.part"))


@pytest.mark.parametrize("failure", [OSError(5, "Input/output error"), KeyboardInterrupt()])
@pytest.mark.parametrize("is_deletable", [True, False])
def test_a_backup_that_fails_once_it_is_in_place_is_gone_or_stays_in_the_register(
    tmp_path, directory, monkeypatch, failure, is_deletable
):
    path, unlink = tmp_path / "safe.cvkb", Path.unlink

    def refuse(place, **options):
        if place == path and not is_deletable:
            raise OSError(30, "Read-only file system")
        unlink(place, **options)

    def fail(folder):
        if folder == tmp_path:
            raise failure
        sync_directory(folder)

    monkeypatch.setattr(private_files, "sync_directory", fail)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(BackupUnusable if isinstance(failure, OSError) else KeyboardInterrupt):
        backup(directory, path)
    assert path.exists() is not is_deletable
    assert len(KeyBackups(directory).notes()) == (0 if is_deletable else 1)


def test_a_backup_is_written_where_there_are_no_links_and_over_nothing(tmp_path, directory, monkeypatch):
    def refuse(*_):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    note = backup(directory, tmp_path / "safe.cvkb")
    assert read_label(read_backup(tmp_path / "safe.cvkb")).number == note.number
    assert (tmp_path / "safe.cvkb").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        private_files.make_new(tmp_path / "safe.cvkb", lambda file: file.write(b"other"))
    assert not list(tmp_path.glob(".*.part"))
