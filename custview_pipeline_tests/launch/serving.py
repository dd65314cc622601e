"""``custview up`` as a process, and what its web server answers; somebody who listens to its webhook."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from custview_pipeline_tests.worlds import World

PATIENCE = 180.0  # seconds; how long something may take on a machine that others use too


def until(what: str, found: Callable[[], Any], *, seconds: float = PATIENCE) -> Any:
    """Return what is found, as soon as it is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := found():
            return result
        time.sleep(0.25)
    pytest.fail(f"waited in vain: {what}")


@dataclass(frozen=True)
class Served:
    """A running ``custview up``."""

    world: World
    process: subprocess.Popen[bytes]
    port: int
    said: Path

    def ask(self, query: str) -> dict[str, Any]:
        """Return the answer of GraphQL; nothing while it does not answer."""
        try:
            with closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
                connection.request("POST", "/graphql", json.dumps({"query": query}), {"Content-Type": "application/json"})
                return json.load(connection.getresponse())["data"] or {}
        except (OSError, HTTPException):
            return {}

    def runs(self) -> list[dict[str, Any]]:
        """Return its last runs, the newest first."""
        answer = self.ask("{runsOrError(limit: 20) {... on Runs {results {runId status tags {key value}}}}}")
        return answer.get("runsOrError", {}).get("results", [])

    def sensors(self) -> dict[str, list[dict[str, Any]]]:
        """Return the last ticks of each sensor, the newest first."""
        place = '{repositoryName: "__repository__", repositoryLocationName: "custview"}'
        wanted = "{... on Sensors {results {name sensorState {ticks(limit: 20) {status skipReason}}}}}"
        found = self.ask(f"{{sensorsOrError(repositorySelector: {place}) {wanted}}}").get("sensorsOrError", {})
        return {sensor["name"]: sensor["sensorState"]["ticks"] for sensor in found.get("results", [])}

    def ended_since(self, known: set[str]) -> list[dict[str, Any]]:
        """Return the runs that are not among those known and have ended."""
        ended = {"SUCCESS", "FAILURE", "CANCELED"}
        return [run for run in self.runs() if run["runId"] not in known and run["status"] in ended]

    def known(self) -> set[str]:
        """Return the ids of the runs there are."""
        return {run["runId"] for run in self.runs()}

    def family(self) -> list[psutil.Process]:
        """Return every process of it, the eldest first."""
        eldest = psutil.Process(self.process.pid)
        return [eldest, *eldest.children(recursive=True)]

    def kill(self) -> None:
        """Kill every process of it at once, as a power cut would."""
        for process in self.family():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait(PATIENCE)


@contextmanager
def serving(world: World, **environment: str) -> Iterator[Served]:
    """Run ``custview up`` on a world until the end of the block; what it says is in a file."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    said = world.root / f"said-{port}.txt"
    wanted = {**os.environ, **world.environment, **environment}
    command = [sys.executable, "-m", "custview_pipeline", "up", "--project", str(world.directory), "--port", str(port)]
    with (
        said.open("wb") as out,
        subprocess.Popen(
            command, env={name: value for name, value in wanted.items() if value is not None}, stdout=out, stderr=out
        ) as process,
    ):
        served = Served(world, process, port, said)
        try:
            until("the UI answers", lambda: process.poll() is not None or served.sensors())
            yield served
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(PATIENCE)


@dataclass
class Hook:
    """A web server on the loopback that keeps what is POSTed to it."""

    status: int = 200
    heard: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""


@contextmanager
def listening(status: int = 200) -> Iterator[Hook]:
    """Listen to a webhook for a while."""
    hook = Hook(status)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            hook.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(hook.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        hook.url = f"http://127.0.0.1:{server.server_port}/hook"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield hook
        finally:
            server.shutdown()
            thread.join()
