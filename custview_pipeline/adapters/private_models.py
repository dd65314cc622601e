"""Changes of small JSON files of the key directory: by one process at a time, whole or not at all."""

from collections.abc import Callable, Iterable
from os import strerror
from pathlib import Path
from typing import Final, TypeVar

from filelock import FileLock, Timeout
from pydantic import BaseModel

from custview_pipeline.adapters.private_files import make_private, replace_durably, sweep_unfinished
from custview_pipeline.kernel.errors import KeyUnavailable

_LOCK_SECONDS: Final = 30

Stored = TypeVar("Stored")
Changed = TypeVar("Changed", bound=BaseModel)


def update_model(
    path: Path, lock: Path, read: Callable[[], Stored], change: Callable[[Stored], Changed], *, leftovers_of: Iterable[Path]
) -> Changed:
    """Replace what is stored by what ``change`` makes of it, while no other process does, and return that.

    It is stored durably, all or nothing; where nothing changes nothing is written.

    Args:
        path: The file.
        lock: What is locked meanwhile.
        read: Returns what is stored.
        change: Makes of it what is to be stored.
        leftovers_of: Files beside which processes that were killed may have left something; nobody else writes them meanwhile.

    Raises:
        KeyUnavailable: It cannot be read or written, or another process holds it for long.
    """
    make_private(path.parent)
    try:
        with FileLock(lock, timeout=_LOCK_SECONDS, mode=0o600):
            sweep_unfinished(*leftovers_of)
            stored = read()
            changed = change(stored)
            if changed != stored:
                replace_durably(path, lambda file: file.write(changed.model_dump_json(indent=1).encode()))
            return changed
    except Timeout:
        raise KeyUnavailable(f"{path}: another process has held it for {_LOCK_SECONDS} s") from None
    except OSError as error:
        raise KeyUnavailable(f"{path}: cannot be written ({strerror(error.errno or 0)})") from None
