"""Dagster's SQLite files are held open while a process lives: what they hold then reaches the disk in few writes.

Dagster opens a connection for each of its events and closes it again. Closing the last connection of a file moves its journal
into the database and waits for the disk some times, seven hundred times in a small run. Where another connection stays open the
journal is moved when it is long. After a crash of the machine the last events may be missing; the file is whole in any case
(https://sqlite.org/wal.html, https://sqlite.org/pragma.html#pragma_synchronous).
"""

import atexit
import sqlite3
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Engine

_MOST: Final = 16  # files held open: each run has one of its own
_BUSY_SECONDS: Final = 30.0  # as Dagster's own connections wait


class _HeldOpen:
    """Connections that nobody uses, one a file; those of the files that were used last."""

    def __init__(self) -> None:
        self._folders: set[Path] = set()
        self._held: OrderedDict[str, sqlite3.Connection] = OrderedDict()
        self._lock = threading.Lock()

    def add_folder(self, folder: Path) -> None:
        if not self._folders:
            sa.event.listen(Engine, "connect", self._opened)
            atexit.register(self._close)
        self._folders.add(folder)

    def _opened(self, connection: Any, _record: object) -> None:
        if not isinstance(connection, sqlite3.Connection):
            return
        file = connection.execute("PRAGMA database_list").fetchone()[2]
        if not file or self._folders.isdisjoint(Path(file).parents):
            return
        connection.execute("PRAGMA synchronous = NORMAL")
        with self._lock:
            if file not in self._held:
                self._held[file] = sqlite3.connect(file, timeout=_BUSY_SECONDS, check_same_thread=False)
            self._held[file].execute(
                "PRAGMA schema_version"
            ).fetchone()  # it holds the journal once it has read since there is one
            self._held.move_to_end(file)
            while len(self._held) > _MOST:
                self._held.popitem(last=False)[1].close()

    def _close(self) -> None:
        with self._lock:
            while self._held:
                self._held.popitem()[1].close()


_HELD_OPEN: Final = _HeldOpen()


def hold_open(folder: Path) -> None:
    """Hold the SQLite files below a folder open from when SQLAlchemy first opens them until this process ends."""
    _HELD_OPEN.add_folder(folder.resolve())
