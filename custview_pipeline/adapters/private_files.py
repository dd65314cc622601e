"""Files that only their owner can read, written whole or not at all, in a directory where nobody else can replace them."""

import errno
import glob
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from custview_pipeline.kernel.errors import KeyUnavailable

_OTHERS: Final = 0o077
_OTHERS_WRITE: Final = 0o022
_ROOT_USER: Final = 0
_NO_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})  # as on a USB stick


def write_beside(path: Path, write: Callable[[BinaryIO], object]) -> Path:
    """Return a new file beside ``path``, safely on disk; where writing fails nothing is left.

    Args:
        path: What the file is going to be.
        write: Writes the content.

    Raises:
        OSError: The file cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    _write_new(unfinished, write)
    return unfinished


def replace_durably(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Put a file in place, at once and for good: after a power cut it is the old one or the new one.

    Raises:
        OSError: The file cannot be written.
    """
    unfinished = write_beside(path, write)
    try:
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def make_new(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Put a file in place where there is none; nothing that stands there is ever replaced, whoever comes at the same time.

    Raises:
        FileExistsError: There is one.
        OSError: The file cannot be written. Where only its name could not be forced to disk it stays.
    """
    unfinished = write_beside(path, write)
    try:
        os.link(unfinished, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _write_new(path, write)
    finally:
        unfinished.unlink(missing_ok=True)
    sync_directory(path.parent)


def unfinished_files(path: Path) -> list[Path]:
    """Return what processes that were killed left beside a file, or one that is at work has not put in place yet."""
    return list(path.parent.glob(f".{glob.escape(path.name)}.*.part"))


def sweep_unfinished(*paths: Path) -> None:
    """Delete what killed processes left beside these files; call it where no other process can be writing one of them.

    Raises:
        OSError: One cannot be deleted.
    """
    for path in paths:
        for left in unfinished_files(path):
            left.unlink(missing_ok=True)


def make_durably(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Put a file in place unless there is one: of two processes that come at once both find the one that was first.

    Raises:
        OSError: The file cannot be written.
    """
    unfinished = write_beside(path, write)
    try:
        os.link(unfinished, path)  # unlike a rename, a link never replaces what another process made
        sync_directory(path.parent)
    except FileExistsError:
        pass  # another process was first: its file is the one that counts
    finally:
        unfinished.unlink(missing_ok=True)


def sync_directory(directory: Path) -> None:
    """Make sure that the names in a directory survive a power cut."""
    _sync(directory)


def sync_file(path: Path) -> None:
    """Make sure that what a library wrote to a file survives a power cut; its name does when the directory is synced."""
    _sync(path)


def make_private(directory: Path) -> None:
    """Make a directory of keys; refuse one in which others could replace them.

    Raises:
        KeyUnavailable: It cannot be made, or others can write to it, or to one above it.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_foreign(directory, directory.stat())
        if directory.stat().st_mode & _OTHERS_WRITE:
            raise KeyUnavailable(f"{directory}: others can write to it: chmod 700 {directory}")
        for above in directory.resolve().parents:
            if _is_free_for_all(above.stat().st_mode):
                raise KeyUnavailable(f"{directory}: everybody can write to {above} and so replace it: chmod o-w {above}")
    except OSError as error:
        raise KeyUnavailable(f"{directory}: cannot be the key directory ({error.strerror})") from None


def read_private(path: Path, holds: str = "the key") -> bytes | None:
    """Return the bytes of a file that only its owner can read; None where there is no such file.

    Args:
        path: The file.
        holds: What others know who could read it.

    Raises:
        KeyUnavailable: It cannot be read, or others can read it.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            _refuse_foreign(path, status)
            if status.st_mode & _OTHERS:
                raise KeyUnavailable(f"{path}: others can read it: chmod 600 {path}, and think of {holds} as known")
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise KeyUnavailable(f"{path}: cannot be read ({error.strerror})") from None


def _write_new(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file under its own name; where writing fails nothing is left."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse_foreign(path: Path, status: os.stat_result) -> None:
    """Refuse what belongs to another user, who can open it to anybody at any time."""
    if status.st_uid not in {os.geteuid(), _ROOT_USER}:
        raise KeyUnavailable(f"{path}: belongs to another user: chown it to the one that runs this")


def _is_free_for_all(mode: int) -> bool:
    """Tell whether everybody can replace what is in a directory: all can write, and not only to what is theirs."""
    return bool(mode & stat.S_IWOTH) and not mode & stat.S_ISVTX
