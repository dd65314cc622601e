"""What a ``custview up`` that was killed leaves running: its server works on without anybody, and keeps the port."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from custview_pipeline.defs.processes import Worker
from custview_pipeline.kernel.errors import ProjectInvalid

_RECORD: Final = "serving.json"
_LINGER_SECONDS: Final = 10.0


def note_server(home: Path, server: int) -> None:
    """Note which process serves the project, and who watches over it: this one.

    Args:
        home: Dagster's folder of the project.
        server: Number of the server's process, which leads a session of its own.
    """
    unfinished = home / f".{_RECORD}.{os.getpid()}"
    unfinished.write_text(json.dumps({"keeper": Worker.here().tags, "server": Worker.here(server).tags}), encoding="utf-8")
    unfinished.replace(home / _RECORD)


def forget_server(home: Path) -> None:
    """Note that nobody serves the project any more."""
    (home / _RECORD).unlink(missing_ok=True)


def end_leftovers(home: Path) -> int:
    """End what an earlier ``custview up`` of this project has left on this host, and return how many processes that were.

    Raises:
        ProjectInvalid: It is at work still.
    """
    keeper, server = _noted(home)
    if keeper is None or server is None or not server.is_of_this_host:
        return 0
    if keeper.is_alive:
        raise ProjectInvalid(f"custview up serves this project already (process {keeper.pid}): end that first")
    left = [process for process in psutil.process_iter() if _is_of_session(process, server.pid, home)]
    end_all(left)
    forget_server(home)
    return len(left)


def end_all(processes: list[psutil.Process]) -> None:
    """End processes: ask, wait, kill."""
    alive = processes
    for end in (psutil.Process.terminate, psutil.Process.kill):
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                end(process)
        _, alive = psutil.wait_procs(alive, timeout=_LINGER_SECONDS)


def _noted(home: Path) -> tuple[Worker | None, Worker | None]:
    try:
        noted = json.loads((home / _RECORD).read_text(encoding="utf-8"))
        return Worker.of(noted["keeper"]), Worker.of(noted["server"])
    except (OSError, ValueError, KeyError, TypeError):  # none, or one that a full disk cut off
        return None, None


def _is_of_session(process: psutil.Process, session: int, home: Path) -> bool:
    """Return whether a process belongs to the session of a server of this project; its environment says which project."""
    with suppress(psutil.Error, OSError):
        return os.getsid(process.pid) == session and process.environ().get("DAGSTER_HOME") == str(home)
    return False
