"""The key directory, whose files nobody else can read, and the providers of the root key: a file in it, or the environment."""

import base64
import binascii
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import platformdirs
from filelock import FileLock, Timeout
from pydantic import ValidationError

from custview_pipeline.adapters.private_files import replace_durably, sync_directory, write_beside
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import KeyUnavailable, ProjectInvalid
from custview_pipeline.kernel.ports import KeyProvider
from custview_pipeline.protection.derivation import KEY_BYTES
from custview_pipeline.protection.wrapped_keys import WrappedKeys

ROOT_FILE: Final = "root.key"
KEYRING_FILE: Final = "keyring.json"
_LOCK_FILE: Final = "keyring.lock"
_LOCK_SECONDS: Final = 30
_OTHERS: Final = 0o077
_OTHERS_WRITE: Final = 0o022


class FileKeyProvider:
    """The root key as a file, made at first use.

    The file holds 32 bytes as base64, so that it can be carried to another provider.

    Args:
        directory: The key directory.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / ROOT_FILE

    def describe(self) -> str:
        """Return where the key is."""
        return f"file {self._path}"

    def root_key(self) -> bytes:
        """Return the root key, 32 bytes; two processes that come first at once return the same.

        Raises:
            KeyUnavailable: Others can read it, it is no root key, or it is gone while keys wrapped under it are still here.
        """
        _make_private(self._directory)
        if not self._path.exists():
            self._make()
        return _decoded(_read_private(self._path), str(self._path))

    def _make(self) -> None:
        if (self._directory / KEYRING_FILE).exists():
            raise KeyUnavailable(
                f"{self._path}: missing, and {KEYRING_FILE} needs it: restore it from a key backup, or set "
                f"{settings.KEY_PROVIDER}=environment where the root key lives there"
            )
        made = base64.b64encode(os.urandom(KEY_BYTES)) + b"\n"
        unfinished = write_beside(self._path, lambda file: file.write(made))
        try:
            os.link(unfinished, self._path)  # unlike a rename, a link never replaces the key that another process made
            sync_directory(self._directory)
        except FileExistsError:
            pass  # another process was first: its key is the one that counts
        except OSError as error:
            raise KeyUnavailable(
                f"{self._path}: cannot be made ({error.strerror}): name another place in {settings.KEYS}"
            ) from None
        finally:
            unfinished.unlink()


class EnvironmentKeyProvider:
    """The root key from the environment, 32 bytes as base64."""

    def describe(self) -> str:
        """Return which variable holds the key."""
        return f"environment variable {settings.ROOT_KEY}"

    def root_key(self) -> bytes:
        """Return the root key, 32 bytes.

        Raises:
            KeyUnavailable: The variable is not set, or holds no root key.
        """
        value = settings.read(settings.ROOT_KEY)
        if value is None:
            raise KeyUnavailable(f"{settings.ROOT_KEY}: not set: give it {KEY_BYTES} random bytes as base64")
        return _decoded(value.encode(), settings.ROOT_KEY)


class KeyDirectory:
    """Keeps the wrapped keys as one file, replaced whole or not at all.

    Args:
        directory: The key directory.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / KEYRING_FILE

    def read(self) -> WrappedKeys | None:
        """Return what is stored; None before the first use.

        Raises:
            KeyUnavailable: It cannot be read, or others can read it.
        """
        if not self._path.exists():
            return None
        try:
            return WrappedKeys.model_validate_json(_read_private(self._path))
        except ValidationError:
            raise KeyUnavailable(f"{self._path}: not a keyring: restore it from a key backup") from None

    def update(self, change: Callable[[WrappedKeys | None], WrappedKeys]) -> WrappedKeys:
        """Replace what is stored by what ``change`` makes of it, while no other process does, and return that.

        Raises:
            KeyUnavailable: It cannot be read or written, or another process holds it for long.
        """
        _make_private(self._directory)
        try:
            with FileLock(self._directory / _LOCK_FILE, timeout=_LOCK_SECONDS, mode=0o600):
                changed = change(self.read())
                replace_durably(self._path, lambda file: file.write(changed.model_dump_json(indent=1).encode()))
                return changed
        except Timeout:
            raise KeyUnavailable(f"{self._path}: another process has held it for {_LOCK_SECONDS} s") from None
        except OSError as error:
            raise KeyUnavailable(f"{self._path}: cannot be written ({error.strerror})") from None


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


def key_provider(directory: Path) -> KeyProvider:
    """Return the provider of the root key that CUSTVIEW_KEY_PROVIDER names; a file in ``directory`` by default.

    Raises:
        KeyUnavailable: There is no such provider.
    """
    name = settings.read(settings.KEY_PROVIDER) or "file"
    if name == "file":
        return FileKeyProvider(directory)
    if name == "environment":
        return EnvironmentKeyProvider()
    raise KeyUnavailable(f"{settings.KEY_PROVIDER}: must be file or environment")


def is_key_beside_lake(key_directory: Path, lake: Path) -> bool:
    """Tell whether whoever copies the lake's parent directory copies the keys too."""
    return key_directory.resolve().is_relative_to(lake.resolve().parent)


def _decoded(text: bytes, place: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyUnavailable(f"{place}: not a root key: it must hold {KEY_BYTES} bytes as base64; restore it from a key backup")
    return key


def _make_private(directory: Path) -> None:
    """Make the key directory; refuse one in which others could replace the keys."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_open = directory.stat().st_mode & _OTHERS_WRITE
    except OSError as error:
        raise KeyUnavailable(f"{directory}: cannot be the key directory ({error.strerror})") from None
    if is_open:
        raise KeyUnavailable(f"{directory}: others can write to it: chmod 700 {directory}")


def _read_private(path: Path) -> bytes:
    """Return the bytes of a file that only its owner can read."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise KeyUnavailable(f"{path}: others can read it: chmod 600 {path}, and think of the key as known")
            return file.read()
    except OSError as error:
        raise KeyUnavailable(f"{path}: cannot be read ({error.strerror})") from None
