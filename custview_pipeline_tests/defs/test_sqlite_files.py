"""Tests of ``custview_pipeline.defs.sqlite_files``."""

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from custview_pipeline.defs.sqlite_files import hold_open


def write(file: Path, name: str) -> int:
    """Write as Dagster does: open, write, close; return how the connection waits for the disk."""
    for _ in range(2):  # a file that was made a moment ago has no journal until it is opened again
        waits = _write_once(file, name)
    return waits


def _write_once(file: Path, name: str) -> int:
    engine = sa.create_engine(f"sqlite:///{file}", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text("PRAGMA journal_mode = WAL"))
        connection.execute(sa.text("CREATE TABLE IF NOT EXISTS events (name TEXT)"))
        connection.execute(sa.text("INSERT INTO events VALUES (:name)"), {"name": name})
        connection.commit()
        waits = connection.execute(sa.text("PRAGMA synchronous")).scalar_one()
    engine.dispose()
    return int(waits)


def names_in(file: Path) -> list[str]:
    connection = sqlite3.connect(file)
    found = [name for (name,) in connection.execute("SELECT DISTINCT name FROM events ORDER BY name")]
    connection.close()
    return found


def has_journal(file: Path) -> bool:
    return file.with_name(f"{file.name}-wal").exists()


def test_files_of_the_folder_keep_their_journal_and_others_do_not(tmp_path):
    hold_open(tmp_path / "held")
    for place in ("held", "held/history", "other"):
        (tmp_path / place).mkdir(exist_ok=True)
    waits = {place: write(tmp_path / place / "runs.db", "one") for place in ("held", "held/history", "other")}
    assert waits == {"held": 1, "held/history": 1, "other": 2}  # NORMAL and FULL
    assert {place: has_journal(tmp_path / place / "runs.db") for place in waits} == {
        "held": True,
        "held/history": True,
        "other": False,
    }
    write(tmp_path / "held" / "runs.db", "two")
    assert names_in(tmp_path / "held" / "runs.db") == ["one", "two"]


def test_of_many_files_the_last_stay_open(tmp_path):
    hold_open(tmp_path)
    files = [tmp_path / f"run{number}.db" for number in range(20)]
    for file in files:
        write(file, file.name)
    assert [file.name for file in files if has_journal(file)] == [f"run{number}.db" for number in range(4, 20)]
    assert [names_in(file) for file in files] == [[file.name] for file in files]


WRITER = """
import os, signal, sys
from pathlib import Path
from custview_pipeline.defs.sqlite_files import hold_open
from custview_pipeline_tests.defs.test_sqlite_files import write
file = Path(sys.argv[1])
hold_open(file.parent)
write(file, "before")
if sys.argv[2:]:
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("killed", "code"), [([], 0), (["killed"], -signal.SIGKILL)])
def test_what_was_written_is_there_when_the_process_has_ended_or_was_killed(tmp_path, killed, code):
    file = tmp_path / "runs.db"
    ended = subprocess.run([sys.executable, "-c", WRITER, str(file), *killed], check=False)
    assert (ended.returncode, has_journal(file)) == (code, bool(killed))
    assert names_in(file) == ["before"]
