"""Keys that are changed while the process is killed, the disk is full, or another process changes them too."""

import multiprocessing
import os
import resource
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest

from custview_pipeline.adapters.key_backup_files import make_backup
from custview_pipeline.adapters.key_backups import KeyBackups
from custview_pipeline.adapters.key_files import FileKeyProvider, KeyDirectory
from custview_pipeline.kernel.errors import BackupUnusable, KeyUnavailable
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import Purpose

METHOD: Final = "forkserver" if sys.platform == "linux" else "spawn"
PASSPHRASE: Final = "seven pale owls count rain"

# Everything by which a change of keys reaches the disk, in the order of the file system.
STEPS: Final = ((os, "open"), (os, "fsync"), (os, "link"), (Path, "replace"), (Path, "unlink"))

CHANGES: Final[dict[str, Callable[[Keyring], object]]] = {
    "rotate root": Keyring.rotate_root,
    "rotate keytable": Keyring.rotate_keytable,
    "renew shards": lambda keyring: keyring.renew_shards([1, 2]),
    "add": lambda keyring: keyring.add(Purpose.VAULT),
}


def keys_in(directory):
    return Keyring.open(FileKeyProvider(directory), KeyDirectory(directory))


def left_behind(directory):
    """Return unfinished files: a former root key in the clear, or former shard keys that it opens."""
    return [path.name for path in directory.iterdir() if path.name.endswith(".part")]


def known_keys(keyring):
    """Return the keys that no change takes away."""
    first = [keyring.key(purpose, 1) for purpose in Purpose if purpose is not Purpose.KEYTABLE]
    return [*first, *(generations[1] for generations in keyring.shard_keys().generations)]


def before_each_step(act: Callable[[], None]) -> None:
    """Call ``act`` before every step, in this process, for good."""
    for owner, name in STEPS:
        original = getattr(owner, name)

        def watched(*arguments: Any, _original: Any = original, **named: Any) -> Any:
            act()
            return _original(*arguments, **named)

        setattr(owner, name, watched)


def make_change(directory, change, last_step, steps):
    """Make a change, and die before a step; count the steps where there is no such one."""
    keyring, taken = keys_in(directory), [0]

    def count() -> None:
        if taken[0] == last_step:
            os.kill(os.getpid(), signal.SIGKILL)
        taken[0] += 1

    before_each_step(count)
    CHANGES[change](keyring)
    steps.put(taken[0])


def run(target, *arguments):
    """Run a function in another process and return how that ended."""
    context = multiprocessing.get_context(METHOD)
    if METHOD == "forkserver":
        context.set_forkserver_preload([__name__])
    process = context.Process(target=target, args=arguments)
    process.start()
    process.join(60)
    code = process.exitcode
    process.close()
    return code


def steps_of(directory, change):
    steps = multiprocessing.get_context(METHOD).Queue()
    assert run(make_change, directory, change, -1, steps) == 0
    return steps.get(timeout=10)


@pytest.mark.faults
@pytest.mark.parametrize("change", list(CHANGES))
def test_a_change_that_is_killed_before_any_step_leaves_keys_that_open(tmp_path, change):
    keys_in(tmp_path / "counted")
    count = steps_of(tmp_path / "counted", change)
    assert count >= (9 if change == "rotate root" else 4)
    for step in range(count):
        directory = tmp_path / f"killed_{step}"
        keys = known_keys(keys_in(directory))
        assert run(make_change, directory, change, step, multiprocessing.get_context(METHOD).Queue()) == -signal.SIGKILL, step
        settled = keys_in(directory)
        assert known_keys(settled) == keys, step
        assert not left_behind(directory), step
        assert not (directory / "root.key.next").exists(), step
        CHANGES[change](settled)
        assert known_keys(keys_in(directory)) == keys, step


@pytest.mark.faults
def test_first_keys_that_are_killed_before_any_step_are_made_by_the_next_process(tmp_path):
    steps = multiprocessing.get_context(METHOD).Queue()
    assert run(make_first_keys, tmp_path / "counted", -1, steps) == 0
    for step in range(steps.get(timeout=10)):
        assert run(make_first_keys, tmp_path / f"killed_{step}", step, steps) == -signal.SIGKILL
        keys = known_keys(keys_in(tmp_path / f"killed_{step}"))
        assert known_keys(keys_in(tmp_path / f"killed_{step}")) == keys
        assert not left_behind(tmp_path / f"killed_{step}")


def make_first_keys(directory, last_step, steps):
    taken = [0]

    def count() -> None:
        if taken[0] == last_step:
            os.kill(os.getpid(), signal.SIGKILL)
        taken[0] += 1

    before_each_step(count)
    keys_in(directory)
    steps.put(taken[0])


def with_full_disk(directory, change, said):
    """Make a change where no file can grow beyond some bytes, and say how it failed."""
    keyring = None if change == "first keys" else keys_in(directory)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    try:
        if keyring is None:
            keys_in(directory)
        elif change == "backup":
            make_backup(directory, FileKeyProvider(directory), directory.parent / "safe.cvkb", PASSPHRASE, lake=directory / "no")
        else:
            CHANGES[change](keyring)
    except (KeyUnavailable, BackupUnusable) as error:
        said.put(str(error))


@pytest.mark.parametrize("change", [*CHANGES, "first keys", "backup"])
def test_a_full_disk_is_one_clear_error_and_leaves_nothing_half_written(tmp_path, change):
    directory, said = tmp_path / "keys", multiprocessing.get_context(METHOD).Queue()
    if change != "first keys":
        keys_in(directory)
    before = {path.name: path.read_bytes() for path in directory.glob("*.json")}

    assert run(with_full_disk, directory, change, said) == 0
    assert "cannot be written (File too large)" in said.get(timeout=10)
    after = {path.name: path.read_bytes() for path in directory.glob("*.json") if path.name != "backups.json"}
    assert after == before
    assert KeyBackups(directory).notes() == ()
    assert not [path for path in tmp_path.rglob("*") if ".part" in path.name or path.suffix == ".cvkb"]
    keys_in(directory)


def test_a_disk_that_refuses_while_a_root_key_is_settled_is_finished_later(tmp_path, monkeypatch):
    keyring, replace = keys_in(tmp_path / "keys"), Path.replace

    def refuse(path, target):
        if path.name == "root.key.next":
            raise OSError(28, "No space left on device")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(KeyUnavailable, match=r"root\.key: cannot be put in place \(No space left on device\)"):
        keyring.rotate_root()
    monkeypatch.undo()

    assert known_keys(keys_in(tmp_path / "keys")) == known_keys(keyring)
    assert not (tmp_path / "keys" / "root.key.next").exists()


def test_changes_by_many_at_once_are_all_kept(tmp_path):
    keys = known_keys(keys_in(tmp_path / "keys"))

    def change(number):
        keyring = keys_in(tmp_path / "keys")
        if number == 3:
            keyring.rotate_root()
        elif number == 4:
            keyring.rotate_keytable()
        else:
            keyring.renew_shards([number])
            keyring.renew_shards([100])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(change, range(6)))

    changed = keys_in(tmp_path / "keys")
    assert known_keys(changed) == keys
    assert changed.shard_keys().newest(100)[0] == 5
    assert [changed.shard_keys().newest(shard)[0] for shard in range(6)] == [2, 2, 2, 1, 1, 2]
    assert changed.current(Purpose.KEYTABLE)[0] == 2
