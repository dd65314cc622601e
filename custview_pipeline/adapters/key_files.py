"""The key directory, whose files nobody else can read or replace: where it is, the root key and the wrapped keys in it."""

import base64
import binascii
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import platformdirs
from filelock import FileLock, Timeout
from pydantic import ValidationError

from custview_pipeline.adapters.lake_files import is_lake
from custview_pipeline.adapters.private_files import (
    make_durably,
    make_private,
    read_private,
    sweep_unfinished,
    sync_directory,
    unfinished_files,
)
from custview_pipeline.adapters.private_models import update_model
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import KeyUnavailable, ProjectInvalid
from custview_pipeline.protection.derivation import KEY_BYTES
from custview_pipeline.protection.wrapped_keys import WrappedKeys

ROOT_FILE: Final = "root.key"
NEXT_ROOT_FILE: Final = "root.key.next"
KEYRING_FILE: Final = "keyring.json"
_LOCK_FILE: Final = "keyring.lock"


class FileKeyProvider:
    """The root key as a file, made at first use; while it is rotated the next one is beside it.

    The file holds 32 bytes as base64, so that it can be carried to another provider. A root key is made while the caller holds
    the lock of the ``KeyDirectory``, within its ``update``.

    Args:
        directory: The key directory.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path, self._next = directory / ROOT_FILE, directory / NEXT_ROOT_FILE

    def describe(self) -> str:
        """Return where the key is."""
        return f"file {self._path}"

    def root_keys(self) -> Sequence[bytes]:
        """Return the root key, made now where there is none, and the next one where there is one.

        Two processes that come first at once return the same.

        Raises:
            KeyUnavailable: Others can read it, it is no root key, or it is gone while keys wrapped under it are still here.
        """
        make_private(self._directory)
        if not self._path.exists():
            self._refuse_if_lost()
            _make(self._path, os.urandom(KEY_BYTES))
        keys = [decoded_key(content, path) for path in (self._path, self._next) if (content := read_private(path)) is not None]
        if not keys:
            raise KeyUnavailable(f"{self._path}: cannot be read")
        return keys

    def next_root_key(self) -> bytes:
        """Return the root key to rotate to, made beside the one in use.

        Raises:
            KeyUnavailable: It cannot be made.
        """
        make_private(self._directory)
        _make(self._next, os.urandom(KEY_BYTES))
        return decoded_key(read_private(self._next) or b"", self._next)

    def settle(self, root_key: bytes) -> None:
        """Leave this root key alone in the directory, under the name of the one in use.

        Raises:
            KeyUnavailable: It cannot be put there.
        """
        content = read_private(self._next)
        if content is None:
            return
        try:
            if decoded_key(content, self._next) == root_key:
                self._next.replace(self._path)
            else:
                self._next.unlink()
            sync_directory(self._directory)
        except OSError as error:
            raise KeyUnavailable(f"{self._path}: cannot be put in place ({error.strerror})") from None

    def is_there(self) -> bool:
        """Tell whether there is a root key."""
        return self._path.exists()

    def put_back(self, root_key: bytes) -> None:
        """Put a root key that was backed up into its place.

        Raises:
            KeyUnavailable: Another one is there, or it cannot be written.
        """
        make_private(self._directory)
        _make(self._path, root_key)
        if decoded_key(read_private(self._path) or b"", self._path) != root_key:
            raise KeyUnavailable(f"{self._path}: another root key is there; move it elsewhere to restore the one of the backup")

    def _refuse_if_lost(self) -> None:
        if (self._directory / KEYRING_FILE).exists():
            raise KeyUnavailable(
                f"{self._path}: missing, and {KEYRING_FILE} needs it: restore it from a key backup, or set "
                f"{settings.KEY_PROVIDER}=environment where the root key lives there"
            )


class KeyDirectory:
    """Keeps the wrapped keys as one file, replaced whole or not at all.

    Args:
        directory: The key directory.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / KEYRING_FILE
        self._lock = directory / _LOCK_FILE

    def read(self) -> WrappedKeys | None:
        """Return what is stored; None before the first use. Former keys that a killed process left behind are deleted.

        Raises:
            KeyUnavailable: It cannot be read, or others can read it.
        """
        self._sweep_unless_in_use()
        return self._read()

    def _read(self) -> WrappedKeys | None:
        content = read_private(self._path)
        if content is None:
            return None
        try:
            return WrappedKeys.model_validate_json(content)
        except ValidationError:
            raise KeyUnavailable(f"{self._path}: not a keyring: restore it from a key backup") from None

    def update(self, change: Callable[[WrappedKeys | None], WrappedKeys]) -> WrappedKeys:
        """Replace what is stored by what ``change`` makes of it, while no other process does, and return that.

        It is stored durably, all or nothing; where nothing changes nothing is written.

        Raises:
            KeyUnavailable: It cannot be read or written, or another process holds it for long.
        """
        # The lock is held also by who makes a root key, see ``FileKeyProvider``, so that what lies beside one is unfinished too.
        return update_model(self._path, self._lock, self._read, change, leftovers_of=self._secrets())

    def _sweep_unless_in_use(self) -> None:
        if not any(unfinished_files(path) for path in self._secrets()):
            return
        try:
            with FileLock(self._lock, timeout=0, mode=0o600):
                sweep_unfinished(*self._secrets())
        except (Timeout, OSError):
            pass  # a process is at work, and they may be its own; or nothing can be deleted here, which is no reason not to read

    def _secrets(self) -> list[Path]:
        return [self._directory / name for name in (KEYRING_FILE, ROOT_FILE, NEXT_ROOT_FILE)]


def key_directory(project_name: str) -> Path:
    """Return where the keys of a project are: CUSTVIEW_KEYS, else a folder of its name in the user's configuration directory.

    Raises:
        ProjectInvalid: The name cannot name a folder.
    """
    named = settings.read(settings.KEYS)
    if named is not None:
        return Path(named).expanduser()
    if project_name in {"", ".", ".."} or set(project_name) & set("/\\\0"):
        raise ProjectInvalid("the project's name cannot name a folder: use letters, digits, dashes and underscores")
    return platformdirs.user_config_path("custview") / project_name


def is_key_beside_lake(key_directory: Path, lake: Path) -> bool:
    """Tell whether whoever copies the lake's parent directory copies the keys too."""
    return key_directory.resolve().is_relative_to(lake.resolve().parent)


def refuse_keys_in_lake(key_directory: Path, lake: Path) -> None:
    """Refuse a key directory in the lake, or a file of it that a link leads into the lake: each copy of the lake would open.

    Raises:
        ProjectInvalid: The keys are there.
    """
    root = lake.resolve()
    places = [key_directory, *(key_directory.iterdir() if key_directory.is_dir() else ())]
    if any(place.resolve().is_relative_to(root) for place in places):
        raise ProjectInvalid(
            f"{key_directory}: the keys are inside the lake {lake}, and every copy of it could be read: "
            f"name another place in {settings.KEYS}"
        )


def existing_keys(key_directory: Path, lake: Path) -> WrappedKeys:
    """Return the wrapped keys of a key directory; nothing is made where there are none.

    Args:
        key_directory: The key directory.
        lake: The lake that they are for.

    Raises:
        ProjectInvalid: The keys are inside the lake.
        KeyUnavailable: There are none, or they cannot be read.
    """
    refuse_keys_in_lake(key_directory, lake)
    stored = KeyDirectory(key_directory).read()
    if stored is not None:
        return stored
    if is_lake(lake):
        raise KeyUnavailable(
            f"no keys in {key_directory}, but the lake was made with some: point {settings.KEYS} at them, or restore a key "
            "backup; none were made anew"
        )
    raise KeyUnavailable(f"no keys in {key_directory} yet: custview run makes them, custview keys restore brings back a backup")


def decoded_key(text: bytes, place: Path | str, remedy: str = "restore it from a key backup") -> bytes:
    """Return the root key that a text of base64 holds.

    Args:
        text: The text.
        place: Where it stands.
        remedy: What to do where it holds none.

    Raises:
        KeyUnavailable: It holds none.
    """
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyUnavailable(f"{place}: not a root key: it must hold {KEY_BYTES} bytes as base64; {remedy}")
    return key


def encoded_key(key: bytes) -> bytes:
    """Return the text that a file or a variable holds for a root key."""
    return base64.b64encode(key) + b"\n"


def _make(path: Path, key: bytes) -> None:
    """Make the file of a root key, unless there is one by then."""
    try:
        make_durably(path, lambda file: file.write(encoded_key(key)))
    except OSError as error:
        raise KeyUnavailable(f"{path}: cannot be made ({error.strerror}): name another place in {settings.KEYS}") from None
