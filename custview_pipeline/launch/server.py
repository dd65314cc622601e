"""UI and daemon of a project, kept running: what was left of earlier ones is ended first, changes of the project are loaded."""

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from custview_pipeline.adapters.alert_channels import alert_channels
from custview_pipeline.defs.reaper import fail_runs_without_process
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.launch.home import open_instance, write_home
from custview_pipeline.launch.leftovers import end_all, end_leftovers, forget_server, note_server
from custview_pipeline.launch.watch import Location, ProjectWatch, Say

_LOOK_SECONDS: Final = 0.5
_SHUTDOWN_SECONDS: Final = 60.0  # Dagster gives each of its services 15 s or more
_LINGER_SECONDS: Final = 10.0
_TICK_SECONDS: Final = 900  # a look at a table or a program reads all of it; half the time between two looks at a program


def serve(directory: Path, *, host: str, port: int, say: Say) -> int:
    """Run UI and daemon until they end or this process is asked to stop, and leave no process behind.

    Args:
        directory: The project directory.
        host: Address the UI listens on.
        port: Port it listens on.
        say: Who is told what was mended or loaded, a line each time.

    Returns:
        0 where it was asked to stop (Ctrl-C, SIGTERM), else the server's exit code.

    Raises:
        ProjectInvalid: The port is taken, the project is served already, or a setting cannot be used.
        CustviewError: Dagster's storage cannot be opened.
    """
    alert_channels()
    home, asked = write_home(directory), threading.Event()
    if count := end_leftovers(home):
        say(f"ended {count} processes that an earlier custview up left")
    _refuse_taken(host, port)
    if count := _fail_gone(directory):
        say(f"failed {count} runs whose process is gone")
    watch = ProjectWatch(directory, Location(host, port), say)
    command = [sys.executable, "-m", "dagster", "dev", "-w", str(home / "workspace.yaml"), "-h", host, "-p", str(port)]
    with _asked_by_signals(asked):
        # In a session of its own the server hears a Ctrl-C once, from here, and not a second time in the middle of its shutdown.
        server = subprocess.Popen(  # noqa: S603 -- our own interpreter and arguments
            [*command, "--log-level", "warning"], cwd=directory, env=_server_environment(directory, home), start_new_session=True
        )
        note_server(home, server.pid)
        ended = threading.Event()
        threading.Thread(target=watch.run, args=(ended,), daemon=True).start()
        try:
            while server.poll() is None and not asked.wait(_LOOK_SECONDS):
                pass
        finally:
            ended.set()
            _stop(server)
            forget_server(home)
    return 0 if asked.is_set() else server.returncode


@contextmanager
def _asked_by_signals(asked: threading.Event) -> Iterator[None]:
    """Set an event at SIGINT and SIGTERM, for a while.

    It comes before any process is started: a shell starts background jobs deaf to SIGINT, and they would inherit that.
    """
    before = {number: signal.signal(number, lambda *_: asked.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _fail_gone(directory: Path) -> int:
    with silenced("opening Dagster's storage"), open_instance(directory) as instance:
        return fail_runs_without_process(instance)


def _refuse_taken(host: str, port: int) -> None:
    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        raise ProjectInvalid(f"cannot listen on {host}:{port} ({error.strerror}): choose another with --port") from None


def _server_environment(directory: Path, home: Path) -> dict[str, str]:
    """Return the environment of the server, which works in the project's directory: a relative path of keys is made absolute."""
    added = {
        "DAGSTER_HOME": str(home),
        settings.PROJECT: str(directory),
        "PYTHONWARNINGS": "ignore",
        "DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS": str(_TICK_SECONDS),
    }
    if keys := settings.read(settings.KEYS):
        added[settings.KEYS] = str(Path(keys).expanduser().absolute())
    return settings.child_environment(added)


def _stop(server: "subprocess.Popen[bytes]") -> None:
    """End a server and whatever it started: ask, insist, kill."""
    if server.poll() is not None:
        return
    family = psutil.Process(server.pid).children(recursive=True)
    server.send_signal(signal.SIGINT)
    try:
        server.wait(_SHUTDOWN_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    _, alive = psutil.wait_procs(family, timeout=_LINGER_SECONDS)
    end_all(alive)
