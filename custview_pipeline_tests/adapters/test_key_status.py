"""Tests of ``custview_pipeline.adapters.key_status``."""

import base64
from datetime import datetime, timedelta

import pytest

from custview_pipeline.adapters import key_status as module
from custview_pipeline.adapters.key_backups import KeyBackups
from custview_pipeline.adapters.key_files import FileKeyProvider, KeyDirectory
from custview_pipeline.adapters.key_status import key_status
from custview_pipeline.adapters.lake_files import MANIFEST_FILE
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import KeyUnavailable, ProjectInvalid, WrongKey
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import Purpose


@pytest.fixture(autouse=True)
def directory(tmp_path, monkeypatch):
    for variable in (settings.KEY_PROVIDER, settings.ROOT_KEY, settings.NEXT_ROOT_KEY):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv(settings.KEYS, str(tmp_path / "keys"))
    return tmp_path / "keys"


@pytest.fixture
def keyring(directory):
    return Keyring.open(FileKeyProvider(directory), KeyDirectory(directory))


@pytest.fixture
def stands(tmp_path):
    return lambda days=365: key_status("mine", tmp_path / "project" / "lake", due_days=days)


def in_days(days, monkeypatch):
    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(days=days)

    monkeypatch.setattr(module, "datetime", Later)


def lines(status):
    return {(line.purpose, line.version): (line.state, line.is_due, line.remark.split(":")[0]) for line in status.lines}


@pytest.mark.usefixtures("keyring")
def test_first_keys_are_current_and_nothing_is_to_be_done_but_a_backup(stands, directory):
    status = stands()

    assert set(lines(status)) == {("root", None), *((purpose, 1) for purpose in Purpose)}
    assert {(line.state, line.is_due, line.age_days) for line in status.lines} == {("current", False, 0)}
    assert [line.purpose for line in status.lines if line.remark] == ["id"]
    assert status.provider == f"file {directory / 'root.key'}"
    assert (status.is_root_settled, status.is_beside_lake, status.unfinished_shards, status.shard_count) == (True, False, 0, 256)
    assert (status.backups, status.is_backed_up) == ((), False)


def test_versions_say_where_a_rotation_stands(stands, keyring):
    keyring.add(Purpose.TOKEN)
    for purpose in (Purpose.VAULT, Purpose.LOG):
        keyring.add(purpose)
        keyring.promote(purpose)
    keyring.renew_shards([3, 4])
    status = stands()

    assert lines(status)["token", 2] == ("next", False, "rotation on its way")
    assert lines(status)["token", 1] == ("current", False, "")
    assert lines(status)["vault", 1] == ("former", False, "for what is not sealed anew yet")
    assert lines(status)["log", 1] == ("former", False, "verifies older entries of the access log")
    assert status.unfinished_shards == 2


@pytest.mark.usefixtures("keyring")
@pytest.mark.parametrize(("age", "days", "is_due"), [(364, 365, False), (365, 365, True), (400, 500, False), (30, 30, True)])
def test_keys_become_due_by_age_but_the_one_that_never_rotates(stands, monkeypatch, age, days, is_due):
    in_days(age, monkeypatch)
    status = stands(days)

    assert {line.purpose for line in status.lines if line.is_due} == ({"root", *Purpose} - {"id"} if is_due else set())
    assert {line.age_days for line in status.lines} == {age}
    assert lines(status)["vault", 1][2] == ("due" if is_due else "")


def test_a_backup_counts_while_it_holds_the_keys_of_now_and_has_not_expired(stands, keyring, directory, monkeypatch):
    register = KeyBackups(directory)
    note = register.begin(module.keyring_digest(KeyDirectory(directory).read()))
    assert stands().is_backed_up
    assert stands().outstanding == (note,)
    keyring.renew_shards([1])
    assert not stands().is_backed_up

    second = register.begin(module.keyring_digest(KeyDirectory(directory).read()))
    assert stands().is_backed_up
    in_days(31, monkeypatch)
    assert not stands().is_backed_up
    monkeypatch.undo()
    monkeypatch.setenv(settings.KEYS, str(directory))
    register.record_destroyed(second)
    assert not stands().is_backed_up
    assert stands().outstanding == (note,)


@pytest.mark.usefixtures("keyring")
def test_a_next_root_key_and_a_place_beside_the_lake_are_said(directory):
    FileKeyProvider(directory).next_root_key()
    status = key_status("mine", directory.parent / "lake", due_days=1)

    assert not status.is_root_settled
    assert status.is_beside_lake


def test_nothing_is_made_where_there_are_no_keys(stands, directory):
    with pytest.raises(KeyUnavailable, match=r"no keys in .* yet: custview run makes them"):
        stands()
    assert not directory.exists()


@pytest.mark.usefixtures("keyring")
def test_keys_under_another_root_key_are_no_rotation_on_its_way(stands, monkeypatch):
    monkeypatch.setenv(settings.KEY_PROVIDER, "environment")
    monkeypatch.setenv(settings.ROOT_KEY, base64.b64encode(bytes(32)).decode())

    with pytest.raises(WrongKey, match="wrapped under another root key: environment variable CUSTVIEW_ROOT_KEY"):
        stands()


def test_where_the_lake_was_made_with_keys_a_run_is_not_said_to_make_them(stands, tmp_path):
    (tmp_path / "project" / "lake").mkdir(parents=True)
    (tmp_path / "project" / "lake" / MANIFEST_FILE).write_text("{}")

    with pytest.raises(KeyUnavailable, match="the lake was made with some: point CUSTVIEW_KEYS at them"):
        stands()


def test_keys_inside_the_lake_are_refused_and_not_said_to_be_made_there(stands, tmp_path, monkeypatch):
    monkeypatch.setenv(settings.KEYS, str(tmp_path / "project" / "lake" / "keys"))

    with pytest.raises(ProjectInvalid, match="the keys are inside the lake"):
        stands()
