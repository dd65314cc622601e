"""Files that only their owner can read, written whole or not at all."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


def write_beside(path: Path, write: Callable[[BinaryIO], object]) -> Path:
    """Return a new file beside ``path``, safely on disk; where writing fails nothing is left.

    Args:
        path: What the file is going to be.
        write: Writes the content.

    Raises:
        OSError: The file cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return unfinished


def replace_durably(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Put a file in place, at once and for good: after a power cut it is the old one or the new one.

    Raises:
        OSError: The file cannot be written.
    """
    write_beside(path, write).replace(path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make sure that the names in a directory survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
