"""The right to write a lake: a lock on a file in it, always, and a lock in the project's PostgreSQL where there is one.

The file lock is the system's (flock): whoever holds it loses it when its process ends, however it ends. It does not reach other
machines on every shared file system; the advisory lock of a PostgreSQL session does, and the server frees it when the session is
gone (PostgreSQL manual, 13.3.5 "Advisory Locks").
"""

import hashlib
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg2  # type: ignore[import-untyped]  # it has no types
from filelock import FileLock, Timeout

from custview_pipeline.kernel.errors import LakeBusy, LakeError

LOCK_FILE: Final = "writer.lock"
HOLDER_FILE: Final = "writer.json"

_DRIVER: Final = "+psycopg2"  # which SQLAlchemy wants to be told
_LOOK_SECONDS: Final = 0.05  # work that gives the lake back between its turns pauses for four such looks
# A holder whose machine vanished is noticed after a minute by either side (manual, 19.3 and 34.1.2).
_KEEPALIVES: Final = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
_SESSION: Final = "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3 -c statement_timeout=20000"

Told = Callable[[str], None]


class HeldLock:
    """The right to write, while it lasts."""

    def __init__(self, session: "_Session | None") -> None:
        self._session = session

    def assert_held(self) -> None:
        """Make sure that no other process can have the right by now; asked before anything counts.

        Raises:
            LakeError: The database ended the session, and the lock with it.
        """
        if self._session is not None and not self._session.is_alive():
            raise LakeError(
                "the lock in PostgreSQL was lost: the database was restarted, or does not answer; what was committed stays, "
                "run it again"
            )


@contextmanager
def hold(root: Path, name: str, *, postgres_url: str | None, wait_seconds: float, told: Told | None) -> Iterator[HeldLock]:
    """Hold the right to write a lake; others wait for it.

    Args:
        root: Folder of the lake; made where it is missing.
        name: Says the same of this lake wherever its folder is mounted.
        postgres_url: The database with the second lock; None where the file is enough.
        wait_seconds: How long to wait for another writer.
        told: Hears, once, that and since when another one has been writing.

    Raises:
        LakeBusy: Another writer kept the lake for longer.
        LakeError: The folder cannot be written, or the database does not answer.
    """
    until = time.monotonic() + wait_seconds
    file = FileLock(str(root / LOCK_FILE), mode=0o600)
    waiting = _Waiting(root, until, told)
    waiting.until(lambda: _has_locked(root, file))
    try:
        session = None if postgres_url is None else _Session(postgres_url, name)
        try:
            if session is not None:
                waiting.until(session.has_locked)
            with _noted_holder(root):
                yield HeldLock(session)
        finally:
            if session is not None:
                session.close()
    finally:
        file.release()


class _Waiting:
    """Waits until a lock is free, and says so."""

    def __init__(self, root: Path, until: float, told: Told | None) -> None:
        self._root, self._until, self._told = root, until, told
        self._seconds = max(0.0, until - time.monotonic())

    def until(self, has_locked: Callable[[], bool]) -> None:
        while not has_locked():
            if time.monotonic() >= self._until:
                raise LakeBusy(
                    f"another run has been writing the lake {_since(self._root)}, and this one waited {self._seconds:.0f} s "
                    "for it; try again when it ended"
                )
            if self._told is not None:
                self._told(f"another run has been writing the lake {_since(self._root)}: waiting")
                self._told = None
            time.sleep(_LOOK_SECONDS)


def _has_locked(root: Path, file: FileLock) -> bool:
    try:
        root.mkdir(parents=True, exist_ok=True)
        file.acquire(timeout=0)
    except Timeout:
        return False
    except OSError as error:
        raise LakeError(f"{root}: cannot be written ({type(error).__name__})") from None
    return True


@contextmanager
def _noted_holder(root: Path) -> Iterator[None]:
    """Write down who holds the lake since when, for those who wait; one that was killed leaves it to the next to overwrite.

    Only who has the right may take the note away: where the file lock does not reach, it may be that of a holder elsewhere.
    """
    holder = {"since": datetime.now(UTC).isoformat(timespec="seconds"), "process": os.getpid(), "host": socket.gethostname()}
    try:
        (root / HOLDER_FILE).write_text(json.dumps(holder), encoding="utf-8")
    except OSError as error:
        raise LakeError(f"{root}: cannot be written ({type(error).__name__})") from None
    try:
        yield
    finally:
        (root / HOLDER_FILE).unlink(missing_ok=True)


def _since(root: Path) -> str:
    try:
        holder = json.loads((root / HOLDER_FILE).read_text(encoding="utf-8"))
        since = datetime.fromisoformat(holder["since"])
        return f"since {since:%Y-%m-%d %H:%M:%S} UTC (process {int(holder['process'])} on {holder['host']})"
    except (OSError, ValueError, KeyError, TypeError):  # just begun, or just ended
        return "for a moment"


class _Session:
    """A session of PostgreSQL that has one advisory lock, or wants it."""

    def __init__(self, url: str, name: str) -> None:
        self._key = int.from_bytes(
            hashlib.blake2b(f"custview writer {name}".encode(), digest_size=8).digest(), "big", signed=True
        )
        with _answering():
            self._connection = psycopg2.connect(
                url.replace(_DRIVER, "", 1),
                connect_timeout=10,
                options=_SESSION,
                application_name="custview writer",
                **_KEEPALIVES,
            )
            self._connection.autocommit = True
            # A server that ends idle sessions must not end this one; the setting is of version 14.
            self._ask("select set_config(name, '0', false) from pg_settings where name = 'idle_session_timeout'")

    def has_locked(self) -> bool:
        """Take the lock where it is free."""
        with _answering():
            return bool(self._ask("select pg_try_advisory_lock(%s)", self._key))

    def is_alive(self) -> bool:
        """Return whether the session answers; while it does it has what it took."""
        try:
            return self._ask("select 1") == 1
        except psycopg2.Error:
            return False

    def close(self) -> None:
        """Give the lock back."""
        self._connection.close()

    def _ask(self, statement: str, *values: int) -> object:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values)
            row = cursor.fetchone()
        return None if row is None else row[0]


@contextmanager
def _answering() -> Iterator[None]:
    """Replace what the library says, which quotes the address and may quote more."""
    try:
        yield
    except psycopg2.Error as error:
        raise LakeError(
            f"the lock in PostgreSQL cannot be had ({type(error).__name__}): does the database of CUSTVIEW_POSTGRES_URL answer?"
        ) from None
