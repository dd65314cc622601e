"""Tests of ``custview_pipeline.adapters.key_backups``."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from custview_pipeline.adapters.key_backups import KeyBackups
from custview_pipeline.contracts.key_backups import BackupNote, outstanding
from custview_pipeline.kernel.errors import KeyUnavailable, ProjectInvalid


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "keys"


@pytest.fixture
def register(directory):
    return KeyBackups(directory)


def test_backups_are_numbered_expire_and_stay_until_they_are_destroyed(register, directory):
    assert register.notes() == ()
    first, second = register.begin("a"), register.begin("b")

    assert [note.number for note in register.notes()] == [1, 2]
    assert first.expires_at - first.created_at == timedelta(days=30)
    assert abs(datetime.now(UTC) - first.created_at) < timedelta(minutes=1)
    destroyed = register.record_destroyed(first)
    assert destroyed.destroyed_at is not None
    assert register.notes() == (destroyed, second)
    assert outstanding(KeyBackups(directory).notes()) == (second,)
    assert (directory / "backups.json").stat().st_mode & 0o777 == 0o600


def test_those_made_before_a_moment_are_told_apart(register):
    note = register.begin("a")

    assert outstanding(register.notes(), note.created_at) == ()
    assert outstanding(register.notes(), note.created_at + timedelta(seconds=1)) == (note,)


def test_an_expired_backup_is_outstanding_until_it_is_recorded_as_destroyed(register):
    old = BackupNote(number=1, created_at=datetime(2025, 1, 1, tzinfo=UTC), expires_at=datetime(2025, 1, 31, tzinfo=UTC))
    register.merge([old])

    assert outstanding(register.notes()) == (old,)
    assert old.is_expired(datetime.now(UTC))


def test_a_number_is_not_given_again_unless_its_backup_was_never_written(register):
    register.record_destroyed(register.begin("a"))
    second = register.begin("b")
    register.withdraw(second)

    assert second.number == 2
    assert register.begin("b").number == 2


def test_two_backups_of_one_number_need_their_moment(register):
    mine = register.begin("a")
    other = mine.model_copy(update={"created_at": datetime(2026, 3, 1, 12, 30, tzinfo=UTC)})
    register.merge([other])

    with pytest.raises(ProjectInvalid, match="add --made 2026-03-01T12:30:00 or --made "):
        register.find(1)
    assert register.find(1, "2026-03-01T12:30") == other
    with pytest.raises(ProjectInvalid, match="custview keys backups lists them"):
        register.find(2)


def test_backups_made_at_once_get_different_numbers(directory):
    with ThreadPoolExecutor(4) as pool:
        notes = list(pool.map(lambda _: KeyBackups(directory).begin("a"), range(8)))

    assert sorted(note.number for note in notes) == list(range(1, 9))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 2}', '{"backups": [{"number": 0}]}'])
def test_a_damaged_register_is_refused(register, directory, content):
    register.begin("a")
    (directory / "backups.json").write_text(content)

    for use in (register.notes, lambda: register.begin("b")):
        with pytest.raises(KeyUnavailable, match="not a register of key backups"):
            use()


def test_a_register_that_others_can_read_is_refused(register, directory):
    register.begin("a")
    (directory / "backups.json").chmod(0o644)

    with pytest.raises(KeyUnavailable, match="others can read it"):
        register.notes()


def test_what_a_killed_process_left_of_the_register_is_deleted(register, directory):
    register.begin("a")
    (directory / ".backups.json.00ff.part").write_text("{}")
    register.begin("b")

    assert not list(directory.glob(".*.part"))
